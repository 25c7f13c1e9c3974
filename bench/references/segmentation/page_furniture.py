"""Pieces that are no text of the document: page numbers, running headers and footers, another document's title."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice

from bench.languages import Language
from bench.references.segmentation.blocks import ORNAMENT, alternating, ended, headinglike
from bench.references.segmentation.numbering import numbering
from bench.references.segmentation.pieces import Piece

_PAGE_NUMBER = re.compile(
    r"[-–—·|/\s]*(\d{1,3})[-–—·|\s]*(?:(?:/|of)\s*\d{1,3})?|[Pp]age\s+(\d+)(?:\s+of\s+\d+)?|第\s*(\d+)\s*页.*"
)
_SPEECH = {
    "en": re.compile(r"^(Remarks|Statement|(Keynote )?Speech|Address|Message|Toast)\b.*\bby\b"),
    "zh": re.compile(r"^(?!在|—).*在.*上的(主旨)?(致辞|讲话|发言|演讲|声明)$"),
}
_MOST_RISING = 0.7
"""Of the lines that look like page numbers, at least so many must rise through the document."""


def no_text(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Which pieces are no text of the document -> why. Recognised by repetition and position alone."""
    dropped = _ornaments(pieces)
    dropped |= _page_numbers(pieces)
    dropped |= _running(pieces, dropped)
    return dropped | _foreign_titles([piece for piece in pieces if piece not in dropped])


def _ornaments(pieces: Sequence[Piece]) -> dict[Piece, str]:
    return {p: ORNAMENT for p in pieces if not re.search(r"\w", p.text.replace("_", ""))}


def _page_numbers(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Lines of nothing but a number, if numbers of that form rise through the document as pages do."""
    forms: dict[tuple[str, str], list[tuple[Piece, int]]] = defaultdict(list)
    for piece in pieces:
        text = unicodedata.normalize("NFKC", piece.text)
        if len(text) <= 40 and (found := _PAGE_NUMBER.fullmatch(text)):
            number = int(next(group for group in found.groups() if group))
            forms[piece.language, re.sub(r"\d+", "#", text)].append((piece, number))
    return {
        piece: "page number"
        for found in forms.values()
        if _rising([number for _, number in found]) >= _MOST_RISING * len(found)
        for piece, _ in found
    }


def _rising(numbers: Sequence[int]) -> int:
    """How many of them make the longest sequence that rises."""
    ends: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)


def _running(pieces: Sequence[Piece], dropped: Mapping[Piece, str]) -> dict[Piece, str]:
    """Headers and footers: the same short line at page edges, three times or more (two, where it cuts a sentence)."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        short = len(piece.text) <= 150 and piece not in dropped
        if short and not re.search(r"[.。；;：:，,]$", piece.text) and (bare := _bare(piece.text)):
            groups[piece.language, bare].append(index)
    # Where pages are paragraphs, each line stands at an edge.
    telling = not alternating(pieces)
    order = _Order(pieces)
    furniture = {i for i, piece in enumerate(pieces) if piece in dropped}
    found: dict[Piece, str] = {}
    for _ in range(2):  # the second line of a header stands beside the first
        for indexes in groups.values():
            numbered = numbering(pieces[indexes[0]].text, pieces[indexes[0]].language)
            if len(indexes) < 2 or (numbered and numbered.number):
                continue
            edges = sum(_at_edge(pieces, i, furniture) for i in indexes) if telling else 0
            paged = len(indexes) >= 3 and edges >= len(indexes) - 1
            if paged or any(order.cuts(i) for i in indexes):
                titles = _titles(pieces, indexes)
                found.update({pieces[i]: "running header or footer" for i in indexes if i not in titles})
        furniture.update(i for i, piece in enumerate(pieces) if piece in found)
    return found


def _titles(pieces: Sequence[Piece], indexes: Sequence[int]) -> set[int]:
    """Which of them are the title itself, that the other pages repeat as their header.

    Where most carry a page number, those that do not. Else the first, if it stands first in its language and is not a
    short form of the line behind it.
    """
    bare = {i for i in indexes if not re.search(r"\d", pieces[i].text)}
    if len(bare) < len(indexes) / 2:
        return bare
    language = pieces[indexes[0]].language
    start = list(islice((p for p in pieces if p.language == language), 2))
    if start[0] != pieces[indexes[0]]:
        return set()
    words = [{w.casefold() for w in re.findall(r"[A-Za-z]+|[^\W\d_]", p.text)} for p in start]
    return set() if len(words) == 2 and words[0] < words[1] else {indexes[0]}


def _bare(text: str) -> str:
    """What stays the same in a header from page to page: its letters; a document's symbol where there are none."""
    letters = re.sub(r"[\W\d_]+", "", text).casefold()
    symbols = re.findall(r"\d+(?:[-/.]\d+)+", text)
    return letters or (max(symbols, key=len)[:-1] if symbols and len(text.split()) <= 3 else "")


def _at_edge(pieces: Sequence[Piece], index: int, furniture: set[int]) -> bool:
    """Whether a page begins or ends here: beside it is another page, the other language, other furniture or the end."""
    for beside in (index - 1, index + 1):
        if not 0 <= beside < len(pieces) or beside in furniture:
            return True
        one, two = pieces[beside], pieces[index]
        if one.language != two.language or one.page != two.page:
            return True
    return False


class _Order:
    """Finds what stands before and after a piece in its own language; a class, because it keeps the order."""

    def __init__(self, pieces: Sequence[Piece]):
        self._pieces = pieces
        self._of: dict[Language, list[int]] = {"zh": [], "en": []}
        for index, piece in enumerate(pieces):
            self._of[piece.language].append(index)

    def cuts(self, index: int) -> bool:
        """Whether the line stands in the middle of a sentence of its own language."""
        language = self._pieces[index].language
        same = self._of[language]
        at = bisect_left(same, index)
        if not 0 < at < len(same) - 1 or not headinglike(self._pieces[index].text, language):
            return False
        lines = [self._pieces[i].line for i in same[at - 1 : at + 2]]
        if lines[2] - lines[0] == 2:
            return False  # a line of a paragraph that stands more than once
        before, after = self._pieces[same[at - 1]].text, self._pieces[same[at + 1]].text
        if ended(before) or headinglike(before, language):
            return False
        return after[0].islower() if language == "en" else not headinglike(after, "zh")


def _foreign_titles(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """The title of a speech by someone, in both languages, between the cover's title and the title page's.

    The narrowest rule that is sound: a subtitle (——在…上的讲话) names no speaker of its own and an issuing body or a
    date is no speech, so both stay. Anything wider has to be said by hand (`leave_out` in overrides.yaml).
    """
    found: dict[Language, list[Piece]] = {"zh": [], "en": []}
    for language, hits in found.items():
        front: list[Piece] = []
        for piece in pieces:
            if piece.language == language:
                if ended(piece.text):
                    break
                front.append(piece)
        texts = [p.text for p in front]
        if texts and texts[0] in texts[1:]:
            between = front[1 : texts.index(texts[0], 1)]
            hits += [p for p in between if _SPEECH[language].search(p.text) and texts.count(p.text) == 1]
    if len(found["zh"]) != len(found["en"]):
        return {}
    return {p: "header of another document" for hits in found.values() for p in hits}
