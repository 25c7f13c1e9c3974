"""Word's automatic numbers: numbering.xml and styles.xml -> the number that Word prints before a paragraph.

ECMA-376 part 1, 17.9: a paragraph or its style names a list (`numPr`), the list an abstract list, and each of its nine
levels has a start, a number format and a text such as "第%1条" or "%1.%2".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_LEVELS = 9
_MAX_TEXT = 60
"""Characters of a number."""
_MAX_STYLES_ABOVE = 20
"""Styles may be based on each other in a circle."""


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    number_format: str
    text: str
    style: str
    """The paragraph style that has this level; "" if none has."""
    is_decimal: bool
    """All numbers of the text are written in digits."""
    restarts: bool


@dataclass(frozen=True, slots=True)
class _Style:
    based_on: str
    list_id: str
    level: int | None
    is_heading: bool


@dataclass
class AutomaticNumbers:
    """The lists of a document, and how far each has been counted."""

    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    """Abstract list -> level."""
    _style_links: dict[str, str] = field(default_factory=dict)
    """Abstract list -> the style whose list it uses."""
    _lists: dict[str, str] = field(default_factory=dict)
    """List -> abstract list."""
    _restarts: dict[tuple[str, int], int] = field(default_factory=dict)
    """(List, level) -> the number with which the list begins again; removed when it has."""
    _styles: dict[str, _Style] = field(default_factory=dict)
    _default_style: str = ""
    _counts: dict[str, list[int | None]] = field(
        default_factory=lambda: defaultdict(lambda: [None] * _LEVELS)
    )
    """Abstract list -> the last number of each level."""

    def add_styles(self, elements: Iterable[Any]) -> None:
        """Read the <w:style> elements of styles.xml."""
        for element in elements:
            if value(element, "type") != "paragraph":
                continue
            name, numbering = value(element, "styleId"), element.find("{*}pPr/{*}numPr")
            if value(element, "default") in ("1", "true"):
                self._default_style = name
            title = value(element.find("{*}name")).lower()
            is_heading = title.startswith("heading") or element.find("{*}pPr/{*}outlineLvl") is not None
            list_id, level = _list_and_level(numbering)
            self._styles[name] = _Style(value(element.find("{*}basedOn")), list_id, level, is_heading)

    def add_lists(self, elements: Iterable[Any]) -> None:
        """Read the <w:abstractNum> and <w:num> elements of numbering.xml."""
        for element in elements:
            if element.tag.endswith("}abstractNum"):
                name = value(element, "abstractNumId")
                self._levels[name] = {
                    _integer(value(level, "ilvl"), 0): _read_level(level) for level in element.iter("{*}lvl")
                }
                self._style_links[name] = value(element.find("{*}numStyleLink"))
                continue
            name = value(element, "numId")
            self._lists[name] = abstract = value(element.find("{*}abstractNumId"))
            for override in element.iter("{*}lvlOverride"):
                level = _integer(value(override, "ilvl"), 0)
                own, start = override.find("{*}lvl"), override.find("{*}startOverride")
                if own is not None:  # the list has a level of its own: it counts apart
                    self._lists[name] = f"{abstract} {name}"
                    levels = self._levels.setdefault(self._lists[name], dict(self._levels.get(abstract, {})))
                    levels[level] = _read_level(own)
                if start is not None:
                    self._restarts[name, level] = _integer(value(start), 1)

    def is_heading(self, properties: Any) -> bool:
        """Whether a paragraph with these properties (<w:pPr>) has the style of a heading."""
        return any(style.is_heading for style in self._styles_of(properties))

    def next_number(self, properties: Any, has_text: bool) -> str:
        """The number before the next paragraph, with the space after it, "• " for a bullet; "" if it has none.

        `properties` is its <w:pPr> or None. A paragraph without text has a number only if that says what it counts
        ("Article 1").
        """
        list_id, level = self._list_of(properties)
        abstract = self._abstract_of(list_id)
        levels = self._levels.get(abstract, {})
        if level not in levels or not 0 <= level < _LEVELS:
            return ""
        counts = self._counts[abstract]
        if (restart := self._restarts.pop((list_id, level), None)) is not None:
            counts[level] = restart
        else:
            before = counts[level]
            counts[level] = levels[level].start if before is None else before + 1
        for below in range(level + 1, _LEVELS):
            if below not in levels or levels[below].restarts:
                counts[below] = None
        if levels[level].number_format == "bullet":
            return "• " if has_text else ""
        number = _fill(levels, level, counts)
        if not has_text and not re.search(r"[^\W\d_]{2}|[条條章节節编編]", number):
            return ""
        # After "1" or "一" the gap says that it is a number.
        return f"{number}\t" if number[-1:].isalnum() else f"{number} " if number else ""

    def _styles_of(self, properties: Any) -> list[_Style]:
        """The style of a paragraph and those that it is based on."""
        name = value(properties.find("{*}pStyle")) if properties is not None else ""
        name, styles = name or self._default_style, list[_Style]()
        while name in self._styles and len(styles) < _MAX_STYLES_ABOVE:
            styles.append(self._styles[name])
            name = styles[-1].based_on
        return styles

    def _list_of(self, properties: Any) -> tuple[str, int]:
        numbering = properties.find("{*}numPr") if properties is not None else None
        list_id, level = _list_and_level(numbering)
        name = value(properties.find("{*}pStyle")) if properties is not None else ""
        name = name or self._default_style
        for style in self._styles_of(properties):
            if list_id:
                break
            list_id = style.list_id
            if list_id and level is None:
                linked = self._levels.get(self._abstract_of(list_id), {}).items()
                level = next((n for n, own in linked if own.style and own.style == name), style.level)
        return list_id, level or 0

    def _abstract_of(self, list_id: str) -> str:
        abstract = self._lists.get(list_id, "")
        style = self._styles.get(self._style_links.get(abstract, ""))
        return self._lists.get(style.list_id, abstract) if style and style.list_id else abstract


def value(element: Any, name: str = "val") -> str:
    """The attribute in any namespace; "" if the element or the attribute is missing."""
    if element is None:
        return ""
    return next((text for key, text in element.attrib.items() if key.endswith("}" + name)), "")


def _list_and_level(numbering: Any) -> tuple[str, int | None]:
    """What a <w:numPr> says; "" and None where it says nothing. The list "0" is none."""
    if numbering is None:
        return "", None
    level = value(numbering.find("{*}ilvl"))
    return value(numbering.find("{*}numId")), _integer(level, 0) if level else None


def _read_level(element: Any) -> _Level:
    is_legal = element.find("{*}isLgl")
    return _Level(
        start=_integer(value(element.find("{*}start")), 0),
        number_format=value(element.find("{*}numFmt")) or "decimal",
        text=value(element.find("{*}lvlText"))[:_MAX_TEXT],
        style=value(element.find("{*}pStyle")),
        is_decimal=is_legal is not None and value(is_legal) not in ("0", "false", "off"),
        restarts=value(element.find("{*}lvlRestart")) != "0",
    )


def _integer(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"\d{1,4}", text) else default


def _fill(levels: dict[int, _Level], level: int, counts: list[int | None]) -> str:
    def number(match: re.Match[str]) -> str:
        index = int(match[1]) - 1
        own = levels.get(index)
        if not own:
            return ""
        count = counts[index]
        return format_number(
            own.start if count is None else count,
            "decimal" if levels[level].is_decimal else own.number_format,
        )

    return re.sub(r"%([1-9])", number, levels[level].text).strip()


_CHINESE_COUNTING = frozenset(
    "chineseCounting chineseCountingThousand taiwaneseCounting taiwaneseCountingThousand japaneseCounting".split()
)
_CHINESE_DIGITS = ("ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand")
_SIGNS = {
    "decimalEnclosedCircle": 0x245F,
    "decimalEnclosedCircleChinese": 0x245F,
    "decimalEnclosedParen": 0x2473,
    "decimalEnclosedFullstop": 0x2487,
}
"""Format -> the code point before ①, ⑴, ⒈: there are 20 of each."""
_CYCLES = {"ideographTraditional": "甲乙丙丁戊己庚辛壬癸", "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥"}


def format_number(number: int, number_format: str) -> str:
    """A number as Word writes it in one of its formats (ECMA-376, ST_NumberFormat); digits if the format is not
    known."""
    if number_format == "none":
        return ""
    if number_format in ("lowerLetter", "upperLetter") and 1 <= number <= 260:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters.upper() if number_format == "upperLetter" else letters
    if number_format in ("lowerRoman", "upperRoman") and 1 <= number < 4000:
        roman = _roman(number)
        return roman.lower() if number_format == "lowerRoman" else roman
    if number_format in _CHINESE_COUNTING and 0 < number < 10_000:
        return _chinese(number)
    if number_format in _CHINESE_DIGITS:
        return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))
    if number_format in _SIGNS and 1 <= number <= 20:
        return chr(_SIGNS[number_format] + number)
    if number_format in _CYCLES and number >= 1:
        cycle = _CYCLES[number_format]
        return cycle[(number - 1) % len(cycle)]
    return f"{number:02}" if number_format == "decimalZero" else str(number)


def _roman(number: int) -> str:
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    signs = "M CM D CD C XC L XL X IX V IV I".split()
    text = ""
    for sign_value, sign in zip(values, signs, strict=True):
        text += sign * (number // sign_value)
        number %= sign_value
    return text


def _chinese(number: int) -> str:
    """十二, 二十, 一百零三."""
    digits, text, gap = "零一二三四五六七八九", "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if gap and text else "") + digits[digit] + sign
        gap = not digit
    return text.removeprefix("一") if text.startswith("一十") else text
