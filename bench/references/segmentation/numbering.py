"""Numbers before headings and paragraphs, in both conventions, and the outline that they form.

一、 （一） ㈠ 1. 1.1 （1） ① a. 第一章 第一条 第2-1條  ·  I. 1. 1.1 (1) A. (a) Article 1, Article 2-1, Chapter I
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench.languages import Language
from bench.references.script import to_simplified
from bench.references.segmentation.numbers import (
    FORMAL_NUMERALS,
    HAN_NUMERALS,
    NUMBER_WORDS,
    STEMS,
    parse_number,
)

# (pattern, style). N, H, D, R, r and others in a group are placeholders: see _compile. Groups, some with a digit at the
# end of their names: `label` gives the style if that is "" (章, chapter); `value`; `branch` (第2-1条); `decimals`
# (1.2.3); `compound` (A.1, 5(2)). Chinese is matched as Simplified Chinese.
_ZH = (
    (
        r"第\s*[（(]?(?:(?P<decimals>\d{1,3}(?:\.\d{1,3})+)|(?P<value>N|R|[A-Z]|[Ⅰ-Ⅻ]))[）)]?"
        r"(?:[-–－](?P<branch>\d{1,2}|[A-Z])|(?P<branch3>[A-Z]{1,2}))?\s*"
        r"(?P<label>分编|分部|分章|分节|部分|[卷编部章节条款项目])(?:之(?P<branch2>N)|[-–－](?P<branch4>[A-Z]|\d{1,2}))?"
        r"(?:\s*[*†‡]+)?(?=[\s\u3000：:、]|——(?!第)|$)(?:[：:、]|——)?",
        "",
    ),
    (r"(?P<value>[A-Z])(?P<label>部分|部|节)(?=[\s\u3000：:、]|$)[：:、]?", ""),
    (
        r"附[件录表]\s*(?:(?P<value>N|R|[A-Z])(?:[-–－]?(?P<branch>[A-Z]|\d{1,2}))?)?(?=[\s\u3000：:、]|$)[：:、]?",
        "annex",
    ),
    (r"(?P<value>H)(?:、|[.．](?!\d)|\u3000+|\t+| {2,}| (?=[\u4e00-\u9fff]{2}))", "han"),
    (r"[（(〔【](?P<value>H)[）)〕】]", "(han)"),
    (r"(?P<value>H)[）)]", "han)"),
    (r"(?P<value>[㈠-㈩])", "(han)"),
    (r"(?P<value>F)(?:、|[.．]|\u3000+|\t+| {2,})", "formal"),
    (r"[（(](?P<value>F)[）)]", "(formal)"),
    (r"(?P<value>S)(?:、|[.．]|\u3000+|\t+| {2,})(?![甲乙丙丁戊己庚辛壬癸])", "stem"),
    (r"[（(](?P<value>S)[）)]", "(stem)"),
    (r"(?P<decimals>\d{1,3}(?:\.\d{1,3}){2,4})[.．、]?(?=\s|$|[^\d.\w]|[^\W\d_])", "decimal"),
    (r"(?P<decimals>\d{1,2}\.\d{1,2})(?:[.．、）)]\s*|\s+|$|(?=[“《]))(?![万亿千百倍％%])", "decimal"),
    (r"(?P<compound>C)[.．、）)]?(?=[\s\u3000]|$)", "decimal"),
    (r"(?P<value>D)(?:[、．，](?!\d)|\.(?![\dA-Za-z])|\s+[-–—](?=\s+[^\W\d]))", "digit"),
    (r"(?P<value>D)(?P<branch>[A-Z]{1,2})[.．](?=[\s\u3000\u4e00-\u9fff])", "digit"),
    (r"(?P<value>[⒈-⒛])", "digit"),
    (r"(?P<value>D)[）)]", "digit)"),
    (r"[（(](?P<value>D)(?P<branch>[A-Z]{1,2})?[）)]", "(digit)"),
    (r"(?P<value>[⑴-⒇])", "(digit)"),
    (r"(?P<value>[①-⑳❶-❿㊀-㊉])", "circle"),
    (r"§+\s*(?P<decimals>\d{1,3}(?:\.\d{1,3})*)[.．、]?", "decimal"),
    (r"(?P<value>[Ⅰ-Ⅻⅰ-ⅻ])(?:[、．.]|(?=\s))", "roman"),
    (r"(?P<value>R)(?:、|[.．](?![\dA-Za-z.]))", "roman"),
    (r"(?P<value>r)(?:、|[.．](?![\dA-Za-z.]))", "roman."),
    (r"(?P<value>[A-Z])(?:、|[.．](?![\dA-Za-z.]))", "upper"),
    (r"(?P<value>[a-z])(?:、|[.．](?![\dA-Za-z.]))", "lower."),
    (r"[（(](?P<value>r)[）)]", "(roman)"),
    (r"[（(](?P<value>[a-z])(?P<branch>[a-z])?[）)]", "(lower)"),
    (r"[（(](?P<value>[Ⅰ-Ⅻ]|R)[）)]", "(ROMAN)"),
    (r"[（(](?P<value>[A-Z])[）)]", "(upper)"),
    (r"(?P<value>r)[）)]", "roman)"),
    (r"(?P<value>[a-z])[）)]", "lower)"),
    (r"(?P<value>[A-Z])[）)]", "upper)"),
)
_AFTER_BRACKET = r"(?=\s|[A-Z\"“（(]|$)"
_EN = (
    (
        r"(?P<label>(?i:art\.|sec\.|subpart|part|division|subchapter|chapter|subsection|section|article|title|rule"
        r"|regulation|clause|paragraph|volume|book))\s+"
        r"(?:(?P<decimals>\d{1,3}(?:\.\d{1,3})+)|(?P<value>R|W|[A-Z]|[Ⅰ-Ⅻ])(?P<branch3>[A-Z])?|(?P<value2>\d{1,4})"
        r"(?:[-–](?P<branch>\d{1,2}|[A-Z]\b)|\s?(?P<branch2>L\b|(?<!\s)[A-Z]\b))?)"
        r"(?:\s*[*†‡]+)?(?=\s*[.:：—–-](?!\d)|\s+[A-Z\"“(]|\s*$|\s*\n)\s*[.:：—–-]?",
        "",
    ),
    (
        r"(?i:annex|appendix|schedule|attachment|exhibit)(?:\s+(?P<value>R|D|[A-Z])(?:[-–]?(?P<branch>[A-Z]\b|\d{1,2}))?)?"
        r"(?=\s*[.:：—–-]|\s+[A-Z\"“(]|\s*$)\s*[.:：—–-]?",
        "annex",
    ),
    (r"(?P<value>R)\.(?=\s|$)", "roman"),
    (r"(?P<value>[Ⅰ-Ⅻⅰ-ⅻ])(?:\.|(?=\s))", "roman"),
    (r"(?P<decimals>\d{1,3}(?:\.\d{1,3}){2,4})[.)]?(?=\s|$)", "decimal"),
    (
        r"(?P<decimals>\d{1,2}\.\d{1,2})(?:[.)](?=\s|$)|\s+[-–—](?=\s+[^\W\d])|(?=\s+[\"“(]?[A-Z])|$)",
        "decimal",
    ),
    (r"(?P<compound>C)[.)]?(?=\s+[\"“(]?[A-Z]|$)", "decimal"),
    (r"(?P<value>D)(?:\.(?=\s|$|[A-Z][a-z]|[a-z]{3})|\s+[-–—](?=\s+[A-Z]))", "digit"),
    (r"(?P<value>D)(?P<branch>[A-Z]{1,2})\.(?=\s|$)", "digit"),
    (r"(?P<value>[⒈-⒛])", "digit"),
    (r"(?P<value>D)\)(?=\s|$|[A-Z])", "digit)"),
    (r"(?P<value>[A-Z])\.(?=\s)", "upper"),
    (r"[（(](?P<value>D)(?P<branch>[A-Z]{1,2})?[）)](?=\s|[A-Za-z\"“（(]|$)", "(digit)"),
    (r"(?P<value>[⑴-⒇])", "(digit)"),
    (r"(?P<value>[①-⑳❶-❿])(?=\s*[A-Za-z\"“])", "circle"),
    (r"§+\s*(?P<decimals>\d{1,3}(?:\.\d{1,3})*)\.?(?=\s|$)", "decimal"),
    (rf"[（(](?P<value>r)[）)]{_AFTER_BRACKET}", "(roman)"),
    (rf"[（(](?P<value>[a-z])(?P<branch>[a-z])?[）)]{_AFTER_BRACKET}", "(lower)"),
    (r"[（(](?P<value>[Ⅰ-Ⅻ]|R)[）)](?=\s|$)", "(ROMAN)"),
    (r"[（(](?P<value>[A-Z])[）)](?=\s|[（(]|$)", "(upper)"),
    (r"(?P<value>r)\)(?=\s|$)", "roman)"),
    (r"(?P<value>[a-z])\)(?=\s|$)", "lower)"),
    (r"(?P<value>[A-Z])\)(?=\s|$)", "upper)"),
    (r"(?P<value>r)\.(?=\s|$)", "roman."),
    (r"(?P<value>[a-z])\.(?=\s|$)", "lower."),
)
_BARE: dict[Language, tuple[tuple[str, str], ...]] = {
    "zh": (
        (
            r"(?P<value>D)[ \u3000\t]+(?=[\u4e00-\u9fff“《])(?![年月日时个名次位件万亿元人家种项条款章倍岁周天页])",
            "digit",
        ),
    ),
    "en": (
        (
            r"(?P<value>D)\s+(?=[\"“]?[A-Z])(?!(?:January|February|March|April|May|June|July|August|September|October"
            r"|November|December)\b)",
            "digit",
        ),
        (
            r"(?P<decimals>\d{1,2}\.\d{1,2})\s+(?=[a-z])(?!(?:per|million|billion|trillion|times|percent)\b)",
            "decimal",
        ),
    ),
}
"""1 Scope, 1 范围, 1.1 the scope: numbers only in documents with decimal numbers, elsewhere notes or quantities."""
STRUCTURE_STYLES = frozenset(
    "volume part subpart division chapter subchapter section subsection article title clause item point annex".split()
)
"""Styles of numbers that include a word: "Article 1"."""
WEAK_STYLES = frozenset("decimal roman. lower.".split())
"""Styles of numbers that a line of running text may begin with as well: "version / 2.0", "Smith / v. Jones"."""
_BRANCHES = {"bis": "2", "ter": "3", "quater": "4", "quinquies": "5"}
"""Article 6 bis is 第六条之二."""
_LABEL_STYLES = {
    "卷": "volume",
    "编": "part",
    "部": "part",
    "部分": "part",
    "分编": "subpart",
    "分部": "division",
    "章": "chapter",
    "分章": "subchapter",
    "节": "section",
    "分节": "subsection",
    "条": "article",
    "款": "clause",
    "项": "item",
    "目": "point",
    "art.": "article",
    "sec.": "section",
    "rule": "article",
    "regulation": "article",
    "paragraph": "clause",
    "book": "volume",
}
"""Labels whose style has another name; the style of any other label is the label in lower case."""


def _compile(pattern: str) -> re.Pattern[str]:
    placeholders = {
        "N": rf"(?:[{HAN_NUMERALS}]+|\d+)",
        "H": f"[{HAN_NUMERALS}]+",
        "F": f"[{FORMAL_NUMERALS}]+",
        "S": f"[{STEMS}]",
        "D": r"\d{1,3}",
        "C": r"(?:[A-Z](?:\.\d{1,2}){1,3}|\d{1,3}[（(](?:\d{1,2}|[a-z])[）)]|\d{1,2}(?:\.\d{1,2})?\.[a-z])",
        "R": r"[IVXL]+",
        "r": "[ivx]+",
        "L": "(?:" + "|".join(_BRANCHES) + ")",
        "W": "(?i:" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")\b",
    }
    expanded = re.sub(
        r"(?<=[>|])([NHFSDCRWrL])(?=[)|\\])", lambda match: placeholders[match.group()], pattern
    )
    return re.compile(rf"^\s*[\"“]?(?:{expanded})[\s\u3000]*")


_PATTERNS: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "zh": tuple((_compile(pattern), style) for pattern, style in _ZH),
    "en": tuple((_compile(pattern), style) for pattern, style in _EN),
}
_BARE_PATTERNS = {
    language: tuple((_compile(pattern), style) for pattern, style in patterns)
    for language, patterns in _BARE.items()
}
_BULLET = re.compile(
    r"([•·●▪◦‣■□◆○►▶➢❖✓✔★☆※*＊－¨¤\uf000-\uf0ff]|§(?![§\s]*\d)|[oØü](?=\s+[^\W\d_])|[-–—](?![-–—\d]))\s*(?=\S)"
)
"""Word's symbol fonts come out of PDFs as §, o, Ø, ü or as private characters."""
_MAX_NUMBER = 40
"""Characters in which the number of a text ends."""


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
    branch: str = ""
    """The second number of an article that was inserted later: "1" in 第2-1条, 第二条之一 and Article 2-1."""
    parents: tuple[int, ...] = ()
    """The numbers above it in a decimal number: (1, 2) in 1.2.3."""


def find_numbering(text: str, language: Language, has_decimals: bool = False) -> Numbering | None:
    """The number or bullet that `text` begins with, or None.

    `has_decimals`: the document has decimal numbers (1.1), so a bare number ("1 Scope") counts too.
    """
    if bullet := _BULLET.match(text):
        return Numbering(bullet.group().strip(), 0, "bullet", bullet.end())
    folded = to_simplified(text[:_MAX_NUMBER]) + text[_MAX_NUMBER:] if language == "zh" else text
    for pattern, style in _PATTERNS[language] + (_BARE_PATTERNS[language] if has_decimals else ()):
        if not (match := pattern.match(folded)):
            continue
        groups = {name.rstrip("234"): group for name, group in match.groupdict().items() if group}
        label = groups.get("label", "").lower()
        parts = re.findall(r"\d+|[A-Za-z]", groups.get("decimals", groups.get("compound", "")))
        *parents, last = [parse_number(part) or 0 for part in parts or ["1"]]
        value = parse_number(groups["value"]) if "value" in groups else last or 1
        branch = groups.get("branch", "")
        if label and parents:  # Article 1.2
            value, branch, parents = parents[0], "-".join(map(str, [*parents[1:], last])), []
        if value:
            end = match.end()
            return Numbering(
                text[: match.end()].strip(),
                value,
                style or _LABEL_STYLES.get(label, label),
                end if end < len(text) else 0,
                _BRANCHES.get(branch.lower())
                or (str(parse_number(branch)) if not branch.isascii() else branch),
                tuple(parents),
            )
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
        if numbering.style == "decimal":
            return self._enter_decimal(numbering)
        style = numbering.style
        if style == "digit" and self._levels[:1] == [("decimal", self._levels[0][1] if self._levels else 0)]:
            self._levels.clear()
        styles = [level_style for level_style, _ in self._levels]
        for candidates in _LETTER_STYLES:  # "C." after "B." is a letter, and so is "I." after "H."
            for candidate in candidates if style in candidates else ():
                if candidate in styles and (_is_letter(numbering) or "roman" in candidate):
                    _, previous = self._levels[styles.index(candidate)]
                    if previous + 1 == _value_in_style(numbering, candidate):
                        style = candidate
                        break
        if style in styles:
            del self._levels[styles.index(style) :]
        elif style == "annex":
            self._levels.clear()
        self._levels.append((style, _value_in_style(numbering, style)))
        path = self._path()
        return (*path[:-1], f"{path[-1]}-{numbering.branch}") if numbering.branch else path

    def _enter_decimal(self, numbering: Numbering) -> tuple[str, ...]:
        """1.2.3 is below 1.2, and 1.2 below what has the number 1 at the top: "1", 第一章, Article 1."""
        numbers = (*numbering.parents, numbering.value)
        tops = [
            i for i, (style, value) in enumerate(self._levels) if style != "decimal" and value == numbers[0]
        ]
        self._levels = [*self._levels[: tops[0] + 1]] if tops else [("decimal", numbers[0])]
        self._levels += [("decimal", number) for number in numbers[1:]]
        return self._path()

    def _path(self) -> tuple[str, ...]:
        return tuple(f"{'annex' if style == 'annex' else ''}{value}" for style, value in self._levels)


_LETTER_STYLES = (
    ("upper", "roman"),
    ("upper)", "roman)"),
    ("lower.", "roman."),
    ("lower)", "roman)"),
    ("(lower)", "(roman)"),
    ("(upper)", "(ROMAN)"),
)
"""Styles that one letter may have: of letters and of Roman numerals."""


def _value_in_style(numbering: Numbering, style: str) -> int:
    """The value of "I." is 1 as a Roman numeral and 9 as a letter."""
    if style.strip("().") in ("upper", "lower") and _is_letter(numbering):
        return ord(_letters(numbering).lower()) - ord("a") + 1
    return numbering.value


def _is_letter(numbering: Numbering) -> bool:
    """True for "i.", which may be a letter or a Roman numeral; False for "ii."."""
    return len(_letters(numbering)) == 1 and _letters(numbering).isascii()


def _letters(numbering: Numbering) -> str:
    return numbering.number.strip("()（）.．、 ")
