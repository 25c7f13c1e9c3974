"""The files of a set's folder that build writes and check and review read."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, Side
from bench.references import REBUILD, decode, read_bytes
from bench.references.reading.read import SourceText, read
from bench.references.segmentation.extract import LeftOut

SOURCES: dict[Side, str] = {"both": "source.txt", "zh": "source.zh.txt", "en": "source.en.txt"}
"""One text with both languages, or one text for each."""
ALIGNED = "source.tsv"
"""A source that came aligned: a head, then line n of both in row n."""
_SENTENCE = re.compile(r"(L[1-9]\d*s[1-9]\d*)?")


def source_lines(root: Path) -> dict[Language, list[str]]:
    """The source's lines by language; the same list for both where they stand in one text."""
    if (root / ALIGNED).is_file():
        texts = read([root / ALIGNED]).texts
        return {language: texts[language].split("\n") for language in LANGUAGE_NAMES}
    if (root / SOURCES["zh"]).is_file():
        return {language: _lines(root / SOURCES[language]) for language in LANGUAGE_NAMES}
    return dict.fromkeys(LANGUAGE_NAMES, _lines(root / SOURCES["both"]))


def sources(root: Path) -> list[Path]:
    """The files that a set in this folder was built from; none where there is no set."""
    names = (ALIGNED,), (SOURCES["zh"], SOURCES["en"]), (SOURCES["both"],)
    found = next((n for n in names if all((root / name).is_file() for name in n)), ())
    return [root / name for name in found] if (root / "segments.jsonl").is_file() else []


def source_files(source: SourceText) -> dict[str, str]:
    """Name -> content of the files that hold a text in the folder."""
    if not source.aligned:
        return {SOURCES[side]: text for side, text in source.texts.items()}
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(("zh", "en"))
    zh, en = (source.texts[language].split("\n") for language in LANGUAGE_NAMES)
    writer.writerows(zip(zh, en, strict=True))
    return {ALIGNED: table.getvalue()}


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
