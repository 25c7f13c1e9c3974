"""What a store of many runs costs: `python tests/perf_store.py 100 1000 10000` prints a row of CONTRIBUTING's table for each.

The runs are made up, of the white paper in both directions: hypotheses, run.json and the scores of BLEU and chrF that
sacrebleu gives them. Each store is measured in a process of its own. Without --compare the paired tests are left out: they grow
with the square of the systems on a board, all else with their number.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench import leaderboard, progress, references, store
from bench.adapters.copy import Copy
from bench.compare.stage import compare_runs
from bench.compose import compose, scorers
from bench.core import DIRECTIONS, digest, sides
from bench.score import score
from bench.translate import translate

SET = references.load("china-export-controls-2021")
METRICS = ["bleu", "chrf"]


def fill(root: Path, runs: int, compare: bool) -> None:
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
                if compare:  # the score must be that of its segments
                    mean = sum(segments) / len(segments)
                    moved = replace(moved, metric="made up", value=mean, statistics=())
                store.write_score(run, metric, identities[metric], moved)


def measure(root: Path, compare: bool) -> None:
    """The stages of `bench run` that have nothing to do, and the board, as a row."""
    judges = scorers(compose([f"metric=[{','.join(METRICS)}]"]))
    seconds: list[float] = []

    def timed(work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        seconds.append(time.monotonic() - began)

    timed(lambda: [score(root, SET, direction, judges) for direction in DIRECTIONS])
    if compare:
        timed(lambda: [compare_runs(root, SET, direction, METRICS) for direction in DIRECTIONS])
    boards = []
    timed(lambda: boards.extend(leaderboard.build(root, SET, d, METRICS, "chrf") for d in DIRECTIONS))
    timed(lambda: leaderboard.write(root, boards))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    rows = sum(len(board.rows) for board in boards)
    print(f"| {rows:,} | {' | '.join(f'{s:.1f}' for s in seconds)} | {megabytes:,} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--measure", type=Path)
    given = parser.parse_args()
    progress.quiet = True
    if given.measure:
        return measure(given.measure, given.compare)
    columns = [
        "runs",
        "nothing to score, s",
        *(["compare, s"] if given.compare else []),
        "board, s",
        "files, s",
        "MB",
    ]
    print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}", flush=True)
    for runs in given.runs:
        with tempfile.TemporaryDirectory() as root:
            fill(Path(root), runs, given.compare)
            command = [sys.executable, __file__, "--measure", root, *(["--compare"] if given.compare else [])]
            subprocess.run(command, check=True)
    return None


if __name__ == "__main__":
    main()
