"""Loading a reference set by id and by path, and the errors that name file and line."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references import find, load
from bench.references.set_folder import read_segments
from tests.helpers.sets import WHITE_PAPER, edit


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))


# --- the white paper ----------------------------------------------------------------------------------------


def test_loads_by_id_and_by_path() -> None:
    one, two = load("china-export-controls-2021"), load(str(WHITE_PAPER))
    assert one == two
    assert (one.id, one.original_language, one.published) == ("china-export-controls-2021", "zh", "2021-12")
    assert one.title == "China's Export Controls (中国的出口管制)"
    assert not one.outside
    assert find(WHITE_PAPER) == WHITE_PAPER


# --- origin and granularity load a set again ----------------------------------------------------------------


def renamed(folder: Path, id: str) -> Path:
    """A copy of the white paper with another id."""
    shutil.copytree(WHITE_PAPER, folder)
    path = folder / "document.yaml"
    path.write_text(path.read_text("utf-8").replace(WHITE_PAPER.name, id), "utf-8")
    return folder


@pytest.mark.parametrize("granularity", ["sentence", "paragraph", "document"])
@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("china-export-controls-2021", "china-export-controls-2021"),
        (str(WHITE_PAPER), "china-export-controls-2021"),
        ("paper-v1.2", "paper-v1.2"),
        ("references/paper-v1.2", "paper-v1.2"),
        ("elsewhere/law.document", "elsewhere/law.document"),
        ("./elsewhere/law.document", "./elsewhere/law.document"),
    ],
)
def test_a_set_is_loaded_again_by_its_origin_and_granularity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, origin: str, granularity: str
) -> None:
    monkeypatch.chdir(tmp_path)
    renamed(tmp_path / "references" / "paper-v1.2", "paper-v1.2")
    renamed(tmp_path / "elsewhere" / "law.document", "law.document")
    reference = load(given, granularity)
    assert (reference.origin, reference.granularity) == (origin, granularity)
    assert load(reference.origin, reference.granularity) == reference


def test_a_folder_in_the_working_directory_hides_a_set_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    renamed(tmp_path / "paper", "here")
    renamed(tmp_path / "references" / "paper", "in-references")
    for given, id in (("paper", "here"), ("references/paper", "in-references")):
        reference = load(given)
        assert (reference.id, reference.origin) == (id, given)
        assert load(reference.origin) == reference


def test_the_hash_of_a_set_is_of_its_texts_alone(copy: Path) -> None:
    whole = load(WHITE_PAPER)
    lines = "".join(f"{s.id}\t{s.zh}\t{s.en}\n" for s in whole.segments)
    assert whole.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    edit(copy, 13, lambda row: row.update(confidence=0.5, aligned_by="override"))
    assert load(copy).sha256 == whole.sha256  # a run of the set stays a run of the set
    edit(copy, 13, lambda row: row.update(en=row["en"] + "!"))
    assert load(copy).sha256 != whole.sha256
    broken = replace(whole, segments=(replace(whole.segments[0], zh="甲\t乙\n丙"), *whole.segments[1:]))
    spaced = replace(whole, segments=(replace(whole.segments[0], zh="甲 乙 丙"), *whole.segments[1:]))
    assert broken.sha256 == spaced.sha256


# Written by hand from the source: id, alignment, how each side begins and ends, source lines of each side.
GOLD = [
    ("front-h1", "1-1", "中国的出口管制", "管制", "China's Export", "Controls", (5,), (3,)),
    ("front-h2", "1-1", "中国的出口管制", "管制", "China's Export", "Controls", (11,), (11,)),
    ("front-p2-s1", "1-1", "2021年12月", "12月", "December", "2021", (19,), (17,)),
    ("preamble-p1-s1", "1-2", "出口管制是指对两用物项、军品、核", "是国际上通行的做法。", "Export controls are a standard", "non-proliferation and other international obligations.", (31,), (23,)),
    ("preamble-p3-s4", "1-2", "中国从全球视角思考责任担当", "注入了正能量。", "China will assume its responsibilities", "strong boost to world peace and development.", (35, 57), (27, 37)),
    ("preamble-p4-s1", "1-1", "为全面介绍中国出口管制的基本立场", "特发布本白皮书。", "The Chinese government is publishing", "better understand China's position.", (59,), (39,)),
    ("1-p1-s1", "1-2", "中国作为负责任大国，坚定维护", "正确方向发展。", "As a responsible country, China firmly", "international export controls.", (63,), (43,)),
    ("1.1-p1-s2", "1-2", "中国始终坚持总体国家安全观，统筹", "出口管制体系。", "China maintains a holistic approach to", "national security and interests.", (67,), (47,)),
    ("1.1-p1-s3", "1-2", "中国主张，各国创新安全理念", "人类命运共同体。", "China holds that all countries", "community of universal security.", (67,), (47,)),
    ("1.3-p1-s2", "1-1", "越是面临全球性挑战，", "越要合作应对。", "The more significant the global", "cooperative responses.", (75,), (55,)),
    ("1.3-p1-s4", "1-2", "当前，全球治理体制变革", "合作共赢的国际环境。", "As reform of the global governance", "and win-win cooperation.", (75, 91), (55, 77)),
    ("1.4-p1-s2", "1-1", "《不扩散核武器条约》《禁止细菌（生物）", "和平利用的权利。", "The Treaty on the Non-Proliferation", "free from discrimination.", (95,), (81,)),
    ("1.4-p1-s3", "1-2", "中国主张，出口管制应当遵守公正", "设置障碍。", "China believes that export controls should", "industrial and supply chains.", (95,), (81,)),
    ("2-p1-s1", "1-2", "中国坚持全面依法治国基本方略", "法治和体制保障。", "Committed to the basic principle", "experience from overseas.", (99,), (85,)),
    ("2.1-p1-s1", "1-2", "改革开放以来", "法治化水平不断提升。", "Since the beginning of reform and opening up in 1978", "has improved steadily.", (103,), (89,)),
    ("2.1-p1-s2", "1-1", "自20世纪90年代起，", "等6部行政法规。", "Since the 1990s, China has promulgated six", "Equipment and Technologies.", (103,), (89,)),
]  # fmt: skip


@pytest.mark.parametrize("gold", GOLD, ids=[gold[0] for gold in GOLD])
def test_hard_pairs_of_the_white_paper(gold: tuple) -> None:
    name, alignment, zh_start, zh_end, en_start, en_end, zh_lines, en_lines = gold
    segment = next(s for s in load(WHITE_PAPER).segments if s.id == name)
    assert (segment.alignment, segment.zh_lines, segment.en_lines) == (alignment, zh_lines, en_lines)
    assert segment.zh.startswith(zh_start)
    assert segment.zh.endswith(zh_end)
    assert segment.en.startswith(en_start)
    assert segment.en.endswith(en_end)


def test_cut_words_are_joined_and_raw_keeps_the_cut() -> None:
    segments = {s.id: s for s in load(WHITE_PAPER).segments}
    assert "以实际行动积极参与出口管制国际协调，推动相关" in segments["preamble-p3-s4"].zh
    assert "以实际\n行动积极参与出口管制国际协调,推动相关" in segments["preamble-p3-s4"].zh_raw
    assert "participate in the international coordination" in segments["preamble-p3-s4"].en
    assert "权利平等、机会平等、规则平等" in segments["1.3-p1-s4"].zh
    assert "environment of peace and stability" in segments["1.3-p1-s4"].en
    heading = segments["1.2-h"]
    assert (heading.zh_number, heading.zh, heading.zh_raw) == (
        "（二）",
        "认真履行国际义务和承诺",
        "(二) 认真履行国际义务和承诺",
    )
    assert (heading.en_number, heading.en) == ("2.", "Honoring International Obligations and Commitments")


def test_no_half_width_mark_stands_beside_han_in_the_white_paper() -> None:
    for segment in load(WHITE_PAPER).segments:
        assert not set(",;:?!()") & set(segment.zh), segment.id
        assert " " not in segment.zh, segment.id


# --- the loader says which line is wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("zh"), "missing required field `zh`"),
        (lambda r: r.update(note=""), "unknown key 'note'"),
        (lambda r: r.update(paragraph="1"), "Expected `int`, got `str` - at `$.paragraph`"),
        (lambda r: r.update(paragraph=True), "Expected `int`, got `bool` - at `$.paragraph`"),
        (lambda r: r.update(paragraph=-1), "paragraph -1 is below 0"),
        (lambda r: r.update(kind="title"), "Invalid enum value 'title' - at `$.kind`"),
        (lambda r: r.update(en="  "), "'en' is empty"),
        (lambda r: r.update(alignment="0-1"), "alignment '0-1'"),
        (lambda r: r.update(alignment="1:1"), "alignment '1:1'"),
        (lambda r: r.update(alignment="0-2", zh_sentences=[]), "alignment '0-2'"),
        (lambda r: r.update(zh_lines=[]), "zh_lines"),
        (lambda r: r.update(en_lines=[0, 37]), "en_lines [0, 37] are not ascending line numbers"),
        (lambda r: r.update(en_lines=[27, 27]), "en_lines [27, 27] are not ascending line numbers"),
        (lambda r: r.update(en_lines=[37, 27]), "en_lines [37, 27] are not ascending line numbers"),
        (lambda r: r.update(en_lines=[27, "37"]), "Expected `int`, got `str` - at `$.en_lines[1]`"),
        (lambda r: r.update(en_lines=[27]), "differ in their number of lines"),
        (lambda r: r.update(zh="China"), "'zh' is not Chinese: 'China'"),
        (lambda r: r.update(en="中国"), "'en' is not English: '中国'"),
        (
            lambda r: r.update(zh_sentences=[]),
            "alignment '1-2' does not fit 0 Chinese and 2 English sentences",
        ),
        (lambda r: r.update(en_sentences=["L27s4"]), "alignment '1-2' does not fit 1 Chinese and 1 English"),
        (lambda r: r.update(confidence=1.01), "confidence 1.01 is not between 0 and 1"),
        (lambda r: r.update(confidence="1"), "Expected `float`, got `str` - at `$.confidence`"),
        (lambda r: r.update(confidence=float("nan")), "JSON is malformed"),
        (lambda r: r.update(aligned_by="people"), "Invalid enum value 'people' - at `$.aligned_by`"),
        (lambda r: r.update(id="preamble-p1-s1"), "'preamble-p1-s1' is already used on line 6"),
    ],
)
def test_loader_names_the_line(copy: Path, change: Callable[[dict], object], message: str) -> None:
    edit(copy, 13, change)
    with pytest.raises(BenchError) as error:
        load(copy)
    assert str(error.value).startswith(f"{copy / 'segments.jsonl'}:13: ")
    assert message in str(error.value)
    assert str(error.value).endswith("; rebuild the set with `bench references build`.")


def test_a_confidence_may_be_written_as_an_integer(copy: Path) -> None:
    edit(copy, 13, lambda row: row.update(confidence=1))
    confidence = load(copy).segments[12].confidence
    assert (type(confidence), confidence) == (float, 1.0)


def test_loader_refuses_broken_files(copy: Path) -> None:
    path = copy / "segments.jsonl"
    good = path.read_bytes()
    for data, message in [
        (good.replace(b'{"id": "1-h"', b'{"id": 1-h"'), r"segments\.jsonl:15: JSON is malformed"),
        (good.replace("前言".encode(), b"\xff"), r"segments\.jsonl:5: not UTF-8"),
        (good[:-1], r"last line is cut off|does not have the hash"),
        (b"", "is empty"),
        (good.replace(b"Honoring", b"Honouring"), "does not have the hash"),
    ]:
        path.write_bytes(data)
        with pytest.raises(BenchError, match=message):
            load(copy)
    path.write_bytes(good)
    load(copy)
    (copy / "segments.sha256").write_text("abc\n")
    with pytest.raises(BenchError, match=r"segments\.sha256:1: "):
        load(copy)
    with pytest.raises(BenchError, match=r"No reference set 'nowhere'.*china-export-controls-2021"):
        load("nowhere")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence:", "license:", "unknown field `license`; use the keys id, title .*, licence and"),
        ("licence:", "# licence:", "missing required field `licence`; use the keys id, title"),
        (
            "original_language: zh",
            "original_language: fr",
            r"Invalid enum value 'fr' .* \(zh, en or unknown\)",
        ),
        ("note:", "notes:", "unknown field `notes`; use the keys .* optionally, variety .* and note"),
        ("title:\n  zh: ", "title: [\n  zh: ", r"document\.yaml:\d+: not valid YAML"),
        ("note: ", "leave_out: [7]\nnote: ", "leave_out has moved; write it into overrides.yaml beside it"),
        (
            "id: china-export",
            "id: ../china-export",
            "the id '\\.\\./china.* cannot name a folder: use at most 128 letters",
        ),
        (
            "  en: China's",
            "  fr: China's",
            r"unknown field `fr` - at `\$\.title`|missing required field `en` - at `\$\.title`",
        ),
        (
            "  zh: 中国的出口管制",
            "  zh: [中国]",
            r"Expected `str`, got `array` - at `\$\.title\.zh`; .*plain text",
        ),
        ("id: ", "? ", "missing required field `id`|not valid YAML|unknown field"),
        ('published: "2021-12"', "published:", r"Expected `str` of length >= 1 - at `\$\.published`"),
        ("note: ", "note: []\nnotes: ", "Expected `str`, got `array`|unknown field `notes`"),
    ],
)
def test_loader_reads_document_yaml_with_care(copy: Path, old: str, new: str, message: str) -> None:
    path = copy / "document.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BenchError, match=message):
        load(copy)


@pytest.mark.parametrize("name", ["document.yaml", "segments.sha256"])
def test_a_file_that_is_gone_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BenchError, match=rf"There is no .*{name}: rebuild"):
        load(copy)


def test_files_that_take_much_more_memory_than_bytes(copy: Path) -> None:
    path = copy / "document.yaml"
    path.write_text(path.read_text("utf-8") + "x: [" + "{}," * 100_000 + "]\n", "utf-8")
    with pytest.raises(BenchError, match="larger than 256 KiB"):
        load(copy)
    (copy / "segments.jsonl").write_bytes(b"\n" * 200_001)
    with pytest.raises(BenchError, match=r"segments\.jsonl has 200,001 lines"):
        read_segments(copy)
    (copy / "segments.jsonl").write_bytes(b'{"x": [' + b"{}," * 6_000_001)
    with pytest.raises(BenchError, match="more than 6,000,000 values"):
        read_segments(copy)


@pytest.mark.parametrize("name", ["L", "L1s", "Ls1", "x", "", "L01s1", "L1s1\n", "L١s1", f"L{10**10}s1"])
def test_a_sentence_has_a_name(copy: Path, name: str) -> None:
    edit(copy, 2, lambda row: row.update(zh_sentences=[name], alignment=f"1-{len(row['en_sentences'])}"))
    with pytest.raises(BenchError, match=r"segments\.jsonl:2: .* is not the name of a sentence"):
        load(copy)
