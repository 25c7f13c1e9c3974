"""The results of a comparison, as they are stored in comparisons/<metric>.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.core import Test


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems, compared by one metric."""

    a: str
    """The system with the better score."""
    b: str
    difference: float
    """a's score minus b's, in the metric's own points: negative if a lower score is better."""
    interval: tuple[float, float]
    """95 % bootstrap interval of the difference, for this pair alone."""
    p_sacrebleu: float
    """The p-value that sacrebleu prints for these two systems with the same trials or resamples and the same
    seed. One exception: it is 1 if the two systems are equal or differ in one unit.
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
    minimum_detectable_difference: float
    """The smallest true difference that the test would usually detect between these two: see `compare`."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All systems of one direction, compared by one metric."""

    metric: str
    test: Test
    resamples: int
    """Trials of the randomisation test or resamples of the bootstrap."""
    seed: int
    unit: Literal["segment", "paragraph"]
    """What is swapped or resampled."""
    units: int
    """Number of units. With a single one there are no intervals, pairs or ranks."""
    intervals: Mapping[str, tuple[float, float]]
    """System -> 95 % bootstrap interval of its score, as sacrebleu computes it."""
    pairs: tuple[Comparison, ...]
    """Every pair of systems, in the order of their scores."""
    ranks: Mapping[str, int]
    """System -> rank, best first: see `ranks`."""
    minimum_detectable_difference: float | None
    """Median over all pairs; None if there are none."""
    missing: tuple[str, ...]
    """Systems that were left out: they have no score, no scored segment, or statistics that do not give their
    score (those of an older scorer).
    """
