"""The notes and the summary of a board in both languages, and what its cells say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import numpy as np
import pytest

from bench.boards import notes, text
from bench.boards.rows import Board, Columns, build_board
from bench.boards.sentences import SENTENCES
from bench.boards.site import data
from bench.boards.summary import sentences, summary
from bench.boards.summary_sentences import SUMMARY
from bench.core import Flag, Score, Task
from bench.languages import DIRECTIONS, HAN
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.site_store import SET, fill
from tests.helpers.stored import store_run


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return fill(tmp_path_factory.mktemp("store"))[0]


def fields(sentence: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("words", [SENTENCES, SUMMARY])
def test_every_sentence_is_there_in_both_languages_and_says_the_same(words: Any) -> None:
    assert words["en"].keys() == words["zh"].keys()
    for key, sentence in words["en"].items():
        assert fields(sentence) == fields(words["zh"][key]), key


def test_notes_say_what_was_tested_and_how(board: Board) -> None:
    english, chinese = (" ".join(notes.notes(board, language)) for language in ("en", "zh"))
    assert (
        "The rank is a range: at best one plus the number of systems that are significantly better, at worst the "
        "number of systems minus those that are significantly worse (paired approximate-randomisation test, 10,000 "
        "trials over 12 paragraphs, Holm-corrected over all 6 pairs, α = 0.05)." in english
    )
    assert "Controls have no rank" in english
    assert "± is half the width of the 95 % confidence interval (jackknife over 12 paragraphs)." in english
    assert "The flags column counts flags; one hypothesis may have several." in english
    assert "would be found on four of five such sets" in english
    assert len(notes.notes(board, "zh")) == len(notes.notes(board, "en"))
    assert HAN.search(chinese)
    assert "以12 个段落为单位，10,000 次随机试验" in chinese


def test_the_bootstrap_resamples(tmp_path: Path) -> None:
    fill(tmp_path)
    store, task = Store(tmp_path), Task(SET, "zh-en")
    compare_runs(store, task, ["comet"], CompareSettings(test="bootstrap", unit="segment"))
    said = " ".join(notes.notes(build_board(store, task, Columns(["comet"], "comet"))))
    assert "paired bootstrap test, 1,000 resamples of 120 segments, Holm-corrected" in said


def test_few_units_are_said(tmp_path: Path) -> None:
    fill(tmp_path)
    store = Store(tmp_path)
    few = replace(
        SET, segments=tuple(replace(s, paragraph=1, section=str(n // 30)) for n, s in enumerate(SET.segments))
    )
    compare_runs(store, Task(few, "zh-en"), ["comet"], CompareSettings())
    said = notes.notes(build_board(store, Task(few, "zh-en"), Columns(["comet"], "comet")))
    assert (
        "There are only 4 paragraphs: intervals are wide, and hardly any difference can be significant."
        in said
    )


def test_differences_between_neighbours(board: Board) -> None:
    first, second, last = notes.differences(board)
    assert first.startswith("alpha vs. beta: COMET +0.0700 [")
    assert first.endswith("significant")
    assert second == "beta vs. gamma: COMET +0.0000 [0.0000, 0.0000], p adjusted = 1.000; not significant"
    assert "p adjusted = 0.0" in last
    assert last.endswith("; significant")  # nobody asked judges about a control
    assert "score of the upper row minus score of the lower row" in notes.explain_differences()


def test_of_a_lower_better_metric_the_difference_is_upper_minus_lower_too(tmp_path: Path) -> None:
    fill(tmp_path)
    board = build_board(Store(tmp_path), Task(SET, "zh-en"), Columns(["ter"], "ter"))
    assert notes.differences(board)[0].startswith("alpha vs. beta: TER -7.0 [")


def test_chrfpp_into_chinese_has_a_remark(tmp_path: Path) -> None:
    fill(tmp_path)
    into = {
        direction: notes.notes(
            build_board(Store(tmp_path), Task(SET, direction), Columns(["chrfpp"], "chrfpp"))
        )
        for direction in DIRECTIONS
    }
    assert any("prefer chrF" in note for note in into["en-zh"])
    assert not any("prefer chrF" in note for note in into["zh-en"])


# The summary


def test_the_first_sentence_says_which_is_best_by_how_much_and_whether_that_is_real(board: Board) -> None:
    first, *others = sentences(board)
    assert re.fullmatch(
        r"alpha has the best COMET of 3 systems, 0\.8730 ± 0\.0100: significantly better than every other, "
        r"by 0\.0700 COMET or more \(p adjusted ≤ 0\.00\d\)\.",
        first,
    ), first
    assert others[0] == "Tested: Chinese to English, 120 segments of Laws (法律)."
    said = summary(board)
    assert said.startswith(first)
    assert "Every system is significantly better than parrot (a control without a translation model)." in said
    assert "All systems may have seen this text in training (†)." in said
    assert "Outputs with problems (see flags): 1 in gamma." in said
    chinese = summary(board, "zh")
    assert chinese.startswith(
        "3 个系统中，alpha 的 COMET 最好，为 0.8730 ± 0.0100：显著优于其他所有系统，至少领先 0.0700 COMET"
    )


def test_a_significant_difference_is_stated_with_its_size(tmp_path: Path) -> None:
    said = summary(apart(tmp_path, {"first": 60, "second": 59.9, "third": 40, "fourth": 30}))
    assert (
        "first has the best chrF of 4 systems, 60.0 ± 1.0: significantly better than 2 of the other 3" in said
    )
    assert re.search(
        r"by 20\.0 chrF or more \(p adjusted ≤ 0\.\d+\), but not shown to be better than second\.", said
    )
    assert (
        "In WMT's human evaluations of other systems, people agreed with such a lead in about 93 % of pairs"
        in said
    )


def test_the_only_other_one(tmp_path: Path) -> None:
    said = summary(apart(tmp_path, {"first": 60, "third": 40}))
    assert "significantly better than the other, by 20.0 chrF (p adjusted" in said
    alone = summary(apart(tmp_path / "alone", {"first": 60}))
    assert alone.startswith("first scores 60.0 ± 1.0 by chrF. Tested: ")
    assert "best" not in alone


def test_a_tie_is_no_victory(tmp_path: Path) -> None:
    said = summary(apart(tmp_path, {"first": 60, "second": 59.9}))
    assert "60.0 ± 1.0, but the tests do not show that it is better than any other." in said
    assert "significantly" not in said


def test_without_tests_nothing_is_claimed(tmp_path: Path) -> None:
    board = apart(tmp_path, {"first": 60, "third": 40})
    untested = summary(replace(board, comparisons={}))
    assert "no tests were made, so that the order may be chance." in untested
    assert "significantly" not in untested


def apart(root: Path, values: dict[str, float]) -> Board:
    """Systems with these scores on average."""
    store, task = Store(root), Task(SET, "zh-en")
    rng = np.random.default_rng(1)
    for name, value in values.items():
        run = store_run(store, task, name)
        noise = rng.normal(0, 2, size=len(task.ids))
        segments = tuple((value + noise - noise.mean()).tolist())
        store.write_score(
            run, "chrf", "scorer", Score("chrF", value, (value - 1, value + 1), "chrF", segments)
        )
    compare_runs(store, task, ["chrf"], CompareSettings())
    return build_board(store, task, Columns(["chrf"], "chrf"))


# Cells


@pytest.mark.parametrize(
    ("adapter", "control", "device", "cells", "site"),
    [
        ("llm", False, "cpu", ["2.5", "cpu"], (2.5, "cpu")),
        ("copy", True, "cpu", ["–", "cpu"], (None, "cpu")),
        ("hypotheses", False, "none", ["–", "–"], (None, None)),
    ],
)
def test_speed_and_device_are_only_those_of_a_translation(
    tmp_path: Path,
    adapter: str,
    control: bool,
    device: str,
    cells: list[str],
    site: tuple[float | None, str | None],
) -> None:
    store, task = Store(tmp_path), Task(SET, "zh-en")
    system, work = {"name": "a", "control": control}, {"segments_per_second": 2.5, "device": device}
    store_run(store, task, "a", system=system, adapter={"adapter": adapter}, work=work)
    board = build_board(store, task, Columns(["chrf"], "chrf"))
    assert text.cells(board.rows[0], board, ["speed", "device"])[1:] == cells
    row = data._row(board.rows[0], board)
    assert (row["speed"], row["device"]) == site


def test_every_flag_has_a_word_in_both_languages_on_boards_and_on_the_site() -> None:
    words = (Path(text.__file__).parent / "site/static/words.js").read_text("utf-8")
    for flag in get_args(Flag):
        assert all(SENTENCES[language][f"flag {flag}"] for language in ("en", "zh")), flag
        if flag != "error":
            assert len(re.findall(rf'(?<![\w-])"?{flag}"?: "', words)) == 2, flag
