"""Scores of answers before cleaning: columns of their own, and a note where cleaning mattered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench import references
from bench.boards.notes import notes
from bench.boards.rows import Columns, build_board
from bench.core import Task
from bench.scorers.sacre import Sacre
from bench.scoring.driver import score
from bench.store import Store
from tests.helpers.stored import hypothesis, store_run

TASK = Task(references.load("china-export-controls-2021"), "zh-en")


def test_a_raw_column_scores_the_answers_as_they_came(tmp_path: Path) -> None:
    store = Store(tmp_path)
    perfect = [hypothesis(id, text) for id, text in zip(TASK.ids, TASK.references, strict=True)]
    thoughts = "First I think about the terms, then about the register, then about the rest. " * 9
    wrapped = [replace(h, raw=f"<think>{thoughts}</think>{h.text}") for h in perfect]
    store_run(store, TASK, "plain", perfect)
    store_run(store, TASK, "thinker", wrapped)
    scorers = {"chrf": Sacre("chrF"), "chrf-raw": Sacre("chrF", raw=True)}
    score(store, TASK, scorers)
    runs = {run.system: run for run in store.runs(TASK)}
    scores = {
        (system, metric): store.score(run, metric) for system, run in runs.items() for metric in scorers
    }
    values = {key: stored.value for key, stored in scores.items() if stored}
    assert values["plain", "chrf"] == values["plain", "chrf-raw"] == values["thinker", "chrf"]
    # sacrebleu's own number for the very same strings
    direct = Sacre("chrF").score(TASK, {"it": [h.raw for h in wrapped]}, tmp_path)["it"]
    assert values["thinker", "chrf-raw"] == direct.value < 70
    raw = scores["thinker", "chrf-raw"]
    assert raw is not None
    assert raw.metric == "chrF (raw)"
    assert raw.signature == direct.signature.replace("chrF", "chrF (raw)", 1)

    board = build_board(store, TASK, Columns(["chrf", "chrf-raw"], "chrf"))
    (note,) = [note for note in notes(board) if note.startswith("Cleaning")]
    assert f"thinker from {direct.value:.1f} to 100.0" in note
    assert "plain" not in note
    (note,) = [note for note in notes(board, "zh") if note.startswith("清理")]
    assert "thinker" in note
