"""The same document gives the same segments, whatever files it comes in and in whatever order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.languages import LANGUAGE_NAMES, Language
from bench.references import load
from bench.references.alignment.pipeline import build_segments
from bench.references.build import build
from bench.references.export import export
from bench.references.reading.read import read
from bench.references.review.check import check
from tests.helpers.sets import (
    BLIND,
    DOCUMENTS,
    REFERENCES,
    STATEMENT,
    WHITE_PAPER,
    built,
    gold,
    half,
    halves,
    sources,
    texts,
    two,
)

ALTERNATING = (
    "agreement-alternating",
    "law-hyphenated",
)  # their paragraphs change the language, not their pages


@pytest.mark.parametrize("document", [name for name in (*DOCUMENTS, *BLIND) if len(sources(name)) == 1])
def test_two_files_give_what_one_gives(document: str) -> None:
    (path,) = sources(document)
    text = path.read_text("utf-8")
    one = build_segments(read([path])).segments
    other = build_segments(
        two(*(half(text, side, document not in ALTERNATING) for side in LANGUAGE_NAMES))
    ).segments
    assert texts(other) == texts(one)
    assert [s.section for s in other] == [s.section for s in one]  # where a paragraph ends, pages tell


@pytest.mark.parametrize("order", [("zh", "en"), ("en", "zh")])
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if len(sources(name)) == 2])
def test_one_language_after_the_other_gives_what_two_files_give(
    tmp_path: Path, document: str, order: tuple[Language, Language]
) -> None:
    source = read(sources(document))
    (tmp_path / "a.txt").write_text("\n\f".join(source.texts[side] for side in order), "utf-8")
    assert texts(build_segments(read([tmp_path / "a.txt"])).segments) == texts(
        build_segments(source).segments
    )


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str) -> None:
    text = STATEMENT.read_text("utf-8")
    (tmp_path / "a.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    one = build([STATEMENT], "statement", tmp_path / "one")
    assert build([tmp_path / "a.txt"], "statement", tmp_path / "two").segments == one.segments
    assert (tmp_path / "two" / "source.txt").read_bytes() == text.encode()


@pytest.mark.parametrize("form", ["docx", "pdf"])
def test_word_and_pdf(tmp_path: Path, form: str) -> None:
    """One document in three forms: the lines of the PDF are cut within sentences and within words."""
    plain = (
        "Joint Statement on Fisheries\n关于渔业的联合声明\n"
        "The two sides held talks in Harbour on 14 March 2019 and reviewed the progress made since the well-known Treaty of 1996.\n"
        "Both reaffirmed their commitment to non-discriminatory rules, to the conservation of stocks and to international law.\n"
        "\f二〇一九年三月十四日，双方在港湾市举行会谈，回顾了一九九六年条约签订以来取得的进展。\n"
        "双方重申遵守非歧视性规则，养护资源，遵守国际法，风雨同舟，长期合作，造福人民。\n"
    )
    found = build([REFERENCES / "inputs" / f"statement.{form}"], "statement", tmp_path)
    assert texts(found.segments) == texts(built(plain).segments)
    assert [s.id for s in found.segments] == [s.id for s in built(plain).segments]
    assert check(tmp_path)["left out"] == 0


@pytest.mark.parametrize("form", ["tsv", "tmx"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_exported_set_is_read_back(tmp_path: Path, document: str, form: str) -> None:
    one = build(sources(document), document, tmp_path / "one")
    (path,) = export(one, tmp_path, form)
    other = build([path], document, tmp_path / "two")
    assert texts(other.segments) == texts(one.segments)
    assert {s.aligned_by for s in other.segments} == {"source"}
    assert {s.alignment for s in other.segments} == {"1-1"}
    assert check(tmp_path / "two")["aligned by source"] == len(one.segments)


# --- languages the wrong way round ------------------------------------------------------------------------------


def test_two_files_in_either_order(tmp_path: Path) -> None:
    zh, en = halves(tmp_path)
    one, other = build([zh, en], "s", tmp_path / "one"), build([en, zh], "s", tmp_path / "other")
    assert one == other
    assert (tmp_path / "other" / "source.zh.txt").read_text("utf-8") == zh.read_text("utf-8")


def test_columns_in_either_order(tmp_path: Path) -> None:
    pairs = gold(WHITE_PAPER / "source.gold.tsv")
    swapped = "".join(f"{en}\t{zh}\n" for zh, en in pairs)
    (tmp_path / "swapped.tsv").write_text(swapped, "utf-8")
    one = build([WHITE_PAPER / "source.gold.tsv"], "s", tmp_path / "one")
    assert build([tmp_path / "swapped.tsv"], "s", tmp_path / "other") == one
    assert texts(one.segments) == texts(load(WHITE_PAPER).segments)


def test_wrong_language_codes(tmp_path: Path) -> None:
    (path,) = export(load(WHITE_PAPER), tmp_path, "tmx")
    text = re.sub(
        r'xml:lang="([\w-]+)"',
        lambda m: f'xml:lang="{"zh" if m[1] == "en" else "en"}"',
        path.read_text("utf-8"),
    )
    (tmp_path / "swapped.tmx").write_text(text, "utf-8")
    found = build([tmp_path / "swapped.tmx"], "s", tmp_path / "out")
    assert texts(found.segments) == texts(load(WHITE_PAPER).segments)
