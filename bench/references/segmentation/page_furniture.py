"""Pieces that are not running text: ornaments, page numbers, running headers and footers, another document's
title."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise

from bench.languages import Language
from bench.references.reading.anchors import ANCHOR
from bench.references.script import to_simplified
from bench.references.segmentation.blocks import ANCHOR_LINE, ORNAMENT
from bench.references.segmentation.line_runs import alternates_by_paragraph
from bench.references.segmentation.line_shapes import is_finished, looks_like_heading
from bench.references.segmentation.numbering import STRUCTURE_STYLES, find_numbering
from bench.references.segmentation.pieces import Piece

_PAGE_NUMBER = re.compile(
    r"[-–—·|/\s]*(\d{1,3})[-–—·|\s]*(?:(?:/|of)\s*\d{1,3})?|[Pp]age\s+(\d+)(?:\s+of\s+\d+)?|第\s*(\d+)\s*页.*"
    r"|页\s*(\d+)(?:\s*(?:of|/|共)\s*\d+)?"
)
_OFFICE = re.compile("(?:部|厅|局|署|司|处|院|委|办公室|委员会|使馆|领馆|秘书处|公司)$")
"""The end of an office's name."""
_SPEECH_TITLE: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"^(Remarks|Statement|(Keynote )?Speech|Address|Message|Toast)\b.*\bby\b"),
    "zh": re.compile(r"^(?!在|—).*在.*上的(主旨)?(致辞|讲话|发言|演讲|声明)$"),
}
HEADER = "running header or footer"
_MIN_RISING_SHARE = 0.7
"""Of the lines that look like page numbers, at least this share must rise through the document."""


def find_page_furniture(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Piece -> reason, for the pieces that are not running text. Recognised by repetition and position
    alone."""
    dropped = _ornaments(pieces)
    dropped |= {piece: ANCHOR_LINE for piece in pieces if ANCHOR.fullmatch(piece.text)}
    dropped |= _contents_lines(pieces)
    dropped |= _page_numbers([piece for piece in pieces if piece not in dropped])
    dropped |= _running_headers(pieces, dropped)
    dropped |= _changing_heads(pieces, dropped)
    return dropped | _foreign_titles([piece for piece in pieces if piece not in dropped])


def _ornaments(pieces: Sequence[Piece]) -> dict[Piece, str]:
    return {piece: ORNAMENT for piece in pieces if not re.search(r"\w", piece.text.replace("_", ""))}


_LEADERS = re.compile(r"(?:[.．·…‥]\s?){4,}\s*(?:[A-Z]?\d{1,4}|[ivxlIVXL]{1,6})?$")
_CONTENTS = re.compile("目录|目次|(table ?of ?)?contents", re.IGNORECASE)
_TAB_AND_PAGE = re.compile(r"\S(?:\t+| {4,})(?:\d{1,4}|[ivxl]{1,6})$")


def _contents_lines(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Lines of a table of contents: dot leaders, or a tab and a page number on two lines in turn; below its title,
    lines with page numbers that the document repeats as headings."""
    lines = {piece for piece in pieces if len(piece.text) <= 300 and _LEADERS.search(piece.text[-150:])}
    tabbed = [piece for piece in pieces if len(piece.text) <= 300 and _TAB_AND_PAGE.search(piece.text[-40:])]
    for first, second in pairwise(tabbed):
        numbers = [
            int(number) if (number := piece.text.split()[-1]).isdigit() else 0 for piece in (first, second)
        ]
        if second.line - first.line <= 3 and numbers[0] <= numbers[1]:
            lines |= {first, second}
    titles = 0
    for index, piece in enumerate(pieces):
        if (
            titles < _MAX_CONTENTS
            and len(piece.text) <= 40
            and _CONTENTS.fullmatch(to_simplified("".join(piece.text.split())))
        ):
            titles += 1
            own = [later for later in pieces[index + 1 :] if later.language == piece.language]
            entries = _repeated_lines(own)
            lines.update(entries)
            if entries or (own and own[0] in lines):
                lines.add(piece)
    return dict.fromkeys(sorted(lines, key=lambda piece: piece.line), "line of a table of contents")


def _repeated_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """The first pieces, if each of them comes again later as a heading, and most have a page number; at least two."""
    keys = [_entry_key(piece.text) for piece in pieces]
    last = {key: index for index, key in enumerate(keys)}
    for index, (key, following) in enumerate(pairwise(keys)):  # "Chapter I" / "General Provisions"
        last.setdefault(key + following, index)
    entries: list[Piece] = []
    seen: set[str] = set()
    for index, (piece, key) in enumerate(zip(pieces, keys, strict=True)):
        if not key or key in seen or last[key] <= index:
            break
        entries.append(piece)
        seen.add(key)
    with_pages = sum(bool(_ENTRY_PAGE.search(piece.text)) for piece in entries)
    return entries if with_pages >= max(_MIN_ENTRIES, len(entries) / 2) else []


_MIN_ENTRIES = 2
_MAX_CONTENTS = 10
"""Titles of tables of contents in a document."""
_ENTRY_PAGE = re.compile(r"[\s.．·…‥]+(?:\d{1,4}|[ivxl]{1,6})$")


def _entry_key(text: str) -> str:
    """The letters of a heading, without the page number that a table of contents adds."""
    letters = re.sub(r"[\W_]+", "", _ENTRY_PAGE.sub("", text[:200]))
    return to_simplified(letters).casefold()


def _page_numbers(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Lines with nothing but a number, if the numbers of that form rise through the document as page numbers
    do."""
    forms: dict[tuple[str, str], list[tuple[Piece, int]]] = defaultdict(list)
    for piece in pieces:
        text = unicodedata.normalize("NFKC", to_simplified(piece.text))
        if len(text) <= 40 and (match := _PAGE_NUMBER.fullmatch(text)):
            number = int(next(group for group in match.groups() if group))
            forms[piece.language, re.sub(r"\d+", "#", text)].append((piece, number))
    return {
        piece: "page number"
        for candidates in forms.values()
        if _longest_rise([number for _, number in candidates]) >= _MIN_RISING_SHARE * len(candidates)
        for piece, _ in candidates
    }


def _longest_rise(numbers: Sequence[int]) -> int:
    """The length of the longest strictly increasing subsequence."""
    ends: list[int] = []
    for number in numbers:
        position = bisect_left(ends, number)
        ends[position : position + 1] = [number]
    return len(ends)


def _running_headers(pieces: Sequence[Piece], dropped: Mapping[Piece, str]) -> dict[Piece, str]:
    """Headers and footers: the same short line at page edges, at least three times (two if it interrupts a
    sentence)."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        is_short = len(piece.text) <= 150 and piece not in dropped
        if is_short and not re.search(r"[.。；;：:，,]$", piece.text) and (key := _header_key(piece.text)):
            groups[piece.language, key].append(index)
    # If the languages alternate by paragraph, every line is at an edge.
    edges_count = not alternates_by_paragraph(pieces)
    order = _LanguageOrder(pieces)
    furniture = {index for index, piece in enumerate(pieces) if piece in dropped}
    headers: dict[Piece, str] = {}
    for _ in range(2):  # the second line of a header is next to the first
        for indexes in groups.values():
            numbering = find_numbering(pieces[indexes[0]].text, pieces[indexes[0]].language)
            if len(indexes) < 2 or (numbering and numbering.number):
                continue
            edges = sum(_is_at_page_edge(pieces, i, furniture) for i in indexes) if edges_count else 0
            is_on_pages = len(indexes) >= 3 and edges >= len(indexes) - 1
            if is_on_pages or any(order.interrupts_sentence(i) for i in indexes):
                titles = _titles(pieces, indexes)
                headers.update({pieces[i]: HEADER for i in indexes if i not in titles})
        furniture.update(index for index, piece in enumerate(pieces) if piece in headers)
    return headers


def _changing_heads(pieces: Sequence[Piece], dropped: Mapping[Piece, str]) -> dict[Piece, str]:
    """Bare numbers below a running header: the schedule and the section that a page begins with."""
    texts = {piece.text for piece, reason in dropped.items() if reason == HEADER}
    # The title counts as well, which is equal to the header and stays.
    lines = sorted({piece.line for piece in pieces if piece.text in texts})
    if len(lines) < _MIN_PAGES:
        return {}
    heads: dict[int, list[Piece]] = {line: [] for line in lines}
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        start = bisect_left(pieces, line + 1, key=lambda piece: piece.line)
        if start < len(pieces) and pieces[start].line == following:
            del heads[line]  # the header has another line
            continue
        for piece in pieces[start : start + _MAX_HEADS]:
            if piece.line == following or not _is_bare_number(piece):
                break
            heads[line].append(piece)
    with_heads = sum(map(bool, heads.values()))
    if with_heads < max(_MIN_PAGES, _MIN_PAGE_SHARE * len(heads)):
        return {}
    return {piece: HEADER for page in heads.values() for piece in page}


def _is_bare_number(piece: Piece) -> bool:
    """Whether a line is nothing but numbers: Section 5, Schedule 2—Part 1."""
    numberings = [find_numbering(part, piece.language) for part in re.split("[—–]+", piece.text[:80])]
    return len(piece.text) < 80 and all(
        numbering is not None and not numbering.text_start and numbering.style in STRUCTURE_STYLES
        for numbering in numberings
    )


_MAX_HEADS = 6
"""Lines with numbers below a running header, in both languages together."""
_MIN_PAGES, _MIN_PAGE_SHARE = 3, 2 / 3
"""Pages with such lines, at least: a page may well begin with "Article 5"."""


def _titles(pieces: Sequence[Piece], indexes: Sequence[int]) -> set[int]:
    """Which of these equal lines are the title itself, which the other pages repeat as their header.

    If most of them have a page number: the ones without. Otherwise the first one, if it is the first line in
    its language and not a short form of the next line.
    """
    without_number = {i for i in indexes if not re.search(r"\d", pieces[i].text)}
    is_same = len({pieces[i].text for i in indexes}) == 1  # a year in a title is no page number
    if not is_same and len(without_number) < len(indexes) / 2:
        return without_number
    language = pieces[indexes[0]].language
    first_lines = list(islice((piece for piece in pieces if piece.language == language), 2))
    if first_lines[0] != pieces[indexes[0]]:
        return set()
    if _is_letterhead(pieces):
        return set()
    words = [{w.casefold() for w in re.findall(r"[A-Za-z]+|[^\W\d_]", piece.text)} for piece in first_lines]
    return set() if len(words) == 2 and words[0] < words[1] else {indexes[0]}


def _is_letterhead(pieces: Sequence[Piece]) -> bool:
    """Whether the first line of the Chinese names an office, as above the title of a notice."""
    first = next((piece for piece in pieces if piece.language == "zh"), None)
    return first is not None and bool(_OFFICE.search(to_simplified(first.text)))


def _header_key(text: str) -> str:
    """What a header has in common from page to page: its letters, or a document symbol if it has no
    letters."""
    letters = re.sub(r"[\W\d_]+", "", text).casefold()
    symbols = re.findall(r"\d+(?:[-/.]\d+)+", text)
    return letters or (max(symbols, key=len)[:-1] if symbols and len(text.split()) <= 3 else "")


def _is_at_page_edge(pieces: Sequence[Piece], index: int, furniture: set[int]) -> bool:
    """Whether a neighbour is on another page, in the other language or page furniture, or there is no
    neighbour."""
    piece = pieces[index]
    for neighbour in (index - 1, index + 1):
        if not 0 <= neighbour < len(pieces) or neighbour in furniture:
            return True
        if pieces[neighbour].language != piece.language or pieces[neighbour].page != piece.page:
            return True
    return False


class _LanguageOrder:
    """The pieces of each language in their order, to look up the neighbours of a piece in its own
    language."""

    def __init__(self, pieces: Sequence[Piece]):
        self._pieces = pieces
        self._indexes: dict[Language, list[int]] = {"zh": [], "en": []}
        for index, piece in enumerate(pieces):
            self._indexes[piece.language].append(index)

    def interrupts_sentence(self, index: int) -> bool:
        """Whether the line is in the middle of a sentence of its own language."""
        language = self._pieces[index].language
        same_language = self._indexes[language]
        position = bisect_left(same_language, index)
        if not 0 < position < len(same_language) - 1:
            return False
        if not looks_like_heading(self._pieces[index].text, language):
            return False
        previous, _, following = (self._pieces[i] for i in same_language[position - 1 : position + 2])
        if following.line - previous.line == 2:
            return False  # a line of a paragraph that occurs more than once
        if is_finished(previous.text) or looks_like_heading(previous.text, language):
            return False
        return (
            following.text[0].islower() if language == "en" else not looks_like_heading(following.text, "zh")
        )


def _foreign_titles(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """The title of somebody's speech, in both languages, between the title on the cover and on the title
    page.

    The narrowest rule that is sound: a subtitle (——在…上的讲话) names no speaker of its own, and an issuing
    body or a date is not a speech, so both stay. Anything wider must be named by hand (`leave_out` in
    overrides.yaml).
    """
    titles: dict[Language, list[Piece]] = {"zh": [], "en": []}
    for language, candidates in titles.items():
        front: list[Piece] = []
        for piece in pieces:
            if piece.language == language:
                if is_finished(piece.text):
                    break
                front.append(piece)
        texts = [piece.text for piece in front]
        if texts and texts[0] in texts[1:]:
            between = front[1 : texts.index(texts[0], 1)]
            candidates += [
                piece
                for piece in between
                if _SPEECH_TITLE[language].search(piece.text) and texts.count(piece.text) == 1
            ]
    if len(titles["zh"]) != len(titles["en"]):
        return {}
    return {piece: "header of another document" for candidates in titles.values() for piece in candidates}
