"""Scores that a test makes up."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from bench.core import Score


def score(segments: Sequence[float], *, higher_is_better: bool = True) -> Score:
    values = tuple(map(float, segments))
    return Score("made up", fmean(values), None, "made up", values, higher_is_better=higher_is_better)
