"""Files whose two languages are paired already: TMX, XLIFF 1.2 and 2, TSV, CSV -> pairs of one Chinese and one English line.

The XML is read with lxml, in the few lines below: translate-toolkit reads more formats but is GPL-3.0, and hypomnema
(TMX only) needs Python 3.13.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import progress
from bench.errors import BenchError
from bench.languages import Language
from bench.references.reading.xml_stream import elements, name
from bench.references.segmentation.pieces import HAN

Pair = tuple[str, str]
"""Chinese, English; each one line, and either may be empty."""

_CODES: dict[str, Language] = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "chinese"), "zh"),
    **dict.fromkeys(("en", "eng", "english"), "en"),
}
_LABELS = frozenset("中文 汉语 英文 英语 原文 译文 源文 chinese english source target".split())
# What stands inside these is a tag's code ("<b>"), not text. The text around them and inside <g>, <pc>, <hi>, <mrk> stays.
_CODE = ("bpt", "ept", "ph", "it", "ut", "bx", "ex", "sc", "ec", "sm", "em", "cp")


def is_chinese(text: str) -> bool:
    return chinese_share(text) > 0.5


def chinese_share(text: str) -> float:
    """By script, in the first million characters; a Han character weighs about as much text as four letters."""
    start = text[:1_000_000]
    han, letters = 4 * len(re.findall(f"[{HAN}]", start)), len(re.findall("[A-Za-z]", start))
    return han / max(1, han + letters)


def oriented(pairs: Iterable[Pair], path: Path) -> tuple[str, str]:
    """All Chinese and all English lines; swapped, and said so, where the file has them the wrong way round.

    Raises BenchError where one of the two languages is missing.
    """
    whole = [pair for pair in pairs if any(pair)]
    zh, en = ("\n".join(pair[side] for pair in whole) for side in (0, 1))
    for side, script, language in ((zh, f"[{HAN}]", "Chinese"), (en, "[A-Za-z]", "English")):
        if not side.strip() or not (re.search(script, zh) or re.search(script, en)):
            raise BenchError(f"{path} holds no {language} text: give a file with Chinese and English in it.")
    if is_chinese(zh) == is_chinese(en):
        language = "Chinese" if is_chinese(zh) else "English"
        raise BenchError(f"{path} has {language} on both sides: give a file with Chinese and English in it.")
    if is_chinese(en):
        progress.say(f"{path}: the language codes are the wrong way round; they were swapped.", warning=True)
        return en, zh
    return zh, en


# --- TMX and XLIFF ----------------------------------------------------------------------------------------------


def from_xml(data: bytes, path: Path) -> tuple[list[Pair], str]:
    """The pairs of a TMX or XLIFF file, and its encoding."""
    pairs: list[Pair] = []
    others: set[str] = set()
    for unit in elements(io.BytesIO(data), path, "tu", "trans-unit", "segment"):
        for sides in _variants(unit) if name(unit) == "tu" else _versions(unit):
            others.update(sides)
            by_language = {_language(code): text for code, text in reversed(sides.items()) if _language(code)}
            if by_language:
                pairs.append((by_language.get("zh", ""), by_language.get("en", "")))
    if not pairs and others:
        raise BenchError(
            f"{path} is in {', '.join(sorted(others))}: give a file with Chinese and English (zh, en) in it."
        )
    if not pairs:
        raise BenchError(f"{path} holds no translation units: give a TMX or XLIFF file that has some.")
    return pairs, _declared(data)


def _declared(data: bytes) -> str:
    """The encoding that an XML file declares."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    declaration = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=["']([\w.-]+)""", data)
    return declaration.group(1).decode().lower() if declaration else "utf-8"


def _language(code: str) -> Language | None:
    """zh for zh, zh-CN, ZH_hans …; en for en, en-GB …"""
    return _CODES.get(re.split("[-_]", code.strip().lower())[0])


def _variants(unit: Any) -> Iterator[dict[str, str]]:
    """Language code -> text of a TMX unit; of two variants of one code the first counts."""
    sides: dict[str, str] = {}
    for variant in unit.iterchildren("{*}tuv"):
        code = variant.get("{http://www.w3.org/XML/1998/namespace}lang") or variant.get("lang") or ""
        sides.setdefault(code, _line(variant.find("{*}seg")))
    yield sides


def _versions(unit: Any) -> Iterator[dict[str, str]]:
    """Language code -> text of an XLIFF unit, or of each of its segments where it is cut into some."""
    above = {key: value for parent in unit.iterancestors() for key, value in parent.attrib.items()}
    source = above.get("source-language") or above.get("srcLang") or ""
    target = above.get("target-language") or above.get("trgLang") or ""
    target = target or ("zh" if _language(source) == "en" else "en")  # the standard lets it be left out
    whole = unit.find("{*}target")
    ours, theirs = _segments(unit.find("{*}seg-source")), _segments(whole)
    if not ours:
        ours, theirs = {"": _line(unit.find("{*}source"))}, {"": _line(whole)}
    for number in {**ours, **theirs}:
        yield {source: ours.get(number, ""), target: theirs.get(number, "")}


def _segments(side: Any) -> dict[str, str]:
    marks = [] if side is None else side.iter("{*}mrk")
    return {mark.get("mid", ""): _line(mark) for mark in marks if mark.get("mtype") == "seg"}


def _line(element: Any) -> str:
    return "" if element is None else one_line(_text(element))


def _text(element: Any) -> str:
    parts = [element.text or ""]
    for child in element:
        if not name(child):  # a reference to an entity that the file does not define: &nbsp;
            parts.append(html.unescape(child.text))
        elif child.get("ctype") == "lb":
            parts.append("\n")
        elif name(child) not in _CODE:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def one_line(text: str) -> str:
    """Each line break, with the white space around it, as one space."""
    parts = (part.strip() for part in text.splitlines())
    return " ".join(part for part in parts if part)


# --- TSV and CSV ------------------------------------------------------------------------------------------------


_MOST_COLUMNS = 100


def from_table(text: str, path: Path, delimiter: str) -> list[Pair]:
    """The column with most Chinese and the one with most English, line by line, without a header."""
    rows = [[one_line(cell) for cell in row] for row in _rows(text, path, delimiter) if row]
    width = max(map(len, rows), default=0)
    if width < 2:
        kind = "tabs" if delimiter == "\t" else "commas"
        raise BenchError(f"{path} has no two columns, parted by {kind}: give it two, or name it .txt.")
    if width > _MOST_COLUMNS:
        raise BenchError(f"{path} has a row of {width} cells: give a table of two columns.")
    zh = max(range(width), key=lambda i: _count(f"[{HAN}]", rows, i))
    others = [i for i in range(width) if i != zh]
    # Words with a space behind them first: an id or a link is a long string of letters too.
    en = max(others, key=lambda i: (_count("[A-Za-z] ", rows, i), _count("[A-Za-z]", rows, i)))
    pairs = [(_cell(row, zh), _cell(row, en)) for row in rows]
    if _is_header(*pairs[0]):
        if not {cell.casefold() for cell in pairs[0]} <= _LABELS:
            progress.say(f"{path}: the first row ({pairs[0][0]}, {pairs[0][1]}) is taken for the header.")
        del pairs[0]
    return pairs


def _rows(text: str, path: Path, delimiter: str) -> list[list[str]]:
    """Quoted cells are CSV's rule. Many TSV files know no such rule, and a quotation mark is text in them."""
    rows: list[list[str]] = []
    csv.field_size_limit(max(len(text), 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        if delimiter != "\t":
            raise BenchError(
                f"{path}:{reader.line_num}: not CSV ({error}); mend the quotation marks."
            ) from None
    if delimiter == "\t" and (not rows or any("\t" in cell for row in rows for cell in row)):
        return [line.split("\t") for line in text.split("\n") if line]
    return rows


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _count(pattern: str, rows: Sequence[Sequence[str]], column: int) -> int:
    """In the first rows: they are enough to tell columns apart."""
    return len(re.findall(pattern, "\n".join(_cell(row, column) for row in rows[:10_000])))


def _is_header(zh: str, en: str) -> bool:
    """Names of languages, or a script that does not belong; "2021", or "WTO" in both columns, is a row as any other."""
    if {zh.casefold(), en.casefold()} <= _LABELS:
        return True
    foreign = not re.search(f"[{HAN}]", zh) or not re.search("[A-Za-z]", en)
    return foreign and bool(zh and en) and zh != en and not re.search(r"\d", zh + en)
