"""Reference sets: folders that were built, and parallel files."""

from __future__ import annotations

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


def cases() -> st.SearchStrategy[Case]:
    return _built() | _built() | _parallel()
