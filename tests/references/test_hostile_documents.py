"""Documents from strangers: any character, any size, bombs. Each gives a set that its own check accepts, or one
sentence."""

from __future__ import annotations

import csv
import io
import zipfile
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
