"""Human judgements of translations: a CSV file, plain or gzipped, with one row per judged translation.

Columns, in any order; others are ignored: lp (language pair: "zh-en"), system, seg, doc (optional), src, mt,
ref, score (higher is better). Metrics are trained on such data and evaluated with it.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from bench import limits
from bench.errors import BenchError
from bench.files import check_lines, read_bytes, unpacked


@dataclass(frozen=True, slots=True)
class Judgement:
    """A human judgement of one system's translation of one segment."""

    pair: str
    """Source and target language: "zh-en"."""
    system: str
    segment: str
    """Unique within its document. A segment has one source."""
    document: str
    """"" if the file does not name documents."""
    source: str
    hypothesis: str
    """May be empty."""
    reference: str
    score: float
    """Higher is better; on the scale of the judges."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file. The fields are its columns, as text."""

    lp: str
    system: str
    seg: str
    src: str
    mt: str
    ref: str
    score: str
    doc: str = ""


_COLUMNS = tuple(field.name for field in fields(_Row))
_REQUIRED = tuple(name for name in _COLUMNS if name != "doc")


def read(path: Path) -> list[Judgement]:
    """The judgements of a file, in its order.

    A file may number the segments of several parts from 0 (MLQE-PE's train and dev). If a system has a second
    row for a number, with another source, that row is a segment of its own: "0#2". A second row with the same
    source is an error.

    Raises BenchError, with file and line, for a file that does not hold judgements.
    """
    judgements: list[Judgement] = []
    source_of: dict[tuple[str, str, str], str] = {}
    sources_of: dict[tuple[str, str, str, str], set[str]] = {}
    for line, row in _rows(path):
        sources = sources_of.setdefault((row.lp, row.doc, row.seg, row.system), set())
        if row.src in sources:
            raise BenchError(
                f"{path}, line {line}: segment {row.seg} of {row.system} is judged a second time; "
                "give one row with the mean of its scores."
            )
        sources.add(row.src)
        segment = row.seg if len(sources) == 1 else f"{row.seg}#{len(sources)}"
        if source_of.setdefault((row.lp, row.doc, segment), row.src) != row.src:
            raise BenchError(
                f"{path}, line {line}: segment {segment} of {row.system} has another source than in earlier "
                "rows; give each source its own seg (or doc)."
            )
        score = _number(row.score, path, line)
        judgements.append(Judgement(row.lp, row.system, segment, row.doc, row.src, row.mt, row.ref, score))
    if not judgements:
        raise BenchError(f"{path} holds no judgements: give a file with one row per judged translation.")
    return judgements


def write(path: Path, judgements: Iterable[Judgement]) -> None:
    """Write a file that `read` reads, gzipped if its name ends in .gz. The same judgements give the same
    bytes.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("lp", "system", "seg", "doc", "src", "mt", "ref", "score"))
    for judgement in judgements:
        texts = (judgement.source, judgement.hypothesis, judgement.reference)
        ids = (judgement.pair, judgement.system, judgement.segment, judgement.document)
        rows.writerow((*ids, *texts, repr(judgement.score)))
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _rows(path: Path) -> Iterator[tuple[int, _Row]]:
    """Each row, with the number of the line on which it ends."""
    text = _text(path)
    csv.field_size_limit(max(len(text), 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if missing := [name for name in _REQUIRED if name not in header]:
            raise BenchError(
                f"{path}, line 1: the columns {', '.join(missing)} are missing; name the columns "
                f"{', '.join(_REQUIRED)} (and doc) in the first line."
            )
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BenchError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, but the first line names "
                    f"{len(header)} columns; quote cells with a comma, a quotation mark or a line break."
                )
            columns = zip(header, cells, strict=True)
            yield reader.line_num, _Row(**{name: cell for name, cell in columns if name in _COLUMNS})
    except csv.Error as error:
        raise BenchError(
            f"{path}, line {reader.line_num}: not valid CSV ({error}); correct the line."
        ) from None


def _text(path: Path) -> str:
    try:
        data = read_bytes(path, limits.DOCUMENT_BYTES, advice="give a CSV file with judgements")
        data = unpacked(data, path, limits.DOCUMENT_BYTES, advice="download it again")
        check_lines(data, path, limits.DOCUMENT_LINES, advice="split it")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise BenchError(f"There is no {path}: give a CSV file with judgements.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BenchError(f"{path}, line {line}: not UTF-8; save the file as UTF-8.") from None


def _number(cell: str, path: Path, line: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BenchError(
            f"{path}, line {line}: the score {cell!r} is not a number; correct it or delete the row."
        )
    return value
