"""`bench references check`: no character of the source is lost, doubled or moved, whatever it was built from."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references import load
from bench.references.alignment.pipeline import BuildResult, build_segments
from bench.references.build import build
from bench.references.overrides import Overrides
from bench.references.review.check import check, faults, segment_faults
from tests.helpers.command import invoke
from tests.helpers.decisions import random_decisions
from tests.helpers.sets import (
    BLIND,
    DOCUMENTS,
    NOTE_WITHIN,
    WHITE_PAPER,
    both,
    edit,
    half,
    halves,
    left_out,
    sources,
    texts,
    two,
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))


# --- the white paper ----------------------------------------------------------------------------------------


def test_counts_of_the_white_paper() -> None:
    counts = check(WHITE_PAPER)
    expected = {
        "segments": 39,
        "aligned by rules": 39,
        "alignment 1-1": 30,
        "alignment 1-2": 9,
        "headings": 10,
        "sentences": 29,
        "left out": 4,
        "Chinese characters": 2030,
        "English words": 1274,
    }
    assert counts == counts | expected


def test_what_the_white_paper_leaves_out() -> None:
    assert [(row["side"], row["lines"], row["reason"], row["sentence"]) for row in left_out(WHITE_PAPER)] == [
        ("en", [7], "header of another document", ""),
        ("zh", [9], "header of another document", ""),
        ("en", [89], "the source stops in the middle of this sentence", "L89s4"),
        ("zh", [103], "the source stops in the middle of this sentence", "L103s3"),
    ]


@pytest.mark.parametrize("document", [*DOCUMENTS, *BLIND])
def test_every_gold_document_is_proved(tmp_path: Path, document: str) -> None:
    segments = build(sources(document), Path(document).name, tmp_path).segments
    assert check(tmp_path)["segments"] == len(segments)
    assert len({segment.id for segment in segments}) == len(segments)


JUNK = '①|[1]|¹|* * *|（一）|1.|I.|(a)|Article 5|第五条|12|- 3 -|Page 4 of 9|2021|WTO|。|“|”|(|）|\f|\t|　　|……|U.S.|\u200b|\u00ad|ﬁ|⼀|𠮷|é|Привет|日本の|😀|non-|"|：|；|*|注：来源。|Note: A source.|目录|Annex'


def damaged(seed: int) -> str:
    """A part of a gold document in which lines are lost, doubled, swapped, cut, joined and strange."""
    chance = random.Random(seed)
    document = chance.choice([name for name in (*DOCUMENTS, *BLIND) if len(sources(name)) == 1])
    lines = sources(document)[0].read_text("utf-8").split("\n")
    first = chance.randrange(len(lines) // 2)
    lines = lines[first : first + chance.randrange(20, 80)]
    for _ in range(20):
        at = chance.randrange(len(lines) - 1)
        line, cut, junk = lines[at], chance.randrange(len(lines[at]) + 1), chance.choice(JUNK.split("|"))
        lines[at : at + 1] = chance.choice(
            [
                [],
                [line, line],
                [junk],
                [junk, line],
                [line[:cut] + junk + line[cut:]],
                [line[:cut], line[cut:]],
            ]
        )
        if chance.random() < 0.3:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_built_is_proved(tmp_path: Path, seed: int) -> None:
    (tmp_path / "a.txt").write_text(damaged(seed), "utf-8")
    try:
        found = build([tmp_path / "a.txt"], "s", tmp_path / "out")
    except BenchError:  # too little is left of one language
        assert not (tmp_path / "out").exists()
        return
    check(tmp_path / "out")
    assert build([], "s", tmp_path / "out") == found


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_reviewer_decides_is_proved(seed: int) -> None:
    """Decisions that do not fit are refused; no others damage a set."""
    chance, text = random.Random(seed), damaged(seed)
    source = two(half(text, "zh"), half(text, "en")) if chance.random() < 0.4 else both(text)
    try:
        decided = random_decisions(build_segments(source), text.count("\n") + 1, chance)
        found = build_segments(source, decided)
    except BenchError:
        return
    lines = {language: source.texts.get(language, text).split("\n") for language in LANGUAGE_NAMES}
    if "both" in source.texts:
        lines["en"] = lines["zh"]
    names: dict[Language, str] = {"zh": "source.txt", "en": "source.txt"}
    assert not [*segment_faults(found.segments), *faults(found.segments, found.left_out, lines, names)]


def test_decisions_leave_no_gap_within_a_segment() -> None:
    """The sentences before and behind one that a reviewer took out are not joined."""
    zh = "贸易增长。\n中国坚持和平。说明。合作共赢。\n和平持久。"
    en = "Trade grows.\nChina stands for peace and for cooperation that benefits all.\nPeace lasts."
    found = build_segments(two(zh, en), Overrides(alone={("zh", "L2s2"): "a note"}))
    assert not any({"L2s1", "L2s3"} <= {*segment.zh_sentences} for segment in found.segments)


def test_a_set_that_would_not_hold_its_source_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the rules, which no known source has: the folder stays as it was."""
    (tmp_path / "a.txt").write_text(NOTE_WITHIN, "utf-8")
    before = build([tmp_path / "a.txt"], "s", tmp_path / "out")

    def lossy(*arguments: Any) -> BuildResult:
        found = build_segments(*arguments)
        return replace(found, segments=found.segments[1:])

    monkeypatch.setattr("bench.references.build.build_segments", lossy)
    with pytest.raises(BenchError, match=r"unchanged.*source\.txt:1: .*lines: \[1, 5\]"):
        build([], "s", tmp_path / "out")
    with pytest.raises(BenchError, match=r"b is unchanged"):
        build([tmp_path / "a.txt"], "s", tmp_path / "b")
    assert load(tmp_path / "out") == before
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("command", [("review",), ("export", "--out", "exported")])
def test_review_and_export_refuse_a_set_that_lost_text(
    copy: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(copy.parent)
    edit(copy, 22, lambda row: row.update(zh=row["zh"][:-3] + "。", zh_raw=row["zh_raw"][:-3] + "。"))
    result = invoke("references", command[0], "set", *command[1:])
    assert result.exit_code == 2
    assert re.search(r"source\.txt:71: .*lost .*rebuild the set", " ".join(result.output.split()))
    assert [path.name for path in copy.parent.iterdir()] == ["set"]


def test_a_set_with_a_note_inside_a_sentence_is_whole(tmp_path: Path) -> None:
    """The note at the foot of the page stands behind the sentence that runs around it."""
    (tmp_path / "a.txt").write_text(NOTE_WITHIN, "utf-8")
    found = build([tmp_path / "a.txt"], "s", tmp_path / "out")
    assert texts(found.segments) == [
        ("贸易增长。", "Trade grows."),
        ("中国坚持和平，将与各国合作。", "China stands for peace and will work with all Countries."),
        ("和平持久。", "Peace lasts."),
        ("注：来源。", "Note: A source."),
    ]
    assert check(tmp_path / "out")["alignment 1-1"] == 4
    assert load(tmp_path / "out") == found


def test_check_sees_a_variety_that_the_text_is_not_in(copy: Path) -> None:
    path = copy / "document.yaml"
    path.write_text(path.read_text("utf-8").replace("zh-Hans-CN", "zh-Hant-TW"), "utf-8")
    with pytest.raises(BenchError, match="variety is zh-Hant-TW, but the text is zh-Hans; correct it"):
        check(copy)


# --- check fails where something is lost --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(zh=r["zh"].replace("庄严", "庄"), zh_raw=r["zh_raw"].replace("庄严", "庄")), r"source.txt:71: .*lost '严'"),
        (lambda r: r.update(en=r["en"] + " peace", en_raw=r["en_raw"] + " peace"), r"source.txt:51: .*added"),
        (lambda r: r.update(zh_raw=r["zh_raw"].replace("国际义务", "义务国际"), zh=r["zh"].replace("国际义务", "义务国际")), "in another order"),
        (lambda r: r.update(zh=r["zh"][1:]), r"segments.jsonl:22: 'zh' does not have the letters and digits of zh_raw"),
        (lambda r: r.update(en_lines=[53]), r"segments.jsonl:23: en comes before its predecessor"),
        (lambda r: r.update(zh_lines=[9999]), r"segments.jsonl:23: zh comes before its predecessor"),
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


def test_check_sees_a_left_out_line_that_is_gone_or_doubled(copy: Path) -> None:
    path = copy / "left_out.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    for changed in (lines[1:], [*lines, lines[0]]):
        path.write_text("".join(changed), "utf-8")
        with pytest.raises(BenchError, match=r"source\.txt:7: "):
            check(copy)


def test_check_sees_two_segments_that_changed_places(copy: Path) -> None:
    path = copy / "segments.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:21], lines[22], lines[21], *lines[23:]]), "utf-8")
    edit(copy, 1, lambda row: row)
    with pytest.raises(BenchError, match=r"comes before its predecessor"):
        check(copy)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"side": "zh"}', "Object missing required field `text`"),
        ("x", "JSON is malformed"),
        (
            '{"side": "fr", "text": "a", "lines": [1], "reason": "r", "sentence": ""}',
            r"Invalid enum value 'fr' - at `\$\.side`",
        ),
        (
            '{"side": "zh", "text": "a", "lines": [1], "reason": "", "sentence": ""}',
            "the reason is empty",
        ),
        (
            '{"side": "zh", "text": "a", "lines": [1], "reason": "r", "sentence": "", "more": 1}',
            "unknown key 'more'",
        ),
        ("[1]", "Expected `object`, got `array`"),
    ],
)
def test_a_broken_entry_of_what_was_left_out_is_named(copy: Path, line: str, message: str) -> None:
    with (copy / "left_out.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(BenchError, match=rf"left_out\.jsonl:5: {message}.*; rebuild the set with"):
        check(copy)


def test_check_reads_both_files_of_a_set_from_two(tmp_path: Path) -> None:
    build(halves(tmp_path), "statement", tmp_path / "out")
    assert check(tmp_path / "out")["alignment 2-1"] == 1
    path = tmp_path / "out" / "source.en.txt"
    path.write_text(path.read_text("utf-8").replace("cod", "code"), "utf-8")
    with pytest.raises(BenchError, match=r"source\.en\.txt:\d+: .*lost 'e'"):
        check(tmp_path / "out")
