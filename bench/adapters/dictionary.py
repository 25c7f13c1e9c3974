"""A control: a word-for-word gloss from CC-CEDICT. What it scores is what a metric gives for words without grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Output, Source, Weights
from bench.languages import Direction
from bench.references import cedict

_SKIPPED = ("CL:", "variant of", "old variant", "see ", "also ", "abbr. ", "surname ", "used ", "classifier")
_PUNCTUATION = dict(
    zip(
        "，。、；：？！（）《》“”‘’",
        (",", ".", ",", ";", ":", "?", "!", "(", ")", *'""""', "'", "'"),
        strict=True,
    )
)
_FULL_WIDTH = dict(zip(",.;:?!()", "，。；：？！（）", strict=True))
_ARTICLES = {"the", "a", "an"}  # Chinese has none; the dictionary's entries for them are rare characters
_LONGEST = 5  # words of an English phrase, and more than most Chinese words have characters


class Dictionary(Adapter):
    """`dictionary`: the weights config of a CC-CEDICT text file (bench.checkpoints.weights.Weights)."""

    def __init__(self, dictionary: str | Mapping[str, Any], *, direction: Direction) -> None:
        super().__init__(direction)
        self.weights = parse_weights(dictionary)

    def identity(self) -> dict[str, Any]:
        return {"adapter": "dictionary", "version": 1, "dictionary": fingerprint(self.weights)}

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        resolve(self.weights)

    def load(self) -> None:
        glosses = {word: [*map(_plain, raw)] for word, raw in cedict.load(resolve(self.weights)).items()}
        self._english = {word: next(filter(None, plain), "") for word, plain in glosses.items()}
        self._chinese = _inverted(glosses)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        gloss = self._to_english if self.direction == "zh-en" else self._to_chinese
        for source in sources:
            yield source.id, Output(text=gloss(source.text))

    def _to_english(self, text: str) -> str:
        """Longest match from left to right, each word by its first gloss; what is not in the dictionary stays."""
        words: list[str] = []
        at = 0
        while at < len(text):
            outside = re.compile(r"[A-Za-z0-9.%-]+").match(text, at)  # acronyms and numbers
            ends = range(min(at + _LONGEST, len(text)), at, -1)
            end = outside.end() if outside else next((e for e in ends if text[at:e] in self._english), at + 1)
            word = text[at:end]
            words.append(_PUNCTUATION.get(word) or self._english.get(word, word))
            at = end
        line = re.sub(r"\s+([,.;:?!)])", r"\1", " ".join(filter(None, words)))
        return line[:1].upper() + line[1:]

    def _to_chinese(self, text: str) -> str:
        """As the other way, over words and phrases of up to five words."""
        words = re.findall(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*\d|\d|[^\sA-Za-z\d]", text)
        out: list[str] = []
        at = 0
        while at < len(words):
            for end in range(min(at + _LONGEST, len(words)), at, -1):
                phrase = " ".join(words[at:end]).lower()
                found = next((self._chinese[f] for f in _base_forms(phrase) if f in self._chinese), None)
                if found is not None or end == at + 1:
                    word = words[at]
                    dropped = "" if word.lower() in _ARTICLES else None
                    out.append(
                        next(w for w in (dropped, found, _FULL_WIDTH.get(word), word) if w is not None)
                    )
                    at = end
                    break
        return re.sub(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])", "", " ".join(filter(None, out)))


def _plain(gloss: str) -> str:
    """A gloss as running text: "to export" -> "export", "country; nation" -> "country"; "" where it is only a remark."""
    if gloss.startswith(_SKIPPED):
        return ""
    text = re.sub(r"\s*\([^)]*\)\s*", " ", gloss).partition(";")[0].strip(" ~")
    return text.removeprefix("to ") if text != "to" else text


def _inverted(glosses: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """English gloss -> the Chinese word that has it earliest among its glosses; of those one of two characters, if any."""
    best: dict[str, tuple[int, int, str]] = {}
    for word, plain in glosses.items():
        for position, gloss in enumerate(plain):
            key = gloss.lower()
            candidate = (position, abs(len(word) - 2), word)
            if key and not re.search(r"[A-Za-z]", word):
                best[key] = min(best.get(key, candidate), candidate)
    return {gloss: word for gloss, (_, _, word) in best.items()}


def _base_forms(phrase: str) -> Iterator[str]:
    """The phrase itself, then with its last word's usual endings taken off."""
    yield phrase
    for ending, stem in (
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ed", ""),
        ("ed", "e"),
        ("'s", ""),
    ):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            yield phrase.removesuffix(ending) + stem
