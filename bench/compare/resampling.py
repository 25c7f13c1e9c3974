"""Resampling of sufficient statistics in numpy: the tests of sacrebleu.significance, for all pairs of systems at once.

The random numbers are sacrebleu's, in its order, so that a p-value is its p-value. What is drawn is multiplied with the
statistics as a matrix: [system, statistic, unit] becomes [system, statistic, resample], and a form makes scores of that.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Form = Callable[[Array], Array]
"""[statistic, …], summed over units -> the scores of these sums, […]."""

_BLOCK = 2**21
"""Random numbers that are held at once."""
_ROUNDING = 1e-9


def bleu(sums: Array) -> Array:
    """sacrebleu.BLEU.compute_bleu with its defaults (smoothing "exp"). Statistics: both lengths, matches, n-grams of 4 orders."""
    length, wanted, matches, ngrams = sums[0], sums[1], sums[2:6], sums[6:10]
    none = matches == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        # The k-th order without a match counts as having 1/2^k of one.
        precisions = np.where(none, 0.5 ** none.cumsum(axis=0), matches) / ngrams
        score = 100 * np.exp(np.fmin(0, 1 - wanted / length) + np.log(precisions).mean(axis=0))
    return np.where(matches.any(axis=0) & ngrams.all(axis=0), score, 0.0)


def chrf(sums: Array) -> Array:
    """sacrebleu.CHRF._compute_f_score with its defaults (beta 2, effective order). Statistics, of each order: n-grams of the
    hypothesis, of the reference, matches."""
    hypothesis, reference, matches = sums[0::3], sums[1::3], sums[2::3]
    both = (hypothesis > 0) & (reference > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(both, matches / hypothesis, 0).sum(axis=0) / both.sum(axis=0)
        recall = np.where(both, matches / reference, 0).sum(axis=0) / both.sum(axis=0)
        score = 100 * 5 * precision * recall / (4 * precision + recall)
    return np.where(precision * recall > 0, score, 0.0)


def percentage(sums: Array) -> Array:
    """sacrebleu.TER._compute_score_from_stats, and any other share. Statistics: how many, of how many."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[1] > 0, 100 * (sums[0] / sums[1]), 100.0 * (sums[0] > 0))


def mean(sums: Array) -> Array:
    """Of segment scores. Statistics: their sum, their number."""
    return sums[0] / sums[1]


FORMS: dict[str, Form] = {"BLEU": bleu, "chrF": chrf, "chrF++": chrf, "TER": percentage}


def bootstrap(statistics: Array, form: Form, resamples: int, seed: int) -> Array:
    """The systems' scores on resampled sets, the same sets for all: [system, resample] (Koehn 2004)."""
    systems, size, units = statistics.shape
    rng = np.random.default_rng(seed)
    scores = []
    for rows in _blocks(resamples, units):
        drawn = rng.choice(units, size=(rows, units), replace=True) + units * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
        sums = (statistics.reshape(-1, units) @ times.T).reshape(systems, size, rows)
        scores.append(form(sums.swapaxes(0, 1)))
    return np.concatenate(scores, axis=1)


def bootstrap_p(observed: Array, resampled: Array) -> tuple[Array, Array]:
    """p of each pair, [system, system]: as `sacrebleu --paired-bs` prints it, and of a two-sided test. `observed`: the systems'
    scores.

    sacrebleu centres the size of the difference instead of the difference, and so counts one tail of it: of equal systems
    10 % have a p-value under 0.05. It is doubled here.
    """
    counts = np.zeros((2, len(observed), len(observed)))
    for a, b in combinations(range(len(observed)), 2):
        differences = np.abs(resampled[a] - resampled[b])
        counts[:, a, b] = _count(differences - differences.mean(), observed[a] - observed[b])
    printed, p = _p(counts, resampled.shape[1])
    return printed, np.minimum(1, 2 * p)


def randomisation_p(statistics: Array, form: Form, resamples: int, seed: int) -> tuple[Array, Array]:
    """p of each pair, [system, system]: as `sacrebleu --paired-ar` prints it, and as Riezler and Maxwell (2005) define it.

    A resample swaps the two systems' outputs in every unit with probability 1/2.
    """
    systems, size, units = statistics.shape
    whole = statistics.sum(axis=2)
    observed = form(whole.T)
    counts = np.zeros((2, systems, systems))
    rng = np.random.default_rng(seed)
    for rows in _blocks(resamples, units):
        kept = rng.integers(2, size=(rows, units), dtype=bool).astype(float)
        sums = (statistics.reshape(-1, units) @ kept.T).reshape(systems, size, rows)
        for a, b in combinations(range(systems), 2):
            moved = sums[a] - sums[b]
            differences = form(whole[b][:, None] + moved) - form(whole[a][:, None] - moved)
            counts[:, a, b] += _count(np.abs(differences), observed[a] - observed[b])
    return _p(counts, resamples)


def _count(differences: Array, observed: float) -> tuple[int, int]:
    """How many are larger than the observed difference, and how many are at least as large."""
    size = abs(observed)
    return np.count_nonzero(differences > size), np.count_nonzero(differences >= size - _ROUNDING)


def _p(counts: Array, resamples: int) -> tuple[Array, Array]:
    """sacrebleu counts the larger differences, Riezler and Maxwell those that are at least as large: it matters where many are
    the same, as whole edits of TER. Where all are the same nothing can be said, and both are 1: the systems are equal, or
    differ in one unit. (sacrebleu has the smallest p-value there is.)"""
    larger, as_large = counts
    nothing = (larger == 0) & (as_large == resamples)
    return np.where(nothing, 1.0, (larger + 1) / (resamples + 1)), (as_large + 1) / (resamples + 1)


def _blocks(resamples: int, units: int) -> list[int]:
    """How many resamples to draw at a time, so that memory does not grow with them.

    In one call or in many, numpy gives the same numbers, if each call takes whole words of 32 bits.
    """
    most = max(32, _BLOCK // units // 32 * 32)
    return [min(most, resamples - done) for done in range(0, resamples, most)]
