"""Intervals, against sacrebleu's own estimate and numpy's percentiles."""

from __future__ import annotations

import numpy as np
import pytest
from sacrebleu.significance import estimate_ci

from bench.scoring.intervals import SEED, centred_interval, draw, percentile_interval

SCORES = np.random.default_rng(1).gamma(3, size=1000)
WITH_GAPS = np.insert(SCORES, [0, 500, 1000], np.nan)


@pytest.mark.parametrize("scores", [SCORES, WITH_GAPS])
def test_centred_interval_is_sacrebleus(scores: np.ndarray) -> None:
    mean, half = estimate_ci(SCORES)
    assert centred_interval(scores) == (mean - half, mean + half)
    assert centred_interval(scores, mean=0.0) == (-half, half)


@pytest.mark.parametrize("scores", [SCORES, WITH_GAPS])
def test_percentile_interval_is_numpys(scores: np.ndarray) -> None:
    assert percentile_interval(scores) == tuple(np.percentile(SCORES, [2.5, 97.5]))


def test_draws_continue_a_series() -> None:
    """sacrebleu draws all resamples with one call of `choice`."""
    rng = np.random.default_rng(SEED)
    expected = np.random.default_rng(SEED).choice(39, size=(96, 39), replace=True)
    assert np.array_equal(np.concatenate([draw(39, 32, rng), draw(39, 64, rng)]), expected)
    assert np.array_equal(draw(39, 96), expected)
