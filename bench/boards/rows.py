"""Rows from runs: what the store holds on one task, sorted, with what is missing and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bench.boards.settings import display_names
from bench.core import ReferenceSet, Score, Task
from bench.languages import Direction
from bench.records import RunRecord
from bench.scoring.compare import Comparisons, cluster_ends
from bench.scoring.compare.stage import stored_comparisons
from bench.store import Run, Store

_MAX_STATISTICS = 100_000
"""Runs x metrics x segments of a board whose scores keep their statistics: some 100 MB."""


@dataclass(frozen=True, slots=True)
class Row:
    system: str
    """The name to show: the system's, with what differs if the store holds several settings under one name."""
    stored_run: Run
    folder: str
    """The run's folder, relative to the leaderboard's files."""
    scores: Mapping[str, Score | None]
    """Metric id -> score; None is shown as missing, never as zero. A large board keeps no statistics."""
    ranks: Mapping[str, tuple[int, int]]
    """Metric id -> best and worst possible rank, if the systems were compared by this metric (bench.scoring.compare).
    Controls have none."""

    @property
    def run(self) -> RunRecord:
        return self.stored_run.record

    @property
    def document(self) -> Mapping[str, Any]:
        """run.json as it was read."""
        return self.stored_run.document

    @property
    def label(self) -> str:
        """The run's label: unique on a board."""
        return PurePosixPath(self.folder).name

    @property
    def control(self) -> bool:
        return self.run.system.control


@dataclass(frozen=True, slots=True)
class Columns:
    """The metrics of a board."""

    metrics: Sequence[str]
    primary: str
    """The metric id by which rows are sorted. Sorted is not ranked: there is no rank without a paired test."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Metric id -> why it could not be computed now."""


@dataclass(frozen=True, slots=True)
class Board:
    task: Task
    columns: Columns
    comparisons: Mapping[str, Comparisons]
    """Metric id -> paired tests of all systems, by the labels of their runs."""
    rows: Sequence[Row]
    missing: Mapping[str, str]
    """Label of a requested run -> why it has no row."""
    has_statistics: bool = False
    """Whether scores have the statistics of their segments."""

    @property
    def reference(self) -> ReferenceSet:
        return self.task.reference

    @property
    def direction(self) -> Direction:
        return self.task.direction

    @property
    def metrics(self) -> Sequence[str]:
        return self.columns.metrics

    @property
    def primary(self) -> str:
        return self.columns.primary

    @property
    def cluster_ends(self) -> list[int]:
        """After how many ranked rows a cluster ends, by the primary metric."""
        tests = self.comparisons.get(self.primary)
        ranked = [row.label for row in self.rows if self.primary in row.ranks]
        significant = {(pair.a, pair.b) for pair in tests.pairs if pair.significant} if tests else set()
        return cluster_ends(ranked, significant)

    @property
    def gaps(self) -> Mapping[str, str]:
        return self.columns.gaps


def build_board(store: Store, task: Task, columns: Columns, requested: Collection[str] = ()) -> Board:
    """All current runs of a task. `requested`: labels of runs that should be there; if one is not, the board
    says why."""
    runs = store.current_runs(task)
    comparisons = stored_comparisons(store, task, columns.metrics)
    names = display_names(runs)
    set_folder = store.set_folder(task.reference.id)
    small = len(runs) * len(columns.metrics) * len(task.ids) <= _MAX_STATISTICS
    rows = [
        Row(
            system=names[run.label],
            stored_run=run,
            folder=_relative(run.folder, set_folder),
            scores={
                metric: score if small else _without_statistics(score)
                for metric in columns.metrics
                for score in [store.score(run, metric)]
            },
            ranks={m: c.ranks[run.label] for m, c in comparisons.items() if run.label in c.ranks},
        )
        for run in runs
    ]
    reasons = store.failures(task)
    complete = {run.label for run in runs}
    missing = {label: reasons.get(label, "has not run") for label in requested if label not in complete}
    rows.sort(key=lambda row: _sort_key(row, columns.primary))
    return Board(task, columns, comparisons, rows, missing, small)


def _relative(folder: Path, set_folder: Path) -> str:
    return folder.relative_to(set_folder).as_posix()


def _without_statistics(score: Score | None) -> Score | None:
    return replace(score, statistics=()) if score else None


def _sort_key(row: Row, primary: str) -> tuple[float, str]:
    score = row.scores.get(primary)
    if score is None:
        return float("inf"), row.system
    return -score.gain(0, score.value), row.system
