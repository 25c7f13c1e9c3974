"""A store scored by facts and obligations: a faithful system, and one that loses a prohibition, a number and a date."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.boards.rows import Board, Columns, build_board
from bench.core import Hypothesis, ReferenceSet, Scorer, Task
from bench.languages import DIRECTIONS
from bench.references.parallel import parallel_segment
from bench.scorers.facts import Facts
from bench.scorers.obligations import Obligations
from bench.scorers.sacre import Sacre
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import score
from bench.store import Store
from tests.helpers.stored import store_run

COUNT = 12
SET = ReferenceSet(
    "rules",
    "Rules (规定)",
    "zh",
    "2024-05",
    "none",
    tuple(
        replace(
            parallel_segment(
                f"1-p{place}-s1",
                f"出口经营者不得在2021年12月{place + 1}日之前出口{place + 20}件管制物项。",
                f"Exporters shall not export {place + 20} controlled items before December {place + 1}, 2021.",
            ),
            paragraph=place,
        )
        for place in range(COUNT)
    ),
)
SCORERS: dict[str, Scorer] = {
    "chrf": Sacre("chrF"),
    "facts": Facts("rules"),
    "obligations": Obligations("rules"),
}


def hypothesis(system: str, place: int, task: Task) -> Hypothesis:
    text = task.references[place]
    if system == "careless" and place == 3:
        text = text.replace("shall not", "may").replace("不得", "可以")
    if system == "careless" and place == 5:
        text = text.replace("25", "<b>52</b>")
    if system == "careless" and place == 7:
        text = text.replace(" before December 8, 2021", "").replace("在2021年12月8日之前", "")
    return Hypothesis(task.ids[place], f"{system}-{place}", text, "", (), "")


def fill(root: Path) -> list[Board]:
    store, boards = Store(root), []
    for direction in DIRECTIONS:
        task = Task(SET, direction)
        for system in ("faithful", "careless"):
            hypotheses = [hypothesis(system, place, task) for place in range(COUNT)]
            store_run(store, task, system, hypotheses, system={"name": system})
        score(store, task, SCORERS)
        compare_runs(store, task, list(SCORERS), CompareSettings())
        boards.append(build_board(store, task, Columns(list(SCORERS), "chrf")))
    return boards
