"""Human judgements of translations: one CSV file, plain or gzipped, with one row a judged translation.

Columns, in any order, others are left alone: lp (the pair: "zh-en"), system, seg, doc (may be left out), src, mt, ref, score
(higher is better). It is the data that a metric is trained on and measured with.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

_COLUMNS = ("lp", "system", "seg", "src", "mt", "ref", "score")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people thought of one system's translation of one segment."""

    pair: str
    """Source and target language: "zh-en"."""
    system: str
    segment: str
    """Unique within its document; a segment has one source."""
    document: str
    """"" where the file names none."""
    source: str
    hypothesis: str
    """May be empty."""
    reference: str
    score: float
    """Higher is better; on whatever scale the judges used."""


def read(path: Path) -> list[Judgement]:
    """The rows of a file, in its order.

    A file may number the segments of several parts from 0 (MLQE-PE's train and dev): the second row of a system for one
    number, with another source, is of a segment of its own, "0#2". The same source twice is a mistake.

    Raises BenchError, with file and line, for a file that does not hold judgements.
    """
    found: list[Judgement] = []
    sources: dict[tuple[str, str, str], str] = {}
    seen: dict[tuple[str, str, str, str], set[str]] = {}
    for line, row in _rows(path):
        pair, system, document, number = row["lp"], row["system"], row["doc"], row["seg"]
        texts = seen.setdefault((pair, document, number, system), set())
        if row["src"] in texts:
            raise BenchError(
                f"{path}, line {line}: segment {number} of {system} is judged a second time; "
                "give one row with the mean of its scores."
            )
        texts.add(row["src"])
        segment = number if len(texts) == 1 else f"{number}#{len(texts)}"
        if sources.setdefault((pair, document, segment), row["src"]) != row["src"]:
            raise BenchError(
                f"{path}, line {line}: segment {segment} of {system} has another source than that of the systems before it; "
                "give each source a seg (or doc) of its own."
            )
        score = _number(row["score"], path, line)
        found.append(Judgement(pair, system, segment, document, row["src"], row["mt"], row["ref"], score))
    if not found:
        raise BenchError(f"{path} holds no judgements: give a file with one row a judged translation.")
    return found


def write(path: Path, judgements: Iterable[Judgement]) -> None:
    """What `read` reads, gzipped where the name ends in .gz; the same bytes for the same judgements."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("lp", "system", "seg", "doc", "src", "mt", "ref", "score"))
    for j in judgements:
        texts = (j.source, j.hypothesis, j.reference)
        rows.writerow((j.pair, j.system, j.segment, j.document, *texts, repr(j.score)))
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line that it ends on."""
    text = _text(path)
    csv.field_size_limit(max(len(text), 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if missing := [name for name in _COLUMNS if name not in header]:
            raise BenchError(
                f"{path}, line 1: there is no column {', '.join(missing)}; name the columns "
                f"{', '.join(_COLUMNS)} (and doc) in the first line."
            )
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BenchError(
                    f"{path}, line {reader.line_num}: {len(row)} cells where the first line names {len(header)} "
                    "columns; quote a cell that holds a comma, a quotation mark or a line break."
                )
            yield reader.line_num, {"doc": "", **dict(zip(header, row, strict=True))}
    except csv.Error as error:
        raise BenchError(f"{path}, line {reader.line_num}: no CSV ({error}); mend the line.") from None


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise BenchError(f"{path} is a gzip file that is cut off or damaged: fetch it again.") from None
    except OSError as error:
        raise BenchError(f"Cannot read {path} ({error.strerror}): give a CSV file with judgements.") from None
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
            f"{path}, line {line}: the score {cell!r} is no number; give one or leave the row out."
        )
    return value
