"""Two runs side by side: their scores with paired tests, the settings that differ, and the segments that
differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import isclose
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote

from bench.boards import faults
from bench.boards.faults import Fault
from bench.boards.settings import settings
from bench.core import Hypothesis, ReferenceSet, Score, Task
from bench.errors import BenchError
from bench.languages import Direction
from bench.scoring.compare import Comparison, Comparisons, compare
from bench.scoring.compare.stage import stored_comparisons
from bench.scoring.units import units
from bench.store import Run, Store

_MAX_NAMES = 12  # names that a sentence lists


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs of one task."""

    task: Task
    a: Run
    b: Run


@dataclass(frozen=True, slots=True)
class MetricLine:
    """Two runs by one metric."""

    metric: str
    score_a: Score | None
    score_b: Score | None
    interval: tuple[float, float] | None = None
    """95 % confidence interval of b's score minus a's, of this pair alone."""
    test: Comparison | None = None
    """None if a score is missing, or the set has a single unit."""
    tests: Comparisons | None = None
    """The family of tests that `test` belongs to, and that its p-value is adjusted for."""

    @property
    def any_score(self) -> Score:
        """One of the two scores, for what both have in common."""
        score = self.score_a or self.score_b
        assert score, "a line has at least one score"
        return score

    @property
    def better(self) -> Literal["A", "B"] | None:
        """The run with the better score, whether significant or not; None if they are equal or one has no
        score."""
        if not self.score_a or not self.score_b or self.score_a.value == self.score_b.value:
            return None
        gain = self.score_a.gain(self.score_a.value, self.score_b.value)
        return None if gain == 0 else "B" if gain > 0 else "A"


@dataclass(frozen=True, slots=True)
class SegmentPair:
    """One segment, as the two runs translated it."""

    id: str
    source: str
    reference: str
    hypotheses: tuple[Hypothesis, Hypothesis]
    scores: tuple[float, float]
    remarks: tuple[tuple[str, ...], tuple[str, ...]]
    """Flags of each hypothesis, and the scorer's remarks on it ("cut")."""
    gain: float
    """How much better b is than a, in the metric's points; negative if a is better."""


# Finding the runs


def find_pairs(
    store: Store, reference: ReferenceSet, directions: Sequence[Direction], name_a: str, name_b: str
) -> dict[Direction, Pair]:
    """The runs of these names, in each direction that has both.

    A name is a run's folder or label, its system's name, or the beginning of a label. Raises BenchError if a
    name fits several runs or none, if no direction has both, if both names are the same run, or if a run was
    changed on disk.
    """
    tasks = [Task(reference, direction) for direction in directions]
    runs = {task.direction: store.current_runs(task) for task in tasks}
    for name in (name_a, name_b):
        if not any(_find_run(runs[direction], name, direction) for direction in directions):
            systems = sorted({run.system for candidates in runs.values() for run in candidates})
            similar = get_close_matches(name, systems, n=1)
            choice = f"use {similar[0]}" if similar else f"use one of {_list(systems)}"
            raise BenchError(
                f"No run in {store.root} on this version of {reference.id} is called {name!r} "
                f"({', '.join(directions)}): {choice if systems else 'there is none'}, "
                "or choose another store with --store."
            )
    pairs = {}
    for task in tasks:
        a, b = (_find_run(runs[task.direction], name, task.direction) for name in (name_a, name_b))
        if a and b:
            pairs[task.direction] = Pair(task, a, b)
    if not pairs:
        raise BenchError(
            f"{name_a!r} and {name_b!r} have no direction in common: name two runs of one direction."
        )
    for pair in pairs.values():
        if pair.a.label == pair.b.label:
            raise BenchError(f"{name_a!r} and {name_b!r} are the same run, {pair.a.label}: name two runs.")
        for run in (pair.a, pair.b):
            run.hypotheses_of(pair.task)  # raises if the file was changed after the run
    return pairs


def one_sided(
    store: Store, reference: ReferenceSet, directions: Sequence[Direction], name_a: str, name_b: str
) -> list[Direction]:
    """The directions in which only one of the two has a run."""
    counts = {}
    for direction in directions:
        runs = store.current_runs(Task(reference, direction))
        counts[direction] = sum(_find_run(runs, name, direction) is not None for name in (name_a, name_b))
    return [direction for direction, count in counts.items() if count == 1]


def _find_run(runs: Sequence[Run], name: str, direction: Direction) -> Run | None:
    folder = Path(name).resolve() if "/" in name else None
    for candidates in (
        [run for run in runs if name == run.label or folder == run.folder.resolve()],
        [run for run in runs if name == run.system],
        [run for run in runs if run.label.startswith(name)],
    ):
        if len(candidates) > 1:
            labels = _list([run.label for run in candidates])
            raise BenchError(f"{name!r} fits several runs ({direction}): use one of {labels}.")
        if candidates:
            return candidates[0]
    return None


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


# Scores and tests


def metric_lines(store: Store, pair: Pair, metrics: Sequence[str]) -> list[MetricLine]:
    """One line for each metric with a score of at least one of the two.

    The test is the board's, if that was made from these very scores; else the two are tested on their own.
    """
    board_tests = stored_comparisons(store, pair.task, metrics)
    lines = []
    for metric in metrics:
        score_a, score_b = store.score(pair.a, metric), store.score(pair.b, metric)
        if score_a and score_b:
            lines.append(_tested_line(pair, metric, (score_a, score_b), board_tests.get(metric)))
        elif score_a or score_b:
            lines.append(MetricLine(metric, score_a, score_b))
    return lines


def direct_line(pair: Pair, metric: str, score: Score) -> MetricLine:
    """A line for a metric that compares the two with each other. `score`: how much better b is than a."""
    zero = replace(score, value=0.0, segments=(0.0,) * len(score.segments), remarks=())
    return _tested_line(pair, metric, (zero, score), None)


def _tested_line(
    pair: Pair, metric: str, scores: tuple[Score, Score], board_tests: Comparisons | None
) -> MetricLine:
    score_a, score_b = scores
    tests, test = board_tests, _test_of(pair, board_tests)
    if not test or not isclose(
        abs(test.difference), abs(score_a.gain(score_a.value, score_b.value)), abs_tol=1e-9
    ):
        tests = compare({pair.a.label: score_a, pair.b.label: score_b}, units=units(pair.task.reference))
        test = _test_of(pair, tests)
    interval = test.interval if test else None
    if test and interval and test.a == pair.a.label:
        interval = -interval[1], -interval[0]
    return MetricLine(metric, score_a, score_b, interval, test, tests)


def _test_of(pair: Pair, tests: Comparisons | None) -> Comparison | None:
    labels = {pair.a.label, pair.b.label}
    return next((test for test in tests.pairs if {test.a, test.b} == labels), None) if tests else None


# Settings


def differing_settings(pair: Pair) -> list[tuple[str, str, str]]:
    """The settings that differ: (key, a's value, b's value), "–" for a missing value.

    They are the name of the checkpoint, the adapter's identity and the system's card.
    """
    a, b = (settings(run) for run in (pair.a, pair.b))
    values = {key: (a.get(key, "–"), b.get(key, "–")) for key in {**a, **b} if key != "name"}
    return [(key, value_a, value_b) for key, (value_a, value_b) in values.items() if value_a != value_b]


# Segments


def segment_pairs(pair: Pair, line: MetricLine) -> list[SegmentPair]:
    """All segments with two scores, b's largest gain first. `line`: of a metric with a score of both runs."""
    score_a, score_b = line.score_a, line.score_b
    assert score_a
    assert score_b
    task = pair.task
    hypotheses = zip(pair.a.hypotheses_of(task), pair.b.hypotheses_of(task), strict=True)
    values = zip(score_a.segments, score_b.segments, strict=True)
    shown = []
    for place, (texts, (value_a, value_b)) in enumerate(zip(hypotheses, values, strict=True)):
        if value_a is None or value_b is None:
            continue
        shown.append(
            SegmentPair(
                id=task.ids[place],
                source=task.sources[place],
                reference=task.references[place],
                hypotheses=texts,
                scores=(value_a, value_b),
                remarks=(_remarks(texts[0], score_a, place), _remarks(texts[1], score_b, place)),
                gain=round(score_a.gain(value_a, value_b), score_a.decimals + 2),  # as the site rounds
            )
        )
    return sorted(shown, key=lambda segment: -segment.gain)


def _remarks(hypothesis: Hypothesis, score: Score, place: int) -> tuple[str, ...]:
    remarks = [remark for segment, remark in score.remarks if segment == place]
    return tuple(dict.fromkeys([*hypothesis.flags, *remarks]))


def shorten_both(a: str, b: str, length: int) -> tuple[str, str]:
    """Both texts shortened to `length` characters, starting a little before their first difference."""
    differing = (n for n, (x, y) in enumerate(zip(a, b)) if x != y)  # noqa: B905  # their lengths may differ
    first = next(differing, min(len(a), len(b)))
    begin = max(0, first - length // 4) if max(len(a), len(b)) > length else 0

    def excerpt(text: str) -> str:
        end = begin + length
        return "…" * (begin > 0) + text[begin:end] + "…" * (end < len(text))

    return excerpt(a), excerpt(b)


# Facts and obligations


@dataclass(frozen=True, slots=True)
class Losses:
    """The faults that facts and obligations name in two runs, the gravest first."""

    a: tuple[Fault, ...]
    """Those that only A has."""
    b: tuple[Fault, ...]
    common: int
    """The number of those that both have."""


def losses(store: Store, pair: Pair) -> Losses | None:
    """Which facts and statements only one of the two has lost; None if neither metric has scored both."""
    a, b, scored = list[Fault](), list[Fault](), False
    for metric in faults.METRICS:
        scores = store.score(pair.a, metric), store.score(pair.b, metric)
        if all(scores):
            scored = True
            a += faults.of(scores[0], metric)
            b += faults.of(scores[1], metric)
    if not scored:
        return None
    in_a, in_b = {*a}, {*b}
    return Losses(
        tuple(fault for fault in a if fault not in in_b),
        tuple(fault for fault in b if fault not in in_a),
        len(in_a & in_b),
    )


# The site


def site_link(store: Store, pair: Pair, metric: str | None) -> str | None:
    """The address of the pair in the site; None if the site does not show both runs.

    `metric`: the metric that chooses the segments, if it is not the board's primary one.
    """
    set_id, direction = pair.task.reference.id, pair.task.direction
    page = store.site_folder(set_id) / "index.html"
    leaderboard = store.leaderboard(set_id)
    board = leaderboard.directions.get(direction) if leaderboard else None
    names = {PurePosixPath(row.folder).name: row.name for row in board.rows} if board else {}
    if not page.is_file() or not {pair.a.label, pair.b.label} <= set(names):
        return None
    parts = (direction, "compare", names[pair.a.label], names[pair.b.label])
    query = f"?metric={quote(metric, safe='')}" if metric else ""
    return f"{page.resolve().as_uri()}#/{'/'.join(quote(part, safe='') for part in parts)}{query}"
