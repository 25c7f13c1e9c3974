"""Lines -> pieces: what one source line holds in one language, with the page it stands on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.languages import Language
from bench.progress import watch

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u2e80-\u2fdf〇"
FUNCTION_WORDS = frozenset(
    "a an the of in on at to for from by with and or nor but as that which who its their his her this these is are "
    "was were be been has have had will shall may must can not into between under than all".split()
)
"""A line that ends in one of them goes on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one source line holds in one language."""

    language: Language
    text: str
    line: int
    """From 1."""
    column: int
    """Of its first character, from 0."""
    page: int
    """How many form feeds stand before it."""


def in_script(text: str, language: Language) -> bool:
    """Whether a text can be of that language: names and acronyms of the other are in it, but not most of it."""
    han, latin = len(_SCRIPT["zh"].findall(text)), len(_SCRIPT["en"].findall(text))
    return han > 0 and latin <= 12 * han if language == "zh" else latin > han


def pieces_of(source: str, language: Language | None = None) -> list[Piece]:
    """Each line in its language, which is `language` where that is known.

    A line that holds both halves of a pair is split at the change of script. A line of nothing but digits and ornaments
    belongs to the language of the page it stands on.
    """
    found: list[tuple[Piece, bool]] = []
    page = 0
    lines = source.split("\n")
    for number, line in enumerate(watch("read", lines, len(lines), "lines"), 1):
        start = 0
        for part in [line] if language else _split_scripts(line):
            page += part.count("\f")
            text = part.strip()
            if text:
                column = start + part.index(text)
                han, letters = len(re.findall(f"[{HAN}]", text)), len(re.findall(r"[^\W\d_]", text))
                # A Han character weighs about as much text as four letters.
                own: Language = language or ("zh" if 4 * han > letters - han else "en")
                found.append((Piece(own, text, number, column, page), bool(letters or language)))
            start += len(part)
    return _with_neighbours(found)


def _with_neighbours(found: Sequence[tuple[Piece, bool]]) -> list[Piece]:
    """Pieces without letters take the language before them, the first ones that of the first text."""
    last: Language = next((piece.language for piece, sure in found if sure), "en")
    pieces = []
    for piece, sure in found:
        last = piece.language if sure else last
        pieces.append(replace(piece, language=last))
    return pieces


def _split_scripts(line: str) -> list[str]:
    """[line], or its two halves where one is English and the other Chinese throughout.

    Both halves must look whole: an English sentence that ends in one Chinese word (…known as 和为贵) and a Chinese
    one with an acronym or digits in it stay together.
    """
    for first, second in (("zh", "en"), ("en", "zh")):
        found = _change(line, _SCRIPT[first], _SCRIPT[second])
        if not found:
            continue
        halves = {first: line[: found[0]].strip(), second: line[found[1] :].strip()}
        words = re.findall(r"[A-Za-z][\w'’-]*", halves["en"])
        han = len(_SCRIPT["zh"].findall(halves["zh"]))
        whole = (
            han >= 2
            and any(len(w) > 2 and not w.isupper() for w in words)
            and not (words[-1].lower() in FUNCTION_WORDS and halves["en"].endswith(words[-1]))
            and words[0][0].isupper()
            and bool(re.search(r"[.!?]$", halves["en"])) == bool(re.search(r"[。！？.!?]$", halves["zh"]))
            and 0.5 < sum(map(str.isalnum, halves["en"])) / han < 10
        )
        if whole:
            return [line[: found[1]], line[found[1] :]]
    return [line]


_SCRIPT = {"zh": re.compile(f"[{HAN}]"), "en": re.compile("[A-Za-z]")}


def _change(line: str, first: re.Pattern[str], second: re.Pattern[str]) -> tuple[int, int] | None:
    """Start and end of the gap where a line of one script becomes one of the other, if it does so once."""
    begin = second.search(line)
    if not begin or first.search(line, begin.start()):
        return None
    last = max((m.end() for m in first.finditer(line, 0, begin.start())), default=0)
    gap = re.compile(r"[\s/|·—–-]+").search(line, last, begin.start()) if last else None
    return gap.span() if gap else None
