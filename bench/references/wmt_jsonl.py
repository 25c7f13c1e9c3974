"""Reference sets in the JSON Lines of WMT's general tasks since 2025: a document with its references per line.

    {"doc_id": "…", "src_lang": "en", "tgt_lang": "zh_CN", "src_text": "…", "refs": {"refA": {"ref": "…"}}}

Paragraphs are separated by an empty line, and translated one to one. Each is a segment, DOC_ID:1, DOC_ID:2 …; a
document of one paragraph, or whose sides have different numbers of them, is the segment DOC_ID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from bench import limits, progress
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.files import check_lines, check_values, decode_text, read_bytes, unpacked
from bench.languages import MIN_SCRIPT_SHARE, Direction, script_share, sides
from bench.names import RULE, is_name
from bench.records import Line
from bench.references.parallel import parallel_segment

SUFFIXES = (".jsonl", ".jsonl.gz")
_ADVICE = "give a file in WMT's JSON Lines, with doc_id, src_lang, tgt_lang, src_text and refs"
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*\n")

_Text = Annotated[str, msgspec.Meta(max_length=limits.TEXT_CHARACTERS)]


class _Reference(msgspec.Struct):
    ref: _Text


class _Document(msgspec.Struct):
    doc_id: Line
    src_lang: Line
    tgt_lang: Line
    src_text: _Text
    refs: dict[str, _Reference | _Text] | None = None


def load(path: Path) -> ReferenceSet:
    """The documents between Chinese and English that have a reference; of several references the first by name
    (refA). Raises BenchError, with the line, at the first fault."""
    id = path.name.removesuffix(".gz").removesuffix(".jsonl")
    if not is_name(id):
        raise BenchError(f"A set cannot be named {id[:80]!r}: rename its file, and {RULE}.")
    segments: dict[str, Segment] = {}
    directions: set[Direction] = set()
    left_out = others = 0
    for number, document in _documents(path):
        direction = _direction(document)
        text = _reference(document)
        if direction is None or not text or not document.src_text.strip():
            left_out += 1
            continue
        others += len(document.refs or {}) > 1
        directions.add(direction)
        for segment in _segments(document, text, direction, number):
            if segment.id in segments:
                raise BenchError(
                    f"{path}, line {number}: {segment.id[:80]!r} is not a new doc_id; name each once."
                )
            segments[segment.id] = segment
    if len(directions) > 1:
        raise BenchError(f"{path} has documents from and into Chinese: give a file for each direction.")
    if not segments or len(segments) > limits.SEGMENTS:
        raise BenchError(
            f"{path} has {len(segments):,} segments between Chinese and English with a reference; from 1 to "
            f"{limits.SEGMENTS:,} are possible: {_ADVICE}."
        )
    for language in ("zh", "en"):
        if script_share(" ".join(s.text(language) for s in segments.values()), language) < MIN_SCRIPT_SHARE:
            raise BenchError(
                f"{path}: what should be {language} is mostly another language: correct src_lang and tgt_lang."
            )
    if left_out:
        progress.say(f"{path}: {left_out} documents of other languages or without a reference were left out.")
    if others:
        progress.say(
            f"{path}: {others} documents have several references; the first of each by name is used."
        )
    source = sides(directions.pop())[0]
    return ReferenceSet(
        id=id,
        title=id,
        original_language=source,
        published="",
        licence="unknown",
        segments=tuple(segments.values()),
        outside=True,
        origin=str(path),
    )


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each on one line if it is one; empty ones are left out."""
    return [part.strip() for part in _PARAGRAPH_END.split(text) if part.strip()]


def _documents(path: Path) -> Iterator[tuple[int, _Document]]:
    data = unpacked(
        read_bytes(path, limits.DOCUMENT_BYTES, advice=_ADVICE), path, limits.DOCUMENT_BYTES, advice=_ADVICE
    )
    check_values(data, path, advice=_ADVICE)
    check_lines(data, path, limits.SEGMENTS, advice=_ADVICE)
    for number, line in enumerate(decode_text(data, path, encoding="utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line, type=_Document)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BenchError(f"{path}, line {number}: {error}; {_ADVICE}.") from None


def _direction(document: _Document) -> Direction | None:
    """By the languages without their regions: "zh_CN" is zh. None for other languages."""
    pair = tuple(re.split(r"[_-]", code, maxsplit=1)[0] for code in (document.src_lang, document.tgt_lang))
    return "zh-en" if pair == ("zh", "en") else "en-zh" if pair == ("en", "zh") else None


def _reference(document: _Document) -> str:
    if not document.refs:
        return ""
    first = document.refs[min(document.refs)]
    return (first if isinstance(first, str) else first.ref).strip()


def _segments(document: _Document, text: str, direction: Direction, line: int) -> Iterator[Segment]:
    parts = list(zip(paragraphs(document.src_text), paragraphs(text), strict=False))
    if len(parts) < 2 or len(paragraphs(document.src_text)) != len(paragraphs(text)):
        parts = [(document.src_text.strip(), text)]
    for number, (source, target) in enumerate(parts, 1):
        id = f"{document.doc_id}:{number}" if len(parts) > 1 else document.doc_id
        zh, en = (source, target) if direction == "zh-en" else (target, source)
        yield parallel_segment(id, zh, en, section=document.doc_id, line=line)
