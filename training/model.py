"""The trainable parameters of a COMET model, and a forward pass that computes the lower layers once.

The lower half of the encoder never changes, so its output for every text is kept (float16, one row per
token). The matrices of the upper half get low-rank updates W + B A (Hu et al. 2021, LoRA). Its biases and
norms, the layer mix and the estimator are trained directly.

`model` is a comet.models.RegressionMetric everywhere; comet has no type annotations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bench.progress import bar

FROZEN_LAYERS = 6
"""The number of lower layers, out of twelve, that are not trained."""
RANK = 32
_MAX_TOKENS = 256  # of a text; the rest is not used in training
_BATCH_TOKENS = 8192  # with padding


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is kept of the encoder's output for all texts."""

    states: list[Tensor]
    """One per text: [tokens, width], after the last frozen layer; float16."""
    means: Tensor
    """[texts, layers, width]: the mean over the tokens, for the embeddings and each layer after them.

    `FROZEN_LAYERS` layers, or all of them if no layer is trained any more."""


class _LowRank(nn.Module):
    """W -> W + B A. B begins at zero, so training begins at W."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.A = nn.Parameter(torch.randn(RANK, columns) / columns**0.5)
        self.B = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.B @ self.A


def make_trainable(model: Any) -> None:
    """Add the low-rank updates, and freeze everything that is not trained."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.encoder.model.encoder.layer[FROZEN_LAYERS:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                parametrize.register_parametrization(module, "weight", _LowRank(module.weight))
                module.bias.requires_grad = True
            elif isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)
    model.estimator.requires_grad_(True)
    model.layerwise_attention.requires_grad_(True)


def trained_parameters(model: Any) -> dict[str, Tensor]:
    """The trained parameters in float16, as bench.scorers.comet_embedded.apply_trained reads them."""
    return {
        _saved_name(name): parameter.detach().to(torch.float16).contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def _saved_name(name: str) -> str:
    """The name of a parameter without what torch's parametrization adds to it."""
    return name.replace(".parametrizations.weight.0.", ".weight.")


@torch.no_grad()
def encode_frozen(model: Any, texts: Sequence[str]) -> Encoded:
    """Run all texts through the frozen layers."""
    encoder = model.encoder.model
    tokenizer = model.encoder.tokenizer
    ids = tokenizer(list(texts), truncation=True, max_length=_MAX_TOKENS)["input_ids"]
    states: list[Tensor] = [torch.empty(0)] * len(texts)
    means = torch.empty(len(texts), FROZEN_LAYERS, encoder.config.hidden_size)
    with bar("lower layers", total=sum(map(len, ids)), unit="tokens") as advance:
        for batch in batches([len(row) for row in ids]):
            tokens, mask = _padded([torch.tensor(ids[i]) for i in batch], tokenizer.pad_token_id)
            hidden = encoder.embeddings(tokens)
            averaging = (mask / mask.sum(1, keepdim=True)).unsqueeze(1)
            for depth in range(FROZEN_LAYERS):
                means[batch, depth] = (averaging @ hidden).squeeze(1)
                hidden = encoder.encoder.layer[depth](hidden, _attention_bias(mask))[0]
            for row, i in enumerate(batch):
                states[i] = hidden[row, : len(ids[i])].to(torch.float16)
            advance(sum(len(ids[i]) for i in batch))
    return Encoded(states, means)


@torch.no_grad()
def load_halfway(model: Any, trained: Mapping[str, Tensor]) -> None:
    """Set the encoder halfway between its untrained state in `model` and `trained`.

    A point between two models is often better than either (Wortsman et al. 2022, "Robust fine-tuning of
    zero-shot models"). The encoder is not trained after this.
    """
    for name, parameter in model.named_parameters():
        if name.startswith("encoder") and parameter.requires_grad:
            value = trained[_saved_name(name)].float()
            if name.endswith(".B"):
                parameter.copy_(value / 2)
            elif name.endswith(".A"):
                parameter.copy_(value)
            else:
                parameter.copy_((parameter + value) / 2)


@torch.no_grad()
def with_all_layers(model: Any, encoded: Encoded) -> Encoded:
    """`encoded` with the means of all layers, in float16."""
    lengths = [len(state) for state in encoded.states]
    means = torch.empty(len(lengths), model.encoder.num_layers, encoded.means.shape[2], dtype=torch.float16)
    with parametrize.cached(), bar("upper layers", total=sum(lengths), unit="tokens") as advance:
        for batch in batches(lengths):
            means[batch] = layer_means(model, encoded, batch, fast=True).transpose(0, 1).to(torch.float16)
            advance(sum(lengths[i] for i in batch))
    return Encoded(encoded.states, means)


def embed(model: Any, encoded: Encoded, texts: Sequence[int]) -> Tensor:
    """Sentence embeddings [texts, width] of the texts with these indices, equal to COMET's own.

    COMET mixes the layers and then takes the mean over the tokens. The order does not matter; here the mean
    comes first.
    """
    attention = model.layerwise_attention
    mix = torch.softmax(torch.cat(list(attention.scalar_parameters)), 0) * attention.gamma
    if encoded.means.shape[1] == len(mix):
        return torch.einsum("l,tlw->tw", mix, encoded.means[texts].float())
    return torch.einsum("l,ltw->tw", mix, layer_means(model, encoded, texts, model.training))


def layer_means(model: Any, encoded: Encoded, texts: Sequence[int], fast: bool) -> Tensor:
    """[layers + 1, texts, width]: token means of the embeddings and each layer. `fast`: in bfloat16."""
    hidden, mask = _padded([encoded.states[i].float() for i in texts])
    averaging = (mask / mask.sum(1, keepdim=True)).unsqueeze(1)
    attention_bias = _attention_bias(mask)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        upper = [(averaging @ hidden).squeeze(1)]
        for layer in model.encoder.model.encoder.layer[FROZEN_LAYERS:]:
            hidden = layer(hidden, attention_bias)[0]
            upper.append((averaging @ hidden).squeeze(1))
    return torch.cat([encoded.means[texts].transpose(0, 1), torch.stack([u.float() for u in upper])])


def batches(lengths: Sequence[int], max_tokens: int = _BATCH_TOKENS) -> list[list[int]]:
    """Indices of `lengths`, sorted by length, in batches of at most `max_tokens` with padding."""
    result: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if result and lengths[i] * (len(result[-1]) + 1) <= max_tokens:
            result[-1].append(i)
        else:
            result.append([i])
    return result


def _padded(rows: Sequence[Tensor], fill: float = 0) -> tuple[Tensor, Tensor]:
    """[rows, longest, …], and the mask [rows, longest]: 1.0 for a token, 0.0 for padding."""
    padded = nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=fill)
    lengths = torch.tensor([len(row) for row in rows])
    return padded, (torch.arange(padded.shape[1])[None, :] < lengths[:, None]).float()


def _attention_bias(mask: Tensor) -> Tensor:
    """[texts, 1, tokens, tokens], added to attention scores: 0 for a token, the least float for padding."""
    return ((1 - mask) * torch.finfo(torch.float32).min)[:, None, None, :].expand(-1, 1, mask.shape[1], -1)
