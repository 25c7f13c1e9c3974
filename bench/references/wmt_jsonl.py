"""Reference sets in the JSON Lines of WMT's general tasks since 2025: a document with its references per line.

    {"doc_id": "…", "src_lang": "en", "tgt_lang": "zh_CN", "src_text": "…", "refs": {"refA": {"ref": "…"}}}

Paragraphs are separated by an empty line, and translated one to one. Each is a segment, DOC_ID:1, DOC_ID:2 …; a
document of one paragraph, or whose sides have different numbers of them, is the segment DOC_ID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
_MOST_REFERENCES = 10
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

    def texts(self) -> dict[str, str]:
        """The references by name; empty ones are left out."""
        texts = {name: ref if isinstance(ref, str) else ref.ref for name, ref in (self.refs or {}).items()}
        return {name: text.strip() for name, text in texts.items() if text.strip()}


def load(path: Path) -> ReferenceSet:
    """The documents between Chinese and English that have a reference. References that all of them have are used, in
    the order of their names (refA, refB …). Raises BenchError, with the line, at the first fault."""
    id = path.name.removesuffix(".gz").removesuffix(".jsonl")
    if not is_name(id):
        raise BenchError(f"A set cannot be named {id[:80]!r}: rename its file, and {RULE}.")
    documents = [(number, document, _direction(document)) for number, document in _documents(path)]
    usable = [
        (number, document, direction)
        for number, document, direction in documents
        if direction and document.texts() and document.src_text.strip()
    ]
    left_out, directions = len(documents) - len(usable), {direction for _, _, direction in usable}
    shared = set.intersection(*(set(document.texts()) for _, document, _ in usable)) if usable else set()
    names = sorted(shared)[:_MOST_REFERENCES]
    others = sum(len(document.texts()) > max(1, len(names)) for _, document, _ in usable)
    segments: dict[str, Segment] = {}
    further: list[list[str]] = [[] for _ in names[1:]]
    for number, document, direction in usable:
        if not document.doc_id.strip():
            raise BenchError(f"{path}, line {number}: doc_id is empty; name each document once.")
        texts = document.texts()
        chosen = [texts[name] for name in names or [min(texts)]]
        for segment, more in _segments(document, chosen, direction, number):
            if segment.id in segments:
                raise BenchError(
                    f"{path}, line {number}: {segment.id[:80]!r} is not a new doc_id; name each once."
                )
            segments[segment.id] = segment
            for column, text in zip(further, more, strict=True):
                column.append(text)
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
        progress.say(f"{path}: references that other documents lack are not used (in {others} documents).")
    source, target = sides(directions.pop())
    return ReferenceSet(
        id=id,
        title=id,
        original_language=source,
        published="",
        licence="unknown",
        segments=tuple(segments.values()),
        further=tuple((target, tuple(texts)) for texts in further),
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


def _segments(
    document: _Document, references: Sequence[str], direction: Direction, line: int
) -> Iterator[tuple[Segment, Sequence[str]]]:
    """The segments of a document, each with its further references."""
    texts = [paragraphs(document.src_text), *map(paragraphs, references)]
    if len(texts[0]) < 2 or len(set(map(len, texts))) > 1:
        texts = [[document.src_text.strip()], *([text] for text in references)]
    for number, (source, target, *further) in enumerate(zip(*texts, strict=True), 1):
        id = f"{document.doc_id}:{number}" if len(texts[0]) > 1 else document.doc_id
        zh, en = (source, target) if direction == "zh-en" else (target, source)
        yield parallel_segment(id, zh, en, section=document.doc_id, line=line), further
