"""The randomisation test of many systems: a linear approximation decides most trials of a pair.

A trial swaps the outputs of systems a and b in some units. If M is the mean of their sums of statistics, and ±δ what
the swaps add to it, the difference of their scores is f(M + δ) - f(M - δ). Terms of even order cancel, so that 2∇f(M)·δ
is close to it. That is a product of matrices, where the formula takes fifty operations for each pair and trial.

Only counts are needed: how many differences exceed the observed one. In the first trials the formula is computed as
well: that tells, for each pair, how far the approximation can be off, the rounding of its 32 bits included. After that,
the formula decides the trials of a pair whose approximation is closer to the observed difference than several times
that. So the counts are those of the formula (tests/scoring/test_compare.py compares them).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.scoring.formulas import Array, Formula

Indices = NDArray[np.intp]
ROUNDING = 1e-9
"""Differences of scores that are closer than that count as equal."""
_SAFETY = 5.0
"""How many times its largest error in the first trials the approximation may be off."""
_MOST_UNDECIDED = 0.05
"""The share of trials that may be left to the formula: single trials take several times as long there."""
_LEAST_MARGIN = 1e-6
"""More than 32 bits round thresholds by."""
_STEP = 1e-4
"""Of the slopes, relative to the sums of statistics."""
_DRAWS = 256
"""Trials whose approximations are held at once: 10 MB for 100 systems."""


@dataclass(frozen=True)
class Approximation:
    slopes: NDArray[np.float32]
    """[system, system, statistic]: ∇f at the mean of the sums of two systems. After the last statistic: a quarter of
    the difference that does not depend on the trial."""
    margin: Array
    """[system, system]: how far the approximation may be off. inf: it cannot be used."""


def approximation(totals: Array, sums: Array, formula: Formula, size: Array) -> Approximation | None:
    """`totals`: [statistic, system]. `sums`: [statistic, system, draw] of the units that some trials swap. `size`:
    [system, system], the observed differences. None if the approximation decides too few of these trials."""
    middle = (totals[:, :, None] + totals[:, None, :]) / 2
    slopes = np.empty((*middle.shape[1:], len(middle)))
    for statistic, values in enumerate(middle):
        step = np.maximum(_STEP * np.abs(values), 1e-6)
        ahead, behind = middle.copy(), middle.copy()
        ahead[statistic] += step
        behind[statistic] -= step
        slopes[:, :, statistic] = (formula(ahead) - formula(behind)) / (2 * step)
    own = np.einsum("abk,ka->ab", slopes, totals)
    shape = middle.shape[1:]
    constant = (own.T - own)[:, :, None] / 4
    found = Approximation(np.concatenate([slopes, constant], axis=2).astype(np.float32), np.zeros(shape))
    products, undecided = _products(found, sums), 0
    for a in range(shape[0] - 1):
        b = slice(a + 1, None)
        exact = _differences(totals, sums, formula, a, b)
        approximated = 2 * _halves(products, a).astype(np.float64)
        error = np.abs(approximated - exact)
        margin = np.maximum(_SAFETY * error.max(axis=1), _LEAST_MARGIN)
        found.margin[a, b] = np.where(np.isfinite(error).all(axis=1), margin, np.inf)
        undecided += np.count_nonzero(np.abs(approximated - size[a, b, None]) <= found.margin[a, b, None])
    trials = sums.shape[2] * shape[0] * (shape[0] - 1) / 2
    return found if undecided <= _MOST_UNDECIDED * trials else None


def count(found: Approximation, totals: Array, sums: Array, formula: Formula, size: Array) -> Array:
    """[2, system, system]: of the trials of `sums`, how many differences are larger than `size`, the observed ones,
    and how many at least as large; of a before b. A trial without a score (nan) counts as larger."""
    systems = totals.shape[1]
    counts = np.zeros((2, systems, systems))
    above, below = (((size + sign * found.margin) / 2).astype(np.float32)[:, :, None] for sign in (1, -1))
    for start in range(0, sums.shape[2], _DRAWS):
        part = sums[:, :, start : start + _DRAWS]
        products = _products(found, part)
        undecided = []
        for a in range(systems - 1):
            b = slice(a + 1, None)
            halves = _halves(products, a)
            extreme = halves > above[a, b]
            counts[:, a, b] += np.count_nonzero(extreme, axis=1)
            extreme |= halves < below[a, b]
            pair, draw = np.nonzero(~extreme)
            undecided.append((np.full(len(pair), a), a + 1 + pair, draw))
        first, second, draws = (np.concatenate(indices) for indices in zip(*undecided, strict=True))
        if len(first):
            counts += _count_exactly(totals, part, formula, size, first, second, draws)
    return counts


def _count_exactly(
    totals: Array, sums: Array, formula: Formula, size: Array, a: Indices, b: Indices, draw: Indices
) -> Array:
    """[2, system, system]: the same for single trials, `draw`, of the pairs of `a` and `b`, by the formula."""
    moved = sums[:, a, draw] - sums[:, b, draw]
    differences = np.abs(formula(totals[:, b] + moved) - formula(totals[:, a] - moved))
    larger = ~(differences <= size[a, b])
    as_large = ~(differences < size[a, b] - ROUNDING)
    pair = a * len(size) + b
    counts = [np.bincount(pair[extreme], minlength=size.size) for extreme in (larger, as_large)]
    return np.array(counts, dtype=np.float64).reshape(2, *size.shape)


def _products(found: Approximation, sums: Array) -> NDArray[np.float32]:
    """[system, system, draw]: the slopes of a pair times the sums of its first system, and the constant."""
    extended = np.concatenate([sums, np.ones((1, *sums.shape[1:]))]).astype(np.float32)
    products: NDArray[np.float32] = np.matmul(found.slopes, np.ascontiguousarray(extended.swapaxes(0, 1)))
    return products


def _halves(products: NDArray[np.float32], a: int) -> NDArray[np.float32]:
    """[pair, draw]: about half the size of the difference of a's scores to those of each system after it."""
    halves: NDArray[np.float32] = products[a, a + 1 :] - products[a + 1 :, a]
    return np.abs(halves, out=halves)


def _differences(totals: Array, sums: Array, formula: Formula, a: int, b: slice) -> Array:
    """[pair, draw]"""
    moved = sums[:, a, None] - sums[:, b]
    differences: Array = np.abs(
        formula(totals[:, b, None] + moved) - formula(totals[:, a, None, None] - moved)
    )
    return differences
