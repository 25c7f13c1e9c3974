"""What a text says: mentions, each with one or more readings, and when two readings agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

Kind = Literal["number", "percentage", "amount", "date", "section", "item", "name"]


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Fraction
    unit: str = ""
    """"%", a currency code (USD), "$" for dollars of any country, "decade" (1990 for the 1990s), or "" for a
    plain number."""


@dataclass(frozen=True, slots=True)
class Date:
    """A date or a part of one. 0 means that the text does not say it."""

    year: int = 0
    month: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    label: str
    """"article", "paragraph" … as in `bench.facts.sections`; "item" for a number of a list: (c)."""
    number: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    """The name in Chinese as the lexicon has it, or a name in Latin letters in lower case, without spaces and
    hyphens."""


_DOLLARS = {"$", "USD", "HKD", "AUD", "CAD", "SGD", "NZD"}

Reading = Quantity | Date | Section | Name


@dataclass(frozen=True, slots=True)
class Mention:
    """A fact as one text mentions it."""

    readings: tuple[Reading, ...]
    """What it can mean. "5 to 10 %" mentions 5, which is a number or a percentage."""
    text: str
    start: int
    """Character offset."""
    end: int
    weak: bool = False
    """True for words that only sometimes mention a fact (both, a, half): they render a fact, but nothing is
    expected because of them."""


class Text:
    """A text of which the finders take one mention after the other: what is taken is not read again."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._rest = text

    def take(
        self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Mention | Iterable[Mention] | None]
    ) -> list[Mention]:
        """The mentions that `read` makes of each match. A match of which it makes None is left."""
        mentions: list[Mention] = []
        pieces: list[str] = []
        position = 0
        for match in pattern.finditer(self._rest):
            found = read(match)
            if found is None:
                continue
            mentions += [found] if isinstance(found, Mention) else found
            pieces += [self._rest[position : match.start()], "\0" * (match.end() - match.start())]
            position = match.end()
        self._rest = "".join(pieces) + self._rest[position:]
        return mentions


def mention(match: re.Match[str], *readings: Reading, weak: bool = False) -> Mention:
    """The mention that is the text of a match."""
    text = match[0].strip()
    start = match.start() + match[0].find(text)
    return Mention(readings, text, start, start + len(text), weak)


_RANGE = re.compile(r"\s*(?:[-–—~～至到或和与、及,，]|to|and|or|through)\s*")


@dataclass(frozen=True, slots=True)
class Number:
    """A number before it is known what stands beside it."""

    mention: Mention
    """Without readings."""
    value: Fraction
    scale: int = 1
    """1,000,000 in "5 million": `value` is 5,000,000."""
    unit: str = ""


def read_numbers(numbers: Iterable[Number], text: str) -> list[Mention]:
    """The mentions of numbers. In a range or list, a number may take scale and unit from its neighbour: 5 in
    "5 to 10 million" is also 5 million."""
    ordered = sorted(numbers, key=lambda number: number.mention.start)
    # Without repetitions at every step: a system that repeats itself writes lists of thousands of numbers.
    readings = [{Quantity(number.value, number.unit): None} for number in ordered]
    for i in reversed(range(len(ordered) - 1)):
        here, following = ordered[i], ordered[i + 1]
        if not _RANGE.fullmatch(text[here.mention.end : following.mention.start]):
            continue
        for reading in readings[i + 1]:
            scale = following.scale if here.scale == 1 else 1
            readings[i] |= {
                Quantity(here.value * factor, here.unit or reading.unit): None for factor in {1, scale}
            }
    for i in range(1, len(ordered)):
        here, previous = ordered[i], ordered[i - 1]
        if not here.unit and _RANGE.fullmatch(text[previous.mention.end : here.mention.start]):
            readings[i] |= {Quantity(here.value, reading.unit): None for reading in readings[i - 1]}
    return [
        replace(number.mention, readings=(*number.mention.readings, *of_number))
        for number, of_number in zip(ordered, readings, strict=True)
    ]


def join(a: Reading, b: Reading) -> Reading | None:
    """What both say: 5 % and 5 say 5, December 2021 and 2021 say 2021; None if they do not agree."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        if a.value == b.value:
            if a.unit == b.unit:
                return a
            if "decade" in (a.unit, b.unit):
                return None
            are_dollars = "$" in (a.unit, b.unit) and {a.unit, b.unit} <= _DOLLARS
            return Quantity(a.value, "$" if are_dollars else "")
        for share, plain in ((a, b), (b, a)):
            if share.unit == "%" and not plain.unit and share.value == 100 * plain.value:
                return plain
        return None
    if isinstance(a, Date) and isinstance(b, Date):
        pairs = [(a.year, b.year), (a.month, b.month), (a.day, b.day)]
        if any(x and y and x != y for x, y in pairs):
            return None
        year, month, day = (x if x and y else 0 for x, y in pairs)
        return Date(year, month, day) if year or month or day else None
    return a if a == b else None


def specificity(reading: Reading) -> int:
    """How much a reading says: of several shared ones the highest counts."""
    if isinstance(reading, Quantity):
        return 2 if reading.unit else 0
    if isinstance(reading, Date):
        return 2 + sum(map(bool, (reading.year, reading.month, reading.day)))
    return 6


def kind(reading: Reading) -> Kind:
    """The type under which a fact is counted."""
    if isinstance(reading, Quantity):
        return {"": "number", "%": "percentage", "decade": "date"}.get(reading.unit, "amount")  # type: ignore[return-value]
    if isinstance(reading, Date):
        return "date"
    if isinstance(reading, Section):
        return "item" if reading.label == "item" else "section"
    return "name"


def says(mentions: Sequence[Mention], expected: Reading) -> bool:
    """Whether a text with these mentions says what is expected."""
    if isinstance(expected, Date):
        if not expected.month and not expected.day and says(mentions, Quantity(Fraction(expected.year))):
            return True  # "2,000 people" renders 2000 when that was no year
        return _says_date([r for m in mentions for r in m.readings if isinstance(r, Date)], expected)
    return any(_renders(reading, expected) for mention in mentions for reading in mention.readings)


def _renders(reading: Reading, expected: Reading) -> bool:
    joined = join(reading, expected)
    if joined is None:
        return False
    if isinstance(reading, Quantity) and isinstance(expected, Quantity) and reading.value != expected.value:
        return True  # one half is 50 %
    return specificity(joined) >= specificity(expected)


def _says_date(dates: Sequence[Date], expected: Date) -> bool:
    """A year may stand apart from its day: "on 1 December of that year (2021)"."""
    day = Date(0, expected.month, expected.day)
    years = {date.year for date in dates}
    return (not expected.year or expected.year in years) and (
        day == Date()
        or any(
            date.year in (0, expected.year) or not expected.year for date in dates if join(date, day) == day
        )
    )
