"""The reference sets: the committed one is what the rules build, proved whole, and right where it is hard."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cedict
from bench.core import BenchError
from bench.references import load
from bench.references.build import build, segments_of
from bench.references.check import check
from bench.references.extract import extract
from bench.references.pieces import pieces_of
from bench.references.numbering import Outline, numbering
from bench.references.numbers import chinese, quantities, roman
from bench.references.split import clean, sentences
from bench.resources import data_dir

WHITE_PAPER = data_dir("references") / "china-export-controls-2021"
STATEMENT = Path(__file__).parent / "references" / "statement.txt"
BUILT = ("segments.jsonl", "left_out.jsonl", "segments.sha256")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))


def pin(folder: Path) -> None:
    """Makes the hash right again, so that a test reaches what lies behind it."""
    digest = hashlib.sha256((folder / "segments.jsonl").read_bytes()).hexdigest()
    (folder / "segments.sha256").write_text(f"{digest}  segments.jsonl\n")


def edit(folder: Path, line: int, change: Callable[[dict], object]) -> None:
    path = folder / "segments.jsonl"
    rows = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    change(rows[line - 1])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    pin(folder)


# --- the white paper -------------------------------------------------------------------------------------------


def test_committed_set_is_what_the_source_gives_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(WHITE_PAPER / "document.yaml", tmp_path / name)
        build(WHITE_PAPER / "source.txt", tmp_path / name)
        for file in (*BUILT, "source.txt"):
            assert (tmp_path / name / file).read_bytes() == (WHITE_PAPER / file).read_bytes(), file
        assert len(list((tmp_path / name).iterdir())) == 5  # no temporary file is left


def test_white_paper_needs_no_word_of_document_yaml() -> None:
    source = (WHITE_PAPER / "source.txt").read_text("utf-8")
    assert tuple(segments_of(source, {})[0]) == load(WHITE_PAPER).segments


def test_counts_of_the_white_paper() -> None:
    assert check(WHITE_PAPER) == {
        "alignment 1-1": 30,
        "alignment 1-2": 9,
        "en words": 1274,
        "kind heading": 10,
        "kind sentence": 29,
        "left out": 4,
        "segments": 39,
        "zh characters": 2030,
    }


def test_loads_by_id_and_by_path() -> None:
    one, two = load("china-export-controls-2021"), load(str(WHITE_PAPER))
    assert one == two
    assert (one.id, one.original_language, one.published) == ("china-export-controls-2021", "zh", "2021-12")


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


def test_what_the_white_paper_leaves_out() -> None:
    rows = [json.loads(line) for line in (WHITE_PAPER / "left_out.jsonl").read_text("utf-8").splitlines()]
    assert [(r["side"], r["lines"], r["reason"]) for r in rows] == [
        ("en", [7], "header of another document"),
        ("zh", [9], "header of another document"),
        ("en", [89], "the source stops in the middle of this sentence"),
        ("zh", [103], "the source stops in the middle of this sentence"),
    ]


# --- a second document: no rule knows either ---------------------------------------------------------------------


def test_second_document_has_its_gold_alignment() -> None:
    segments, left_out = segments_of(STATEMENT.read_text("utf-8"), {})
    gold = [
        tuple(line.split("\t"))
        for line in (STATEMENT.parent / "statement.gold.tsv").read_text("utf-8").splitlines()
    ]
    assert [(s.id, s.alignment, s.zh_number, s.en_number, s.zh, s.en) for s in segments] == gold
    reasons = [(item.lines[0], item.side, item.reason) for item in left_out]
    header, page = "running header or footer", "page number"
    assert reasons == [
        (13, "en", header),
        (21, "zh", header),
        (29, "en", header),
        (33, "en", "no counterpart in the other language"),
        (39, "zh", header),
        (47, "zh", page),
        (49, "en", header),
        (61, "en", page),
        (63, "zh", header),
        (73, "en", header),
        (77, "zh", header),
    ]


def test_second_document_is_whole(tmp_path: Path) -> None:
    shutil.copy(WHITE_PAPER / "document.yaml", tmp_path)
    build(STATEMENT, tmp_path)
    assert check(tmp_path)["alignment 2-1"] == 1


def test_leave_out_by_hand() -> None:
    about = {"leave_out": [{"lines": [33], "reason": "a note of the publisher"}]}
    segments, left_out = segments_of(STATEMENT.read_text("utf-8"), about)
    assert [item.reason for item in left_out if item.lines == (33,)] == ["a note of the publisher"]
    assert segments == segments_of(STATEMENT.read_text("utf-8"), {})[0]


def test_a_dictionary_finds_what_length_cannot(tmp_path: Path) -> None:
    # By length the middle sentence may go with either neighbour; only words tell which.
    source = "前言\n\n蜜蜂采蜜酿蜜。鲸鱼游泳唱歌。\n\nPreamble\n\nBees like the bloom. They gather honey. Whales swim afar."
    path = tmp_path / "cc-cedict.txt"
    path.write_text(
        "# comment\n蜜蜂 蜜蜂 [mi4 feng1] /bee/honeybee/\n採蜜 采蜜 [cai3 mi4] /to gather honey/\n"
        "鯨魚 鲸鱼 [jing1 yu2] /whale/\n游泳 游泳 [you2 yong3] /swimming/to swim/\n",
        "utf-8",
    )
    for words in ("They gather honey.", "They swim in herds."):
        text = source.replace("They gather honey.", words)
        segments, _ = segments_of(text, {}, cedict.load(path))
        first = "Bees like the bloom." + (" They gather honey." if "honey" in words else "")
        assert (segments[1].zh, segments[1].en) == ("蜜蜂采蜜酿蜜。", first)


def front_of(source: str) -> list[tuple[str, str, str]]:
    return [(s.id, s.zh, s.en) for s in segments_of(source, {})[0]]


def test_contents_have_sections_of_their_own() -> None:
    contents = "Contents\n\nPreface\n\nI. Aims\n\n目录\n\n前言\n\n一、目标\n\n"
    text = (
        "Preface\n\nChina acts.\n\nI. Aims\n\nPeace lasts.\n\n前言\n\n中国行动。\n\n一、目标\n\n和平持久。\n"
    )
    assert [name for name, _, _ in front_of("Aims of China\n\n中国的目标\n\n" + contents + text)] == [
        *("front-h1", "contents-h", "contents.preface-h", "contents.1-h"),
        *("preface-h", "preface-p1-s1", "1-h", "1-p1-s1"),
    ]


def test_sentence_whose_counterpart_is_cut_goes_too() -> None:
    source = "Preamble\n\nChina acts for peace in the world. Development needs security.\n\n前言\n\n中国为世界和平而行动。发展需要安"
    segments, left_out = segments_of(source, {})
    assert [s.en for s in segments] == ["Preamble", "China acts for peace in the world."]
    assert [(item.side, item.text, item.reason) for item in left_out] == [
        ("en", "Development needs security.", "its counterpart is cut off"),
        ("zh", "发展需要安", "the source stops in the middle of this sentence"),
    ]


def test_clauses_of_a_preamble_stay_apart_and_lone_article_numbers_join() -> None:
    english = "The People's Republic of China and the Russian Federation,\n\nBased on their friendship,\n\nHave agreed:\n\n"
    chinese_ = "中华人民共和国和俄罗斯联邦，\n\n基于两国友好，\n\n兹协议如下：\n\n"
    articles = ("Article 1\n\nThe Parties cooperate.\n\n", "第一条\n\n双方合作。\n")
    segments, left_out = segments_of(english + articles[0] + chinese_ + articles[1], {})
    assert [(s.zh, s.en) for s in segments[1:3]] == [
        ("基于两国友好，", "Based on their friendship,"),
        ("兹协议如下：", "Have agreed:"),
    ]
    assert (segments[3].id, segments[3].zh_number, segments[3].en_number) == (
        "1-p1-s1",
        "第一条",
        "Article 1",
    )
    assert not left_out


# --- check fails where something is lost ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(zh=r["zh"].replace("庄严", "庄"), zh_raw=r["zh_raw"].replace("庄严", "庄")), r"source.txt:71: .*lost '严'"),
        (lambda r: r.update(en=r["en"] + " peace", en_raw=r["en_raw"] + " peace"), r"source.txt:51: .*added"),
        (lambda r: r.update(zh_raw=r["zh_raw"].replace("国际义务", "义务国际"), zh=r["zh"].replace("国际义务", "义务国际")), "another order"),
        (lambda r: r.update(zh=r["zh"][1:]), r"segments.jsonl:22: 'zh' does not hold the words of zh_raw"),
        (lambda r: r.update(en_lines=[53]), r"segments.jsonl:23: en stands before its predecessor"),
    ],
)  # fmt: skip
def test_check_sees_every_lost_added_or_moved_character(
    copy: Path, change: Callable[[dict], object], message: str
) -> None:
    edit(copy, 22, change)
    with pytest.raises(BenchError, match=message):
        check(copy)


@pytest.mark.parametrize("where", [0, 700, -1])
def test_check_sees_a_changed_source(copy: Path, where: int) -> None:
    text = (copy / "source.txt").read_text("utf-8").strip("\n")
    (copy / "source.txt").write_text("\n\n" + text[:where] + "国" + text[where:], "utf-8")
    with pytest.raises(BenchError, match=r"source\.txt:\d+: .*lost '国'"):
        check(copy)


def test_check_sees_a_left_out_line_that_is_gone(copy: Path) -> None:
    lines = (copy / "left_out.jsonl").read_text("utf-8").splitlines(keepends=True)
    (copy / "left_out.jsonl").write_text("".join(lines[1:]), "utf-8")
    with pytest.raises(BenchError, match=r"source\.txt:7: "):
        check(copy)


# --- the loader says which line is wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("zh"), "the key 'zh' is missing"),
        (lambda r: r.update(note=""), "unknown key 'note'"),
        (lambda r: r.update(paragraph="1"), "'paragraph' is '1' and should be of type int"),
        (lambda r: r.update(paragraph=True), "should be of type int"),
        (lambda r: r.update(kind="title"), "kind 'title'"),
        (lambda r: r.update(en="  "), "'en' is empty"),
        (lambda r: r.update(alignment="0-1"), "alignment '0-1'"),
        (lambda r: r.update(alignment="1:1"), "alignment '1:1'"),
        (lambda r: r.update(zh_lines=[]), "zh_lines"),
        (lambda r: r.update(en_lines=[27, 27]), "en_lines"),
        (lambda r: r.update(en_lines=[37, 27]), "en_lines"),
        (lambda r: r.update(en_lines=[27, "37"]), "en_lines"),
        (lambda r: r.update(en_lines=[27]), "differ in their number of lines"),
        (lambda r: r.update(zh="China"), "no Chinese character"),
        (lambda r: r.update(en="中国"), "no Latin letter"),
        (lambda r: r.update(id="preamble-p1-s1"), "stands on line 6 too"),
    ],
)
def test_loader_names_the_line(copy: Path, change: Callable[[dict], object], message: str) -> None:
    edit(copy, 13, change)
    with pytest.raises(BenchError) as error:
        load(copy)
    assert str(error.value).startswith(f"{copy / 'segments.jsonl'}:13: ")
    assert message in str(error.value)


def test_loader_refuses_broken_files(copy: Path) -> None:
    path = copy / "segments.jsonl"
    good = path.read_bytes()
    for data, message in [
        (good.replace(b'{"id": "1-h"', b'{"id": 1-h"'), r"segments\.jsonl:15: not JSON"),
        (good.replace("前言".encode(), b"\xff"), r"segments\.jsonl:5: not UTF-8"),
        (good[:-1], r"last line is cut|does not have the hash"),
        (b"", "is empty"),
        (good.replace(b"Honoring", b"Honouring"), "does not have the hash"),
    ]:
        path.write_bytes(data)
        with pytest.raises(BenchError, match=message):
            load(copy)
    path.write_bytes(good)
    (copy / "segments.sha256").write_text("abc\n")
    with pytest.raises(BenchError, match=r"segments\.sha256:1: "):
        load(copy)
    with pytest.raises(BenchError, match=r"No reference set 'nowhere'.*china-export-controls-2021"):
        load("nowhere")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence:", "license:", "licence is missing"),
        ("original_language: zh", "original_language: fr", "write zh or en"),
        ("note:", "notes:", "unknown key notes"),
        ("title:\n  zh: ", "title: [\n  zh: ", r"document\.yaml:\d+: not valid YAML"),
        ("note: ", "leave_out: [7]\nnote: ", "leave_out holds 7"),
    ],
)
def test_loader_reads_document_yaml_with_care(copy: Path, old: str, new: str, message: str) -> None:
    path = copy / "document.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BenchError, match=message):
        load(copy)


def test_source_in_one_language_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Only English here.\n")
    with pytest.raises(BenchError, match="no Chinese text"):
        build(tmp_path / "a.txt", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- the parts ------------------------------------------------------------------------------------------------------

SENTENCES = [
    ("en", "The U.S. Government objected. | It cited No. 5 and Art. 3 of the Treaty."),
    ("en", "He met Mr. Wang Yi in the U.S. | The talks lasted 3.5 hours."),
    ("en", 'China said: "We agree. We sign." | The parties left.'),
    ("en", "China said: “We agree. We sign.” | The parties left."),
    ("en", "See Art. 2(1)(a) and para. 4 (adopted on Jan. 5, 2020). | The State shall act."),
    ("en", "Trade (e.g. arms, etc.) grew by 3.5 percent. | Six regulations vs. one law."),
    ("en", "Items 1. and 2. are kept. | J. K. Smith signed in 2021. | All agreed."),
    ("en", "Is it so? | It is! | The text (see p. 4. It is long.) ends here."),
    ("en", "Peace… and development. | “Trust is gold.” | China’s aim is “peace”."),
    ("zh", "他说：“中国赞成。我们签署。”|会议结束。"),
    ("zh", "增长3.5％。|《条约》（以下简称《条约》。1968年订立）规定了权利！|各国同意？|是的……"),
    ("zh", "根据No. 5号决议.|各国应当合作."),
    ("zh", "他问：“为什么？”，然后走了。|再见。"),
    ("zh", "《不扩散条约》（以下简称《条约》）生效。|中国加入；各国欢迎。"),
    ("zh", "“信任就是黄金。”|他这样说。"),
]


@pytest.mark.parametrize(("language", "marked"), SENTENCES)
def test_sentences(language: str, marked: str) -> None:
    parts = [part.strip() for part in marked.split("|")]
    text = (" " if language == "en" else "").join(parts)
    assert [text[a:b] for a, b in sentences(text, language)] == parts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "text", "number", "value"),
    [
        ("zh", "一、总则", "一、", 1),
        ("zh", "(十二) 附则", "(十二)", 12),
        ("zh", "第二十一条　国家", "第二十一条", 21),
        ("zh", "第一章 总则", "第一章", 1),
        ("zh", "1.目标", "1.", 1),
        ("zh", "（3）目标", "（3）", 3),
        ("en", "IV. Aims", "IV.", 4),
        ("en", "(b) the aims", "(b)", 2),
        ("en", "Article 12 The State", "Article 12", 12),
        ("en", "Chapter II General Provisions", "Chapter II", 2),
        ("en", "12. Aims", "12.", 12),
    ],
)
def test_numbering(language: str, text: str, number: str, value: int) -> None:
    found = numbering(text, language)  # type: ignore[arg-type]
    assert found is not None
    assert (found.number, found.value) == (number, value)
    assert text[found.rest :] == text[len(number) :].strip()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "第五条规定的义务"),
        ("zh", "一切国家"),
        ("zh", "3.5％的增长"),
        ("zh", "2021年12月"),
        ("en", "Article 5 of the Treaty applies."),
        ("en", "I agree"),
        ("en", "3.5 percent"),
        ("en", "2021. A year"),
    ],
)
def test_no_numbering(language: str, text: str) -> None:
    assert numbering(text, language) is None  # type: ignore[arg-type]


def test_both_conventions_make_the_same_outline() -> None:
    def paths(language: str, *texts: str) -> list[tuple[str, ...]]:
        outline = Outline()
        return [outline.enter(n) for t in texts if (n := numbering(t, language))]  # type: ignore[arg-type]

    chinese_paths = paths("zh", "一、甲", "（一）乙", "1. 丙", "（二）丁", "二、戊", "（一）己", "附件一 庚")
    english_paths = paths("en", "I. A", "1. B", "(a) C", "2. D", "II. E", "1. F", "Annex 1 G")
    assert chinese_paths == english_paths
    assert chinese_paths[3:] == [("1", "2"), ("2",), ("2", "1"), ("annex1",)]
    assert paths("en", "G. A", "H. B", "I. C", "J. D") == [("7",), ("8",), ("9",), ("10",)]


def test_numbers_of_both_languages_meet() -> None:
    assert [chinese(t) for t in ("十", "二十一", "二〇二一", "三万", "一百零五", "国")] == [
        10,
        21,
        2021,
        30000,
        105,
        None,
    ]
    assert [roman(t) for t in ("I", "IV", "XIX", "XLII", "IIII", "A")] == [1, 4, 19, 42, None, None]
    for zh, en in [
        ("二〇二一年十二月", "December 2021"),
        ("自20世纪90年代起", "since the 1990s"),
        ("等6部行政法规", "six administrative regulations"),
        ("三千二百万人、第三条", "32,000,000 people, Article 3"),
        ("12亿", "1.2 billion"),
    ]:
        assert quantities(zh, "zh") & quantities(en, "en"), zh
    assert quantities("自20世纪90年代起", "zh") == quantities("since the 1990s", "en") == {1990}
    assert quantities("一切国家千方百计", "zh") == frozenset()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("国际协调,推动进程;各国:同意?是!", "国际协调，推动进程；各国：同意？是！"),
        ("条约(NPT),共1,200艘、3.5％。", "条约（NPT），共1,200艘、3.5％。"),
        ("中国 在 2021 年 加入 WTO 组织.", "中国在2021年加入WTO组织。"),
        ('他说:"同意。"', "他说：“同意。”"),
        ("「和平」与『发展』", "“和平”与‘发展’"),
        ("２０２１年ＷＴＯ", "2021年WTO"),
        ("以实际\n行动", "以实际行动"),
        ("10:30开会,UN Security Council", "10:30开会，UN Security Council"),
        ("⼀带⼀路", "一带一路"),
    ],
)
def test_clean_chinese(raw: str, text: str) -> None:
    assert clean(raw, "zh") == text


@pytest.mark.parametrize(
    ("raw", "words", "text"),
    [
        ("the interna-\ntional  law", (), "the international law"),
        ("non-\nproliferation", (), "non-proliferation"),
        ("win-\nwin", ("win-win",), "win-win"),
        ("China's “own” text, 3,000.", (), "China's “own” text, 3,000."),
    ],
)
def test_clean_english(raw: str, words: tuple[str, ...], text: str) -> None:
    assert clean(raw, "en", words) == text


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("China's Export Controls 中国的出口管制", ["en", "zh"]),
        ("中国的出口管制 China's Export Controls", ["zh", "en"]),
        ("中国2001年加入 WTO", ["zh"]),
        ("本地区 GDP 增长6.2%", ["zh"]),
        ("Our ancestors call this tianxia 天下.", ["en"]),
        ("an idea that is known as 和为贵", ["en"]),
        ("国务院 State Council 2021年", ["zh"]),
    ],
)
def test_lines_of_two_languages(line: str, parts: list[str]) -> None:
    pieces = pieces_of(line)
    assert [piece.language for piece in pieces] == parts
    assert all(line[p.column :].startswith(p.text) for p in pieces)


def test_every_character_of_a_block_knows_its_place() -> None:
    source = STATEMENT.read_text("utf-8")
    lines = source.split("\n")
    for blocks in extract(source)[0].values():
        for block in blocks:
            assert len(block.text) == len(block.places)
            for char, (line, column) in zip(block.text, block.places, strict=True):
                assert char in ("\n", lines[line - 1][column])


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        # Wrapped lines are one paragraph, an indented line begins the next one.
        ("　　中国坚持总体国家安全观并且\n完善出口管制的法律制度，维护\n世界和平与发展。", 1),
        # A heading is not joined to what follows.
        ("一、基本立场\n\n中国坚持和平发展。", 2),
        ("前言\n\n出口管制是国际上通行的做法", 2),
        # The same header between the halves of two sentences goes.
        ("中国坚持和平，愿与各\n\n白皮书\n\n国合作。\n\n中国坚持开放，愿与各\n\n白皮书\n\n国共享。", 2),
    ],
)
def test_blocks(source: str, blocks: int) -> None:
    assert len(extract(source)[0]["zh"]) == blocks


def test_a_note_at_the_foot_of_a_page_does_not_part_a_sentence() -> None:
    source = (
        "China will work with\n\n* Note: A source.\n\n中国将与各国合作。\n\nall Countries.\n\nPeace lasts."
    )
    texts = [block.text for block in extract(source)[0]["en"]]
    assert texts == ["China will work with\nall Countries.", "* Note: A source.", "Peace lasts."]


def test_a_set_with_such_a_note_is_whole(tmp_path: Path) -> None:
    shutil.copy(WHITE_PAPER / "document.yaml", tmp_path)
    (tmp_path / "a.txt").write_text(
        "China will work with\n\n* Note: A source.\n\n中国将与\n\n* 注：来源。\n\nall Countries. Peace lasts.\n\n各国合作。和平持久。\n",
        "utf-8",
    )
    build(tmp_path / "a.txt", tmp_path)
    assert check(tmp_path)["alignment 1-1"] == 3


@pytest.mark.parametrize("text", ["傳統 传统 chuan2 tong3 /tradition/", ""])
def test_dictionary_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dict.txt"
    path.write_text(f"# head\n{text}\n", "utf-8")
    with pytest.raises(BenchError, match=r"dict\.txt:2 is not an entry|no dictionary entry"):
        cedict.load(path)


def test_dictionary_joins_homographs(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("發 发 [fa1] /to send/to issue/\n髮 发 [fa4] /hair/\n", "utf-8")
    assert cedict.load(path) == {"发": ("to send", "to issue", "hair")}
    with pytest.raises(BenchError, match="give the path"):
        cedict.load(tmp_path / "none")
