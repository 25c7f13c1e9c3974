"""TER's edits, with the edit distances of all shifts that are tried at once.

sacrebleu.metrics.lib_ter computes them one by one in pure Python: half a minute for one system on a few pages
of Chinese, and memory that grows with the product of both lengths. Here they are rows of one array. Which
shifts are tried and which one is made is sacrebleu's, after Tercom (Snover et al. 2006), and so are the
numbers, to the last edit: tests/scorers/test_sacre.py.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int32]
"""Words as numbers: [word], or [candidate, word]."""

_MAX_SHIFT_WORDS = 10
_MAX_SHIFT_DISTANCE = 50
_MAX_SHIFTS_TRIED = 1000
_BEAM = 25
"""Only so many cells on each side of the diagonal are computed."""
_UNREACHABLE = 2**30
_BLOCK = 2**21
"""Words, and cells of a row, that are held at once over all candidates: 8 MB each."""


class _Shift(NamedTuple):
    """A shift that is tried. Of two with the same gain sacrebleu makes the longer one, then the first one."""

    length: int
    start: int
    target: int


class _Alignment(NamedTuple):
    """What the fewest edits without a shift say about a hypothesis and its reference."""

    edits: int
    place: list[int]
    """Word of the reference -> the word of the hypothesis at or before it; -1 if there is none."""
    wrong: list[bool]
    """Word of the hypothesis -> whether it is not in its place."""
    missing: list[bool]
    """Word of the reference -> whether it is not in its place."""


def edits(hypothesis: Sequence[str], reference: Sequence[str]) -> int:
    """The number of insertions, deletions, substitutions and shifts that make the reference of the
    hypothesis."""
    if not hypothesis or not reference:
        return len(hypothesis) or len(reference)
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    words, target = (
        np.array([numbers[word] for word in text], dtype=np.int32) for text in (hypothesis, reference)
    )
    made, tried = 0, 0
    while True:
        alignment = _align(words, target)
        shifts: list[_Shift] = []
        for shift in _shifts(words.tolist(), target.tolist(), alignment):
            shifts.append(shift)
            if tried + len(shifts) >= _MAX_SHIFTS_TRIED:  # it gives up, and makes none of the last ones
                return made + alignment.edits
        distances = _distances(words, shifts, target)
        best = min(
            zip(distances, shifts, strict=True),
            key=lambda item: (item[0], -item[1].length, item[1].start, item[1].target),
            default=None,
        )
        if best is None or best[0] >= alignment.edits:
            return made + alignment.edits
        words = _shifted(words, best[1])
        made, tried = made + 1, tried + len(shifts)


def _shifts(words: Sequence[int], target: Sequence[int], alignment: _Alignment) -> Iterator[_Shift]:
    """Shifts of words that also stand elsewhere in the reference, if both places are wrong so far."""
    positions: dict[int, list[int]] = {}
    for position, word in enumerate(target):
        positions.setdefault(word, []).append(position)
    for start, word in enumerate(words):
        places = positions.get(word, [])
        first = bisect_left(places, start - _MAX_SHIFT_DISTANCE)
        last = bisect_right(places, start + _MAX_SHIFT_DISTANCE)
        for position in places[first:last]:
            most = min(_MAX_SHIFT_WORDS, len(words) - start, len(target) - position)
            for length in range(1, most + 1):
                if words[start + length - 1] != target[position + length - 1]:
                    break
                if (
                    any(alignment.wrong[start : start + length])
                    and any(alignment.missing[position : position + length])
                    and not start <= alignment.place[position] < start + length
                ):
                    yield from _targets(start, position, length, alignment.place)


def _targets(start: int, position: int, length: int, place: Sequence[int]) -> Iterator[_Shift]:
    """To before each word, and after the last one, that is aligned with where the words should be."""
    previous = -1
    for before in range(position - 1, position + length):
        target = place[before] + 1 if before >= 0 else 0
        if target != previous:
            yield _Shift(length, start, target)
        previous = target


def _shifted(words: Words, shift: _Shift) -> Words:
    length, start, target = shift
    moved, end = words[start : start + length], start + length
    if target < start:
        parts = [words[:target], moved, words[target:start], words[end:]]
    elif target > end:
        parts = [words[:start], words[end:target], moved, words[target:]]
    else:
        parts = [words[:start], words[end : length + target], moved, words[length + target :]]
    return np.concatenate(parts)


def _distances(words: Words, shifts: Sequence[_Shift], target: Words) -> list[int]:
    """The edit distance after each of the shifts."""
    distances: list[int] = []
    step = max(1, _BLOCK // max(len(words), len(target)))
    for begin in range(0, len(shifts), step):
        candidates = np.stack([_shifted(words, shift) for shift in shifts[begin : begin + step]])
        (_, _, _, last), *_ = deque(_rows(candidates, target), maxlen=1)
        distances += last[:, -1].tolist()
    return distances


def _align(words: Words, target: Words) -> _Alignment:
    """Of edits that cost the same, a substitution is preferred to a deletion and that to an insertion."""
    rows, fewest = [], 0
    for low, substituted, deleted, row in _rows(words[None], target):
        chosen = np.where(row == substituted, 0, np.where(row == deleted, 1, 2)).astype(np.int8)
        rows.append((low, chosen[0]))
        fewest = int(row[0, -1])
    place, wrong, missing = [-1] * len(target), [True] * len(words), [True] * len(target)
    i, j = len(words), len(target)
    while i > 0 or j > 0:
        low, operations = rows[i - 1] if i else (0, None)
        operation = 2 if operations is None else int(operations[j - low])
        if operation == 0:
            i, j = i - 1, j - 1
            place[j] = i
            wrong[i] = missing[j] = bool(words[i] != target[j])
        elif operation == 1:
            i -= 1
        else:
            j -= 1
            place[j] = i - 1
    return _Alignment(fewest, place, wrong, missing)


def _rows(
    words: Words, target: Words
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]]:
    """The rows of the matrix of edit distances after the first one: for each word of the hypotheses, the
    first cell that is computed, and the cells.

    `words`: [candidate, word]. Cells are [candidate, cell]: the cost if the last edit is a substitution or
    none, the cost if it is a deletion, and the lowest cost.
    """
    count, size = words.shape
    ratio = len(target) / size
    beam = math.ceil(ratio / 2 + _BEAM) if ratio / 2 > _BEAM else _BEAM
    # Column j + 1 is the reference's first j words. Column 0 stands for a cell that does not exist.
    above, row = (np.full((count, len(target) + 2), _UNREACHABLE, dtype=np.int32) for _ in range(2))
    above[:, 1:] = np.arange(len(target) + 1)
    padded = np.concatenate([[-1], target])
    bounds = [(0, len(target) + 1)]
    for i in range(1, size + 1):
        middle = math.floor(i * ratio)
        low, high = max(0, middle - beam), min(len(target) + 1, middle + beam)
        if i == size:
            high = len(target) + 1
        substituted = above[:, low:high] + (words[:, i - 1, None] != padded[low:high])
        deleted = above[:, low + 1 : high + 1] + 1
        steps = np.arange(low, high, dtype=np.int32)
        cells = np.minimum.accumulate(np.minimum(substituted, deleted) - steps, axis=1) + steps
        if i > 1:
            old_low, old_high = bounds[i - 2]
            row[:, old_low + 1 : old_high + 1] = _UNREACHABLE
        row[:, low + 1 : high + 1] = cells
        bounds.append((low, high))
        yield low, substituted, deleted, cells
        above, row = row, above
