"""Which facts a translation must keep, and what a hypothesis makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bench.facts.mention import (
    Date,
    Kind,
    Mention,
    Name,
    Quantity,
    Reading,
    Section,
    join,
    kind,
    says,
    specificity,
)
from bench.languages import Language

_NOT_EXPECTED = (Quantity(Fraction(0)), Quantity(Fraction(1)))
"""Written in too many ways to be missed."""

Fault = Literal["wrong", "missing", "invented"]


@dataclass(frozen=True, slots=True)
class Expected:
    """A fact that source and reference share."""

    reading: Reading
    text: str
    """As the reference writes it."""

    @property
    def kind(self) -> Kind:
        return kind(self.reading)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a fact in a hypothesis."""

    fault: Fault
    kind: Kind
    expected: str
    """As the reference writes it; "" if it is invented."""
    mention: Mention | None
    """What the hypothesis says; None if it is missing."""


def expected_facts(
    source: Sequence[Mention], reference: Sequence[Mention], target: Language
) -> list[Expected]:
    """The facts that source and reference share, each once, in the order of the reference.

    Into Chinese, an acronym is not expected: another translator writes it in Chinese characters.
    """
    by_key: dict[object, list[Mention]] = defaultdict(list)
    for mention in source:
        if not mention.weak:
            for key in {key for reading in mention.readings for key in _keys(reading)}:
                by_key[key].append(mention)
    facts: dict[Reading, Expected] = {}
    for mention in sorted(reference, key=lambda mention: (mention.start, mention.end)):
        if mention.weak:
            continue
        candidates = {
            id(other): other for r in mention.readings for key in _keys(r) for other in by_key.get(key, ())
        }
        shared = _most_specific(mention, candidates.values())
        if shared and not (
            target == "zh" and isinstance(shared, Name) and shared.name.isascii() and shared.name.isalpha()
        ):
            facts.setdefault(shared, Expected(shared, mention.text))
    return list(facts.values())


def faults(
    expected: Sequence[Expected],
    known: Sequence[Mention],
    hypothesis: Sequence[Mention],
) -> list[Finding]:
    """What is wrong in a hypothesis: first the expected facts that it does not render, then what it invents.

    `known`: the mentions of source and reference. A fact that is not rendered is wrong if the hypothesis has
    another fact of its type that is not known; otherwise it is missing.
    """
    strange = [
        mention
        for mention in sorted(hypothesis, key=lambda mention: mention.start)
        if not mention.weak
        and kind(mention.readings[0]) != "name"
        and not any(says(known, reading) for reading in mention.readings)
        and mention.readings[0] not in _NOT_EXPECTED
    ]
    findings = []
    for fact in expected:
        if says(hypothesis, fact.reading):
            continue
        instead = next(
            (mention for mention in strange if _family(mention.readings[0]) == _family(fact.reading)), None
        )
        if instead:
            strange.remove(instead)
        findings.append(Finding("wrong" if instead else "missing", fact.kind, fact.text, instead))
    return findings + [Finding("invented", kind(m.readings[0]), "", m) for m in strange]


def _family(reading: Reading) -> str:
    return "number" if isinstance(reading, Quantity) and reading.unit != "decade" else kind(reading)


def _keys(reading: Reading) -> Iterable[object]:
    """Readings that agree share at least one key."""
    if isinstance(reading, Quantity):
        return (reading.value, reading.value / 100) if reading.unit == "%" else (reading.value,)
    if isinstance(reading, Date):
        parts = (("year", reading.year), ("month", reading.month), ("day", reading.day))
        return [part for part in parts if part[1]]
    return (reading,) if isinstance(reading, Section | Name) else ()


def _most_specific(mention: Mention, others: Iterable[Mention]) -> Reading | None:
    shared = [
        (specificity(joined), isinstance(joined, Name) and joined.name in (mention.text, other.text), joined)
        for other in others
        for theirs in other.readings
        for ours in mention.readings
        if (joined := join(ours, theirs)) is not None and joined not in _NOT_EXPECTED
    ]
    # Of the names that share a rendering, the one that the Chinese text has.
    return max(shared, key=lambda row: row[:2])[2] if shared else None
