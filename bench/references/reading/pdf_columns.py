"""Two columns on a page whose lines run through both: the lines of the left column, then those of the right one.

Most PDF files hold their text column by column. Some hold it row by row, and a reader that goes by rows joins the
halves of different sentences.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.languages import HAN, LETTERS_PER_HAN

_MIN_ROWS = 4
"""Lines that run through both columns, at least."""
_MIN_LETTERS = 12
"""Letters on either side of the gap, in the middle of all such lines: less is a number or a page number."""
_MIN_GAP = 1.25
"""Width of the gap with the character before it, in distances between lines."""
_TOLERANCE = 3.0
"""Points by which the lines of a column may begin left or right of each other."""
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of a page, or its part in one column."""

    text: str
    xs: tuple[float, ...]
    """Where each character begins, in points from the left; parallel to `text`."""
    y: float
    """The height of its base line above the bottom of the page."""


def read_columns(lines: Sequence[PrintedLine], step: float, depth: int = 0) -> list[list[PrintedLine]]:
    """The lines in reading order, as runs of one column. `step` is the usual distance between two lines.

    One run with all lines if there are no columns.
    """
    gutter = _gutter(lines, step) if depth < _MAX_DEPTH else None
    if gutter is None:
        return [list(lines)]
    runs: list[list[PrintedLine]] = []
    left: list[PrintedLine] = []
    right: list[PrintedLine] = []

    def end_columns() -> None:
        for column in (left, right):
            if column:
                runs.extend(read_columns(column, step, depth + 1))
        left.clear()
        right.clear()

    for line in lines:
        cut = _cut(line, gutter, step)
        if cut is None:
            end_columns()
            runs.append([line])
            continue
        for column, start, end in ((left, 0, cut), (right, cut, len(line.text))):
            if line.text[start:end].strip():
                column.append(PrintedLine(line.text[start:end].strip(" "), line.xs[start:end], line.y))
    end_columns()
    return runs


def _gutter(lines: Sequence[PrintedLine], step: float) -> float | None:
    """Where the right column begins; None if there are no two columns."""
    gaps = [(line, index) for line in lines for index in _gaps(line, step)]
    if len(gaps) < _MIN_ROWS:
        return None
    starts = Counter(round(line.xs[index]) for line, index in gaps)
    best = max(starts, key=lambda x: (starts[x - 1] + starts[x] + starts[x + 1], -x))
    rows = [(line, index) for line, index in gaps if abs(line.xs[index] - best) <= _TOLERANCE]
    if len(rows) < _MIN_ROWS:
        return None
    halves = [(line.text[:index], line.text[index:]) for line, index in rows]
    letters = (statistics.median(map(_letters, side)) for side in zip(*halves, strict=True))
    ys = [line.y for line, _ in rows]
    across = sum(min(ys) <= line.y <= max(ys) and _cut(line, best, step) is None for line in lines)
    return best - _TOLERANCE if min(letters) >= _MIN_LETTERS and across < len(rows) / 2 else None


def _gaps(line: PrintedLine, step: float) -> list[int]:
    """The indexes of characters that a wide gap precedes."""
    indexes, previous = [], None
    for index, character in enumerate(line.text):
        if character.isspace():
            continue
        if previous is not None and line.xs[index] - line.xs[previous] > _MIN_GAP * step:
            indexes.append(index)
        previous = index
    return indexes


def _cut(line: PrintedLine, gutter: float, step: float) -> int | None:
    """The index of the first character in the right column; None if the line goes across the gutter."""
    shown = [index for index, character in enumerate(line.text) if not character.isspace()]
    first = next((index for index in shown if line.xs[index] >= gutter), len(line.text))
    if not shown or first in (shown[0], len(line.text)):
        return first if shown else 0
    return first if first in _gaps(line, step) and line.xs[first] < gutter + 3 * step else None


def _letters(text: str) -> int:
    return sum(LETTERS_PER_HAN if HAN.match(character) else character.isalnum() for character in text)
