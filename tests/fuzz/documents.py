"""Documents for `bench references build`: text, Word, PDF, TMX, XLIFF, tables."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case
from tests.helpers.outside import PAIRS

_TMX = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header creationtool="x" creationtoolversion="1" '
    'segtype="sentence" o-tmf="x" adminlang="en" srclang="zh" datatype="plaintext"/><body>'
    + "".join(
        f'<tu tuid="{n}"><tuv xml:lang="zh"><seg>{zh}</seg></tuv><tuv xml:lang="en"><seg>{en}</seg></tuv></tu>'
        for n, (zh, en) in enumerate(PAIRS)
    )
    + "</body></tmx>"
)
_XLIFF = (
    '<?xml version="1.0"?><xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file original="x" '
    'source-language="zh" target-language="en" datatype="plaintext"><body>'
    + "".join(
        f'<trans-unit id="{n}"><source>{zh}</source><target>{en}</target></trans-unit>'
        for n, (zh, en) in enumerate(PAIRS)
    )
    + "</body></file></xliff>"
)
_XML_JUNK = [
    "<!--x-->", "<![CDATA[x]]>", "&#0;", "&#x1b;", "&#x202e;", "&lt;", "&x;", "<x/>", "<x>", "</body>", "\t", "\n", "\r",
    '<bpt i="1">x</bpt>', '<ph x="1"/>', "<?x y?>", "&#10;", "&#9;", "&#13;", "<seg>", '<tuv xml:lang="fr"><seg>x</seg></tuv>',
    "<g id='1'>" * 300, "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]>", 'xml:lang="zz"', "\ud800", "\ufffe",
]  # fmt: skip


@cache
def _documents() -> dict[str, bytes]:
    tables = {mark: "\n".join(f"{zh}{mark}{en}" for zh, en in PAIRS).encode() for mark in "\t,"}
    return {
        "a.txt": prepared.DOCUMENT.encode(),
        "a.docx": (prepared.INPUTS / "statement.docx").read_bytes(),
        "a.pdf": (prepared.INPUTS / "statement.pdf").read_bytes(),
        "a.tmx": _TMX.encode(),
        "a.xlf": _XLIFF.encode(),
        "a.tsv": tables["\t"],
        "a.csv": tables[","],
    }


@st.composite
def _xml(draw: st.DrawFn, data: bytes) -> bytes:
    """Something inserted between two tags, or in place of one."""
    text = data.decode()
    marks = [place for place, character in enumerate(text) if character in "<>"]
    start = draw(st.sampled_from(marks))
    end = draw(st.sampled_from([start, start, start + 1, text.find(">", start) + 1]))
    junk = draw(st.sampled_from(_XML_JUNK) | mutations.texts)
    return (text[:start] + junk + text[max(end, start) :]).encode("utf-8", "surrogatepass")


@st.composite
def _word(draw: st.DrawFn, data: bytes) -> bytes:
    """A part of a Word file changed, and packed again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(["word/document.xml", "word/document.xml", *parts]))
    step = draw(st.sampled_from(["change", "change", "remove", "rename", "bomb"]))
    if step == "change":
        parts[name] = draw(_xml(parts[name]) | mutations.bytes_(parts[name]))
    elif step == "bomb":
        parts[name] = parts[name][:-20] + b" " * draw(st.sampled_from([10**6, 3 * 10**8])) + parts[name][-20:]
    else:
        content = parts.pop(name)
        if step == "rename":
            parts[draw(mutations.file_names)] = content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return packed.getvalue()


@st.composite
def _case(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(_documents())))
    data = _documents()[name]
    if name.endswith((".tmx", ".xlf")):
        changed = draw(_xml(data) | _xml(data) | mutations.bytes_(data))
    elif name.endswith(".docx"):
        changed = draw(_word(data) | mutations.bytes_(data))
    else:
        changed = draw(mutations.content(name, data))
    files = {name: draw(st.sampled_from([changed] * 30 + mutations.SPECIAL))}
    if name.endswith(".txt") and draw(st.booleans()):
        encoding = draw(st.sampled_from(["utf-8-sig", "utf-16", "gb18030", "utf-16-be", "big5", "latin-1"]))
        if isinstance(changed, bytes):
            files[name] = changed.decode("utf-8", "replace").encode(encoding, "replace")
    if draw(st.sampled_from([True] + [False] * 5)):
        files[other := f"b.{name[2:]}"] = draw(mutations.content(name, data))
        return Case(("references", "build", name, other, "--id", "new", "--out", "new"), files, ("new",))
    id = draw(st.sampled_from(["new"] * 9) | mutations.texts).replace("\0", "_")
    return Case(("references", "build", name, "--id", id, "--out", "new"), files, ("new",))


def cases() -> st.SearchStrategy[Case]:
    return _case()
