"""A reference set -> files for other tools. Equal sets give equal bytes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from bench import __version__
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.files import write_text
from bench.languages import LANGUAGE_NAMES, Language
from bench.names import check_name
from bench.references.reading.pairs import one_line
from bench.references.variety import chinese_tag


def export(reference: ReferenceSet, out: Path, form: str) -> list[Path]:
    """Write the set into the folder `out`. Returns the paths of the files.

    `form` is one of FORMS: "txt" (.zh, .en and .ids, one line per segment: the layout of WMT), "tsv", "jsonl",
    "tmx" or "xliff".
    """
    if form not in FORMS:
        raise BenchError(f"Unknown form {form!r}: use one of {', '.join(FORMS)}.")
    check_name(reference.id, "The id")
    contents = {out / f"{reference.id}.{suffix}": text for suffix, text in FORMS[form](reference).items()}
    for path, text in contents.items():
        write_text(path, text)
    return list(contents)


def _txt(reference: ReferenceSet) -> dict[str, str]:
    columns = {
        str(language): [_line(segment.text(language)) for segment in reference.segments]
        for language in LANGUAGE_NAMES
    }
    columns["ids"] = [_line(segment.id) for segment in reference.segments]
    return {suffix: "".join(f"{line}\n" for line in lines) for suffix, lines in columns.items()}


def _tsv(reference: ReferenceSet) -> dict[str, str]:
    """Columns id, zh and en. Cells with a quotation mark are quoted, as csv readers expect.

    A program reads it, so a text that a spreadsheet would take for a formula (=, +, -, @) stays as it is.
    """
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(("id", "zh", "en"))
    writer.writerows((_line(s.id), _line(s.zh), _line(s.en)) for s in reference.segments)
    return {"tsv": file.getvalue()}


def _jsonl(reference: ReferenceSet) -> dict[str, str]:
    lines = (json.dumps(_texts(segment), ensure_ascii=False) for segment in reference.segments)
    return {"jsonl": "".join(f"{line}\n" for line in lines)}


def _texts(segment: Segment) -> dict[str, str | int | float]:
    """The fields that other tools need. segments.jsonl also has the positions in the source."""
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


def _tmx(reference: ReferenceSet) -> dict[str, str]:
    """TMX 1.4b. The original language comes first in each unit. There are no dates, so that equal sets give
    equal bytes."""
    original = reference.original_language
    languages = sorted(LANGUAGE_NAMES, key=lambda language: language != original)
    tags = _tags(reference)
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
            "srclang": tags.get(original, "*all*"),  # any language
            "datatype": "plaintext",
        },
    )
    _property(header, "title", reference.title)
    body = etree.SubElement(root, "body")
    for segment in reference.segments:
        unit = etree.SubElement(body, "tu", tuid=_line(segment.id))
        _property(unit, "section", segment.section)
        _property(unit, "kind", segment.kind)
        for language in languages:
            variant = etree.SubElement(
                unit, "tuv", {"{http://www.w3.org/XML/1998/namespace}lang": tags[language]}
            )
            etree.SubElement(variant, "seg").text = _line(segment.text(language))
    content = etree.tostring(
        root,
        encoding="utf-8",
        xml_declaration=True,
        doctype='<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        pretty_print=True,
    )
    return {"tmx": content.decode("utf-8")}


def _xliff(reference: ReferenceSet) -> dict[str, str]:
    """XLIFF 2.0, which tools for 2.1 and 2.2 read as well. The original language is the source; Chinese if it is not
    known."""
    source: Language = "en" if reference.original_language == "en" else "zh"
    target: Language = "zh" if source == "en" else "en"
    tags = _tags(reference)
    name = "urn:oasis:names:tc:xliff:document:2.0"
    root = etree.Element(
        f"{{{name}}}xliff", {"version": "2.0", "srcLang": tags[source], "trgLang": tags[target]}, {None: name}
    )
    file = etree.SubElement(root, f"{{{name}}}file", id=reference.id, original=reference.id)
    for number, segment in enumerate(reference.segments, 1):
        unit = etree.SubElement(file, f"{{{name}}}unit", id=f"u{number}", name=_line(segment.id))
        part = etree.SubElement(unit, f"{{{name}}}segment", state="final")
        etree.SubElement(part, f"{{{name}}}source").text = _line(segment.text(source))
        etree.SubElement(part, f"{{{name}}}target").text = _line(segment.text(target))
    content = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return {"xlf": content.decode("utf-8")}


def _tags(reference: ReferenceSet) -> dict[str, str]:
    """Language -> language tag: zh-Hans or zh-Hant, with the region where it is known."""
    return {"zh": chinese_tag(reference), "en": "en"}


def _property(parent: etree._Element, kind: str, text: str) -> None:
    """TMX asks for "x-" in front of a type that it does not define."""
    etree.SubElement(parent, "prop", type=f"x-{kind}").text = _line(text)


def _line(text: str) -> str:
    """The text without line breaks, tabs, and the control characters that XML cannot contain even when
    escaped."""
    return one_line(
        re.sub("[^\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text.replace("\t", " "))
    )


FORMS: dict[str, Callable[[ReferenceSet], dict[str, str]]] = {
    "txt": _txt,
    "tsv": _tsv,
    "jsonl": _jsonl,
    "tmx": _tmx,
    "xliff": _xliff,
}
"""Form -> writer, which returns file suffix -> content."""
