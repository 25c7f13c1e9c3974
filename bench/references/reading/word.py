"""Word files -> text in reading order, one paragraph per line.

A .docx file is read from its XML. Measured on 80,000 paragraphs and on tracked changes: python-docx 1.2 (10
s) silently drops inserted and moved text and content controls; mammoth 1.13 (27 s, 310 MB) keeps them; the
lines below take 1 s and 18 MB.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import limits
from bench.errors import BenchError
from bench.references.reading.word_numbers import AutomaticNumbers, value
from bench.references.reading.xml_stream import iter_elements, local_name

MAX_UNPACKED_BYTES = 256 * limits.MIB
"""Of all parts of a .docx that are read: a few kB can unpack to gigabytes."""

# Deleted or moved text; drawings and the second rendering of text boxes, pronunciation, properties, field codes. The
# paragraphs of text boxes are elements of their own.
_SKIPPED_ELEMENTS = frozenset(
    "del moveFrom txbxContent drawing pict object Fallback rt pPr rPr delText instrText delInstrText".split()
)
_NOT_READ = {"header": "headers and footers", "footer": "headers and footers", "comments": "comments"}
"""Type of a part of the file -> what it holds."""


def read_word(data: bytes, path: Path) -> tuple[str, list[str]]:
    """Paragraphs and table cells (row by row), one per line; a form feed begins each page after the first. And what
    is not in the text, in words.

    An empty line parts headings, list items and cells from their neighbours. Automatic numbers are written out. A
    footnote and the text of a text box follow the paragraph that they belong to; endnotes come last. Tracked changes
    are accepted. Raises BenchError if the file is damaged or locked; `path` is for the message.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            reader = _Reader(archive, path)
            lines, not_read = list(reader.lines()), reader.not_read()
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
            f"{path} is not a Word document, is damaged or is locked: save it as .docx again."
        ) from None
    # A page begins with its first line of text, wherever Word puts the break.
    pages = (page.strip(" \t\n") for page in "\n".join(lines).split("\f"))
    return "\n\f".join(page for page in pages if page), not_read


class _Reader:
    """The parts of one Word file."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._unpacked = 0
        """Bytes of the parts that were read."""
        self._main = self._main_part()
        self._parts = list(dict.fromkeys(self._related_parts()))
        self._numbers = AutomaticNumbers()
        self._deleted = 0
        """Characters of deleted text."""
        for kind, part in self._parts:
            if kind == "styles":
                self._numbers.add_styles(self._elements(part, "style"))
        for kind, part in self._parts:
            if kind == "numbering":
                self._numbers.add_lists(self._elements(part, "abstractNum", "num"))
        self._footnotes, self._endnotes = self._notes("footnotes"), self._notes("endnotes")

    def lines(self) -> Iterator[str]:
        """The text of each paragraph, with a form feed before the first one of a page."""
        next_is_new_page = was_apart = False
        boxes: list[str] = []
        cell: Any = None
        endnotes: list[str] = []
        for paragraph in self._elements(self._main, "p"):
            if "wordprocessingml" not in paragraph.tag:  # drawings have paragraphs too
                continue
            if next(paragraph.iterancestors("{*}Fallback"), None) is not None:
                continue
            self._deleted += sum(len(deleted.text or "") for deleted in paragraph.iter("{*}delText"))
            if next(paragraph.iterancestors("{*}txbxContent"), None) is not None:
                boxes += filter(None, [_text(paragraph)])
                continue
            properties = paragraph.find("{*}pPr")
            is_new_page = next_is_new_page
            next_is_new_page = False
            if properties is not None:
                is_new_page = is_new_page or _is_on(properties.find("{*}pageBreakBefore"))
                section = properties.find("{*}sectPr")  # the section ends with this paragraph
                next_is_new_page = section is not None and value(section.find("{*}type")) != "continuous"
            text = _text(paragraph)
            is_deleted = not text and properties is not None and properties.find("{*}rPr/{*}del") is not None
            number = "" if is_deleted else self._numbers.next_number(properties, bool(text.strip()))
            own_cell = next(paragraph.iterancestors("{*}tc"), None)
            is_apart = bool(number) or own_cell is not cell or self._numbers.is_heading(properties)
            cell = own_cell
            breaks = ("\f" if is_new_page else "") + ("\n" if is_apart or was_apart else "")
            yield f"{breaks}{number}{text}"
            was_apart = bool(number) or self._numbers.is_heading(properties)
            footnotes = [
                line
                for reference in paragraph.iter("{*}footnoteReference")
                for line in self._footnotes.pop(value(reference, "id"), ())
            ]
            endnotes += [
                line
                for reference in paragraph.iter("{*}endnoteReference")
                for line in self._endnotes.pop(value(reference, "id"), ())
            ]
            for line in (*boxes, *footnotes):
                yield f"\n{line}"
                was_apart = True
            boxes = []
        for line in endnotes:
            yield f"\n{line}"

    def not_read(self) -> list[str]:
        """What the file holds and the text does not: "headers and footers (120 characters)"."""
        counts: Counter[str] = Counter()
        for kind, part in self._parts:
            if kind in _NOT_READ:
                texts = (element.text or "" for element in self._elements(part, "t"))
                counts[_NOT_READ[kind]] += sum(len(text.strip()) for text in texts)
            elif kind in ("diagramData", "chart"):
                texts = (element.text or "" for element in self._elements(part, "t", "v"))
                counts["diagrams"] += sum(len(text.strip()) for text in texts)
        counts["deleted text"] = self._deleted
        return [f"{what} ({count:,} characters)" for what, count in counts.items() if count]

    def _notes(self, kind: str) -> dict[str, list[str]]:
        """The id of each footnote or endnote -> its paragraphs."""
        notes: dict[str, list[str]] = {}
        for part in (part for own_kind, part in self._parts if own_kind == kind):
            for paragraph in self._elements(part, "p"):
                note = next(paragraph.iterancestors("{*}footnote", "{*}endnote"), None)
                text = _text(paragraph).strip().replace("\f", "")
                if note is not None and text and value(note, "type") in ("", "normal"):
                    notes.setdefault(value(note, "id"), []).append(text)
        return notes

    def _main_part(self) -> str:
        """The name of the document's main part. Raises KeyError if there is none."""
        for relation in self._elements("_rels/.rels", "Relationship"):
            if relation.get("Type", "").endswith("/officeDocument"):
                target = str(relation.get("Target", "")).lstrip("/")
                if target.startswith("word/"):
                    return target
        raise KeyError("word/document.xml")

    def _related_parts(self) -> Iterator[tuple[str, str]]:
        """Kind ("styles", "footnotes" …) and name of the parts that the main part uses and the file has."""
        folder, _, name = self._main.rpartition("/")
        relations = f"{folder}/_rels/{name}.rels"
        known = {*self._archive.namelist()}
        if relations not in known:
            return
        for relation in self._elements(relations, "Relationship"):
            target = str(relation.get("Target", ""))
            part = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
            if part in known and relation.get("TargetMode") != "External":
                yield relation.get("Type", "").rpartition("/")[2], part

    def _elements(self, part: str, *names: str) -> Iterator[Any]:
        self._unpacked += self._archive.getinfo(part).file_size  # zipfile never reads more than that
        if self._unpacked > MAX_UNPACKED_BYTES:
            raise BenchError(
                f"{self._path} unpacks to more than {MAX_UNPACKED_BYTES // 10**6} MB: split the document."
            )
        with self._archive.open(part) as file:
            yield from iter_elements(file, self._path, *names)


def _text(element: Any) -> str:
    texts: list[str] = []
    for child in element:
        name = local_name(child)
        if name == "t":
            texts.append(child.text or "")
        elif name in ("tab", "ptab"):
            texts.append("\t")
        elif name in ("br", "cr"):
            texts.append("\f" if value(child, "type") == "page" else "\n")
        elif name == "noBreakHyphen":
            texts.append("-")
        elif name == "sym" and re.fullmatch("F0[0-9A-F]{2}", code := value(child, "char").upper()):
            texts.append(chr(int(code, 16)))
        elif name not in _SKIPPED_ELEMENTS:
            texts.append(_text(child))
    return "".join(texts)


def _is_on(element: Any) -> bool:
    return element is not None and value(element) not in ("0", "false", "off")
