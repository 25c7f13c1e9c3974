"""A text that is too long for one request: cut between sentences, and its translations joined again."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.languages import Language
from bench.references.segmentation.sentences import split_sentences

_CLAUSE = re.compile(r"[，、；：,;:]\s*|\s+")
"""Where a sentence that is too long for one request is cut, if it can be."""


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    """Without white space at its ends."""
    before: str
    """The white space between the piece before and this one."""


def pieces(text: str, language: Language, most: int, size: Callable[[str], int]) -> list[Piece]:
    """The text in as few pieces as its sentences allow, each of at most `most` by `size`. No character but white
    space is lost. Empty if the text is blank."""
    if not text.strip():
        return []
    if size(text) <= most:
        return [Piece(text.strip(), "")]
    parts = [part for sentence in _sentences(text, language) for part in _short_parts(sentence, most, size)]
    chunks = [""]
    for part in parts:
        if chunks[-1] and size((chunks[-1] + part).strip()) > most:
            chunks.append("")
        chunks[-1] += part
    result: list[Piece] = []
    space = ""
    for chunk in chunks:
        stripped = chunk.strip()
        if not stripped:
            space += chunk
            continue
        start = chunk.index(stripped)
        result.append(Piece(stripped, space + chunk[:start]))
        space = chunk[start + len(stripped) :]
    return result


def join(translations: Sequence[str], parts: Sequence[Piece], language: Language) -> str:
    """One translation from those of the pieces, in order. Line breaks between pieces are kept."""
    text = ""
    for number, (translation, part) in enumerate(zip(translations, parts, strict=True)):
        if number:
            text += part.before if "\n" in part.before else " " if language == "en" else ""
        text += translation
    return text


def _sentences(text: str, language: Language) -> list[str]:
    """Neighbouring parts of the text, each a sentence and what follows until the next one."""
    starts = [start for start, _ in split_sentences(text, language)]
    bounds = [0, *starts[1:], len(text)]
    return [text[a:b] for a, b in pairwise(bounds) if a < b]


def _short_parts(sentence: str, most: int, size: Callable[[str], int]) -> list[str]:
    """A sentence in parts that fit, cut after a clause or a word where there is one."""
    parts = []
    while size(sentence.strip()) > most:
        # No unit is larger than a character, so that no more than `most` of them fit.
        fits = bisect_right(range(1, most + 1), most, key=lambda length: size(sentence[:length]))
        ends = [match.end() for match in _CLAUSE.finditer(sentence, 0, fits)]
        cut = ends[-1] if ends else max(fits, 1)
        parts.append(sentence[:cut])
        sentence = sentence[cut:]
    return [*parts, sentence]
