"""Numbers before headings and paragraphs, in both conventions, and the outline that they form.

一、 （一） 1. （1） ① 第一章 第一条  ·  I. 1. (1) A. (a) Article 1, Chapter I
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench.languages import Language
from bench.references.segmentation.numbers import HAN_NUMERALS, parse_number

# (pattern, style). N, H, D, R and r in a pattern are placeholders: see _compile. If the style is "", the
# label gives it: 章, chapter.
_ZH = (
    (r"第(N)(分编|部分|[编章节条款])(?=[\s\u3000：:、]|$)[：:、]?", ""),
    (r"附[件录](N)?(?=[\s\u3000：:、]|$)[：:、]?", "annex"),
    (r"(H)、", "han"),
    (r"[（(](H)[）)]", "(han)"),
    (r"(D)[、．](?!\d)|(D)\.(?![\dA-Za-z])", "digit"),
    (r"(D)[）)]", "digit)"),
    (r"[（(](D)[）)]", "(digit)"),
    (r"([①-⑳])", "circle"),
)
_EN = (
    (
        r"(?i:(part|chapter|section|article|title|rule|regulation))\s+(R|D)"
        r"(?=\s*[.:：—–-]|\s+[A-Z\"“(]|\s*$|\s*\n)\s*[.:：—–-]?",
        "",
    ),
    (r"(?i:annex|appendix)(?:\s+(R|D|[A-Z]))?(?=\s*[.:：—–-]|\s+[A-Z\"“(]|\s*$)\s*[.:：—–-]?", "annex"),
    (r"(R)\.(?=\s|$)", "roman"),
    (r"(D)\.(?=\s|$)", "digit"),
    (r"(D)\)(?=\s)", "digit)"),
    (r"([A-Z])\.(?=\s)", "upper"),
    (r"\((D)\)(?=\s)", "(digit)"),
    (r"\((r)\)(?=\s)", "(roman)"),
    (r"\(([a-z])\)(?=\s)", "(lower)"),
    (r"\(([A-Z])\)(?=\s)", "(upper)"),
    (r"([a-z])\)(?=\s)", "lower)"),
)
_LABEL_STYLES = {
    "编": "part",
    "分编": "subpart",
    "部分": "part",
    "章": "chapter",
    "节": "section",
    "条": "article",
    "rule": "article",
    "regulation": "article",
    "款": "clause",
}
"""Labels whose style has another name; the style of any other label is the label in lower case."""


def _compile(pattern: str) -> re.Pattern[str]:
    placeholders = {
        "N": rf"[{HAN_NUMERALS}]+|\d+",
        "H": f"[{HAN_NUMERALS}]+",
        "D": r"\d{1,3}",
        "R": r"[IVXL]+",
        "r": "[ivx]+",
    }
    expanded = re.sub(r"(?<=[(|])([NHDRr])(?=[)|])", lambda match: placeholders[match.group()], pattern)
    return re.compile(rf"^\s*[\"“]?(?:{expanded})[\s\u3000]*")


_PATTERNS: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "zh": tuple((_compile(pattern), style) for pattern, style in _ZH),
    "en": tuple((_compile(pattern), style) for pattern, style in _EN),
}
_BULLET = re.compile(r"([•·●▪◦‣■□◆○►*]|[-–—](?![-–—\d]))\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class Numbering:
    """The number or bullet at the beginning of a text."""

    number: str
    """As it is in the source: "（一）", "1.", "Article 1"."""
    value: int
    """0 for a bullet."""
    style: str
    """What siblings have in common: "han", "(digit)", "article", "bullet" …"""
    text_start: int
    """Offset of the text after the number; 0 if there is no text after it."""


def find_numbering(text: str, language: Language) -> Numbering | None:
    """The number or bullet that `text` begins with, or None."""
    if bullet := _BULLET.match(text):
        return Numbering(bullet.group().strip(), 0, "bullet", bullet.end())
    for pattern, style in _PATTERNS[language]:
        match = pattern.match(text)
        if not match:
            continue
        groups = [group for group in match.groups() if group]
        if not style:
            label = next(group for group in groups if parse_number(group) is None)
            groups.remove(label)
            style = _LABEL_STYLES.get(label, label.lower())
        value = parse_number(groups[0]) if groups else 1
        if value:
            end = match.end()
            return Numbering(match.group().strip(), value, style, end if end < len(text) else 0)
    return None


@dataclass
class Outline:
    """Turns a sequence of numberings into paths: a style that is new goes one level deeper.

    The levels are those of the document itself: 一、 and （一） make the same tree as I. and 1.
    """

    _levels: list[tuple[str, int]] = field(default_factory=list)
    """Style and value of each open level, from the top."""

    def enter(self, numbering: Numbering) -> tuple[str, ...]:
        """The path of the item with this number, from the top: ("1", "2"), ("annex1",)."""
        style = numbering.style
        styles = [level_style for level_style, _ in self._levels]
        if style in ("roman", "upper"):  # "C." after "B." is a letter, and so is "I." after "H."
            for candidate in ("upper", "roman"):
                if candidate in styles:
                    _, previous = self._levels[styles.index(candidate)]
                    if previous + 1 == _value_in_style(numbering, candidate):
                        style = candidate
                        break
        if style in styles:
            del self._levels[styles.index(style) :]
        elif style == "annex":
            self._levels.clear()
        self._levels.append((style, _value_in_style(numbering, style)))
        return tuple(f"{'annex' if style == 'annex' else ''}{value}" for style, value in self._levels)


def _value_in_style(numbering: Numbering, style: str) -> int:
    """The value of "I." is 1 as a Roman numeral and 9 as a letter."""
    letter = numbering.number.strip("(). ")
    return ord(letter) - ord("A") + 1 if style == "upper" and len(letter) == 1 else numbering.value
