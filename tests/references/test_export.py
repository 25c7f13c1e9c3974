"""Exported files are complete, valid, reproducible, and read back unchanged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from bench import __version__
from bench.core import ReferenceSet
from bench.errors import BenchError
from bench.references import load
from bench.references.export import FORMS, export
from bench.references.reading.read import read

# The content models and required attributes of TMX 1.4b, for the elements we write.
TMX_14 = etree.DTD(
    io.StringIO("""
<!ELEMENT tmx (header, body)> <!ATTLIST tmx version CDATA #FIXED "1.4">
<!ELEMENT header (note | prop | ude)*>
<!ATTLIST header creationtool CDATA #REQUIRED creationtoolversion CDATA #REQUIRED adminlang CDATA #REQUIRED
  segtype (block | paragraph | sentence | phrase) #REQUIRED o-tmf CDATA #REQUIRED srclang CDATA #REQUIRED
  datatype CDATA #REQUIRED creationdate CDATA #IMPLIED>
<!ELEMENT body (tu*)>
<!ELEMENT tu ((note | prop)*, tuv+)> <!ATTLIST tu tuid CDATA #IMPLIED srclang CDATA #IMPLIED>
<!ELEMENT tuv ((note | prop)*, seg)> <!ATTLIST tuv xml:lang CDATA #REQUIRED>
<!ELEMENT seg (#PCDATA)> <!ELEMENT note (#PCDATA)> <!ELEMENT ude EMPTY>
<!ELEMENT prop (#PCDATA)> <!ATTLIST prop type CDATA #REQUIRED>
""")
)
HARD = [
    ("A&B <公司> ]]>", "A&B <company> ]]> &amp;"),
    ("“引文”是'单'\"双\"", '"Quoted," he said, "throughout."'),
    ('"整个引文"', '"Wholly quoted"'),
    ("第一行\n　第二行\r\n", "one\u2028two\tthree"),
    ("控制\x08符和𠮷\ufffe", "a control\x00 character"),
    ("，逗号", "=1+1, a comma; and a #"),
    ("2021", "2021"),
]


@pytest.fixture(scope="module")
def white_paper() -> ReferenceSet:
    return load("china-export-controls-2021")


@pytest.fixture(scope="module")
def hard(white_paper: ReferenceSet) -> ReferenceSet:
    """A set whose texts break a careless writer."""
    segments = [
        replace(white_paper.segments[0], id=f"hard-{n}", zh=zh, en=en) for n, (zh, en) in enumerate(HARD)
    ]
    return replace(white_paper, id="hard", segments=tuple(segments))


def written(reference: ReferenceSet, out: Path, form: str) -> str:
    (path,) = export(reference, out, form)
    assert path == out / f"{reference.id}.{form}"
    return path.read_text("utf-8")


def read_back(path: Path) -> list[tuple[str, str]]:
    texts = read([path]).texts
    return list(zip(texts["zh"].split("\n"), texts["en"].split("\n"), strict=True))


def pairs(reference: ReferenceSet) -> list[tuple[str, str]]:
    return [(segment.zh, segment.en) for segment in reference.segments]


def test_txt_is_one_line_a_segment(hard: ReferenceSet, tmp_path: Path) -> None:
    paths = export(hard, tmp_path, "txt")
    assert [path.name for path in paths] == ["hard.zh", "hard.en", "hard.ids"]
    zh, en, ids = (path.read_text("utf-8").split("\n") for path in paths)
    assert ids == [f"hard-{n}" for n in range(len(HARD))] + [""]
    assert len(zh) == len(en) == len(ids)
    assert (zh[3], en[3]) == ("第一行 第二行", "one two three")
    for path in paths:
        assert len(path.read_text("utf-8").splitlines()) == len(HARD)  # by Python's idea of lines too


def test_tsv_has_a_header_and_is_read_by_the_csv_module(hard: ReferenceSet, tmp_path: Path) -> None:
    text = written(hard, tmp_path, "tsv")
    assert text.startswith("id\tzh\ten\nhard-0\tA&B <公司> ]]>\t")
    table = list(csv.reader(text.splitlines(), delimiter="\t"))
    assert [len(row) for row in table] == [3] * (len(HARD) + 1)
    assert table[3] == ["hard-2", *HARD[2]]


def test_jsonl_has_the_texts_and_what_they_are(white_paper: ReferenceSet, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in written(white_paper, tmp_path, "jsonl").splitlines()]
    assert len(lines) == len(white_paper.segments)
    keys = ["id", "kind", "section", "paragraph", "zh", "en", "confidence", "aligned_by"]
    for line, segment in zip(lines, white_paper.segments, strict=True):
        assert line == {key: getattr(segment, key) for key in keys}
        assert list(line) == keys


def test_tmx_is_valid_and_says_what_it_is(
    white_paper: ReferenceSet, hard: ReferenceSet, tmp_path: Path
) -> None:
    for reference in (white_paper, hard):
        text = written(reference, tmp_path, "tmx")
        assert text.split("\n")[1] == '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'
        root = etree.fromstring(text.encode())
        assert TMX_14.validate(root), TMX_14.error_log
    header = root.find("header")
    assert header.get("creationtool") == "bitext-bench"
    assert header.get("creationtoolversion") == __version__
    assert header.find("prop[@type='x-title']").text == white_paper.title
    first = root.find("body/tu")
    assert first.get("tuid") == "hard-0"
    assert first.find("prop[@type='x-kind']").text == white_paper.segments[0].kind
    assert first.find("prop[@type='x-section']").text == white_paper.segments[0].section


@pytest.mark.parametrize(
    ("original", "srclang", "order"),
    [
        ("zh", "zh-Hans-CN", ["zh-Hans-CN", "en"]),
        ("en", "en", ["en", "zh-Hans-CN"]),
        ("mixed", "*all*", ["zh-Hans-CN", "en"]),
    ],
)
def test_tmx_puts_the_original_first(
    white_paper: ReferenceSet, tmp_path: Path, original: str, srclang: str, order: Sequence[str]
) -> None:
    text = written(replace(white_paper, original_language=original), tmp_path, "tmx")
    root = etree.fromstring(text.encode())
    assert root.find("header").get("srclang") == srclang
    for unit in root.iter("tu"):
        assert [
            variant.get("{http://www.w3.org/XML/1998/namespace}lang") for variant in unit.iter("tuv")
        ] == order


def test_tmx_says_which_variety_of_chinese_it_is(white_paper: ReferenceSet, tmp_path: Path) -> None:
    traditional = [replace(segment, zh="本會設委員九人，由市長聘任。") for segment in white_paper.segments]
    text = written(replace(white_paper, segments=tuple(traditional), variety=""), tmp_path, "tmx")
    assert 'xml:lang="zh-Hant"' in text
    assert 'xml:lang="zh-Hans"' not in text
    assert read_back(tmp_path / f"{white_paper.id}.tmx")[0][0] == "本會設委員九人，由市長聘任。"


@pytest.mark.parametrize("form", ["tsv", "tmx"])
def test_our_own_files_are_read_back(
    white_paper: ReferenceSet, hard: ReferenceSet, tmp_path: Path, form: str
) -> None:
    for reference in (white_paper, replace(white_paper, original_language="en")):
        written(reference, tmp_path, form)
        assert read_back(tmp_path / f"{reference.id}.{form}") == pairs(white_paper)
    written(hard, tmp_path, form)
    expected = [*HARD]
    expected[3] = ("第一行 第二行", "one two three")
    expected[4] = ("控制符和𠮷", "a control character")
    assert read_back(tmp_path / f"hard.{form}") == expected


@pytest.mark.parametrize("form", FORMS)
def test_equal_sets_give_equal_bytes_and_nothing_else(
    white_paper: ReferenceSet, tmp_path: Path, form: str
) -> None:
    one, two = (export(white_paper, tmp_path / name, form) for name in ("1", "2"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert sorted((tmp_path / "1").iterdir()) == sorted(one)


def test_an_unknown_form(white_paper: ReferenceSet, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"^Unknown form 'xml': use one of txt, tsv, jsonl, tmx, xliff\.$"):
        export(white_paper, tmp_path, "xml")
    assert not list(tmp_path.iterdir())
