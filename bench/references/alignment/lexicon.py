"""A Chinese-English lexicon of official language, and how words of both languages are looked up.

The embedded lexicon is enough to distinguish neighbouring sentences if no dictionary is at hand; CC-CEDICT
(bench/references/cedict.py) can be added. It covers the genre, not any document: words are in it because they
are common in treaties, laws, white papers and speeches.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

Renderings = Mapping[str, tuple[str, ...]]
"""Chinese word -> its English renderings."""


@cache
def embedded_lexicon() -> Renderings:
    """lexicon.tsv beside this file: one `word TAB rendering;rendering` per line, # begins a comment."""
    return _entries(line for line in _lines() if not line.startswith("#"))


@cache
def embedded_names() -> Renderings:
    """The part of the embedded lexicon that names places, peoples, treaties and organisations."""
    names, in_names = [], False
    for line in _lines():
        if line.startswith("#"):
            in_names = line.startswith("# proper names")
        elif in_names:
            names.append(line)
    return _entries(names)


def _lines() -> list[str]:
    return [line for line in Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines() if line]


def _entries(lines: Iterable[str]) -> Renderings:
    cells = (line.split("\t") for line in lines)
    return {word: tuple(renderings.split(";")) for word, renderings in cells}


_STOP_WORDS = frozenset(
    "a an the of in on at to for from by with and or as that which its their is are was were be been has "
    "have had will it this these all one sth sb also etc used see cl".split()
)


def stem(word: str) -> str:
    """A crude stem, the same for text and lexicon: the first six letters, without the plural and with y for
    ies."""
    word = word.lower()
    word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word
    word = word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
    return word[:6]


def stems(text: str) -> frozenset[str]:
    """The stems of an English text, without stop words."""
    return frozenset(
        stem(w) for w in re.findall(r"[A-Za-z][A-Za-z'’]*", text) if w.lower() not in _STOP_WORDS
    )


class LexiconIndex:
    """Finds the words of a lexicon in Chinese texts and their renderings in English texts."""

    def __init__(self, lexicon: Renderings):
        self._renderings = {word: texts for word, texts in lexicon.items() if len(word) > 1}
        self._max_length: dict[str, int] = defaultdict(int)  # by the first two characters
        for word in self._renderings:
            self._max_length[word[:2]] = max(self._max_length[word[:2]], len(word))

    def words_in(self, text: str) -> frozenset[str]:
        """The lexicon's words in a Chinese text, matched from left to right, the longest first."""
        words, i = set(), 0
        while i < len(text) - 1:
            for size in range(self._max_length.get(text[i : i + 2], 0), 1, -1):
                if text[i : i + size] in self._renderings:
                    words.add(text[i : i + size])
                    i += size - 1
                    break
            i += 1
        return frozenset(words)

    def by_stem(self, words: Iterable[str]) -> dict[str, list[tuple[frozenset[str], str]]]:
        """Stem -> (all stems of a rendering, its Chinese word), for the renderings in which it is the longest
        stem."""
        index: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
        for word in words:
            for rendering in self._renderings[word]:
                rendering_stems = stems(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", rendering))
                if rendering_stems:
                    index[max(sorted(rendering_stems), key=len)].append((rendering_stems, word))
        return dict(index)
