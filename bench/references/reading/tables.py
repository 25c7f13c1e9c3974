"""TSV and CSV -> pairs of lines: the Chinese and the English column are found by their script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from bench import progress
from bench.errors import BenchError
from bench.languages import DOCUMENT_HAN
from bench.references.reading.pairs import Pair, one_line

_COLUMN_NAMES = frozenset("中文 汉语 英文 英语 原文 译文 源文 chinese english source target".split())
_MAX_COLUMNS = 100
_SAMPLE = 10_000
"""The number of rows that are enough to tell the columns' languages."""


def read_pairs(text: str, path: Path, delimiter: str) -> list[Pair]:
    """The column with the most Chinese and the one with the most English, row by row, without a header.

    Raises BenchError if the table has fewer than two or more than 100 columns, or its quotation marks do not
    match.
    """
    rows = [[one_line(cell) for cell in row] for row in _read_rows(text, path, delimiter) if row]
    width = max(map(len, rows), default=0)
    if width < 2:
        separator = "tabs" if delimiter == "\t" else "commas"
        raise BenchError(
            f"{path} does not have two columns separated by {separator}: add one, or name it .txt."
        )
    if width > _MAX_COLUMNS:
        raise BenchError(f"{path} has a row of {width} cells: pass a table of two columns.")
    zh = max(range(width), key=lambda column: _count(f"[{DOCUMENT_HAN}]", rows, column))
    candidates = [column for column in range(width) if column != zh]
    # Count words with a space after them first: an id or a link is a long string of letters too.
    en = max(
        candidates, key=lambda column: (_count("[A-Za-z] ", rows, column), _count("[A-Za-z]", rows, column))
    )
    pairs = [(_cell(row, zh), _cell(row, en)) for row in rows]
    if _is_header(*pairs[0]):
        if not {cell.casefold() for cell in pairs[0]} <= _COLUMN_NAMES:
            progress.say(f"{path}: the first row ({pairs[0][0]}, {pairs[0][1]}) is taken as the header.")
        del pairs[0]
    return pairs


def _read_rows(text: str, path: Path, delimiter: str) -> list[list[str]]:
    """The cells of each row. In CSV, cells may be quoted; in many TSV files a quotation mark is ordinary
    text."""
    rows: list[list[str]] = []
    csv.field_size_limit(max(len(text), 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        if delimiter != "\t":
            raise BenchError(
                f"{path}:{reader.line_num}: not CSV ({error}); fix the quotation marks."
            ) from None
    if delimiter == "\t" and (not rows or any("\t" in cell for row in rows for cell in row)):
        return [line.split("\t") for line in text.split("\n") if line]
    return rows


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _count(pattern: str, rows: Sequence[Sequence[str]], column: int) -> int:
    """The number of matches in the first rows of a column."""
    return len(re.findall(pattern, "\n".join(_cell(row, column) for row in rows[:_SAMPLE])))


def _is_header(zh: str, en: str) -> bool:
    """Whether the first row holds names of languages, or text in the wrong script.

    "2021" or "WTO" in both columns is an ordinary row.
    """
    if {zh.casefold(), en.casefold()} <= _COLUMN_NAMES:
        return True
    wrong_script = not re.search(f"[{DOCUMENT_HAN}]", zh) or not re.search("[A-Za-z]", en)
    return wrong_script and bool(zh and en) and zh != en and not re.search(r"\d", zh + en)
