"""A Chinese-English lexicon of what governments write about, and how English words are compared.

It is enough to tell neighbouring sentences apart where no dictionary is at hand; CC-CEDICT (bench/cedict.py) can be
given on top. It knows the genre, not any document: words go in because they are common in treaties, laws, white papers
and speeches.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def official() -> dict[str, tuple[str, ...]]:
    """Word -> its renderings, from lexicon.tsv beside this file: `word TAB rendering;rendering`, # begins a comment."""
    lines = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()
    entries = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {word: tuple(renderings.split(";")) for word, renderings in entries}


_STOP = frozenset(
    "a an the of in on at to for from by with and or as that which its their is are was were be been has have had will "
    "it this these all one sth sb also etc used see cl".split()
)


def stem(word: str) -> str:
    """Crude and the same for text and lexicon: the first six letters, plural and y-ending off."""
    word = word.lower()
    word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word
    word = word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
    return word[:6]


def stems(text: str) -> frozenset[str]:
    """Of the words that carry meaning."""
    return frozenset(stem(w) for w in re.findall(r"[A-Za-z][A-Za-z'’]*", text) if w.lower() not in _STOP)
