"""A reference set -> files for other tools. Equal sets give equal bytes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from bench import __version__, store
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES
from bench.references.reading.aligned import one_line


def export(reference: ReferenceSet, out: Path, form: str) -> list[Path]:
    """Writes the set into the folder `out` and gives the paths of what was written.

    `form` is one of FORMS: "txt" (.zh, .en and .ids, one line a segment: the layout of WMT), "tsv", "jsonl" or "tmx".
    """
    if form not in FORMS:
        raise BenchError(f"Unknown form {form!r}: use one of {', '.join(FORMS)}.")
    written = []
    for suffix, text in FORMS[form](reference).items():
        path = out / f"{reference.id}.{suffix}"
        store.write(path, text)
        written.append(path)
    return written


def txt(reference: ReferenceSet) -> dict[str, str]:
    columns = {str(side): [_line(s.text(side)) for s in reference.segments] for side in LANGUAGE_NAMES}
    columns["ids"] = [_line(segment.id) for segment in reference.segments]
    return {suffix: "".join(f"{line}\n" for line in lines) for suffix, lines in columns.items()}


def tsv(reference: ReferenceSet) -> dict[str, str]:
    """Cells with a quotation mark are quoted, as csv readers expect it."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(("id", "zh", "en"))
    writer.writerows((_line(s.id), _line(s.zh), _line(s.en)) for s in reference.segments)
    return {"tsv": file.getvalue()}


def jsonl(reference: ReferenceSet) -> dict[str, str]:
    lines = (json.dumps(_plain(segment), ensure_ascii=False) for segment in reference.segments)
    return {"jsonl": "".join(f"{line}\n" for line in lines)}


def _plain(segment: Segment) -> dict[str, str | int | float]:
    """What a reader of the texts needs; where they stand in the source is in segments.jsonl."""
    return {
        "id": segment.id,
        "kind": segment.kind,
        "section": segment.section,
        "paragraph": segment.paragraph,
        "zh": segment.zh,
        "en": segment.en,
        "confidence": segment.confidence,
        "aligned_by": segment.aligned_by,
    }


def tmx(reference: ReferenceSet) -> dict[str, str]:
    """TMX 1.4b; the original language comes first in each unit. It has no dates, so that equal sets give equal bytes."""
    original = reference.original_language
    sides = sorted(LANGUAGE_NAMES, key=lambda side: side != original)
    root = etree.Element("tmx", version="1.4")
    header = etree.SubElement(
        root,
        "header",
        {
            "creationtool": "bitext-bench",
            "creationtoolversion": __version__,
            "segtype": "sentence",
            "o-tmf": "bitext-bench",
            "adminlang": "en",
            "srclang": original if original in LANGUAGE_NAMES else "*all*",  # the standard's word for either
            "datatype": "plaintext",
        },
    )
    _property(header, "title", reference.title)
    body = etree.SubElement(root, "body")
    for segment in reference.segments:
        unit = etree.SubElement(body, "tu", tuid=_line(segment.id))
        _property(unit, "section", segment.section)
        _property(unit, "kind", segment.kind)
        for side in sides:
            variant = etree.SubElement(unit, "tuv", {"{http://www.w3.org/XML/1998/namespace}lang": side})
            etree.SubElement(variant, "seg").text = _line(segment.text(side))
    content = etree.tostring(
        root,
        encoding="utf-8",
        xml_declaration=True,
        doctype='<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        pretty_print=True,
    )
    return {"tmx": content.decode("utf-8")}


def _property(parent: etree._Element, kind: str, text: str) -> None:
    """The standard asks for "x-" before a type of one's own."""
    etree.SubElement(parent, "prop", type=f"x-{kind}").text = _line(text)


def _line(text: str) -> str:
    """Without line breaks and tabs, and without the control characters that no XML file can hold, not even escaped."""
    return one_line(
        re.sub("[^\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text.replace("\t", " "))
    )


FORMS: dict[str, Callable[[ReferenceSet], dict[str, str]]] = {
    "txt": txt,
    "tsv": tsv,
    "jsonl": jsonl,
    "tmx": tmx,
}
"""Each gives suffix -> content."""
