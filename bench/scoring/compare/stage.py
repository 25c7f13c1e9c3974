"""The stage between scores and boards: every two systems of a direction by every metric, kept in the store.

Nothing is tested again as long as the runs, their scores and the settings are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import store
from bench.core import ReferenceSet, Score, digest
from bench.errors import BenchError
from bench.languages import Direction
from bench.references.views import groups
from bench.scoring.compare import Comparison, Comparisons, Test, compare
from bench.translation.driver import is_current

_VERSION = 2  # count up when the tests give other results for the same scores
UNITS = ("segment", "paragraph")


def compare_runs(
    root: Path,
    reference: ReferenceSet,
    direction: Direction,
    metrics: Sequence[str],
    test: Test = "randomisation",
    unit: str = "segment",
    resamples: int | None = None,
) -> None:
    """Compares all runs of a direction that were made from this version of the set, where that is not done yet.

    `unit`: what is resampled, "segment" or "paragraph". Raises BenchError for settings that cannot be used.
    """
    if unit not in UNITS:
        raise BenchError(f"Unknown unit {unit!r}: use compare.unit=segment or compare.unit=paragraph.")
    runs = [run for run in store.runs(root, reference.id, direction) if is_current(run, reference)]
    paragraphs = _paragraphs(reference) if unit == "paragraph" else None
    for metric in metrics:
        scores = {run.label: store.read_score(run, metric) for run in runs}
        of = digest([_VERSION, test, unit, resamples, _told(scores)])
        there = store.read_comparisons(root, reference.id, direction, metric)
        if not there or there["of"] != of:
            found = compare(scores, test, resamples, paragraphs=paragraphs)
            store.write_comparisons(root, reference.id, direction, metric, {"of": of, **asdict(found)})


def stored(
    root: Path, reference: ReferenceSet, direction: Direction, metrics: Sequence[str]
) -> dict[str, Comparisons]:
    """Metric id -> what was compared last; which may be of fewer runs than the store has by now."""
    records = {m: store.read_comparisons(root, reference.id, direction, m) for m in metrics}
    return {metric: _read(record) for metric, record in records.items() if record}


def _read(record: Mapping[str, Any]) -> Comparisons:
    fields = {name: record[name] for name in Comparisons.__dataclass_fields__}
    pairs = (Comparison(**{**pair, "interval": tuple(pair["interval"])}) for pair in fields.pop("pairs"))
    intervals = {name: tuple(ends) for name, ends in fields.pop("intervals").items()}
    return Comparisons(
        **{**fields, "missing": tuple(fields["missing"])}, pairs=tuple(pairs), intervals=intervals
    )


def _told(scores: Mapping[str, Score | None]) -> dict[str, object]:
    """All that a comparison depends on."""
    return {
        name: [score.value, score.signature, score.segments, score.statistics] if score else None
        for name, score in scores.items()
    }


def _paragraphs(reference: ReferenceSet) -> list[int]:
    """Of each segment, the number of its paragraph."""
    number = {
        segment.id: n for n, parts in enumerate(groups(reference, "paragraph").values()) for segment in parts
    }
    return [number[segment.id] for segment in reference.segments]
