"""Strategies that turn something valid into something wrong, one or two steps away: values, JSON, texts, files."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.case import Content

TEXTS = [
    "", " ", "x", "\0", "\t", "a\nb", "a\r\nb", "\x1b[31mred\x1b]0;title\x07", "\x9b31m", "\u202egnp.exe", "\u2028",
    "\ud800", "a\udc80b", "\ufeff", "é", "e\u0301", "𝒳", "中", "NaN", "null", "true", "0", "-1", "1e999", "zh-en",
    ".", "..", "../../outside/secret.txt", "../outside", "/etc/passwd", "/dev/zero", "/dev/stdin", "a/b", "a\\b",
    "~root", "~nobody-at-all/x", "-rf", "--help", "--into=x", "con", "x:y", "*", "[x]", "[bold]x[/nope]", "__proto__",
    "constructor", "__class__", "</script><script>alert(1)</script>", "<!-- /board -->", "<!-- board zh-en -->",
    "=1+1", "|x|", "`x`", "\\input{x}", "${reference}", "${oc.env:OPENAI_API_KEY}", "${", "{source}", "{", "%s", "{0.x}",
    "x" * 300, "x" * 100_000, "\u0301" * 5_000, "中" * 90, "sacrebleu:wmt22/zh-en", "sacrebleu:x", "set", "copy", "bleu",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 7, 10**9, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**30, 10**400, 0.5, -0.0, 1e-320, 1e308, -1e308,
    float("nan"), float("inf"), float("-inf"),
]  # fmt: skip


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


texts = st.sampled_from(TEXTS) | st.text(max_size=8)
numbers = st.sampled_from(NUMBERS)
values = st.one_of(
    texts,
    numbers,
    st.sampled_from([None, True, False, [], {}, [[]], [None], {"": 0}, {"x": {"y": [1]}}, nested(500)]),
)


def _paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values within `value`, which has at most some thousands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for key, child in items for path in _paths(child, (*prefix, key)))]


@st.composite
def json_values(draw: st.DrawFn, value: Any) -> Any:
    """`value` with one place changed."""
    value = copy.deepcopy(value)
    # a place near the root as often as one of the many in lists
    paths = _paths(value)
    depth = draw(st.sampled_from(sorted({len(path) for path in paths})))
    path = draw(st.sampled_from([path for path in paths if len(path) == depth]))
    if not path:
        return draw(values)
    *parents, key = path
    holder = value
    for step in parents:
        holder = holder[step]
    step = draw(
        st.sampled_from(
            ["replace", "replace", "replace", "remove", "wrap", "rename", "repeat", "add", "text"]
        )
    )
    if step == "replace":
        holder[key] = draw(values)
    elif step == "wrap":
        holder[key] = [holder[key]]
    elif step == "text":
        holder[key] = str(holder[key])
    elif step == "remove":
        del holder[key]
    elif isinstance(holder, list):
        holder.insert(key, draw(values) if step == "add" else copy.deepcopy(holder[key]))
    elif step == "rename":
        holder[draw(texts)] = holder.pop(key)
    else:
        holder[draw(texts)] = draw(values) if step == "add" else copy.deepcopy(holder[key])
    return value


def to_json(value: Any, lines: bool = False) -> bytes:
    """JSON with all that Python's own decoder would read: NaN, halves of surrogate pairs."""
    try:
        return json.dumps(value, indent=None if lines else 1).encode()
    except ValueError:  # a number of more digits than Python converts
        return b"1" * 5_000


_JUNK = [
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\n\n", b"\t", b"\x1b[2J", b"\x85", b'"', b"'", b",", b"{", b"}",
    b"[", b"]", b":", b"- ", b"#", b"&a [*a]", b"!!python/object/apply:os.system [id]", b"%", b"<", b"&x;", b"\\", b"\\u0000",
    b"\\ud800", b"NaN", b"-1", b"1e999", b"9" * 5_000, b"[" * 20_000, b'{"a":' * 20_000, b"a" * 1_000_000, "\u202e".encode(),
    "\u2028".encode(), "中文。".encode(), "中文".encode("gb18030"), "x".encode("utf-16"), b"PK\x03\x04", b"%PDF-1.4",
    b"\x1f\x8b\x08", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
]  # fmt: skip
_RECODE = ["utf-16", "utf-16-le", "utf-32", "gb18030", "big5", "latin-1", "utf-7"]


@st.composite
def bytes_(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with one place changed, whatever it holds."""
    step = draw(
        st.sampled_from(["insert", "insert", "overwrite", "cut", "drop", "line", "flip", "whole", "recode"])
    )
    at = draw(st.integers(0, len(data)))
    end = min(len(data), at + draw(st.sampled_from([1, 2, 8, 100])))
    if step == "insert":
        return data[:at] + draw(st.sampled_from(_JUNK)) + data[at:]
    if step == "overwrite":
        return data[:at] + draw(st.sampled_from(_JUNK)) + data[end:]
    if step == "cut":
        return data[:at]
    if step == "drop":
        return data[:at] + data[end:]
    if step == "flip":
        return data[:at] + bytes(byte ^ (1 << draw(st.integers(0, 7))) for byte in data[at:end]) + data[end:]
    if step == "whole":
        return draw(st.sampled_from([*_JUNK, data * 2]))
    if step == "recode":
        return data.decode("utf-8", "replace").encode(draw(st.sampled_from(_RECODE)), "replace")
    lines = data.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    lines[number : number + 1] = draw(
        st.sampled_from([[], [lines[number]] * 2, [lines[number][::-1]], [b""] * 2])
    )
    return b"\n".join(lines)


@st.composite
def cells(draw: st.DrawFn, data: bytes, separator: str) -> bytes:
    """A table with one cell, row or column changed."""
    rows = [line.split(separator) for line in data.decode().split("\n")]
    row = draw(st.integers(0, len(rows) - 1))
    column = draw(st.integers(0, len(rows[row]) - 1))
    step = draw(st.sampled_from(["replace", "replace", "quote", "remove", "repeat", "column"]))
    if step == "replace":
        rows[row][column] = draw(
            texts | numbers.map(lambda number: repr(number) if number != 10**400 else "1" * 400)
        )
    elif step == "quote":
        rows[row][column] = draw(st.sampled_from(['"', '"{}"', '""{}', '"{}\n{}"', "'{}"])).replace(
            "{}", rows[row][column]
        )
    elif step == "remove":
        del rows[row][column]
    elif step == "repeat":
        rows.insert(row, list(rows[row]))
    else:
        rows = [[*cells[:column], *cells[column + 1 :]] for cells in rows]
    return "\n".join(map(separator.join, rows)).encode("utf-8", "surrogatepass")


def content(name: str, data: bytes) -> st.SearchStrategy[bytes]:
    """A changed content of the file `name`, by its format."""
    anything = bytes_(data)
    if name.endswith(".json"):
        return json_values(json.loads(data)).map(to_json) | anything
    if name.endswith(".jsonl"):
        return (
            json_values([json.loads(line) for line in data.decode().splitlines()]).map(_to_lines) | anything
        )
    if name.endswith((".tsv", ".csv")):
        return cells(data, "\t" if name.endswith(".tsv") else ",") | anything
    if name.endswith((".yaml", ".md", ".zh", ".en", ".txt", ".ids")):
        return words(data) | anything
    return anything


def _to_lines(rows: Any) -> bytes:
    if not isinstance(rows, list):
        return to_json(rows)
    return b"".join(to_json(row, lines=True) + b"\n" for row in rows)


@st.composite
def words(draw: st.DrawFn, data: bytes) -> bytes:
    """A text with one word changed, or one thing added to it."""
    parts = re.split(r"(\w+)", data.decode())
    number = draw(st.integers(0, len(parts) - 1))
    parts[number] = draw(st.sampled_from(["{new}", "{new}", "{old}{new}", "{new}{old}"])).format(
        old=parts[number],
        new=draw(texts | numbers.map(lambda number: "9" * 400 if number == 10**400 else str(number))),
    )
    return "".join(parts).encode("utf-8", "surrogatepass")


SPECIAL: list[Content] = [
    "fifo",
    "folder",
    "-> /dev/zero",
    "-> /dev/stdin",
    "-> missing",
    "-> /etc/passwd",
    "-> .",
    b"",
]
"""In place of a file."""


@st.composite
def files(
    draw: st.DrawFn,
    valid: Mapping[str, Content],
    targets: Callable[[str], bool] = lambda name: True,
    links_out: bool = True,
) -> dict[str, Content]:
    """A folder with one or two of the files for which `targets` is true changed, replaced, renamed or removed.

    Most of the time the hashes that pin a changed file are corrected in the others. `links_out`: whether a
    file may become a link that leads out of the working folder. It must then not be read.
    """
    changed = dict(valid)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        names = [name for name in changed if targets(name)]
        if not names:
            break
        endings = sorted({name.rpartition("/")[2] for name in names})
        ending = draw(st.sampled_from(endings))
        name = draw(st.sampled_from([name for name in names if name.rpartition("/")[2] == ending]))
        old = changed[name]
        step = draw(st.sampled_from(["change"] * 8 + ["special", "remove", "rename", "move"]))
        if step == "change" and isinstance(old, bytes):
            try:
                new = draw(content(name, old))
            except (ValueError, RecursionError):  # the first change left no JSON
                new = draw(bytes_(old))
            changed[name] = new
            if draw(st.sampled_from([True, True, True, False])):
                changed = _repinned(changed, name, old, new)
        elif step == "special":
            out = f"-> {'../' * name.count('/')}../outside/secret.txt"
            changed[name] = draw(st.sampled_from([*SPECIAL, out, out] if links_out else SPECIAL))
        else:
            del changed[name]
            *folders, _ = name.split("/")
            new_name = draw(file_names)
            if step == "rename":
                changed["/".join([*folders, new_name])] = old
            elif step == "move" and folders:
                place = draw(st.integers(0, len(folders) - 1))
                prefix, replaced = "/".join(folders[: place + 1]), "/".join([*folders[:place], new_name])
                changed = {
                    replaced + other[len(prefix) :] if other.startswith(prefix + "/") else other: value
                    for other, value in {**changed, name: old}.items()
                }
    return changed


file_names = texts.map(
    lambda text: (
        text.replace("/", "_").replace("\0", "_").encode("utf-8", "replace").decode()[:80].strip(".") or "_"
    )
)


def _repinned(files: Mapping[str, Content], name: str, old: bytes, new: bytes) -> dict[str, Content]:
    before, after = (hashlib.sha256(data).hexdigest().encode() for data in (old, new))
    return {
        other: value.replace(before, after) if isinstance(value, bytes) and other != name else value
        for other, value in files.items()
    }


def pick(options: Sequence[Sequence[str]]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([tuple(option) for option in options])
