"""Items of both languages -> groups that translate each other, with a confidence.

costs.py prices every possible group, search.py finds the cheapest monotone path through the items (Gale &
Church 1993). Here, long documents are aligned window by window, and words and numbers adjust the confidence
of each group.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.ndimage import uniform_filter1d

from bench.languages import Language
from bench.references.alignment.costs import SHARED, UNALIGNED, Booleans, Floats, add_strangers, cost_table
from bench.references.alignment.evidence import Embed, Evidence, collect_evidence
from bench.references.alignment.lexicon import Renderings
from bench.references.alignment.search import TEMPERATURE, CheapestPaths, Point, step_probability
from bench.references.segmentation.items import Item

_MAX_ITEMS = 1000
"""Documents with up to this many items per side are aligned at once, longer ones in windows."""
_WINDOW = 250
"""Items per side in a window."""
_BATCH = 100
"""Pairs whose confidence is computed at once."""

_PRIOR, _MIDPOINT, _STEEPNESS = 1.0, 0.3, 8.0
"""Of the support by words: nats of doubt if there are few words; the rendered share at which support is 1/2;
the slope of the logistic function there, times 4."""

_BETWEEN, _AROUND = 0.7, 5
"""A pair that shares nothing has this part of the mean support of so many pairs, with it in the middle."""
_STRANGER_SUPPORT = 0.4
"""Of a group in which an item of another paragraph shares nothing with the other side."""


@dataclass(frozen=True, slots=True)
class Group:
    """Chinese and English items that translate each other; one side is empty if there is no counterpart."""

    zh: tuple[Item, ...]
    en: tuple[Item, ...]
    confidence: float
    """From 0 to 1: the probability of the group among all alignments, times the support of words and
    numbers."""


class _RatedStep(NamedTuple):
    """The group zh[i:i+m], en[j:j+n] with its confidence."""

    i: int
    j: int
    m: int
    n: int
    confidence: float

    @property
    def end(self) -> Point:
        return self.i + self.m, self.j + self.n


def align(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Renderings | None = None,
    embed: Embed | None = None,
    walls: Sequence[Point] = (),
    gaps: Mapping[Language, Container[str]] | None = None,
) -> Iterator[Group]:
    """Yield all items of both sides in reading order, each in exactly one group.

    No group crosses a wall: the wall (i, j) separates the first i Chinese and j English items from the rest. No group
    joins an item in `gaps` with the one before it.
    Time and memory grow linearly with the number of items: at most `_MAX_ITEMS` x `_MAX_ITEMS` pairs are
    compared at once.
    """
    evidence = collect_evidence(chinese, english, lexicon, embed, gaps)
    start = (0, 0)
    for wall in (*walls, (len(chinese), len(english))):
        for i, j, m, n, confidence in _align_stretch(evidence, start, wall):
            yield Group(tuple(chinese[i : i + m]), tuple(english[j : j + n]), confidence)
        start = wall


def rate_pairs(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Renderings | None = None,
    embed: Embed | None = None,
) -> list[float]:
    """The confidence of each pair (chinese[n], english[n]) that was aligned elsewhere, against leaving both
    unaligned.

    Both sides have the same length.
    """
    evidence = collect_evidence(chinese, english, lexicon, embed)
    steps: list[_RatedStep] = []
    for start in range(0, len(chinese), _BATCH):
        size = min(_BATCH, len(chinese) - start)
        costs = cost_table(evidence, (start, start), size, size, shapes=((1, 1),))[1, 1].diagonal()
        confidences = 1 / (1 + np.exp((costs - 2 * UNALIGNED) / TEMPERATURE))
        steps += [_RatedStep(start + k, start + k, 1, 1, float(confidences[k])) for k in range(size)]
    return [step.confidence for step in _with_support(evidence, steps)]


def _align_stretch(evidence: Evidence, start: Point, stop: Point) -> Iterator[_RatedStep]:
    """The steps between two walls, window by window if the stretch is long."""
    point = start
    while point != stop:
        remaining = (stop[0] - point[0], stop[1] - point[1])
        is_last = max(remaining) <= (_MAX_ITEMS if point == start else 2 * _WINDOW)
        rows, columns = remaining if is_last else _window_size(*remaining)
        table = cost_table(evidence, point, rows, columns)
        for attempt in range(2):
            paths = CheapestPaths(table, rows, columns)
            end = (rows, columns) if is_last else _cheapest_exit(paths.cost)
            steps = [_RatedStep(i + point[0], j + point[1], m, n, 1.0) for i, j, m, n in paths.steps_to(end)]
            if attempt or not (
                _sharing_nothing(evidence, steps).any()
                or any(_has_stranger(evidence, step) for step in steps)
            ):
                break
            add_strangers(table, evidence, point)
        probability = step_probability(table, rows, columns)
        steps = [
            step._replace(confidence=probability((step.i - point[0], step.j - point[1], step.m, step.n)))
            for step in steps
        ]
        steps = steps if is_last else _settled(steps)
        yield from _with_support(evidence, steps)
        point = steps[-1].end


def _window_size(zh: int, en: int) -> tuple[int, int]:
    """Rows and columns of the next window: `_WINDOW` of the side with more items left, and the other in
    proportion."""
    slope = min(max(en / max(zh, 1), 0.5), 2.0)
    return min(zh, int(_WINDOW / max(slope, 1))), min(en, int(_WINDOW * min(slope, 1)))


def _cheapest_exit(costs: Floats) -> Point:
    """Where a path leaves the window: the point at the end of either side with the lowest cost per item."""
    rows, columns = costs.shape[0] - 1, costs.shape[1] - 1
    ends = [(rows, j) for j in range(columns // 4, columns + 1)]
    ends += [(i, columns) for i in range(rows // 4, rows + 1)]
    return min(ends, key=lambda end: float(costs[end]) / sum(end))


def _settled(steps: list[_RatedStep]) -> list[_RatedStep]:
    """The first 30 to 60 % of the steps in a window, up to a 1-1 pair that is beyond doubt.

    The later steps may change when the next window shows what follows.
    """
    longest = max(1, len(steps) * 6 // 10)
    for size in range(longest, longest // 2, -1):
        if steps[size - 1].m == steps[size - 1].n == 1 and steps[size - 1].confidence > 0.95:
            return steps[:size]
    return steps[:longest]


def _with_support(evidence: Evidence, steps: Sequence[_RatedStep]) -> list[_RatedStep]:
    """The steps with their confidence multiplied by the support of words and numbers.

    A wrong pair may have a high probability because nothing else fits better. Support is a logistic function
    of the share of the Chinese side's words and numbers that the English side renders. Two sentences that share
    nothing have the support of the pairs around them.
    """
    rendered, possible = _shared_gain(evidence, steps)
    share = (rendered + _PRIOR / 2) / (possible + _PRIOR)
    support = 1 / (1 + np.exp(-_STEEPNESS * (share - _MIDPOINT)))
    support[[_has_stranger(evidence, step) for step in steps]] *= _STRANGER_SUPPORT
    around = _BETWEEN * uniform_filter1d(support, _AROUND, mode="nearest")
    support = np.where(_sharing_nothing(evidence, steps), around, support)
    return [
        step._replace(confidence=round(step.confidence * float(value), 3))
        for step, value in zip(steps, support, strict=True)
    ]


def _shared_gain(evidence: Evidence, steps: Sequence[_RatedStep]) -> tuple[Floats, Floats]:
    """In nats, per step: the features that both sides share, and all that the Chinese side has."""
    zh = _joined_features(evidence.zh.features, [step.i for step in steps], [step.m for step in steps])
    en = _joined_features(evidence.en.features, [step.j for step in steps], [step.n for step in steps])
    return zh.multiply(en) @ evidence.gain, zh @ evidence.gain


def _sharing_nothing(evidence: Evidence, steps: Sequence[_RatedStep]) -> Booleans:
    """Per step: whether it is a pair of two sentences that share no word, number or name."""
    is_pair = [
        step.m == step.n == 1 and not evidence.zh.heading[step.i] and not evidence.en.heading[step.j]
        for step in steps
    ]
    found: Booleans = np.array(is_pair, bool) & (_shared_gain(evidence, steps)[0] < SHARED)
    return found


def _has_stranger(evidence: Evidence, step: _RatedStep) -> bool:
    """Whether a step joins items of different paragraphs, one of which shares nothing with the other side."""
    zh, en = evidence.zh.window(step.i, step.i + step.m), evidence.en.window(step.j, step.j + step.n)
    for side, other in ((zh, en), (en, zh)):
        if len(side.block) > 1 and len(other.block) and side.block[0] != side.block[-1]:
            joined = _joined_features(other.features, [0], [len(other.block)])
            shared = (side.features.multiply(evidence.gain).tocsr() @ joined.T).toarray()
            if (shared < SHARED).any():
                return True
    return False


def _joined_features(
    features: sparse.csr_matrix, starts: Sequence[int], sizes: Sequence[int]
) -> sparse.csr_matrix:
    """Per start and size: 1 for each feature of any of the rows start … start + size - 1."""
    rows = [row for start, size in zip(starts, sizes, strict=True) for row in range(start, start + size)]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    members = sparse.csr_matrix((np.ones(len(rows)), rows, ends), shape=(len(sizes), features.shape[0]))
    joined = (members @ features).tocsr()
    joined.data[:] = 1
    return joined
