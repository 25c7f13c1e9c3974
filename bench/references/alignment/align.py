"""Items of both languages -> groups that translate each other.

A dynamic programme finds the cheapest monotone way through the sentences of both languages (Gale & Church 1993). A step
costs what its shape, lengths, numbering and paragraphs make improbable, less what words, numbers and names (and, where
there is a model, sentence embeddings) speak for it. All costs are in nats, so that the same tables, summed in place of
minimised, give the probability of each group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import log_ndtr

from bench.references.alignment.evidence import Arrays, Embed, Evidence, evidence
from bench.references.segmentation.split import Item


@dataclass(frozen=True, slots=True)
class Group:
    """Chinese and English items that translate each other; one side is empty where there is no counterpart."""

    zh: tuple[Item, ...]
    en: tuple[Item, ...]
    confidence: float
    """The share of all ways through the document, weighed by their cost, that hold this group, times the support that words
    and numbers give it; 0 to 1."""


class Step(NamedTuple):
    """zh[i:i+m] and en[j:j+n] make a group."""

    i: int
    j: int
    m: int
    n: int
    confidence: float


# The shares of group sizes follow Gale & Church; sizes they did not have get small ones.
_SHAPES = {
    (1, 1): 0.80,
    (1, 2): 0.07,
    (2, 1): 0.06,
    (2, 2): 0.01,
    (1, 3): 0.01,
    (3, 1): 0.008,
    (1, 4): 0.002,
    (4, 1): 0.002,
    (2, 3): 0.001,
    (3, 2): 0.001,
}
_ALONE, _ALONE_TOO = -math.log(0.003), 2.5
"""An item without counterpart; the next one behind it."""
_VARIANCE = 12.0
"""Of the English length in letters, per expected letter. Gale & Church have 6.8 between European languages."""
_ODDS = np.minimum(-math.log(2) - log_ndtr(-np.arange(0, 6, 0.01)), 11.5).astype(np.float32)
"""What lengths cost that lie so many hundredths of a deviation apart; however odd they are, they cost no more."""
_ACROSS_BLOCKS = 2.0
"""Two sentences of different paragraphs in one group."""
_NUMBER_IN_GROUP = 1.0
"""A sentence that is not the first begins with a number."""
_UNEVEN_BLOCKS = 1.5
"""A paragraph begins on one side only."""
_SAME_PATH, _SAME_NUMBER, _OTHER_NUMBER, _ONE_NUMBER = -6.0, -2.0, 5.0, 2.0
"""Both begin with a number: at the same place of the outline, only the same, another; only one begins with one."""
_HEADING_AND_SENTENCE, _HEADINGS_IN_GROUP, _HEADING_IN_GROUP = 4.0, 2.0, 10.0
_TEMPERATURE = 2.0
"""Words of one sentence are not independent: taken at face value they would make every pair certain."""

_NO_WORDS, _HALF_SURE, _STEEP = 1.0, 0.3, 8.0
"""Of the support by words: nats of doubt where there are few words, the share at which it is 1/2, how fast it changes."""

_AT_ONCE = 1000
"""Documents up to so many items a side are aligned in one piece."""
_WINDOW = 250
"""Longer ones are walked through in windows of so many."""

Table = dict[tuple[int, int], np.ndarray]
"""Shape (m, n) -> cost of joining zh[i-m:i] and en[j-n:j], at [i-m, j-n]."""


def align(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Mapping[str, tuple[str, ...]] | None = None,
    embed: Embed | None = None,
    walls: Sequence[tuple[int, int]] = (),
) -> Iterator[Group]:
    """All items of both sides, each in exactly one group, in reading order.

    No group reaches across a wall: (i, j) stands between the items before i and j and those from there on. Time and
    memory grow with the number of items; no more than `_AT_ONCE` x `_AT_ONCE` pairs are looked at at once.
    """
    known = evidence(chinese, english, lexicon, embed)
    at = (0, 0)
    for wall in (*walls, (len(chinese), len(english))):
        for i, j, m, n, confidence in _stretch(known, at, wall):
            yield Group(tuple(chinese[i : i + m]), tuple(english[j : j + n]), confidence)
        at = wall


def rated(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Mapping[str, tuple[str, ...]] | None = None,
    embed: Embed | None = None,
) -> list[float]:
    """The confidence of pairs that were made elsewhere, against leaving both alone; both sides have the same length."""
    known = evidence(chinese, english, lexicon, embed)
    steps: list[Step] = []
    for start in range(0, len(chinese), 100):
        size = min(100, len(chinese) - start)
        costs = _table(known, start, start, size, size, shapes=((1, 1),))[1, 1].diagonal()
        sure = 1 / (1 + np.exp((costs - 2 * _ALONE) / _TEMPERATURE))
        steps += [Step(start + k, start + k, 1, 1, float(sure[k])) for k in range(size)]
    return [step.confidence for step in _supported(known, steps)]


def _stretch(known: Evidence, start: tuple[int, int], stop: tuple[int, int]) -> Iterator[Step]:
    at = start
    while at != stop:
        left = (stop[0] - at[0], stop[1] - at[1])
        last = max(left) <= (_AT_ONCE if at == start else 2 * _WINDOW)
        rows, columns = left if last else _window(*left)
        table = _table(known, at[0], at[1], rows, columns)
        ways, sure = _Ways(table, rows, columns), _probability(table, rows, columns)
        path = ways.back_from(rows, columns) if last else ways.back_from(*_stop(ways.best))
        steps = [Step(i + at[0], j + at[1], m, n, sure(i, j, m, n)) for i, j, m, n in path]
        steps = steps if last else _settled(steps)
        yield from _supported(known, steps)
        at = (steps[-1].i + steps[-1].m, steps[-1].j + steps[-1].n)


def _supported(known: Evidence, steps: Sequence[Step]) -> list[Step]:
    """With the confidence that words and numbers leave: where nothing else fits better, a wrong pair is still wrong.

    It is multiplied by a logistic of the share of the Chinese side's words and numbers that the English side renders.
    """
    zh = _union(known.zh.features, [step.i for step in steps], [step.m for step in steps])
    en = _union(known.en.features, [step.j for step in steps], [step.n for step in steps])
    found, possible = zh.multiply(en) @ known.gain, zh @ known.gain
    share = (found + _NO_WORDS / 2) / (possible + _NO_WORDS)
    support = 1 / (1 + np.exp(-_STEEP * (share - _HALF_SURE)))
    return [
        step._replace(confidence=round(step.confidence * float(value), 3))
        for step, value in zip(steps, support, strict=True)
    ]


def _union(features: sparse.csr_matrix, starts: Sequence[int], sizes: Sequence[int]) -> sparse.csr_matrix:
    """What any of the rows start … start + size has, for each start."""
    rows = [row for start, size in zip(starts, sizes, strict=True) for row in range(start, start + size)]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    chosen = sparse.csr_matrix((np.ones(len(rows)), rows, ends), shape=(len(sizes), features.shape[0]))
    union = (chosen @ features).tocsr()
    union.data[:] = 1
    return union


def _window(zh: int, en: int) -> tuple[int, int]:
    """How much of what is left is looked at: a window of the side that has more of it, in proportion of the other."""
    slope = min(max(en / max(zh, 1), 0.5), 2.0)
    return min(zh, int(_WINDOW / max(slope, 1))), min(en, int(_WINDOW * min(slope, 1)))


def _stop(best: np.ndarray) -> tuple[int, int]:
    """Where a way through a window leaves it: the end of either side, where an item has cost the least."""
    rows, columns = best.shape[0] - 1, best.shape[1] - 1
    ends = [(rows, j) for j in range(columns // 4, columns + 1)]
    ends += [(i, columns) for i in range(rows // 4, rows + 1)]
    return min(ends, key=lambda end: best[end] / sum(end))


def _settled(steps: list[Step]) -> list[Step]:
    """The first part of a way whose end is open, up to a pair that is beyond doubt."""
    most = max(1, len(steps) * 6 // 10)
    for size in range(most, most // 2, -1):
        if steps[size - 1].m == steps[size - 1].n == 1 and steps[size - 1].confidence > 0.95:
            return steps[:size]
    return steps[:most]


def _table(
    known: Evidence,
    i: int,
    j: int,
    rows: int,
    columns: int,
    shapes: Iterable[tuple[int, int]] = _SHAPES,
) -> Table:
    zh, en = known.zh.cut(i, i + rows), known.en.cut(j, j + columns)
    table: Table = {}
    joined = {m: _joined(zh, m) for m in range(1, 5)}, {n: _joined(en, n) for n in range(1, 5)}
    for m, n in shapes:
        shape = (rows - m + 1, columns - n + 1)
        if min(shape) < 1:
            table[m, n] = np.zeros((max(shape[0], 0), max(shape[1], 0)), np.float32)
            continue
        one, two = joined[0][m], joined[1][n]
        cost = -math.log(_SHAPES[m, n]) + one.cost[:, None] + two.cost[None, :]
        expected = known.ratio * one.length[:, None]
        # A few letters more or less mean nothing in a short line.
        z = np.abs(two.length[None, :] - expected) / np.sqrt(_VARIANCE * (expected + 20))
        cost += _ODDS[np.minimum(z * 100, len(_ODDS) - 1).astype(np.int32)]
        shared = one.features.multiply(known.gain).tocsr() @ two.features.T
        cost -= shared.toarray()
        cost += _UNEVEN_BLOCKS * (zh.opens[: shape[0], None] != en.opens[None, : shape[1]])
        cost += _numbering(zh, en, shape)
        cost += _HEADING_AND_SENTENCE * (one.headings[:, None] != two.headings[None, :])
        if one.vectors is not None and two.vectors is not None:
            cost -= _closeness(one.vectors, two.vectors)
        table[m, n] = cost.astype(np.float32)
    return table


@dataclass(frozen=True, slots=True)
class _Joined:
    """Every run of so many neighbours of one side."""

    length: np.ndarray
    headings: np.ndarray
    """All of them are headings."""
    cost: np.ndarray
    """Of joining them and of what they say that the other side may not; not of anything on the other side."""
    features: sparse.csr_matrix
    vectors: np.ndarray | None


def _joined(side: Arrays, size: int) -> _Joined:
    count = len(side.length) - size + 1
    if count < 1:
        return _Joined(np.zeros(0), np.zeros(0, bool), np.zeros(0), side.features[:0], None)
    runs = [slice(k, k + count) for k in range(size)]
    features = side.features[runs[0]]
    for run in runs[1:]:
        features = features + side.features[run]
    features.data[:] = 1
    cost = features @ side.penalty
    marked = np.array([side.heading[run] for run in runs])
    headings, some = marked.all(axis=0), marked.any(axis=0)
    if size > 1:
        first, last = runs[0], runs[-1]
        cost += _ACROSS_BLOCKS * (side.block[first] != side.block[last])
        for before, run in pairwise(runs):
            cost += _NUMBER_IN_GROUP * (side.path[run] >= 0)
            # A note at the foot of a page that the sentence before it runs around.
            cost[side.first_line[run] < side.last_line[before]] = np.inf
        cost += np.where(headings, _HEADINGS_IN_GROUP, _HEADING_IN_GROUP * some)
    vectors = None
    if side.vectors is not None:
        # Embeddings add up: a longer sentence has more say in what the group means.
        total = sum(side.vectors[run] * np.sqrt(side.length[run])[:, None] for run in runs)
        vectors = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    length = np.sum([side.length[run] for run in runs], axis=0)
    return _Joined(length, headings, cost, features, vectors)


def _numbering(zh: Arrays, en: Arrays, shape: tuple[int, int]) -> np.ndarray:
    one, two = zh.path[: shape[0], None], en.path[None, : shape[1]]
    last = zh.number[: shape[0], None] == en.number[None, : shape[1]]
    both, either = (one >= 0) & (two >= 0), (one >= 0) ^ (two >= 0)
    cost = np.where(both, np.where(last, _SAME_NUMBER, _OTHER_NUMBER), 0)
    cost = np.where(both & (one == two), _SAME_PATH, cost)
    return np.where(either, _ONE_NUMBER, cost)


def _closeness(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Standard deviations above what any two texts of the window have: models differ in what they call far."""
    cosine = one @ two.T
    return np.clip((cosine - cosine.mean()) / max(float(cosine.std()), 1e-6), -2, 6)


class _Ways:
    """The cheapest way to each point (i, j): after i Chinese and j English items.

    Items without counterpart come in runs (a note, a table of contents): the first costs much, the next ones little. So
    three costs are kept: of all ways, of those that do not end in an English item alone, of those that end in a Chinese
    one alone.
    """

    def __init__(self, table: Table, rows: int, columns: int):
        shape = (rows + 1, columns + 1)
        self.best, self._but_en, self._zh_alone, self._en_alone = (np.full(shape, np.inf) for _ in range(4))
        self._shapes = [*table, (1, 0), (0, 1)]
        self._last = np.zeros(shape, np.int8)  # which of the shapes the best way ends in
        ramp = _ALONE_TOO * np.arange(columns + 1)
        for i in range(rows + 1):
            row, last = self._but_en[i], self._last[i]
            if i == 0:
                row[0] = 0
            for number, (m, n) in enumerate(table):
                if i >= m and columns >= n:
                    reached = self.best[i - m, : columns + 1 - n] + table[m, n][i - m]
                    better = reached < row[n:]
                    row[n:][better], last[n:][better] = reached[better], number
            if i:
                self._zh_alone[i] = np.minimum(self.best[i - 1] + _ALONE, self._zh_alone[i - 1] + _ALONE_TOO)
                better = self._zh_alone[i] < row
                row[better], last[better] = self._zh_alone[i, better], len(table)
            # Any number of English items alone, in one sweep: a running minimum.
            self._en_alone[i, 1:] = np.minimum.accumulate(row - ramp)[:-1] + ramp[:-1] + _ALONE
            better = self._en_alone[i] < row
            last[better] = len(table) + 1
            self.best[i] = np.minimum(row, self._en_alone[i])

    def back_from(self, i: int, j: int) -> list[tuple[int, int, int, int]]:
        """The steps (i, j, m, n) that lead to a point."""
        steps: list[tuple[int, int, int, int]] = []
        m, n = self._shapes[self._last[i, j]]
        while (i, j) != (0, 0):
            i, j = i - m, j - n
            steps.append((i, j, m, n))
            zh_run = not n and self._zh_alone[i, j] + _ALONE_TOO < self.best[i, j] + _ALONE
            en_run = not m and self._en_alone[i, j] + _ALONE_TOO < self._but_en[i, j] + _ALONE
            if not zh_run and not en_run:
                m, n = self._shapes[self._last[i, j]]
        return steps[::-1]


def _sums(table: Table, rows: int, columns: int) -> np.ndarray:
    """Log of the summed weight of all ways to each point: as in `_Ways`, but added up."""
    total, zh_alone = (np.full((rows + 1, columns + 1), -np.inf) for _ in range(2))
    alone, alone_too = -_ALONE / _TEMPERATURE, -_ALONE_TOO / _TEMPERATURE
    ramp = alone_too * np.arange(columns + 1)
    for i in range(rows + 1):
        row = np.full(columns + 1, -np.inf)
        if i == 0:
            row[0] = 0
        for m, n in table:
            if i >= m and columns >= n:
                step = total[i - m, : columns + 1 - n] - table[m, n][i - m] / _TEMPERATURE
                row[n:] = np.logaddexp(row[n:], step)
        if i:
            zh_alone[i] = np.logaddexp(total[i - 1] + alone, zh_alone[i - 1] + alone_too)
            row = np.logaddexp(row, zh_alone[i])
        total[i] = row
        en_alone = np.logaddexp.accumulate(row - ramp)[:-1] + ramp[:-1] + alone
        total[i, 1:] = np.logaddexp(row[1:], en_alone)
    return total


def _probability(table: Table, rows: int, columns: int) -> Callable[[int, int, int, int], float]:
    """Of a step: the sum over all ways through it, over the sum over all ways (forward-backward)."""
    before = _sums(table, rows, columns)
    after = _sums({key: costs[::-1, ::-1] for key, costs in table.items()}, rows, columns)[::-1, ::-1]

    def of(i: int, j: int, m: int, n: int) -> float:
        if not m or not n:
            return 1.0
        score = before[i, j] - float(table[m, n][i, j]) / _TEMPERATURE + after[i + m, j + n]
        return round(min(1.0, math.exp(min(score - before[rows, columns], 0.0))), 3)

    return of
