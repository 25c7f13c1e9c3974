"""Paired tests of all systems of a direction by one metric. A pure function of Scores.

All metrics take the same path: sufficient statistics of segments (Score.statistics) are swapped or resampled,
and Score.aggregation says how their sums give a score. For a metric that is the mean of its segments, the
statistics of a segment are its score and the number 1; (0, 0) if the segment was not scored, so that it has
no weight.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from math import isclose
from statistics import median

import numpy as np
from scipy.special import stdtrit

from bench import limits
from bench.core import Aggregation, Score, Test
from bench.errors import BenchError
from bench.scoring import intervals
from bench.scoring.compare import resampling
from bench.scoring.compare.agreement import agreement
from bench.scoring.compare.ranking import holm, rank_ranges
from bench.scoring.compare.records import Comparison, Comparisons
from bench.scoring.formulas import FORMULAS, Array, compared_formula
from bench.scoring.intervals import SEED
from bench.scoring.units import Units, by_unit
from bench.scoring.units import statistics as statistics_of

LEVEL = 0.05
"""The chance that any of a board's systems are called different if all are equal."""
POWER = 0.8

_DRAWS: dict[Test, int] = {"randomisation": 10_000, "bootstrap": 1_000}
"""Trials of the randomisation test and resamples of the bootstrap: sacrebleu's defaults."""
_DRAWS_NAME: dict[Test, str] = {"randomisation": "trials", "bootstrap": "resamples"}
_TAILS: dict[Test, int] = {"randomisation": 1, "bootstrap": 2}
"""The smallest p-value of a test, in units of 1 / (draws + 1): see resampling.bootstrap_p."""


def compare(
    scores: Mapping[str, Score | None],
    test: Test = "randomisation",
    trials: int | None = None,
    seed: int = SEED,
    units: Units | None = None,
    controls: Collection[str] = (),
) -> Comparisons:
    """Compare all pairs of systems by one metric.

    `scores`: system -> its score by one metric on one set. `trials`: of the randomisation test, or resamples of
    the bootstrap; by default sacrebleu's number, or more if that many pairs need more. `units`: what is swapped
    or resampled as a whole (bench.scoring.units); segments if it is None. `controls`: systems that are compared,
    and not ranked.

    "randomisation" (Riezler and Maxwell 2005) is the default: they found that the bootstrap calls differences
    significant too easily, and sacrebleu's manual agrees. We measured the same: of equal systems on 39
    segments the bootstrap calls 7 % different where 5 % are allowed, and randomisation 5 % on sets of any
    size (tests/scoring/test_compare.py). "bootstrap" is the test of Koehn (2004).

    The minimum detectable difference is the true difference that would be found significant on 80 % of sets
    like this one. It is the standard error of the difference times the sum of two quantiles of Student's t: the
    one of 80 %, and the one of the first and hardest level of Holm's correction (Bloom 1995, “Minimum
    detectable effects”; Card et al. 2020, arXiv 2010.06595, on why to report it).

    Time grows with the fourth power of the number of systems: there are more pairs, and more draws for each
    pair.

    Raises BenchError if scores were computed in different ways, if `trials` is too small for any difference to
    be significant, or if the tests would take longer than some minutes.
    """
    if test not in _DRAWS:
        raise BenchError(f"Unknown test {test!r}: use test=randomisation or test=bootstrap.")
    usable, aggregation = _usable_scores(scores)
    formula = compared_formula(next(iter(usable.values()))) if usable else FORMULAS[aggregation]
    statistics = _stack(list(usable.values()), units)
    count = statistics.shape[2]
    testable = count > 1
    pair_count = len(usable) * (len(usable) - 1) // 2 if testable else 0
    draws = _draws(test, trials, pair_count)
    _check_work(statistics, draws, pair_count, test)
    metric = next((score.metric for score in usable.values()), "")

    pairs: list[Comparison] = []
    if pair_count:
        if test == "bootstrap":
            resampled = resampling.bootstrap(statistics, formula, draws, seed)
            p_sacrebleu, p = resampling.bootstrap_p(formula(statistics.sum(axis=2).T), resampled)
        else:
            label = f"testing {pair_count:,} pairs of systems by {metric}"
            p_sacrebleu, p = resampling.randomisation_p(statistics, formula, draws, seed, label)
        pairs = _compare_pairs(usable, p_sacrebleu, p, intervals.leave_one_out(statistics, formula))
    significant = {(pair.a, pair.b) for pair in pairs if pair.significant}
    ranked = [system for system in usable if system not in controls]
    return Comparisons(
        metric=metric,
        test=test,
        trials=draws,
        seed=seed,
        unit=units.name if units else "segment",
        units=count,
        pairs=tuple(pairs),
        ranks=rank_ranges(ranked, significant) if testable else {},
        minimum_detectable_difference=median(detectable) if (detectable := _detectable(pairs)) else None,
        missing=tuple(system for system in scores if system not in usable),
    )


def _detectable(pairs: Sequence[Comparison]) -> list[float]:
    return [
        pair.minimum_detectable_difference for pair in pairs if pair.minimum_detectable_difference is not None
    ]


def _usable_scores(scores: Mapping[str, Score | None]) -> tuple[dict[str, Score], Aggregation]:
    """The scores that can be tested, best first, and their aggregation."""
    existing = {system: score for system, score in scores.items() if score}
    methods = {
        (score.metric, score.best, _signature(score), len(score.segments)) for score in existing.values()
    }
    if len(methods) > 1:
        systems = ", ".join(sorted(existing))
        raise BenchError(
            f"The scores of {systems} were computed in different ways: score them again with `bench run`."
        )
    # A score of an older scorer that kept no statistics may be read as a mean of segments.
    aggregation: Aggregation = next(
        (score.aggregation for score in existing.values() if score.aggregation != "mean"), "mean"
    )
    usable = {system: score for system, score in existing.items() if _is_usable(score, aggregation)}
    best_first = sorted(
        usable.items(),
        key=lambda item: (-item[1].gain(0, item[1].value), item[0]),
    )
    return dict(best_first), aggregation


def _is_usable(score: Score, aggregation: Aggregation) -> bool:
    """True if the score follows from the statistics of its segments, at least one of which was scored."""
    if score.aggregation != aggregation or all(value is None for value in score.segments):
        return False
    if aggregation != "mean" and not score.statistics:
        return False
    value = FORMULAS[aggregation](statistics_of(score).sum(axis=1))
    return isclose(value, score.value, rel_tol=1e-6, abs_tol=1e-6)


def _signature(score: Score) -> str:
    """Without the device, which affects only the last digits of a score."""
    return re.sub(r"\|device:[^|]*", "", score.signature)


def _stack(scores: Sequence[Score], units: Units | None) -> Array:
    """[system, statistic, unit]"""
    if not scores:
        return np.zeros((0, 0, 0))
    stacked = np.stack([statistics_of(score) for score in scores])
    return by_unit(stacked, units) if units else stacked


def _draws(test: Test, draws: int | None, pairs: int) -> int:
    """The number of trials or resamples.

    The smallest p-value that a test can give is 1 / (draws + 1), and the first step of Holm's correction
    needs one below LEVEL / pairs.
    """
    minimum = round(_TAILS[test] * pairs / LEVEL)
    if draws is None:
        return max(_DRAWS[test], 2 * minimum)
    if draws < minimum:
        raise BenchError(
            f"With {draws} {_DRAWS_NAME[test]} no difference between {pairs} pairs of systems can be "
            f"significant: set compare.trials to at least {minimum}, or to null."
        )
    return draws


def _check_work(statistics: Array, draws: int, pairs: int, test: Test) -> None:
    """Raise BenchError if the tests would take longer than some minutes, or too much memory. `statistics`:
    [system, statistic, unit]."""
    kept = draws * len(statistics) if test == "bootstrap" else 0
    for amount, limit, label in (
        (kept, limits.RESAMPLED_SCORES, f"{len(statistics):,} systems x {draws:,} resamples"),
        (draws, limits.RESAMPLES, f"{draws:,} trials or resamples"),
        (draws * pairs, limits.TESTED_DIFFERENCES, f"{pairs:,} pairs of systems x {draws:,} trials"),
        (
            draws * statistics.size,
            limits.RESAMPLED_STATISTICS,
            f"{statistics.size:,} statistics x {draws:,} trials",
        ),
    ):
        if amount > limit:
            raise BenchError(
                f"The tests are too many ({label}, the limit is {limit:,}): "
                "set compare.trials to a smaller number, or compare.test to null."
            )


def _compare_pairs(
    scores: Mapping[str, Score], p_sacrebleu: Array, p: Array, without_unit: Array
) -> list[Comparison]:
    """`p_sacrebleu`, `p`: [system, system], as resampling computes them. `without_unit`: [system, unit], the
    scores of the set without each unit.
    """
    systems, pairs = list(scores), list(combinations(range(len(scores)), 2))
    adjusted = holm([float(p[pair]) for pair in pairs])
    freedom = without_unit.shape[1] - 1
    standard_errors = float(stdtrit(freedom, 1 - LEVEL / len(pairs) / 2) + stdtrit(freedom, POWER))
    comparisons = []
    for (a, b), p_adjusted in zip(pairs, adjusted, strict=True):
        better, worse = scores[systems[a]], scores[systems[b]]
        difference = better.compared(better.value) - worse.compared(worse.value)
        differences = without_unit[a] - without_unit[b]
        significant = p_adjusted < LEVEL
        interval = intervals.interval(difference, differences)
        comparisons.append(
            Comparison(
                a=systems[a],
                b=systems[b],
                difference=difference,
                interval=interval,
                p_sacrebleu=float(p_sacrebleu[a, b]),
                p_adjusted=p_adjusted,
                significant=significant,
                agreement=agreement(better.metric, better.signature, difference) if significant else None,
                minimum_detectable_difference=(
                    standard_errors * intervals.standard_error(differences) if interval else None
                ),
            )
        )
    return comparisons
