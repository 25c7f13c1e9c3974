"""The files of a set's folder that build writes and check and review read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bench.core import LANGUAGE_NAMES, BenchError, Language
from bench.references import REBUILD, decode, read_bytes
from bench.references.extract import LeftOut, Side

SOURCES: dict[Side, str] = {"both": "source.txt", "zh": "source.zh.txt", "en": "source.en.txt"}
"""One text with both languages, or one text for each."""
_SENTENCE = re.compile(r"(L[1-9]\d*s[1-9]\d*)?")


def source_lines(root: Path) -> dict[Language, list[str]]:
    """The source's lines by language; the same list for both where they stand in one text."""
    if (root / SOURCES["zh"]).is_file():
        return {language: _lines(root / SOURCES[language]) for language in LANGUAGE_NAMES}
    return dict.fromkeys(LANGUAGE_NAMES, _lines(root / SOURCES["both"]))


def left_out(root: Path) -> list[LeftOut]:
    """What is in no segment. Raises BenchError, with file and line, for the first entry that is wrong."""
    path = root / "left_out.jsonl"
    found = []
    for number, line in enumerate(decode(read_bytes(path), path).split("\n")[:-1], 1):
        try:
            row = json.loads(line)
            item = LeftOut(**{**row, "lines": tuple(row["lines"])})
            good = (
                item.side in LANGUAGE_NAMES
                and bool(item.reason)
                and len(item.lines) == item.text.count("\n") + 1
                and all(type(n) is int for n in item.lines)
                and bool(_SENTENCE.fullmatch(item.sentence))
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            good = False
        if not good:
            raise BenchError(
                f"{path}:{number}: not an entry with side, text, lines, reason and sentence; {REBUILD}."
            )
        found.append(item)
    return found


def place(sentence: str) -> tuple[int, int]:
    """L37s2 -> (37, 2): the line and which of its sentences, so that names sort as the source does."""
    line, _, ordinal = sentence[1:].partition("s")
    return int(line), int(ordinal)


def _lines(path: Path) -> list[str]:
    return decode(read_bytes(path), path).split("\n")
