"""The structure of a text of several lines: headings, items, notes, table cells and paragraphs; and what becomes of
them in a translation: kept on a line of its own, merged into another line, or lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import Literal

from rapidfuzz import fuzz

from bench.facts import find
from bench.facts.mention import Section
from bench.languages import Language

Kind = Literal["heading", "item", "note", "cell", "paragraph"]
Fate = Literal["kept", "merged", "lost", "without number"]

_NUMERAL = "[一二三四五六七八九十百〇零0-9０-９]{1,5}"
_NUMBER = re.compile(
    rf"\s*(?:[（(]\s*(?:{_NUMERAL}|[A-Za-z]{{1,5}})\s*[）)]|{_NUMERAL}\s*[、．）)：:]|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{0,3}}\.?\s"
    rf"|[A-Za-z]{{1,4}}[.)）]\s|[①-⑳㈠-㈩⑴-⒇]|第\s*{_NUMERAL}\s*[条章节编款项部]"
    r"|(?:Article|Chapter|Section|Part|Paragraph|Annex|Item)\s+[0-9IVXLC]+\b)",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\s*(?:注\s*[：:0-9]|备注|附注|说明：|Notes?\b\s*[:.0-9]|N\.B\.|[*†‡]|\[\d{1,3}\])", re.IGNORECASE
)
_CELLS = re.compile(r"[\t|]")
_SENTENCE_END = re.compile(r"[。！？；;.!?：:][”’\"')）]*\s*$")
_HEADING_CHARACTERS: dict[Language, int] = {"zh": 30, "en": 90}

_SHORT = 90
"""Characters of a part that a line can hold beside others without being noticeably longer."""
_LOST, _ADDED, _MERGED = 0.3, 0.35, 0.1
"""Costs of a part without a line, of a line without a part, and of each further part on a line. One part on one line
costs at most 0.6 if no numbers disagree, so that it is never taken for one lost and one added."""
_MAX_MERGED = 6
"""Parts on one line, unless the whole text is on one."""
_MORE_LINES = 200
"""Lines that are looked at beyond twice the expected ones: a system that repeats itself writes thousands."""
_BAND = 20
"""How far from its expected place a line is looked for, beyond the difference in the number of lines."""


@dataclass(frozen=True, slots=True)
class Part:
    """A line, or a cell of a table."""

    kind: Kind
    text: str


def parts(text: str, language: Language) -> list[Part]:
    """The lines of a text that are not empty. A line of a table gives its cells."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in _CELLS.split(line.strip().strip("|")) if cell.strip(" -:|")]
        if len(cells) > 1:
            found += [Part("cell", cell) for cell in cells]
        elif cells:
            found.append(Part(_kind(line.strip(), language), line.strip()))
    return found


def _kind(line: str, language: Language) -> Kind:
    if _NOTE.match(line):
        return "note"
    if len(line) <= _HEADING_CHARACTERS[language] and not _SENTENCE_END.search(line):
        return "heading"
    return "item" if _NUMBER.match(line) else "paragraph"


def expected_parts(source: str, reference: str, target: Language) -> list[Part]:
    """The parts of the reference, if the source is divided in the same way; none of a single line. Where the two
    disagree on the kind, it is a paragraph."""
    sources, references = parts(source, "zh" if target == "en" else "en"), parts(reference, target)
    if len(sources) != len(references) or len(references) < 2:
        return []
    return [
        part if part.kind == other.kind else Part("paragraph", part.text)
        for other, part in zip(sources, references, strict=True)
    ]


def fates(expected: Sequence[Part], hypothesis: str, target: Language) -> list[Fate]:
    """What became of each part."""
    most = 2 * len(expected) + _MORE_LINES
    lines = [part.text for part in parts(hypothesis, target)[:most]]
    places = _places(
        [_Line.of(part.text, target) for part in expected], [_Line.of(line, target) for line in lines]
    )
    result: list[Fate] = []
    for part, place in zip(expected, places, strict=True):
        if place is None:
            result.append("lost")
        elif places.count(place) > 1:
            result.append("merged")
        elif part.kind == "item" and _NUMBER.match(part.text) and not _NUMBER.match(lines[place]):
            result.append("without number")
        else:
            result.append("kept")
    return result


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    numbers: frozenset[int]
    """What the number at its beginning may be: (i) is 1 and 9."""

    @classmethod
    def of(cls, text: str, language: Language) -> _Line:
        beginning = (mention for mention in find(text[:20], language) if mention.start <= 1)
        readings = (reading for mention in beginning for reading in mention.readings)
        return cls(text, frozenset(reading.number for reading in readings if isinstance(reading, Section)))


def _places(expected: Sequence[_Line], lines: Sequence[_Line]) -> list[int | None]:
    """The line of each part, in order; None if it has none. Dynamic programming over costs: see `_LOST`."""
    if not lines:
        return [None] * len(expected)
    if len(lines) == 1:
        return [0] * len(expected)
    count, width = len(expected), len(lines)
    reach = abs(count - width) + _BAND
    best: dict[tuple[int, int], tuple[float, int]] = {(0, 0): (0.0, 0)}
    # (parts, lines) done -> cost, and the last move: the number of parts on the last line; -1: a part is lost; 0: a
    # line is added.
    for i in range(count + 1):
        for j in range(max(0, i - reach), min(width, i + reach) + 1):
            if i or j:
                best[i, j] = min(_moves(best, i, j, expected, lines), default=(inf, 0))
    places: list[int | None] = []
    i, j = count, width
    while i or j:
        move = best[i, j][1]
        places += [j - 1] * move if move > 0 else [None] * -move
        i, j = (i - max(1, move), j - (move > 0)) if move else (i, j - 1)
    return places[::-1]


def _moves(
    best: Mapping[tuple[int, int], tuple[float, int]],
    i: int,
    j: int,
    expected: Sequence[_Line],
    lines: Sequence[_Line],
) -> Iterator[tuple[float, int]]:
    """The cost of each way to have done `i` parts and `j` lines, and its last move."""
    if previous := best.get((i - 1, j)):
        yield previous[0] + _LOST, -1
    if previous := best.get((i, j - 1)):
        yield previous[0] + _ADDED, 0
    for merged in range(1, min(_MAX_MERGED, i) + 1):
        if previous := best.get((i - merged, j - 1)):
            yield previous[0] + _cost(expected[i - merged : i], lines[j - 1]), merged


def _cost(group: Sequence[_Line], line: _Line) -> float:
    """Of these parts on this line: unlike wording, unlike length, another number, and short parts that the line does
    not show."""
    text = " ".join(part.text for part in group)
    mismatch = min(1.0, abs(log(len(line.text) / len(text))))
    cost = 0.35 * (1 - fuzz.ratio(text, line.text) / 100)
    if group[0].numbers and line.numbers:
        cost += 0.2 if group[0].numbers.isdisjoint(line.numbers) else -0.1
    if len(group) == 1:
        return cost + 0.25 * mismatch
    if mismatch > 0.65:  # half of it, or twice as long
        return inf
    small = min(_SHORT, len(line.text) / 2)
    hidden = sum(
        1 - fuzz.partial_ratio(part.text, line.text) / 100 for part in group if len(part.text) < small
    )
    return cost + 0.6 * mismatch + 0.65 * hidden + _MERGED * (len(group) - 1)
