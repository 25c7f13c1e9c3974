"""Reference sets from parallel files in the layout of WMT, one segment per line.

PREFIX.zh, PREFIX.en            the texts
PREFIX.en.0, PREFIX.en.1 …      several references (or PREFIX.zh.0 …); the first is PREFIX.en if it exists
PREFIX.ids                      the id of each segment; by default s0001, s0002 …
PREFIX.docs                     the name of each segment's document; by default all are of one
PREFIX.yaml                     title, original_language, published, licence; all are optional
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from bench import limits
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.files import check_lines, decode_text, read_bytes
from bench.languages import LANGUAGE_NAMES, MIN_SCRIPT_SHARE, Language, script_share
from bench.names import RULE, is_name
from bench.records import Line
from bench.references.parallel import parallel_segment

SUFFIXES = (".ids", ".docs", ".yaml")
"""Of the optional files beside the texts."""

_NUMBERED = re.compile(r"\.(zh|en)(\.[0-9])?$")
_KEYS = "use the keys title, original_language (zh, en, mixed or unknown), published and licence, each with plain text"


class _Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PREFIX.yaml."""

    title: Line = ""
    original_language: Literal["zh", "en", "mixed", "unknown"] = "unknown"
    published: Line = ""
    licence: Line = "unknown"


def load(name: str, known_names: Collection[str] = ()) -> ReferenceSet | None:
    """The set of the PREFIX `name`, or None if there are no such files. The path of one of its texts will do, too.

    `known_names`: ids of sets that were built, which parallel files do not get.

    Raises BenchError, with file and line, at the first fault.
    """
    # A prefix may itself end in .zh: news.zh.zh and news.zh.en. So try the name as given first.
    prefixes = (name, _NUMBERED.sub("", name))
    try:
        sides = {prefix: _sides(prefix) for prefix in prefixes}
    except OSError:  # the name is too long for a file
        return None
    prefix = max(sides, key=lambda prefix: len(sides[prefix]))
    paths = sides[prefix]
    if not paths:
        return None
    for language in LANGUAGE_NAMES:
        if language not in paths:
            existing = next(iter(paths.values()))[0]
            raise BenchError(
                f"{existing} exists but {_path(prefix, f'.{language}')} does not: "
                "add the other language there, line by line."
            )
    id = _path(prefix, "").name
    if not is_name(id):
        raise BenchError(f"A set cannot be named {id[:80]!r}: rename its files, and {RULE}.")
    if id in known_names:  # a set that was built and then exported would share its folder in a store
        id = f"{id}.parallel"
    card = _card(_path(prefix, ".yaml"))
    ids, documents = (
        path if path.is_file() else None for path in (_path(prefix, ".ids"), _path(prefix, ".docs"))
    )
    segments = read_segments({"zh": paths["zh"][0], "en": paths["en"][0]}, ids, documents)
    return ReferenceSet(
        id=id,
        title=card.title or _path(prefix, "").name,
        original_language=card.original_language,
        published=card.published,
        licence=card.licence,
        segments=segments,
        further=tuple(
            further
            for language in LANGUAGE_NAMES
            for further in read_further(language, paths[language][1:], len(segments))
        ),
        outside=True,
        origin=prefix,
    )


def prefix_in(folder: Path) -> str:
    """The PREFIX of the set whose files are in a folder; "" if there are none."""
    names = sorted(
        _NUMBERED.sub("", path.name) for path in folder.glob("*.zh*") if _NUMBERED.search(path.name)
    )
    return str(folder / names[0]) if names else ""


def files(prefix: str) -> list[Path]:
    """The files of a set that exist."""
    texts = [path for language in LANGUAGE_NAMES for path in _texts(prefix, language)]
    return texts + [path for suffix in SUFFIXES if (path := _path(prefix, suffix)).is_file()]


def _sides(prefix: str) -> dict[Language, list[Path]]:
    return {language: texts for language in LANGUAGE_NAMES if (texts := _texts(prefix, language))}


def _path(prefix: str, suffix: str) -> Path:
    path = Path(prefix)
    with suppress(RuntimeError):  # "~user" of a user who does not exist
        path = path.expanduser()
    return Path(f"{path}{suffix}")


def _texts(prefix: str, language: Language) -> list[Path]:
    """PREFIX.en, PREFIX.en.0, PREFIX.en.1 … PREFIX.en.9, as far as they exist; numbers begin at 0 or 1."""
    plain = _path(prefix, f".{language}")
    numbered = (Path(f"{plain}.{number}") for number in range(1, 10))
    return [
        *(path for path in (plain, Path(f"{plain}.0")) if path.is_file()),
        *takewhile(Path.is_file, numbered),
    ]


def _card(path: Path) -> _Card:
    if not path.is_file():
        return _Card()
    text = decode_text(read_bytes(path, limits.CONFIG_BYTES, advice=_KEYS), path, encoding="utf-8-sig")
    try:
        # BaseLoader reads every scalar as a string: a date is no error.
        return msgspec.convert(yaml.load(text, yaml.BaseLoader) or {}, _Card)
    except (yaml.YAMLError, RecursionError):
        raise BenchError(f"{path}: not valid YAML; {_KEYS}.") from None
    except msgspec.ValidationError as error:
        raise BenchError(f"{path}: {error}; {_KEYS}.") from None


def read_segments(
    paths: Mapping[Language, Path], ids: Path | None = None, documents: Path | None = None
) -> tuple[Segment, ...]:
    """Line n of each file gives segment n. `ids` and `documents` have one id, or the name of the document,
    per line."""
    texts = {language: read_lines(path) for language, path in paths.items()}
    for language, lines in texts.items():
        if "" in lines:
            raise BenchError(
                f"{paths[language]}:{lines.index('') + 1}: the line is empty; remove it from both files."
            )
        if script_share(" ".join(lines), language) < MIN_SCRIPT_SHARE:
            raise BenchError(
                f"{paths[language]} is mostly not {LANGUAGE_NAMES[language]}: "
                "put Chinese into .zh and English into .en."
            )
    count = len(texts["zh"])
    names = read_lines(ids) if ids else [f"s{n:04}" for n in range(1, count + 1)]
    sections = read_lines(documents) if documents else ["1"] * count
    for path, lines in ((paths["en"], texts["en"]), (ids, names), (documents, sections)):
        if len(lines) != count:
            raise BenchError(
                f"{paths['zh']} has {count} lines and {path} has {len(lines)}: "
                "make line n of each the same segment."
            )
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name or "\t" in name or name in seen:
            raise BenchError(
                f"{ids}:{number}: {name!r} is not a new id; write one unique id per line, without tabs."
            )
        seen.add(name)
    rows = zip(names, texts["zh"], texts["en"], sections, strict=True)
    return tuple(
        parallel_segment(id, zh, en, section or "1", line)
        for line, (id, zh, en, section) in enumerate(rows, 1)
    )


def read_further(
    language: Language, paths: Sequence[Path], segments: int
) -> list[tuple[Language, tuple[str, ...]]]:
    """Further references, one per file and one line per segment. Raises BenchError at the first fault."""
    references = []
    for path in paths:
        lines = read_lines(path)
        if len(lines) != segments or "" in lines:
            raise BenchError(
                f"{path} has {len(lines)} lines ({lines.count('')} of them empty) for {segments} segments: "
                "make line n of each file the same segment."
            )
        if script_share(" ".join(lines), language) < MIN_SCRIPT_SHARE:
            raise BenchError(
                f"{path} is mostly not {LANGUAGE_NAMES[language]}: give references in that language."
            )
        references.append((language, tuple(lines)))
    return references


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, without byte order mark, carriage returns and surrounding white space."""
    data = read_bytes(path, limits.DOCUMENT_BYTES, advice="give text files that can be read")
    text = decode_text(data, path, encoding="utf-8-sig", advice="save the file as UTF-8")
    check_lines(text, path, limits.SEGMENTS, advice=f"split it into sets of {limits.SEGMENTS:,} segments")
    # Not splitlines: a segment may contain U+2028 and other separators.
    return [line.strip() for line in text.removesuffix("\n").split("\n")]
