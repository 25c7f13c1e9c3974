"""All pairs of systems, side by side: `sacrebleu --paired-bs` and `--paired-ar`, and bench.scoring.compare.
13 systems on 2,000 Chinese segments; then more and more systems on the white paper's 39 segments. Six minutes
on two cores.

The references are Chinese sentences of the white paper and of the gold documents, over again until there are
enough; the hypotheses are these with characters left out, doubled and changed. The command compares one
system with others: it is measured on a few, and all pairs take as many calls, each of a system with those
after it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import cycle, islice
from math import comb
from pathlib import Path

import numpy as np
from rich.table import Table

from bench import references
from bench.core import Score, Test
from bench.references.parallel import parallel_task
from bench.scorers.sacre import Sacre
from bench.scoring.compare import Comparisons, compare
from tests.helpers.sets import BLIND, DOCUMENTS, GOLD, gold
from tests.perf import show, timed

METRICS = ("BLEU", "chrF")
FLAGS: dict[Test, str] = {"bootstrap": "--paired-bs", "randomisation": "--paired-ar"}


def chinese(count: int) -> list[str]:
    found = [segment.zh for segment in references.load("china-export-controls-2021").segments]
    for document in [*DOCUMENTS, *BLIND]:
        found += [zh for zh, _ in gold(GOLD / f"{document}.gold.tsv")]
    return list(islice(cycle(found), count))


def hypotheses(texts: list[str], rate: float, seed: int) -> list[str]:
    """Runs of up to six characters left out, written twice or written as others, so that n-grams match as
    translations' do."""
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


def systems(texts: list[str], count: int) -> dict[str, list[str]]:
    rates = np.linspace(0.3, 0.5, count)
    return {f"system-{n}": hypotheses(texts, rate, n) for n, rate in enumerate(rates)}


def scored(texts: list[str], said: dict[str, list[str]]) -> list[dict[str, Score]]:
    task = parallel_task("perf", "en-zh", texts, texts)
    return [Sacre(metric).score(task, said, Path("not written")) for metric in METRICS]


def tested(scores: list[dict[str, Score]], test: Test) -> list[Comparisons]:
    return [compare(each, test) for each in scores]


def command(folder: Path, names: list[str], test: Test) -> None:
    """The first system against all others."""
    words = [sys.executable, "-m", "sacrebleu", "reference", "-i", *names]
    words += ["-m", "bleu", "chrf", "-tok", "zh", FLAGS[test]]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def against_sacrebleu(segments: int, count: int, some: int) -> Table:
    texts = chinese(segments)
    said = systems(texts, count)
    pairs = comb(count, 2)
    title = f"{count} systems, {pairs} pairs, {segments:,} Chinese segments, BLEU and chrF"
    table = Table("what", "trials", "seconds", "ratio", "how", title=title)
    counting, scores = timed(lambda: scored(texts, said))
    table.add_row("bench: counting and scoring, once and kept", "", f"{counting:.1f}", "", "measured")
    with tempfile.TemporaryDirectory() as room:
        for name, lines in {"reference": texts, **said}.items():
            (Path(room) / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        for test, flag in FLAGS.items():
            ours, made = timed(lambda t=test: tested(scores, t))
            assert all(len(each.pairs) == pairs for each in made)
            theirs, _ = timed(lambda t=test: command(Path(room), list(said)[:some], t))
            whole = theirs / some * (pairs + count - 1)  # so many systems are counted and resampled
            trials = f"{made[0].trials:,}"
            ratio = f"1/{counting / ours:.0f} of counting" if ours < counting else ""
            table.add_row(f"bench: {test}, all pairs", trials, f"{ours:.1f}", ratio, "measured")
            what = f"sacrebleu {flag}, a system against {some - 1}"
            table.add_row(what, "its default", f"{theirs:.1f}", "", "measured")
            what = f"sacrebleu {flag}, each against those after it"
            ratio = f"bench takes 1/{whole / ours:.0f}; with counting 1/{whole / (ours + counting):.1f}"
            table.add_row(what, "its default", f"{whole:.1f}", ratio, "extrapolated")
    return table


def growth(counts: list[int]) -> Table:
    texts = chinese(39)
    table = Table("systems", "pairs", "trials", "seconds", "how")
    table.title = "bench: randomisation, 39 segments, BLEU and chrF of one direction"
    seconds, most = 0.0, counts[-1]
    for count in counts:
        scores = scored(texts, systems(texts, count))
        seconds, made = timed(lambda s=scores: tested(s, "randomisation"))
        trials = made[0].trials
        table.add_row(f"{count}", f"{comb(count, 2):,}", f"{trials:,}", f"{seconds:.1f}", "measured")
    for times in (2, 4):
        more = f"{times * most}", f"{comb(times * most, 2):,}", f"{40 * comb(times * most, 2):,}"
        table.add_row(*more, f"{seconds * times**4:,.0f}", "extrapolated: the fourth power")
    return table


def main(
    segments: int = 2000, count: int = 13, some: int = 4, counts: tuple[int, ...] = (25, 50, 100)
) -> None:
    show(against_sacrebleu(segments, count, some))
    show(growth(list(counts)))
