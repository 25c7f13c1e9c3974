"""TMX and XLIFF (1.2, and 2.0 to 2.2) -> pairs of lines.

The XML is read with lxml in the few lines below: translate-toolkit reads more formats but is GPL-3.0, and
hypomnema (TMX only) needs Python 3.13.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import progress
from bench.errors import BenchError
from bench.languages import Language
from bench.references.reading.inline_codes import unit_text
from bench.references.reading.pairs import Pair
from bench.references.reading.xml_stream import iter_elements, local_name
from bench.references.variety import normal_tag

_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "chs", "cht", "chinese"), "zh"),
    **dict.fromkeys(("en", "eng", "enu", "english"), "en"),
}


def read_pairs(data: bytes, path: Path) -> tuple[list[Pair], str, str]:
    """The pairs of a TMX or XLIFF file, its encoding, and the variety of its Chinese as a language tag ("" if the
    file does not say it).

    Where a unit has several variants of a language (en-GB, en-US), the one that most units have counts. A unit of
    a TMX file that is there twice, with the same tuid or none, is read once. Raises BenchError if the file is not
    well-formed or has no unit in Chinese or English.
    """
    units: list[dict[str, str]] = []
    keys: list[str | int] = []  # of what is read once: a tuid, or a number that no other unit has
    for unit in iter_elements(io.BytesIO(data), path, "tu", "trans-unit", "segment"):
        if local_name(unit) == "tu":
            units.append(_tmx_texts(unit))
            keys.append(unit.get("tuid", ""))
        else:
            units += _xliff_texts(unit)
            keys += range(len(keys), len(units))
    codes = Counter(code for unit in units for code, text in unit.items() if text)
    ranked = [code for code, _ in codes.most_common()]
    preferred: dict[Language, list[str]] = {
        "zh": [code for code in ranked if _language(code) == "zh"],
        "en": [code for code in ranked if _language(code) == "en"],
    }
    if codes and not any(preferred.values()):
        raise BenchError(
            f"{path} is in {', '.join(code[:20] for code in ranked[:10])}: pass a file with Chinese and English (zh, "
            "en) in it."
        )
    if not codes:
        raise BenchError(f"{path} has no translation units: pass a TMX or XLIFF file that has some.")
    pairs = [(_first(unit, preferred["zh"]), _first(unit, preferred["en"])) for unit in units]
    once = dict.fromkeys(zip(keys, pairs, strict=True))
    if repeated := len(pairs) - len(once):
        pairs = [pair for _, pair in once]
        progress.say(f"{path}: units that repeat an earlier one are read once: {repeated} dropped.")
    pairs = [pair for pair in pairs if any(pair)]
    return pairs, _declared_encoding(data), next(filter(None, map(normal_tag, preferred["zh"][:1])), "")


def _first(unit: dict[str, str], codes: list[str]) -> str:
    return next((unit[code] for code in codes if unit.get(code)), "")


def _declared_encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    declaration = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=["']([\w.-]+)""", data)
    return declaration.group(1).decode().lower() if declaration else "utf-8"


def _language(code: str) -> Language | None:
    """zh for zh, zh-CN, ZH_hans, Chinese (Simplified) …; en for en, EN, en-GB …; None for any other language."""
    return _LANGUAGES.get(re.split(r"[-_\s(]", code.strip().lower())[0])


def _tmx_texts(unit: Any) -> dict[str, str]:
    """Language code -> text of a TMX unit. If two variants have the same code, the first with text counts."""
    texts: dict[str, str] = {}
    for variant in unit.iterchildren("{*}tuv"):
        code = variant.get("{http://www.w3.org/XML/1998/namespace}lang") or variant.get("lang") or ""
        texts[code] = texts.get(code) or unit_text(variant.find("{*}seg"))
    return texts


def _xliff_texts(unit: Any) -> Iterator[dict[str, str]]:
    """Language code -> text of an XLIFF unit, or of each of its segments if it is divided into segments."""
    attributes = {key: value for parent in unit.iterancestors() for key, value in parent.attrib.items()}
    source = attributes.get("source-language") or attributes.get("srcLang") or ""
    target = attributes.get("target-language") or attributes.get("trgLang") or ""
    target = target or ("zh" if _language(source) == "en" else "en")  # optional in the standard
    target_element = unit.find("{*}target")
    source_texts, target_texts = _segments(unit.find("{*}seg-source")), _segments(target_element)
    if not source_texts or (not target_texts and target_element is not None):
        key = ("", 1)
        source_texts, target_texts = (
            {key: unit_text(unit.find("{*}source"))},
            {key: unit_text(target_element)},
        )
    for segment_id in {**source_texts, **target_texts}:
        yield {source: source_texts.get(segment_id, ""), target: target_texts.get(segment_id, "")}


def _segments(element: Any) -> dict[tuple[str, int], str]:
    """Id and how often it has come -> text of the segments (`<mrk mtype="seg">`) in a source or target."""
    marks = [] if element is None else element.iter("{*}mrk")
    segments: dict[tuple[str, int], str] = {}
    counts: Counter[str] = Counter()
    for mark in marks:
        if mark.get("mtype") == "seg":
            id = mark.get("mid", "")
            counts[id] += 1
            segments[id, counts[id]] = unit_text(mark)
    return segments
