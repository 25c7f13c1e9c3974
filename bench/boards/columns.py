"""Which columns a table shows, and names that fit into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from bench.boards import faults
from bench.boards.rows import Board
from bench.errors import BenchError

FACTS = ("flags", "size", "licence", "speed", "device")
"""Columns beside the rank and the metrics, by their ids."""
_FAULTS = "-faults"
"""Ends the id of a column that counts the faults of a metric: "facts-faults"."""
_TERM_METRICS = ("facts", "obligations", "terms")
HUMAN_METRICS = ("human-esa", "human-mqm")
"""Judgements of people, which every table shows."""
_OTHER_METRICS = 2  # that a narrow board shows beside the primary one
_MIN_NAME = 24  # cells of a terminal that names get before a column gives way


def narrow(board: Board) -> list[str]:
    """Rank, the primary metric, people's judgements, two more (BLEU and a COMET model first), facts,
    obligations and terms, flags."""
    others = [metric for metric in board.metrics if metric != board.primary]
    preferred = sorted(
        others, key=lambda m: (m.endswith(("-raw", "-folded")), m != "bleu", not m.startswith("comet"))
    )
    people = [metric for metric in others if metric in HUMAN_METRICS]
    shown = [metric for metric in preferred if metric not in (*_TERM_METRICS, *people)][:_OTHER_METRICS]
    terms = [metric for metric in _TERM_METRICS if metric in others]
    return ["rank", board.primary, *people, *shown, *terms, "flags"]


def wide(board: Board) -> list[str]:
    """All columns. The primary metric comes first."""
    others = [metric for metric in board.metrics if metric != board.primary]
    counted = [metric + _FAULTS for metric in faults.METRICS if metric in board.metrics]
    return ["rank", board.primary, *others, *(column for column in counted if column not in others), *FACTS]


def counted_metric(column: str) -> str:
    """The metric whose faults a column counts; "" if it is another column."""
    metric = column.removesuffix(_FAULTS)
    return metric if metric != column and metric in faults.METRICS else ""


def chosen(board: Board, names: Sequence[str]) -> list[str]:
    """Raises BenchError for a column that the board does not have."""
    known = wide(board)
    for name in names:
        if name not in known:
            raise BenchError(f"The board has no column {name!r}: choose from {','.join(known)}.")
    return list(dict.fromkeys(names))


def fitting(columns: Sequence[str], widths: Sequence[int], room: int) -> list[str]:
    """The columns that leave enough room for names; those before the last (flags) give way first.

    `widths`: cells that each column takes. `room`: cells of the table.
    """
    kept = list(zip(columns, widths, strict=True))
    while len(kept) > 3 and sum(width for _, width in kept) + _MIN_NAME > room:
        del kept[-2]
    return [column for column, _ in kept]


def shortened(names: Sequence[str], room: int) -> list[str]:
    """The names in `room` cells: the middle of a long one becomes "…", at a place where all names stay different.

    Names that cannot be kept apart are left as they are: a name is never wrong.
    """
    if all(cell_len(name) <= room for name in names):
        return list(names)
    for head in _heads(names, room):
        short = [_shorten(name, room, head) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return list(names)


def _heads(names: Sequence[str], room: int) -> Iterator[int]:
    """How many cells of the beginning to keep: about half, then more or fewer."""
    middle = (room - 1) // 2
    yield from sorted(range(room), key=lambda head: abs(head - middle))


def _shorten(name: str, room: int, head: int) -> str:
    if cell_len(name) <= room:
        return name
    return _fit(name, head) + "…" + _fit(name[::-1], room - 1 - head)[::-1]


def _fit(text: str, room: int) -> str:
    """The beginning that takes at most `room` cells."""
    taken = 0
    for index, character in enumerate(text):
        taken += cell_len(character)
        if taken > room:
            return text[:index]
    return text
