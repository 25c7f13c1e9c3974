"""The interval, against scipy where it is exact, and by simulated coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from bench import references
from bench.core import ReferenceSet, Score
from bench.errors import BenchError
from bench.references.parallel import parallel_segment
from bench.scoring import intervals
from bench.scoring.formulas import FORMULAS
from bench.scoring.intervals import SEED, draw, percentile_interval
from bench.scoring.units import Units, interval, units
from tests import simulations

VALUES = np.random.default_rng(1).normal(0.8, 0.1, size=40)
SEGMENTS = Units("segment", tuple(range(40)))
BUILT = references.load("china-export-controls-2021")


def mean(values: np.ndarray) -> Score:
    return Score(
        "mean",
        float(np.nanmean(values)),
        None,
        "mean",
        tuple(None if np.isnan(v) else v for v in values.tolist()),
    )


def test_of_a_mean_it_is_students() -> None:
    """The jackknife of a mean is its standard error; scipy's interval has as many degrees of freedom as units
    minus one, and ours a few less."""
    score = mean(VALUES)
    without = intervals.leave_one_out(np.array([[VALUES, np.ones(40)]]), FORMULAS["mean"])[0]
    assert intervals.standard_error(without) == pytest.approx(scipy.stats.sem(VALUES))
    freedom = intervals.degrees_of_freedom(without)
    assert 20 < freedom <= 39
    expected = scipy.stats.t.interval(0.95, freedom, loc=VALUES.mean(), scale=scipy.stats.sem(VALUES))
    assert interval(score, SEGMENTS) == pytest.approx(expected)


def test_one_long_segment_leaves_few_degrees_of_freedom() -> None:
    spread = np.ones(100)
    spread[0] = 1000
    assert intervals.degrees_of_freedom(spread) < 3


def test_what_was_not_scored_is_no_unit() -> None:
    gaps = np.insert(VALUES, [3, 9, 20], np.nan)
    with_gaps = interval(mean(gaps), Units("segment", tuple(range(43))))
    assert with_gaps == pytest.approx(interval(mean(VALUES), SEGMENTS))


def test_units_that_repeat_are_one() -> None:
    repeated = np.repeat(VALUES, 3)
    paragraphs = Units("paragraph", tuple(place // 3 for place in range(120)))
    assert interval(mean(repeated), paragraphs) == pytest.approx(interval(mean(VALUES), SEGMENTS))


def test_without_two_units_there_is_none() -> None:
    assert interval(mean(VALUES[:1]), Units("segment", (0,))) is None
    assert interval(mean(VALUES), Units("document", (0,) * 40)) is None
    assert interval(mean(np.array([0.5, np.nan, np.nan])), Units("segment", (0, 1, 2))) is None


@pytest.mark.slow
@pytest.mark.parametrize("size", [39, 500])
@pytest.mark.parametrize("metric", ["BLEU", "chrF", "TER"])
def test_coverage(metric: str, size: int) -> None:
    """93 to 97 %, give or take what 600 simulated sets tell (tests/simulations.py)."""
    aggregation = {"BLEU": "bleu", "chrF": "chrf", "TER": "ratio"}[metric]
    population = simulations._population(metric)
    held = simulations.coverage(population, FORMULAS[aggregation], size, sets=600, seed=3)[:, 0]  # type: ignore[index]
    low, high = scipy.stats.binom.interval(0.99, 600, 0.95)
    assert (held * 600 >= min(low, 0.93 * 600)).all()
    assert (held * 600 <= max(high, 0.97 * 600)).all()


# Units


def outside(sections: list[str]) -> ReferenceSet:
    segments = tuple(parallel_segment(f"s{n}", "规定", "rule", section) for n, section in enumerate(sections))
    return ReferenceSet("news", "news", "unknown", "", "", segments, outside=True)


def sections(count: int) -> ReferenceSet:
    """A built set with sections of two paragraphs of two segments."""
    segments = tuple(
        replace(parallel_segment(f"s{n}", "规定", "rule", str(n // 4)), paragraph=1 + n // 2 % 2)
        for n in range(4 * count)
    )
    return ReferenceSet("law", "law", "zh", "", "", segments)


def test_units_are_the_largest_that_the_set_has_several_of() -> None:
    assert units(BUILT).name == "paragraph"
    assert units(outside(["a", "a", "b"])) == Units("document", (0, 0, 1))
    assert units(outside(["1", "1"])) == Units("segment", (0, 1))
    assert (units(sections(20)).name, units(sections(20)).count) == ("section", 20)
    assert (units(sections(19)).name, units(sections(19)).count) == ("paragraph", 38)
    assert units(replace(BUILT, segments=BUILT.segments[:1])).name == "segment"


def test_units_that_the_set_does_not_mark() -> None:
    with pytest.raises(BenchError, match=r"does not mark its paragraphs: use compare\.unit=document"):
        units(outside(["a", "b"]), "paragraph")
    assert units(BUILT, "document").count == 1


# Resampling


def test_percentile_interval_is_numpys() -> None:
    with_gaps = np.insert(VALUES, [0, 20], np.nan)
    assert percentile_interval(with_gaps) == tuple(np.percentile(VALUES, [2.5, 97.5]))


def test_draws_continue_a_series() -> None:
    """sacrebleu draws all resamples with one call of `choice`."""
    rng = np.random.default_rng(SEED)
    expected = np.random.default_rng(SEED).choice(39, size=(96, 39), replace=True)
    assert np.array_equal(np.concatenate([draw(39, 32, rng), draw(39, 64, rng)]), expected)
    assert np.array_equal(draw(39, 96), expected)
