"""PDF files whose lines run through two columns, or whose fonts do not say what their characters are."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.pdf_columns import PrintedLine, read_columns
from bench.references.reading.read import read

EN = (
    "The Parties shall cooperate in the protection of the river and its tributaries. They shall exchange data on the "
    "quality of the water every month. The Joint Commission meets twice a year in one of the capitals. Its decisions "
    "are taken by consensus and are published in both languages. Each Party bears the costs of its own delegation."
)
ZH = (
    "双方应当合作保护河流及其支流。双方应当每月交换水质数据。联合委员会每年在一方首都举行两次会议。"
    "委员会的决定以协商一致方式作出，并以两种文字公布。各方承担本国代表团的费用。"
)


def write_pdf(path: Path, content: bytes, unreadable_font: bytes = b"<<>>") -> Path:
    """A page with the fonts F1 (Latin), F2 (Chinese, UTF-16) and F3."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R/F2 6 0 R/F3 8 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[7 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>",
        unreadable_font,
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"xref\n0 9\n0000000000 65535 f \n" + table
    data += b"trailer<</Size 9/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % data.index(b"xref")
    path.write_bytes(data)
    return path


def shown(x: int, y: int, text: str) -> bytes:
    if text.isascii():
        return b"BT /F1 10 Tf %d %d Td (%s) Tj ET\n" % (x, y, text.encode())
    return b"BT /F2 10 Tf %d %d Td <%s> Tj ET\n" % (x, y, text.encode("utf-16-be").hex().encode())


def test_lines_through_two_columns_of_both_languages(tmp_path: Path) -> None:
    left, right = textwrap.wrap(EN, 42), [ZH[i : i + 20] for i in range(0, len(ZH), 20)]
    content = shown(
        60, 800, "Agreement on the Protection of the River between the Two Neighbouring Countries"
    )
    for row, y in enumerate(range(770, 500, -16)):
        content += shown(60, y, left[row]) if row < len(left) else b""
        content += shown(320, y, right[row]) if row < len(right) else b""
    source = read([write_pdf(tmp_path / "a.pdf", content)])
    segments = build_segments(source).segments
    assert [s.zh for s in segments] == [f"{part}。" for part in ZH.split("。") if part]
    assert [s.en for s in segments] == [f"{part}." for part in EN.rstrip(".").split(". ")]


def line(y: float, *parts: tuple[float, str]) -> PrintedLine:
    """Parts of text that begin at some x; a character is 5 points wide."""
    text = " ".join(part for _, part in parts)
    xs = [x + 5 * n for x, part in parts for n in range(len(part) + 1)]
    return PrintedLine(text, tuple(xs[: len(text)]), y)


def texts(lines: list[PrintedLine]) -> list[str]:
    return [own.text for run in read_columns(lines, 15) for own in run]


def test_columns_of_one_language_and_a_line_across_them() -> None:
    rows = [
        line(700 - 15 * n, (60, f"left column line {n}"), (320, f"right column line {n}")) for n in range(5)
    ]
    across = line(620, (60, "a heading that goes across both of the columns of the page"))
    more = [
        line(600 - 15 * n, (60, f"left column line {n}"), (320, f"right column line {n}"))
        for n in range(5, 7)
    ]
    assert texts([*rows, across, *more]) == [
        *(f"left column line {n}" for n in range(5)),
        *(f"right column line {n}" for n in range(5)),
        across.text,
        "left column line 5",
        "left column line 6",
        "right column line 5",
        "right column line 6",
    ]


@pytest.mark.parametrize(
    "parts",
    [
        ((60, "(a)"), (120, "an item that is indented far from its number")),
        ((60, "Chapter One General Provisions"), (500, "12")),
        ((60, "one line of running text that goes on without any gap"),),
    ],
    ids=["numbers", "page numbers", "running text"],
)
def test_no_columns(parts: tuple[tuple[float, str], ...]) -> None:
    lines = [line(700 - 15 * n, *parts) for n in range(8)]
    assert read_columns(lines, 15) == [lines]


TYPE_3 = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<<>>/FirstChar 97/LastChar 98"
    b"/Widths[6 6]/Encoding<</Type/Encoding/Differences[97/q1x/q2x]>>/Resources<<>>>>"
)
"""A font with two characters that have no Unicode value."""


@pytest.mark.parametrize(
    ("count", "said"), [(1, ""), (10, "10 of 510 characters (2%) have no Unicode value")]
)
def test_characters_without_unicode_value_are_said(tmp_path: Path, capsys, count: int, said: str) -> None:
    content = b"".join(shown(50, 800 - 15 * n, "x" * 48) for n in range(10))
    content += b"BT /F3 10 Tf 50 600 Td (%s) Tj ET" % (b"ab" * count)[:count]
    assert "xxx" in read([write_pdf(tmp_path / "a.pdf", content, TYPE_3)]).texts["both"]
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_pdf_of_which_a_fifth_is_lost_is_refused(tmp_path: Path) -> None:
    content = shown(50, 700, "x" * 40) + b"BT /F3 10 Tf 50 600 Td (%s) Tj ET" % (b"ab" * 10)
    with pytest.raises(BenchError, match=r"32%\) have no Unicode value in the PDF: run text recognition"):
        read([write_pdf(tmp_path / "a.pdf", content, TYPE_3)])
