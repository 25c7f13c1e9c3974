"""English number words: two hundred and five, twenty-first, two and a half million."""

from __future__ import annotations

import re
from fractions import Fraction

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth".split(),
        1,
    )
} | {f"{word[:-1]}ieth": value for word, value in _TENS.items()}
SCALES = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "mln": 10**6, "mn": 10**6, "m": 10**6, "bln": 10**9, "bn": 10**9, "tn": 10**12, "trn": 10**12, "k": 10**3,
}  # fmt: skip
_LONG_SCALES = {word: value for word, value in SCALES.items() if len(word) > 3}
_ORDINAL_SCALES = {f"{word}th": value for word, value in _LONG_SCALES.items()}

_VALUES = _SMALL | _TENS | _ORDINALS | _LONG_SCALES | _ORDINAL_SCALES
_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
_START = rf"\b(?:(?:an?|half an?) (?=(?:{'|'.join(_LONG_SCALES)})\b))?(?:{_WORD})\b"
RUN = re.compile(rf"{_START}(?:(?:[ -]| and |-and-|, )(?:{_WORD}|a half|half|point)\b){{0,40}}", re.I)
"""Words that may be one number or several: "two hundred and five"."""
DENOMINATORS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
NUMERATORS = {word: value for word, value in _SMALL.items() if 0 < value < 10} | {"a": 1, "an": 1}


def parse_run(text: str) -> list[tuple[Fraction, int, int, int]]:
    """(value, scale, start, end) of each number in a match of RUN; `scale` is the last scale word's."""
    numbers: list[tuple[Fraction, int, int, int]] = []
    state = _Reader()
    start = end = 0
    for match in re.finditer(r"half(?= an? )|a half|[a-z]+", text.lower()):
        word = match[0]
        if word in ("and", "a", "an"):
            continue
        if state.read and not state.accepts(word):
            numbers.append((state.value(), state.scale, start, end))
            state = _Reader()
        if not state.read:
            start = match.start()
        state.add(word)
        end = match.end()
    if state.read:
        numbers.append((state.value(), state.scale, start, end))
    return numbers


class _Reader:
    """Adds words up to one number."""

    def __init__(self) -> None:
        self.read = False
        self.scale = 1
        self._total = self._group = Fraction(0)
        self._room = 10**15
        """The next word must be smaller: after "twenty" 10, after "hundred" 100."""
        self._scale_room = 10**15
        self._decimals = 0
        self._is_ordinal = False

    def accepts(self, word: str) -> bool:
        if self._is_ordinal:
            return False
        if word == "point" or word in ("half", "a half"):
            return word != "point" or not self._decimals
        value = _VALUES[word]
        if self._decimals:
            return value < 10 or word in _LONG_SCALES
        if word in _LONG_SCALES or word in _ORDINAL_SCALES:
            return value < self._scale_room if value > 100 else 0 < self._group < 100
        return value < self._room and value > 0

    def add(self, word: str) -> None:
        self.read = True
        if word == "point":
            self._decimals = 10
        elif word in ("half", "a half"):
            self._group += Fraction(1, 2)
            self._room = 1
        elif word in _LONG_SCALES or word in _ORDINAL_SCALES:
            value = _VALUES[word]
            self._is_ordinal = word in _ORDINAL_SCALES
            self._decimals = 0
            self.scale = value
            if value == 100:
                self._group, self._room = (self._group or Fraction(1)) * 100, 100
            else:
                self._total, self._group = self._total + (self._group or 1) * value, Fraction(0)
                self._room, self._scale_room = 1000, value
        elif self._decimals:
            self._group += Fraction(_VALUES[word], self._decimals)
            self._decimals *= 10
        else:
            self._is_ordinal = word in _ORDINALS
            self._group += _VALUES[word]
            self._room = 10 if word in _TENS else 1

    def value(self) -> Fraction:
        return self._total + self._group
