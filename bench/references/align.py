"""Items of both languages -> groups that translate each other.

Numbered headings are fixed points; between two of them a dynamic programme finds the cheapest monotone way through
the sentences, by length (Gale & Church 1993), shared numbers and names, and a lexicon.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from bench.references.lexicon import SEED, stem, stems
from bench.references.numbers import quantities
from bench.references.split import Item

Group = tuple[tuple[Item, ...], tuple[Item, ...]]
"""Chinese and English items that translate each other; one side is empty where there is no counterpart."""

# Costs in nats. The shares of group sizes follow Gale & Church; sizes they did not have get small ones.
_SHAPES = {
    (1, 1): 0.80,
    (1, 0): 0.003,
    (0, 1): 0.003,
    (1, 2): 0.07,
    (2, 1): 0.06,
    (2, 2): 0.012,
    (1, 3): 0.01,
    (3, 1): 0.008,
}
_VARIANCE = 12.0
"""Of the English length in letters, per expected letter. Gale & Church have 6.8 between European languages."""
_TERM_FOUND, _TERM_MISSED = 1.0, 0.25
_NUMBER_FOUND, _NUMBER_MISSED = 3.0, 1.5
_ACROSS_BLOCKS = 3.0
"""Two sentences of different paragraphs in one group."""
_UNEVEN_BLOCKS = 1.5
"""A paragraph begins on one side only."""
_BAND = 80
"""How far from the diagonal the path may run, in items."""


def align(
    chinese: Sequence[Item], english: Sequence[Item], lexicon: Mapping[str, tuple[str, ...]] | None = None
) -> list[Group]:
    """All items of both sides, each in exactly one group, in reading order."""
    costs = _Costs(chinese, english, lexicon or {})
    groups: list[Group] = []
    anchors = [*_anchors(chinese, english), (len(chinese), len(english))]
    at = (0, 0)
    for i, j in anchors:
        groups += _region(chinese[at[0] : i], english[at[1] : j], costs)
        at = (i, j)
        if i < len(chinese) and chinese[i].heading and english[j].heading:
            groups.append(((chinese[i],), (english[j],)))
            at = (i + 1, j + 1)
    return groups


def _anchors(chinese: Sequence[Item], english: Sequence[Item]) -> list[tuple[int, int]]:
    """Numbered items with the same path on both sides: the longest common subsequence."""
    zh = [i for i, item in enumerate(chinese) if item.path]
    en = [j for j, item in enumerate(english) if item.path]
    best = [[0] * (len(en) + 1) for _ in range(len(zh) + 1)]

    def same(a: int, b: int) -> bool:
        one, two = chinese[zh[a]], english[en[b]]
        return one.path == two.path and one.heading == two.heading

    for a in range(len(zh) - 1, -1, -1):
        for b in range(len(en) - 1, -1, -1):
            best[a][b] = 1 + best[a + 1][b + 1] if same(a, b) else max(best[a + 1][b], best[a][b + 1])
    found, a, b = [], 0, 0
    while a < len(zh) and b < len(en):
        if same(a, b):
            found.append((zh[a], en[b]))
            a, b = a + 1, b + 1
        elif best[a + 1][b] >= best[a][b + 1]:
            a += 1
        else:
            b += 1
    return found


def _region(zh: Sequence[Item], en: Sequence[Item], costs: _Costs) -> list[Group]:
    """The cheapest way through the items between two anchors."""
    table: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    slope = len(en) / max(len(zh), 1)
    for i in range(len(zh) + 1):
        for j in range(len(en) + 1):
            if (i, j) == (0, 0) or abs(j - i * slope) > _BAND:
                continue
            options = [
                (table[i - m, j - n][0] + cost, (m, n))
                for m, n in _SHAPES
                if (i - m, j - n) in table and (cost := costs.of(zh[i - m : i], en[j - n : j])) < math.inf
            ]
            if options:
                table[i, j] = min(options)
    i, j = len(zh), len(en)
    groups: list[Group] = []
    while (i, j) != (0, 0):
        m, n = table[i, j][1]
        groups.append((tuple(zh[i - m : i]), tuple(en[j - n : j])))
        i, j = i - m, j - n
    return groups[::-1]


class _Costs:
    """What it costs to call items translations of each other; a class, because it keeps what it has counted."""

    def __init__(
        self, chinese: Sequence[Item], english: Sequence[Item], lexicon: Mapping[str, tuple[str, ...]]
    ):
        self._glosses = {
            term: _readings(glosses) for term, glosses in {**lexicon, **SEED}.items() if len(term) > 1
        }
        self._longest = max(map(len, self._glosses))
        self._ratio = sum(_length(e) for e in english) / max(sum(_length(z) for z in chinese), 1)
        self._ratio = min(
            max(self._ratio, 2.5), 5.0
        )  # far outside lies a document with much text in one language
        counts = Counter(term for item in chinese for term in self._terms(item.text))
        self._weight = {term: 1 / math.sqrt(count) for term, count in counts.items()}

    def of(self, zh: Sequence[Item], en: Sequence[Item]) -> float:
        cost = -math.log(_SHAPES[len(zh), len(en)])
        if not zh or not en:
            return cost
        if len({item.heading for item in (*zh, *en)}) > 1 or (zh[0].heading and len(zh) + len(en) > 2):
            return math.inf  # a heading translates a heading, and one only
        for side in (zh, en):
            if any(b.lines[0] < a.lines[-1] for a, b in pairwise(side)):
                return math.inf  # a note at the foot of a page that the sentence before it runs around
            cost += _ACROSS_BLOCKS * (side[0].block != side[-1].block)
        cost += _UNEVEN_BLOCKS * ((zh[0].start == 0) != (en[0].start == 0))
        expected = self._ratio * sum(_length(z) for z in zh)
        # A few letters more or less mean nothing in a short line.
        z = (sum(_length(e) for e in en) - expected) / math.sqrt(_VARIANCE * (expected + 20))
        cost -= math.log(max(math.erfc(abs(z) / math.sqrt(2)), 1e-5))
        return cost - self._evidence("".join(z.text for z in zh), " ".join(e.text for e in en))

    def _evidence(self, zh: str, en: str) -> float:
        known = _stems(en)
        gain = 0.0
        for term in self._terms(zh):
            hit = any(reading <= known for reading in self._glosses[term])
            gain += self._weight.get(term, 1.0) * (_TERM_FOUND if hit else -_TERM_MISSED)
        one, two = quantities(zh, "zh"), quantities(en, "en")
        gain += _NUMBER_FOUND * len(one & two)
        gain -= _NUMBER_MISSED * sum(n > 12 for n in one ^ two)  # small ones are written in too many ways
        names = {stem(w) for w in re.findall(r"[A-Za-z]{2,}", zh)}
        return gain + _NUMBER_FOUND * len(names & known)

    def _terms(self, text: str) -> frozenset[str]:
        return _longest_match(text, self._glosses.keys(), self._longest)


def _longest_match(text: str, terms: object, longest: int) -> frozenset[str]:
    """The lexicon's words in a Chinese text, read from left to right, the longest first."""
    found, i = set(), 0
    while i < len(text):
        for size in range(min(longest, len(text) - i), 1, -1):
            if text[i : i + size] in terms:  # type: ignore[operator]
                found.add(text[i : i + size])
                i += size - 1
                break
        i += 1
    return frozenset(found)


def _readings(glosses: Sequence[str]) -> tuple[frozenset[str], ...]:
    return tuple(r for gloss in glosses if (r := stems(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", gloss))))


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return stems(text)


def _length(item: Item) -> int:
    """Letters, digits and Han characters; spaces and punctuation differ for no reason."""
    return sum(c.isalnum() for c in item.text)
