"""The paragraph above a board, where a number is small or a board has few systems."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.boards.rows import Columns, build_board
from bench.boards.summary import summary
from bench.core import Score, Task
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.site_store import SET
from tests.helpers.stored import hypothesis, store_run

TASK = Task(SET, "zh-en")
COUNT = len(TASK.ids)


def paragraph(root: Path, systems: dict[str, float], flagged: int = 0) -> str:
    """Of systems with a mean score each; the first has that many flagged outputs."""
    store, noise = Store(root), np.random.default_rng(1).normal(0, 1e-4, COUNT)
    for name, mean in systems.items():
        is_flagged = name == next(iter(systems))
        texts = [
            hypothesis(id, name, flags=("copied",) if is_flagged and place < flagged else ())
            for place, id in enumerate(TASK.ids)
        ]
        flags = {"copied": flagged} if is_flagged and flagged else {}
        run = store_run(store, TASK, name, texts, flags=flags)
        values = mean + noise * (1 + len(name))
        store.write_score(run, "m", "s", Score("M", float(values.mean()), None, "m", tuple(values.tolist())))
    compare_runs(store, TASK, ["m"], CompareSettings())
    return summary(build_board(store, TASK, Columns(["m"], "m")))


def test_nobody_is_better_by_nothing(tmp_path: Path) -> None:
    text = paragraph(tmp_path, {"aa": 10.0031, "bbb": 10.0})
    assert "significantly better" in text
    assert "by 0.003 M" in text
    assert "0.0 M" not in text


def test_one_system(tmp_path: Path) -> None:
    text = paragraph(tmp_path, {"alone": 50.0}, flagged=7)
    assert "7 in alone" in text
    assert "systems" not in text
