"""What a store of many runs costs: of the white paper in both directions, made up, with hypotheses, run.json and the scores of BLEU
and chrF that sacrebleu gives them. Four minutes on two cores.

Each store is measured in a process of its own. The paired tests are left out: they grow with the fourth power of the systems on
a board (perf/compare.py), all else with their number.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from bench import references, store
from bench.adapters.copy import Copy
from bench.core import digest
from bench.languages import DIRECTIONS, sides
from bench.launching.compose import compose, scorers
from bench.launching.jobs import Job
from bench.scoring.driver import score
from bench.translation.driver import translate
from tests.perf import show, timed

SET = references.load("china-export-controls-2021")
METRICS = ["bleu", "chrf"]


def fill(root: Path, runs: int) -> None:
    """A real run of a copy and its real scores, moved by chance: what counts is their size."""
    chance = random.Random(1)
    judges = scorers(compose([f"metric=[{','.join(METRICS)}]"]))
    for direction in DIRECTIONS:
        source, target = sides(direction)
        texts = [segment.text(source) for segment in SET.segments]
        right = [segment.text(target) for segment in SET.segments]
        scores = {m: judge.score(direction, texts, right, {"x": texts})["x"] for m, judge in judges.items()}
        identities = {metric: digest(judge.identity()) for metric, judge in judges.items()}
        with tempfile.TemporaryDirectory() as copied:
            translate(Copy(), SET, direction, Path(copied), {"name": "copy"}, 1)
            real = store.read_run(Path(copied))
            assert real
            hypotheses = real.hypotheses()
        for number in range(runs // 2):
            folder = store.run_folder(root, SET.id, direction, f"system{number}", f"{number:08x}")
            own = [replace(h, text=f"{h.text} {number}") for h in hypotheses]
            store.write_run(folder, own, {**real.record, "system": {"name": f"system{number}"}})
            run = store.read_run(folder)
            assert run
            for metric, real_score in scores.items():
                segments = tuple(value + chance.random() for value in real_score.segments)
                moved = replace(real_score, value=chance.uniform(0, 60), segments=segments)
                store.write_score(run, metric, identities[metric], moved)


def measure(root: Path) -> None:
    """The stages of `bench run` that have nothing to do, and the board: prints seconds of each, MB, files."""
    judges = scorers(compose([f"metric=[{','.join(METRICS)}]"]))
    before = _megabytes()
    scoring, _ = timed(lambda: [score(root, SET, direction, judges) for direction in DIRECTIONS])
    building, boards = timed(lambda: [boards.build(root, SET, d, METRICS, "chrf") for d in DIRECTIONS])
    writing, _ = timed(lambda: boards.write(root, boards))
    files = sum(path.is_file() for path in root.rglob("*"))
    print(f"{scoring:.1f} {building:.1f} {writing:.1f} {before} {_megabytes()} {files:,}")


def _megabytes() -> int:
    """The most that this process ever held (Linux); getrusage would tell of its parent, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) >> 10


def main(sizes: tuple[int, ...] = (10, 100, 1000, 10_000), jobs: int = 20) -> None:
    heads = ("runs", "nothing to score, s", "board, s", "files written, s", "MB before", "MB", "files")
    table = Table(*heads, title=f"The store: runs of {len(SET.segments)} segments, two metrics")
    for runs in sizes:
        with tempfile.TemporaryDirectory() as root:
            fill(Path(root), runs)
            command = [sys.executable, "-m", "perf.store", root]
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
            )
            table.add_row(f"{runs:,}", *done.stdout.split())
    words = ["system=gemma-3-270m", "direction=zh-en"]
    seconds, _ = timed(lambda: [Job.of(compose(words)) for _ in range(jobs)])
    table.caption = f"Composing a job and setting it up: {1000 * seconds / jobs:.0f} ms, of {jobs}."
    show(table)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
