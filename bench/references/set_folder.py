"""document.yaml and segments.jsonl in the folder of a reference set, read as typed records.

Every error names the file, the line where there is one, and what to do. source_files.py reads the other files
of the folder, terms.py terms.tsv, and overrides.py overrides.yaml.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from bench import files, limits
from bench.core import Segment
from bench.errors import BenchError
from bench.files import check_lines, check_values, decode_text
from bench.languages import LANGUAGE_NAMES, fits_script
from bench.names import check_name
from bench.references.overrides import NAME as SENTENCE
from bench.references.variety import Tag

BUILT = ".build.json"
"""In a set's folder while the files of a complete build get their names."""
REBUILD = "rebuild the set with `bench references build`"
_DOCUMENT_KEYS = (
    "use the keys id, title (with zh and en), original_language (zh, en or unknown), published, origin, "
    "licence and, optionally, variety (zh-Hans-CN, zh-Hant-TW …) and note, each with plain text"
)
_OPTIONAL_TEXTS = ("zh_number", "en_number")

T = TypeVar("T")
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: _Text
    en: _Text


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """document.yaml: what a person knows about the document."""

    id: _Text
    title: Title
    original_language: Literal["zh", "en", "unknown"]
    published: _Text
    """ISO date, as precise as it is known, or "unknown"."""
    origin: _Text
    """Who published the text, and how it was obtained."""
    licence: _Text
    variety: Tag | None = None
    """Of the Chinese text."""
    note: str = ""


def read_document(path: Path) -> Document:
    """The record in `path`. Raises BenchError if it is not YAML, or a key is missing, unknown or not plain
    text."""
    try:
        # BaseLoader reads every scalar as a string, so an id of digits or an impossible date is not an error.
        content = yaml.load(read_text(path, limits.CONFIG_BYTES), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BenchError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML; correct it.") from None
    if isinstance(content, dict) and "leave_out" in content:
        raise BenchError(f"{path}: leave_out has moved; write it into overrides.yaml beside it.")
    try:
        document = msgspec.convert(content, Document)
    except msgspec.ValidationError as error:
        raise BenchError(f"{path}: {error}; {_DOCUMENT_KEYS}.") from None
    check_name(document.id, f"{path}: the id")
    return document


def read_segments(folder: Path) -> tuple[Segment, ...]:
    """The segments of the set in `folder`. Raises BenchError at the first fault, or if the hash does not
    match."""
    path, hash_path = folder / "segments.jsonl", folder / "segments.sha256"
    data = read_bytes(path)
    check_lines(data, path, limits.SEGMENTS, advice=REBUILD)
    check_values(data, path, advice=REBUILD)
    segments: dict[str, Segment] = {}
    for number, line in enumerate(decode_text(data, path, advice=REBUILD).split("\n")[:-1], 1):
        segment = decode_row(line, Segment, f"{path}:{number}")
        if fault := segment_fault(segment):
            raise BenchError(f"{path}:{number}: {fault}; {REBUILD}.")
        if segment.id in segments:
            first = list(segments).index(segment.id) + 1
            raise BenchError(
                f"{path}:{number}: the id {segment.id!r} is already used on line {first}; {REBUILD}."
            )
        segments[segment.id] = segment
    if not segments or not data.endswith(b"\n"):
        raise BenchError(f"{path} is empty or its last line is cut off; {REBUILD}.")
    pinned = re.fullmatch(r"([0-9a-f]{64}) [ *]segments\.jsonl\n?", read_text(hash_path))
    if not pinned:
        raise BenchError(f"{hash_path}:1: not the output of `sha256sum segments.jsonl`; {REBUILD}.")
    if pinned.group(1) != hashlib.sha256(data).hexdigest():
        raise BenchError(
            f"{path} does not have the hash in {hash_path}, so somebody edited it; restore it or {REBUILD}."
        )
    return tuple(segments.values())


def segment_fault(segment: Segment) -> str:
    """What is wrong with a segment whose fields have the right types; "" if nothing is."""
    for name in (field.name for field in fields(Segment)):
        value = getattr(segment, name)
        if isinstance(value, str) and not value.strip() and name not in _OPTIONAL_TEXTS:
            return f"{name!r} is empty"
    if segment.paragraph < 0:
        return f"paragraph {segment.paragraph} is below 0"
    zh, en = len(segment.zh_sentences), len(segment.en_sentences)
    if 0 in (zh, en) or segment.alignment != f"{zh}-{en}":
        return f"alignment {segment.alignment!r} does not fit {zh} Chinese and {en} English sentences"
    for sentence in (*segment.zh_sentences, *segment.en_sentences):
        if not SENTENCE.fullmatch(sentence):
            return f"{sentence[:80]!r} is not the name of a sentence"
    for language, name in LANGUAGE_NAMES.items():
        lines = list(segment.lines(language))
        if not lines or lines[0] < 1 or lines != sorted(set(lines)):
            return f"{language}_lines {lines} are not ascending line numbers"
        if len(lines) != segment.raw(language).count("\n") + 1:
            return f"{language}_raw and {language}_lines differ in their number of lines"
        if not fits_script(segment.text(language), language):
            return f"{language!r} is not {name}: {segment.text(language)[:40]!r}"
    if not 0 <= segment.confidence <= 1:
        return f"confidence {segment.confidence} is not between 0 and 1"
    return ""


def decode_row(line: str, record: type[T], location: str) -> T:
    """One line of a .jsonl file as a dataclass.

    Raises BenchError, beginning with `location`, if it is not JSON or a key is missing, unknown or of the
    wrong type.
    """
    try:
        row = msgspec.json.decode(line)
        decoded = msgspec.convert(row, record)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BenchError(f"{location}: {error}; {REBUILD}.") from None
    known: Any = record
    if unknown := sorted(row.keys() - {field.name for field in fields(known)}):
        raise BenchError(f"{location}: unknown key {unknown[0]!r}; {REBUILD}.")
    return decoded


def read_text(path: Path, limit: int = limits.TABLE_BYTES) -> str:
    """The text of a file in a set's folder. Raises BenchError, with the line, if it is not UTF-8."""
    text = decode_text(read_bytes(path, limit), path, advice=REBUILD)
    check_lines(text, path, limits.DOCUMENT_LINES, advice=REBUILD)
    return text


def read_bytes(path: Path, limit: int = limits.TABLE_BYTES) -> bytes:
    """The content of a file in a set's folder, of at most `limit` bytes. Raises BenchError if there is no such
    file."""
    try:
        return files.read_bytes(path, limit, inside=path.parent, advice=REBUILD)
    except FileNotFoundError:
        raise BenchError(f"There is no {path}: {REBUILD}.") from None
