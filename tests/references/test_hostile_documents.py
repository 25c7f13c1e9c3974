"""Documents from strangers: any character, any size, bombs. Each gives a set that its own check accepts, or one
sentence."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import limits
from bench.errors import BenchError
from bench.references.build import build
from bench.references.reading.read import read
from bench.references.review.check import check

_ZH = ("中国支持国际{}合作并且遵守法律。", "{}企业应当遵守法律。{}", "清单每年修订一次。")
_EN = ("China supports{}international cooperation and law.", "{}Companies obey the law.{}", "It is revised.")
CHARACTERS = (
    "\t",
    "\n",
    "\r",
    "\x85",
    "\u2028",
    "\u2029",
    "\v",
    "\f",
    "\x7f",
    "\x80",
    "\xa0",
    "\u3000",
    '"',
    "\ufeff",
)


def _document(kind: str, character: str) -> str:
    """Three aligned units with `character` at the beginning, in the middle and at the end of a text."""

    def filled(text: str) -> str:
        return text.replace("{}", character if kind in ("tsv", "csv") else f"&#{ord(character)};")

    pairs = [(filled(zh), filled(en)) for zh, en in zip(_ZH, _EN, strict=True)]
    if kind == "tmx":
        units = (
            f'<tu><tuv xml:lang="zh"><seg>{zh}</seg></tuv><tuv xml:lang="en"><seg>{en}</seg></tuv></tu>'
            for zh, en in pairs
        )
        return f"<tmx><body>{''.join(units)}</body></tmx>"
    if kind == "xlf":
        units = (f"<trans-unit><source>{zh}</source><target>{en}</target></trans-unit>" for zh, en in pairs)
        languages = 'source-language="zh" target-language="en"'
        return f"<xliff><file {languages}><body>{''.join(units)}</body></file></xliff>"
    table = io.StringIO()
    csv.writer(table, delimiter="\t" if kind == "tsv" else ",").writerows(pairs)
    return table.getvalue()


@pytest.mark.parametrize("kind", ["tmx", "xlf", "tsv", "csv"])
def test_a_set_with_any_white_space_passes_its_own_check(tmp_path: Path, kind: str) -> None:
    for character in CHARACTERS:
        source, out = tmp_path / f"s.{kind}", tmp_path / f"{ord(character)}"
        source.write_bytes(_document(kind, character).encode())
        try:
            build([source], "s", out)
        except BenchError:
            # not an XML character; a control character, or the delimiter itself, in a table
            assert character in ("\v", "\f", "\x7f", "\t"), ascii(character)
            continue
        count = check(out)["segments"]
        assert count == 3 or kind in ("tsv", "csv")  # where a line separator ends a row


def test_a_bomb_in_a_word_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    relation = (
        '<Relationships><Relationship Type="x/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    text = "<w:p><w:r><w:t>" + "a" * 9_000_000 + "</w:t></w:r></w:p>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", relation)
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{word}">{text * 8}</w:document>')
    with pytest.raises(BenchError):
        read([path])


def test_many_lines_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n" * limits.DOCUMENT_LINES + "中 a")
    with pytest.raises(BenchError, match="lines, more than"):
        read([path])


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE tmx [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>',
        '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE tmx SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>',
    ],
)
def test_entities_are_neither_expanded_nor_fetched(tmp_path: Path, declared: str) -> None:
    path = tmp_path / "s.tmx"
    path.write_text(declared + _document("tmx", " ").replace("清单", "&a;"))
    with pytest.raises(BenchError):
        read([path])


def test_deep_xml_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.tmx"
    path.write_text(_document("tmx", " ").replace("清单", "<hi>" * 100_000 + "</hi>" * 100_000))
    with pytest.raises(BenchError):
        read([path])


def _pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Object 1 is the catalog."""
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return data + b"trailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, start)


def _stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<</Length %d /Filter /FlateDecode %s>>\nstream\n%s\nendstream" % (len(packed), more, packed)


_FONT = b"/Resources <</Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>> %s>>"
_CATALOG = b"<</Type /Catalog /Pages 2 0 R>>"
_SHOWN = b"BT /F 9 Tf 9 9 Td (%s) Tj ET "


def _page(content: bytes, objects: bytes = b"") -> list[bytes]:
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R %s>>" % (_FONT % objects)
    return [_CATALOG, b"<</Type /Pages /Count 1 /Kids [3 0 R]>>", page, _stream(content)]


def _form(content: bytes, objects: bytes) -> bytes:
    return _stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 99 99] %s" % (_FONT % objects))


_SELF = b"/XObject <</X 5 0 R>>"
_DOUBLED = [  # each form shows the next one twice: 2**40 texts
    _form(b"/X Do /X Do", b"/XObject <</X %d 0 R>>" % (number + 6)) for number in range(40)
]
PDFS = {
    "a loop of pages": [_CATALOG, b"<</Type /Pages /Count 9 /Kids [2 0 R 2 0 R]>>"],
    "a count that is a lie": [_CATALOG, b"<</Type /Pages /Count 2000000000 /Kids [2 0 R]>>"],
    "a form in itself": [*_page(b"/X Do " + _SHOWN % b"a", _SELF), _form(b"/X Do " * 9, _SELF)],
    "doubled forms": [*_page(b"/X Do", _SELF), *_DOUBLED, _form(_SHOWN % b"a", b"")],
    "a long line": _page(_SHOWN % (b"word " * 4_000_000)),
    "many texts": _page(_SHOWN % b"word" * 500_000),
    "a bomb": _page(b" " * 300_000_000),
}
_READ = """
import resource, sys, time
from pathlib import Path
from bench.errors import BenchError
from bench.references.reading.read import read
try:
    read([Path(sys.argv[1])])
    print("read")
except BenchError as error:
    print(error)
status = Path("/proc/self/status").read_text()  # ru_maxrss of this process begins with its parent's
own = int(status.partition("VmHWM:")[2].split()[0])
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PDFS)
def test_pdfs_with_loops_and_long_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / "s.pdf"
    path.write_bytes(_pdf(PDFS[name]))
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    sentence, memory = done.stdout.splitlines()
    assert "s.pdf" in sentence or sentence == "read"
    assert int(memory) < 1100


def test_a_pdf_with_a_loop_of_tables(tmp_path: Path) -> None:
    path = tmp_path / "s.pdf"
    data = _pdf(_page(_SHOWN % b"word"), b"/Prev 9")
    path.write_bytes(data.replace(b"/Prev 9", b"/Prev %d" % data.rindex(b"xref\n0")))
    assert read([path]).texts == {"both": "word"}
