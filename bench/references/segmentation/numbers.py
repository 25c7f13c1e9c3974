"""Numbers as both languages write them: numbering (一, IV, b) and quantities (二〇二一年, 20世纪90年代, six)."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_BIG = {"万": 10**4, "亿": 10**8}
_LONGEST = 15  # characters of a numeral: documents are untrusted
HAN_NUMERAL = "零〇○一二三四五六七八九十百千万亿两"

_WORDS = {
    w: n
    for n, words in enumerate(
        "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
        "seventeen|eighteen|nineteen|twenty".split("|")
    )
    for w in [words]
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth".split("|")
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december".split("|")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def chinese(text: str) -> int | None:
    """二十一 -> 21, 二〇二一 -> 2021, 三万 -> 30000; None where it is not a numeral."""
    if not text or len(text) > _LONGEST or any(c not in HAN_NUMERAL for c in text):
        return None
    if not any(c in _UNITS or c in _BIG for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = part = digit = 0
    for c in text:
        if c in _BIG:
            total, part, digit = (total + max(part + digit, 1)) * _BIG[c], 0, 0
        elif c in _UNITS:
            part, digit = part + (digit or 1) * _UNITS[c], 0
        else:
            digit = _DIGITS[c]
    return total + part + digit


def roman(text: str) -> int | None:
    """XIV -> 14; None where it is not a Roman numeral below 90 written the usual way."""
    if not re.fullmatch(r"(?=.)(XL|L?X{0,3})(IX|IV|V?I{0,3})", text.upper()):
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50}[c] for c in text.upper()]
    return sum(-v if any(later > v for later in values[i + 1 :]) else v for i, v in enumerate(values))


def value(text: str) -> int | None:
    """The value of a numbering of any kind: 三 -> 3, ３ -> 3, iii -> 3, c -> 3; None where it is none or far too long."""
    if len(text) > _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text) if not "①" <= text[:1] <= "⑳" else text
    if text.isascii() and text.isdigit():
        return int(text)
    if len(text) == 1 and "①" <= text <= "⑳":
        return ord(text) - ord("①") + 1
    if (number := chinese(text)) is not None or (number := roman(text)) is not None:
        return number
    return ord(text.lower()) - ord("a") + 1 if len(text) == 1 and text.isascii() and text.isalpha() else None


def quantities(text: str, language: str) -> frozenset[float]:
    """What both sides of a true pair should share. One and first are left out: 一 is too often a mere particle."""
    return frozenset(_in_chinese(text) if language == "zh" else _in_english(text)) - {0, 1}


def _in_chinese(text: str) -> set[float]:
    found: set[float] = set()

    def decade(match: re.Match[str]) -> str:
        century, years = (value(group) or 0 for group in match.groups())
        found.add((century - 1) * 100 + years)
        return " "

    numeral = rf"\d{{1,4}}|[{HAN_NUMERAL}]{{1,{_LONGEST}}}"
    text = re.sub(rf"({numeral})世纪({numeral})年代", decade, text)
    for digits, big in re.findall(r"(\d[\d,]*(?:\.\d+)?)([万亿]*)", text):
        number = float(digits.replace(",", ""))
        for unit in big[:2]:
            number *= _BIG[unit]
        found.add(number)
    # A lone numeral counts only before a counting word or after 第: 一切, 三角 and 千方百计 are no quantities.
    for run in re.findall(
        rf"第([{HAN_NUMERAL}]{{1,{_LONGEST}}})|([{HAN_NUMERAL}]{{1,{_LONGEST}}})(?=[年月日条章节个项部名次届国种类大位家件份款])",
        text,
    ):
        number_ = chinese(run[0] or run[1])
        if number_ is not None:
            found.add(float(number_))
    return found


def _in_english(text: str) -> set[float]:
    found: set[float] = set()
    for digits, scale in re.findall(r"(\d[\d,]*(?:\.\d+)?)(?:s\b|st\b|nd\b|rd\b|th\b)?(?:\s+(\w+))?", text):
        plain = digits.rstrip(",").replace(",", "")
        found.add(float(plain) * _SCALES.get(scale.lower(), 1))
    for word in re.findall(r"[A-Za-z]+", text):
        lower = word.lower()
        if lower in _WORDS:
            found.add(float(_WORDS[lower]))
        elif lower in _ORDINALS:
            found.add(float(_ORDINALS.index(lower) + 1))
        elif lower in _MONTHS and word[0].isupper():  # "may" the verb is no month
            found.add(float(_MONTHS.index(lower) + 1))
    return found
