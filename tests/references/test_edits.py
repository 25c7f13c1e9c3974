"""A reviewer splits sentences and corrects characters: the source stays as it is, and the set is proved."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references import load
from bench.references.alignment.pipeline import build_segments
from bench.references.build import build
from bench.references.overrides import Correction, Overrides, Split
from bench.references.review.check import check, faults, segment_faults
from bench.references.review.page import page
from tests.helpers.decisions import random_decisions
from tests.helpers.sets import both, sources, texts

ZH = "第一條 母親和兒童有權享受特別照願；兒童應享受同樣的保護。人人有權工作。\n第二條 和平持久。\n"
EN = (
    "Article 1 Motherhood and childhood are entitled to special care. All children shall enjoy the\nsame protection. "
    "Everyone has the right to work.\nArticle 2 Peace lasts.\n"
)


def built(folder: Path, overrides: str) -> list[tuple[str, str]]:
    """The pairs of the set in `folder`, after decisions of a reviewer. It is proved."""
    out = folder / "out"
    if not out.is_dir():
        for language, text in (("zh", ZH), ("en", EN)):
            (folder / f"{language}.txt").write_text(text, "utf-8")
        build([folder / "zh.txt", folder / "en.txt"], "s", out)
    (out / "overrides.yaml").write_text(overrides, "utf-8")
    found = build([], "s", out)
    check(out)
    return texts(found.segments)


def test_a_sentence_is_split_and_a_character_corrected(tmp_path: Path) -> None:
    before = built(tmp_path, "")
    assert before[0][0] == "母親和兒童有權享受特別照願；兒童應享受同樣的保護。"
    assert built(tmp_path, 'split: [{zh: L1s1, after: "照願；", reason: two sentences}]') == [
        ("母親和兒童有權享受特別照願；", "Motherhood and childhood are entitled to special care."),
        ("兒童應享受同樣的保護。", "All children shall enjoy the same protection."),
        ("人人有權工作。", "Everyone has the right to work."),
        ("和平持久。", "Peace lasts."),
    ]
    first, second = load(tmp_path / "out").segments[:2]
    assert (first.zh_sentences, first.zh_lines, first.zh_raw) == (
        ("L1s1",),
        (1,),
        "第一條 母親和兒童有權享受特別照願；",
    )
    assert (second.zh_sentences, second.zh_lines) == (("L1s1b",), (1,))
    corrected = built(
        tmp_path,
        'split: [{zh: L1s1, after: "照願；", reason: two}]\n'
        "correct:\n  - {zh: L1s1, from: 照願, to: 照顧, reason: misread}\n"
        "  - {zh: L1s1b, from: 同樣, to: 同等, reason: x}\n"
        "pairs: [{zh: [L1s1b], en: [L1s2], reason: reviewed}]\n",
    )
    assert [zh for zh, _ in corrected[:2]] == ["母親和兒童有權享受特別照顧；", "兒童應享受同等的保護。"]
    first = load(tmp_path / "out").segments[0]
    assert "照願" in first.zh_raw
    assert "照願" in (tmp_path / "out" / "source.zh.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ("split: [{zh: L1s1, after: 工人, reason: x}]", "L1s1 contains '工人' nowhere: give text that it contains once"),
        ("split: [{zh: L1s1, after: 享受, reason: x}]", "L1s1 contains '享受' more than once"),
        ("split: [{zh: L1s2, after: 工作。, reason: x}]", "splits L1s2 where it begins or ends"),
        ("split: [{zh: L9s1, after: x, reason: x}]", "the Chinese sentence L9s1, which is not in the source"),
        ("split: [{zh: [L1s1], after: x, reason: x}]", "zh is `[L1s1]`, which is not the name of a sentence"),
        ("split: [{zh: L1s1, en: L1s1, after: x, reason: x}]", "name one sentence, in zh or in en"),
        ("split: [{zh: L1s1, reason: x}]", "after is missing; write an entry of split as"),
        ("correct: [{zh: L1s1, from: 12, to: 13, reason: x}]", "from is `12` and not a line of text in quotation marks"),
        ("correct: [{zh: L1s1, from: ；, to: 甲, reason: x}]", "give the letters beside it as well"),
        ('correct: [{zh: L1s1, from: "", to: 甲, reason: x}]', 'from is `""` and not a line of text in quotation marks'),
        ("correct: [{zh: L1s1, from: 照願, to: , reason: x}]", "to is empty and not a line of text in quotation marks"),
        ('correct: [{zh: L2s1, from: 和平持久, to: "", reason: x}]', "deletes all of L2s1: list it in `alone`"),
    ],
)  # fmt: skip
def test_an_edit_that_does_not_fit_changes_nothing(tmp_path: Path, decision: str, message: str) -> None:
    built(tmp_path, "")
    before = (tmp_path / "out" / "segments.jsonl").read_bytes()
    with pytest.raises(BenchError) as error:
        built(tmp_path, decision)
    assert message in str(error.value)
    assert (tmp_path / "out" / "segments.jsonl").read_bytes() == before


def test_a_character_is_deleted(tmp_path: Path) -> None:
    deleted = built(
        tmp_path,
        'correct:\n  - {zh: L1s1, from: 母親和, to: "", reason: twice}\n  - {en: L2s1, from: "has ", to: "", reason: x}\n'
        '  - {zh: L1s2, from: 。, to: "", reason: x}\n',
    )
    assert deleted[0][0] == "兒童有權享受特別照願；兒童應享受同樣的保護。"
    assert deleted[1] == ("人人有權工作", "Everyone the right to work.")
    first = load(tmp_path / "out").segments[0]
    assert "母親和" in first.zh_raw
    assert "| zh L1s1: '母親和' deleted | twice |" in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "empty: deletes them" in page(tmp_path / "out", 0.3)


def test_a_set_that_was_corrected_is_proved_with_its_corrections_only(tmp_path: Path) -> None:
    built(tmp_path, "correct: [{zh: L1s1, from: 照願, to: 照顧, reason: misread}]")
    (tmp_path / "out" / "overrides.yaml").unlink()
    with pytest.raises(BenchError, match="'zh' does not have the letters and digits of zh_raw"):
        check(tmp_path / "out")


def test_a_part_is_split_again_by_the_name_that_the_review_page_shows(tmp_path: Path) -> None:
    built(tmp_path, "")
    first = 'split:\n  - {zh: L1s1, after: "照願；", reason: two}\n'
    built(tmp_path, first)
    assert "L1s1b" in page(tmp_path / "out", 0.3)
    built(tmp_path, first + "  - {zh: L1s1b, after: 兒童應, reason: x}\n")
    names = [name for segment in load(tmp_path / "out").segments for name in segment.zh_sentences]
    assert names[:3] == ["L1s1", "L1s1b", "L1s1c"]


def test_the_report_names_edits_and_that_the_first_files_were_not_read(tmp_path: Path) -> None:
    built(tmp_path, "")
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "built from the set's own copy of its source" in report
    assert "Reviewer" not in report
    built(
        tmp_path,
        'split: [{zh: L1s1, after: "照願；", reason: two}]\ncorrect: [{zh: L1s1, from: 照願, to: 照顧, reason: misread}]',
    )
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "| zh L1s1: split behind '照願；' | two |" in report
    assert "| zh L1s1: '照願' corrected to '照顧' | misread |" in report


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_split_is_proved(seed: int) -> None:
    """Random cuts and corrections in a gold document, with random pairs."""
    chance = random.Random(seed)
    name = chance.choice(["ocean-statement", "law-hyphenated", "joint-communique"])
    text = sources(name)[0].read_text("utf-8")
    free = build_segments(both(text))
    splits, corrections = list[Split](), list[Correction]()
    for segment in chance.sample(free.segments, 5):
        language: Language = chance.choice(list(LANGUAGE_NAMES))
        sentence = segment.text(language)
        start = chance.randrange(len(sentence))
        piece = sentence[start : start + chance.randrange(1, 12)]
        if chance.random() < 0.6:
            splits.append(Split(language, segment.sentences(language)[0], piece, "x"))
        else:
            corrections.append(Correction(language, segment.sentences(language)[0], piece, piece[::-1], "x"))
    lines = text.split("\n")
    for splits_, corrections_ in (*(([split], []) for split in splits), *(([], [c]) for c in corrections)):
        decided = random_decisions(free, len(lines), chance) if chance.random() < 0.5 else Overrides()
        decided = Overrides(decided.pairs, decided.alone, {}, tuple(splits_), tuple(corrections_))
        try:
            found = build_segments(both(text), decided)
        except BenchError:
            continue
        names: dict[Language, str] = {"zh": "source.txt", "en": "source.txt"}
        by_language: dict[Language, list[str]] = {"zh": lines, "en": lines}
        wrong = [
            *segment_faults(found.segments),
            *faults(found.segments, found.left_out, by_language, names, corrections_),
        ]
        assert not wrong, (decided.splits, decided.corrections)
