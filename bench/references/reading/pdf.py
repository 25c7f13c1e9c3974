"""PDF files -> text in reading order, one printed line per line.

PDF is read with pypdfium2: it kept text and order of all six PDFs that we made (Chromium, LibreOffice,
reportlab, fpdf2) and maps the radicals that fonts give (⼀) to plain characters. pdfminer.six and pypdf left
163 radicals on one of 7 pages.
"""

from __future__ import annotations

import ctypes
import math
import re
import statistics
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import limits, progress
from bench.errors import BenchError

Point = tuple[float, float]
"""Distance from the left edge and from the bottom of the page, in PDF points."""


def read_pdf(data: bytes, path: Path) -> str:
    """The printed lines, including headers and page numbers; a form feed begins each page after the first.

    An empty line marks a wider gap, two spaces an indent. Raises BenchError if the file cannot be opened or
    has no text; `path` is for the message.
    """
    try:
        import pypdfium2
    except ImportError:
        raise BenchError(
            f'{path} is a PDF: to read it, run `pip install "bitext-bench[documents]"`.'
        ) from None
    pages, unreadable, scanned = [], 0, 0
    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > limits.DOCUMENT_PAGES:
                raise BenchError(
                    f"{path} has more than {limits.DOCUMENT_PAGES} pages, the limit here: split the document."
                )
            for page in document:
                text, unreadable_here = _page_text(page)
                pages.append(text)
                unreadable += unreadable_here
                scanned += not text.strip() and any(page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
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
    if scanned:
        progress.say(f"{path}: {scanned} of {len(pages)} pages are images without text.", warning=True)
    if unreadable:
        progress.say(
            f"{path}: {unreadable} characters have no Unicode value in the PDF and are missing.", warning=True
        )
    return "\n\f".join(pages)


def _page_text(page: Any) -> tuple[str, int]:
    """The text of a page, and the number of its characters that have no Unicode value."""
    from pypdfium2 import raw

    content = page.get_textpage()
    # pdfium removes the line break from a hyphenated word and marks the position.
    lines = re.sub("[\ufffe\x02]", "-\r\n", content.get_text_range()).split("\r\n")
    codes = [raw.FPDFText_GetUnicode(content, i) for i in range(content.count_chars())]
    starts = [0, *(i + (2 if code == 0x0D else 1) for i, code in enumerate(codes) if code in (0x0D, 0x02))]
    if len(starts) == len(lines) and starts[-1] < len(codes):
        prefixes = _line_prefixes([_origin(content, start) for start in starts])
        lines = [prefix + line for prefix, line in zip(prefixes, lines, strict=True)]
    content.close()
    text = re.sub("[\0-\x08\x0b-\x1f\x7f\ufffe\uffff]", "", "\n".join(lines).replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")), codes.count(0)


def _origin(content: Any, index: int) -> Point:
    """The position of a character on its base line."""
    from pypdfium2 import raw

    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(content, index, x, y)
    return x.value, y.value


def _line_prefixes(origins: list[Point]) -> list[str]:
    """What to write before each line so that the text shows the layout: a line break for a gap, two spaces
    for an indent.

    `origins` are those of the lines' first characters. Chinese lines are up to 1.3 times as far apart as
    English ones.
    """
    steps = [above - below for (_, above), (_, below) in pairwise(origins)]
    usual_step = statistics.median([step for step in steps if step > 0] or [math.inf])
    columns = Counter(round(x) for x, _ in origins)
    margin = max(columns, key=lambda x: (columns[x], -x))
    return [
        ("\n" if step > 1.35 * usual_step else "") + ("  " if x - margin > 0.8 * usual_step else "")
        for (x, _), step in zip(origins, [0.0, *steps], strict=True)
    ]
