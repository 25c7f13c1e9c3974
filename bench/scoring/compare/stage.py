"""The stage between scores and boards: paired tests of all systems of a task by every metric, kept in the
store.

Nothing is tested again while the runs, their scores and the settings stay the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import msgspec

from bench import limits
from bench.core import ReferenceSet, Score, Task, Test, digest
from bench.errors import BenchError
from bench.files import RESTORE
from bench.names import is_name
from bench.references.views import groups
from bench.scoring.compare import Comparisons, compare
from bench.store import Store

_VERSION = 2  # increase it when the tests give other results for the same scores
_UNITS = ("segment", "paragraph")
_OLD_NAMES = {"p": "p_sacrebleu", "p_holm": "p_adjusted", "detectable": "minimum_detectable_difference"}
"""Fields of comparison files before version 0.2, and their names today."""


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """`compare:` in the config. Raises BenchError for an unknown test or unit."""

    test: Test = "randomisation"
    unit: str = "segment"
    """What is swapped or resampled: "segment" or "paragraph"."""
    resamples: int | None = None
    """Trials of the randomisation test or resamples of the bootstrap; None for as many as the pairs need."""

    def __post_init__(self) -> None:
        if self.test not in get_args(Test):
            raise BenchError(
                f"Unknown test {self.test!r}: use compare.test=randomisation or compare.test=bootstrap."
            )
        if self.unit not in _UNITS:
            raise BenchError(
                f"Unknown unit {self.unit!r}: use compare.unit=segment or compare.unit=paragraph."
            )


def compare_runs(store: Store, task: Task, metrics: Sequence[str], settings: CompareSettings) -> None:
    """Compare all current runs of a task by each metric, unless that is done already."""
    runs = store.current_runs(task)
    paragraphs = _paragraphs(task.reference) if settings.unit == "paragraph" else None
    for metric in metrics:
        scores = {run.label: store.score(run, metric) for run in runs}
        inputs = [_VERSION, settings.test, settings.unit, settings.resamples, _score_inputs(scores)]
        settings_hash = digest(inputs)
        stored = store.comparisons(task, metric)
        if stored and stored.get("settings_hash") == settings_hash:
            continue
        if stored and stored.get("of") == settings_hash:  # a file of an older version: only its names change
            comparisons = read_comparisons(stored, metric)
        else:
            comparisons = compare(scores, settings.test, settings.resamples, paragraphs=paragraphs)
        store.write_comparisons(task, metric, {"settings_hash": settings_hash, **asdict(comparisons)})


def stored_comparisons(store: Store, task: Task, metrics: Sequence[str]) -> dict[str, Comparisons]:
    """Metric id -> the latest comparisons, which may cover fewer runs than the store has by now."""
    values = {metric: store.comparisons(task, metric) for metric in metrics}
    return {metric: read_comparisons(value, metric) for metric, value in values.items() if value}


def read_comparisons(value: Mapping[str, Any], metric: str) -> Comparisons:
    """Comparisons from their JSON, also from a file of an older version. Raises BenchError if it is damaged."""
    try:
        renamed = _renamed(value)
        comparisons = msgspec.convert(
            {**renamed, "pairs": [_renamed(pair) for pair in renamed["pairs"]]}, Comparisons
        )
        if fault := _fault(comparisons):
            raise msgspec.ValidationError(fault)
        return comparisons
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"comparisons/{metric}.json is damaged ({error}): {RESTORE}.") from None


def _fault(comparisons: Comparisons) -> str:
    """What is wrong with comparisons whose fields have the right types; "" if nothing is."""
    if not 1 <= comparisons.resamples <= limits.RESAMPLES:
        return f"resamples is not from 1 to {limits.RESAMPLES:,}"
    if not 0 <= comparisons.units <= limits.SEGMENTS:
        return f"units is not from 0 to {limits.SEGMENTS:,}"
    systems = {*comparisons.intervals, *comparisons.ranks, *comparisons.missing}
    if wrong := [label for label in systems if not is_name(label)]:
        return f"{wrong[0][:80]!r} cannot be a run"
    for pair in comparisons.pairs:
        if pair.a == pair.b or not {pair.a, pair.b} <= comparisons.intervals.keys():
            return f"it has no interval of {pair.a[:80]!r} or of {pair.b[:80]!r}, which it compares"
        shares = pair.p_sacrebleu, pair.p_adjusted, pair.agreement or 0.0
        if not all(0 <= share <= 1 for share in shares):
            return "a p-value or an agreement is not from 0 to 1"
        if max(map(abs, (pair.difference, *pair.interval))) > limits.LARGEST:
            return f"a difference is beyond {limits.LARGEST:,}"
    if any(not 1 <= rank <= limits.RUNS for rank in comparisons.ranks.values()):
        return f"a rank is not from 1 to {limits.RUNS:,}"
    return ""


def _renamed(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_OLD_NAMES.get(key, key): item for key, item in value.items()}


def _score_inputs(scores: Mapping[str, Score | None]) -> dict[str, object]:
    """Everything in the scores that a comparison depends on."""
    return {
        label: [score.value, score.signature, score.segments, score.statistics] if score else None
        for label, score in scores.items()
    }


def _paragraphs(reference: ReferenceSet) -> list[int]:
    """The number of each segment's paragraph, in the order of the set."""
    paragraphs = groups(reference, "paragraph").values()
    number = {segment.id: n for n, segments in enumerate(paragraphs) for segment in segments}
    return [number[segment.id] for segment in reference.segments]
