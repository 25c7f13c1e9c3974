"""Numbers as both languages write them: of headings (一, IV, b) and in text (二〇二一年, 20世纪90年代,
six)."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from bench.languages import Language

_MAX_LENGTH = 15
"""Characters of a numeral. Documents are untrusted, and int() is slow on long ones."""
MAX_QUANTITY_LENGTH = 40
"""Characters of a number in running text, such as 1,234亿5,678万."""

_NUMBER_SIGNS = frozenset(
    "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳❶❷❸❹❺❻❼❽❾❿㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩"
) | frozenset(chr(code) for code in (*range(0x2474, 0x249C), *range(0x2160, 0x217C)))
"""One character with the value of a number: ① ❶ ㊀ ㈠ ⑴ ⒈ Ⅰ."""

# Chinese
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "两": 2,
}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE_UNITS = {"万": 10**4, "亿": 10**8}
HAN_NUMERALS = "零〇○一二三四五六七八九十百千万亿两"
"""Every character of a Chinese numeral, as the inside of a regex character class."""
FORMAL_NUMERALS = "壹贰叁肆伍陆柒捌玖拾"
"""Numerals of contracts and of Taiwanese headings."""
STEMS = "甲乙丙丁戊己庚辛壬癸"
"""Signs that count as A, B, C do."""
_FORMAL = str.maketrans(FORMAL_NUMERALS, "一二三四五六七八九十")
_NUMERAL = f"[{HAN_NUMERALS}]{{1,{_MAX_LENGTH}}}"
_MINGUO_YEAR = re.compile(rf"民国\s*(\d{{1,3}}|{_NUMERAL})\s*年")
_MINGUO_START = 1911
"""The year before the first year of the Republic: 民国111年 is 2022."""
_DECADE = re.compile(rf"(\d{{1,4}}|{_NUMERAL})世纪(\d{{1,4}}|{_NUMERAL})年代")
# A lone numeral counts only before a measure word or after 第: 一切, 三角 and 千方百计 are not quantities.
# What follows a digit or 几 is the end of a number: 700万人, 几百万人.
_COUNTED_NUMERAL = re.compile(
    rf"第({_NUMERAL})|(?<![\d{HAN_NUMERALS}多余几数])({_NUMERAL})"
    "(?=[年月日条章节个项部名次届国种类大位家件份款元人艘吨周岁倍公平米])"
)
_DIGITS_AND_UNITS = re.compile(r"(\d[\d,]*(?:\.\d+)?)[多余]?([百千]?)[多余]?([万亿]{0,2})(千瓦|斤|亩)?")
"""700多万, 3千余万: more than so many."""
_CHINESE_MEASURES = {"千瓦": 1000.0, "斤": 0.5, "亩": 1 / 15}
"""In watts, kilograms and hectares: English texts give them in other units."""
_ENGLISH_MEASURES = {
    "kw": 1e3, "kilowatt": 1e3, "kilowatts": 1e3, "mw": 1e6, "megawatt": 1e6, "megawatts": 1e6,
    "gw": 1e9, "gigawatt": 1e9, "gigawatts": 1e9, "jin": 0.5, "mu": 1 / 15,
}  # fmt: skip
_ROUND_NUMERAL = re.compile(rf"(?<![\d{HAN_NUMERALS}几数])({_NUMERAL})(?<=[十百千万亿])[多余]([万亿]?)")
"""七百多万, 二十余."""
_PERCENTAGE = re.compile(rf"百分之([{HAN_NUMERALS}点]{{1,{_MAX_LENGTH}}})")

# English
NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = (
    {
        word: value
        for value, word in enumerate(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
            1,
        )
    }
    | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60, "seventieth": 70, "eightieth": 80}
    | {"ninetieth": 90}
)
_MONTHS = "january february march april may june july august september october november december".split()
_NAME_WITH_NUMBER = re.compile(r"\bcovid-19\b", re.IGNORECASE)
"""Chinese has no number in it: 新冠."""
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def parse_chinese_numeral(text: str) -> int | None:
    """二十一 -> 21, 二〇二一 -> 2021, 三万 -> 30000; None if it is not a numeral or is too long."""
    if not text or len(text) > _MAX_LENGTH or any(character not in HAN_NUMERALS for character in text):
        return None
    value = parse_chinese_quantity(text)
    return None if value is None else int(value)


_TOKEN = re.compile(
    r"(\d[\d,]*(?:\.\d+)?)|([〇○零一二两三四五六七八九]+)|点([〇○零一二三四五六七八九]+)|([十百千])|([万亿])|(.)",
    re.S,
)


def parse_chinese_quantity(text: str) -> Fraction | None:
    """一亿二千万 -> 120000000, 1.5万亿 -> 1500000000000, 五点二 -> 26/5; None if it is not a number or is too
    long."""
    if not text or len(text) > MAX_QUANTITY_LENGTH:
        return None
    total = group = Fraction(0)  # `group`: the value since the last 万 or 亿
    digit: Fraction | None = None
    largest = 1  # the largest of 万 and 亿 so far
    for match in _TOKEN.finditer(text):
        ascii_digits, han_digits, decimals, unit, large_unit, other = match.groups()
        if other:
            return None
        if ascii_digits:
            digit = Fraction(ascii_digits.replace(",", ""))
        elif han_digits:
            digit = Fraction(_digits(han_digits))
        elif decimals:
            digit = (digit or 0) + Fraction(_digits(decimals), 10 ** len(decimals))
        elif unit:
            group, digit = group + (1 if digit is None else digit) * _UNITS[unit], None
        else:
            scale = _LARGE_UNITS[large_unit]
            group, digit = group + (digit or 0), None
            if scale > largest or not total:  # 一万五千亿: all that stands before 亿 is counted in 亿
                total, largest = (total + group or Fraction(1)) * scale, max(scale, largest)
            else:  # 一亿二千万: only what follows 亿 is counted in 万; 万亿 is 万 times 亿
                total += (group or 1) * scale
            group = Fraction(0)
    return total + group + (digit or 0)


def _digits(text: str) -> int:
    return int("".join(str(_DIGITS[character]) for character in text))


def parse_roman_numeral(text: str) -> int | None:
    """XIV -> 14; None if it is not a Roman numeral below 90 in the usual spelling."""
    if not re.fullmatch(r"(?=.)(XL|L?X{0,3})(IX|IV|V?I{0,3})", text.upper()):
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50}[character] for character in text.upper()]
    return sum(-v if any(later > v for later in values[i + 1 :]) else v for i, v in enumerate(values))


def parse_number(text: str) -> int | None:
    """The value of a number of any kind: 三 -> 3, ３ -> 3, iii -> 3, c -> 3, ③ -> 3, Three -> 3; None if it is not a
    number or too long.

    A letter that is a Roman numeral counts as one: i -> 1.
    """
    if len(text) > _MAX_LENGTH:
        return None
    text = unicodedata.normalize("NFKC", text) if text[:1] not in _NUMBER_SIGNS else text
    if text.isascii() and text.isdigit():
        return int(text)
    if len(text) == 1 and text in _NUMBER_SIGNS:
        return int(unicodedata.numeric(text))
    if text.lower() in NUMBER_WORDS:
        return NUMBER_WORDS[text.lower()]
    if len(text) == 1 and text in STEMS:
        return STEMS.index(text) + 1
    text = text.translate(_FORMAL)
    for parse in (parse_chinese_numeral, parse_roman_numeral):
        if (number := parse(text)) is not None:
            return number
    return ord(text.lower()) - ord("a") + 1 if len(text) == 1 and text.isascii() and text.isalpha() else None


def find_quantities(text: str, language: Language) -> frozenset[float]:
    """The numbers in a text, which both sides of a true pair should share.

    0 and 1 are left out: 一 is too often a mere particle.
    """
    return frozenset(_find_in_chinese(text) if language == "zh" else _find_in_english(text)) - {0, 1}


def _find_in_chinese(text: str) -> set[float]:
    quantities: set[float] = set()

    def add_decade(match: re.Match[str]) -> str:
        century, years = (parse_number(group) or 0 for group in match.groups())
        quantities.add((century - 1) * 100 + years)
        return " "

    text = _DECADE.sub(add_decade, text)
    quantities |= {_MINGUO_START + (parse_number(year) or 0) for year in _MINGUO_YEAR.findall(text)}
    for digits, small_unit, large_units, measure in _DIGITS_AND_UNITS.findall(text):
        number = float(digits.replace(",", "")) * _UNITS.get(small_unit, 1)
        for unit in large_units:
            number *= _LARGE_UNITS[unit]
        quantities.add(_measured(number, _CHINESE_MEASURES.get(measure)))
    for numeral, unit in _ROUND_NUMERAL.findall(text):
        value = parse_chinese_numeral(numeral)
        if value is not None:
            quantities.add(float(value * _LARGE_UNITS.get(unit, 1)))
    for numeral in _PERCENTAGE.findall(text):
        percentage = parse_chinese_quantity(numeral)
        if percentage is not None:
            quantities.add(float(percentage))
    for ordinal, counted in _COUNTED_NUMERAL.findall(text):
        value = parse_chinese_numeral(ordinal or counted)
        if value is not None:
            quantities.add(float(value))
    return quantities


def _measured(number: float, measure: float | None) -> float:
    """The number in the unit that both languages are converted to; six digits, as conversions are not exact."""
    return float(f"{number * measure:.6g}") if measure else number


def _find_in_english(text: str) -> set[float]:
    quantities: set[float] = set()
    text = _NAME_WITH_NUMBER.sub("covid", text)
    # The next word is only looked at: in "January 1, 2022" it is a number of its own.
    for digits, first, second in re.findall(
        r"(\d[\d,]*(?:\.\d+)?)(?:s\b|st\b|nd\b|rd\b|th\b)?(?:\s+(?=([a-zA-Z]+)(?:\s+([a-zA-Z]+))?))?", text
    ):
        scale = _SCALES.get(first.lower())
        measure = _ENGLISH_MEASURES.get((second if scale else first).lower())
        quantities.add(_measured(float(digits.rstrip(",").replace(",", "")) * (scale or 1), measure))
    quantities |= _find_number_words(text)
    for word in re.findall(r"[A-Za-z]+", text):
        lower = word.lower()
        if lower in _MONTHS and word[0].isupper():  # "may" the verb is not a month
            quantities.add(float(_MONTHS.index(lower) + 1))
    return quantities


def _find_number_words(text: str) -> set[float]:
    """twenty-five -> 25, a hundred -> 100, three thousand five hundred -> 3500, one hundred and eightieth -> 180."""
    quantities: set[float] = set()
    total = group = 0
    end = 0  # of the last number word

    def finish() -> None:
        nonlocal total, group
        if total + group:
            quantities.add(float(total + group))
        total = group = 0

    for match in _NUMBER_WORD.finditer(text):
        word = match[1].lower()
        if not re.fullmatch(r"[ -]*(?:and )?", text[end : match.start()]):
            finish()
        elif "and" in text[end : match.start()] and group % 100:
            finish()  # "two and three"
        value, end = NUMBER_WORDS.get(word, _ORDINALS.get(word)), match.end()
        if value is not None:
            if group % 100 and not (group % 10 == 0 and group % 100 >= 20 and 0 < value < 10):
                finish()
            group += value
        elif word in ("hundred", "hundredth"):
            group = (group or 1) * 100
        elif (
            group or text[max(match.start() - 2, 0) : match.start()].lower() == "a "
        ):  # "1.5 million" has digits
            total, group = total + (group or 1) * _SCALES[word], 0
        if total > 10**15:
            total = group = 0
    finish()
    return quantities


_NUMBER_WORD = re.compile(
    rf"\b({'|'.join([*NUMBER_WORDS, *_ORDINALS, 'hundred', 'hundredth', *_SCALES])})\b", re.IGNORECASE
)
