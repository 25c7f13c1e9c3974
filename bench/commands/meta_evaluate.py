"""How well metrics agree with human judgements of the same translations.

Six questions, because a metric can be good at one and useless at another:

- pooled tau-b (Kendall 1945) and pooled Pearson r, over all judged translations of a file at once. They also
  reward a metric for knowing which *source* is hard, which says nothing about systems.
- within-segment tau-b: which of these systems translated this sentence better? Tau-b of each segment over its
  systems, then the mean over segments. A segment with a single judgement, or whose judgements are all equal,
  is left out. If judgements differ and the metric gives one score to all, the segment counts as 0. Other ties
  are tau-b's: a pair tied on either side is neither right nor wrong, and shortens the norm of that side.
- acc_eq: the same question as WMT's metrics task asks it since 2023, with ties calibrated; and soft pairwise accuracy:
  the question of system accuracy as it asks it since 2024, where judges and metric need not be sure
  (bench.scoring.meta_metrics).
- system accuracy: the share of all pairs of systems that the metric orders like the judgements (Kocmi et al.
  2021, "To Ship or Not to Ship"). A system's human score is the mean of its judgements; its metric score is
  the scorer's score of all its translations, as on a board. Pairs with equal human scores are left out; a
  pair that only the metric scores as equal counts as wrong. Systems that were judged on different segments
  are not compared.

Each figure has a 95 % percentile bootstrap interval over segments (bench.scoring.intervals): a segment is
drawn with all its judgements. In a resample, a system's metric score is that of its translations together,
computed from the statistics of their segments, as on a board. Soft pairwise accuracy, which is slow, has fewer
resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np

from bench import progress
from bench.core import Scorer
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.references.parallel import parallel_task
from bench.scoring import units
from bench.scoring.compare.agreement import agreement as human_agreement
from bench.scoring.formulas import Formula, compared_formula
from bench.scoring.intervals import draw, percentile_interval
from bench.scoring.judgements import Judgement
from bench.scoring.meta_metrics import Ties, permutation_signs, soft_pairwise_accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 1000
SOFT_RESAMPLES = 200
"""Of soft pairwise accuracy, each of which is a permutation test of all pairs."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its 95 % interval, which is None for a single segment."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Row:
    """One metric. A figure is None if the judgements do not determine it: one system has no system order."""

    metric: str
    signature: str
    pooled: Figure | None
    pearson: Figure | None
    within: Figure | None
    systems: Figure | None
    ties: Figure | None
    threshold: float | None
    """By how much the metric's scores of two translations may differ to be called equal, for `ties`."""
    soft: Figure | None
    promised: float | None = None
    """The share of these pairs of systems that boards would say human judges agree with, from the pairs'
    differences (bench.scoring.compare.agreement); None for a metric that was not studied."""


@dataclass(frozen=True, slots=True)
class Table:
    """All metrics on one direction of one file."""

    name: str
    direction: Direction
    segments: int
    judgements: int
    systems: int
    ordered_segments: int
    """Number of segments that `Row.within` is the mean of."""
    pairs: int
    """Number of pairs of systems that `Row.systems` is a share of."""
    incomparable_pairs: int
    """Number of pairs of systems that were judged on different segments."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The judgements of one direction of one file, laid out as segments x systems."""

    name: str
    direction: Direction
    human: Floats
    """[segment, system]: nan if the system was not judged on the segment."""
    groups: tuple[tuple[int, ...], ...]
    """Columns of systems that were judged on the same segments against the same references: one call of a
    scorer scores them all.
    """
    cells: Mapping[tuple[int, int], Judgement]
    """By row and column."""
    systems: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Columns of the systems that can be compared: they were judged on the same segments."""
        judged = ~np.isnan(self.human)
        columns = combinations(range(len(self.systems)), 2)
        return [(a, b) for a, b in columns if np.array_equal(judged[:, a], judged[:, b])]


@dataclass(frozen=True, slots=True)
class _MetricScores:
    """A metric's scores for a grid. Higher is better in both arrays."""

    metric: str
    signature: str
    segments: Floats
    """[segment, system]: nan if the translation was not judged or not scored."""
    systems: Floats
    """[system]: the scores of all translations of a system together."""
    statistics: Floats
    """[system, statistic, segment]: their sums give the scores of systems; 0 where nothing was judged."""
    formula: Formula
    sign: int
    """-1 if a lower score is better."""

    def of_segments(self, rows: NDArray[np.int64]) -> Floats:
        """[system]: the scores on the segments with these row numbers."""
        return self.sign * self.formula(self.statistics[:, :, rows].sum(axis=2).T)


def meta_evaluate(files: Mapping[str, Sequence[Judgement]], scorers: Mapping[str, Scorer]) -> list[Table]:
    """One table for each file and direction. `files`: name -> its judgements; `scorers`: metric id -> scorer.

    Raises BenchError for an unknown language pair, and if a scorer cannot be prepared.
    """
    grids = [grid for name, judgements in files.items() for grid in _grids(name, judgements)]
    for scorer in scorers.values():
        scorer.prepare()
    tables = []
    with progress.bar("scoring", total=len(grids) * len(scorers), unit="metrics") as advance:
        for grid in grids:
            rows = []
            for scorer in scorers.values():
                rows.append(_row(grid, scorer))
                advance(1)
            tables.append(_table(grid, rows))
    return tables


def pooled(human: Floats, metric: Floats) -> float:
    """Tau-b over all cells of [segment, system]; nan if all judgements are equal."""
    both = ~np.isnan(human) & ~np.isnan(metric)
    return _tau_b(human[both], metric[both])


def pearson(human: Floats, metric: Floats) -> float:
    """Pearson's r over all cells of [segment, system]; nan if all judgements are equal."""
    from scipy.stats import pearsonr

    both = ~np.isnan(human) & ~np.isnan(metric)
    return _correlation(lambda x, y: pearsonr(x, y).statistic, human[both], metric[both])


def within(human: Floats, metric: Floats) -> Floats:
    """[segment]: tau-b over the systems that were judged on the segment; nan if their judgements are all
    equal.
    """
    both = ~np.isnan(human) & ~np.isnan(metric)
    rows = zip(human, metric, both, strict=True)
    return np.array([_tau_b(h[columns], m[columns]) for h, m, columns in rows])


def agreement(human: Floats, metric: Floats, pairs: Sequence[tuple[int, int]]) -> float:
    """The share of `pairs` of systems that both order alike; nan if the judgements order none of them.

    `human`, `metric`: [system].
    """
    human_order, metric_order = _order(human, pairs), _order(metric, pairs)
    ordered = np.isfinite(human_order) & (human_order != 0)
    return float(np.mean(human_order[ordered] == metric_order[ordered])) if ordered.any() else float("nan")


def _grids(name: str, judgements: Sequence[Judgement]) -> list[Grid]:
    """A grid for each direction in a file."""
    by_direction: dict[Direction, list[Judgement]] = {}
    for judgement in judgements:
        try:
            sides(judgement.pair)
        except BenchError:
            raise BenchError(
                f"{name} holds judgements of {judgement.pair!r}, but only zh-en and en-zh can be scored: "
                "leave the others out."
            ) from None
        by_direction.setdefault(cast(Direction, judgement.pair), []).append(judgement)
    return [_grid(name, direction, group) for direction, group in by_direction.items()]


def _grid(name: str, direction: Direction, judgements: Sequence[Judgement]) -> Grid:
    """Rows and columns are in the order in which the file first names segments and systems."""
    systems = list(dict.fromkeys(j.system for j in judgements))
    segments = list(dict.fromkeys((j.document, j.segment) for j in judgements))
    row_of, column_of = ({key: index for index, key in enumerate(keys)} for keys in (segments, systems))
    cells = {(row_of[j.document, j.segment], column_of[j.system]): j for j in judgements}
    human = np.full((len(segments), len(systems)), np.nan)
    for cell, judgement in cells.items():
        human[cell] = judgement.score
    groups: dict[tuple[tuple[int, str], ...], list[int]] = {}
    for column in range(len(systems)):
        rows = [row for row in range(len(segments)) if (row, column) in cells]
        groups.setdefault(tuple((row, cells[row, column].reference) for row in rows), []).append(column)
    return Grid(name, direction, human, tuple(map(tuple, groups.values())), cells, tuple(systems))


def _row(grid: Grid, scorer: Scorer) -> Row:
    human, pairs = grid.human, grid.pairs
    scores = _score(grid, scorer)
    metric = scores.segments
    taus = within(human, metric)
    samples = draw(len(human), RESAMPLES)
    ties, signs = Ties.of(human, metric), permutation_signs(len(human))
    best, threshold = ties.accuracy()

    def figure(
        value: float,
        resample: Callable[[NDArray[np.int64]], float],
        segments: int = len(human),
        resamples: int = RESAMPLES,
    ) -> Figure | None:
        """`resample`: the value on the segments with these row numbers."""
        if np.isnan(value):
            return None
        if segments < 2:
            return Figure(value, None)
        values = [resample(sample) for sample in samples[:resamples]]
        return Figure(value, percentile_interval(np.array(values)))

    return Row(
        metric=scores.metric,
        signature=scores.signature,
        pooled=figure(pooled(human, metric), lambda rows: pooled(human[rows], metric[rows])),
        pearson=figure(pearson(human, metric), lambda rows: pearson(human[rows], metric[rows])),
        within=figure(_mean(taus), lambda rows: _mean(taus[rows]), segments=np.isfinite(taus).sum()),
        systems=figure(
            agreement(_system_means(human), scores.systems, pairs),
            lambda rows: agreement(_system_means(human[rows]), scores.of_segments(rows), pairs),
        ),
        ties=figure(best, lambda rows: ties.accuracy(np.bincount(rows, minlength=len(human)))[0]),
        threshold=None if np.isnan(threshold) else threshold,
        soft=figure(
            soft_pairwise_accuracy(human, metric, signs),
            lambda rows: soft_pairwise_accuracy(human[rows], metric[rows], signs),
            resamples=SOFT_RESAMPLES,
        ),
        promised=_promised(grid, scores),
    )


def _promised(grid: Grid, scores: _MetricScores) -> float | None:
    ordered = [pair for pair in grid.pairs if _order(_system_means(grid.human), [pair])[0] != 0]
    shares = [
        human_agreement(scores.metric, scores.signature, scores.systems[a] - scores.systems[b])
        for a, b in ordered
    ]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def _score(grid: Grid, scorer: Scorer) -> _MetricScores:
    segments, systems = np.full_like(grid.human, np.nan), np.full(len(grid.systems), np.nan)
    statistics: Floats | None = None
    for group in grid.groups:
        rows = np.flatnonzero(~np.isnan(grid.human[:, group[0]]))
        judgements = [grid.cells[row, group[0]] for row in rows]
        sources, references = [j.source for j in judgements], [j.reference for j in judgements]
        task = parallel_task(Path(grid.name).name, grid.direction, sources, references)
        hypotheses = {grid.systems[c]: [grid.cells[row, c].hypothesis for row in rows] for c in group}
        with TemporaryDirectory(prefix="bench-meta-evaluate-") as partial:
            scores = scorer.score(task, hypotheses, Path(partial))
        for column in group:
            score = scores[grid.systems[column]]
            sign = 1 if score.higher_is_better else -1
            values = [np.nan if value is None else score.compared(value) for value in score.segments]
            segments[rows, column] = sign * np.array(values)
            systems[column] = sign * score.compared(score.value)
            counts = units.statistics(score)
            if statistics is None:
                statistics = np.zeros((len(grid.systems), len(counts), len(grid.human)))
            statistics[column][:, rows] = counts
    assert statistics is not None
    return _MetricScores(
        score.metric, score.signature, segments, systems, statistics, compared_formula(score), sign
    )


def _table(grid: Grid, rows: Sequence[Row]) -> Table:
    count = len(grid.systems)
    return Table(
        name=grid.name,
        direction=grid.direction,
        segments=len(grid.human),
        judgements=len(grid.cells),
        systems=count,
        ordered_segments=int(np.sum(np.nanmax(grid.human, axis=1) > np.nanmin(grid.human, axis=1))),
        pairs=int(np.count_nonzero(_order(_system_means(grid.human), grid.pairs))),
        incomparable_pairs=count * (count - 1) // 2 - len(grid.pairs),
        rows=tuple(rows),
    )


def _tau_b(human: Floats, metric: Floats) -> float:
    from scipy.stats import kendalltau

    return _correlation(lambda x, y: kendalltau(x, y, variant="b").statistic, human, metric)


def _correlation(statistic: Callable[[Floats, Floats], float], human: Floats, metric: Floats) -> float:
    """nan if all judgements are equal; 0 if they differ and all metric scores are equal."""
    if len(human) < 2 or np.ptp(human) == 0:
        return float("nan")
    return 0.0 if np.ptp(metric) == 0 else float(statistic(human, metric))


def _order(means: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    """[pair]: 1 if the first system is better, -1 if the second is, 0 if they are equal."""
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    # Sums of the same numbers in another order may differ in the last digits.
    order: Floats = np.sign(np.round(means[first] - means[second], 9))
    return order


def _system_means(cells: Floats) -> Floats:
    """[system]: the mean over the segments that have a value; nan if there is none."""
    valid = ~np.isnan(cells)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(valid, cells, 0).sum(axis=0) / valid.sum(axis=0)
    return means


def _mean(values: Floats) -> float:
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if len(valid) else float("nan")
