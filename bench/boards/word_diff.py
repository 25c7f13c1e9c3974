"""Where two texts differ, by word and in Chinese by character. The terminal and the site show the same
differences.

Tokens are aligned by a longest common subsequence. White space is not compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from bench.languages import HAN

_TOKEN = re.compile(rf"{HAN.pattern}|(?:(?!{HAN.pattern})\w)+|\S")
_MAX_CELLS = 10**8
"""Tokens of one text times tokens of the other. A diff of this size takes 10 ms and 12 MB."""
_MIN_HAN, _MIN_LETTERS = 2, 4
"""Of moved text."""


class Change(NamedTuple):
    """`text[start:end]` is in place of `other[other_start:other_end]`. One of the two may be empty."""

    start: int
    end: int
    other_start: int
    other_end: int


@dataclass(frozen=True, slots=True)
class Diff:
    """How a text differs from another one."""

    changes: tuple[Change, ...]
    """In the order of the texts. Neighbouring tokens are one change, with the white space between them."""
    common: float
    """The share of the text's tokens that the other text has in the same order, from 0 to 1; 1 for a text
    without tokens."""
    moved: tuple[tuple[int, int], ...] = ()
    """Parts of the changes whose words the other text has, but elsewhere."""
    other_moved: tuple[tuple[int, int], ...] = ()
    """Such parts of the other text."""


def diff(text: str, other: str) -> Diff | None:
    """How `text` differs from `other`; None if they are too long to compare."""
    tokens, other_tokens = _tokens(text), _tokens(other)
    words, other_words = tokens.words, other_tokens.words
    if len(words) * len(other_words) > _MAX_CELLS:
        return None
    changes: list[Change] = []
    added: list[int] = []
    missing: list[int] = []  # numbers of tokens
    matches, begin, other_begin = 0, 0, 0
    for block in LCSseq.opcodes(
        words, other_words
    ).as_matching_blocks():  # the last one is empty and ends both texts
        if block.a > begin or block.b > other_begin:
            changes.append(Change(*tokens.span(begin, block.a), *other_tokens.span(other_begin, block.b)))
            added += range(begin, block.a)
            missing += range(other_begin, block.b)
        matches += block.size
        begin, other_begin = block.a + block.size, block.b + block.size
    return Diff(
        tuple(changes),
        matches / len(words) if words else 1.0,
        _moved(tokens, added, other_tokens, missing),
        _moved(other_tokens, missing, tokens, added),
    )


def _moved(
    tokens: _Tokens, added: Sequence[int], other_tokens: _Tokens, missing: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """The ranges of neighbouring `added` tokens that are among the `missing` ones of the other text, each as often as
    it is there. A single Chinese character or a short word says nothing: it would be there by chance."""
    left = Counter(other_tokens.words[n] for n in missing)
    runs: list[list[int]] = []
    for n in added:
        word = tokens.words[n]
        if not left[word]:
            continue
        left[word] -= 1
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return tuple(
        tokens.span(run[0], run[-1] + 1) for run in runs if _says_something([tokens.words[n] for n in run])
    )


def _says_something(words: Sequence[str]) -> bool:
    han = sum(bool(HAN.match(word)) for word in words)
    return han >= _MIN_HAN or sum(len(word) for word in words if word.isalnum()) - han >= _MIN_LETTERS


def pieces(text: str, ranges: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """`text` in pieces, each with True if it is one of `ranges` (character offsets, ascending, without
    overlap)."""
    split, position = [], 0
    for start, end in ranges:
        split += [(text[position:start], False), (text[start:end], True)]
        position = end
    return [piece for piece in [*split, (text[position:], False)] if piece[0]]


@dataclass(frozen=True, slots=True)
class _Tokens:
    words: list[str]
    spans: list[tuple[int, int]]
    length: int

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Character offsets of the tokens from `begin` to before `end`; if these are none, the place where
        they would be."""
        if begin < end:
            return self.spans[begin][0], self.spans[end - 1][1]
        place = self.spans[end][0] if end < len(self.spans) else self.length
        return place, place


@lru_cache(maxsize=128)  # a reference is compared with all hypotheses of its segment
def _tokens(text: str) -> _Tokens:
    matches = list(_TOKEN.finditer(text))
    return _Tokens([match.group() for match in matches], [match.span() for match in matches], len(text))
