"""A control: a word-for-word gloss from CC-CEDICT. Its score is what a metric gives for words without
grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import WeightsConfig, fingerprint, parse_weights
from bench.core import Adapter, Output, Source, Weights
from bench.languages import Direction
from bench.references import cedict

_SKIPPED = ("CL:", "variant of", "old variant", "see ", "also ", "abbr. ", "surname ", "used ", "classifier")
"""Beginnings of glosses that are remarks, not translations."""
_PUNCTUATION = dict(zip("，。、；：？！（）《》“”‘’", [*",.,;:?!()", *'""""', "'", "'"], strict=True))
_FULL_WIDTH = dict(zip(",.;:?!()", "，。；：？！（）", strict=True))
_ARTICLES = {"the", "a", "an"}  # Chinese has none; the dictionary translates them as rare characters
_MAX_ENTRY = 5  # words of an English phrase, or characters of a Chinese word
_NOT_CHINESE = re.compile(r"[A-Za-z0-9.%-]+")  # acronyms and numbers
_ENGLISH_TOKEN = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*\d|\d|[^\sA-Za-z\d]")
_ENDINGS = (
    ("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("'s", ""),
)  # fmt: skip
"""English endings and what they may replace."""


class Dictionary(Adapter):
    """`dictionary`: the weights config of a CC-CEDICT text file (bench.checkpoints.weights.parse_weights)."""

    def __init__(self, dictionary: WeightsConfig, *, direction: Direction) -> None:
        super().__init__(direction)
        self.weights = parse_weights(dictionary)

    def identity(self) -> dict[str, Any]:
        return {"adapter": "dictionary", "version": 1, "dictionary": fingerprint(self.weights)}

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        resolve(self.weights)

    def load(self) -> None:
        entries = cedict.load(resolve(self.weights)).items()
        glosses = {word: [*map(_plain_gloss, raw)] for word, raw in entries}
        self._english = {word: next(filter(None, plain), "") for word, plain in glosses.items()}
        self._chinese = _inverted(glosses)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        gloss = self._to_english if self.direction == "zh-en" else self._to_chinese
        for source in sources:
            yield source.id, Output(text=gloss(source.text))

    def _to_english(self, text: str) -> str:
        """Longest match from left to right, first gloss of each word. Unknown text is copied."""
        glosses: list[str] = []
        start = 0
        while start < len(text):
            if match := _NOT_CHINESE.match(text, start):
                end = match.end()
            else:
                ends = range(min(start + _MAX_ENTRY, len(text)), start, -1)
                end = next((end for end in ends if text[start:end] in self._english), start + 1)
            word = text[start:end]
            glosses.append(_PUNCTUATION.get(word) or self._english.get(word, word))
            start = end
        line = re.sub(r"\s+([,.;:?!)])", r"\1", " ".join(filter(None, glosses)))
        return line[:1].upper() + line[1:]

    def _to_chinese(self, text: str) -> str:
        """The same over words and phrases of up to five words."""
        words = _ENGLISH_TOKEN.findall(text)
        glosses: list[str] = []
        start = 0
        while start < len(words):
            end, gloss = self._longest_phrase(words, start)
            word = words[start]
            if word.lower() in _ARTICLES:
                gloss = ""
            elif gloss is None:
                gloss = _FULL_WIDTH.get(word, word)
            glosses.append(gloss)
            start = end
        return re.sub(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])", "", " ".join(filter(None, glosses)))

    def _longest_phrase(self, words: Sequence[str], start: int) -> tuple[int, str | None]:
        """The end of the longest phrase in the dictionary that begins at `start`, and its gloss.

        (start + 1, None) if there is no such phrase.
        """
        for end in range(min(start + _MAX_ENTRY, len(words)), start, -1):
            for form in _base_forms(" ".join(words[start:end]).lower()):
                if form in self._chinese:
                    return end, self._chinese[form]
        return start + 1, None


def _plain_gloss(gloss: str) -> str:
    """A gloss as running text: "to export" -> "export", "country; nation" -> "country", a remark -> ""."""
    if gloss.startswith(_SKIPPED):
        return ""
    text = re.sub(r"\s*\([^)]*\)\s*", " ", gloss).partition(";")[0].strip(" ~")
    return text.removeprefix("to ") if text != "to" else text


def _inverted(glosses: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """English gloss -> the Chinese word that lists it first, preferably one of two characters."""
    best: dict[str, tuple[int, int, str]] = {}
    for word, plain in glosses.items():
        for position, gloss in enumerate(plain):
            key = gloss.lower()
            candidate = (position, abs(len(word) - 2), word)
            if key and not re.search(r"[A-Za-z]", word):
                best[key] = min(best.get(key, candidate), candidate)
    return {gloss: word for gloss, (_, _, word) in best.items()}


def _base_forms(phrase: str) -> Iterator[str]:
    """The phrase itself, then without the usual endings of its last word."""
    yield phrase
    for ending, stem in _ENDINGS:
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            yield phrase.removesuffix(ending) + stem
