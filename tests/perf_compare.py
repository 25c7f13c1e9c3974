"""All pairs of systems, side by side: `sacrebleu --paired-bs` and `--paired-ar`, and bench.compare.

    python tests/perf_compare.py [SEGMENTS [SYSTEMS]]      2000 and 13: a quarter of an hour on one core

The references are Chinese sentences of the white paper and of the gold documents, over again until there are enough; the
hypotheses are these with characters left out, doubled and changed. Nothing here is a test: speeds belong to a machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sets import BLIND, DOCUMENTS, GOLD, gold

from bench import references
from bench.compare import Comparisons, Test, compare
from bench.core import Score
from bench.scorers.sacre import Sacre

FLAGS: dict[Test, str] = {"bootstrap": "--paired-bs", "randomisation": "--paired-ar"}


def chinese(count: int) -> list[str]:
    found = [segment.zh for segment in references.load("china-export-controls-2021").segments]
    for document in [*DOCUMENTS, *BLIND]:
        found += [zh for zh, _ in gold(GOLD / f"{document}.gold.tsv")]
    return list(islice(cycle(found), count))


def hypotheses(texts: list[str], rate: float, seed: int) -> list[str]:
    """Runs of up to six characters left out, written twice or written as others, so that n-grams match as translations' do."""
    rng = np.random.default_rng(seed)
    made = []
    for text in texts:
        out, place = "", 0
        while place < len(text):
            run = text[place : place + int(rng.integers(1, 7))]
            wrong = ["", run + run, "的" * len(run)]
            out += wrong[rng.integers(3)] if rng.random() < rate else run
            place += len(run)
        made.append(out)
    return made


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def command(folder: Path, names: list[str], test: Test) -> float:
    """Seconds of one run: the first system against all others."""
    words = [
        sys.executable,
        "-m",
        "sacrebleu",
        "reference",
        "-i",
        *names,
        "-m",
        "bleu",
        "chrf",
        "-tok",
        "zh",
        FLAGS[test],
    ]
    return timed(lambda: subprocess.run(words, cwd=folder, check=True, capture_output=True))[0]


def main(segments: int = 2000, count: int = 13) -> None:
    texts = chinese(segments)
    rates = np.linspace(0.3, 0.5, count)
    systems = {f"system-{n}": hypotheses(texts, rate, n) for n, rate in enumerate(rates)}
    pairs = count * (count - 1) // 2
    scores: dict[str, dict[str, Score]] = {}
    counting = 0.0
    for metric in ("BLEU", "chrF"):
        seconds, scores[metric] = timed(lambda m=metric: Sacre(m).score("en-zh", texts, texts, systems))
        counting += seconds

    table = Table(
        "what", "resamples", "seconds", "ratio", title=f"{pairs} pairs, {segments} segments, BLEU and chrF"
    )
    table.add_row("bench: counting and scoring, once and kept", "", f"{counting:.1f}", "")
    with tempfile.TemporaryDirectory() as room:
        for name, lines in {"reference": texts, **systems}.items():
            (Path(room) / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        for test, flag in FLAGS.items():
            ours, made = timed(lambda t=test: [compare(each, t) for each in scores.values()])
            assert all(isinstance(each, Comparisons) and len(each.pairs) == pairs for each in made)
            theirs = command(Path(room), list(systems), test)
            # Each baseline against those after it: so many systems are counted and resampled.
            whole = theirs / count * (pairs + count - 1)
            table.add_row(
                f"bench: {test}",
                f"{made[0].resamples:,}",
                f"{ours:.1f}",
                f"{counting / ours:.0f} x less than counting",
            )
            table.add_row(f"sacrebleu {flag}, one baseline", "default", f"{theirs:.1f}", "")
            table.add_row(
                f"sacrebleu {flag}, each against those after it (extrapolated)",
                "default",
                f"{whole:.1f}",
                f"bench takes 1/{whole / ours:.0f}; with counting 1/{whole / (ours + counting):.1f}",
            )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
