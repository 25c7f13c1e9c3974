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
from bench.core import Score, Task, Test, digest
from bench.errors import BenchError
from bench.files import RESTORE
from bench.names import is_name
from bench.scoring.compare import Comparisons, compare
from bench.scoring.units import UNIT_NAMES, UnitName, units
from bench.store import Store

_VERSION = 4  # increase it when the tests give other results for the same scores


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """`compare:` in the config. Raises BenchError for an unknown test or unit."""

    test: Test = "randomisation"
    unit: UnitName | None = None
    """What is swapped or resampled as a whole; None for what suits the set (bench.scoring.units)."""
    trials: int | None = None
    """Trials of the randomisation test or resamples of the bootstrap; None for as many as the pairs need."""

    def __post_init__(self) -> None:
        if self.test not in get_args(Test):
            raise BenchError(
                f"Unknown test {self.test!r}: use compare.test=randomisation or compare.test=bootstrap."
            )
        if self.unit is not None and self.unit not in UNIT_NAMES:
            raise BenchError(
                f"Unknown unit {self.unit!r}: use compare.unit={', compare.unit='.join(UNIT_NAMES)} or null."
            )


def compare_runs(store: Store, task: Task, metrics: Sequence[str], settings: CompareSettings) -> None:
    """Compare all current runs of a task by each metric, unless that is done already."""
    runs = store.current_runs(task)
    chosen = units(task.reference, settings.unit)
    controls = [run.label for run in runs if run.record.system.control]
    for metric in metrics:
        scores = {run.label: store.score(run, metric) for run in runs}
        inputs = [
            _VERSION,
            settings.test,
            chosen.name,
            chosen.index,
            settings.trials,
            controls,
            _score_inputs(scores),
        ]
        settings_hash = digest(inputs)
        stored = store.comparisons(task, metric)
        if stored and stored.get("settings_hash") == settings_hash:
            continue
        comparisons = compare(scores, settings.test, settings.trials, units=chosen, controls=controls)
        store.write_comparisons(task, metric, {"settings_hash": settings_hash, **asdict(comparisons)})


def stored_comparisons(store: Store, task: Task, metrics: Sequence[str]) -> dict[str, Comparisons]:
    """Metric id -> the latest comparisons, which may cover fewer runs than the store has by now. Those of an
    older version are left out: they are made again when the boards are."""
    values = {metric: store.comparisons(task, metric) for metric in metrics}
    return {
        metric: read_comparisons(value, metric)
        for metric, value in values.items()
        if value and not is_older(value)
    }


def is_older(value: Mapping[str, Any]) -> bool:
    """Whether comparisons are from before version 0.3, which tested other units and ranked in another way."""
    return "intervals" in value


def read_comparisons(value: Mapping[str, Any], metric: str) -> Comparisons:
    """Comparisons from their JSON. Raises BenchError if it is damaged."""
    try:
        comparisons = msgspec.convert(dict(value), Comparisons)
        if fault := _fault(comparisons):
            raise msgspec.ValidationError(fault)
        return comparisons
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"comparisons/{metric}.json is damaged ({error}): {RESTORE}.") from None


def _fault(comparisons: Comparisons) -> str:
    """What is wrong with comparisons whose fields have the right types; "" if nothing is."""
    if not 1 <= comparisons.trials <= limits.RESAMPLES:
        return f"trials is not from 1 to {limits.RESAMPLES:,}"
    if not 0 <= comparisons.units <= limits.SEGMENTS:
        return f"units is not from 0 to {limits.SEGMENTS:,}"
    compared = {label for pair in comparisons.pairs for label in (pair.a, pair.b)}
    systems = {*compared, *comparisons.ranks, *comparisons.missing}
    if wrong := [label for label in systems if not is_name(label)]:
        return f"{wrong[0][:80]!r} cannot be a run"
    for pair in comparisons.pairs:
        if pair.a == pair.b:
            return f"it compares {pair.a[:80]!r} with itself"
        shares = pair.p_sacrebleu, pair.p_adjusted, pair.agreement or 0.0
        if not all(0 <= share <= 1 for share in shares):
            return "a p-value or an agreement is not from 0 to 1"
        numbers = (
            pair.difference,
            *(pair.interval or ()),
            pair.minimum_detectable_difference or 0.0,
        )
        if max(map(abs, numbers)) > limits.LARGEST:
            return f"a difference is beyond {limits.LARGEST:,}"
    if any(not 1 <= best <= worst <= limits.RUNS for best, worst in comparisons.ranks.values()):
        return f"a range of ranks is not from 1 to {limits.RUNS:,}"
    return ""


def _score_inputs(scores: Mapping[str, Score | None]) -> dict[str, object]:
    """Everything in the scores that a comparison depends on."""
    return {
        label: [score.value, score.signature, score.segments, score.statistics] if score else None
        for label, score in scores.items()
    }
