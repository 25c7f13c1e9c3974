"""Rows from runs: what the store holds on one direction, sorted, with what is missing and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bench import store
from bench.core import ReferenceSet, Score
from bench.languages import Direction
from bench.scoring.compare import Comparisons
from bench.scoring.compare.stage import stored
from bench.translation.driver import is_current


@dataclass(frozen=True, slots=True)
class Row:
    system: str
    """The system's name; with the beginning of its identity where the store holds two settings under one name."""
    run: Mapping[str, Any]
    """run.json."""
    folder: str
    """Where the run lies, relative to the leaderboard's files."""
    scores: Mapping[str, Score | None]
    """Metric id -> score; None is shown as missing, never as zero. Without statistics: a board may be of thousands of runs."""
    ranks: Mapping[str, int]
    """Metric id -> rank, where systems were compared by it (bench.scoring.compare)."""

    @property
    def label(self) -> str:
        """The run's."""
        return PurePosixPath(self.folder).name

    @property
    def control(self) -> bool:
        return bool(self.run["system"].get("control"))


@dataclass(frozen=True, slots=True)
class Board:
    reference: ReferenceSet
    direction: Direction
    metrics: Sequence[str]
    primary: str
    """The metric id by which rows are sorted. Sorted is not ranked: no rank without a paired test."""
    comparisons: Mapping[str, Comparisons]
    """Metric id -> every two systems, by the labels of their runs."""
    rows: Sequence[Row]
    missing: Mapping[str, str]
    """Label of a run that was wanted -> why it has no row."""
    gaps: Mapping[str, str]
    """Metric id -> why it could not be computed now."""


def build_board(
    root: Path,
    reference: ReferenceSet,
    direction: Direction,
    metrics: Sequence[str],
    primary: str,
    wanted: Collection[str] = (),
    gaps: Mapping[str, str] | None = None,
) -> Board:
    """All runs of the store that were made from this version of the set. `wanted`: labels of runs that should be there;
    where one is not, the board says why. `gaps`: metrics that could not be computed, and why."""
    runs = store.runs(root, reference.id, direction)
    current = [run for run in runs if is_current(run, reference)]
    comparisons = stored(root, reference, direction, metrics)
    names = Counter(run.system for run in current)
    rows = [
        Row(
            system=run.system if names[run.system] == 1 else run.label,
            run=run.record,
            folder=str(run.folder.relative_to(root / reference.id)),
            scores={metric: _shown(store.read_score(run, metric)) for metric in metrics},
            ranks={m: c.ranks[run.label] for m, c in comparisons.items() if run.label in c.ranks},
        )
        for run in current
    ]
    reasons = store.failures(root, reference.id, direction)
    there = {run.label for run in current}
    missing = {label: reasons.get(label, "has not run") for label in wanted if label not in there}
    ordered = sorted(rows, key=lambda row: _order(row, primary))
    return Board(reference, direction, metrics, primary, comparisons, ordered, missing, gaps or {})


def _shown(score: Score | None) -> Score | None:
    return replace(score, statistics=()) if score else None


def _order(row: Row, primary: str) -> tuple[float, str]:
    score = row.scores.get(primary)
    if score is None:
        return float("inf"), row.system
    return (-score.value if score.higher_is_better else score.value), row.system
