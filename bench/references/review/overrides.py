"""What a reviewer decided: `overrides.yaml` in the folder of a set, written by people and by the review page.

    # Applied by `bench references build`. Sentences are named as the review page names them.
    pairs:        # these sentences translate each other, whatever the rules say; one group each
      - {zh: [L103s2], en: [L89s3, L89s4], reason: the English cuts the sentence in two}
    alone:        # no counterpart: left out of the set
      - {zh: [L95s2], reason: explains a Chinese short name}      # zh or en or both
    leave_out:    # whole source lines that are no text of the document (before anything else)
      - {lines: [7, 9], reason: header of another document}       # `side: zh` where the source is two files

The file is read as YAML's tree and never turned into objects, so tags do nothing, `<<` is an unknown key and aliases
cannot multiply; its size is bounded, and a key that stands twice is an error instead of a lost decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, Side

FILE = "overrides.yaml"
NAME = re.compile(r"L[1-9][0-9]{0,8}s[1-9][0-9]{0,8}")
"""A sentence: the line it begins on and which of that line's sentences it is, both from 1."""
_LIMIT = 1 << 20
"""Bytes: some ten thousand decisions."""
_FORMS = {
    "pairs": "{zh: [L103s2], en: [L89s3, L89s4], reason: …}",
    "alone": "{zh: [L95s2], reason: …}",
    "leave_out": "{lines: [7, 9], reason: …}",
}
_KEYS = {
    "pairs": ("zh", "en", "reason"),
    "alone": ("zh", "en", "reason"),
    "leave_out": ("lines", "side", "reason"),
}


class Pair(NamedTuple):
    """Sentences that translate each other: one group."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Overrides:
    """No sentence stands in it twice, nor does a line; no list is empty."""

    pairs: tuple[Pair, ...] = ()
    alone: Mapping[tuple[Language, str], str] = field(default_factory=dict)
    """Language and name of a sentence without counterpart -> reason."""
    leave_out: Mapping[tuple[Side, int], str] = field(default_factory=dict)
    """Side ("both" where none was named) and source line, from 1 -> reason."""


def read(folder: str | Path) -> Overrides:
    """The decisions in `folder`/overrides.yaml; none where there is no such file, or nothing in it.

    Whether the named sentences and lines exist is for the build to say. Raises BenchError, with file and line, for the
    first thing that is wrong.
    """
    path = Path(folder) / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Overrides()
    except OSError as error:
        raise BenchError(
            f"Cannot read {path} ({error.strerror}); make it a readable file or remove it."
        ) from None
    if len(data) > _LIMIT:
        raise BenchError(
            f"{path} is larger than 1 MiB; keep one document's decisions in it, one short entry each."
        )
    try:
        root = _tree(data, path)
        return _overrides(root, two_files=(Path(folder) / "source.zh.txt").is_file())
    except _Wrong as wrong:
        raise BenchError(f"{path}:{wrong.line}: {wrong.problem}.") from None


class _Wrong(Exception):
    """What is wrong and what to do, on the way to `read`, which knows the file."""

    def __init__(self, node: yaml.Node, problem: str):
        self.line, self.problem = node.start_mark.line + 1, problem


def _tree(data: bytes, path: Path) -> yaml.Node | None:
    try:
        text = data.decode("utf-8")
        # Not CSafeLoader: deep nesting overflows its stack and kills the process.
        return yaml.SafeLoader(text).get_single_node()
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path}:{data[: error.start].count(10) + 1}: not UTF-8; convert the file."
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BenchError(f"{path}:{line}: holds a control character; remove it.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BenchError(
            f"{path}:{mark.line + 1 if mark else 1}: not valid YAML ({error.problem}); mend it."
        ) from None
    except RecursionError:
        raise BenchError(f"{path}: nested too deeply; write entries such as `{_FORMS['pairs']}`.") from None


def _overrides(root: yaml.Node | None, two_files: bool) -> Overrides:
    pairs: list[Pair] = []
    alone: dict[tuple[Language, str], str] = {}
    leave_out: dict[tuple[Side, int], str] = {}
    seen: dict[tuple[str, str | int], int] = {}
    sections = {} if _is_null(root) else _mapping(root, _KEYS, "use pairs, alone and leave_out only")
    for entry in _entries(sections, "pairs"):
        pairs.append(Pair(entry.names("zh", seen), entry.names("en", seen), entry.reason()))
    for entry in _entries(sections, "alone"):
        sides = [side for side in LANGUAGE_NAMES if side in entry.values]
        if not sides:
            raise entry.wrong("neither zh nor en is there")
        for side in sides:
            alone |= dict.fromkeys(((side, name) for name in entry.names(side, seen)), entry.reason())
    for entry in _entries(sections, "leave_out"):
        where = entry.side(two_files)
        leave_out |= dict.fromkeys(((where, line) for line in entry.lines(where, seen)), entry.reason())
    return Overrides(tuple(pairs), alone, leave_out)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One decision as it stands in the file; each method reads one of its keys and checks it."""

    section: str
    node: yaml.Node
    values: Mapping[str, yaml.Node]

    def wrong(self, problem: str, node: yaml.Node | None = None) -> _Wrong:
        return _Wrong(
            node or self.node, f"{problem}; write an entry of {self.section} as `{_FORMS[self.section]}`"
        )

    def names(self, side: Language, seen: dict[tuple[str, str | int], int]) -> tuple[str, ...]:
        """Marks them as seen."""
        found = []
        for node in self._list(side):
            if not (isinstance(node, yaml.ScalarNode) and NAME.fullmatch(node.value)):
                raise self.wrong(f"{side} holds {_show(node)}, which is no sentence's name", node)
            self._first(side, node.value, node, seen)
            found.append(node.value)
        return tuple(found)

    def lines(self, side: Side, seen: dict[tuple[str, str | int], int]) -> tuple[int, ...]:
        """From 1. Marks them as seen."""
        found = []
        for node in self._list("lines"):
            plain = isinstance(node, yaml.ScalarNode) and node.tag.endswith(":int")
            if not (plain and re.fullmatch("[1-9][0-9]{0,8}", node.value)):
                raise self.wrong(f"lines holds {_show(node)}, which is no line number", node)
            line = int(node.value)
            for one in LANGUAGE_NAMES if side == "both" else (side,):
                self._first(f"{one} line", line, node, seen)
            found.append(line)
        return tuple(found)

    def side(self, two_files: bool) -> Side:
        node = self.values.get("side")
        form = "write an entry of leave_out as `{lines: [7, 9], side: zh, reason: …}`"
        if node is None:
            if two_files:
                raise _Wrong(self.node, f"the source is two files and the side is missing; {form}")
            return "both"
        if node.value == "zh":
            return "zh"
        if node.value == "en":
            return "en"
        raise _Wrong(node, f"side is {_show(node)} and not zh or en; {form}")

    def reason(self) -> str:
        """On one line."""
        node = self.values.get("reason")
        if node is None:
            raise self.wrong("the reason is missing")
        text = " ".join(node.value.split()) if node.tag.endswith(":str") else ""
        if not text or re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
            raise self.wrong(f"the reason is {_show(node)} and not a line of text", node)
        return text

    def _list(self, key: str) -> list[yaml.Node]:
        node = self.values.get(key)
        if node is None:
            raise self.wrong(f"{key} is missing")
        if not (isinstance(node, yaml.SequenceNode) and node.value):
            raise self.wrong(f"{key} is {_show(node)} and not a list with something in it", node)
        return list(node.value)

    def _first(
        self, side: str, what: str | int, node: yaml.Node, seen: dict[tuple[str, str | int], int]
    ) -> None:
        if (side, what) in seen:
            raise _Wrong(node, f"{side} {what} stands on line {seen[side, what]} too; keep one of the two")
        seen[side, what] = node.start_mark.line + 1


def _entries(sections: Mapping[str, yaml.Node], section: str) -> Iterator[_Entry]:
    """The entries of a section; a section that is not there, or empty, has none."""
    node = sections.get(section)
    if _is_null(node):
        return
    advice = f"write an entry of {section} as `{_FORMS[section]}`"
    if not isinstance(node, yaml.SequenceNode):
        raise _Wrong(
            node, f"{section} is {_show(node)} and not a list; begin each entry with `- ` and {advice}"
        )
    for entry in node.value:
        yield _Entry(section, entry, _mapping(entry, _KEYS[section], advice))


def _mapping(node: Any, keys: Any, advice: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(node, f"this is {_show(node)} and not a mapping; {advice}")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not (isinstance(key, yaml.ScalarNode) and key.value in keys):
            raise _Wrong(key, f"unknown key {_show(key)}; {advice}")
        if key.value in found:
            raise _Wrong(key, f"the key {key.value!r} stands twice; join the two")
        found[key.value] = value
    return found


def _is_null(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def _show(node: yaml.Node) -> str:
    """The node as it was written, shortened."""
    text = " ".join(
        node.start_mark.buffer[node.start_mark.pointer : node.end_mark.pointer].rstrip("\0").split()
    )
    return f"`{text[:57]}…`" if len(text) > 58 else f"`{text}`" if text else "empty"
