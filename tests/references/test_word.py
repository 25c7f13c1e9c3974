"""Word files as sources: what is read, in which order, and what is said not to be in the text."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.alignment.pipeline import build_segments
from bench.references.build import build
from bench.references.reading import word
from bench.references.reading.read import read
from bench.references.reading.word_numbers import format_number

INPUTS = Path(__file__).parent / "inputs"

STATEMENT = f"""\
Joint Statement on Fisheries

关于渔业的联合声明

The two sides held talks in Harbour on 14 March 2019 and reviewed the progress made since \
the well-known Treaty of 1996.
Both reaffirmed their commitment to non-discriminatory rules, to the conservation of stocks \
and to international law.
{chr(12)}二〇一九年三月十四日，双方在港湾市举行会谈，回顾了一九九六年条约签订以来取得的进展。
双方重申遵守非歧视性规则，养护资源，遵守国际法，风雨同舟，长期合作，造福人民。"""


def test_docx_of_libreoffice() -> None:
    source = read([INPUTS / "statement.docx"])
    assert source.texts["both"] == STATEMENT
    assert (source.origin[0].format, source.origin[0].encoding) == ("docx", "")


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def both(path: Path) -> str:
    return read([path]).texts["both"]


def refusal(path: Path) -> str:
    with pytest.raises(BenchError) as error:
        read([path])
    return str(error.value)


def docx(path: Path, body: str, namespace: str = W, **parts: str) -> Path:
    """A Word file. `parts`: kind (styles, numbering, footnotes, comments …) -> the content of its root element."""
    relations = "".join(
        f'<Relationship Id="{kind}" Type="{RELATIONS}/{kind}" Target="{kind}.xml"/>' for kind in parts
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<R><Relationship Type="{RELATIONS}/officeDocument" Target="word/document2.xml"/></R>',
        )
        archive.writestr("word/_rels/document2.xml.rels", f"<R>{relations}</R>")
        for kind, content in parts.items():
            archive.writestr(f"word/{kind}.xml", f'<w:{kind} xmlns:w="{namespace}">{content}</w:{kind}>')
        archive.writestr(
            "word/document2.xml",
            f'<w:document xmlns:w="{namespace}" xmlns:mc="mc" xmlns:a="drawing">'
            f"<w:body>{body}</w:body></w:document>",
        )
    return path


def p(*parts: str) -> str:
    """A paragraph; text that is not XML becomes a run."""
    return f"<w:p>{''.join(s if s.startswith('<') else f'<w:r><w:t>{s}</w:t></w:r>' for s in parts)}</w:p>"


BREAK = '<w:r><w:br w:type="page"/></w:r>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Tracked changes: what is accepted when all are.
        (
            p(
                "Kept ",
                "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>",
                "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>",
            ),
            "Kept new",
        ),
        (
            p(
                "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom>",
                "<w:moveTo><w:r><w:t>here</w:t></w:r></w:moveTo>",
            ),
            "here",
        ),
        # Text below the level of a run.
        (
            f"<w:sdt><w:sdtContent>{p('title')}</w:sdtContent></w:sdt>"
            + p("<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>"),
            "title\nlink",
        ),
        (
            p(
                "<w:fldSimple><w:r><w:t>shown</w:t></w:r></w:fldSimple>",
                "<w:r><w:instrText>PAGE</w:instrText></w:r>",
            ),
            "shown",
        ),
        (p("one\u2028two"), "one\ntwo"),
        (
            p(
                "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>non</w:t><w:noBreakHyphen/><w:t>x</w:t></w:r>"
            ),
            "a\tb\nnon-x",
        ),
        (
            p(
                "<w:r><w:ruby><w:rt><w:r><w:t>hàn</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>汉</w:t></w:r></w:rubyBase></w:ruby></w:r>"
            ),
            "汉",
        ),
        # Tables, row by row, nested ones too.
        (
            f"<w:tbl><w:tr><w:tc>{p('甲')}</w:tc><w:tc>{p('A')}</w:tc></w:tr><w:tr><w:tc>{p('乙')}<w:tbl><w:tr><w:tc>{p('丙')}</w:tc></w:tr></w:tbl></w:tc><w:tc>{p('B')}</w:tc></w:tr></w:tbl>",
            "甲\n\nA\n\n乙\n\n丙\n\nB",
        ),
        # Pages, however the break is written.
        (p("one") + p(BREAK, "two") + p("three", BREAK) + p("four"), "one\n\ftwo\nthree\n\ffour"),
        (p("one") + p(BREAK) + p() + p("<w:pPr><w:pageBreakBefore/></w:pPr>", "two"), "one\n\ftwo"),
        (
            p("<w:pPr><w:sectPr/></w:pPr>", "one")
            + p("two")
            + p('<w:pPr><w:sectPr><w:type w:val="continuous"/></w:sectPr></w:pPr>', "three")
            + p("four"),
            "one\n\ftwo\nthree\nfour",
        ),
        # A text box is read once of its two renderings; a drawing has no text of the document.
        (
            p(
                "<w:r><mc:AlternateContent><mc:Choice><w:drawing><a:p>in a drawing</a:p><w:txbxContent>"
                + p("box")
                + "</w:txbxContent></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
                + p("box")
                + "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>",
                "after",
            ),
            "after\n\nbox",
        ),
    ],
)
def test_docx_content(tmp_path: Path, body: str, expected: str) -> None:
    assert both(docx(tmp_path / "a.docx", body)) == expected
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    assert both(docx(tmp_path / "strict.docx", body, strict)) == expected


def lists(*levels: tuple[str, str], extra: str = "", name: str = "1") -> str:
    """An abstract list with these levels (number format, text), and the list 1 that uses it."""
    rows = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for n, (kind, text) in enumerate(levels)
    )
    return (
        f'<w:abstractNum w:abstractNumId="7">{rows}</w:abstractNum>'
        f'<w:num w:numId="{name}"><w:abstractNumId w:val="7"/></w:num>{extra}'
    )


def n(level: int, *parts: str, name: str = "1", style: str = "") -> str:
    """A paragraph of a list."""
    own = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{name}"/></w:numPr>'
    return p(f"<w:pPr>{f'<w:pStyle w:val={chr(34)}{style}{chr(34)}/>' if style else ''}{own}</w:pPr>", *parts)


def test_automatic_numbers_are_written_out(tmp_path: Path) -> None:
    levels = lists(("chineseCounting", "第%1章"), ("decimal", "第%2條"), ("lowerLetter", "(%3)"))
    body = (
        n(0, "總則")
        + n(1, "目的。")
        + n(2, "一")
        + n(2, "二")
        + n(1, "範圍。")
        + n(0, "罰則")
        + n(1, "罰款。")
    )
    text = both(docx(tmp_path / "a.docx", body, numbering=levels))
    assert text.split("\n\n") == [
        "第一章\t總則", "第1條\t目的。", "(a) 一", "(b) 二", "第2條\t範圍。", "第二章\t罰則", "第1條\t罰款。",
    ]  # fmt: skip


def test_numbers_of_styles_legal_numbers_and_restarts(tmp_path: Path) -> None:
    def style(name: str, based_on: str, numbering: str) -> str:
        base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
        return f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{base}<w:pPr>{numbering}</w:pPr></w:style>'

    styles = style("L1", "", '<w:numPr><w:numId w:val="1"/></w:numPr>') + style("Own", "L1", "")
    levels = lists(("upperRoman", "%1."), ("decimal", "%1.%2")).replace(
        '<w:lvl w:ilvl="1">', '<w:lvl w:ilvl="1"><w:isLgl/>'
    )
    levels += (
        '<w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
        "</w:lvlOverride></w:num>"
    )
    body = (
        p('<w:pPr><w:pStyle w:val="L1"/></w:pPr>', "Scope")
        + p('<w:pPr><w:pStyle w:val="Own"/></w:pPr>', "Terms")
        + n(1, "General")
        + n(0, "Plain", name="0", style="L1")
        + n(0, "Again", name="2")
        + n(0, "Next", name="2")
    )
    text = both(docx(tmp_path / "a.docx", body, numbering=levels, styles=styles))
    assert text.split("\n\n") == ["I. Scope", "II. Terms", "2.1\tGeneral", "Plain", "V. Again", "VI. Next"]


def test_a_list_paragraph_without_text_has_a_number_only_if_it_says_what_it_counts(tmp_path: Path) -> None:
    levels = lists(("decimal", "%1."), ("decimal", "Article %2"))
    body = n(0) + n(0, "Two") + n(1) + p("Ships shall be safe.")
    text = both(docx(tmp_path / "a.docx", body, numbering=levels))
    assert text.split() == ["2.", "Two", "Article", "1", "Ships", "shall", "be", "safe."]


@pytest.mark.parametrize(
    ("number", "number_format", "text"),
    [
        (12, "chineseCounting", "十二"),
        (103, "taiwaneseCountingThousand", "一百零三"),
        (110, "chineseCountingThousand", "一百一十"),
        (10, "ideographDigital", "一〇"),
        (3, "decimalEnclosedCircle", "③"),
        (11, "ideographTraditional", "甲"),
        (28, "lowerLetter", "bb"),
        (19, "lowerRoman", "xix"),
        (7, "decimalZero", "07"),
        (7, "unknown", "7"),
    ],
)
def test_number_formats(number: int, number_format: str, text: str) -> None:
    assert format_number(number, number_format) == text


def test_hostile_lists(tmp_path: Path) -> None:
    """Styles in a circle, levels without end and missing lists give text."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{a}"><w:basedOn w:val="{b}"/></w:style>'
        for a, b in ("ab", "ba")
    )
    levels = lists(("decimal", "%1" * 10_000)) + '<w:num w:numId="3"/><w:num/><w:abstractNum/>'
    body = (
        n(0, "one")
        + n(8, "two")
        + n(0, "three", name="3")
        + n(0, "four", name="9")
        + n(99, "five", style="a")
    )
    text = both(docx(tmp_path / "a.docx", body, numbering=levels, styles=styles))
    assert [line.split()[-1] for line in text.split("\n") if line] == ["one", "two", "three", "four", "five"]
    assert len(text) < 200


def test_notes_and_boxes_follow_their_paragraph_and_the_rest_is_named(tmp_path: Path, capsys) -> None:
    note = '<w:footnote w:id="{}" w:type="{}"><w:p><w:r><w:footnoteRef/><w:t xml:space="preserve"> {}</w:t></w:r></w:p></w:footnote>'
    footnotes = note.format(0, "separator", "line") + note.format(2, "normal", "See the Act.")
    endnotes = '<w:endnote w:id="1"><w:p><w:r><w:t>The end.</w:t></w:r></w:p></w:endnote>'
    body = (
        p(
            "Ferries shall be safe.",
            '<w:r><w:footnoteReference w:id="2"/><w:endnoteReference w:id="1"/></w:r>',
        )
        + p(
            "渡轮",
            "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>",
            "<w:r><w:t>应当安全。</w:t></w:r>",
        )
        + p(
            "<w:r><w:pict><w:txbxContent>" + p("Box one.") + p("Box two.") + "</w:txbxContent></w:pict></w:r>"
        )
    )
    path = docx(
        tmp_path / "a.docx", body, footnotes=footnotes, endnotes=endnotes,
        header=p("Head"), comments=p("A remark"),
    )  # fmt: skip
    source = read([path])
    assert [line for line in source.texts["both"].split("\n") if line] == [
        "Ferries shall be safe.", "See the Act.", "渡轮应当安全。", "Box one.", "Box two.", "The end.",
    ]  # fmt: skip
    assert source.not_read == (
        "a.docx: headers and footers (4 characters)",
        "a.docx: comments (8 characters)",
        "a.docx: deleted text (4 characters)",
    )
    assert "not read: headers and footers (4 characters)" in " ".join(capsys.readouterr().err.split())
    build([path], "a", tmp_path / "set")
    assert "not read in a.docx: comments" in (tmp_path / "set" / "report.md").read_text("utf-8")


def test_a_law_with_automatic_numbers_is_aligned_by_them(tmp_path: Path) -> None:
    rows = [("渡轮应当安全。", "Ferries shall be safe."), ("船长负责。", "The master is responsible.")]
    zh = docx(tmp_path / "z.docx", n(0) + n(1, rows[0][0]) + n(1, rows[1][0]), numbering=lists(("decimal", "第%1条"), ("chineseCounting", "（%2）")))  # fmt: skip
    en = docx(tmp_path / "e.docx", n(0) + n(1, rows[0][1]) + n(1, rows[1][1]), numbering=lists(("decimal", "Article %1"), ("decimal", "%2.")))  # fmt: skip
    segments = build_segments(read([zh, en])).segments
    assert [(s.zh_number, s.zh, s.en_number, s.en) for s in segments] == [
        ("第1条（一）", rows[0][0], "Article 1 1.", rows[0][1]),
        ("（二）", rows[1][0], "2.", rows[1][1]),
    ]


def test_docx_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def file(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    good = (INPUTS / "statement.docx").read_bytes()
    damaged = "is not a Word document, is damaged or is locked: save it as .docx again."
    assert refusal(path := file("cut.docx", good[:3000])) == f"{path} {damaged}"
    assert damaged in refusal(
        file("flipped.docx", good.replace(b"word/document.xml", b"word/Document.xml", 1))
    )
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert damaged in refusal(file("a.xlsx", sheet.getvalue()))
    assert "nothing but white space" in refusal(docx(tmp_path / "empty.docx", p() + p()))
    bomb = docx(tmp_path / "bomb.docx", p("a" * 3_000_000))
    assert bomb.stat().st_size < 10_000
    monkeypatch.setattr(word, "MAX_UNPACKED_BYTES", 2_000_000)
    assert refusal(bomb) == f"{bomb} unpacks to more than 2 MB: split the document."


def test_a_part_is_read_once_and_all_parts_count_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = docx(tmp_path / "a.docx", p("甲"), header=p("a" * 1_500_000))
    with zipfile.ZipFile(header) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    relations = contents["word/_rels/document2.xml.rels"]
    relation = relations.removeprefix(b"<R>").removesuffix(b"</R>")
    repeated = contents | {"word/_rels/document2.xml.rels": b"<R>" + relation * 50 + b"</R>"}
    two = contents | {
        "word/_rels/document2.xml.rels": b"<R>"
        + relation
        + relation.replace(b"header.xml", b"b.xml")
        + b"</R>",
        "word/b.xml": contents["word/header.xml"],
    }
    for name, parts in (("repeated", repeated), ("two", two)):
        with zipfile.ZipFile(tmp_path / f"{name}.docx", "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
    monkeypatch.setattr(word, "MAX_UNPACKED_BYTES", 2_000_000)
    assert read([tmp_path / "repeated.docx"]).not_read == (
        "repeated.docx: headers and footers (1,500,000 characters)",
    )
    assert "unpacks to more than 2 MB" in refusal(tmp_path / "two.docx")


def test_text_beside_deleted_text_in_one_run_is_kept(tmp_path: Path) -> None:
    run = "<w:p><w:r><w:t>甲</w:t><w:delText>乙</w:delText><w:t>丙</w:t></w:r></w:p>"
    source = read([docx(tmp_path / "a.docx", run)])
    assert source.texts["both"] == "甲丙"
    assert source.not_read == ("a.docx: deleted text (1 characters)",)
