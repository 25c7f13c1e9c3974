"""Reference sets: built from a two-language source (build), proved (check), read (load), from outside, in three views."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES
from bench.references import outside, views
from bench.references.segmentation.pieces import in_script
from bench.resources import data_dir

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Of a set: it names folders."""
REBUILD = "rebuild the set with `bench references build`"
_TYPES: dict[str, type] = {
    "id": str,
    "kind": str,
    "section": str,
    "paragraph": int,
    "zh": str,
    "en": str,
    "alignment": str,
    "zh_number": str,
    "en_number": str,
    "zh_raw": str,
    "en_raw": str,
    "zh_lines": list,
    "en_lines": list,
    "zh_sentences": list,
    "en_sentences": list,
    "confidence": float,
    "aligned_by": str,
}
_MAY_BE_EMPTY = ("zh_number", "en_number")


def load(name_or_path: str | Path, granularity: str = "sentence") -> ReferenceSet:
    """The reference set of that id in `references/` (here, or as it ships) or in a folder; or one from outside: a pair of
    files, PREFIX.zh and PREFIX.en, or sacrebleu:SET/PAIR. `granularity`: see bench.references.views.

    Everything is validated. Raises BenchError, with file and line, for the first thing that is wrong.
    """
    folder = _folder(name_or_path)
    reference = _read(folder) if folder else outside.load(str(name_or_path))
    if reference is None:
        raise BenchError(
            f"No reference set {str(name_or_path)!r}: give {_built()}; for one that was aligned elsewhere the PREFIX of "
            "two files, PREFIX.zh and PREFIX.en, or sacrebleu:wmt22/zh-en."
        )
    return views.view(reference, granularity)


def _read(folder: Path) -> ReferenceSet:
    about = read_document(folder / "document.yaml")
    path = folder / "segments.jsonl"
    data = read_bytes(path)
    segments: list[Segment] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(decode(data, path).split("\n")[:-1], 1):
        segment = _segment(line, f"{path}:{number}")
        if segment.id in first_line:
            raise BenchError(
                f"{path}:{number}: the id {segment.id!r} stands on line {first_line[segment.id]} too; {REBUILD}."
            )
        first_line[segment.id] = number
        segments.append(segment)
    if not segments or not data.endswith(b"\n"):
        raise BenchError(f"{path} is empty or its last line is cut; {REBUILD}.")
    sha256 = hashlib.sha256(data).hexdigest()
    pinned = re.fullmatch(
        r"([0-9a-f]{64}) [ *]segments\.jsonl\n?", decode(read_bytes(path.with_suffix(".sha256")), path)
    )
    if not pinned:
        raise BenchError(
            f"{path.with_suffix('.sha256')}:1: not a line of `sha256sum segments.jsonl`; {REBUILD}."
        )
    if pinned.group(1) != sha256:
        raise BenchError(
            f"{path} does not have the hash in {folder / 'segments.sha256'}: it was changed by hand; restore it or {REBUILD}."
        )
    title = about["title"]
    return ReferenceSet(
        id=about["id"],
        title=f"{title['en']} ({title['zh']})",
        original_language=about["original_language"],
        published="" if about["published"] == "unknown" else about["published"],
        licence=about["licence"],
        segments=tuple(segments),
    )


def find(name_or_path: str | Path) -> Path:
    """The folder of a reference set that was built here, given by path or by id."""
    folder = _folder(name_or_path)
    if folder is None:
        raise BenchError(f"No reference set {str(name_or_path)!r} was built here: give {_built()}.")
    return folder


def _folder(name_or_path: str | Path) -> Path | None:
    folders = (Path(name_or_path), Path("references") / name_or_path, data_dir("references") / name_or_path)
    with suppress(OSError):  # a name too long for a file is no set's name
        return next((folder for folder in folders if (folder / "segments.jsonl").is_file()), None)
    return None


def _built() -> str:
    known = sorted(p.parent.name for p in data_dir("references").glob("*/segments.jsonl"))
    return " or ".join([*known, "the path of a set's folder"])


def read_document(path: Path) -> dict[str, Any]:
    """What a person has written about the document; the keys are described in the README.md of each set."""
    try:
        # Everything is a string: a date that does not exist and an id of digits are no errors of ours.
        about = yaml.load(decode(read_bytes(path), path), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BenchError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML; mend it.") from None
    needed = ("id", "title", "original_language", "published", "origin", "licence")
    missing = [key for key in needed if not (isinstance(about, dict) and about.get(key))]
    if missing:
        raise BenchError(f"{path}: {', '.join(missing)} is missing; add it.")
    if "leave_out" in about:
        raise BenchError(f"{path}: leave_out has moved; write it into overrides.yaml beside it.")
    if unknown := set(about) - {*needed, "note"}:
        raise BenchError(
            f"{path}: unknown key {', '.join(sorted(map(str, unknown)))}; remove it or mend its spelling."
        )
    texts = {key: value for key, value in about.items() if key != "title"}
    if wrong := [key for key, value in texts.items() if not isinstance(value, str)]:
        raise BenchError(f"{path}: {wrong[0]} is no plain text; write one.")
    if not ID.fullmatch(about["id"]):
        raise BenchError(
            f"{path}: the id {about['id'][:80]!r} cannot be a folder: use letters, digits and ._- only."
        )
    if about["original_language"] not in ("zh", "en", "unknown"):
        raise BenchError(
            f"{path}: original_language is {about['original_language']!r}; write zh, en or unknown."
        )
    if not isinstance(about["title"], dict) or set(about["title"]) != {"zh", "en"}:
        raise BenchError(f"{path}: title needs exactly the keys zh and en; write both.")
    if not all(isinstance(title, str) for title in about["title"].values()):
        raise BenchError(f"{path}: the titles are no plain text; write one for each language.")
    return about


def _segment(line: str, where: str) -> Segment:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BenchError(f"{where}: not JSON ({error.msg}); {REBUILD}.") from None
    if not isinstance(row, dict):
        raise BenchError(f"{where}: not a JSON object; {REBUILD}.")
    for key in row:
        if key not in _TYPES:
            raise BenchError(f"{where}: unknown key {key!r}; {REBUILD}.")
    for key, kind in _TYPES.items():
        if key not in row:
            raise BenchError(f"{where}: the key {key!r} is missing; {REBUILD}.")
        if type(row[key]) is not kind:
            raise BenchError(
                f"{where}: {key!r} is {row[key]!r} and should be of type {kind.__name__}; {REBUILD}."
            )
        if kind is str and key not in _MAY_BE_EMPTY and not row[key].strip():
            raise BenchError(f"{where}: {key!r} is empty; {REBUILD}.")
    if row["kind"] not in ("heading", "sentence"):
        raise BenchError(f"{where}: kind {row['kind']!r} is neither heading nor sentence; {REBUILD}.")
    if row["paragraph"] < 0:
        raise BenchError(f"{where}: paragraph {row['paragraph']} is below 0; {REBUILD}.")
    if not re.fullmatch(r"[1-9]\d*-[1-9]\d*", row["alignment"]):
        raise BenchError(f"{where}: alignment {row['alignment']!r} is not of the form 1-2; {REBUILD}.")
    for side, name in LANGUAGE_NAMES.items():
        lines = row[f"{side}_lines"]
        if not lines or any(type(n) is not int or n < 1 for n in lines) or lines != sorted(set(lines)):
            raise BenchError(f"{where}: {side}_lines {lines!r} are not ascending line numbers; {REBUILD}.")
        if len(lines) != row[f"{side}_raw"].count("\n") + 1:
            raise BenchError(
                f"{where}: {side}_raw and {side}_lines differ in their number of lines; {REBUILD}."
            )
        if not in_script(row[side], side):
            raise BenchError(f"{where}: {side!r} is not {name}: {row[side][:40]!r}; {REBUILD}.")
    if row["alignment"] != f"{len(row['zh_sentences'])}-{len(row['en_sentences'])}":
        raise BenchError(f"{where}: alignment {row['alignment']!r} does not count its sentences; {REBUILD}.")
    if not 0 <= row["confidence"] <= 1:
        raise BenchError(f"{where}: confidence {row['confidence']} is not between 0 and 1; {REBUILD}.")
    if row["aligned_by"] not in ("rules", "override", "source"):
        raise BenchError(f"{where}: aligned_by {row['aligned_by']!r} is unknown; {REBUILD}.")
    for key in ("zh_lines", "en_lines", "zh_sentences", "en_sentences"):
        row[key] = tuple(row[key])
    return Segment(**row)


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"Cannot read {path} ({error.strerror}); {REBUILD}.") from None


def decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BenchError(f"{path}:{line}: not UTF-8; {REBUILD}.") from None
