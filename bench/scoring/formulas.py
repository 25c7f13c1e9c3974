"""From the statistics of segments to scores: sacrebleu's formulas in numpy, for many sums at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core import Aggregation, Score

Array = NDArray[np.float64]

Formula = Callable[[Array], Array]
"""[statistic, …], summed over units -> the scores of these sums, […]."""


def bleu(sums: Array) -> Array:
    """sacrebleu.BLEU.compute_bleu with its defaults (smoothing "exp").

    Statistics: length of the hypothesis, length of the reference, matches of 4 orders, n-grams of 4 orders.
    """
    length, reference_length, matches, ngrams = sums[0], sums[1], sums[2:6], sums[6:10]
    counted = (matches.max(axis=0) > 0) & (ngrams.min(axis=0) > 0)
    if matches.min() == 0:
        # The k-th order without a match counts as having 1/2^k of one.
        none = matches == 0
        matches = np.where(none, 0.5 ** none.cumsum(axis=0), matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The fourth root of the product: sacrebleu's exponential of a mean of logarithms in a third of the
        # time.
        precision = np.sqrt(np.sqrt(matches.prod(axis=0) / ngrams.prod(axis=0)))
        score = 100 * np.exp(np.fmin(0, 1 - reference_length / length)) * precision
    return np.where(counted, score, 0.0)


def chrf(sums: Array) -> Array:
    """sacrebleu's chrF formula with its defaults (beta 2, effective order).

    Statistics, for each order: n-grams of the hypothesis, n-grams of the reference, matches.
    """
    hypothesis, reference, matches = sums[0::3], sums[1::3], sums[2::3]
    used: Any = True
    orders: Any = len(matches)
    if min(hypothesis.min(), reference.min()) == 0:  # rare, and slow
        used = (hypothesis > 0) & (reference > 0)
        orders = used.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = (matches / hypothesis).sum(axis=0, where=used) / orders
        recall = (matches / reference).sum(axis=0, where=used) / orders
        score = 100 * 5 * precision * recall / (4 * precision + recall)
    return np.where(precision * recall > 0, score, 0.0)


def ratio(sums: Array) -> Array:
    """sacrebleu's TER formula, and any other share in percent. Statistics: numerator, denominator."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[1] > 0, 100 * (sums[0] / sums[1]), 100.0 * (sums[0] > 0))


def mean(sums: Array) -> Array:
    """The mean of segment scores. Statistics: sum of the scores, number of scored segments. nan if no segment
    was scored.
    """
    with np.errstate(invalid="ignore"):
        means: Array = sums[0] / sums[1]
    return means


FORMULAS: dict[Aggregation, Formula] = {"bleu": bleu, "chrf": chrf, "ratio": ratio, "mean": mean}


def compared_formula(score: Score) -> Formula:
    """Sums of statistics -> what systems are compared by (Score.compared)."""
    formula = FORMULAS[score.aggregation]
    if score.best is None:
        return formula
    best = score.best
    return lambda sums: -np.abs(formula(sums) - best)
