"""TMX and XLIFF as other tools write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references import load
from bench.references.build import build
from bench.references.export import export
from bench.references.reading.bitext_xml import read_pairs
from bench.references.reading.pairs import Pair
from tests.helpers.sets import REFERENCES, WHITE_PAPER

INPUTS = REFERENCES / "inputs"
PAIRS = [
    ("第一條", "Article 1"),
    (
        "人人生而自由，在尊嚴和權利上一律平等。",
        "All human beings are born free and equal in dignity and rights.",
    ),
    (
        "人人有權享有生命、自由和人身安全。",
        "Everyone has the right to life, liberty & the security of person.",
    ),
]
OMEGAT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx11.dtd">
<tmx version="1.1"><header creationtool="OmegaT" o-tmf="OmegaT TMX" adminlang="EN-US" datatype="plaintext"
 creationtoolversion="4.3.3" segtype="sentence" srclang="EN-US"/><body>{}</body></tmx>"""


def pairs(text: str, name: str = "a.tmx") -> list[Pair]:
    return read_pairs(text.encode(), Path(name))[0]


@pytest.mark.parametrize(
    ("name", "variety"),
    [
        ("translate-toolkit.tmx", "zh-Hant-TW"),  # EN-US, zh-TW, and one unit twice
        ("translate-toolkit-1.2.xlf", "zh-Hant-HK"),  # zh_HK
        ("translate-toolkit-2.0.xlf", "zh-Hant-HK"),
    ],
)
def test_files_of_translate_toolkit(name: str, variety: str) -> None:
    assert read_pairs((INPUTS / name).read_bytes(), Path(name)) == (PAIRS, "utf-8", variety)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        # No <seg>, then one; codes in capitals.
        (
            '<tu><tuv lang="EN"><seg>Peace lasts.</seg></tuv><tuv lang="ZH-TW"/><tuv lang="ZH-TW"><seg>和平持久。</seg></tuv></tu>',
            [("和平持久。", "Peace lasts.")],
        ),
        ('<tu><tuv lang="EN"/><tuv lang="ZH"><seg>和平持久。</seg></tuv></tu><tu><note>x</note></tu>', [("和平持久。", "")]),
        # Escaped tags of OmegaT, of HTML, and inline codes with their content.
        (
            '<tu><tuv lang="EN"><seg>&lt;f0&gt;Peace&lt;/f0&gt; &lt;b class="x"&gt;lasts&lt;/b&gt; &lt;x1/&gt;&amp;amp; grows.</seg></tuv>'
            '<tuv lang="ZH"><seg>和平&lt;br/&gt;&lt;bpt i="1"&gt;&amp;lt;i&amp;gt;&lt;/bpt&gt;持久。</seg></tuv></tu>',
            [("和平 持久。", "Peace lasts & grows.")],
        ),
        # What is no tag stays.
        (
            '<tu><tuv lang="EN"><seg>If a &lt; b and c &gt; d, write to &lt;a@b.org&gt;.</seg></tuv><tuv lang="ZH"><seg>若a &lt; b。</seg></tuv></tu>',
            [("若a < b。", "If a < b and c > d, write to <a@b.org>.")],
        ),
        # Most units are in en-US and zh-CN.
        (
            '<tu><tuv lang="en-GB"><seg>Colour.</seg></tuv><tuv lang="en-US"><seg>Color.</seg></tuv><tuv lang="zh-TW"><seg>顏色。</seg></tuv><tuv lang="zh-CN"><seg>颜色。</seg></tuv></tu>'
            '<tu><tuv lang="en-US"><seg>Red.</seg></tuv><tuv lang="zh-CN"><seg>红。</seg></tuv></tu>'
            '<tu><tuv lang="en-GB"><seg>Grey.</seg></tuv><tuv lang="zh-CN"><seg>灰。</seg></tuv></tu>'
            '<tu><tuv lang="en-US"><seg>Blue.</seg></tuv><tuv lang="zh-CN"><seg>蓝。</seg></tuv></tu>',
            [("颜色。", "Color."), ("红。", "Red."), ("灰。", "Grey."), ("蓝。", "Blue.")],
        ),
    ],
    ids=["no-seg", "no-text", "escaped-tags", "no-tags", "variants"],
)  # fmt: skip
def test_units_of_a_translation_memory(units: str, expected: list[Pair]) -> None:
    assert pairs(OMEGAT.format(units)) == expected


def test_a_unit_that_is_there_twice_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    unit = '<tu><tuv lang="EN"><seg>Peace {}.</seg></tuv><tuv lang="ZH"><seg>和平{}。</seg></tuv></tu>'
    units = [unit.format(n, n) for n in (1, 2, 1, 1)]
    assert pairs(OMEGAT.format("".join(units))) == [("和平1。", "Peace 1."), ("和平2。", "Peace 2.")]
    assert "a.tmx: units that repeat an earlier one are read once: 2 dropped" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_segments_of_xliff_2(version: str) -> None:
    """A unit with two segments, a part between them that is not translated, and the metadata of modules."""
    text = (
        f'<xliff xmlns="urn:oasis:names:tc:xliff:document:{version}" version="{version}" srcLang="EN" trgLang="zh-Hant-TW">'
        '<file id="f"><unit id="u"><originalData><data id="d">&lt;b></data></originalData>'
        '<segment id="s1"><source><pc id="1" dataRefStart="d">Peace</pc> lasts.</source><target>和平<ph id="2"/>持久。</target></segment>'
        "<ignorable><source> </source></ignorable>"
        '<segment id="s2"><source>Trade<mrk id="m" type="term"> grows</mrk>.</source></segment></unit></file></xliff>'
    )
    assert read_pairs(text.encode(), Path("a.xlf")) == (
        [("和平持久。", "Peace lasts."), ("", "Trade grows.")],
        "utf-8",
        "zh-Hant-TW",
    )


def test_a_broken_file_is_named_as_the_user_named_it() -> None:
    with pytest.raises(BenchError, match=r"^mine\.xlf is not well-formed XML \([^<>]*\): export it again\.$"):
        pairs('<xliff version="1.2"><file source-language="en"', "mine.xlf")


@pytest.mark.parametrize("form", ["tmx", "xliff"])
def test_an_exported_set_says_its_variety_and_reads_back(tmp_path: Path, form: str) -> None:
    paper = load(WHITE_PAPER)
    (path,) = export(paper, tmp_path, form)
    texts = [(segment.zh, segment.en) for segment in paper.segments]
    assert read_pairs(path.read_bytes(), path) == (texts, "utf-8", "zh-Hans-CN")


def test_a_first_build_writes_the_variety_of_the_file(tmp_path: Path) -> None:
    build([INPUTS / "translate-toolkit.tmx"], "rights", tmp_path / "rights")
    assert load(tmp_path / "rights").variety == "zh-Hant-TW"
    (tmp_path / "a.tsv").write_text("".join(f"{zh}\t{en}\n" for zh, en in PAIRS), "utf-8")
    build([tmp_path / "a.tsv"], "plain", tmp_path / "plain")
    assert load(tmp_path / "plain").variety == "zh-Hant"


def test_segments_with_the_same_id_are_all_read() -> None:
    marks = '<mrk mtype="seg" mid="0">{}</mrk><mrk mtype="seg" mid="0">{}</mrk>'
    unit = (
        "<xliff version='1.2'><file source-language='zh' target-language='en'><body><trans-unit id='1'>"
        f"<source>和平。发展。</source><seg-source>{marks.format('和平。', '发展。')}</seg-source>"
        f"<target>{marks.format('Peace.', 'Development.')}</target></trans-unit></body></file></xliff>"
    )
    assert pairs(unit, "a.xlf") == [("和平。", "Peace."), ("发展。", "Development.")]


def test_elements_of_the_other_format_in_a_tmx_file() -> None:
    unit = "<tu><tuv lang='ZH'><seg>和平。</seg></tuv><tuv lang='EN'><seg>Peace.</seg></tuv>{}</tu>"
    text = f"<tmx><body>{unit.format('<segment/>')}<segment><source>x</source></segment>{unit.format('')}</body></tmx>"
    assert pairs(text) == [("和平。", "Peace.")]


def test_a_long_language_code_is_cut_in_the_message() -> None:
    text = f"<tmx><body><tu><tuv lang='{'x' * 5000}'><seg>a</seg></tuv></tu></body></tmx>"
    with pytest.raises(BenchError, match="pass a file with Chinese and English") as error:
        pairs(text)
    assert len(str(error.value)) < 200
