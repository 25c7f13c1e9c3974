"""What a store of many runs costs: invented runs of the white paper in both directions, with sacrebleu's BLEU
and chrF.

Four minutes on two cores. Each store is measured in a process of its own. Paired tests are left out: they
grow with the fourth power of the systems on a board (tests/perf/compare.py), everything else with their
number.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from bench import references
from bench.adapters.copy import Copy
from bench.boards.rows import Columns, build_board
from bench.boards.write import write_boards
from bench.core import Task
from bench.languages import DIRECTIONS
from bench.launching.compose import compose, scorers
from bench.launching.jobs import translation_job
from bench.records import SystemCard
from bench.scoring.driver import hash_of, unscored_runs
from bench.store import Store
from bench.store.run import read_run, write_run
from bench.translation.driver import TranslationJob, translate
from tests.perf import show, timed

SET = references.load("china-export-controls-2021")
TASKS = [Task(SET, direction) for direction in DIRECTIONS]
COLUMNS = Columns(["bleu", "chrf"], "chrf")


def fill(root: Path, runs: int) -> None:
    """A real run of a copy and its real scores, changed at random: only their size matters."""
    store, chance = Store(root), random.Random(1)
    metric_scorers = scorers(compose([f"metric=[{','.join(COLUMNS.metrics)}]"]))
    hashes = {metric: hash_of(scorer) for metric, scorer in metric_scorers.items()}
    for task in TASKS:
        texts = {"x": task.sources}
        scores = {metric: scorer.score(task, texts, root)["x"] for metric, scorer in metric_scorers.items()}
        with tempfile.TemporaryDirectory() as folder:
            translate(TranslationJob(task, Copy(task.direction), SystemCard("copy"), Path(folder), 1))
            real_run = read_run(Path(folder))
            assert real_run
            hypotheses = real_run.hypotheses()
        for number in range(runs // 2):
            folder_of_run = store.run_folder(task, f"system{number}", f"{number:08x}")
            changed = [replace(h, text=f"{h.text} {number}") for h in hypotheses]
            write_run(folder_of_run, changed, {**real_run.document, "system": {"name": f"system{number}"}})
            run = read_run(folder_of_run)
            assert run
            for metric, real_score in scores.items():
                segments = tuple((value or 0.0) + chance.random() for value in real_score.segments)
                invented = replace(real_score, value=chance.uniform(0, 60), segments=segments)
                store.write_score(run, metric, hashes[metric], invented)


def measure(root: Path) -> None:
    """The stages of `bench run` that have nothing to do, and the board: prints seconds of each, MB, files."""
    store = Store(root)
    metric_scorers = scorers(compose([f"metric=[{','.join(COLUMNS.metrics)}]"]))
    megabytes = _megabytes()
    scoring, _ = timed(
        lambda: [unscored_runs(store, task, *item) for task in TASKS for item in metric_scorers.items()]
    )
    building, boards = timed(lambda: [build_board(store, task, COLUMNS) for task in TASKS])
    writing, _ = timed(lambda: write_boards(store, boards))
    files = sum(path.is_file() for path in root.rglob("*"))
    print(f"{scoring:.1f} {building:.1f} {writing:.1f} {megabytes} {_megabytes()} {files:,}")


def _megabytes() -> int:
    """Peak memory of this process (Linux); getrusage would include its parent's."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) >> 10


def main(sizes: tuple[int, ...] = (10, 100, 1000, 10_000), jobs: int = 20) -> None:
    headings = ("runs", "nothing to score, s", "board, s", "files written, s", "MB before", "MB", "files")
    table = Table(*headings, title=f"The store: runs of {len(SET.segments)} segments, two metrics")
    for runs in sizes:
        with tempfile.TemporaryDirectory() as root:
            fill(Path(root), runs)
            command = [sys.executable, "-m", "tests.perf.store", root]
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
            )
            table.add_row(f"{runs:,}", *done.stdout.split())
    overrides = ["system=gemma-3-270m", "direction=zh-en"]
    seconds, _ = timed(lambda: [translation_job(compose(overrides), SET) for _ in range(jobs)])
    table.caption = f"Composing a job and setting it up: {1000 * seconds / jobs:.0f} ms, mean of {jobs}."
    show(table)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
