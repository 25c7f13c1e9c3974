"""Scores of parts of a set: by section, kind and length of segment, flags and terms, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.boards.rows import Board
from bench.core import Score, Segment
from bench.scoring import units
from bench.scoring.formulas import FORMULAS, Array

By = Literal["section", "kind", "length", "flags", "terms"]
_MAX_PARTS = 40  # of one division: a set may have hundreds of sections


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    """A section's name, or a key of the site's words."""
    segments: int
    scores: tuple[tuple[float, float | None, float | None] | None, ...]
    """Per row of the board: the score and the ends of its interval, which a part of few units does not have; None if
    nothing was scored."""


def breakdown(
    board: Board, metric: str, flagged: Sequence[bool], terms: Sequence[int]
) -> dict[By, list[Part]] | None:
    """The scores of each part. `flagged`: whether a system that is not a control has a flag there; `terms`: number
    of official terms in each segment. None if the board is too large to keep statistics (bench.boards.rows)."""
    if not board.has_statistics:
        return None
    scores = [
        (score, units.statistics(score)) if score else None
        for row in board.rows
        for score in [row.scores[metric]]
    ]
    unit = units.units(board.reference)
    return {
        by: [
            Part(name, len(places), tuple(_score(score, places, unit) for score in scores))
            for name, places in parts.items()
        ]
        for by, parts in _divisions(board, flagged, terms).items()
        if 1 < len(parts) <= _MAX_PARTS
    }


def _divisions(
    board: Board, flagged: Sequence[bool], terms: Sequence[int]
) -> dict[By, Mapping[str, list[int]]]:
    segments = board.reference.segments
    lengths = [len(segment.text(board.task.source_language)) for segment in segments]
    short, long = np.quantile(lengths, [1 / 3, 2 / 3])
    divisions: dict[By, Callable[[int, Segment], str]] = {
        "section": lambda place, segment: segment.section,
        "kind": lambda place, segment: segment.kind,
        "length": lambda place, segment: (
            "short" if lengths[place] <= short else "long" if lengths[place] > long else "medium"
        ),
        "flags": lambda place, segment: "with flags" if flagged[place] else "without flags",
    }
    if any(terms):
        divisions["terms"] = lambda place, segment: (
            "no terms" if not terms[place] else "1–2 terms" if terms[place] < 3 else "3 or more terms"
        )
    return {by: _grouped(segments, name) for by, name in divisions.items()}


def _grouped(segments: Sequence[Segment], name: Callable[[int, Segment], str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, segment in enumerate(segments):
        groups.setdefault(name(place, segment), []).append(place)
    return groups


def _score(
    score: tuple[Score, Array] | None, places: Sequence[int], unit: units.Units
) -> tuple[float, float | None, float | None] | None:
    if score is None:
        return None
    whole, statistics = score[0], score[1][:, places]
    formula = FORMULAS[whole.aggregation]
    if not statistics.any():
        return None
    value = float(formula(statistics.sum(axis=1)))
    if not np.isfinite(value):
        return None
    numbers = {number: n for n, number in enumerate(dict.fromkeys(unit.index[place] for place in places))}
    part = units.Units(unit.name, tuple(numbers[unit.index[place]] for place in places))
    sums = units.by_unit(statistics, part)
    sums = sums[:, (sums != 0).any(axis=0)]
    if sums.shape[1] < units.FEW:
        return value, None, None
    ends = units.interval_of_sums(value, sums, formula, whole.is_share)
    return (value, *(ends or (None, None)))
