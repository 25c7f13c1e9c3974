"""Pairs of lines from a file that is already aligned, and which side of them is Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from bench import progress
from bench.errors import BenchError
from bench.languages import ADDRESS, DOCUMENT_HAN, LETTERS_PER_HAN

Pair = tuple[str, str]
"""Chinese and English, one line each. One of them may be empty."""

_CONTROLS = re.compile("[\0-\x1f\x7f\x85\u2028\u2029]+")
_SAMPLE = 1_000_000
"""Characters of a text that are enough to tell its language."""


def chinese_share(text: str) -> float:
    """The share of Chinese in the first million characters, from 0 to 1; a Han character counts as four
    letters, and addresses do not count."""
    sample = ADDRESS.sub(" ", text[:_SAMPLE])
    han = LETTERS_PER_HAN * len(re.findall(f"[{DOCUMENT_HAN}]", sample))
    letters = len(re.findall("[A-Za-z]", sample))
    return han / max(1, han + letters)


def is_chinese(text: str) -> bool:
    return chinese_share(text) > 0.5


def one_line(text: str) -> str:
    """`text` with each run of tabs, line breaks and other control characters, and the white space around it,
    replaced by one space: a set keeps its pairs in a TSV file, as plain text."""
    parts = (part.strip() for part in _CONTROLS.split(text))
    return " ".join(part for part in parts if part)


def orient(pairs: Iterable[Pair], path: Path) -> tuple[str, str]:
    """All Chinese lines and all English lines, joined by line breaks; pairs that are empty on both sides are
    dropped.

    If the file has the two languages the wrong way round, they are swapped with a warning. Raises BenchError
    if one of the languages is missing; `path` is for the message.
    """
    filled = [pair for pair in pairs if any(pair)]
    zh, en = ("\n".join(pair[side] for pair in filled) for side in (0, 1))
    for text, script, language in ((zh, f"[{DOCUMENT_HAN}]", "Chinese"), (en, "[A-Za-z]", "English")):
        if not text.strip() or not (re.search(script, zh) or re.search(script, en)):
            raise BenchError(f"{path} has no {language} text: pass a file with Chinese and English in it.")
    if is_chinese(zh) == is_chinese(en):
        language = "Chinese" if is_chinese(zh) else "English"
        raise BenchError(f"{path} has {language} on both sides: pass a file with Chinese and English in it.")
    if is_chinese(en):
        progress.say(f"{path}: the language codes are the wrong way round; swapped them.", warning=True)
        return en, zh
    return zh, en
