"""Scores without differences of width and quotation marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sacrebleu

from bench.boards.notes import notes
from bench.boards.rows import Columns, build_board
from bench.core import Task
from bench.errors import BenchError
from bench.scorers.sacre import Sacre, fold
from bench.scoring import driver
from bench.store import Store
from tests.helpers.site_store import SET
from tests.helpers.stored import hypothesis, store_run

SMALL = replace(
    SET,
    segments=tuple(
        replace(segment, zh=f"第{n}条：国家对“两用物项”实行管制，依法（２０２１年）处理。")
        for n, segment in enumerate(SET.segments[:20])
    ),
)
TASK = Task(SMALL, "en-zh")
HALF = [
    f'第{n}条:国家对"两用物项"实行管制,依法(2021年)处理.' if n % 3 else f"第{n}条:国家对'两用物品'管制."
    for n in range(20)
]


@pytest.mark.parametrize(
    ("metric", "compute"), [("BLEU", sacrebleu.corpus_bleu), ("chrF", sacrebleu.corpus_chrf)]
)
def test_a_folded_score_is_that_of_folded_texts(metric: Any, compute: Any, tmp_path: Path) -> None:
    score = Sacre(metric, folded=True).score(TASK, {"a": HALF}, tmp_path)["a"]
    texts = [fold(text) for text in HALF]
    references = [fold(text) for text in TASK.references]
    options = {"tokenize": "zh"} if metric == "BLEU" else {}
    assert score.value == compute(texts, [references], **options).score
    assert score.metric == f"{metric} (folded)"
    assert score.signature.endswith("|fold:width,quotes")
    assert Sacre(metric).score(TASK, {"a": HALF}, tmp_path)["a"].value < score.value


def test_what_is_folded() -> None:
    assert fold("“Ａ１，Ｂ。”　『x』 ‘y’、《z》——…") == '"A1,B." "x" \'y\'、《z》——…'


def test_a_note_says_where_typography_alone_moves_a_score(tmp_path: Path) -> None:
    store = Store(tmp_path)
    metrics = {"chrf": Sacre("chrF"), "chrf-folded": Sacre("chrF", folded=True)}
    texts = {"half": HALF, "full": [*TASK.references[:-1], "别的"]}
    for name, lines in texts.items():
        hypotheses = [hypothesis(id, text) for id, text in zip(TASK.ids, lines, strict=True)]
        store_run(store, TASK, name, hypotheses)
    driver.score(store, TASK, metrics)
    board = build_board(store, TASK, Columns(list(metrics), "chrf"))
    values = {row.system: row.scores for row in board.rows}
    before, after = (values["half"][metric].value for metric in metrics)  # type: ignore[union-attr]
    (note,) = (note for note in notes(board) if "typography" in note.lower() or "quotation marks" in note)
    assert note == (
        "Width of characters and quotation marks alone change chrF by more than half the width of the interval. "
        f"Without these differences: half from {before:.1f} to {after:.1f}."
    )
    assert any(f"half 由 {before:.1f} 变为 {after:.1f}" in note for note in notes(board, "zh"))


def test_a_metric_is_raw_or_folded() -> None:
    with pytest.raises(BenchError, match="either raw or folded"):
        Sacre("BLEU", raw=True, folded=True)
