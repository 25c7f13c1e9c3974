"""Lines -> pieces: what one source line holds in one language, with its position and page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.languages import ADDRESS, DOCUMENT_HAN, LETTERS_PER_HAN, Language
from bench.progress import watch

FUNCTION_WORDS = frozenset(
    "a an the of in on at to for from by with and or nor but as that which who its their his her this these "
    "is are was were be been has have had will shall may must can not into between under than all".split()
)
"""English words that do not end a sentence: a line that ends in one of them continues on the next line."""

_SCRIPT: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(f"[{DOCUMENT_HAN}]"),
    "en": re.compile("[A-Za-z]"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """What one source line holds in one language."""

    language: Language
    text: str
    line: int
    """Source line, from 1."""
    column: int
    """Of the first character in its line, from 0."""
    page: int
    """The number of form feeds before it."""


def split_lines(source: str, language: Language | None = None) -> list[Piece]:
    """The pieces of a text in reading order. `language` is the text's language; None if it holds both.

    A line with both halves of a pair is split where the script changes. A line of nothing but digits and
    ornaments gets the language of the text before it.
    """
    pieces: list[tuple[Piece, bool]] = []
    page = 0
    lines = source.split("\n")
    for number, line in enumerate(watch("read", lines, len(lines), "lines"), 1):
        start = 0
        for part in [line] if language else _split_scripts(line):
            page += part.count("\f")
            text = part.strip()
            if text:
                column = start + part.index(text)
                words = ADDRESS.sub(" ", text)
                letters = len(re.findall(r"[^\W\d_]", words))  # of any script
                own_language = language or _majority_language(words, letters)
                pieces.append(
                    (
                        Piece(own_language, text, number, column, page),
                        bool((letters and not _LIST_NUMBER.fullmatch(text)) or language),
                    )
                )
            start += len(part)
    return _inherit_languages(pieces)


DEFINED_TERM: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(rf"[{DOCUMENT_HAN}][{DOCUMENT_HAN}\d、 ]{{0,40}}[(（][A-Za-z][\w’' -]{{0,60}}[)）]"),
    "en": re.compile(rf"[A-Za-z][\w’' -]{{0,60}} ?[(（][{DOCUMENT_HAN}\d、 ]{{1,40}}[)）]", re.ASCII),
}
"""A term with that of the other language in brackets: copy (文本)."""


def _majority_language(text: str, letters: int) -> Language:
    for language, pattern in DEFINED_TERM.items():
        if (term := pattern.match(text)) and not re.search(r"\w", text[term.end() :]):
            return language
    han = len(_SCRIPT["zh"].findall(text))
    return "zh" if LETTERS_PER_HAN * han > letters - han else "en"


def _inherit_languages(pieces: Sequence[tuple[Piece, bool]]) -> list[Piece]:
    """Give pieces without letters the language of the piece before them; at the start, of the first one with
    letters.

    The second value of each tuple says whether the piece's own language is certain.
    """
    language: Language = next((piece.language for piece, is_certain in pieces if is_certain), "en")
    result = []
    for index, (piece, is_certain) in enumerate(pieces):
        language = piece.language if is_certain else language
        if not is_certain and _LIST_NUMBER.fullmatch(piece.text):
            language = next(
                (later.language for later, is_later in pieces[index + 1 : index + 4] if is_later), language
            )
        result.append(replace(piece, language=language))
    return result


_LIST_NUMBER = re.compile(
    r"[(（](?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[)）]|(?:\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]|[ivx]{1,4})[.)．）、]|\d{1,2}(?:\.\d{1,2}){1,3}"
)
"""A line with nothing but the number of the paragraph that follows."""


def _split_scripts(line: str) -> list[str]:
    """The two halves of a line if one is English and the other Chinese, with what separates them; else [line].

    Both halves must look complete: an English sentence that ends in one Chinese word (…known as 和为贵), and
    a Chinese one with an acronym or digits in it, are not split. Lines of two columns are split, complete or not.
    """
    orders: tuple[tuple[Language, Language], ...] = (("zh", "en"), ("en", "zh"))
    for first, second in orders:
        start = number.end() if (number := _LINE_NUMBER.match(line)) else 0
        gap = _script_change(line, _SCRIPT[first], _SCRIPT[second], start, bool(start))
        if not gap:
            continue
        halves = {first: line[start : gap[0]].strip(), second: line[gap[1] :].strip()}
        words = re.findall(r"[A-Za-z][\w'’-]*", halves["en"])
        han = len(_SCRIPT["zh"].findall(halves["zh"]))
        is_title = han <= _MAX_TITLE and not re.search(r"[。！？]", halves["zh"]) and len(words) <= _MAX_TITLE
        is_wide = bool(re.search(r"\t|\s{3}", line[gap[0] : gap[1]])) and len(words) > 1
        is_pair = (
            han >= 2
            and (
                any(len(word) > 2 and not word.isupper() for word in words)
                or sum(len(word) > 2 for word in words) > 2
            )
            and (is_wide or not (words[-1].lower() in FUNCTION_WORDS and halves["en"].endswith(words[-1])))
            and (is_wide or words[0][0].isupper())
            and (
                is_wide
                or bool(re.search(r"[.!?]$", halves["en"])) == bool(re.search(r"[。！？.!?]$", halves["zh"]))
                or (is_title and halves["en"].endswith("."))
            )
            and 0.5 < sum(map(str.isalnum, halves["en"])) / han < 10
        )
        if is_pair:
            return [line[: gap[0]], line[gap[0] : gap[1]], line[gap[1] :]]
    return [line]


_LINE_NUMBER = re.compile(r"\s*(?:\d{1,3}(?:\.\d{1,3}){0,3}[.)、]?|[A-Za-z][.)]|[(（][\da-z]{1,4}[)）])\s+")
"""The number in front of a line with both languages."""
_SENTENCE_END = re.compile(r"[。！？!?.][”’」』）)]?")
_MAX_TITLE = 12
"""Han characters, and English words, of a title on a line with both languages."""


def _script_change(
    line: str, first: re.Pattern[str], second: re.Pattern[str], start: int, is_numbered: bool
) -> tuple[int, int] | None:
    """Start and end of the gap where line[start:] changes from the `first` script to the `second`, if it does so
    once. The halves of a numbered title may touch, and so may two sentences."""
    begin = second.search(line, start)
    if not begin or first.search(line, begin.start()):
        return None
    first_end = max((match.end() for match in first.finditer(line, start, begin.start())), default=0)
    between = line[first_end : begin.start()]
    if first_end and (re.fullmatch(r"[.:：]?", between) if is_numbered else _SENTENCE_END.fullmatch(between)):
        return begin.start(), begin.start()
    gap = re.compile(r"[\s/|／｜·—–-]+").search(line, first_end, begin.start()) if first_end else None
    return gap.span() if gap else None
