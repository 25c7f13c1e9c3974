"""Annotations -> scores of runs, judgements for meta-evaluation, and how far annotators agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from statistics import fmean

from bench.core import Score, Severity, Span, Task
from bench.errors import BenchError
from bench.human.annotations import Annotation
from bench.human.campaign import Campaign, Protocol, characters
from bench.human.export import run_keys
from bench.scoring.judgements import Judgement
from bench.store import Run

METRICS: Mapping[Protocol, str] = {"cESA": "human-esa", "MQM": "human-mqm"}
"""Protocol -> metric id."""
NAMES = {"human-esa": "human (ESA)", "human-mqm": "human (MQM)"}
"""Metric id -> column heading."""

_SEVERITIES: dict[str, Severity] = {"minor": "minor", "major": "major", "critical": "critical"}
_WEIGHTS = {"minor": 1.0, "major": 5.0, "critical": 25.0}
"""MQM points (Freitag et al. 2021, "Experts, Errors, and Context"); minor punctuation has 0.1. Critical stands for
their non-translation."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the annotators who judged the same translations."""

    translations: int
    """That two or more annotators judged."""
    alpha: float | None
    """Krippendorff's alpha for interval data: 1 if all agree, 0 if no more than by chance. None if nothing was judged
    twice, or all values are equal."""
    order: float | None
    """The share of pairs of systems on a segment that two annotators order alike; None if there is none."""


def value(annotation: Annotation, protocol: Protocol) -> float:
    """cESA: the score from 0 to 100. MQM: minus the points of the errors. Higher is better."""
    if protocol == "cESA":
        return annotation.score
    points = 0.0
    for span in annotation.spans:
        severity = (span.severity or "").lower()
        small = severity == "minor" and span.category == "Linguistic conventions/Punctuation"
        points += 0.1 if small else _WEIGHTS.get(severity, 0.0)
    return 0.0 - points


def scores(
    campaign: Campaign, annotations: Sequence[Annotation], task: Task, runs: Mapping[str, Run], source: str
) -> dict[str, Score]:
    """Run -> its score: the mean over segments of the mean over annotators. `source`: hash of the annotations.

    Segments that nobody judged have no value. Intervals are left to bench.scoring.units.
    """
    protocol, metric = campaign.info.protocol, METRICS[campaign.info.protocol]
    place = {id: index for index, id in enumerate(task.ids)}
    keys = run_keys(list(runs))
    by_cell: dict[tuple[str, int], list[Annotation]] = {}
    for annotation in annotations:
        if not annotation.item.is_check:
            cell = keys[annotation.system], place[annotation.item.item_id]
            by_cell.setdefault(cell, []).append(annotation)
    agreed = agreement(annotations, protocol)
    signature = "|".join(
        [
            metric,
            "tool:pearmut",
            f"protocol:{protocol}",
            f"campaign:{campaign.campaign_id}@{campaign.hash}",
            f"annotations:{source[:12]}",
            f"annotators:{len({a.annotator for a in annotations})}",
            f"judgements:{sum(map(len, by_cell.values()))}",
            f"sample:{campaign.bitext_bench.sample}",
            f"agreement:{describe(agreed)}",
        ]
    )
    result = {}
    for label, run in runs.items():
        cells = {index: group for (name, index), group in by_cell.items() if name == label}
        if not cells:
            continue
        texts = [hypothesis.text for hypothesis in run.hypotheses_of(task)]
        segments = [
            fmean(value(annotation, protocol) for annotation in cells[index]) if index in cells else None
            for index in range(len(task.ids))
        ]
        result[label] = Score(
            metric=NAMES[metric],
            value=fmean(number for number in segments if number is not None),
            interval=None,
            signature=signature,
            segments=tuple(segments),
            decimals=1 if protocol == "cESA" else 2,
            spans=tuple(_spans(texts[index], cells.get(index, [])) for index in range(len(texts))),
            unscored=tuple((i, "not judged") for i, number in enumerate(segments) if number is None),
        )
    return result


def judgements(
    campaign: Campaign, scores: Mapping[str, Score], task: Task, runs: Mapping[str, Run]
) -> list[Judgement]:
    """The mean judgement of each translation, for `bench meta-evaluate`."""
    return [
        Judgement(
            task.direction,
            label,
            id,
            segment.section if task.reference.outside else task.reference.id,
            source,
            hypothesis.text,
            reference,
            number,
        )
        for label, score in scores.items()
        for id, segment, source, hypothesis, reference, number in zip(
            task.ids,
            task.reference.segments,
            task.sources,
            runs[label].hypotheses_of(task),
            task.references,
            score.segments,
            strict=True,
        )
        if number is not None
    ]


def agreement(annotations: Sequence[Annotation], protocol: Protocol) -> Agreement:
    """Raises BenchError if translations were judged twice and krippendorff is not installed."""
    table: dict[tuple[str, str], dict[str, float]] = {}
    for annotation in annotations:
        if not annotation.item.is_check:
            cell = table.setdefault((annotation.item.item_id, annotation.system), {})
            cell[annotation.annotator] = value(annotation, protocol)
    double = {cell: values for cell, values in table.items() if len(values) > 1}
    if not double:
        return Agreement(0, None, None)
    return Agreement(len(double), _alpha(list(double.values())), _order(double))


def describe(agreement: Agreement) -> str:
    """For a signature and a note."""
    if not agreement.translations:
        return "not measured"
    parts = [f"alpha {agreement.alpha:.2f}"] if agreement.alpha is not None else []
    parts += [f"same order {agreement.order:.0%}"] if agreement.order is not None else []
    return f"{', '.join(parts) or 'all equal'} on {agreement.translations} translations"


def _alpha(values: Sequence[Mapping[str, float]]) -> float | None:
    try:
        import krippendorff
    except ImportError:
        raise BenchError(
            "Agreement of annotators needs the package krippendorff: pip install 'bitext-bench[human]'."
        ) from None
    import numpy as np

    annotators = sorted({name for cell in values for name in cell})
    table = np.array([[cell.get(name, np.nan) for cell in values] for name in annotators])
    if np.nanmax(table) == np.nanmin(table):
        return None
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="interval"))


def _order(cells: Mapping[tuple[str, str], Mapping[str, float]]) -> float | None:
    by_item: dict[str, list[Mapping[str, float]]] = {}
    for (item, _), values in cells.items():
        by_item.setdefault(item, []).append(values)
    same = []
    for systems in by_item.values():
        for a, b in combinations(systems, 2):
            for first, second in combinations(sorted(a.keys() & b.keys()), 2):
                same.append(_sign(a[first] - b[first]) == _sign(a[second] - b[second]))
    return fmean(same) if same else None


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _spans(text: str, annotations: Sequence[Annotation]) -> tuple[Span, ...]:
    """The errors that annotators marked in a text. Its confidence is the share of annotators it stands for."""
    return tuple(
        Span(*place, severity, 1 / len(annotations), span.category or "")
        for annotation in annotations
        for span in annotation.spans
        if (severity := _SEVERITIES.get((span.severity or "").lower())) and (place := characters(text, span))
    )


def source_hash(annotations: bytes) -> str:
    """SHA-256 of a file of annotations."""
    return sha256(annotations).hexdigest()
