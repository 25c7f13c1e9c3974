"""Accuracy with calibrated ties and soft pairwise accuracy: the numbers of mt-metrics-eval's own code.

mt-metrics-eval is in no registry (PyPI's package of that name is another one), so its numbers are written down here. They
were computed by its commit 68a481a. To compute them again:

    git clone https://github.com/google-research/mt-metrics-eval
    PYTHONPATH=mt-metrics-eval:. python -m tests.scoring.test_meta_metrics
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.scoring.meta_metrics import Ties, permutation_signs, soft_pairwise_accuracy

NAN = float("nan")

CASES = {
    "four systems": (20, 4, 0.0, 6),
    "some translations were not judged": (60, 7, 0.1, 6),
    "many ties": (100, 6, 0.0, 2),
    "as many as a WMT set": (200, 8, 0.02, 26),
}
"""Name -> segments, systems, share of missing judgements, different judgements."""

NUMBERS = {
    "four systems": (0.6333333333333334, 0.010000000000000009, 0.9055),
    "some translations were not judged": (0.6430158730158735, 0.020000000000000018, 0.8023333333333333),
    "many ties": (0.4533333333333334, 0.29, 0.7653333333333333),
    "as many as a WMT set": (0.8792499999999999, 0.0, 0.9315714285714286),
}
"""Name -> acc_eq*, its threshold, soft pairwise accuracy."""


def data(segments: int, systems: int, missing: float, levels: int) -> tuple[Any, Any]:
    """Judgements and metric scores, [segment, system]. Scores have two decimals, so that some are equal."""
    rng = np.random.default_rng([segments, systems])
    human = -rng.integers(0, levels, size=(segments, systems)).astype(float) - np.arange(systems) / 4
    human = np.round(human)
    metric = np.round(human * 0.4 + rng.normal(size=human.shape), 2)
    human[rng.random(human.shape) < missing] = NAN
    return human, metric


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_mt_metrics_eval(name: str) -> None:
    human, metric = data(*CASES[name])
    accuracy, threshold, soft = NUMBERS[name]
    assert Ties.of(human, metric).accuracy() == pytest.approx((accuracy, threshold), abs=1e-9)
    assert soft_pairwise_accuracy(human, metric) == pytest.approx(soft, abs=1e-9)


def test_ties_by_hand() -> None:
    human = np.array([[1.0, 1, 2], [3, 3, 3]])
    metric = np.array([[0.0, 0.1, 0.5], [0.0, 0.2, 0.4]])
    # At 0.1: 3 of 3, and 0 of 3. At 0.2: 3 of 3 and 2 of 3. At 0.4 the pairs of the first segment begin to be ties.
    assert Ties.of(human, metric).accuracy() == pytest.approx((5 / 6, 0.2))


def test_a_resample_is_the_data_with_segments_repeated() -> None:
    human, metric = data(30, 5, 0.1, 4)
    rows = np.random.default_rng(1).integers(0, 30, size=30)
    counts = np.bincount(rows, minlength=30)
    repeated = Ties.of(human[rows], metric[rows]).accuracy()
    assert Ties.of(human, metric).accuracy(counts) == pytest.approx(repeated)


def test_nothing_to_compare() -> None:
    one = np.array([[1.0], [2.0]])
    assert np.isnan(Ties.of(one, one).accuracy()).all()
    assert np.isnan(soft_pairwise_accuracy(one, one))
    apart = np.array([[1.0, NAN], [NAN, 2.0]])
    assert np.isnan(Ties.of(apart, apart).accuracy()).all()
    assert np.isnan(soft_pairwise_accuracy(apart, apart, permutation_signs(2)))


def main() -> None:
    """Print NUMBERS, computed by mt-metrics-eval."""
    from mt_metrics_eval import stats

    for name, case in CASES.items():
        human, metric = data(*case)
        judged, given = ([None if np.isnan(v) else float(v) for v in x.T.ravel()] for x in (human, metric))
        accuracy, threshold, _ = stats.KendallWithTiesOpt(
            judged, given, "acc23", case[1], "item", sample_rate=1.0
        )
        complete = ~np.isnan(human).any(axis=1)
        rows = [[float(v) for v in x[complete].T.ravel()] for x in (human, metric)]
        (soft,) = stats.PairwiseConfidenceError(*rows, case[1])
        print(f"    {name!r}: ({accuracy!r}, {threshold!r}, {soft!r}),")


if __name__ == "__main__":
    main()
