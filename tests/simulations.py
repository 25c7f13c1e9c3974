"""How often intervals hold the true score, and how often tests call equal systems different.

    python -m tests.simulations                        on texts of the repository's reference set
    python -m tests.simulations JUDGEMENTS.csv.gz …    coverage on the outputs of a file of `bench meta-evaluate`

Coverage: a population of segments is drawn from, with replacement, and the population's own score is the true one.
False positives: two systems are equal, but a document is easy for one or the other. Their outputs come from the
same noise at a level that is drawn for each system and document.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import references
from bench.core import Score, Task, Test
from bench.languages import Direction
from bench.references.parallel import parallel_task
from bench.scorers.sacre import Sacre
from bench.scoring import formulas, intervals, judgements, units
from bench.scoring.compare import compare
from bench.scoring.units import Units

Array = NDArray[np.float64]

SIZES = (20, 39, 100, 500)
METRICS = ("BLEU", "chrF", "TER")
LEVELS = (0.05, 0.12, 0.2, 0.3)
"""Shares of the words that are left out of a document."""
DOCUMENT_SIZES = (8, 40)
_COPIES = 10  # of the segments of the reference set
_PARTIAL = Path("not written")


# Populations: two systems, [system, statistic, segment]


@cache
def _population(metric: str) -> Array:
    """Two systems that leave out words of the set's English texts."""
    texts = [segment.en for segment in references.load("china-export-controls-2021").segments] * _COPIES
    task = parallel_task("population", "zh-en", texts, texts)
    outputs = {f"{level}": _without_words(texts, level, seed) for seed, level in enumerate((0.1, 0.2))}
    return _statistics(metric, task, outputs)


def _without_words(texts: Sequence[str], share: float, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(word for word in text.split() if rng.random() > share) for text in texts]


def _statistics(metric: str, task: Task, outputs: dict[str, list[str]]) -> Array:
    scores = Sacre(metric).score(task, outputs, _PARTIAL)  # type: ignore[arg-type]
    return np.stack([units.statistics(score) for score in scores.values()])


def judged_population(path: Path, metric: str) -> Array:
    """The two systems of a file with the most judgements; "judgement" is the mean of the judgements."""
    rows = judgements.read(path)
    by_system: dict[str, dict[tuple[str, str], judgements.Judgement]] = {}
    for row in rows:
        by_system.setdefault(row.system, {})[row.document, row.segment] = row
    first, second = sorted(by_system.values(), key=len, reverse=True)[:2]
    shared = [key for key in first if key in second]
    if metric == "judgement":
        values = [[float(system[key].score) for key in shared] for system in (first, second)]
        return np.array([[row, [1.0] * len(row)] for row in values])
    direction: Direction = "zh-en" if rows[0].pair == "zh-en" else "en-zh"
    task = parallel_task(
        "judged", direction, [first[k].source for k in shared], [first[k].reference for k in shared]
    )
    outputs = {
        name: [system[k].hypothesis for k in shared]
        for name, system in zip("ab", (first, second), strict=True)
    }
    return _statistics(metric, task, outputs)


# Coverage


def coverage(population: Array, formula: formulas.Formula, size: int, sets: int, seed: int) -> Array:
    """[score or difference, interval]: how often the 95 % interval holds the true value. The intervals are ours,
    the percentile bootstrap's, and sacrebleu's."""
    rng = np.random.default_rng(seed)
    truth = formula(population.sum(axis=2).T)
    held = np.zeros((2, 3))
    for _ in range(sets):
        sample = population[:, :, rng.integers(population.shape[2], size=size)]
        scores, without = formula(sample.sum(axis=2).T), intervals.leave_one_out(sample, formula)
        times = rng.multinomial(size, np.full(size, 1 / size), size=400).astype(float)
        resampled = formula(np.moveaxis(sample @ times.T, 0, 1))
        for row, (true, value, left_out, drawn) in enumerate(
            (
                (truth[0], scores[0], without[0], resampled[0]),
                (
                    truth[0] - truth[1],
                    scores[0] - scores[1],
                    without[0] - without[1],
                    resampled[0] - resampled[1],
                ),
            )
        ):
            low, high = np.percentile(drawn, [2.5, 97.5])
            half = (high - low) / 2
            ours = intervals.interval(value, left_out)
            assert ours
            ends = (ours, (low, high), (drawn.mean() - half, drawn.mean() + half))
            held[row] += [below <= true <= above for below, above in ends]
    return held / sets


# False positives


@cache
def _levels(metric: str) -> Array:
    """[level, statistic, segment]: outputs with more and more errors."""
    texts = [segment.en for segment in references.load("china-export-controls-2021").segments] * _COPIES
    task = parallel_task("levels", "zh-en", texts, texts)
    return _statistics(metric, task, {f"{s}": _without_words(texts, s, n) for n, s in enumerate(LEVELS)})


def false_positives(metric: str, unit: str, sets: int, seed: int, test: Test = "randomisation") -> float:
    """How often two equal systems are called different at the 5 % level. `unit`: "document" or "segment"."""
    levels, called = _levels(metric), 0
    aggregation = {"BLEU": "bleu", "chrF": "chrf", "TER": "ratio"}[metric]
    for number in range(sets):
        rng = np.random.default_rng((seed, number))
        documents = _documents(levels.shape[2], rng)
        pair = {name: _with_documents(levels, documents, rng, metric, aggregation) for name in "ab"}
        chosen = Units("document", tuple(documents.tolist())) if unit == "document" else None
        called += compare(pair, test, trials=999, seed=number + 1, units=chosen).pairs[0].significant
    return called / sets


def _documents(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The number of each segment's document."""
    sizes = rng.integers(DOCUMENT_SIZES[0], DOCUMENT_SIZES[1] + 1, size=count)
    ends = [0, *(end for end in np.cumsum(sizes) if end < count), count]
    return np.concatenate([np.full(end - start, n) for n, (start, end) in enumerate(pairwise(ends))])


def _with_documents(
    levels: Array, documents: NDArray[np.int64], rng: np.random.Generator, metric: str, aggregation: str
) -> Score:
    """A system whose documents have levels of their own."""
    level = rng.integers(len(levels), size=documents.max() + 1)[documents]
    chosen = levels[level, :, np.arange(levels.shape[2])]
    value = float(formulas.FORMULAS[aggregation](chosen.sum(axis=0)))  # type: ignore[index]
    statistics = tuple(map(tuple, chosen.tolist()))
    return Score(
        metric, value, None, metric, (0.0,) * len(chosen), statistics=statistics, aggregation=aggregation
    )  # type: ignore[arg-type]


# What is printed


def _lines(paths: Sequence[Path], sets: int = 1000) -> Iterator[str]:
    yield "Coverage of 95 % intervals: of a score, of a difference. Ours; percentile bootstrap; sacrebleu's."
    populations = [(path.name, metric) for path in paths for metric in ("BLEU", "chrF", "judgement")] or [
        ("", metric) for metric in METRICS
    ]
    for name, metric in populations:
        path = next((path for path in paths if path.name == name), None)
        population = judged_population(path, metric) if path else _population(metric)
        formula = formulas.FORMULAS[{"BLEU": "bleu", "chrF": "chrf", "TER": "ratio"}.get(metric, "mean")]  # type: ignore[index]
        for size in SIZES:
            held = 100 * coverage(population, formula, size, sets, seed=1)
            texts = ("  ".join(f"{value:5.1f}" for value in row) for row in held)
            yield f"{name} {metric:9} {size:4} units: {'   |   '.join(texts)}".strip()
    yield ""
    yield "Equal systems that are called different at 5 %, documents of 8 to 40 segments. Units: documents; segments."
    for metric in METRICS:
        shares = [100 * false_positives(metric, unit, sets, seed=1) for unit in ("document", "segment")]
        yield f"{metric:5} {shares[0]:5.1f}  {shares[1]:5.1f}"


if __name__ == "__main__":
    for line in _lines([Path(argument) for argument in sys.argv[1:]]):
        print(line, flush=True)
