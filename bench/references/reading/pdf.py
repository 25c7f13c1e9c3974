"""PDF files -> text in reading order, one printed line per line.

PDF is read with pypdfium2: it kept text and order of all six PDFs that we made (Chromium, LibreOffice,
reportlab, fpdf2) and maps the radicals that fonts give (⼀) to plain characters. pdfminer.six and pypdf left
163 radicals on one of 7 pages.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import math
import re
import signal
import statistics
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import limits, progress
from bench.errors import BenchError
from bench.references.reading.pdf_columns import PrintedLine, read_columns
from bench.resources import python_command

Point = tuple[float, float]
"""Distance from the left edge and from the bottom of the page, in PDF points."""

_MIN_UNREADABLE, _MAX_UNREADABLE = 0.01, 0.2
"""Share of characters without Unicode value from which the user is told, and from which the file is refused."""


def read_pdf(data: bytes, path: Path) -> str:
    """The printed lines, including headers and page numbers; a form feed begins each page after the first.

    An empty line marks a wider gap, two spaces an indent. Raises BenchError if the file cannot be opened or
    has no text; `path` is for the message.

    A process of its own reads the file, with limits on time and memory: forms that show each other keep pdfium
    busy for ever, in code that nothing interrupts.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        raise BenchError(f'{path} is a PDF: to read it, run `pip install "bitext-bench[documents]"`.')
    command = [*python_command("from bench.references.reading.pdf import main; main()"), str(path)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=limits.PDF_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(
            f"{path} takes more than {limits.PDF_SECONDS} seconds to read: split the document."
        ) from None
    if done.returncode:
        raise BenchError(
            f"{path} has a page that takes more than {limits.PAGE_SECONDS} seconds or {limits.PDF_BYTES // limits.MIB} "
            "MiB to read: print the document to a new PDF."
        )
    answer = json.loads(done.stdout.decode("utf-8", "surrogatepass"))
    if problem := answer["problem"]:
        raise BenchError(problem)
    for warning in answer["warnings"]:
        progress.say(warning, warning=True)
    return str(answer["text"])


def main() -> None:
    """Read the PDF on standard input, and print text, warnings and the problem as JSON. The argument is its path."""
    path, data = Path(sys.argv[1]), sys.stdin.buffer.read()
    answer: dict[str, Any] = {"problem": "", "warnings": [], "text": ""}
    with suppress(ImportError):  # on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.PDF_BYTES, limits.PDF_BYTES))
    try:
        answer["text"], answer["warnings"] = _read(data, path)
    except BenchError as error:
        answer["problem"] = str(error)
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _read(data: bytes, path: Path) -> tuple[str, list[str]]:
    """The text, and what the user should know about it."""
    import pypdfium2

    pages, unreadable, characters, scanned = [], 0, 0, 0
    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > limits.DOCUMENT_PAGES:
                raise BenchError(
                    f"{path} has more than {limits.DOCUMENT_PAGES} pages, the limit here: split the document."
                )
            for page in document:
                if hasattr(signal, "alarm"):
                    signal.alarm(limits.PAGE_SECONDS)  # it ends the process, also within pdfium
                read = _page_text(page, path, limits.DOCUMENT_CHARACTERS - characters)
                characters += read.characters
                unreadable += read.unreadable
                pages.append(read.text)
                scanned += not read.text.strip() and any(page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
                page.close()
    except pypdfium2.PdfiumError as error:
        reason = str(error).rstrip(".")
        raise BenchError(
            f"{path} cannot be opened ({reason}): pass a PDF that is complete and has no password."
        ) from None
    if not any(page.strip() for page in pages):
        raise BenchError(
            f"{path} has no text layer, only page images: run text recognition (OCR) and pass the result."
        )
    share = unreadable / max(characters, 1)
    lost = f"{unreadable:,} of {characters:,} characters ({share:.0%}) have no Unicode value in the PDF"
    if share > _MAX_UNREADABLE:
        raise BenchError(
            f"{path}: {lost}: run text recognition (OCR) and pass the result, or another format."
        )
    warnings = []
    if scanned:
        warnings.append(f"{path}: {scanned} of {len(pages)} pages are images without text.")
    if share > _MIN_UNREADABLE:
        warnings.append(f"{path}: {lost} and are missing or wrong; pass another format if there is one.")
    return "\n\f".join(pages), warnings


@dataclass(frozen=True, slots=True)
class _Page:
    text: str
    characters: int
    unreadable: int
    """Characters whose font does not say what they are. Some are missing from the text, others wrong."""


def _page_text(page: Any, path: Path, limit: int) -> _Page:
    """A page of at most `limit` characters."""
    from pypdfium2 import raw

    content = page.get_textpage()
    count = content.count_chars()
    if count > min(limit, limits.PAGE_CHARACTERS):
        raise BenchError(
            f"{path} has a page with {count:,} characters: {limits.PAGE_CHARACTERS:,} on a page and "
            f"{limits.DOCUMENT_CHARACTERS:,} in all are the limit; split the document."
        )
    # pdfium removes the line break from a hyphenated word and marks the position.
    lines = re.sub("[\ufffe\x02]", "-\r\n", content.get_text_range()).split("\r\n")
    codes = [raw.FPDFText_GetUnicode(content, i) for i in range(count)]
    unreadable = sum(
        code in (0, 0xFFFD) or raw.FPDFText_HasUnicodeMapError(content, i) == 1
        for i, code in enumerate(codes)
    )
    starts = [0, *(i + (2 if code == 0x0D else 1) for i, code in enumerate(codes) if code in (0x0D, 0x02))]
    if len(starts) == len(lines) and starts[-1] < count:
        lines = _lay_out(_printed_lines(content, lines, starts, count))
    content.close()
    text = re.sub("[\0-\x08\x0b-\x1f\x7f\ufffe\uffff]", "", "\n".join(lines).replace("\r", "\n"))
    return _Page("\n".join(line.rstrip() for line in text.split("\n")), count, unreadable)


def _printed_lines(content: Any, texts: list[str], starts: list[int], count: int) -> list[PrintedLine]:
    """The lines of a page with the positions of their characters. `starts`: the index of each line's first character
    among the `count` characters of the page."""
    lines = []
    for text, start, end in zip(texts, starts, [*starts[1:], count], strict=True):
        # Where characters and text differ in number, the line counts as one piece.
        indexes = range(start, start + len(text)) if end - start >= len(text) else [start] * len(text)
        origins = [_origin(content, index) for index in indexes] or [_origin(content, start)]
        lines.append(PrintedLine(text, tuple(x for x, _ in origins[: len(text)]), origins[0][1]))
    return lines


def _lay_out(lines: list[PrintedLine]) -> list[str]:
    """The lines in reading order, with line breaks and spaces that show the layout."""
    steps = [above.y - below.y for above, below in pairwise(lines)]
    step = statistics.median([step for step in steps if step > 0] or [math.inf])
    shown = []
    above = math.inf
    for run in read_columns(lines, step):
        prefixes = _line_prefixes([(line.xs[0] if line.xs else 0.0, line.y) for line in run], above, step)
        shown += [prefix + line.text for prefix, line in zip(prefixes, run, strict=True)]
        above = run[-1].y
    return shown


def _origin(content: Any, index: int) -> Point:
    """The position of a character on its base line."""
    from pypdfium2 import raw

    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(content, index, x, y)
    return x.value, y.value


def _line_prefixes(origins: list[Point], above: float, usual_step: float) -> list[str]:
    """What to write before each line so that the text shows the layout: a line break for a gap, two spaces
    for an indent.

    `origins` are those of the lines' first characters; `above` is the height of the line before them, inf if there
    is none. Chinese lines are up to 1.3 times as far apart as English ones.
    """
    heights = [above if math.isfinite(above) else origins[0][1], *(y for _, y in origins)]
    columns = Counter(round(x) for x, _ in origins)
    margin = max(columns, key=lambda x: (columns[x], -x))
    return [
        ("\n" if higher - y > 1.35 * usual_step else "") + ("  " if x - margin > 0.8 * usual_step else "")
        for (x, y), higher in zip(origins, heights[:-1], strict=True)
    ]
