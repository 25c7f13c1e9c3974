"""Resampling of sufficient statistics in numpy: the tests of sacrebleu.significance, for all pairs of systems at once.

The random numbers are sacrebleu's, in its order, so that a p-value is its p-value. What is drawn is multiplied with the
statistics as a matrix: [statistic, system, unit] becomes [statistic, system, resample], and a form makes scores of that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.progress import bar

Array = NDArray[np.float64]

Form = Callable[[Array], Array]
"""[statistic, …], summed over units -> the scores of these sums, […]."""

_BLOCK = 2**21
"""Random numbers that are held at once."""
_ROWS = 2**12
"""Resamples that are held at once, at most: of 200 systems 120 MB."""
_CHUNK = 2**14
"""Differences that are computed at once: so many stay in a core's cache with all that they are made of."""
_LONG = 10**8
"""Differences of pairs, each on one resample, that somebody would wait for: seconds."""
_ROUNDING = 1e-9


def bleu(sums: Array) -> Array:
    """sacrebleu.BLEU.compute_bleu with its defaults (smoothing "exp"). Statistics: both lengths, matches, n-grams of 4 orders."""
    length, wanted, matches, ngrams = sums[0], sums[1], sums[2:6], sums[6:10]
    counted = (matches.max(axis=0) > 0) & (ngrams.min(axis=0) > 0)
    if matches.min() == 0:
        # The k-th order without a match counts as having 1/2^k of one.
        none = matches == 0
        matches = np.where(none, 0.5 ** none.cumsum(axis=0), matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The fourth root of the product: sacrebleu's exponential of a mean of logarithms in a third of the time
        precision = np.sqrt(np.sqrt(matches.prod(axis=0) / ngrams.prod(axis=0)))
        score = 100 * np.exp(np.fmin(0, 1 - wanted / length)) * precision
    return np.where(counted, score, 0.0)


def chrf(sums: Array) -> Array:
    """sacrebleu.CHRF._compute_f_score with its defaults (beta 2, effective order). Statistics, of each order: n-grams of the
    hypothesis, of the reference, matches."""
    hypothesis, reference, matches = sums[0::3], sums[1::3], sums[2::3]
    used: Any = True
    orders: Any = len(matches)
    if min(hypothesis.min(), reference.min()) == 0:  # which is rare, and slow
        used = (hypothesis > 0) & (reference > 0)
        orders = used.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = (matches / hypothesis).sum(axis=0, where=used) / orders
        recall = (matches / reference).sum(axis=0, where=used) / orders
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
    units = statistics.shape[2]
    rng = np.random.default_rng(seed)
    scores = []
    for rows in _blocks(resamples, units):
        drawn = rng.choice(units, size=(rows, units), replace=True) + units * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
        scores.append(form(_sums(statistics, times)))
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
        centred = (differences - differences.mean())[None]
        counts[:, a, b] = _count(centred, observed[a : a + 1] - observed[b])[:, 0]
    printed, p = _p(counts, resampled.shape[1])
    return printed, np.minimum(1, 2 * p)


def randomisation_p(
    statistics: Array, form: Form, resamples: int, seed: int, label: str = ""
) -> tuple[Array, Array]:
    """p of each pair, [system, system]: as `sacrebleu --paired-ar` prints it, and as Riezler and Maxwell (2005) define it.

    A resample swaps the two systems' outputs in every unit with probability 1/2. `label`: of the progress bar, where it
    takes long.
    """
    systems, _, units = statistics.shape
    whole = statistics.sum(axis=2).T
    observed = form(whole)
    counts = np.zeros((2, systems, systems))
    rng = np.random.default_rng(seed)
    long = resamples * systems * (systems - 1) // 2 > _LONG
    with bar(label, resamples, "resamples") if long else nullcontext() as advance:
        for rows in _blocks(resamples, units):
            sums = _sums(statistics, rng.integers(2, size=(rows, units), dtype=bool).astype(float))
            step = max(1, _CHUNK // rows)
            for a in range(systems):
                for start in range(a + 1, systems, step):
                    b = slice(start, start + step)
                    moved = sums[:, a, None] - sums[:, b]
                    differences = form(whole[:, b, None] + moved) - form(whole[:, a, None, None] - moved)
                    counts[:, a, b] += _count(np.abs(differences), observed[a] - observed[b])
            if advance:
                advance(rows)
    return _p(counts, resamples)


def _sums(statistics: Array, times: Array) -> Array:
    """[system, statistic, unit] x [resample, unit] -> [statistic, system, resample]."""
    systems, size, units = statistics.shape
    return (statistics.swapaxes(0, 1).reshape(-1, units) @ times.T).reshape(size, systems, -1)


def _count(differences: Array, observed: Array) -> Array:
    """How many of a pair's differences, [pair, resample], are larger than the observed one, and how many at least as large."""
    size = np.abs(observed)[:, None]
    both = differences > size, differences >= size - _ROUNDING
    return np.array([[np.count_nonzero(pair) for pair in those] for those in both])


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
    most = max(32, min(_BLOCK // units, _ROWS) // 32 * 32)
    return [min(most, resamples - done) for done in range(0, resamples, most)]
