"""What the scorer of facts finds in the gold pairs of the aligner, and how many changed facts it notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.facts import find
from bench.facts.matching import Expected, expected_facts, faults
from bench.facts.mention import Mention, Name, says
from bench.languages import DIRECTIONS, Direction, sides
from tests.helpers.sets import BLIND, DOCUMENTS, GOLD, gold

_DIGITS = {
    **dict(zip("0123456789", "1234567893", strict=True)),
    **dict(zip("二三四五六七八九", "三四五六七八九二", strict=True)),
}
_WORDS = {"two": "three", "three": "four", "four": "six", "five": "seven", "six": "eight", "seven": "nine"}


@dataclass
class Figures:
    """Of one direction."""

    expected: Counter[str] = field(default_factory=Counter)
    """Kind of fact -> number."""
    reference_faults: int = 0
    """Faults that the reference itself is accused of."""
    changed: Counter[str] = field(default_factory=Counter)
    """Kind -> number of references with one fact changed."""
    noticed: Counter[str] = field(default_factory=Counter)
    """Kind -> number of them that were noticed."""


def measure(direction: Direction) -> Figures:
    source_language, target_language = sides(direction)
    figures = Figures()
    for zh, en in (pair for document in [*DOCUMENTS, *BLIND] for pair in gold(GOLD / f"{document}.gold.tsv")):
        source_text, reference_text = (zh, en) if direction == "zh-en" else (en, zh)
        source, reference = find(source_text, source_language), find(reference_text, target_language)
        facts = expected_facts(source, reference, target_language)
        figures.expected.update(fact.kind for fact in facts)
        known = [*source, *reference]
        figures.reference_faults += len(faults(facts, known, reference))
        for fact, changed in _changed(facts, reference, reference_text):
            figures.changed[fact.kind] += 1
            found = faults(facts, known, find(changed, target_language))
            figures.noticed[fact.kind] += any(finding.expected == fact.text for finding in found)
    return figures


def _changed(facts: list[Expected], mentions: list[Mention], text: str) -> Iterator[tuple[Expected, str]]:
    """The text with one fact changed or, if it is a name, removed; only facts that it mentions once."""
    for fact in facts:
        once = {(m.start, m.end) for m in mentions if says([m], fact.reading)}
        if len(once) != 1:
            continue
        ((start, end),) = once
        old = text[start:end]
        new = "" if isinstance(fact.reading, Name) else _change(old)
        if new != old:
            yield fact, text[:start] + new + text[end:]


def _change(text: str) -> str:
    """Another number: the last digit or numeral is replaced by another one."""
    for word, other in _WORDS.items():
        if word in text.lower():
            return text.lower().replace(word, other)
    for position in range(len(text) - 1, -1, -1):
        if text[position] in _DIGITS:
            return text[:position] + _DIGITS[text[position]] + text[position + 1 :]
    return text


def main() -> None:
    for direction in DIRECTIONS:
        figures = measure(direction)
        print(
            f"{direction}: {sum(figures.expected.values()):,} facts, {figures.reference_faults} faults of the reference"
        )
        for kind, count in sorted(figures.expected.items()):
            changed, noticed = figures.changed[kind], figures.noticed[kind]
            print(f"  {kind:10} {count:4} facts, {noticed} of {changed} changed ones noticed")
