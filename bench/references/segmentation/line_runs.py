"""Neighbouring lines of one language without a gap: whether they are one paragraph (a title, a notice) or several."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from bench.languages import Language
from bench.references.script import to_simplified
from bench.references.segmentation.line_shapes import breaks_off, is_finished, is_heading, is_note
from bench.references.segmentation.numbering import STRUCTURE_STYLES, find_numbering
from bench.references.segmentation.pieces import Piece

QUOTED_TERM = re.compile(r"[“\"「][^“”\"「」]{1,60}[”\"」]$")
"""A term on a line of its own, above its definition."""
_MIN_CERTAIN = 1 / 3
"""Of the line ends in a run, so many are certainly within a sentence if all are."""
_TITLE_WORDS = frozenset("of and on for from between concerning regarding relating under with".split())
"""Words that begin a later line of a title: TREATY / BETWEEN … / ON EXTRADITION."""
_MIN_CLAUSE = 18
"""Characters of a numbered Chinese line that is running text if it has a comma."""
_RAGGED, _MIN_COLUMNS, _MIN_FULL = 3, 40, 3
"""Columns by which full lines differ; of a full line, at least; full lines, at least."""
_ENDS_WITHIN = re.compile("[的和与及或在对将于为由把被]$")
_BEGINS_WITHIN = re.compile("关于|[的和与及或之]")


def alternates_by_paragraph(pieces: Sequence[Piece]) -> bool:
    """Whether the languages alternate by paragraph and not by page."""
    runs: list[list[int]] = []  # the lengths of the paragraphs in each run of one language
    for previous, piece in pairwise([None, *pieces]):
        assert piece
        if not previous or previous.language != piece.language:
            runs.append([0])
        elif piece.line > previous.line + 1 or is_finished(previous.text):
            runs[-1].append(0)  # lines without a gap are one paragraph
        runs[-1][-1] += len(piece.text)
    single = sum(run[0] for run in runs if len(run) == 1)
    return len(runs) > 3 and single > sum(map(sum, runs)) / 2


def find_continued_lines(
    pieces: Sequence[Piece], language: Language, width: int, alternates: bool
) -> frozenset[Piece]:
    """The lines that continue the line above them although it is not full: of a title over several lines, or of a
    notice that has one or two lines in each language in turn.

    `width`: characters in a full line of the language; 0 if paragraphs are not wrapped.
    """
    runs = _runs(pieces, width)
    continued: set[Piece] = set()
    full_width = _wrapped_width([run for run in runs if run[0].language == "zh"]) if language == "zh" else 0
    for index, run in enumerate(runs):
        if run[0].language != language or len(run) == 1:
            continue
        if full_width:
            continued.update(
                below for above, below in pairwise(run) if _columns(above.text) >= full_width - _RAGGED
            )
        ends = len(run) - 1
        certain = sum(_is_within(*neighbours) for neighbours in pairwise(run))
        others = [runs[i] for i in (index - 1, index + 1) if 0 <= i < len(runs)]
        is_translated = alternates and any(
            other[0].language != language and _is_one_paragraph(other) and _are_neighbours(run, other)
            for other in others
        )
        if certain >= max(_MIN_CERTAIN * ends, 1) or is_translated or _is_indented_start(run):
            continued.update(run[1:])
    return frozenset(continued)


def _wrapped_width(runs: Sequence[Sequence[Piece]]) -> int:
    """The columns of a full line, if many unfinished Chinese lines have the same width: a notice that is wrapped in a
    document whose other paragraphs are not. 0 if there are none."""
    widths = [_columns(piece.text) for run in runs for piece in run[:-1]]
    widest = max(widths, default=0)
    full = sum(width >= widest - _RAGGED for width in widths)
    return widest if widest >= _MIN_COLUMNS and full >= max(_MIN_FULL, len(widths) / 2) else 0


def _columns(text: str) -> int:
    """The width of a line: a Chinese character is twice as wide as a letter."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _runs(pieces: Sequence[Piece], width: int) -> list[list[Piece]]:
    """Neighbouring lines of one language, each without an end mark except the last."""
    runs: list[list[Piece]] = []
    previous: Piece | None = None
    for piece in pieces:
        if previous and piece.language == previous.language and _may_continue(previous, piece, width):
            runs[-1].append(piece)
        else:
            runs.append([piece])
        previous = piece
    return runs


def _may_continue(above: Piece, below: Piece, width: int) -> bool:
    if below.line != above.line + 1 or below.page != above.page or is_finished(above.text):
        return False
    if above.text.endswith((",", "，", "—")) or below.text[0] in "(（[【" or QUOTED_TERM.search(above.text):
        return False
    if find_numbering(below.text, below.language) or is_note(below.text):
        return False
    numbering = find_numbering(above.text, above.language)
    if numbering and numbering.style in STRUCTURE_STYLES and above.column <= below.column:
        return False  # the heading of an article
    if not numbering and is_finished(below.text) and is_heading(above.text, above.language):
        return _is_within(above, below)
    return not (width and len(above.text) < 0.75 * width <= len(below.text))


def _is_within(above: Piece, below: Piece) -> bool:
    """Whether the end of a line is certainly within a sentence."""
    if above.language == "en":
        first_word = re.split(r"\W", below.text, maxsplit=1)[0].lower()
        return below.text[0].islower() or breaks_off(above.text) or first_word in _TITLE_WORDS
    first, second = to_simplified(above.text[-1:]), to_simplified(below.text[:2])
    if (
        len(above.text) >= _MIN_CLAUSE
        and re.search("[，；]", above.text)
        and find_numbering(above.text, "zh")
    ):
        return True  # running text, no title and no row of a list
    return bool(_ENDS_WITHIN.search(first) or _BEGINS_WITHIN.match(second))


def _is_one_paragraph(run: Sequence[Piece]) -> bool:
    return all(_is_within(*neighbours) for neighbours in pairwise(run))


def _are_neighbours(run: Sequence[Piece], other: Sequence[Piece]) -> bool:
    """Whether one run begins on the line after the other."""
    return other[0].line == run[-1].line + 1 or run[0].line == other[-1].line + 1


def _is_indented_start(run: Sequence[Piece]) -> bool:
    """Whether the first line is a numbered one that is indented from the next, as paragraphs of laws are."""
    first, second = run[:2]
    numbering = find_numbering(first.text, first.language)
    return numbering is not None and numbering.text_start > 0 and first.column > second.column
