"""The parts of a COMET model that are trained, and a way through it that computes the lower layers once.

The lower half of the encoder never changes, so what it makes of every text is kept (float16, a row a token). The upper half has
low-rank updates W + B A (Hu et al. 2021) of its matrices; its biases and norms, the mix of layers and the estimator are trained
as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bench.progress import bar

BELOW = 6  # of twelve layers, those that stay as they are
RANK = 32
_LONGEST = 256  # tokens of a text that are learned from


@dataclass(frozen=True, slots=True)
class Lower:
    """What the lower layers make of texts; or all of them, where none is trained any more."""

    states: list[Tensor]
    """A text [tokens, width], after layer `BELOW`; float16."""
    means: Tensor
    """[texts, layers, width]: of the embeddings and of each layer after them, over the tokens; `BELOW` of them, or all."""


class _LowRank(nn.Module):
    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        out, into = weight.shape
        self.A = nn.Parameter(torch.randn(RANK, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, RANK))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.B @ self.A


def open_up(model: Any) -> None:
    """Makes trainable what is trained, and nothing else."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.encoder.model.encoder.layer[BELOW:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                parametrize.register_parametrization(module, "weight", _LowRank(module.weight))
                module.bias.requires_grad = True
            elif isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)
    model.estimator.requires_grad_(True)
    model.layerwise_attention.requires_grad_(True)


def trained(model: Any) -> dict[str, Tensor]:
    """What bench.scorers.comet_embedded.teach puts into an untrained model, in float16."""
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            name = name.replace(".parametrizations.weight.0.", ".weight.")
            found[name] = parameter.detach().to(torch.float16).contiguous()
    return found


@torch.no_grad()
def lower(model: Any, texts: Sequence[str]) -> Lower:
    encoder = model.encoder.model
    ids = model.encoder.tokenizer(list(texts), truncation=True, max_length=_LONGEST)["input_ids"]
    states: list[Tensor] = [torch.empty(0)] * len(texts)
    means = torch.empty(len(texts), BELOW, encoder.config.hidden_size)
    with bar("lower layers", total=sum(map(len, ids)), unit="tokens") as advance:
        for batch in batches([len(row) for row in ids], 8192):
            tokens, mask = _padded(
                [torch.tensor(ids[i]) for i in batch], model.encoder.tokenizer.pad_token_id
            )
            hidden = encoder.embeddings(tokens)
            share = (mask / mask.sum(1, keepdim=True)).unsqueeze(1)
            for depth in range(BELOW):
                means[batch, depth] = (share @ hidden).squeeze(1)
                hidden = encoder.encoder.layer[depth](hidden, _additive(mask))[0]
            for row, i in enumerate(batch):
                states[i] = hidden[row, : len(ids[i])].to(torch.float16)
            advance(sum(len(ids[i]) for i in batch))
    return Lower(states, means)


@torch.no_grad()
def halve(model: Any, first: Mapping[str, Tensor]) -> None:
    """Takes what was trained of the encoder, `first`, by half: between two models often lies one that is better at both of
    what they are good at (Wortsman et al. 2022, "Robust fine-tuning"). Nothing of the encoder is trained after that."""
    for name, parameter in model.named_parameters():
        if name.startswith("encoder") and parameter.requires_grad:
            key = name.replace(".parametrizations.weight.0.", ".weight.")
            if name.endswith(".B"):
                parameter.copy_(first[key].float() / 2)
            elif name.endswith(".A"):
                parameter.copy_(first[key].float())
            else:
                parameter.copy_((parameter + first[key].float()) / 2)


@torch.no_grad()
def whole(model: Any, below: Lower) -> Lower:
    """With the means of all layers."""
    lengths = [len(state) for state in below.states]
    means = torch.empty(len(lengths), model.encoder.num_layers, below.means.shape[2], dtype=torch.float16)
    with parametrize.cached(), bar("upper layers", total=sum(lengths), unit="tokens") as advance:
        for batch in batches(lengths, 8192):
            means[batch] = layers(model, below, batch, fast=True).transpose(0, 1).to(torch.float16)
            advance(sum(lengths[i] for i in batch))
    return Lower(below.states, means)


def embed(model: Any, below: Lower, texts: Sequence[int]) -> Tensor:
    """Sentence embeddings [texts, width] as COMET's own: layers mixed, then the mean over the tokens (the two commute)."""
    attention = model.layerwise_attention
    share = torch.softmax(torch.cat(list(attention.scalar_parameters)), 0) * attention.gamma
    if below.means.shape[1] == len(share):
        return torch.einsum("l,tlw->tw", share, below.means[texts].float())
    return torch.einsum("l,ltw->tw", share, layers(model, below, texts, model.training))


def layers(model: Any, below: Lower, texts: Sequence[int], fast: bool) -> Tensor:
    """[layers and one, texts, width]: means over the tokens of the embeddings and of each layer. `fast`: in bfloat16."""
    hidden, mask = _padded([below.states[i].float() for i in texts])
    mean = (mask / mask.sum(1, keepdim=True)).unsqueeze(1)
    additive = _additive(mask)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        upper = [(mean @ hidden).squeeze(1)]
        for layer in model.encoder.model.encoder.layer[BELOW:]:
            hidden = layer(hidden, additive)[0]
            upper.append((mean @ hidden).squeeze(1))
    return torch.cat([below.means[texts].transpose(0, 1), torch.stack([u.float() for u in upper])])


def batches(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Indices sorted by length, as many together as have `most` tokens with padding."""
    made: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if made and lengths[i] * (len(made[-1]) + 1) <= most:
            made[-1].append(i)
        else:
            made.append([i])
    return made


def _padded(rows: Sequence[Tensor], fill: float = 0) -> tuple[Tensor, Tensor]:
    padded = nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=fill)
    lengths = torch.tensor([len(row) for row in rows])
    return padded, (torch.arange(padded.shape[1])[None, :] < lengths[:, None]).float()


def _additive(mask: Tensor) -> Tensor:
    """[texts, 1, tokens, tokens]: 0 where a token may be looked at."""
    return ((1 - mask) * torch.finfo(torch.float32).min)[:, None, None, :].expand(-1, 1, mask.shape[1], -1)
