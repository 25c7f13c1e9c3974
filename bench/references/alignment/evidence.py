"""What speaks for two items being translations of each other, as arrays over all items of a document.

Lengths, places and headings are plain vectors. Words, numbers and names are a sparse matrix of one row an item, in
columns that both languages share, so that the evidence for any group of neighbours is one matrix product.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bench.progress import watch
from bench.references.alignment.lexicon import official, stem, stems
from bench.references.segmentation.numbers import quantities
from bench.references.segmentation.split import Item

_TERM_FOUND, _TERM_MISSED = 1.0, 0.25
_NUMBER_FOUND, _NUMBER_MISSED = 3.0, 1.5
_SMALL = 12  # numbers up to here are written in too many ways to be missed
_NEIGHBOURHOOD = 400
"""A word counts by how often it would stand in that many items: common words tell little."""

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts of either language -> vectors of length 1, shape (texts, dimensions)."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """The items of one language; every array has one value an item."""

    length: np.ndarray
    """Letters, digits and Han characters; spaces and punctuation differ for no reason."""
    heading: np.ndarray
    opens: np.ndarray
    """It begins its paragraph."""
    block: np.ndarray
    path: np.ndarray
    """The outline's path as a number that both languages share, -1 where the item carries no number."""
    number: np.ndarray
    """The last step of the path likewise: （一）and (a) are 1 whatever stands above them."""
    first_line: np.ndarray
    last_line: np.ndarray
    features: sparse.csr_matrix
    """Items x (words, numbers, names): 1 where the item has it (Chinese) or can render it (English)."""
    penalty: np.ndarray
    """Of each feature, in nats: what it costs to have it where the other side has not."""
    vectors: np.ndarray | None
    """Sentence embeddings, where there is a model for them."""

    def cut(self, start: int, stop: int) -> Arrays:
        """The same of some neighbours."""
        own = slice(start, stop)
        return Arrays(
            self.length[own],
            self.heading[own],
            self.opens[own],
            self.block[own],
            self.path[own],
            self.number[own],
            self.first_line[own],
            self.last_line[own],
            self.features[own],
            self.penalty,
            None if self.vectors is None else self.vectors[own],
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    zh: Arrays
    en: Arrays
    gain: np.ndarray
    """Of each feature that both sides share, in nats."""
    ratio: float
    """English letters per Han character."""


def evidence(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Mapping[str, tuple[str, ...]] | None = None,
    embed: Embed | None = None,
) -> Evidence:
    words = _Words({**(lexicon or {}), **official()})
    zh_terms = [words.in_chinese(item.text) for item in watch("look up", chinese, len(chinese), "sentences")]
    counts = Counter(term for found in zh_terms for term in found)
    columns: dict[object, int] = {term: i for i, term in enumerate(counts)}
    density = min(1.0, _NEIGHBOURHOOD / max(len(chinese), 1))
    weight = [1 / max(1.0, count * density) ** 0.5 for count in counts.values()]
    gain = [(_TERM_FOUND + _TERM_MISSED) * w for w in weight]
    zh_penalty = [_TERM_MISSED * w for w in weight]
    en_penalty = [0.0] * len(weight)

    numbers = [[quantities(item.text, item.language) for item in side] for side in (chinese, english)]
    latin = [{stem(w) for w in re.findall(r"[A-Za-z]{2,}", item.text)} for item in chinese]
    for number in sorted({n for side in numbers for found in side for n in found}):
        columns[number] = len(gain)
        big = number > _SMALL
        gain.append(_NUMBER_FOUND + (2 * _NUMBER_MISSED if big else 0))
        zh_penalty.append(_NUMBER_MISSED if big else 0)
        en_penalty.append(_NUMBER_MISSED if big else 0)
    for name in sorted({n for found in latin for n in found}):
        columns["name", name] = len(gain)
        gain.append(_NUMBER_FOUND)
        zh_penalty.append(0)
        en_penalty.append(0)

    readings = words.readings(counts)
    zh_rows = (
        [columns[f] for f in (*terms, *found)] + [columns["name", n] for n in names]
        for terms, found, names in zip(zh_terms, numbers[0], latin, strict=True)
    )
    en_rows = (
        _rendered(item.text, found, columns, readings)
        for item, found in zip(english, numbers[1], strict=True)
    )
    paths: dict[tuple[str, ...], int] = {}
    zh = _side(chinese, zh_rows, zh_penalty, paths, embed)
    en = _side(english, en_rows, en_penalty, paths, embed)
    # Far outside lies a document with much text in one language only.
    ratio = min(max(float(en.length.sum()) / max(float(zh.length.sum()), 1), 2.5), 5.0)
    return Evidence(zh, en, np.array(gain, np.float32), ratio)


def _side(
    items: Sequence[Item],
    rows: Iterable[Sequence[int]],
    penalty: Sequence[float],
    paths: dict[tuple[str, ...], int],
    embed: Embed | None,
) -> Arrays:
    indices, ends = array("i"), array("q", [0])
    for row in rows:
        indices.extend(row)
        ends.append(len(indices))
    values = np.ones(len(indices), np.float32)
    shape = (len(items), len(penalty))
    features = sparse.csr_matrix(
        (values, np.frombuffer(indices, np.int32), np.frombuffer(ends, np.int64)), shape=shape
    )
    return Arrays(
        length=np.array([sum(map(str.isalnum, item.text)) for item in items], np.float32),
        heading=np.array([item.heading for item in items], bool),
        opens=np.array([item.start == 0 for item in items], bool),
        block=np.array([item.block for item in items], np.int64),
        path=np.array([paths.setdefault(i.path, len(paths)) if i.path else -1 for i in items], np.int64),
        number=np.array([int(re.sub(r"\D", "", i.path[-1]) or 1) if i.path else -1 for i in items], np.int64),
        first_line=np.array([item.lines[0] for item in items], np.int64),
        last_line=np.array([item.lines[-1] for item in items], np.int64),
        features=features,
        penalty=np.array(penalty, np.float32),
        vectors=embed([item.text for item in items]).astype(np.float32) if embed and items else None,
    )


def _rendered(
    text: str,
    numbers: Iterable[float],
    columns: Mapping[object, int],
    readings: Mapping[str, Sequence[tuple[frozenset[str], str]]],
) -> list[int]:
    """The columns of what an English text can be the rendering of."""
    known = stems(text)
    found = {columns[term] for s in known for reading, term in readings.get(s, ()) if reading <= known}
    found.update(columns[number] for number in numbers)
    found.update(columns["name", s] for s in known if ("name", s) in columns)
    return sorted(found)


class _Words:
    """A lexicon that is read along a text; a class, because it keeps its index."""

    def __init__(self, glosses: Mapping[str, tuple[str, ...]]):
        self._glosses = {term: texts for term, texts in glosses.items() if len(term) > 1}
        self._longest: dict[str, int] = defaultdict(int)
        for term in self._glosses:
            self._longest[term[:2]] = max(self._longest[term[:2]], len(term))

    def in_chinese(self, text: str) -> frozenset[str]:
        """The lexicon's words in a text, read from left to right, the longest first."""
        found, i = set(), 0
        while i < len(text) - 1:
            for size in range(self._longest.get(text[i : i + 2], 0), 1, -1):
                if text[i : i + size] in self._glosses:
                    found.add(text[i : i + size])
                    i += size - 1
                    break
            i += 1
        return frozenset(found)

    def readings(self, terms: Iterable[str]) -> dict[str, list[tuple[frozenset[str], str]]]:
        """A stem -> the readings (all their stems, the term) in which it is the longest word."""
        index: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
        for term in terms:
            for gloss in self._glosses[term]:
                reading = stems(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", gloss))
                if reading:
                    index[max(sorted(reading), key=len)].append((reading, term))
        return dict(index)
