"""Finds facts in English."""

from __future__ import annotations

import re
from fractions import Fraction

from bench.facts.chinese import PER_MILLE, item_readings, per_mille, slashed
from bench.facts.mention import Date, Mention, Number, Quantity, Reading, Section, Text, mention, read_numbers
from bench.facts.sections import EN_LABELS
from bench.facts.words import DENOMINATORS, NUMERATORS, RUN, SCALES, parse_run
from bench.references.segmentation.numbers import parse_number

_MONTH_NAMES = "january february march april may june july august september october november december".split()
_MONTH = (
    r"(Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\b\.?|July?\b\.?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?|"
    + "|".join(name.upper() for name in _MONTH_NAMES)
    + r")(?![A-Za-z])"
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?(?!\d)"
_YEAR = r"(\d{4})(?![\d,]\d)"
_TO = r"(?: ?[-–—] ?| (?:to|and|through) )"
_MONTH_FIRST = re.compile(
    rf"\b{_MONTH} ?{_DAY}(?:{_TO}{_DAY}(?!:\d| ?(?:per ?cent|%|million|billion)))?(?:,? ?(?:of )?{_YEAR})?"
)
_DAY_FIRST = re.compile(rf"\b(?:the )?{_DAY}(?:{_TO}{_DAY})?(?: of)? {_MONTH}(?:,? ?{_YEAR})?")
_MONTH_ONLY = re.compile(rf"\b{_MONTH}(?:,? (?:of )?{_YEAR})?")
_BEFORE_MONTH = re.compile(
    r"\b(?:in|of|since|until|by|from|to|and|during|last|this|next|early|late|mid|before|after|through)[ -]$",
    re.I,
)
"""What stands before a month: May and March are also verbs."""
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?![\d./-])")
_YEAR_ONLY = re.compile(r"(?<![\d.,$€£¥-])(1\d{3}|20\d{2})(?:([-–—/])(\d{2}))?(?![\d%]|[.,]\d|s\b)")
_DECADES = re.compile(r"(?<!\d)(1\d|20)?(\d)0['’]?s\b|\b(twen|thir|for|fif|six|seven|eigh|nine)ties\b", re.I)
_TENS = "twen thir for fif six seven eigh nine".split()
_LABEL = "|".join(sorted(EN_LABELS, key=len, reverse=True))
_NUMBER = r"(?:\d{1,4}|[IVXLC]{1,7}|[A-Z])(?![\w%]|[.,]\d)"
_SECTIONS = re.compile(
    rf"\b((?i:{_LABEL}))(?:s|S)?\b\.?\s?({_NUMBER}(?:(?:,? (?:and|or|to|through) |, ?| ?[-–—] ?|/){_NUMBER}){{0,9}})"
    r"((?: ?\(\w{1,4}\)){0,3})|§ ?(\d{1,4})",
)
_ORDINAL_SECTION = re.compile(
    r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth) "
    r"(paragraph|subparagraph|clause|item|chapter|section|part)\b",
    re.I,
)
_DAY_IN_WORDS = re.compile(rf"\b(?:this |the )?([a-z]+(?:-[a-z]+)?)(?: day)? of {_MONTH}")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_ITEMS = re.compile(
    r"\((\d{1,3}|[a-z]|[ivx]{1,5}|[A-Z])\)|([①-⑳])|(?:^|(?<=\n))\s*(\d{1,2}|[a-z]|[IVX]{1,5})[.)](?=\s)"
)
_SIGNS = {
    "US$": "USD", "USD": "USD", "U.S.$": "USD", "HK$": "HKD", "HKD": "HKD", "$": "$", "€": "EUR", "EUR": "EUR",
    "£": "GBP", "GBP": "GBP", "¥": "CNY", "RMB": "CNY", "CNY": "CNY", "JPY": "JPY", "Renminbi": "CNY",
}  # fmt: skip
_CURRENCIES = {
    "hong kong dollar": "HKD", "australian dollar": "AUD", "canadian dollar": "CAD", "singapore dollar": "SGD",
    "new zealand dollar": "NZD", "us dollar": "USD", "u.s. dollar": "USD", "american dollar": "USD",
    "dollar": "$", "us$": "USD", "usd": "USD", "yuan": "CNY", "rmb": "CNY", "renminbi": "CNY", "cny": "CNY",
    "euro": "EUR", "eur": "EUR", "pound": "GBP", "yen": "JPY", "ruble": "RUB", "rouble": "RUB", "won": "KRW",
    "rupee": "INR", "swiss franc": "CHF",
}  # fmt: skip
_PERCENT = r"per ?cent(?:age points?)?|percentage points?|%|pct\b"
_UNIT = (
    rf"(?:[ -]?(?P<percent>{_PERCENT}))|[ -](?:Chinese |Japanese )?"
    rf"(?P<currency>{'|'.join(map(re.escape, _CURRENCIES))})s?\b"
)
_AFTERNOON = re.compile(r" ?p\.?m\b", re.I)
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_SCALE_FOLLOWS = re.compile(
    rf"[ -](?:{_SCALE}|{_PERCENT}|(?:{'|'.join(map(re.escape, _CURRENCIES))})s?)\b", re.I
)
_DIGITS = (
    r"(?:\d{1,3}(?:,\d{3}){1,9}(?!\d)(?:\.\d{1,20})?"
    r"|\d{1,3}(?:[ \u00a0\u202f]\d{3}){1,9}(?!\d)"  # 10 000, as the United Nations write
    r"|\d{1,30}(?:\.\d{1,20})?)"
)
_NUMBERS = re.compile(
    rf"(?P<sign>{'|'.join(map(re.escape, _SIGNS))})?[ \u00a0]?(?P<digits>{_DIGITS})"
    rf"(?:[ -]?(?P<scale>{_SCALE})\b|(?P<ordinal>st|nd|rd|th)?\b)(?:[ -](?P<scale2>million|billion|trillion)\b)?"
    rf"(?:{_UNIT})?",
    re.I,
)
_GLUED = re.compile(rf"(?P<digits>{_DIGITS})")
_WORD_NUMBERS = re.compile(rf"(?P<run>{RUN.pattern})(?:{_UNIT})?", re.I)
_FRACTIONS = re.compile(
    rf"\b(?<!-)(?<!\band )({'|'.join(NUMERATORS)})[ -]({'|'.join(DENOMINATORS)}|halve)s?\b"
    r"|(?<![\d./])(\d{1,3})/(\d{1,4})(?![\d./])",
    re.I,
)
_HALF = re.compile(r"\bhalf (?:of\b|the\b)|(?<=\bthan )half\b", re.I)
_ROMAN = re.compile(r"\b[IVX]{2,6}\b")
_WEAK_VALUES = {
    "both": 2, "couple": 2, "pair": 2, "twin": 2, "dual": 2, "double": 2, "doubled": 2, "doubles": 2, "doubling": 2,
    "twice": 2, "twofold": 2, "two-fold": 2, "bilateral": 2, "secondly": 2, "triple": 3, "tripled": 3, "thrice": 3,
    "thirdly": 3, "trilateral": 3, "threefold": 3, "quadruple": 4, "fourthly": 4, "decade": 10, "dozen": 12,
    "century": 100, "centuries": 100, "noon": 12, "midday": 12, "midnight": 24, "once": 1,
    "single": 1, "firstly": 1, "sole": 1,
}  # fmt: skip
_WEAK = re.compile(rf"\b(?:{'|'.join(_WEAK_VALUES)}|half|halves|halved|quarters?|decades|dozens)\b", re.I)


def find(rest: Text) -> list[Mention]:
    """The facts of a text, except names."""
    mentions = rest.take(_MONTH_FIRST, lambda m: _day(m, m[1], m[2], m[3], m[4]))
    mentions += rest.take(_DAY_FIRST, lambda m: _day(m, m[3], m[1], m[2], m[4]))
    mentions += rest.take(_DAY_IN_WORDS, _day_in_words)
    mentions += rest.take(_MONTH_ONLY, _month_only)
    mentions += rest.take(_NUMERIC, _numeric)
    mentions += rest.take(_DECADES, _decade)
    mentions += rest.take(_SECTIONS, _section)
    mentions += rest.take(_ORDINAL_SECTION, _ordinal_section)
    mentions += rest.take(_ITEMS, lambda m: mention(m, *item_readings(m[1] or m[2] or m[3])))
    mentions += rest.take(_FRACTIONS, _fraction)
    mentions += rest.take(PER_MILLE, per_mille)
    mentions += rest.take(_HALF, lambda m: mention(m, Quantity(Fraction(1, 2))))
    mentions += rest.take(_YEAR_ONLY, _year)
    numbers: list[Number] = []
    rest.take(_NUMBERS, lambda m: _number(numbers, m))
    rest.take(_WORD_NUMBERS, lambda m: _word_numbers(numbers, m))
    rest.take(_GLUED, lambda m: _glued(numbers, m))
    mentions += read_numbers(numbers, rest.text)
    mentions += rest.take(_ROMAN, _roman)
    mentions += rest.take(_WEAK, _weak)
    return mentions


def _month_number(name: str) -> int:
    return next(
        i for i, month in enumerate(_MONTH_NAMES, 1) if month.startswith(name.lower().rstrip(".")[:3])
    )


def _day(
    match: re.Match[str], month: str, first: str, last: str | None, year: str | None
) -> list[Mention] | None:
    days = [int(day) for day in (first, last) if day]
    if not all(1 <= day <= 31 for day in days):
        return None
    return [mention(match, Date(int(year or 0), _month_number(month), day)) for day in days]


def _day_in_words(match: re.Match[str]) -> list[Mention] | None:
    found = parse_run(match[1]) if RUN.fullmatch(match[1]) else []
    if len(found) != 1 or not 1 <= found[0][0] <= 31:
        return None
    return [mention(match, Date(0, _month_number(match[2]), int(found[0][0])))]


def _month_only(match: re.Match[str]) -> Mention | None:
    before = match.string[max(0, match.start() - 12) : match.start()]
    is_verb = match[1].lower() in ("may", "march") and not _BEFORE_MONTH.search(before)
    is_name = match[1] in ("Jan", "Mar", "Dec", "Sep", "Nov", "Oct", "Aug")
    if not match[2] and (is_verb or is_name):
        return None
    month = _month_number(match[1])
    if match[2]:
        return mention(match, Date(int(match[2]), month))
    return mention(match, Date(0, month), Quantity(Fraction(month)))


def _numeric(match: re.Match[str]) -> Mention | None:
    a, b, c = int(match[1]), int(match[3]), int(match[4])
    candidates = [(a, b, c), (c, a, b), (c, b, a)]
    readings = [
        Date(*date) for date in candidates if date[0] > 31 and 1 <= date[1] <= 12 and 1 <= date[2] <= 31
    ]
    return mention(match, *readings) if readings else None


def _year(match: re.Match[str]) -> list[Mention] | None:
    """A year, a year and its month (2021-12), or two years (2021-22). 2010-12 may be either."""
    year, second = int(match[1]), int(match[3] or 0)
    last = year // 100 * 100 + second if match[3] else 0
    before = match.string[max(0, match.start() - 4) : match.start()].strip()
    if before.endswith(("RMB", "USD", "$")) or (
        not match[3] and _SCALE_FOLLOWS.match(match.string, match.end())
    ):
        return None
    months = [Date(year, second)] if match[2] in ("-", "/") and 1 <= second <= 12 else []
    mentions = [mention(match, *months, Date(year), Quantity(Fraction(year)))]
    if last > year:
        mentions.append(mention(match, Date(last), Quantity(Fraction(last))))
    return mentions


def _decade(match: re.Match[str]) -> Mention:
    if match[3]:
        return mention(match, Quantity(Fraction(1900 + 10 * (_TENS.index(match[3].lower()) + 2)), "decade"))
    return mention(match, Quantity(Fraction(int(match[1] or 19) * 100 + 10 * int(match[2])), "decade"))


def _section(match: re.Match[str]) -> list[Mention] | None:
    if match[4]:
        return [mention(match, Section("article", int(match[4])), Quantity(Fraction(int(match[4]))))]
    label = match[1].lower()
    if (
        label in ("part", "point", "art", "book", "box", "figure")
        and match[2][:1].isdigit() is False
        and match[1][0].islower()
    ):
        return None
    mentions = []
    parts = list(re.finditer(r"\d+|\b[IVXLC]+\b|\b[A-Z]\b", match[2], re.I))
    for part in parts:
        readings: list[Reading] = []
        numbers = {parse_number(part[0])} | (
            {ord(part[0].lower()) - 96} if len(part[0]) == 1 and part[0].isalpha() else set()
        )
        for number in sorted(n for n in numbers if n is not None):
            readings += [Section(name, number) for name in EN_LABELS[label]]
            if part[0].isdigit() or len(part[0]) > 1:
                readings.append(Quantity(Fraction(number)))
        if not readings:
            return None
        start = match.start() if part is parts[0] else match.start(2) + part.start()
        end = match.start(2) + part.end()
        mentions.append(Mention(tuple(readings), match.string[start:end], start, end))
    for part in re.finditer(r"\((\w{1,4})\)", match[3]):
        readings = []
        for reading in item_readings(part[1]):
            if isinstance(reading, Section):
                readings += [Section(name, reading.number) for name in ("item", "paragraph")]
            else:
                readings.append(reading)
        if readings:
            start = match.start(3) + part.start()
            mentions.append(Mention(tuple(readings), part[0], start, start + len(part[0])))
    return mentions


def _ordinal_section(match: re.Match[str]) -> Mention:
    number = _ORDINALS.index(match[1].lower()) + 1
    labels = EN_LABELS[match[2].lower()]
    return mention(
        match, *(Section(label, number) for label in labels), Quantity(Fraction(number)), weak=number < 2
    )


def _fraction(match: re.Match[str]) -> Mention | None:
    if match[3]:
        return slashed(match, match[3], match[4])
    above = NUMERATORS[match[1].lower()]
    below = 2 if match[2].lower().startswith("hal") else DENOMINATORS[match[2].lower()]
    is_plural = match[0].lower().endswith("s")
    if not is_plural and (below >= 100 or (above > 1 and "-" not in match[0])):
        return None  # the end of an ordinal: two thousand one hundredth
    weak = match[1].lower() in ("a", "an") or below == 2
    return mention(
        match, Quantity(Fraction(above, below)), *([Quantity(Fraction(below))] if weak else []), weak=weak
    )


def _unit(match: re.Match[str]) -> str:
    if match["percent"]:
        return "%"
    return _CURRENCIES[match["currency"].lower()] if match["currency"] else ""


def _number(numbers: list[Number], match: re.Match[str]) -> tuple[()] | None:
    first = match.start("digits")
    if not match["sign"] and match.string[first - 1 : first].isalpha():
        return None  # part of a name: G20
    scale = SCALES[match["scale"].lower()] if match["scale"] else 1
    scale *= SCALES[match["scale2"].lower()] if match["scale2"] else 1
    value = Fraction(re.sub(r"[, \u00a0\u202f]", "", match["digits"])) * scale
    sign = next((code for text, code in _SIGNS.items() if text.lower() == (match["sign"] or "").lower()), "")
    readings: tuple[Reading, ...] = ()
    if match["scale"] and match["scale"].lower() in ("m", "k"):  # 5 m is also five metres
        readings = (Quantity(value / scale),)
    if match["ordinal"] and value <= 31:  # "on the 25th"
        readings = (Date(0, 0, int(value)),)
    if _AFTERNOON.match(match.string, match.end()) and value < 12:
        readings = (Quantity(value + 12),)
    numbers.append(Number(mention(match, *readings), value, scale, _unit(match) or sign))
    return ()


def _glued(numbers: list[Number], match: re.Match[str]) -> tuple[()]:
    """Digits inside a word: they render a number, but none is expected of it."""
    value = Fraction(re.sub(r"[, \u00a0\u202f]", "", match["digits"]))
    numbers.append(Number(mention(match, weak=True), value))
    return ()


def _word_numbers(numbers: list[Number], match: re.Match[str]) -> tuple[()]:
    found = parse_run(match["run"])
    if len(found) == 2 and 17 <= found[0][0] <= 20 and 10 <= found[1][0] < 100:  # nineteen ninety-one
        found = [(100 * found[0][0] + found[1][0], 1, found[0][2], found[1][3])]
    for i, (value, scale, start, end) in enumerate(found):
        is_last = i == len(found) - 1
        start, end = match.start() + start, match.end() if is_last else match.start() + end
        text = match.string[start:end]
        weak = match["run"].lower() in ("one", "first", "second", "zero") or match["run"].lower() in SCALES
        year = (Date(int(value)),) if is_last and 1900 <= value <= 2100 and value.denominator == 1 else ()
        numbers.append(
            Number(Mention(year, text, start, end, weak), value, scale, _unit(match) if is_last else "")
        )
    return ()


def _roman(match: re.Match[str]) -> Mention | None:
    number = parse_number(match[0])
    return None if number is None else mention(match, Quantity(Fraction(number)), weak=True)


def _weak(match: re.Match[str]) -> Mention:
    word = match[0].lower()
    if word.startswith("hal"):
        return mention(match, Quantity(Fraction(1, 2)), Quantity(Fraction(2)), weak=True)
    if word.startswith("quarter"):
        return mention(match, Quantity(Fraction(1, 4)), weak=True)
    value = _WEAK_VALUES.get(word) or _WEAK_VALUES[word.removesuffix("s")]
    return mention(match, Quantity(Fraction(value)), weak=True)
