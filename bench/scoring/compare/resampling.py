"""Swapping and resampling of sufficient statistics in numpy: sacrebleu's significance tests for all pairs at
once.

The random numbers are sacrebleu's, in its order, so that a p-value is its p-value. Draws are multiplied with
the statistics as a matrix: [system, statistic, unit] becomes [statistic, system, draw], and a formula makes
scores of that.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bench.progress import bar
from bench.scoring.compare import linear
from bench.scoring.formulas import Array, Formula
from bench.scoring.intervals import draw

_BLOCK = 2**21
"""Random numbers that are held at once."""
_ROWS = 2**12
"""Draws that are held at once, at most: 120 MB for 200 systems."""
_CHUNK = 2**14
"""Differences that are computed at once: they and all intermediate arrays fit into a core's cache."""
_SLOW = 10**8
"""Differences (pairs x trials) from which on a progress bar is shown: they take seconds."""


def bootstrap(statistics: Array, formula: Formula, resamples: int, seed: int) -> Array:
    """[system, resample]: the systems' scores on resampled sets, the same sets for all systems (Koehn
    2004).
    """
    units = statistics.shape[2]
    rng = np.random.default_rng(seed)
    scores = []
    for rows in _blocks(resamples, units):
        drawn = draw(units, rows, rng) + units * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
        scores.append(formula(_sums(statistics, times)))
    return np.concatenate(scores, axis=1)


def bootstrap_p(observed: Array, resampled: Array) -> tuple[Array, Array]:
    """p of each pair, twice: [system, system] as `sacrebleu --paired-bs` prints it, and [system, system]
    two-sided.

    `observed`: [system], the systems' scores. `resampled`: [system, resample].

    sacrebleu centres the absolute difference instead of the difference, and so counts one tail of it: of
    equal systems 10 % have a p-value below 0.05. The second p-value is therefore doubled.
    """
    counts = np.zeros((2, len(observed), len(observed)))
    for a, b in combinations(range(len(observed)), 2):
        differences = np.abs(resampled[a] - resampled[b])
        centred = (differences - np.nanmean(differences))[None]
        counts[:, a, b] = _count_extreme(centred, observed[a : a + 1] - observed[b])[:, 0]
    p_sacrebleu, p = _p_values(counts, resampled.shape[1])
    return p_sacrebleu, np.minimum(1, 2 * p)


def randomisation_p(
    statistics: Array, formula: Formula, trials: int, seed: int, label: str = ""
) -> tuple[Array, Array]:
    """p of each pair, twice: [system, system] as `sacrebleu --paired-ar` prints it, and [system, system] as
    Riezler and Maxwell (2005) define it.

    Each trial swaps the two systems' outputs in every unit with probability 1/2. `label`: for the progress
    bar, which is shown if the test takes long.
    """
    systems, _, units = statistics.shape
    totals = statistics.sum(axis=2).T
    observed = formula(totals)
    counts = np.zeros((2, systems, systems))
    rng = np.random.default_rng(seed)
    slow = trials * systems * (systems - 1) // 2 > _SLOW
    found, tried = None, not slow
    size = np.abs(observed[:, None] - observed)
    with bar(label, trials, "trials") if slow else nullcontext() as advance:
        for rows in _blocks(trials, units):
            swapped = rng.integers(2, size=(rows, units), dtype=bool)
            sums = _sums(statistics, swapped)
            if found:
                counts += linear.count(found, totals, sums, formula, size)
            else:
                counts += _count_all(totals, sums, formula, observed)
                if not tried:
                    found, tried = linear.approximation(totals, sums, formula, size), True
            if advance:
                advance(rows)
    return _p_values(counts, trials)


def _count_all(totals: Array, sums: Array, formula: Formula, observed: Array) -> Array:
    """[2, system, system]: `_count_extreme` of all pairs, by the formula."""
    systems, rows = sums.shape[1:]
    counts = np.zeros((2, systems, systems))
    step = max(1, _CHUNK // rows)
    for a in range(systems):
        for start in range(a + 1, systems, step):
            b = slice(start, start + step)
            moved = sums[:, a, None] - sums[:, b]
            differences = formula(totals[:, b, None] + moved) - formula(totals[:, a, None, None] - moved)
            counts[:, a, b] += _count_extreme(np.abs(differences), observed[a] - observed[b])
    return counts


def _sums(statistics: Array, times: Array | NDArray[np.bool_]) -> Array:
    """[system, statistic, unit] x [draw, unit] -> [statistic, system, draw].

    Sums of counts are computed with half the bits, in half the time, where these hold them exactly.
    """
    systems, size, units = statistics.shape
    matrix = statistics.swapaxes(0, 1).reshape(-1, units)
    is_exact = times.dtype == bool and _are_small_counts(statistics)
    if is_exact:
        product: Array = (matrix.astype(np.float32) @ times.astype(np.float32).T).astype(np.float64)
    else:
        product = matrix @ times.astype(np.float64).T
    return product.reshape(size, systems, -1)


def _are_small_counts(statistics: Array) -> bool:
    return bool((np.abs(statistics).sum(axis=2) < 2**24).all() and (statistics == np.rint(statistics)).all())


def _count_extreme(differences: Array, observed: Array) -> Array:
    """[2, pair]: how many of a pair's differences are larger than the observed one, and how many at least as
    large.

    `differences`: [pair, draw]; `observed`: [pair]. A draw without a score (nan) counts as larger, to be
    conservative.
    """
    size = np.abs(observed)[:, None]
    not_extreme = differences <= size, differences < size - linear.ROUNDING
    draws = differences.shape[1]
    return np.array([[draws - np.count_nonzero(pair) for pair in pairs] for pairs in not_extreme])


def _p_values(counts: Array, draws: int) -> tuple[Array, Array]:
    """sacrebleu counts the larger differences, Riezler and Maxwell those that are at least as large. The two
    definitions give different values if many differences are equal, as with TER's whole numbers of edits.

    If no difference is larger, those that are as large count in both: sacrebleu prints the smallest possible p-value,
    though two systems that differ in two units have the observed difference in half of all trials.
    """
    larger, as_large = counts
    p = (as_large + 1) / (draws + 1)
    return np.where(larger == 0, p, (larger + 1) / (draws + 1)), p


def _blocks(draws: int, units: int) -> list[int]:
    """The number of draws to make at a time, so that memory does not grow with them.

    numpy gives the same numbers in one call or in many, if each call takes a multiple of 32 bits.
    """
    most = max(32, min(_BLOCK // units, _ROWS) // 32 * 32)
    return [min(most, draws - done) for done in range(0, draws, most)]
