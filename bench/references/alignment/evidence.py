"""Evidence that two items translate each other, as arrays over all items of a document.

Lengths, positions and headings are plain vectors. Words, numbers and names are a sparse matrix with one row
per item and columns that both languages share, so the evidence for any group of neighbours is one matrix
product.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bench.languages import Language
from bench.progress import watch
from bench.references.alignment.lexicon import LexiconIndex, Renderings, embedded_lexicon, stem, stems
from bench.references.script import to_simplified
from bench.references.segmentation.items import Item
from bench.references.segmentation.line_shapes import is_note
from bench.references.segmentation.numbers import find_quantities

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Booleans = NDArray[np.bool_]

Embed = Callable[[Sequence[str]], Floats]
"""Texts of either language -> vectors of length 1, shape (texts, dimensions)."""

# Gains and penalties are in nats.
_WORD_GAIN, _WORD_PENALTY = 1.0, 0.25
"""For a word whose rendering is on the other side; for one without a rendering there."""
_NUMBER_GAIN, _NUMBER_PENALTY = 3.0, 1.5
_MAX_SMALL_NUMBER = 12
"""Numbers up to this one are written in too many ways to be missed."""
_NOTE_SIZE = 300
"""Characters of an item in which a note is recognised."""
_NOTE = re.compile(
    r"[(（\[【][^()（）\[\]【】]+[)）\]】]$"
    r"|(?:以上|数据|资料|文字|图片|文章|稿件|本文)*来源[:：]|(?:责任)?编辑[:：]|(?:编者|译者)按?[:：]|更正[:：]"
    r"|(?:[Dd]ata )?[Ss]ources?:|Photo(?:graph)?s?:|Image:|(?:Editor|Translator)(?:['’]s note)?:|Corrigendum"
)
"""A paragraph in brackets; where a text is from; a correction."""
_NEIGHBOURHOOD = 400
"""A word's weight falls with its expected count in this many items: common words say little."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """The items of one language. Every array has one value per item, shape (items,), unless it says
    otherwise."""

    length: Floats
    """Letters, digits and Han characters. Spaces and punctuation do not count."""
    heading: Booleans
    note: Booleans
    """True if the item is a paragraph in brackets, or begins as a note does and has no place in the outline."""
    after_comma: Booleans
    """True if the item before it, in another paragraph, ends in a comma."""
    opens: Booleans
    """True if the item begins its paragraph."""
    block: Integers
    path: Integers
    """The path in the outline as a number that both languages share; -1 if the item has no number."""
    number: Integers
    """The last step of the path: 1 for both （一）and (a), whatever is above them; -1 if the item has no
    number."""
    turn: Integers
    """See Item.turn."""
    first_line: Integers
    last_line: Integers
    after_gap: Booleans
    """True if the item that stands before it in the document is not among the items."""
    features: sparse.csr_matrix
    """Shape (items, features); features are words, numbers and names. 1 if a Chinese item has the feature, or
    an English item can render it."""
    penalty: Floats
    """Shape (features,), in nats: the cost of having the feature if the other side does not have it."""
    vectors: Floats | None
    """Sentence embeddings, shape (items, dimensions); None without a model."""

    def window(self, start: int, stop: int) -> Arrays:
        """The arrays of the items from `start` up to `stop`."""
        rows = slice(start, stop)
        return Arrays(
            self.length[rows],
            self.heading[rows],
            self.note[rows],
            self.after_comma[rows],
            self.opens[rows],
            self.block[rows],
            self.path[rows],
            self.number[rows],
            self.turn[rows],
            self.first_line[rows],
            self.last_line[rows],
            self.after_gap[rows],
            self.features[rows],
            self.penalty,
            None if self.vectors is None else self.vectors[rows],
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence on both sides of a document."""

    zh: Arrays
    en: Arrays
    gain: Floats
    """Shape (features,), in nats: what a feature that both sides share is worth."""
    ratio: float
    """English letters per Han character."""


def collect_evidence(
    chinese: Sequence[Item],
    english: Sequence[Item],
    lexicon: Renderings | None = None,
    embed: Embed | None = None,
    gaps: Mapping[Language, Container[str]] | None = None,
) -> Evidence:
    """Look up words, numbers and names in all items. `lexicon` is added to the embedded one.

    `gaps`: names of the items that do not follow their predecessor in the document, by language.
    """
    index = LexiconIndex({**(lexicon or {}), **embedded_lexicon()})
    zh_texts = [to_simplified(item.text) for item in chinese]
    zh_words = [index.words_in(text) for text in watch("look up", zh_texts, len(zh_texts), "sentences")]
    counts = Counter(word for words in zh_words for word in words)
    columns: dict[object, int] = {word: column for column, word in enumerate(counts)}
    density = min(1.0, _NEIGHBOURHOOD / max(len(chinese), 1))
    weights = [1 / max(1.0, count * density) ** 0.5 for count in counts.values()]
    gain = [(_WORD_GAIN + _WORD_PENALTY) * weight for weight in weights]
    zh_penalty = [_WORD_PENALTY * weight for weight in weights]
    en_penalty = [0.0] * len(weights)

    zh_numbers = [find_quantities(text, "zh") for text in zh_texts]
    en_numbers = [find_quantities(item.text, "en") for item in english]
    zh_names = [{stem(word) for word in re.findall(r"[A-Za-z]{2,}", item.text)} for item in chinese]
    for number in sorted({number for numbers in (*zh_numbers, *en_numbers) for number in numbers}):
        columns[number] = len(gain)
        penalty = _NUMBER_PENALTY if number > _MAX_SMALL_NUMBER else 0.0
        gain.append(_NUMBER_GAIN + 2 * penalty)
        zh_penalty.append(penalty)
        en_penalty.append(penalty)
    for name in sorted({name for names in zh_names for name in names}):
        columns["name", name] = len(gain)
        gain.append(_NUMBER_GAIN)
        zh_penalty.append(0)
        en_penalty.append(0)

    renderings = index.by_stem(counts)
    zh_rows = (
        [columns[feature] for feature in (*words, *numbers)] + [columns["name", name] for name in names]
        for words, numbers, names in zip(zh_words, zh_numbers, zh_names, strict=True)
    )
    en_rows = (
        _rendered_columns(item.text, numbers, columns, renderings)
        for item, numbers in zip(english, en_numbers, strict=True)
    )
    paths: dict[tuple[str, ...], int] = {}
    gaps = gaps or {"zh": (), "en": ()}
    zh = _make_arrays(chinese, zh_rows, zh_penalty, paths, embed, gaps["zh"])
    en = _make_arrays(english, en_rows, en_penalty, paths, embed, gaps["en"])
    # A ratio far outside means that much text is in one language only.
    ratio = min(max(float(en.length.sum()) / max(float(zh.length.sum()), 1), 2.5), 5.0)
    return Evidence(zh, en, np.array(gain, np.float32), ratio)


def _make_arrays(
    items: Sequence[Item],
    rows: Iterable[Sequence[int]],
    penalty: Sequence[float],
    paths: dict[tuple[str, ...], int],
    embed: Embed | None,
    gaps: Container[str],
) -> Arrays:
    """`rows` are the feature columns of each item. `paths` numbers the outline's paths; new ones are
    added."""
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
        note=np.array([_is_note(item) for item in items], bool),
        after_comma=np.array(
            [False] * bool(items)
            + [
                first.block != second.block and first.raw.endswith((",", "，"))
                for first, second in pairwise(items)
            ],
            bool,
        ),
        opens=np.array([item.start == 0 for item in items], bool),
        block=np.array([item.block for item in items], np.int64),
        path=np.array([paths.setdefault(i.path, len(paths)) if i.path else -1 for i in items], np.int64),
        number=np.array([int(re.sub(r"\D", "", i.path[-1]) or 1) if i.path else -1 for i in items], np.int64),
        turn=np.array([item.turn for item in items], np.int64),
        first_line=np.array([item.lines[0] for item in items], np.int64),
        last_line=np.array([item.lines[-1] for item in items], np.int64),
        after_gap=np.array([item.name in gaps for item in items], bool),
        features=features,
        penalty=np.array(penalty, np.float32),
        vectors=embed([item.text for item in items]).astype(np.float32) if embed and items else None,
    )


def _is_note(item: Item) -> bool:
    text = item.raw[:_NOTE_SIZE]
    return item.start == 0 and not item.path and bool(is_note(text) or _NOTE.match(to_simplified(text)))


def _rendered_columns(
    text: str,
    numbers: Iterable[float],
    columns: Mapping[object, int],
    renderings: Mapping[str, Sequence[tuple[frozenset[str], str]]],
) -> list[int]:
    """The columns of the features that an English text can render. `renderings`: see LexiconIndex.by_stem."""
    text_stems = stems(text)
    rendered = {
        columns[word]
        for text_stem in text_stems
        for rendering, word in renderings.get(text_stem, ())
        if rendering <= text_stems
    }
    rendered.update(columns[number] for number in numbers)
    rendered.update(columns["name", name] for name in text_stems if ("name", name) in columns)
    return sorted(rendered)
