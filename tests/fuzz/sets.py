"""Reference sets: folders that were built, a reviewer's decisions of every kind, and parallel files."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case

_OVERRIDES = b"""# Decisions of a reviewer
pairs:
  - {zh: [L5s1], en: [L4s1], reason: the same}
alone:
  - {zh: [L2s1], reason: a title}
leave_out:
  - {lines: [1, 2], reason: header}
"""
_TERMS = "WTO\t世贸组织\t世界贸易组织\nall countries\t各国\n".encode()
_COMMANDS = [
    ("references", "check", "built"),
    ("references", "check", "built"),
    ("references", "review", "built", "--out", "out/page.html"),
    ("references", "export", "built", "--out", "out", "--form", "tmx"),
    ("references", "export", "built", "--out", "out", "--granularity", "paragraph", "--form", "jsonl"),
    ("references", "build", "--id", "built", "--out", "built"),
]


@st.composite
def _built(draw: st.DrawFn) -> Case:
    valid = {**prepared.built("built"), "built/overrides.yaml": _OVERRIDES, "built/terms.tsv": _TERMS}
    if draw(st.sampled_from([True, False, False])):
        valid = prepared.built("aligned/built")
    command = draw(st.sampled_from(_COMMANDS))
    writes = ("built",) if command[1] == "build" else ("out",) if command[1] != "check" else ()
    return Case(command, draw(mutations.files(valid)), writes)


@st.composite
def _parallel(draw: st.DrawFn) -> Case:
    valid = {**prepared.set_files(), "set.ids": b"a\nb\nc\nd\n"}
    form = draw(st.sampled_from(["txt", "tsv", "jsonl", "tmx"]))
    name = draw(
        st.sampled_from(["set", "set", "set", "set.zh", "./set", "sacrebleu:wmt22/zh-en"]) | mutations.texts
    )
    command = ("references", "export", name.replace("\0", "_"), "--out", "out", "--form", form)
    # the user names these two files, and may have linked them
    return Case(command, draw(mutations.files(valid, links_out=False)), ("out",))


@st.composite
def _decision(draw: st.DrawFn, segments: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """An entry of overrides.yaml and its section. Most name a sentence that exists, and text that it contains."""
    side = draw(st.sampled_from(["zh", "en"]))
    other = "en" if side == "zh" else "zh"
    segment = draw(st.sampled_from(segments))
    names = {key: [name for s in segments for name in s[f"{key}_sentences"]] for key in (side, other)}

    def some(key: str) -> list[str]:
        start = draw(st.integers(0, len(names[key]) - 1))
        found = names[key][start : start + draw(st.integers(1, 3))]
        return found if draw(st.integers(0, 9)) else [f"L{start + 1}s{draw(st.integers(1, 3))}"]

    text = segment[side]
    start = draw(st.integers(0, len(text) - 1))
    piece = text[start : start + draw(st.integers(2, 30))]
    name = draw(st.sampled_from(segment[f"{side}_sentences"])) + draw(
        st.sampled_from(["", "", "", "", "", "", "b", "c"])
    )
    section = draw(st.sampled_from(["pairs", "alone", "split", "correct", "correct", "leave_out"]))
    entry: dict[str, Any] = {"reason": "x"}
    if section == "pairs":
        entry |= {side: some(side), other: some(other)}
    elif section == "alone":
        entry |= {side: some(side)}
    elif section == "split":
        entry |= {side: name, "after": piece}
    elif section == "correct":
        becomes = draw(
            st.sampled_from(["", piece[::-1], piece * 2, "照顧", "law", " ", "。", "1"]) | mutations.texts
        )
        entry |= {side: name, "from": piece, "to": becomes}
    else:
        entry |= {"lines": [draw(st.integers(1, 30))]}
    return section, entry


@st.composite
def _decided(draw: st.DrawFn) -> Case:
    """A source that is whole or damaged, and decisions about the set that was built from the whole one."""
    files = dict(prepared.built(draw(st.sampled_from(["built", "built", "statement"]))))
    segments = [json.loads(line) for line in bytes(files["built/segments.jsonl"]).splitlines()]
    decisions: dict[str, list[dict[str, Any]]] = {}
    for section, entry in draw(st.lists(_decision(segments), min_size=1, max_size=2)):
        decisions.setdefault(section, []).append(entry)
    files["built/overrides.yaml"] = json.dumps(decisions, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if draw(st.sampled_from([True, False, False])):
        source = files["built/source.txt"]
        files["built/source.txt"] = draw(mutations.content("source.txt", bytes(source)))
    return Case(("references", "build", "--id", "built", "--out", "built"), files, ("built",))


def cases() -> st.SearchStrategy[Case]:
    return _built() | _built() | _decided() | _decided() | _parallel()
