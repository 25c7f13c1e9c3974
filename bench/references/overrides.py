"""A reviewer's decisions: `overrides.yaml` in the folder of a set, written by people and by the review page.

    # Applied by `bench references build`. The review page shows the names of the sentences.
    pairs:        # these sentences translate each other, whatever the aligner decides; one group per entry
      - {zh: [L103s2], en: [L89s3, L89s4], reason: the English cuts the sentence in two}
    alone:        # sentences without a counterpart: left out of the set
      - {zh: [L95s2], reason: explains a Chinese short name}      # zh or en or both
    split:        # a sentence is two: cut behind this text
      - {en: L89s3, after: "to the treaty;", reason: two sentences}
    correct:      # a wrong character: in the scored text, not in the source
      - {zh: L12s1, from: 照願, to: 照顧, reason: misread}        # to: "" deletes it
    leave_out:    # complete source lines that do not belong to the document (applied before anything else)
      - {lines: [7, 9], reason: header of another document}       # with `side: zh` if the source is two files

The file is read as a tree of YAML nodes and never turned into objects. So tags do nothing, `<<` is an unknown
key, and aliases cannot multiply. Its size is limited. A key that appears twice is an error, not a lost
decision.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import yaml

from bench.errors import BenchError
from bench.files import read_bytes
from bench.languages import LANGUAGE_NAMES, Language, Side

FILE = "overrides.yaml"
NAME = re.compile(r"L[1-9][0-9]{0,8}s[1-9][0-9]{0,8}[b-z]?")
"""The name of a sentence: the source line on which it begins and its ordinal on this line, both from 1. A letter
follows in the second part of a sentence that a reviewer split, and in each further one."""
_MAX_BYTES = 1 << 20
"""Room for about ten thousand decisions."""
_MAX_TEXT = 500
_CONTROL = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_FORMS = {
    "pairs": "{zh: [L103s2], en: [L89s3, L89s4], reason: …}",
    "alone": "{zh: [L95s2], reason: …}",
    "split": '{zh: L103s2, after: "增长。", reason: …}',
    "correct": "{zh: L12s1, from: 照願, to: 照顧, reason: …}",
    "leave_out": "{lines: [7, 9], reason: …}",
}
_KEYS = {
    "pairs": ("zh", "en", "reason"),
    "alone": ("zh", "en", "reason"),
    "split": ("zh", "en", "after", "reason"),
    "correct": ("zh", "en", "from", "to", "reason"),
    "leave_out": ("lines", "side", "reason"),
}


class Pair(NamedTuple):
    """Sentences that translate each other."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
    reason: str


class Split(NamedTuple):
    """A sentence that is two."""

    language: Language
    sentence: str
    after: str
    """Text of the sentence, as it is scored, behind which it is cut."""
    reason: str


class Correction(NamedTuple):
    """Wrong characters in the scored text of a sentence. The source and the raw text stay as they are.

    `new` is "" if they are only deleted.
    """

    language: Language
    sentence: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overrides:
    """Each sentence and each line is paired, alone or left out at most once, and no list is empty."""

    pairs: tuple[Pair, ...] = ()
    alone: Mapping[tuple[Language, str], str] = field(default_factory=dict)
    """(language, name of a sentence without a counterpart) -> reason."""
    leave_out: Mapping[tuple[Side, int], str] = field(default_factory=dict)
    """(side, source line from 1) -> reason. The side is "both" if the entry names none."""
    splits: tuple[Split, ...] = ()
    corrections: tuple[Correction, ...] = ()


def read(folder: str | Path) -> Overrides:
    """The decisions in overrides.yaml of `folder`. A missing or empty file has none.

    Raises BenchError, with file and line, at the first fault. Only the build checks that the sentences and
    lines exist.
    """
    path = Path(folder) / FILE
    try:
        data = read_bytes(path, _MAX_BYTES, inside=path.parent, advice="make it a readable file or remove it")
    except FileNotFoundError:
        return Overrides()
    try:
        root = _tree(data, path)
        return _overrides(root, two_files=(Path(folder) / "source.zh.txt").is_file())
    except _Fault as fault:
        raise BenchError(f"{path}:{fault.line}: {fault.problem}.") from None


class _Fault(Exception):
    """The problem, with what to do about it, and its line. `read` adds the name of the file."""

    def __init__(self, node: yaml.Node, problem: str) -> None:
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
        raise BenchError(f"{path}:{line}: contains a control character; remove it.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BenchError(
            f"{path}:{mark.line + 1 if mark else 1}: not valid YAML ({error.problem}); correct it."
        ) from None
    except RecursionError:
        raise BenchError(f"{path}: nested too deeply; write entries such as `{_FORMS['pairs']}`.") from None


def _overrides(root: yaml.Node | None, two_files: bool) -> Overrides:
    pairs: list[Pair] = []
    alone: dict[tuple[Language, str], str] = {}
    leave_out: dict[tuple[Side, int], str] = {}
    seen: _Seen = {}
    sections = (
        {} if _is_null(root) else _mapping(root, _KEYS, "use pairs, alone, split, correct and leave_out only")
    )
    for entry in _entries(sections, "pairs"):
        pairs.append(Pair(entry.names("zh", seen), entry.names("en", seen), entry.reason()))
    for entry in _entries(sections, "alone"):
        languages = [language for language in LANGUAGE_NAMES if language in entry.values]
        if not languages:
            raise entry.fault("zh and en are both missing")
        for language in languages:
            keys = ((language, name) for name in entry.names(language, seen))
            alone |= dict.fromkeys(keys, entry.reason())
    for entry in _entries(sections, "leave_out"):
        side = entry.side(two_files)
        leave_out |= dict.fromkeys(((side, line) for line in entry.lines(side, seen)), entry.reason())
    splits = [
        Split(*entry.sentence(), entry.text("after"), entry.reason()) for entry in _entries(sections, "split")
    ]
    corrections = [
        Correction(*entry.sentence(), entry.text("from"), entry.text("to"), entry.reason())
        for entry in _entries(sections, "correct")
    ]
    return Overrides(tuple(pairs), alone, leave_out, tuple(splits), tuple(corrections))


_Seen = dict[tuple[str, str | int], int]
"""(language and kind, name of a sentence or number of a line) -> line of the file that decides on it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One decision as it is written. Each method reads and checks one of its keys."""

    section: str
    node: yaml.Node
    values: Mapping[str, yaml.Node]

    def fault(self, problem: str, node: yaml.Node | None = None) -> _Fault:
        return _Fault(
            node or self.node, f"{problem}; write an entry of {self.section} as `{_FORMS[self.section]}`"
        )

    def names(self, language: Language, seen: _Seen) -> tuple[str, ...]:
        """The sentences of a language. Adds them to `seen`."""
        names = []
        for node in self._list(language):
            if not (isinstance(node, yaml.ScalarNode) and NAME.fullmatch(node.value)):
                raise self.fault(
                    f"{language} contains {_show(node)}, which is not the name of a sentence", node
                )
            self._mark(language, node.value, node, seen)
            names.append(node.value)
        return tuple(names)

    def sentence(self) -> tuple[Language, str]:
        """The language and name of the one sentence that is changed."""
        named: list[Language] = [language for language in LANGUAGE_NAMES if language in self.values]
        if len(named) != 1:
            raise self.fault("name one sentence, in zh or in en")
        node = self.values[named[0]]
        if not (isinstance(node, yaml.ScalarNode) and NAME.fullmatch(node.value)):
            raise self.fault(f"{named[0]} is {_show(node)}, which is not the name of a sentence", node)
        return named[0], node.value

    def text(self, key: str) -> str:
        """A line of text, of at most `_MAX_TEXT` characters. Only `to` may be empty: "" deletes."""
        node = self.values.get(key)
        if node is None:
            raise self.fault(f"{key} is missing")
        text = node.value if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str") else ""
        is_empty = not text.strip() and not (key == "to" and _is_empty_string(node))
        if is_empty or len(text) > _MAX_TEXT or re.search(_CONTROL, text):
            raise self.fault(f"{key} is {_show(node)} and not a line of text in quotation marks", node)
        return text

    def lines(self, side: Side, seen: _Seen) -> tuple[int, ...]:
        """Source lines, from 1. Adds them to `seen`."""
        lines = []
        for node in self._list("lines"):
            is_integer = isinstance(node, yaml.ScalarNode) and node.tag.endswith(":int")
            if not (is_integer and re.fullmatch("[1-9][0-9]{0,8}", node.value)):
                raise self.fault(f"lines contains {_show(node)}, which is not a line number", node)
            line = int(node.value)
            for language in LANGUAGE_NAMES if side == "both" else (side,):
                self._mark(f"{language} line", line, node, seen)
            lines.append(line)
        return tuple(lines)

    def side(self, two_files: bool) -> Side:
        node = self.values.get("side")
        form = "write an entry of leave_out as `{lines: [7, 9], side: zh, reason: …}`"
        if node is None:
            if two_files:
                raise _Fault(self.node, f"the source is two files and the side is missing; {form}")
            return "both"
        if node.value == "zh":
            return "zh"
        if node.value == "en":
            return "en"
        raise _Fault(node, f"side is {_show(node)} and not zh or en; {form}")

    def reason(self) -> str:
        """The reason as one line of text."""
        node = self.values.get("reason")
        if node is None:
            raise self.fault("the reason is missing")
        text = " ".join(node.value.split()) if node.tag.endswith(":str") else ""
        if not text or re.search(_CONTROL, text):
            raise self.fault(f"the reason is {_show(node)} and not a line of text", node)
        return text

    def _list(self, key: str) -> list[yaml.Node]:
        node = self.values.get(key)
        if node is None:
            raise self.fault(f"{key} is missing")
        if not (isinstance(node, yaml.SequenceNode) and node.value):
            raise self.fault(f"{key} is {_show(node)} and not a list with at least one entry", node)
        return list(node.value)

    def _mark(self, kind: str, item: str | int, node: yaml.Node, seen: _Seen) -> None:
        """Add a sentence or line to `seen`. Raises _Fault if it is already there."""
        if (kind, item) in seen:
            raise _Fault(node, f"{kind} {item} is already on line {seen[kind, item]}; keep one of the two")
        seen[kind, item] = node.start_mark.line + 1


def _entries(sections: Mapping[str, yaml.Node], section: str) -> Iterator[_Entry]:
    """The entries of a section. A missing or empty section has none."""
    node = sections.get(section)
    if _is_null(node):
        return
    advice = f"write an entry of {section} as `{_FORMS[section]}`"
    if not isinstance(node, yaml.SequenceNode):
        raise _Fault(
            node, f"{section} is {_show(node)} and not a list; begin each entry with `- ` and {advice}"
        )
    for entry in node.value:
        yield _Entry(section, entry, _mapping(entry, _KEYS[section], advice))


def _mapping(node: yaml.Node | None, keys: Container[str], advice: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _Fault(node, f"this is {_show(node)} and not a mapping; {advice}")
    values: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not (isinstance(key, yaml.ScalarNode) and key.value in keys):
            raise _Fault(key, f"unknown key {_show(key)}; {advice}")
        if key.value in values:
            raise _Fault(key, f"the key {key.value!r} appears twice; join the two")
        values[key.value] = value
    return values


def _is_null(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def _is_empty_string(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str") and not node.value


def _show(node: yaml.Node) -> str:
    """The node as it is written in the file, shortened."""
    text = " ".join(
        node.start_mark.buffer[node.start_mark.pointer : node.end_mark.pointer].rstrip("\0").split()
    )
    return f"`{text[:57]}…`" if len(text) > 58 else f"`{text}`" if text else "empty"
