"""Trains the upper half of the encoder, then the estimator on it, and says how far it gets on the dev part."""

from __future__ import annotations

import json
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
from training.data import SEED, Candidate, Group
from training.loss import DEVIATION, MEAN, group_loss
from training.model import Lower, embed, halve, layers, lower, open_up, trained, whole

BATCH_TOKENS = 6000


@dataclass(frozen=True)
class Stage:
    epochs: int
    rates: Mapping[str, float]
    """The learning rate of the parameters whose names begin so; the others stay as they are."""
    few: float
    """Of the groups with one system, those that are seen in an epoch."""


FIRST = Stage(3, {"estimator": 3e-4, "layerwise_attention": 5e-3, "encoder": 4e-4}, 0.2)
SECOND = Stage(6, {"estimator": 5e-4, "layerwise_attention": 1e-2}, 0.5)


@dataclass(frozen=True)
class Texts:
    """Every distinct text once."""

    index: dict[str, int]
    below: Lower

    @classmethod
    def of(cls, model: Any, groups: Sequence[Group], kept: Path) -> Texts:
        """What the lower layers make of all texts is kept for the next start."""
        index = {
            text: i for i, text in enumerate(dict.fromkeys(t for group in groups for t in group.texts()))
        }
        path = kept / f"{digest(list(index))[:16]}.pt"
        if not path.is_file():
            below = lower(model, list(index))
            torch.save({"states": below.states, "means": below.means}, path)
        return cls(index, Lower(**torch.load(path, weights_only=True)))

    def length(self, text: str) -> int:
        return len(self.below.states[self.index[text]])


def train(folder: Path, work: Path) -> None:
    """`folder`: the judgements. Writes `work`/trained.safetensors, and the held-out judgements as CSV.

    The encoder learns to see faults; then it is taken back half-way, and a new estimator learns on what it has become, since
    the level of a segment is best told from an encoder that has not learned these few thousand by heart.
    """
    from safetensors.torch import load_file, save_file

    from bench.scoring import judgements

    parts = data.load(folder)
    work.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.held_out.items():
        judgements.write(work / f"{name}.held-out.csv.gz", rows)
    payload = e5.read(resolve(e5.PAYLOAD))
    (work / "encoder").mkdir(exist_ok=True)
    comet_embedded.save_encoder(payload, work / "encoder")
    model = _new(payload, work)
    texts = Texts.of(model, [*parts.train, *parts.dev], work)
    hints = _hints(model, [*parts.train, *parts.dev], texts)

    first = work / "first.safetensors"
    if not first.is_file():
        _fit(model, FIRST, parts, texts, hints)
        save_file(trained(model), first)
    model = _new(payload, work)
    halve(model, load_file(first))
    texts = Texts(texts.index, whole(model, texts.below))
    _fit(model, SECOND, parts, texts, hints)
    save_file(trained(model), work / "trained.safetensors")


def _new(payload: e5.Payload, work: Path) -> Any:
    """An untrained model that can be trained."""
    torch.manual_seed(SEED)
    model = comet_embedded.untrained(payload, work / "encoder")
    last = model.estimator.ff[-1]
    with torch.no_grad():
        last.weight *= DEVIATION
        last.bias.fill_(MEAN)
    open_up(model)
    return model


def _fit(model: Any, stage: Stage, parts: data.Parts, texts: Texts, hints: Mapping[int, Tensor]) -> None:
    steps = [
        list(_batches(parts.train, texts, stage.few, random.Random(SEED + epoch)))
        for epoch in range(1, stage.epochs + 1)
    ]
    groups = [
        {
            "params": [p for n, p in model.named_parameters() if p.requires_grad and n.startswith(part)],
            "lr": rate,
        }
        for part, rate in stage.rates.items()
    ]
    learning = [parameter for group in groups for parameter in group["params"]]  # type: ignore[attr-defined]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        list(stage.rates.values()),
        total_steps=sum(map(len, steps)),
        pct_start=0.05,
        cycle_momentum=False,
    )
    for epoch, batches in enumerate(steps, 1):
        model.train()
        model.encoder.eval()  # no dropout there: on a CPU it takes half of the time
        losses = []
        with bar(f"epoch {epoch} of {stage.epochs}", total=len(batches), unit="batches") as advance:
            for batch in batches:
                with parametrize.cached():
                    scored = zip(batch, _scores(model, batch, texts), strict=True)
                    losses_of = [group_loss(scores, g.candidates, hints[id(g)]) for g, scores in scored]
                loss = torch.stack(losses_of).mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(learning, 1.0)
                optimizer.step()
                schedule.step()
                losses.append(float(loss))
                advance(1)
        told = {
            "epoch": epoch,
            "loss": round(sum(losses) / len(losses), 3),
            **measure(model, parts.dev, texts),
        }
        print(json.dumps(told), flush=True)


@torch.no_grad()
def _hints(model: Any, groups: Sequence[Group], texts: Texts) -> dict[int, Tensor]:
    """For each group how like its reference every judged candidate is, in standard deviations of the group (what hardly
    differs is not blown up): chrF, and half as much each the untrained encoder's cosine and how well the tokens match."""
    hints = {}
    middle = torch.cat(texts.below.states[::50]).float().mean(0)
    with bar("likeness", total=len(groups), unit="groups") as advance:
        for group in groups:
            judged = [i for i, c in enumerate(group.candidates) if c.human is not None]
            hint = torch.zeros(len(group.candidates))
            if len(judged) > 1:
                rows = [
                    texts.index[t] for t in (group.reference, *(group.candidates[i].text for i in judged))
                ]
                last = functional.normalize(layers(model, texts.below, rows, fast=True)[-1])
                reference, *tokens = (
                    functional.normalize(texts.below.states[row][1:-1].float() - middle) for row in rows
                )
                likeness = (
                    (2.0, _chrf(group)[judged], 5.0),
                    (1.0, last[1:] @ last[0], 0.01),
                    (1.0, torch.tensor([_matched(each, reference) for each in tokens]), 0.01),
                )
                for weight, values, least in likeness:
                    hint[judged] += weight / 3.2 * (values - values.mean()) / (values.std() + least)
            hints[id(group)] = hint
            advance(1)
    return hints


def _matched(tokens: Tensor, reference: Tensor) -> float:
    """F1 of greedy matching, each token [width] with the one most like it in the other text (Zhang et al. 2020, BERTScore)."""
    if not len(tokens) or not len(reference):
        return 0.0
    like = tokens @ reference.T
    precision, recall = like.max(1).values.mean(), like.max(0).values.mean()
    return float(2 * precision * recall / (precision + recall))


def _chrf(group: Group) -> Tensor:
    from sacrebleu.metrics import CHRF

    metric = CHRF()
    return torch.tensor(
        [
            metric.sentence_score(c.text, [group.reference]).score if c.human is not None else 0.0
            for c in group.candidates
        ]
    )


def _batches(groups: Sequence[Group], texts: Texts, few: float, chance: random.Random) -> list[list[Group]]:
    """Groups of like length together, in batches of about BATCH_TOKENS, in random order."""
    chosen = [
        group
        for group in groups
        if sum(c.human is not None for c in group.candidates) > 1 or chance.random() < few
    ]
    lengths = {id(g): max(map(texts.length, (g.source, g.reference))) for g in chosen}
    chosen.sort(key=lambda group: lengths[id(group)] * chance.uniform(0.85, 1.15))
    made: list[list[Group]] = []
    room = 0
    for group in chosen:
        size = sum(map(texts.length, set(group.texts())))
        if size > room:
            made.append([])
            room = BATCH_TOKENS
        made[-1].append(group)
        room -= size
    chance.shuffle(made)
    return made


def _scores(model: Any, groups: Sequence[Group], texts: Texts) -> list[Tensor]:
    """Scores of every group's candidates. Texts of like length go through the encoder together."""
    wanted = sorted(
        {texts.index[t] for group in groups for t in group.texts()}, key=lambda i: len(texts.below.states[i])
    )
    cut = (len(wanted) + 3) // 4
    embedded = torch.cat(
        [embed(model, texts.below, wanted[at : at + cut]) for at in range(0, len(wanted), cut)]
    )
    row = {i: n for n, i in enumerate(wanted)}
    scores = []
    for group in groups:
        hypotheses = embedded[[row[texts.index[c.text]] for c in group.candidates]]
        source, reference = (
            embedded[row[texts.index[group.source]]],
            embedded[row[texts.index[group.reference]]],
        )
        scores.append(
            model.estimate(source.expand_as(hypotheses), hypotheses, reference.expand_as(hypotheses)).score
        )
    return scores


@torch.no_grad()
def measure(model: Any, groups: Sequence[Group], texts: Texts) -> dict[str, Any]:
    """On the dev part: mean within-segment tau-b of the model and of chrF, and how often a fault is seen, by kind."""
    from scipy.stats import kendalltau

    model.eval()
    taus: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seen: dict[str, list[bool]] = defaultdict(list)
    for group in groups:
        (scores,) = _scores(model, [group], texts)
        values = scores.tolist()
        judged = [i for i, c in enumerate(group.candidates) if c.human is not None]
        human = [group.candidates[i].human for i in judged]
        if len(set(human)) > 1:
            chrf = _chrf(group).tolist()
            pairs = [kendalltau(human, [v[i] for i in judged]).statistic for v in (values, chrf)]
            taus[group.pair].append(tuple(0.0 if value != value else value for value in pairs))  # type: ignore[arg-type]
        for value, candidate in zip(values, group.candidates, strict=True):
            seen_as = _seen(value, candidate, values, judged)
            if seen_as is not None:
                seen[candidate.fault].append(seen_as)
    means = {
        pair: [sum(column) / len(column) for column in zip(*rows, strict=True)] for pair, rows in taus.items()
    }
    return {"tau within (model, chrF)": means, "seen": {k: sum(v) / len(v) for k, v in sorted(seen.items())}}


def _seen(value: float, candidate: Candidate, values: Sequence[float], judged: Sequence[int]) -> bool | None:
    if candidate.base is not None:
        return value < values[candidate.base]
    if candidate.fault and judged:
        return value < min(values[i] for i in judged)
    return None
