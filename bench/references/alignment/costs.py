"""The cost of making a group of neighbouring Chinese and English items, for every group in a stretch of text.

A group costs what its shape, lengths, numbering and paragraphs make improbable (Gale & Church 1993, "A
program for aligning sentences in bilingual corpora"), less the evidence of words, numbers, names and, with a
model, sentence embeddings. All costs are in nats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.special import log_ndtr

from bench.references.alignment.evidence import Arrays, Booleans, Evidence, Floats

Shape = tuple[int, int]
"""The number of Chinese and English items in a group: (m, n)."""

CostTable = dict[Shape, Floats]
"""(m, n) -> cost of the group zh[i:i+m], en[j:j+n], at [i, j]."""

_SHAPE_SHARES: dict[Shape, float] = {
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
"""How often a group has each shape. As in Gale & Church; shapes that they do not have get small shares."""
UNALIGNED, NEXT_UNALIGNED = -math.log(0.003), 2.5
"""The cost of an item without counterpart, and of each further one after it."""
_LENGTH_VARIANCE = 12.0
"""Variance of the English length in letters, per expected letter. Gale & Church: 6.8 between European
languages."""
_MAX_LENGTH_COST = 11.5
_LENGTH_COST = np.minimum(-math.log(2) - log_ndtr(-np.arange(0, 6, 0.01)), _MAX_LENGTH_COST).astype(
    np.float32
)
"""At [k]: the cost of two lengths that differ by k/100 standard deviations."""
_ACROSS_BLOCKS = 2.0
"""Items of different paragraphs are in one group."""
_NUMBER_IN_GROUP = 1.0
"""An item that is not the group's first begins with a number."""
_UNEVEN_BLOCKS = 1.5
"""A paragraph begins on one side only."""
_SAME_PATH, _SAME_NUMBER, _DIFFERENT_NUMBER = -6.0, -2.0, 5.0
"""Both sides begin with a number: at the same place of the outline; equal only in the last step;
different."""
_NUMBER_ON_ONE_SIDE = 2.0
_OTHER_TURN = 4.0
"""Where languages alternate by paragraph: the items are not of neighbouring paragraphs."""
_HEADING_AND_SENTENCE = 4.0
"""A heading on one side only."""
SHARED = 0.5
"""Nats of shared words, numbers and names below which two texts share nothing: common words have little weight."""
_STRANGER = 3.0
"""Items of different paragraphs are in one group, and one of them shares nothing with the other side: a note in one
language, which would otherwise be joined to its neighbour."""
_NOTHING_SHARED = 0.75
"""Two sentences are a pair and share nothing. From 0.5 to 1.5 the gold alignments are the same."""
_HEADINGS_IN_GROUP, _HEADING_IN_GROUP = 2.0, 10.0
"""Several items of one side are all headings; only some of them are."""
_NOTE_IN_GROUP, _NOTE_AND_SENTENCE = 4.0, 3.0
"""Some items of one side are notes; one side is a note and the other is none."""
_NOTES = -8.0
"""Two notes cost at least this: they may stand at different places, and are not to cut the text between apart."""


def cost_table(
    evidence: Evidence,
    start: tuple[int, int],
    rows: int,
    columns: int,
    shapes: Iterable[Shape] = _SHAPE_SHARES,
) -> CostTable:
    """The costs of all groups within zh[i:i+rows] and en[j:j+columns], where (i, j) is `start`."""
    i, j = start
    zh, en = evidence.zh.window(i, i + rows), evidence.en.window(j, j + columns)
    table: CostTable = {}
    zh_runs = {m: _join_neighbours(zh, m) for m in range(1, 5)}
    en_runs = {n: _join_neighbours(en, n) for n in range(1, 5)}
    for m, n in shapes:
        shape = (rows - m + 1, columns - n + 1)
        if min(shape) < 1:
            table[m, n] = np.zeros((max(shape[0], 0), max(shape[1], 0)), np.float32)
            continue
        zh_run, en_run = zh_runs[m], en_runs[n]
        cost = -math.log(_SHAPE_SHARES[m, n]) + zh_run.cost[:, None] + en_run.cost[None, :]
        expected = evidence.ratio * zh_run.length[:, None]
        # 20 letters more or less mean nothing in a short line.
        z = np.abs(en_run.length[None, :] - expected) / np.sqrt(_LENGTH_VARIANCE * (expected + 20))
        cost += _LENGTH_COST[np.minimum(z * 100, len(_LENGTH_COST) - 1).astype(np.int32)]
        shared = zh_run.features.multiply(evidence.gain).tocsr() @ en_run.features.T
        cost -= shared.toarray()
        cost += _UNEVEN_BLOCKS * (zh.opens[: shape[0], None] != en.opens[None, : shape[1]])
        cost += _numbering_cost(zh, en, shape)
        cost += _OTHER_TURN * (zh.turn[: shape[0], None] != en.turn[None, : shape[1]])
        cost += _HEADING_AND_SENTENCE * (zh_run.headings[:, None] != en_run.headings[None, :])
        cost += _NOTE_AND_SENTENCE * (zh.note[: shape[0], None] != en.note[None, : shape[1]])
        if zh_run.vectors is not None and en_run.vectors is not None:
            cost -= _similarity(zh_run.vectors, en_run.vectors)
        both_notes = zh_run.notes[:, None] & en_run.notes[None, :]
        cost = np.where(both_notes, np.maximum(cost, _NOTES), cost)
        table[m, n] = cost.astype(np.float32)
    return table


def add_strangers(table: CostTable, evidence: Evidence, start: tuple[int, int]) -> None:
    """Add `_STRANGER` and `_NOTHING_SHARED` to the costs of a table that begins at `start`.

    This takes time and matters only if there are such groups.
    """
    (i, j), (rows, columns) = start, table[1, 1].shape
    zh, en = evidence.zh.window(i, i + rows), evidence.en.window(j, j + columns)
    zh_runs = {m: _join_neighbours(zh, m) for m in range(1, 5)}
    en_runs = {n: _join_neighbours(en, n) for n in range(1, 5)}
    strangers = _Strangers(zh_runs, en_runs, evidence.gain)
    for m, n in table:
        if table[m, n].size:
            table[m, n] += _STRANGER * strangers.count(m, n)
    are_sentences = ~zh.heading[:, None] & ~en.heading[None, :]
    table[1, 1] += _NOTHING_SHARED * (strangers.without_shared(zh_runs[1], en_runs[1]) * are_sentences)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Every run of `size` neighbours of one side, joined; one value per run."""

    length: Floats
    headings: Booleans
    """True if all of them are headings."""
    notes: Booleans
    """True if any of them is a note."""
    across: Floats
    """1 if they are of different paragraphs, else 0."""
    cost: Floats
    """Of joining them, and of their features in case the other side does not have them."""
    features: sparse.csr_matrix
    vectors: Floats | None


def _join_neighbours(side: Arrays, size: int) -> _Runs:
    count = len(side.length) - size + 1
    if count < 1:
        return _Runs(
            np.zeros(0),
            np.zeros(0, bool),
            np.zeros(0, bool),
            np.zeros(0),
            np.zeros(0),
            side.features[:0],
            None,
        )
    members = [slice(k, k + count) for k in range(size)]  # the k-th item of every run
    features = side.features[members[0]]
    for member in members[1:]:
        features = features + side.features[member]
    features.data[:] = 1
    across = (side.block[members[0]] != side.block[members[-1]]).astype(np.float32)
    cost = features @ side.penalty
    # "The General Assembly" between "Now, therefore," and "Proclaims …" is a part of a sentence.
    heading = np.array(
        [side.heading[member] & ~(side.after_comma[member] & (k > 0)) for k, member in enumerate(members)]
    )
    note = np.array([side.note[member] for member in members])
    all_headings, any_heading = heading.all(axis=0), heading.any(axis=0)
    if size > 1:
        cost += _ACROSS_BLOCKS * across
        for previous, member in pairwise(members):
            cost += _NUMBER_IN_GROUP * (side.path[member] >= 0)
            # A footnote, with the sentence before it continuing after it; or sentences apart from each other.
            is_apart = (side.first_line[member] < side.last_line[previous]) | side.after_gap[member]
            cost[is_apart] = np.inf
        cost += np.where(all_headings, _HEADINGS_IN_GROUP, _HEADING_IN_GROUP * any_heading)
        cost += _NOTE_IN_GROUP * (note.any(axis=0) & ~note.all(axis=0))
    vectors = None
    if side.vectors is not None:
        # A longer sentence contributes more to the meaning of the group.
        total = sum(side.vectors[member] * np.sqrt(side.length[member])[:, None] for member in members)
        vectors = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    length = np.sum([side.length[member] for member in members], axis=0)
    return _Runs(length, all_headings, note.any(axis=0), across, cost, features, vectors)


class _Strangers:
    """Counts the items of a group that share no word, number or name with its other side: notes in one language."""

    def __init__(self, zh_runs: Mapping[int, _Runs], en_runs: Mapping[int, _Runs], gain: Floats) -> None:
        self._zh_runs, self._en_runs, self._gain = zh_runs, en_runs, gain
        self._zh: dict[int, Floats] = {}
        self._en: dict[int, Floats] = {}

    def count(self, m: int, n: int) -> Floats:
        """For the groups of shape (m, n), at [i, j]. Only the members of a side with several items count."""
        zh, en = self._zh_runs[m], self._en_runs[n]
        rows, columns = len(zh.length), len(en.length)
        total = np.zeros((rows, columns), np.float32)
        if m > 1:
            if n not in self._zh:
                self._zh[n] = self.without_shared(self._zh_runs[1], en)
            for k in range(m):
                total += zh.across[:, None] * self._zh[n][k : k + rows]
        if n > 1:
            if m not in self._en:
                self._en[m] = self.without_shared(zh, self._en_runs[1])
            for k in range(n):
                total += en.across[None, :] * self._en[m][:, k : k + columns]
        return total

    def without_shared(self, zh: _Runs, en: _Runs) -> Floats:
        """At [i, j]: 1 if the two runs share nothing, else 0."""
        shared: Floats = (zh.features.multiply(self._gain).tocsr() @ en.features.T).toarray()
        return (shared < SHARED).astype(np.float32)


def _numbering_cost(zh: Arrays, en: Arrays, shape: tuple[int, int]) -> Floats:
    """Of the numbers that the first items of both sides begin with; `shape` is that of the result."""
    zh_path, en_path = zh.path[: shape[0], None], en.path[None, : shape[1]]
    same_number = zh.number[: shape[0], None] == en.number[None, : shape[1]]
    both, only_one = (zh_path >= 0) & (en_path >= 0), (zh_path >= 0) ^ (en_path >= 0)
    cost = np.where(both, np.where(same_number, _SAME_NUMBER, _DIFFERENT_NUMBER), 0)
    cost = np.where(both & (zh_path == en_path), _SAME_PATH, cost)
    return np.where(only_one, _NUMBER_ON_ONE_SIDE, cost)


def _similarity(zh: Floats, en: Floats) -> Floats:
    """Cosines in standard deviations above the mean of the window, from -2 to 6: models differ in their
    scale."""
    cosine = zh @ en.T
    standardized: Floats = np.clip((cosine - cosine.mean()) / max(float(cosine.std()), 1e-6), -2, 6)
    return standardized
