"""Metrics that compare two systems with each other: `bench compare A B metric=pear`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.boards.pairwise import MetricLine, Pair, direct_line
from bench.errors import BenchError
from bench.launching.compose import compose, scorers
from bench.scorers.pear import Pear


def direct_scorers(overrides: Sequence[str]) -> dict[str, Pear]:
    """Metric id -> its scorer, ready to be used. `overrides`: metric=NAME, and settings of it.

    Raises BenchError for anything else, and if the metric cannot be prepared.
    """
    if not overrides:
        return {}
    if other := next((word for word in overrides if not word.startswith("metric")), None):
        raise BenchError(
            f"{other!r} is neither of the two systems nor a metric: name two systems, and metric=pear if wanted."
        )
    if not any(word.startswith("metric=") for word in overrides):
        raise BenchError(f"{overrides[0]} is a setting of no metric here: add metric=pear.")
    found: dict[str, Pear] = {}
    for metric, scorer in scorers(compose(overrides)).items():
        if not isinstance(scorer, Pear):
            raise BenchError(
                f"{metric} scores each system by itself: its scores are in the table if `bench run` made them. Only "
                "metric=pear compares two systems with each other."
            )
        scorer.prepare()
        found[metric] = scorer
    return found


def direct_lines(pair: Pair, scorers: Mapping[str, Pear]) -> list[MetricLine]:
    """Two runs, compared with each other by each metric. The metric's id is that of its column heading."""
    a, b = ([found.text for found in run.hypotheses_of(pair.task)] for run in (pair.a, pair.b))
    scores = [scorer.against(pair.task, a, b) for scorer in scorers.values()]
    return [direct_line(pair, score.metric, score) for score in scores]
