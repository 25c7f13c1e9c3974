"""Every supported file becomes the same shape of text; any other file gives one sentence that says what to
do."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import progress
from bench.errors import BenchError
from bench.references.reading.pairs import one_line
from bench.references.reading.read import SourceText, read
from bench.resources import data_dir

INPUTS = Path(__file__).parent / "inputs"
WHITE_PAPER = data_dir("references") / "china-export-controls-2021" / "source.txt"

# The Universal Declaration of Human Rights, article 1.
ZH = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"
EN = (
    "All human beings are born free and equal in dignity and rights. "
    "They are endowed with reason and conscience."
)
TRADITIONAL = "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。"
OTHERS = {
    "shift_jis": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "euc_jp": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "euc_kr": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "latin-1": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "cp1251": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
}


@pytest.fixture
def file(tmp_path: Path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def both(path: Path) -> str:
    source = read([path])
    assert not source.aligned
    return source.texts["both"]


def test_spaces_of_no_width_are_dropped(file) -> None:
    assert both(file("a.txt", "附表 1\ufeff\ufeff\n\u200bSchedule 1\n")) == "附表 1\nSchedule 1\n"


def rows(source: SourceText) -> list[tuple[str, str]]:
    assert source.aligned
    return list(zip(source.texts["zh"].split("\n"), source.texts["en"].split("\n"), strict=True))


def refusal(*paths: Path) -> str:
    """The error message, which is one sentence."""
    with pytest.raises(BenchError) as error:
        read(paths)
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


# --- plain text ---


@pytest.mark.parametrize("name", ["a.txt", "a", "a.text"])
def test_text_under_any_name(file, name: str) -> None:
    content = f"{EN}\n{ZH}\n"
    source = read([file(name, content)])
    assert source.texts == {"both": content}
    assert source.origin[0].name == name
    assert source.origin[0].sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert (source.origin[0].format, source.origin[0].encoding) == ("text", "utf-8")


def test_line_ends_and_the_byte_order_mark_are_normalised_and_form_feeds_stay(file) -> None:
    path = file("a.txt", "\ufeffone\r\ntwo\rthree\u2028four\u2029five\x85six\vseven\n\feight\n")
    assert both(path) == "one\ntwo\nthree\nfour\nfive\nsix\nseven\n\feight\n"
    assert read([path]).origin[0].encoding == "utf-8-sig"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_encodings_of_chinese_text(file, encoding: str) -> None:
    text = WHITE_PAPER.read_text("utf-8")
    source = read([file("a.txt", text.encode(encoding))])
    assert source.texts["both"] == text
    assert source.origin[0].encoding == encoding


@pytest.mark.parametrize("text", [ZH, f"{EN}\n{ZH}", TRADITIONAL, "“Yes,” he message — “we will.”"])
def test_short_text_in_gb18030(file, text: str) -> None:
    assert both(file("a.txt", text.encode("gb18030"))) == text


@pytest.mark.parametrize("encoding", OTHERS)
def test_other_encodings_are_refused(file, encoding: str) -> None:
    path = file("a.txt", f"{EN}\n{OTHERS[encoding]}\n".encode(encoding))
    assert (
        refusal(path) == f"{path}:2: neither UTF-8 nor Chinese in GB18030 or Big5; convert the file to UTF-8."
    )


def test_random_bytes_are_refused(file) -> None:
    for seed in range(20):
        data = bytes(byte or 1 for byte in random.Random(seed).randbytes(2000))
        assert "convert the file to UTF-8" in refusal(file("a.txt", data))


def test_a_damaged_utf8_file_names_the_line(file) -> None:
    path = file("a.txt", f"{EN}\n{ZH}\n".encode() + b"\xe4\xb8\n" + ZH.encode())
    assert refusal(path).startswith(f"{path}:3: ")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\t\n\f\n", "nothing but white space"),
        ("a.txt", b"text\0text", "is not a text file (or is UTF-16 without a byte-order mark)"),
        ("a.txt", ZH.encode("utf-16-le"), "is not a text file (or is UTF-16 without a byte-order mark)"),
        ("a.txt", b"\xff\xfe\x00\xd8\x00", "is damaged UTF-16"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Office file; save it as .docx"),
        ("a.rtf", rb"{\rtf1 text}", "rich text; save it as .docx"),
        ("a.xml", b"<?xml version='1.0'?><tmx/>", "XML; name it .tmx or .xliff"),
        ("a.pdf", b"text", "is not a PDF file despite its name"),
        ("a.docx", b"text", "is not a DOCX file despite its name"),
    ],
)
def test_unsupported_files(file, name: str, content: bytes, expected: str) -> None:
    assert expected in refusal(file(name, content))


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing") == f"{tmp_path / 'nothing'} does not exist: check its name."
    assert refusal(tmp_path) == f"{tmp_path} is a folder: pass a document that can be read."


def test_two_texts_in_either_order(file) -> None:
    zh, en = file("1.txt", ZH.encode("gb18030")), file("2.txt", EN)
    for paths in ([zh, en], [en, zh]):
        source = read(paths)
        assert source.texts == {"zh": ZH, "en": EN}
        assert not source.aligned
        assert [origin.name for origin in source.origin] == [path.name for path in paths]
    assert refusal(zh, zh).endswith("are both mostly Chinese: pass one Chinese and one English text.")
    assert "both mostly English" in refusal(en, en)
    assert "3 files were given" in refusal(en, zh, en)
    table = file("a.tsv", f"{ZH}\t{EN}\n")
    assert refusal(en, table) == f"{table} has both languages and is already aligned: pass it alone."
    with pytest.raises(BenchError, match="0 files"):
        read([])


def test_a_bilingual_file_next_to_another_gives_a_warning(file, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = file("mixed.txt", f"{ZH}\n{EN}\n{ZH}\n")
    assert read([mixed, file("en.txt", EN)]).texts["en"] == EN
    message = " ".join(capsys.readouterr().err.split())
    assert message == f"{mixed} has much text in both languages and is read as Chinese only."


def test_fifty_megabytes_take_seconds_and_a_few_copies(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(f"{EN}\r\n{ZH}\r\n".encode() * 210_000)
    assert path.stat().st_size > 50e6
    script = (
        "import resource, sys; from pathlib import Path; from bench.references.reading.read import read;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3;"
        "before = peak(); read([Path(sys.argv[1])]); print(peak() - before)"
    )
    start = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - start < 30
    assert float(process.stdout) < 400  # MB; the text alone is two bytes a character


# --- TMX and XLIFF ---


def tmx(*units: str, doctype: str = "") -> str:
    return f'<?xml version="1.0"?>{doctype}<tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


def unit(**sides: str) -> str:
    inside = (
        f'<tuv xml:lang="{code.replace("_", "-")}"><seg>{text}</seg></tuv>' for code, text in sides.items()
    )
    return f"<tu>{''.join(inside)}</tu>"


def test_tmx_keeps_text_in_and_around_tags_and_drops_their_codes(file) -> None:
    marked = (
        '<bpt i="1">&lt;b&gt;</bpt>Article<ept i="1">&lt;/b&gt;</ept> <hi>1</hi><ph x="2">{tab}</ph> applies'
    )
    path = file(
        "a.tmx",
        tmx(
            "<!-- a comment -->",
            unit(zh_CN=f"  {ZH}\n   其二 ", EN_us="one\r\ntwo", de="eins"),
            unit(zh="第<!-- x -->一条", en=marked),
            unit(zh="", en="Nothing in Chinese"),
            unit(en="Nothing in Chinese, again"),
            unit(de="nur", fr="rien"),
            unit(ZH_hans="甲", zh_TW="乙", en_GB="A &amp; B"),
            doctype='<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        ),
    )
    source = read([path])
    assert rows(source) == [
        (f"{ZH} 其二", "one two"),
        ("第一条", "Article 1 applies"),
        ("", "Nothing in Chinese"),
        ("", "Nothing in Chinese, again"),
        ("甲", "A & B"),
    ]
    assert (source.origin[0].format, source.origin[0].encoding) == ("tmx", "utf-8")


def test_tmx_in_another_encoding_and_with_the_old_attribute(file) -> None:
    text = tmx(f'<tu><tuv lang="ZH"><seg>{ZH}</seg></tuv><tuv lang="EN"><seg>{EN}</seg></tuv></tu>')
    data = text.replace('"1.0"', '"1.0" encoding="GB2312"').encode("gb2312")
    source = read([file("a.tmx", data)])
    assert rows(source) == [(ZH, EN)]
    assert source.origin[0].encoding == "gb2312"
    assert rows(read([file("b.tmx", text.encode("utf-16"))])) == [(ZH, EN)]


def test_swapped_languages_are_corrected_with_a_warning(file, capsys: pytest.CaptureFixture[str]) -> None:
    path = file("a.tmx", tmx(unit(zh=EN, en=ZH), unit(zh="2021", en="2021")))
    assert rows(read([path])) == [(ZH, EN), ("2021", "2021")]
    message = " ".join(capsys.readouterr().err.split())
    assert message == f"{path}: the language codes are the wrong way round; swapped them."


XLIFF_12 = f"""<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
 <file source-language="zh-CN" target-language="en-US" original="a" datatype="plaintext"><body><group>
  <trans-unit id="1"><source>{ZH}</source><target>{EN}</target>
   <alt-trans><source>别的</source><target>Another match</target></alt-trans></trans-unit>
  <trans-unit id="2"><source><g id="1">第一条</g><x id="2"/>适用<bpt id="3">{{b}}</bpt>。</source>
   <target>Article <g id="1">1</g><x id="2" ctype="lb"/>applies<bpt id="3">{{b}}</bpt>.</target></trans-unit>
  <trans-unit id="3"><source>未译</source></trans-unit>
  <trans-unit id="4"><source>甲。乙。</source>
   <seg-source><mrk mtype="seg" mid="0">甲。</mrk><mrk mtype="seg" mid="1">乙。</mrk></seg-source>
   <target><mrk mtype="seg" mid="1">B.</mrk><mrk mtype="seg" mid="0">A.</mrk></target></trans-unit>
 </group></body></file></xliff>"""

XLIFF_20 = f"""<?xml version="1.0" encoding="UTF-8"?>
<xliff version="2.0" srcLang="en" trgLang="zh" xmlns="urn:oasis:names:tc:xliff:document:2.0"
 xmlns:mtc="urn:oasis:names:tc:xliff:matches:2.0"><file id="f">
 <unit id="1"><mtc:matches><mtc:match ref="#1"><source>Another</source><target>别的</target>
  </mtc:match></mtc:matches>
  <segment><source>{EN}</source><target>{ZH}</target></segment>
  <ignorable><source> </source></ignorable>
  <segment><source>Article <pc id="1">1</pc><ph id="2"/> <mrk id="m">applies</mrk></source>
   <target>第一条适用</target></segment>
  <segment><source>Untranslated</source></segment></unit></file></xliff>"""


def test_xliff_1_and_2(file) -> None:
    source = read([file("a.xlf", XLIFF_12)])
    assert rows(source) == [
        (ZH, EN),
        ("第一条适用。", "Article 1 applies."),
        ("未译", ""),
        ("甲。", "A."),
        ("乙。", "B."),
    ]
    assert source.origin[0].format == "xliff"
    assert rows(read([file("a.sdlxliff", XLIFF_12)])) == rows(source)
    assert rows(read([file("a.xlf", XLIFF_12.replace(' target-language="en-US"', ""))])) == rows(source)
    assert rows(read([file("b.xliff", XLIFF_20)])) == [
        (ZH, EN),
        ("第一条适用", "Article 1 applies"),
        ("", "Untranslated"),
    ]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (tmx(unit(zh=ZH, en=EN))[:-20], "is not well-formed XML"),
        ("no XML", "is not well-formed XML"),
        (tmx(), "has no translation units"),
        (tmx(unit(de="eins", fr="un")), "is in de, fr: pass a file with Chinese and English (zh, en) in it"),
        (tmx(unit(zh=ZH)), "has no English text"),
        (tmx(unit(zh=f"{ZH}WTO")), "has no English text"),
        (tmx(unit(zh=ZH, en=ZH)), "has no English text"),
        (tmx(unit(zh=ZH, en=f"{ZH}WTO")), "has Chinese on both sides"),
        (
            tmx(unit(zh=ZH, en="&l9;"), doctype=f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{LAUGHS}]>'),
            "is not well-formed XML (Maximum entity amplification",
        ),
        (tmx(unit(zh=ZH, en="&l0;"), doctype='<!DOCTYPE tmx [<!ENTITY l0 "ha">]>'), "declares XML entities"),
        (tmx(unit(zh=ZH, en="&x;"), doctype='<!DOCTYPE tmx [<!ENTITY x SYSTEM "SECRET">]>'), "entities"),
        (
            tmx(unit(zh=ZH, en="a"), doctype='<!DOCTYPE tmx [<!ENTITY % x SYSTEM "SECRET"> %x;]>'),
            "entities",
        ),
    ],
)
def test_xml_that_is_refused(file, content: str, expected: str) -> None:
    secret = file("secret.txt", "the secret")
    message = refusal(file("a.tmx", content.replace("SECRET", secret.as_uri())))
    assert expected in message
    assert "the secret" not in message


def test_nested_entities_in_an_attribute_are_not_expanded(file) -> None:
    doctype = f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{LAUGHS}]>'
    start = time.monotonic()
    refusal(file("a.tmx", tmx(f'<tu tuid="&l9;">{unit(zh=ZH, en=EN)}</tu>', doctype=doctype)))
    assert time.monotonic() - start < 5


def test_a_dtd_is_not_fetched(file) -> None:
    dtd = file("evil.dtd", f'<!ENTITY nbsp "the secret"><!ATTLIST tuv xml:lang CDATA "{"x" * 100}">')
    doctype = f'<!DOCTYPE tmx SYSTEM "{dtd.as_uri()}">'
    source = read([file("a.tmx", tmx(unit(zh=ZH, en="A&nbsp;word"), doctype=doctype))])
    assert rows(source) == [(ZH, "A\xa0word")]


# --- TSV and CSV ---


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", f"{ZH}\t{EN}\n", [(ZH, EN)]),
        ("a.tsv", f"{EN}\t{ZH}", [(ZH, EN)]),
        (
            "a.tsv",
            f"id\tzh\ten\n1.2-p3s1\t{ZH}\t{EN}\n1.2-p3s2\t\tOnly English\n",
            [(ZH, EN), ("", "Only English")],
        ),
        (
            "a.csv",
            f'中文,英文,link\n{ZH},"{EN}, too",https://example.org/{"a" * 200}\n',
            [(ZH, f"{EN}, too")],
        ),
        (
            "a.csv",
            f'Chinese,English\r\n"{ZH}\r\n其二","say ""yes""\nor no"\r\n',
            [(f"{ZH} 其二", 'say "yes" or no')],
        ),
        (
            "a.csv",
            f"新冠,COVID\nCOVID-19,COVID-19\n{ZH},{EN}\n",
            [("新冠", "COVID"), ("COVID-19",) * 2, (ZH, EN)],
        ),
        (
            "a.tsv",
            f'{ZH}\t"Yes," he message.\n“是的”\t"No.\n',
            [(ZH, '"Yes," he message.'), ("“是的”", '"No.')],
        ),
        ("a.tsv", f'"甲\tA\n乙"\tB\n{ZH}\t{EN}\n', [('"甲', "A"), ('乙"', "B"), (ZH, EN)]),
        ("a.tsv", f'"甲 ""乙"""\t"A ""B"""\n{ZH}\t{EN}\n', [('甲 "乙"', 'A "B"'), (ZH, EN)]),
        ("a.csv", f"3.5％,3.5 percent\n{ZH},{EN}\n", [("3.5％", "3.5 percent"), (ZH, EN)]),
        ("a.csv", f"WTO,WTO\n{ZH},{EN}\n", [("WTO", "WTO"), (ZH, EN)]),
        ("a.csv", "apple,1,苹果\npear,2,梨\n", [("苹果", "apple"), ("梨", "pear")]),
    ],
)
def test_tables(file, name: str, content: str, expected: list[tuple[str, str]]) -> None:
    source = read([file(name, content)])
    assert rows(source) == expected
    assert source.origin[0].format == name[2:]


def test_tables_in_the_encodings_of_excel(file) -> None:
    assert rows(read([file("a.csv", f"{ZH},{EN}\r\n".encode("gb18030"))])) == [(ZH, EN)]
    source = read([file("a.tsv", f"{ZH}\t{EN}\r\n".encode("utf-16"))])
    assert rows(source) == [(ZH, EN)]
    assert source.origin[0].encoding == "utf-16"


def test_an_unusual_header_is_reported(
    file, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_quiet", False)  # whatever ran before
    path = file("a.tsv", f"zh\ten\n{ZH}\t{EN}\n")
    assert rows(read([path])) == [(ZH, EN)]
    assert "the first row (zh, en) is taken as the header" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", f"{ZH}\n{EN}\n", "does not have two columns separated by tabs"),
        ("a.csv", ZH, "does not have two columns separated by commas"),
        (
            "a.csv",
            f'{ZH},{EN}\n"{ZH},{EN}\n',
            "a.csv:2: not CSV (unexpected end of data); fix the quotation marks.",
        ),
        ("a.tsv", "1\tone\n2\ttwo\n", "has no Chinese text"),
        ("a.tsv", f"{ZH}\t\n", "has no English text"),
        ("a.tsv", "2021\t2022\n", "has no Chinese text"),
        ("a.tsv", f"{ZH}\t{ZH}WTO\n", "has Chinese on both sides"),
        ("a.tsv", "\n\n", "does not have two columns"),
    ],
)
def test_tables_that_are_refused(file, name: str, content: str, expected: str) -> None:
    assert expected in refusal(file(name, content))


def test_one_line_is_linear() -> None:
    start = time.monotonic()
    assert one_line("a" + " " * 1_000_000 + "b\n" + "\n " * 500_000).startswith("a ")
    assert time.monotonic() - start < 5


# --- PDF ---


def test_pdf_keeps_lines_indents_hyphens_and_pages() -> None:
    source = read([INPUTS / "statement.pdf"])
    assert source.origin[0].format == "pdf"
    assert source.texts["both"] == (
        "  Joint Statement on Fisheries\n\n  关于渔业的联合声明\n\n"
        "  The two sides held talks in Harbour on 14 March 2019\n"
        "and reviewed the progress made since the well-\n"
        "known Treaty of 1996.\n"
        "  Both reaffirmed their commitment to non-\n"
        "discriminatory rules, to the conservation of stocks and to\n"
        "international law.\n"
        "\f  二〇一九年三月十四日，双方在港湾市举行会谈，回顾\n"
        "了一九九六年条约签订以来取得的进展。\n"
        "  双方重申遵守非歧视性规则，养护资源，遵守国际法，\n"
        "风雨同舟，长期合作，造福人民。"
    )


def scan(path: Path, with_text: bool) -> Path:
    """A PDF with one page that is an image, after the pages of the statement if `with_text`."""
    import pypdfium2 as pdfium

    document = pdfium.PdfDocument(INPUTS / "statement.pdf") if with_text else pdfium.PdfDocument.new()
    page = document.new_page(400, 600)
    picture = pdfium.PdfImage.new(document)
    picture.set_bitmap(pdfium.PdfBitmap.new_native(8, 8, pdfium.raw.FPDFBitmap_BGR))
    picture.set_matrix(pdfium.PdfMatrix().scale(400, 600))
    page.insert_obj(picture)
    page.gen_content()
    document.save(path)
    return path


def test_pages_without_text_give_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no text layer, only page images: run text recognition (OCR)" in refusal(
        scan(tmp_path / "scan.pdf", with_text=False)
    )
    assert "风雨同舟" in both(scan(tmp_path / "mixed.pdf", with_text=True))
    message = " ".join(capsys.readouterr().err.split())
    assert "1 of 3 pages are images without text." in message


def test_pdf_that_is_refused(file, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file("cut.pdf", b"%PDF-1.7\nnothing more")
    assert "cannot be opened" in refusal(path)
    monkeypatch.setitem(sys.modules, "pypdfium2", None)  # as if the extra were not installed
    assert refusal(path) == f'{path} is a PDF: to read it, run `pip install "bitext-bench[documents]"`.'


def test_control_characters_are_dropped_and_counted(file, capsys: pytest.CaptureFixture[str]) -> None:
    assert read([file("a.txt", "one\x1f 一\x08".encode())]).texts == {"both": "one 一"}
    assert "dropped 2 control characters" in capsys.readouterr().err


def test_the_more_chinese_of_two_files_is_the_chinese_one(file) -> None:
    links = "\n".join(f"- Weakness {n} of Special Elements" for n in range(20))
    zh, en = (
        file("a.txt", f"应当默认拒绝访问。\n{links}".encode()),
        file("b.txt", f"Deny by default.\n{links}".encode()),
    )
    assert read([en, zh]).texts["zh"].startswith("应当")
