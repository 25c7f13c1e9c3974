"""TMX and XLIFF (1.2 and 2) -> pairs of lines.

The XML is read with lxml in the few lines below: translate-toolkit reads more formats but is GPL-3.0, and
hypomnema (TMX only) needs Python 3.13.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.languages import Language
from bench.references.reading.pairs import Pair, one_line
from bench.references.reading.xml_stream import iter_elements, local_name

_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "chinese"), "zh"),
    **dict.fromkeys(("en", "eng", "english"), "en"),
}
_INLINE_CODES = ("bpt", "ept", "ph", "it", "ut", "bx", "ex", "sc", "ec", "sm", "em", "cp")
"""Elements that hold the code of a tag ("<b>"), not text. Text around them, and inside <g>, <pc>, <hi>,
<mrk>, is kept."""


def read_pairs(data: bytes, path: Path) -> tuple[list[Pair], str]:
    """The pairs of a TMX or XLIFF file, and its encoding.

    Raises BenchError if the file is not well-formed or has no unit in Chinese or English.
    """
    pairs: list[Pair] = []
    codes: set[str] = set()
    for unit in iter_elements(io.BytesIO(data), path, "tu", "trans-unit", "segment"):
        for texts in _tmx_texts(unit) if local_name(unit) == "tu" else _xliff_texts(unit):
            codes.update(texts)
            by_language = {_language(code): text for code, text in reversed(texts.items()) if _language(code)}
            if by_language:
                pairs.append((by_language.get("zh", ""), by_language.get("en", "")))
    if not pairs and codes:
        raise BenchError(
            f"{path} is in {', '.join(sorted(codes))}: pass a file with Chinese and English (zh, en) in it."
        )
    if not pairs:
        raise BenchError(f"{path} has no translation units: pass a TMX or XLIFF file that has some.")
    return pairs, _declared_encoding(data)


def _declared_encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    declaration = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=["']([\w.-]+)""", data)
    return declaration.group(1).decode().lower() if declaration else "utf-8"


def _language(code: str) -> Language | None:
    """zh for zh, zh-CN, ZH_hans …; en for en, en-GB …; None for any other language."""
    return _LANGUAGES.get(re.split("[-_]", code.strip().lower())[0])


def _tmx_texts(unit: Any) -> Iterator[dict[str, str]]:
    """Language code -> text of a TMX unit. If two variants have the same code, the first one counts."""
    texts: dict[str, str] = {}
    for variant in unit.iterchildren("{*}tuv"):
        code = variant.get("{http://www.w3.org/XML/1998/namespace}lang") or variant.get("lang") or ""
        texts.setdefault(code, _line(variant.find("{*}seg")))
    yield texts


def _xliff_texts(unit: Any) -> Iterator[dict[str, str]]:
    """Language code -> text of an XLIFF unit, or of each of its segments if it is divided into segments."""
    attributes = {key: value for parent in unit.iterancestors() for key, value in parent.attrib.items()}
    source = attributes.get("source-language") or attributes.get("srcLang") or ""
    target = attributes.get("target-language") or attributes.get("trgLang") or ""
    target = target or ("zh" if _language(source) == "en" else "en")  # optional in the standard
    target_element = unit.find("{*}target")
    source_texts, target_texts = _segments(unit.find("{*}seg-source")), _segments(target_element)
    if not source_texts:
        source_texts, target_texts = {"": _line(unit.find("{*}source"))}, {"": _line(target_element)}
    for segment_id in {**source_texts, **target_texts}:
        yield {source: source_texts.get(segment_id, ""), target: target_texts.get(segment_id, "")}


def _segments(element: Any) -> dict[str, str]:
    """Id -> text of the segments (`<mrk mtype="seg">`) in a source or target."""
    marks = [] if element is None else element.iter("{*}mrk")
    return {mark.get("mid", ""): _line(mark) for mark in marks if mark.get("mtype") == "seg"}


def _line(element: Any) -> str:
    return "" if element is None else one_line(_text(element))


def _text(element: Any) -> str:
    texts = [element.text or ""]
    for child in element:
        if not local_name(child):  # reference to an entity that the file does not define: &nbsp;
            texts.append(html.unescape(child.text))
        elif child.get("ctype") == "lb":
            texts.append("\n")
        elif local_name(child) not in _INLINE_CODES:
            texts.append(_text(child))
        texts.append(child.tail or "")
    return "".join(texts)
