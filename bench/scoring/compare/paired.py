"""Paired tests of all systems of a direction by one metric. A pure function of Scores.

All metrics take the same path: sufficient statistics of segments (Score.statistics) are swapped or resampled,
and Score.aggregation says how their sums give a score. For a metric that is the mean of its segments, the
statistics of a segment are its score and the number 1; (0, 0) if the segment was not scored, so that it has
no weight.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from math import isclose
from statistics import NormalDist, median

import numpy as np

from bench import limits
from bench.core import Aggregation, Score, Test
from bench.errors import BenchError
from bench.scoring.compare import resampling
from bench.scoring.compare.agreement import agreement
from bench.scoring.compare.ranking import holm, ranks
from bench.scoring.compare.records import Comparison, Comparisons
from bench.scoring.compare.resampling import FORMULAS, Array
from bench.scoring.intervals import SEED, centred_interval

LEVEL = 0.05
"""The chance that any of a board's systems are called different if all are equal."""
POWER = 0.8

_DRAWS: dict[Test, int] = {"randomisation": 10_000, "bootstrap": 1_000}
"""Trials of the randomisation test and resamples of the bootstrap: sacrebleu's defaults."""
_DRAWS_NAME: dict[Test, str] = {"randomisation": "trials", "bootstrap": "resamples"}
_INTERVAL_RESAMPLES = 1_000
"""As many as scorers use for the interval of a score."""
_TAILS: dict[Test, int] = {"randomisation": 1, "bootstrap": 2}
"""The smallest p-value of a test, in units of 1 / (draws + 1): see resampling.bootstrap_p."""


def compare(
    scores: Mapping[str, Score | None],
    test: Test = "randomisation",
    resamples: int | None = None,
    seed: int = SEED,
    paragraphs: Sequence[Hashable] | None = None,
) -> Comparisons:
    """Compare all pairs of systems by one metric.

    `scores`: system -> its score by one metric on one set. `resamples`: trials of the randomisation test or
    resamples of the bootstrap; by default sacrebleu's number, or more if that many pairs need more.
    `paragraphs`: the paragraph of each segment. If it is given, paragraphs are swapped or resampled instead
    of segments, because the segments of a paragraph are not independent.

    "randomisation" (Riezler and Maxwell 2005) is the default: they found that the bootstrap calls differences
    significant too easily, and sacrebleu's manual agrees. We measured the same: of equal systems on 39
    segments the bootstrap calls 7 % different where 5 % are allowed, and randomisation 5 % on sets of any
    size (tests/scoring/test_compare.py). "bootstrap" is the test of Koehn (2004).

    The minimum detectable difference is the true difference that would be found significant on 80 % of sets
    like this one. It is the standard error of the difference times the sum of two quantiles of the normal
    distribution: the one of 80 %, and the one of the first and hardest level of Holm's correction (Bloom
    1995, “Minimum detectable effects”; Card et al. 2020, arXiv 2010.06595, on why to report it).

    Time grows with the fourth power of the number of systems: there are more pairs, and more draws for each
    pair.

    Raises BenchError if scores were computed in different ways, if `resamples` is too small for any
    difference to be significant, or if the tests would take longer than some minutes.
    """
    if test not in _DRAWS:
        raise BenchError(f"Unknown test {test!r}: use test=randomisation or test=bootstrap.")
    usable, aggregation = _usable_scores(scores)
    formula = FORMULAS[aggregation]
    statistics = _by_unit([_statistics(score) for score in usable.values()], paragraphs)
    units = statistics.shape[2]
    testable = units > 1
    pair_count = len(usable) * (len(usable) - 1) // 2 if testable else 0
    draws = _draws(test, resamples, pair_count)
    _check_work(statistics, max(draws, _INTERVAL_RESAMPLES), pair_count, test)
    metric = next((score.metric for score in usable.values()), "")

    intervals: dict[str, tuple[float, float]] = {}
    pairs: list[Comparison] = []
    if testable:
        bootstrap_draws = max(_INTERVAL_RESAMPLES, draws if test == "bootstrap" else 0)
        resampled = resampling.bootstrap(statistics, formula, bootstrap_draws, seed)
        if test == "bootstrap":
            observed = formula(statistics.sum(axis=2).T)
            p_sacrebleu, p = resampling.bootstrap_p(observed, resampled[:, :draws])
        else:
            label = f"testing {pair_count:,} pairs of systems by {metric}"
            p_sacrebleu, p = resampling.randomisation_p(statistics, formula, draws, seed, label)
        resampled = resampled[:, :_INTERVAL_RESAMPLES]
        intervals = {
            system: centred_interval(values) for system, values in zip(usable, resampled, strict=True)
        }
        pairs = _compare_pairs(usable, p_sacrebleu, p, resampled)
    significant = {(pair.a, pair.b) for pair in pairs if pair.significant}
    return Comparisons(
        metric=metric,
        test=test,
        resamples=draws,
        seed=seed,
        unit="segment" if paragraphs is None else "paragraph",
        units=units,
        intervals=intervals,
        pairs=tuple(pairs),
        ranks=ranks(list(usable), significant) if testable else {},
        minimum_detectable_difference=(
            median(pair.minimum_detectable_difference for pair in pairs) if pairs else None
        ),
        missing=tuple(system for system in scores if system not in usable),
    )


def _usable_scores(scores: Mapping[str, Score | None]) -> tuple[dict[str, Score], Aggregation]:
    """The scores that can be tested, best first, and their aggregation."""
    existing = {system: score for system, score in scores.items() if score}
    methods = {(score.metric, _signature(score), len(score.segments)) for score in existing.values()}
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
        key=lambda item: (-item[1].value if item[1].higher_is_better else item[1].value, item[0]),
    )
    return dict(best_first), aggregation


def _is_usable(score: Score, aggregation: Aggregation) -> bool:
    """True if the score follows from the statistics of its segments, at least one of which was scored."""
    if score.aggregation != aggregation or all(value is None for value in score.segments):
        return False
    if aggregation != "mean" and not score.statistics:
        return False
    value = FORMULAS[aggregation](_statistics(score).sum(axis=1))
    return isclose(value, score.value, rel_tol=1e-6, abs_tol=1e-6)


def _signature(score: Score) -> str:
    """Without the device, which affects only the last digits of a score."""
    return re.sub(r"\|device:[^|]*", "", score.signature)


def _statistics(score: Score) -> Array:
    """[statistic, segment]"""
    if score.statistics:
        return np.array(score.statistics, dtype=float).T
    return np.array([(0, 0) if value is None else (value, 1) for value in score.segments], dtype=float).T


def _by_unit(statistics: Sequence[Array], paragraphs: Sequence[Hashable] | None) -> Array:
    """[system, statistic, unit]. If paragraphs are the units, the statistics of their segments are added
    up.
    """
    if not statistics:
        return np.zeros((0, 0, 0))
    stacked = np.stack(statistics)
    if paragraphs is None:
        return stacked
    index = {paragraph: number for number, paragraph in enumerate(dict.fromkeys(paragraphs))}
    summed = np.zeros((len(index), *stacked.shape[:2]))
    np.add.at(summed, [index[paragraph] for paragraph in paragraphs], np.moveaxis(stacked, 2, 0))
    return np.moveaxis(summed, 0, 2)


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
            f"significant: set compare.resamples to at least {minimum}, or to null."
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
                "set compare.resamples to a smaller number, or compare.test to null."
            )


def _compare_pairs(
    scores: Mapping[str, Score], p_sacrebleu: Array, p: Array, resampled: Array
) -> list[Comparison]:
    """`p_sacrebleu`, `p`: [system, system], as resampling computes them. `resampled`: [system, resample],
    scores.
    """
    systems, pairs = list(scores), list(combinations(range(len(scores)), 2))
    adjusted = holm([float(p[pair]) for pair in pairs])
    normal = NormalDist()
    standard_errors = normal.inv_cdf(1 - LEVEL / len(pairs) / 2) + normal.inv_cdf(POWER) if pairs else 0.0
    comparisons = []
    for (a, b), p_adjusted in zip(pairs, adjusted, strict=True):
        better, worse = scores[systems[a]], scores[systems[b]]
        difference, differences = better.value - worse.value, resampled[a] - resampled[b]
        significant = p_adjusted < LEVEL
        comparisons.append(
            Comparison(
                a=systems[a],
                b=systems[b],
                difference=difference,
                interval=centred_interval(differences),
                p_sacrebleu=float(p_sacrebleu[a, b]),
                p_adjusted=p_adjusted,
                significant=significant,
                agreement=agreement(better.metric, better.signature, difference) if significant else None,
                minimum_detectable_difference=standard_errors * float(np.nanstd(differences)),
            )
        )
    return comparisons
