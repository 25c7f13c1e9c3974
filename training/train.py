"""Trains the upper half of the encoder, then a new estimator; reports the quality on the dev set."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import parametrize

from bench.checkpoints import e5
from bench.checkpoints.fetching import resolve
from bench.core import digest
from bench.progress import bar
from bench.scorers import comet_embedded
from training import data
from training.data import SEED, Candidate, Group, Split
from training.loss import DEVIATION, MEAN, group_loss
from training.model import (
    Encoded,
    embed,
    encode_frozen,
    layer_means,
    load_halfway,
    make_trainable,
    trained_parameters,
    with_all_layers,
)

BATCH_TOKENS = 6000


@dataclass(frozen=True)
class Stage:
    """What one stage of the training trains, and for how long."""

    epochs: int
    learning_rates: Mapping[str, float]
    """Beginning of parameter names -> learning rate. Other parameters stay as they are."""
    one_system_share: float
    """The share of the groups with one system that is used in an epoch."""


FIRST = Stage(3, {"estimator": 3e-4, "layerwise_attention": 5e-3, "encoder": 4e-4}, 0.2)
SECOND = Stage(6, {"estimator": 5e-4, "layerwise_attention": 1e-2}, 0.5)


@dataclass(frozen=True)
class Texts:
    """Every distinct text of the data, encoded once."""

    index: dict[str, int]
    """Text -> its index in `encoded`."""
    encoded: Encoded

    @classmethod
    def encode(cls, model: Any, groups: Sequence[Group], folder: Path) -> Texts:
        """Run all texts through the frozen layers, or load the result of an earlier start from `folder`."""
        texts = dict.fromkeys(text for group in groups for text in group.texts())
        index = {text: i for i, text in enumerate(texts)}
        path = folder / f"{digest(list(index))[:16]}.pt"
        if not path.is_file():
            encoded = encode_frozen(model, list(index))
            torch.save({"states": encoded.states, "means": encoded.means}, path)
        return cls(index, Encoded(**torch.load(path, weights_only=True)))

    def tokens(self, text: str) -> int:
        """The number of its tokens."""
        return len(self.encoded.states[self.index[text]])


def train(folder: Path, work: Path) -> None:
    """Train on the judgements in `folder`; write trained.safetensors and the held-out judgements (CSV) to
    `work`.

    In the first stage the encoder learns to see faults. Then it is set back halfway to its untrained state,
    and in the second stage a new estimator is trained on it: an encoder that knows the few thousand training
    segments by heart is worse at the level of new ones. README.md beside this file has the details.
    """
    from safetensors.torch import load_file, save_file

    from bench.scoring import judgements

    split = data.load(folder)
    work.mkdir(parents=True, exist_ok=True)
    for name, rows in split.held_out.items():
        judgements.write(work / f"{name}.held-out.csv.gz", rows)
    payload = e5.read(resolve(e5.PAYLOAD))
    (work / "encoder").mkdir(exist_ok=True)
    comet_embedded.save_encoder(payload, work / "encoder")
    model = _new_model(payload, work)
    texts = Texts.encode(model, [*split.train, *split.dev], work)
    hints = _hints(model, [*split.train, *split.dev], texts)

    first = work / "first.safetensors"
    if not first.is_file():
        _fit(model, FIRST, split, texts, hints)
        save_file(trained_parameters(model), first)
    model = _new_model(payload, work)
    load_halfway(model, load_file(first))
    texts = Texts(texts.index, with_all_layers(model, texts.encoded))
    _fit(model, SECOND, split, texts, hints)
    save_file(trained_parameters(model), work / "trained.safetensors")


def _new_model(payload: e5.Payload, work: Path) -> Any:
    """An untrained model, whose scores begin near the mean."""
    torch.manual_seed(SEED)
    model = comet_embedded.untrained(payload, work / "encoder")
    output_layer = model.estimator.ff[-1]
    with torch.no_grad():
        output_layer.weight *= DEVIATION
        output_layer.bias.fill_(MEAN)
    make_trainable(model)
    return model


def _fit(model: Any, stage: Stage, split: Split, texts: Texts, hints: Mapping[int, Tensor]) -> None:
    """Train the model in place. Prints one JSON line per epoch: loss, and `measure` on the dev set."""
    batches_by_epoch = [
        list(_batches(split.train, texts, stage.one_system_share, random.Random(SEED + epoch)))
        for epoch in range(1, stage.epochs + 1)
    ]
    parameters = {
        prefix: [p for name, p in model.named_parameters() if p.requires_grad and name.startswith(prefix)]
        for prefix in stage.learning_rates
    }
    optimizer = torch.optim.AdamW(
        [{"params": parameters[prefix], "lr": rate} for prefix, rate in stage.learning_rates.items()],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        list(stage.learning_rates.values()),
        total_steps=sum(map(len, batches_by_epoch)),
        pct_start=0.05,
        cycle_momentum=False,
    )
    all_parameters = [parameter for group in parameters.values() for parameter in group]
    for epoch, batches in enumerate(batches_by_epoch, 1):
        model.train()
        model.encoder.eval()  # no dropout in the encoder: on a CPU it takes half of the time
        losses = []
        with bar(f"epoch {epoch} of {stage.epochs}", total=len(batches), unit="batches") as advance:
            for batch in batches:
                with parametrize.cached():
                    group_losses = [
                        group_loss(scores, group.candidates, hints[id(group)])
                        for group, scores in zip(batch, _scores(model, batch, texts), strict=True)
                    ]
                loss = torch.stack(group_losses).mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(all_parameters, 1.0)
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                advance(1)
        report = {
            "epoch": epoch,
            "loss": round(sum(losses) / len(losses), 3),
            **measure(model, split.dev, texts),
        }
        print(json.dumps(report), flush=True)


@torch.no_grad()
def _hints(model: Any, groups: Sequence[Group], texts: Texts) -> dict[int, Tensor]:
    """id(group) -> [candidates]: how similar each judged candidate is to the reference, 0 for the other
    candidates.

    It is a weighted mean of chrF (weight 2), the cosine of the untrained encoder's sentence embeddings (1)
    and the F1 of matching tokens (1), in standard deviations of the group. A constant in the denominator
    keeps tiny differences tiny.
    """
    hints = {}
    mean_state = torch.cat(texts.encoded.states[::50]).float().mean(0)
    with bar("likeness", total=len(groups), unit="groups") as advance:
        for group in groups:
            judged = [i for i, c in enumerate(group.candidates) if c.human is not None]
            hint = torch.zeros(len(group.candidates))
            if len(judged) > 1:
                rows = [
                    texts.index[t] for t in (group.reference, *(group.candidates[i].text for i in judged))
                ]
                sentences = functional.normalize(layer_means(model, texts.encoded, rows, fast=True)[-1])
                reference, *hypotheses = (
                    functional.normalize(texts.encoded.states[row][1:-1].float() - mean_state) for row in rows
                )
                token_f1 = torch.tensor([_token_f1(tokens, reference) for tokens in hypotheses])
                similarities = (
                    (2.0, _chrf(group)[judged], 5.0),
                    (1.0, sentences[1:] @ sentences[0], 0.01),
                    (1.0, token_f1, 0.01),
                )
                for weight, values, constant in similarities:
                    hint[judged] += weight / 3.2 * (values - values.mean()) / (values.std() + constant)
            hints[id(group)] = hint
            advance(1)
    return hints


def _token_f1(tokens: Tensor, reference: Tensor) -> float:
    """F1 of greedy matching: each token [tokens, width] with the most similar one of the other text.

    Zhang et al. 2020, BERTScore.
    """
    if not len(tokens) or not len(reference):
        return 0.0
    similarity = tokens @ reference.T
    precision, recall = similarity.max(1).values.mean(), similarity.max(0).values.mean()
    return float(2 * precision * recall / (precision + recall))


def _chrf(group: Group) -> Tensor:
    """[candidates]: sentence chrF of the judged candidates, 0 for the others."""
    from sacrebleu.metrics import CHRF

    metric = CHRF()
    return torch.tensor(
        [
            metric.sentence_score(c.text, [group.reference]).score if c.human is not None else 0.0
            for c in group.candidates
        ]
    )


def _batches(
    groups: Sequence[Group], texts: Texts, one_system_share: float, rng: random.Random
) -> list[list[Group]]:
    """Groups of similar length in batches of about BATCH_TOKENS, in random order."""
    chosen = [
        group
        for group in groups
        if sum(c.human is not None for c in group.candidates) > 1 or rng.random() < one_system_share
    ]
    lengths = {id(g): max(map(texts.tokens, (g.source, g.reference))) for g in chosen}
    chosen.sort(key=lambda group: lengths[id(group)] * rng.uniform(0.85, 1.15))
    result: list[list[Group]] = []
    room = 0
    for group in chosen:
        size = sum(map(texts.tokens, set(group.texts())))
        if size > room:
            result.append([])
            room = BATCH_TOKENS
        result[-1].append(group)
        room -= size
    rng.shuffle(result)
    return result


def _scores(model: Any, groups: Sequence[Group], texts: Texts) -> list[Tensor]:
    """The scores of each group's candidates. The texts pass the encoder in four batches by length."""
    states = texts.encoded.states
    indices = sorted(
        {texts.index[t] for group in groups for t in group.texts()}, key=lambda i: len(states[i])
    )
    size = (len(indices) + 3) // 4
    embeddings = torch.cat(
        [embed(model, texts.encoded, indices[begin : begin + size]) for begin in range(0, len(indices), size)]
    )
    row_of = {i: row for row, i in enumerate(indices)}
    scores = []
    for group in groups:
        hypotheses = embeddings[[row_of[texts.index[c.text]] for c in group.candidates]]
        source = embeddings[row_of[texts.index[group.source]]].expand_as(hypotheses)
        reference = embeddings[row_of[texts.index[group.reference]]].expand_as(hypotheses)
        scores.append(model.estimate(source, hypotheses, reference).score)
    return scores


@torch.no_grad()
def measure(model: Any, groups: Sequence[Group], texts: Texts) -> dict[str, Any]:
    """Mean tau-b within segments (model, chrF) by language pair, and the share of faults seen by kind."""
    model.eval()
    taus: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seen: dict[str, list[bool]] = defaultdict(list)
    for group in groups:
        values = _scores(model, [group], texts)[0].tolist()
        judged = [i for i, c in enumerate(group.candidates) if c.human is not None]
        human = [group.candidates[i].human for i in judged]
        if len(set(human)) > 1:
            chrf = _chrf(group).tolist()
            taus[group.pair].append(
                (_tau_b(human, [values[i] for i in judged]), _tau_b(human, [chrf[i] for i in judged]))
            )
        for value, candidate in zip(values, group.candidates, strict=True):
            is_seen = _is_seen(value, candidate, values, judged)
            if is_seen is not None:
                seen[candidate.fault].append(is_seen)
    means = {
        pair: [sum(column) / len(column) for column in zip(*rows, strict=True)] for pair, rows in taus.items()
    }
    return {"tau within (model, chrF)": means, "seen": {k: sum(v) / len(v) for k, v in sorted(seen.items())}}


def _tau_b(human: Sequence[float | None], scores: Sequence[float]) -> float:
    """Kendall's tau-b; 0.0 where it is undefined (all scores are equal)."""
    from scipy.stats import kendalltau

    value = float(kendalltau(human, scores).statistic)
    return 0.0 if math.isnan(value) else value


def _is_seen(
    value: float, candidate: Candidate, values: Sequence[float], judged: Sequence[int]
) -> bool | None:
    """Whether a faulty text scores below its base, or a degenerate one below all judged; else None."""
    if candidate.base is not None:
        return value < values[candidate.base]
    if candidate.fault and judged:
        return value < min(values[i] for i in judged)
    return None
