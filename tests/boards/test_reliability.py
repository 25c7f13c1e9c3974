"""The figures under boards are those of docs/metrics.md."""

from __future__ import annotations

import re
from pathlib import Path

from bench.boards.notes import notes
from bench.boards.reliability import JUDGED
from bench.boards.rows import Columns, build_board
from bench.core import Score, Task
from bench.store import Store
from tests.helpers.site_store import SET
from tests.helpers.stored import store_run

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "docs" / "metrics.md", ROOT / "bench" / "scorers" / "comet_embedded" / "README.md"]
NAMES = {"chrf": "chrF", "bleu": "BLEU", "comet-embedded": "COMET (embedded)"}


def documented() -> set[tuple[str, str, float]]:
    """File, metric, system accuracy: from the tables that `bench meta-evaluate --markdown` has printed."""
    figures: set[tuple[str, str, float]] = set()
    file, column = "", 0
    for line in (line for path in DOCUMENTS for line in path.read_text("utf-8").splitlines()):
        if title := re.match(r"\*\*(\S+\.csv\.gz), ", line):
            file, column = title[1], 0
        cells = [cell.strip() for cell in line.split("|")]
        if heads := [place for place, cell in enumerate(cells) if cell.startswith("systems (")]:
            column = heads[0]
        elif column and len(cells) > column and (value := re.match(r"(\d\.\d+) \[", cells[column])):
            figures.add((file, cells[1], float(value[1])))
    return figures


def test_the_figures_are_those_of_the_documents() -> None:
    given = {
        (judged.file, NAMES[metric], value)
        for sets in JUDGED.values()
        for judged in sets
        for metric, value in judged.systems.items()
    }
    figures = documented()
    assert len(given) == 12
    assert given <= figures
    # One figure for a file and a metric, in whichever document it is.
    assert len({figure[:2] for figure in figures}) == len(figures)


def test_a_board_states_the_figures_of_its_direction(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for direction, sets in JUDGED.items():
        task = Task(SET, direction)
        run = store_run(store, task, "a")
        for metric in ("chrf", "ter"):
            segments = tuple(float(n) for n in range(len(task.ids)))
            score = Score(NAMES.get(metric, "TER"), sum(segments) / len(segments), None, "s", segments)
            store.write_score(run, metric, "hash", score)
        board = build_board(store, task, Columns(["chrf", "ter"], "chrf"))
        (note,) = (note for note in notes(board) if note.startswith("Share of pairs"))
        figures = [f"{judged.systems['chrf']:.0%}" for judged in sets]
        assert note.endswith(f": chrF {' / '.join(figures)}.")
        assert "TER" not in note
        assert any("随机水平" in note for note in notes(board, "zh"))
