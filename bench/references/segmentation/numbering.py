"""Numbers before headings and paragraphs, in both conventions, and the outline they make.

一、 （一） 1. （1） ① 第一章 第一条  ·  I. 1. (1) A. (a) Article 1, Chapter I
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench.languages import Language
from bench.references.segmentation.numbers import HAN_NUMERAL, value

_GAP = r"[\s\u3000]"
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
        r"(?i:(part|chapter|section|article|title|rule|regulation))\s+(R|D)(?=\s*[.:：—–-]|\s+[A-Z\"“(]|\s*$|\s*\n)\s*[.:：—–-]?",
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
_STYLES = {
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


def _compile(pattern: str) -> re.Pattern[str]:
    parts = {
        "N": rf"[{HAN_NUMERAL}]+|\d+",
        "H": f"[{HAN_NUMERAL}]+",
        "D": r"\d{1,3}",
        "R": r"[IVXL]+",
        "r": "[ivx]+",
    }
    return re.compile(
        r"^\s*[\"“]?(?:"
        + re.sub(r"(?<=[(|])([NHDRr])(?=[)|])", lambda m: parts[m.group()], pattern)
        + r")"
        + _GAP
        + "*"
    )


_PATTERNS = {
    "zh": tuple((_compile(p), style) for p, style in _ZH),
    "en": tuple((_compile(p), style) for p, style in _EN),
}


@dataclass(frozen=True, slots=True)
class Numbering:
    number: str
    """As it stands in the source: "（一）", "1.", "Article 1"."""
    value: int
    style: str
    """What siblings have in common: "han", "(digit)", "article" …"""
    rest: int
    """Where the text behind the number begins; 0 where there is none."""


_BULLET = re.compile(r"([•·●▪◦‣■□◆○►*]|[-–—](?![-–—\d]))\s*(?=\S)")


def numbering(text: str, language: Language) -> Numbering | None:
    """The number or bullet that `text` begins with, or None."""
    if bullet := _BULLET.match(text):
        return Numbering(bullet.group().strip(), 0, "bullet", bullet.end())
    for pattern, style in _PATTERNS[language]:
        found = pattern.match(text)
        if not found:
            continue
        groups = [g for g in found.groups() if g]
        if not style:  # the label itself names the style: 章, chapter
            label = next(g for g in groups if value(g) is None)
            groups.remove(label)
            style = _STYLES.get(label, label.lower())
        number = value(groups[0]) if groups else 1
        if number:
            end = found.end()
            return Numbering(found.group().strip(), number, style, end if end < len(text) else 0)
    return None


@dataclass
class Outline:
    """Turns a stream of numberings into paths: a style seen for the first time goes one level deeper.

    The levels are those of the document itself: 一、 and （一） make the same tree as I. and 1.
    """

    _open: list[tuple[str, int]] = field(default_factory=list)

    def enter(self, found: Numbering) -> tuple[str, ...]:
        """The path of the item that carries this number, from the top: ("1", "2"), ("annex1",)."""
        style = found.style
        styles = [s for s, _ in self._open]
        if style in ("roman", "upper"):  # C. after B. is a letter, I. after H. too
            for other in ("upper", "roman"):
                if other in styles and self._open[styles.index(other)][1] + 1 == self._as(found, other):
                    style = other
                    break
        if style in styles:
            del self._open[styles.index(style) :]
        elif style == "annex":
            self._open.clear()
        self._open.append((style, self._as(found, style)))
        return tuple(f"{'annex' if style == 'annex' else ''}{number}" for style, number in self._open)

    @staticmethod
    def _as(found: Numbering, style: str) -> int:
        letter = found.number.strip("(). ")
        return ord(letter) - ord("A") + 1 if style == "upper" and len(letter) == 1 else found.value
