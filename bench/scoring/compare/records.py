"""The results of a comparison, as they are stored in comparisons/<metric>.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.core import Test
from bench.scoring.units import UnitName


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems, compared by one metric."""

    a: str
    """The system with the better score."""
    b: str
    difference: float
    """a's score minus b's, in the metric's own points: negative if a lower score is better."""
    interval: tuple[float, float] | None
    """95 % interval of the difference, for this pair alone (bench.scoring.intervals). None if one unit alone has
    all that is scored."""
    p_sacrebleu: float
    """The p-value that sacrebleu prints, if segments are the units, with the same trials or resamples and the same
    seed. One exception: if no trial gives a larger difference, those that give the same count (few units, in which
    sacrebleu's is too small).
    """
    p_adjusted: float
    """The p-value to rely on: two-sided, with ties counted, and adjusted for all pairs by Holm's (1979)
    method.
    """
    significant: bool
    """p_adjusted is below LEVEL."""
    agreement: float | None
    """How often human judgements agree with a difference of this size, from 0 to 1
    (bench.scoring.compare.agreement). None if the difference is not significant, or the metric was not
    studied.
    """
    minimum_detectable_difference: float | None
    """The true difference between these two that would be significant on four of five such sets: see `compare`;
    None without an interval."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All systems of one direction, compared by one metric."""

    metric: str
    test: Test
    trials: int
    """Trials of the randomisation test, or resamples of the bootstrap."""
    seed: int
    unit: UnitName
    """What is swapped or resampled as a whole."""
    units: int
    """Number of units. With a single one there are no pairs and no ranks."""
    pairs: tuple[Comparison, ...]
    """Every pair of systems, in the order of their scores."""
    ranks: Mapping[str, tuple[int, int]]
    """System -> best and worst possible rank, in the order of their scores: see `rank_ranges`. Controls have
    none."""
    minimum_detectable_difference: float | None
    """Median over all pairs; None if there are none."""
    missing: tuple[str, ...]
    """Systems that were left out: they have no score, no scored segment, or statistics that do not give their
    score (those of an older scorer).
    """
