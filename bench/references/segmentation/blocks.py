"""Pieces -> blocks: paragraphs and headings, joined where a line end or a page end has cut them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from bench.languages import Language
from bench.references.segmentation.line_runs import QUOTED_TERM, alternates_by_paragraph, find_continued_lines
from bench.references.segmentation.line_shapes import (
    breaks_off,
    has_sentence_break,
    is_finished,
    is_heading,
    is_note,
    looks_like_heading,
)
from bench.references.segmentation.numbering import STRUCTURE_STYLES, WEAK_STYLES, find_numbering
from bench.references.segmentation.pieces import DEFINED_TERM, Piece

ORNAMENT = "ornament"
"""The reason why a line without letters and digits is left out."""
ANCHOR_LINE = "anchor of a web page"
"""The reason why the id of an element is left out."""

_WRAPPED_WIDTHS: dict[Language, tuple[int, int]] = {"zh": (18, 60), "en": (50, 130)}
"""Characters in a line of wrapped text, at least and at most: shorter lines are rows of a list."""
_MAX_LAST_HEADING = 16
"""Characters: a longer numbered line at the end of a page is not a heading but the start of a paragraph."""
_MIN_ITEM_WIDTH = 14
"""Characters in a full line of an indented item."""
_MAX_INDENT = 10
"""Columns by which the first line of a paragraph may be indented."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading. Text from different source lines is joined by a line break."""

    language: Language
    text: str
    starts: tuple[int, ...]
    """Offset in `text` where each source line begins."""
    lines: tuple[int, ...]
    """Source line numbers from 1, parallel to `starts`."""

    def lines_of(self, start: int, end: int) -> tuple[int, ...]:
        """The source lines that hold text[start:end]."""
        return self.lines[bisect_right(self.starts, start) - 1 : bisect_right(self.starts, end - 1)]


def join_pieces(pieces: Sequence[Piece], dropped: Mapping[Piece, str], language: Language) -> list[Block]:
    """The blocks of one language in reading order; `dropped` pieces are skipped."""
    groups: list[list[Piece]] = []
    layout = _measure_layout(pieces, dropped, language)
    current = 0  # the block that the last line was added to
    interrupted: int | None = None  # a block cut by notes at the page end, that may continue on the next page
    is_new_page, page, has_running_text = True, 0, False
    for piece in pieces:
        is_new_page = is_new_page or piece.page != page
        page = piece.page
        if piece in dropped or piece.language != language:
            if dropped.get(piece) not in (
                ORNAMENT,
                ANCHOR_LINE,
            ):  # a rule separates the notes from the text of the same page
                is_new_page = is_new_page or piece in dropped or not layout.alternates
            continue
        if interrupted is not None and is_new_page:
            if is_finished(groups[-1][-1].text) and _continues(
                groups[interrupted], piece, True, has_running_text, layout
            ):
                current = interrupted
            interrupted = None
        if groups and _continues(groups[current], piece, is_new_page, has_running_text, layout):
            groups[current].append(piece)
        else:
            if groups and not is_new_page and _is_interrupted(groups[current], piece):
                interrupted = current
            current = len(groups)
            groups.append([piece])
        has_running_text = is_finished(piece.text) or (has_running_text and not is_new_page)
        is_new_page = False
    return [_block(group, language) for group in groups]


def _block(group: Sequence[Piece], language: Language) -> Block:
    ends = accumulate(len(piece.text) + 1 for piece in group)
    return Block(
        language,
        "\n".join(piece.text for piece in group),
        starts=(0, *ends)[: len(group)],
        lines=tuple(piece.line for piece in group),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a document sets the text of one language."""

    width: int
    """Characters in a full line of running text; 0 if each paragraph is one line."""
    margin: int
    """The first column in which many lines begin. The first lines of paragraphs are indented from it."""
    alternates: bool
    """The languages alternate by paragraph, so a change of language is not a page end."""
    continued: frozenset[Piece]
    """Lines of a title or a notice that continue the line above: see find_continued_lines."""
    bilingual: frozenset[int]
    """Source lines with a text in each language, the one beside the other."""


def _measure_layout(pieces: Sequence[Piece], dropped: Mapping[Piece, str], language: Language) -> _Layout:
    # Lines of a table of contents are often twice as long as those of the text.
    own = [piece for piece in pieces if piece.language == language and piece not in dropped]
    followed = [piece for piece, following in pairwise(own) if following.line == piece.line + 1]
    width, margin = 0, 0
    if followed:
        widths = sorted(len(piece.text) for piece in followed)
        width = widths[int(0.9 * (len(widths) - 1))]
        full = [piece for piece in followed if len(piece.text) >= 0.75 * width]
        narrowest, widest = _WRAPPED_WIDTHS[language]
        if not narrowest <= width <= widest or sum(is_finished(piece.text) for piece in full) > len(full) / 2:
            width = 0
        columns = Counter(piece.column for piece in own)
        margin = min((column for column, count in columns.items() if count >= 0.1 * len(own)), default=0)
    alternates = alternates_by_paragraph(pieces)
    bilingual = frozenset(
        piece.line
        for piece, following in pairwise(pieces)
        if piece.line == following.line and piece.language != following.language
    )
    continued = find_continued_lines(pieces, language, width, alternates)
    return _Layout(width, margin, alternates, continued, bilingual)


def _is_interrupted(group: Sequence[Piece], following: Piece) -> bool:
    """Whether a block stops in mid-sentence before `following`. A clause of a preamble may end in a comma."""
    text, language = group[-1].text, group[-1].language
    numbering = find_numbering(group[0].text, language)
    if is_finished(text) or text.endswith((",", "，")):
        return False
    if numbering and not numbering.text_start and len(group) == 1:
        return False
    if (language == "en" and breaks_off(text)) or not is_heading(text, language):
        return True
    # A line that looks like a numbered heading may be the first line of a paragraph if a note follows it.
    return (
        numbering is not None
        and len(text) - numbering.text_start > _MAX_LAST_HEADING
        and is_note(following.text)
    )


def _continues(
    group: Sequence[Piece], piece: Piece, is_new_page: bool, has_running_text: bool, layout: _Layout
) -> bool:
    """Whether `piece` continues the block `group`.

    `is_new_page`: a page ends between them. `has_running_text`: there is running text on the page where
    `group` ends.
    """
    last_piece, language = group[-1], piece.language
    # Only the start and the end matter; a block may have thousands of lines.
    text = "\n".join(p.text for p in (group if len(group) <= 6 else [*group[:3], *group[-3:]]))
    is_next_line = piece.line == last_piece.line + 1 and not is_new_page
    is_full = bool(layout.width) and (
        len(last_piece.text) >= 0.75 * layout.width or (language == "zh" and _fills_item(group))
    )
    number, group_number = find_numbering(piece.text, language), find_numbering(text, language)
    is_complete = is_finished(text)
    if number and number.style in WEAK_STYLES and is_next_line and is_full and not is_complete:
        number = None
    if group_number and not group_number.text_start:  # "Article 1" on a line of its own
        if number and number.number:
            return group_number.style == "article" and number.style not in STRUCTURE_STYLES
        return not is_new_page or is_next_line or not is_heading(piece.text, language)
    if is_note(piece.text) and not (is_next_line and is_full):
        return False
    if is_next_line and not is_full and not is_complete and _is_term(group):
        return False
    if is_next_line and {last_piece.line, piece.line} <= layout.bilingual:
        return False  # rows of a table in two languages
    is_after_gap = is_complete or not is_next_line or text.endswith(("—", "–"))
    if is_after_gap and DEFINED_TERM[language].match(piece.text):
        return False  # the next definition
    has_plain_number = number is not None and number.style not in STRUCTURE_STYLES
    if language == "en" and not is_complete and breaks_off(text) and not has_plain_number:
        return True  # "set out in / Annex I."
    if number and number.number:
        return is_next_line and is_full and not number.text_start and number.style == "digit"  # "p. / 4."
    if is_complete:
        is_aligned = piece.column <= last_piece.column + 1 and last_piece.column <= layout.margin + 4
        return is_next_line and is_full and is_aligned
    if language == "en" and piece.text[0].islower():
        if is_next_line and QUOTED_TERM.search(text) and len(group) == 1:
            return False
        is_item = layout.alternates and piece.line > last_piece.line + 1 and text.endswith(",")
        is_introduction = text.endswith(("—", "–")) and piece.line > last_piece.line + 1  # "In this Part—"
        # Where each paragraph is one line, a gap parts the cells of a table.
        is_cell = not layout.width and not is_new_page and piece.line > last_piece.line + 1
        return (
            not is_item and not is_introduction and not is_cell
        )  # items, each with its translation below it
    if (
        language == "zh"
        and is_next_line
        and (text.endswith("、") or _closes_bracket(last_piece.text, piece.text))
    ):
        return True
    if language == "zh" and re.match(r"[，、。；：！？）》”’」』】]", piece.text):
        return True
    if not is_new_page:
        is_same_title = _is_second_title_line(text, piece.text)
        is_same_column = piece.column == last_piece.column > layout.margin and not text.endswith((",", "，"))
        is_running = _are_running_text(group, piece, layout) or is_same_title or is_same_column
        return is_next_line and ((is_full and is_running) or piece in layout.continued)
    heading = is_heading(text, language)
    is_wide = len(last_piece.text) >= 0.9 * layout.width
    if is_full and (len(group) > 1 or is_wide) and _are_running_text(group, piece, layout):
        return True
    if language == "en":
        # A clause of a preamble ends in a comma too, but it has no number and no second sentence.
        is_running = bool(group_number) or has_sentence_break(text)
        return not heading and (is_running or not text.endswith(","))
    if group_number and group_number.style == "article" and last_piece.column > piece.column:
        return is_finished(
            piece.text
        )  # the first line of an article is indented, its heading is above a paragraph
    if group_number and group_number.number and heading:
        return has_running_text and len(text[group_number.text_start :]) > _MAX_LAST_HEADING
    if text.endswith(("，", ",")):
        return has_running_text
    # A heading is never the last line of a page of running text.
    return not looks_like_heading(text, "zh") or (has_running_text and not is_heading(piece.text, "zh"))


def _are_running_text(group: Sequence[Piece], piece: Piece, layout: _Layout) -> bool:
    """Whether both are lines of running text: a centred line is far from the margin."""
    last_piece = group[-1]
    if len(group) == 1 and piece.column >= last_piece.column > layout.margin + 1:
        return False  # two paragraphs with the same indent
    return (
        piece.column <= min(layout.margin + 4, last_piece.column + 1)
        and last_piece.column <= layout.margin + _MAX_INDENT
    )


def _fills_item(group: Sequence[Piece]) -> bool:
    """Whether the last line of a numbered item is as wide as the others: items are narrower where they are indented."""
    numbering = find_numbering(group[0].text, "zh") if len(group) > 1 else None
    if not numbering or not numbering.text_start:
        return False
    later = group[1:] if len(group) <= 6 else group[-5:]  # a block may have thousands of lines
    widths = [len(group[0].text) - numbering.text_start, *(len(piece.text) for piece in later)]
    return widths[-1] >= _MIN_ITEM_WIDTH and widths[-1] >= 0.85 * max(widths)


def _is_term(group: Sequence[Piece]) -> bool:
    """Whether a block is the number and the term of a definition, on a line each, as standards set them: 2.1 / term /
    definition."""
    numbering = find_numbering(group[0].text, group[0].language) if len(group) == 2 else None
    return numbering is not None and numbering.style == "decimal" and not numbering.text_start


def _closes_bracket(text: str, following: str) -> bool:
    """Whether a bracket is open at the end of a line, and the next line closes it."""
    return any(
        text.rfind(opening) > text.rfind(closing) and 0 <= following.find(closing) < 60
        for opening, closing in ("()", "（）", "《》", "“”", "「」")
    )


def _is_second_title_line(text: str, following: str) -> bool:
    """Whether `following` is the second line of a centred title or note."""
    has_open_bracket = any(text.count(a) > text.count(b) for a, b in ("()", "（）", "《》"))
    return has_open_bracket or (text.isupper() and following.isupper())
