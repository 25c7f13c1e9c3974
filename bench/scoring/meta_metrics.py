"""How WMT's metrics tasks measure metrics: accuracy with calibrated ties (since 2023), soft pairwise accuracy (2024).

Both give the numbers of mt-metrics-eval (https://github.com/google-research/mt-metrics-eval, commit 68a481a), which
is in no package registry: tests/scoring/test_meta_metrics.py compares. Arrays are [segment, system], and nan where
there is no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PERMUTATIONS, _SEED = 1000, 4
"""Of soft pairwise accuracy: the defaults of mt-metrics-eval."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Pairwise accuracy within segments, where the metric may call two translations equal: acc_eq* (Deutsch et al.
    2023, "Ties Matter", arXiv 2305.14324).

    A pair of translations of one segment counts as right if judges and metric order it alike, or both call it equal.
    The metric calls a pair equal if its scores differ by at most a threshold: the one that gives the best accuracy on
    these data. Segments have the same weight.
    """

    rows: NDArray[np.int64]
    """[pair]: its segment. Pairs are sorted by the difference of their metric scores."""
    right: NDArray[np.bool_]
    """[pair]: whether it is right if the metric does not call it equal."""
    human_tie: NDArray[np.bool_]
    last: NDArray[np.int64]
    """The last pair of each difference: a threshold makes ties of all pairs up to one of these."""
    thresholds: Floats
    """The differences at `last`."""
    pairs: NDArray[np.int64]
    """[segment]: number of its pairs."""

    @classmethod
    def of(cls, human: Floats, metric: Floats) -> Ties:
        first, second = np.triu_indices(human.shape[1], 1)
        h, m = human[:, first] - human[:, second], metric[:, first] - metric[:, second]
        rows, columns = np.nonzero(~np.isnan(h) & ~np.isnan(m))
        h, m = h[rows, columns], m[rows, columns]
        order = np.argsort(np.abs(m), kind="stable")
        rows, h, m = rows[order], h[order], m[order]
        differences = np.abs(m)
        last = np.flatnonzero(np.append(differences[1:] != differences[:-1], True)) if len(m) else rows
        return cls(
            rows,
            np.sign(h) == np.sign(m),
            h == 0,
            last,
            differences[last],
            np.bincount(rows, minlength=len(human)),
        )

    def accuracy(self, counts: NDArray[np.int64] | None = None) -> tuple[float, float]:
        """The best accuracy, and its threshold. (nan, nan) if there is no pair.

        `counts`: [segment], how often a resample has drawn it; None for once each.
        """
        counts = np.ones(len(self.pairs), dtype=np.int64) if counts is None else counts
        segments = int(counts[self.pairs > 0].sum())
        if not segments:
            return float("nan"), float("nan")
        weights = (counts / np.maximum(self.pairs, 1) / segments)[self.rows]
        without = float(weights[self.right].sum())
        gains = np.cumsum(weights * (self.human_tie.astype(float) - self.right))[self.last]
        accuracies = np.concatenate(([without], without + gains))
        best = int(np.argmax(accuracies))
        return float(accuracies[best]), float(np.concatenate(([0.0], self.thresholds))[best])


def soft_pairwise_accuracy(human: Floats, metric: Floats, signs: NDArray[np.float32] | None = None) -> float:
    """1 minus the mean difference of the p-values that judges and metric give pairs of systems (Thompson et al. 2024,
    "Improving Statistical Significance in Human Evaluation of Automatic Metrics via Soft Pairwise Accuracy", arXiv
    2409.09598).

    The p-value is that of a paired permutation test of the hypothesis that the first system is better, by the means of
    segment scores. Only segments with a value for every system are used. nan without two systems and two segments.
    `signs`: those of the permutations (`permutation_signs`), for as many segments.
    """
    complete = ~(np.isnan(human) | np.isnan(metric)).any(axis=1)
    human, metric = human[complete], metric[complete]
    if human.shape[1] < 2 or len(human) < 2:
        return float("nan")
    signs = permutation_signs(len(human)) if signs is None else signs[:, complete]
    pairs = np.triu_indices(human.shape[1], 1)
    return float(1 - np.mean(np.abs(_p_values(human, signs, pairs) - _p_values(metric, signs, pairs))))


def permutation_signs(segments: int) -> NDArray[np.float32]:
    """[permutation, segment]: -1 or 1, drawn as mt-metrics-eval draws them."""
    random = np.random.default_rng(_SEED).random(size=(_PERMUTATIONS, segments), dtype=np.float32)
    signs: NDArray[np.float32] = np.rint(random) * np.float32(2) - np.float32(1)
    return signs


def _p_values(
    scores: Floats, signs: NDArray[np.float32], pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Floats:
    """[pair]. Sums are in single precision, as there: it decides ties."""
    by_system = np.ascontiguousarray(scores.T, dtype=np.float32)
    totals, permuted = by_system.sum(axis=1), signs @ by_system.T
    first, second = pairs
    beyond = permuted[:, first] - permuted[:, second] >= totals[first] - totals[second]
    shares: Floats = beyond.mean(axis=0, dtype=np.float64)
    return shares
