"""Word and PDF files -> text in reading order, a paragraph or a printed line a line.

Word is read from its XML. Measured on 80,000 paragraphs and on tracked changes: python-docx 1.2 (10 s) drops inserted and
moved text and content controls without a word; mammoth 1.13 (27 s, 310 MB) keeps them; the lines below take 1 s and 18 MB.
PDF is read with pypdfium2: it kept text and order of all six PDFs we made (Chromium, LibreOffice, reportlab, fpdf2) and maps
the radicals that fonts give (⼀) to the plain characters. pdfminer.six and pypdf left 163 of them in one of 7 pages.
"""

from __future__ import annotations

import ctypes
import io
import lzma
import math
import re
import statistics
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import progress
from bench.errors import BenchError
from bench.references.reading.xml_stream import elements, name

LIMIT = 500_000_000  # bytes of the document inside a .docx: a few kB can unpack to gigabytes


# --- Word -------------------------------------------------------------------------------------------------------

# Deleted or moved away; in a box or a second rendering of one; pronunciation; properties and field codes.
_LEFT_OUT = frozenset(
    "del moveFrom txbxContent drawing pict object Fallback rt pPr rPr delText instrText delInstrText".split()
)


def docx(data: bytes, path: Path) -> str:
    """Paragraphs and table cells, row by row. Headers, footers, notes, comments and text boxes are left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            lines = list(_paragraphs(archive, path))
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        OSError,
        KeyError,
        RuntimeError,
        ValueError,
        EOFError,
    ):
        raise BenchError(
            f"{path} is no Word document, or a damaged or locked one: save it as .docx again."
        ) from None
    # A page begins with its first line of text, wherever Word has the break.
    pages = (page.strip(" \t\n") for page in "\n".join(lines).split("\f"))
    return "\n\f".join(page for page in pages if page)


def _paragraphs(archive: zipfile.ZipFile, path: Path) -> Iterator[str]:
    numbered = new_page = False
    with _open(archive, _main_part(archive, path), path) as file:
        for paragraph in elements(file, path, "p"):
            in_box = next(paragraph.iterancestors("{*}txbxContent"), None) is not None
            if in_box or "wordprocessingml" not in paragraph.tag:  # a drawing has paragraphs too
                continue
            settings = paragraph.find("{*}pPr")
            before = new_page
            new_page = False
            if settings is not None:
                numbered = numbered or settings.find("{*}numPr") is not None
                before = before or _is_on(settings.find("{*}pageBreakBefore"))
                section = settings.find("{*}sectPr")  # the section ends with this paragraph
                new_page = section is not None and _value(section.find("{*}type")) != "continuous"
            yield ("\f" if before else "") + _run(paragraph)
    if numbered:
        progress.say(
            f"{path}: numbers that Word gives its paragraphs by itself are not in the text; save as plain text to have them.",
            warning=True,
        )


def _main_part(archive: zipfile.ZipFile, path: Path) -> str:
    with _open(archive, "_rels/.rels", path) as file:
        for relation in elements(file, path, "Relationship"):
            if relation.get("Type", "").endswith("/officeDocument"):
                target = str(relation.get("Target", "")).lstrip("/")
                if target.startswith("word/"):
                    return target
    raise KeyError("word/document.xml")


def _open(archive: zipfile.ZipFile, part: str, path: Path) -> Any:
    if archive.getinfo(part).file_size > LIMIT:  # zipfile reads no more than this says
        raise BenchError(f"{path} unpacks to more than {LIMIT // 10**6} MB: split the document.")
    return archive.open(part)


def _run(element: Any) -> str:
    parts: list[str] = []
    for child in element:
        kind = name(child)
        if kind == "t":
            parts.append(child.text or "")
        elif kind in ("tab", "ptab"):
            parts.append("\t")
        elif kind in ("br", "cr"):
            parts.append("\f" if _value(child, "type") == "page" else "\n")
        elif kind == "noBreakHyphen":
            parts.append("-")
        elif kind not in _LEFT_OUT:
            parts.append(_run(child))
    return "".join(parts)


def _value(element: Any, attribute: str = "val") -> str:
    if element is None:
        return ""
    return next((value for key, value in element.attrib.items() if key.endswith("}" + attribute)), "")


def _is_on(element: Any) -> bool:
    return element is not None and _value(element) not in ("0", "false", "off")


# --- PDF --------------------------------------------------------------------------------------------------------


def pdf(data: bytes, path: Path) -> str:
    """The lines as they are printed, headers and page numbers among them; a wider gap is an empty line."""
    try:
        import pypdfium2
    except ImportError:
        raise BenchError(
            f'{path} is a PDF: to read it, run `pip install "bitext-bench[documents]"`.'
        ) from None
    pages, missing, scanned = [], 0, 0
    try:
        with pypdfium2.PdfDocument(data) as document:
            for page in document:
                text, lost = _page(page)
                pages.append(text)
                missing += lost
                scanned += not text.strip() and any(page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
                page.close()
    except pypdfium2.PdfiumError as error:
        reason = str(error).rstrip(".")
        raise BenchError(
            f"{path} cannot be opened ({reason}): give a PDF that is whole and has no password."
        ) from None
    if not any(page.strip() for page in pages):
        raise BenchError(
            f"{path} has no text layer, only pictures of pages: run text recognition (OCR) on it and give the result."
        )
    if scanned:
        progress.say(
            f"{path}: pages that are pictures and give no text: {scanned} of {len(pages)}.", warning=True
        )
    if missing:
        progress.say(
            f"{path}: characters without a Unicode value in the PDF, which are missing: {missing}.",
            warning=True,
        )
    return "\n\f".join(pages)


def _page(page: Any) -> tuple[str, int]:
    """The text of a page, and how many of its characters could not be read."""
    from pypdfium2 import raw

    content = page.get_textpage()
    # pdfium takes the line break out of a word that is cut by a hyphen, and marks the place.
    lines = re.sub("[\ufffe\x02]", "-\r\n", content.get_text_range()).split("\r\n")
    codes = [raw.FPDFText_GetUnicode(content, i) for i in range(content.count_chars())]
    starts = [0, *(i + (2 if code == 0x0D else 1) for i, code in enumerate(codes) if code in (0x0D, 0x02))]
    if len(starts) == len(lines) and starts[-1] < len(codes):
        places = [_place(content, start) for start in starts]
        lines = [before + line for before, line in zip(_layout(places), lines, strict=True)]
    content.close()
    text = re.sub("[\0-\x08\x0b-\x1f\x7f\ufffe\uffff]", "", "\n".join(lines).replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")), codes.count(0)


def _place(content: Any, index: int) -> tuple[float, float]:
    """Where a character stands on its base line, in points from the left and from the foot of the page."""
    from pypdfium2 import raw

    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(content, index, x, y)
    return x.value, y.value


def _layout(places: list[tuple[float, float]]) -> list[str]:
    """What to write before each line so that text shows what the page shows: an empty line for a gap, two spaces for an indent.

    `places` are those of the lines' first characters. Chinese lines stand up to 1.3 times as far apart as English ones.
    """
    steps = [above - below for (_, above), (_, below) in pairwise(places)]
    usual = statistics.median([step for step in steps if step > 0] or [math.inf])
    lefts = Counter(round(left) for left, _ in places)
    margin = max(lefts, key=lambda left: (lefts[left], -left))
    return [
        ("\n" if step > 1.35 * usual else "") + ("  " if left - margin > 0.8 * usual else "")
        for (left, _), step in zip(places, [0.0, *steps], strict=True)
    ]
