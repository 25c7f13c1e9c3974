"""How far a metric can be trusted: its scores against human judgements of the same translations.

Four questions, because a metric can be good at one and useless at another:

- pooled tau-b (Kendall 1945) and pooled Pearson r, over all judged translations of a file at once. They also reward knowing
  which *source* is hard, which says nothing about systems.
- within-segment tau-b: which of these systems translated this sentence better? Tau-b of each segment over its systems, then
  the mean over segments. A segment with a single judgement, or whose judgements are all equal, asks nothing and is left
  out; where people differ and the metric gives one score to all, it counts as 0. Other ties are tau-b's: a pair tied on
  either side is neither right nor wrong, and shortens the norm of that side (Deutsch et al. 2023, "Ties Matter", compares
  the ways to treat them).
- system accuracy: of all pairs of systems, the share that the metric orders as people do (Kocmi et al. 2021, "To Ship or Not
  to Ship"). People: the mean of a system's judgements; the metric: the score that our scorer gives the whole, as on a board.
  Pairs that people hold equal are left out; a pair that only the metric holds equal counts as wrong. Systems that were
  judged on different segments are not compared.

Each comes with a 95 % percentile bootstrap interval over segments: a segment is drawn with all its judgements. In a resample
a system's metric score is the mean of its segment scores, for BLEU and chrF too.
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
from bench.scoring.judgements import Judgement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES, SEED = 1000, 12345


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its 95 % interval; a single segment has none."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Row:
    """One metric. A figure is None where the judgements cannot tell: one system has no system order."""

    metric: str
    signature: str
    pooled: Figure | None
    pearson: Figure | None
    within: Figure | None
    systems: Figure | None


@dataclass(frozen=True, slots=True)
class Table:
    """All metrics on one direction of one file."""

    name: str
    direction: Direction
    segments: int
    judgements: int
    systems: int
    ordered: int
    """Segments that `within` is the mean of."""
    pairs: int
    """Pairs of systems that `systems` is a share of."""
    apart: int
    """Pairs of systems that are not compared, because they were judged on different segments."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The judgements of one direction, laid out as segments x systems."""

    human: Floats
    """nan where a system was not judged on a segment."""
    groups: tuple[tuple[int, ...], ...]
    """Columns of systems that were judged on the same segments against the same references: they share a call of a scorer."""
    cells: Mapping[tuple[int, int], Judgement]
    """By row and column."""
    systems: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Columns of the systems that can be compared: those that were judged on the same segments."""
        there = ~np.isnan(self.human)
        columns = combinations(range(len(self.systems)), 2)
        return [(a, b) for a, b in columns if np.array_equal(there[:, a], there[:, b])]


def meta_evaluate(files: Mapping[str, Sequence[Judgement]], scorers: Mapping[str, Scorer]) -> list[Table]:
    """One table for each file (name -> its judgements) and direction; `scorers`: metric id -> scorer.

    Raises BenchError for a pair of languages that our scorers do not know, and where a scorer cannot be made ready.
    """
    parts = [(name, pair, js) for name, all_ in files.items() for pair, js in _by_pair(name, all_).items()]
    for scorer in scorers.values():
        scorer.prepare()
    tables = []
    with progress.bar("scoring", total=len(parts) * len(scorers), unit="metrics") as advance:
        for name, direction, judgements in parts:
            grid, rows = layout(judgements), []
            for scorer in scorers.values():
                rows.append(_row(name, grid, direction, scorer))
                advance(1)
            tables.append(_table(name, direction, grid, rows))
    return tables


def layout(judgements: Sequence[Judgement]) -> Grid:
    """Rows and columns in the order in which the file names segments and systems first."""
    systems = list(dict.fromkeys(j.system for j in judgements))
    segments = list(dict.fromkeys((j.document, j.segment) for j in judgements))
    row, column = ({key: i for i, key in enumerate(keys)} for keys in (segments, systems))
    cells = {(row[j.document, j.segment], column[j.system]): j for j in judgements}
    human = np.full((len(segments), len(systems)), np.nan)
    for at, judgement in cells.items():
        human[at] = judgement.score
    groups: dict[tuple[tuple[int, str], ...], list[int]] = {}
    for c in range(len(systems)):
        judged = [r for r in range(len(segments)) if (r, c) in cells]
        groups.setdefault(tuple((r, cells[r, c].reference) for r in judged), []).append(c)
    return Grid(human, tuple(map(tuple, groups.values())), cells, tuple(systems))


def pooled(human: Floats, metric: Floats) -> float:
    """Tau-b over all cells of segments x systems; nan where people gave one score to all."""
    there = ~np.isnan(human)
    return _tau_b(human[there], metric[there])


def pearson(human: Floats, metric: Floats) -> float:
    """Pearson's r over all cells of segments x systems; nan where people gave one score to all."""
    from scipy.stats import pearsonr

    there = ~np.isnan(human)
    return _correlation(lambda x, y: pearsonr(x, y).statistic, human[there], metric[there])


def within(human: Floats, metric: Floats) -> Floats:
    """Tau-b of each segment over the systems that were judged on it; nan where they were not told apart."""
    there = ~np.isnan(human)
    rows = zip(human, metric, there, strict=True)
    return np.array([_tau_b(h[seen], m[seen]) for h, m, seen in rows])


def agreement(human: Floats, metric: Floats, pairs: Sequence[tuple[int, int]]) -> float:
    """Share of the `pairs` of systems that both order alike; nan where people part none of them.

    `human` and `metric`: one value a system.
    """
    wanted, given = _order(human, pairs), _order(metric, pairs)
    asked = np.isfinite(wanted) & (wanted != 0)
    return float(np.mean(wanted[asked] == given[asked])) if asked.any() else float("nan")


def _row(name: str, grid: Grid, direction: Direction, scorer: Scorer) -> Row:
    human, pairs = grid.human, grid.pairs
    metric, whole, label, signature = _scored(name, grid, direction, scorer)
    taus = within(human, metric)
    draws = np.random.default_rng(SEED).integers(len(human), size=(RESAMPLES, len(human)))

    def figure(
        value: float, of: Callable[[NDArray[np.int64]], float], segments: int = len(human)
    ) -> Figure | None:
        if np.isnan(value):
            return None
        return Figure(value, _interval([of(draw) for draw in draws]) if segments > 1 else None)

    return Row(
        metric=label,
        signature=signature,
        pooled=figure(pooled(human, metric), lambda draw: pooled(human[draw], metric[draw])),
        pearson=figure(pearson(human, metric), lambda draw: pearson(human[draw], metric[draw])),
        within=figure(_mean(taus), lambda draw: _mean(taus[draw]), segments=np.isfinite(taus).sum()),
        systems=figure(
            agreement(_means(human), whole, pairs),
            lambda draw: agreement(_means(human[draw]), _means(metric[draw]), pairs),
        ),
    )


def _scored(name: str, grid: Grid, direction: Direction, scorer: Scorer) -> tuple[Floats, Floats, str, str]:
    """Segment scores as a grid, one score a system, both with higher as better; the metric's name and signature."""
    metric, whole = np.full_like(grid.human, np.nan), np.full(len(grid.systems), np.nan)
    for group in grid.groups:
        rows = np.flatnonzero(~np.isnan(grid.human[:, group[0]]))
        first = [grid.cells[row, group[0]] for row in rows]
        hypotheses = {grid.systems[c]: [grid.cells[row, c].hypothesis for row in rows] for c in group}
        task = parallel_task(name, direction, [j.source for j in first], [j.reference for j in first])
        with TemporaryDirectory(prefix="bench-meta-evaluate-") as partial:
            scores = scorer.score(task, hypotheses, Path(partial))
        for c in group:
            score = scores[grid.systems[c]]
            sign = 1 if score.higher_is_better else -1
            metric[rows, c], whole[c] = sign * np.array(score.segments), sign * score.value
    return metric, whole, score.metric, score.signature


def _table(name: str, direction: Direction, grid: Grid, rows: Sequence[Row]) -> Table:
    n = len(grid.systems)
    return Table(
        name=name,
        direction=direction,
        segments=len(grid.human),
        judgements=len(grid.cells),
        systems=n,
        ordered=int(np.sum(np.nanmax(grid.human, axis=1) > np.nanmin(grid.human, axis=1))),
        pairs=int(np.count_nonzero(_order(_means(grid.human), grid.pairs))),
        apart=n * (n - 1) // 2 - len(grid.pairs),
        rows=tuple(rows),
    )


def _by_pair(name: str, judgements: Sequence[Judgement]) -> dict[Direction, list[Judgement]]:
    found: dict[Direction, list[Judgement]] = {}
    for j in judgements:
        try:
            sides(j.pair)
        except BenchError:
            raise BenchError(
                f"{name} holds judgements of {j.pair!r}, and our scorers know zh-en and en-zh: leave the others out."
            ) from None
        found.setdefault(cast(Direction, j.pair), []).append(j)
    return found


def _tau_b(human: Floats, metric: Floats) -> float:
    from scipy.stats import kendalltau

    return _correlation(lambda x, y: kendalltau(x, y, variant="b").statistic, human, metric)


def _correlation(of: Callable[[Floats, Floats], float], human: Floats, metric: Floats) -> float:
    """nan where people ask nothing; 0 where they do and the metric has no answer."""
    if len(human) < 2 or np.ptp(human) == 0:
        return float("nan")
    return 0.0 if np.ptp(metric) == 0 else float(of(human, metric))


def _order(means: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    """1 where the first of a pair is the better one, -1 where the second is, 0 where they are equal."""
    one, other = np.array(pairs, dtype=int).reshape(-1, 2).T
    # The same judgements summed in another order may differ in the last digits.
    order: Floats = np.sign(np.round(means[one] - means[other], 9))
    return order


def _means(cells: Floats) -> Floats:
    """Of each system, over the segments that it was judged on; nan where there is none."""
    there = ~np.isnan(cells)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(there, cells, 0).sum(axis=0) / there.sum(axis=0)
    return means


def _mean(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Without the resamples in which nothing can be told."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
