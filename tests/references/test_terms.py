"""terms.tsv: the terms of the white paper, errors that name their line, and the search for occurrences."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import references
from bench.errors import BenchError
from bench.references.renderings import reader
from bench.references.terms import Term, check_terms, occurrences, read
from tests.helpers.sets import WHITE_PAPER

SEGMENTS = references.load(WHITE_PAPER).segments


def test_the_terms_of_the_white_paper_stand_where_they_are_said_to_stand() -> None:
    counts = check_terms(read(WHITE_PAPER), SEGMENTS)
    assert counts == {"terms": 79, "occurrences": 132, "rendered": 130}


def term(zh: str, en: str) -> Term:
    return Term(tuple(zh.split("|")), tuple(en.split("|")), (), "")


SECURITY = term("安全", "security")
NATIONAL = term("国家安全", "national security")
HOLISTIC = term("总体国家安全观", "holistic approach to national security")
SPREAD, AGAINST = term("扩散", "proliferation"), term("防扩散", "non-proliferation")
UN = term("联合国", "United Nations|UN")
TERMS = [SECURITY, NATIONAL, HOLISTIC, SPREAD, AGAINST, UN]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("坚持总体国家安全观，维护国家安全。", {HOLISTIC: 1, NATIONAL: 1}),
        ("安全！国家安全与安全", {SECURITY: 2, NATIONAL: 1}),
        ("A Holistic Approach to National Security and security", {HOLISTIC: 1, SECURITY: 1}),
        ("non-proliferation", {AGAINST: 1}),
        ("the UN, under-unit and the united\nnations’ unrest", {UN: 2}),
        ("insecurity, securities", {}),
        ("", {}),
    ],
)
def test_the_longest_form_counts(text: str, found: dict[Term, int]) -> None:
    assert occurrences(TERMS, text, "zh" if "安" in text else "en") == found


def test_two_terms_may_share_an_english_form_and_no_terms_are_no_error() -> None:
    one, two = (
        term("法律制度", "legal system|legal and regulatory system"),
        term("管理体系", "legal and regulatory system"),
    )
    assert occurrences([one, two], "its legal and regulatory system", "en") == {one: 1, two: 1}
    assert occurrences([], "anything", "en") == {}
    assert check_terms([], SEGMENTS) == {"terms": 0, "occurrences": 0, "rendered": 0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))
    (copied / "terms.tsv").unlink()
    return copied


def write(folder: Path, *rows: str) -> None:
    (folder / "terms.tsv").write_text(
        "".join(f"{row}\n" for row in ("zh\ten\tsegments\tnote", *rows)), "utf-8"
    )


def test_a_set_without_terms(folder: Path) -> None:
    assert read(folder) == ()


def test_forms_segments_and_notes(folder: Path) -> None:
    write(
        folder,
        "军品\tmilitary products|arms\tpreamble-p1-s1 1.2-p1-s3\ta note",
        "防扩散\tnon-proliferation\t1.4-p1-s1",
    )
    assert read(folder) == (
        Term(("军品",), ("military products", "arms"), ("preamble-p1-s1", "1.2-p1-s3"), "a note"),
        Term(("防扩散",), ("non-proliferation",), ("1.4-p1-s1",), ""),
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("军品", "1 columns"),
        ("军品\t\t1.2-p1-s3\t", "a form in column en is empty"),
        ("军品|\tarms\t1.2-p1-s3\t", "a form in column zh is empty"),
        ("军品\tarms | weapons\t1.2-p1-s3\t", "has a space at an end"),
        ("军品|军品\tarms\t1.2-p1-s3\t", "'军品' is already listed"),
        ("防扩散\tnon-spread\t1.2-p1-s3\t", "'防扩散' is already listed"),
        ("military products\t军品\t1.2-p1-s3\t", "'military products' is not Chinese"),
        ("军品\t军品 products\t1.2-p1-s3\t", "'军品 products' is not English"),
        ("军品\tmilitary products\t1.2-p1-s9\t", "segment '1.2-p1-s9' is not in the set or is listed twice"),
        ("军品\tmilitary products\t1.2-p1-s3 1.2-p1-s3\t", "is listed twice"),
    ],
)
def test_bad_files_are_one_sentence(folder: Path, row: str, message: str) -> None:
    write(folder, "防扩散\tnon-proliferation\t1.4-p1-s1\t", row)
    with pytest.raises(BenchError, match=message) as error:
        read(folder)
    assert str(error.value).startswith(f"{folder / 'terms.tsv'}:3: ")


def test_a_wrong_header(folder: Path) -> None:
    (folder / "terms.tsv").write_text("zh\ten\tids\tnote\n", "utf-8")
    with pytest.raises(BenchError, match=r"terms\.tsv:1: the header"):
        read(folder)


@pytest.mark.parametrize("ids", ["preamble-p1-s1", "preamble-p1-s1 1.2-p1-s3 2-h", ""])
def test_segments_that_are_not_the_right_ones(folder: Path, ids: str) -> None:
    write(folder, f"军品\tmilitary products\t{ids}\t")
    with pytest.raises(
        BenchError,
        match=r"terms\.tsv:2: 军品 .* is in both texts of preamble-p1-s1 1\.2-p1-s3, but the column segments has",
    ):
        check_terms(read(folder), SEGMENTS)


def test_terms_match_in_both_scripts(tmp_path: Path) -> None:
    """A list in Simplified characters serves a set in Traditional ones, and the other way round."""
    simplified, traditional = "国际条约规定出口管制。", "國際條約規定出口管制。"
    for listed in ("国际条约", "國際條約"):
        term = Term((listed,), ("international treaty",), (), "")
        for text in (simplified, traditional):
            assert occurrences([term], text, "zh") == {term: 1}
            assert reader([term], [term], "zh", any_script=True)(text) == {term: (listed,)}
    term = Term(("国际条约",), ("international treaty",), (), "")
    assert reader([term], [term], "zh")(traditional) == {term: ()}  # in a set in Simplified Chinese
