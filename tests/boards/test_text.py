"""The notes of a board in both languages, and the narrow board of README.md."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest

from bench.boards import formats, text
from bench.boards.rows import Board, Columns, build_board
from bench.boards.sentences import SENTENCES
from bench.boards.site import data
from bench.core import Score, Task
from bench.languages import HAN
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.site_store import SET, fill
from tests.helpers.stored import store_run


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return fill(tmp_path_factory.mktemp("store"))[0]


def fields(sentence: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(sentence) if name}


def test_every_sentence_is_there_in_both_languages_and_says_the_same() -> None:
    assert SENTENCES["en"].keys() == SENTENCES["zh"].keys()
    for key, sentence in SENTENCES["en"].items():
        assert fields(sentence) == fields(SENTENCES["zh"][key]), key


def test_notes_say_what_was_tested_and_how(board: Board) -> None:
    english, chinese = (" ".join(text.notes(board, language)) for language in ("en", "zh"))
    assert (
        "Systems form clusters, as small as possible: every system of a cluster is significantly better than "
        "every system of the lower clusters (paired approximate-randomisation test, 10,000 trials over segments, "
        "Holm-corrected over all pairs, α = 0.05). All systems of a cluster have the same rank: one plus the "
        "number of systems in higher clusters." in english
    )
    assert "± is half the width of the 95 % bootstrap confidence interval." in english
    assert "The flags column counts flags; one hypothesis may have several." in english
    assert "Minimum detectable difference on this set (80 % power, median pair): COMET 0.0" in english
    assert len(text.notes(board, "zh")) == len(text.notes(board, "en"))
    assert HAN.search(chinese)
    assert "10,000 次随机试验" in chinese


def test_the_bootstrap_resamples(tmp_path: Path) -> None:
    fill(tmp_path)
    store, task = Store(tmp_path), Task(SET, "zh-en")
    compare_runs(store, task, ["comet"], CompareSettings(test="bootstrap", unit="paragraph"))
    notes = " ".join(text.notes(build_board(store, task, Columns(["comet"], "comet"))))
    assert "paired bootstrap test, 1,000 resamples of paragraphs, Holm-corrected" in notes


def test_differences_between_neighbours(board: Board) -> None:
    first, *_ = text.differences(board)
    assert first.startswith("alpha vs. beta: COMET +0.0700 [")
    assert first.endswith("], p adjusted < 0.001")  # no human agreement is known for this metric
    explanation = text.explain_differences(board)
    assert "score of the upper row minus score of the lower row" in explanation
    assert "human agreement" not in explanation


def test_of_a_lower_better_metric_the_difference_is_upper_minus_lower_too(tmp_path: Path) -> None:
    fill(tmp_path)
    board = build_board(Store(tmp_path), Task(SET, "zh-en"), Columns(["ter"], "ter"))
    assert text.differences(board)[0].startswith("alpha vs. beta: TER -7.0 [")


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
    assert text.cells(board.rows[0], board)[-2:] == cells
    row = data._row(board.rows[0], board)
    assert (row["speed"], row["device"]) == site


def scored(root: Path, metrics: dict[str, str]) -> Board:
    store, task = Store(root), Task(SET, "zh-en")
    for name in ("one", "two"):
        run = store_run(store, task, name)
        for metric, label in metrics.items():
            values = tuple(float(place) for place in range(len(task.ids)))
            store.write_score(run, metric, "scorer", Score(label, 59.5, (58.0, 61.0), label, values))
    compare_runs(store, task, list(metrics), CompareSettings())
    return build_board(store, task, Columns(list(metrics), "chrf"))


def test_the_narrow_board(tmp_path: Path) -> None:
    """The primary metric with its ranks, then BLEU and COMET; the complete tables keep everything."""
    metrics = {
        "bleu": "BLEU",
        "chrf": "chrF",
        "ter": "TER",
        "comet-embedded": "COMET (embedded)",
        "comet": "COMET",
    }
    board = scored(tmp_path, metrics)
    lines = formats.first_rows([board], "results/laws/", 1)
    assert lines[0] == "### Chinese → English"
    assert lines[2] == "| system | chrF ↑ | BLEU ↑ | COMET (embedded) ↑ | flags |"
    assert lines[3] == "| --- | ---: | ---: | ---: | --- |"
    assert lines[4] == (
        "| [one](results/laws/zh-en/one-01234567/hypotheses.jsonl) "
        "| 59.5 ± 1.5 (1) | 59.5 ± 1.5 | 59.5 ± 1.5 | 0 |"
    )
    assert "- Top 1 of 2 systems." in lines
    complete = formats.complete_tables([board])
    assert complete[0] == "## Chinese → English"
    assert complete[2].count("|") == 1 + 6 + len(metrics)


def test_a_narrow_board_without_bleu_and_comet(tmp_path: Path) -> None:
    board = scored(tmp_path, {"chrf": "chrF", "ter": "TER"})
    assert text.narrow(board).metrics == ["chrf"]
