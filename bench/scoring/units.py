"""The units of intervals and tests: what is left out, swapped or resampled as a whole.

Segments of one document, section or paragraph are not independent: what makes one of them easy for a system
makes its neighbours easy too. With segments as units, tests call many equal systems different
(`python -m tests.simulations`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from bench.core import ReferenceSet, Score
from bench.errors import BenchError
from bench.references.views import groups

if TYPE_CHECKING:
    from bench.scoring.formulas import Array, Formula

UnitName = Literal["document", "section", "paragraph", "segment"]
UNIT_NAMES: tuple[UnitName, ...] = get_args(UnitName)
ENOUGH_SECTIONS = 20
"""With fewer, paragraphs are the units: tests of many pairs need some twenty units to find anything."""
FEW = 8
"""With fewer units, a board says so: no test can find much, and intervals are wide."""


@dataclass(frozen=True, slots=True)
class Units:
    name: UnitName
    index: tuple[int, ...]
    """The number of each segment's unit, from 0, in the order of the set."""

    @property
    def count(self) -> int:
        return max(self.index, default=-1) + 1


def units(reference: ReferenceSet, name: UnitName | None = None) -> Units:
    """The units of a set. Without `name` they are the largest that the set knows, if there are several of them:
    documents; else sections, if they are many; else paragraphs; else segments.

    Raises BenchError if the set does not mark the units called `name`.
    """
    if name is not None:
        return _marked(reference, name)
    if reference.outside:
        documents = _marked(reference, "document")
        return documents if documents.count > 1 else _marked(reference, "segment")
    sections, paragraphs = _marked(reference, "section"), _marked(reference, "paragraph")
    if sections.count >= ENOUGH_SECTIONS:
        return sections
    return paragraphs if paragraphs.count > 1 else _marked(reference, "segment")


def by_unit(statistics: Array, units: Units) -> Array:
    """[…, unit]: the sums over the segments of each unit. `statistics`: […, segment]."""
    import numpy as np

    if units.name == "segment":
        return statistics
    summed = np.zeros((units.count, *statistics.shape[:-1]))
    np.add.at(summed, list(units.index), np.moveaxis(statistics, -1, 0))
    return np.moveaxis(summed, 0, -1)


def statistics(score: Score) -> Array:
    """[statistic, segment]. Those of a mean are the value and the number 1; 0 and 0 if the segment was not
    scored, so that it has no weight."""
    import numpy as np

    if score.statistics:
        return np.array(score.statistics, dtype=float).T
    return np.array([(0, 0) if value is None else (value, 1) for value in score.segments], dtype=float).T


def interval(score: Score, units: Units) -> tuple[float, float] | None:
    """The 95 % interval of a score (bench.scoring.intervals). None if fewer than two units have something that
    was scored, or the score does not follow from its statistics. A share (of facts, of terms) that only some units
    have needs FEW of them, and one of 0 or 100 has none: the jackknife would give ± 0."""
    from bench.scoring.formulas import FORMULAS

    if all(value is None for value in score.segments):
        return None
    sums = by_unit(statistics(score), units)
    sums = sums[:, (sums != 0).any(axis=0)]  # a unit without anything to score is none
    if score.is_share and (sums.shape[1] < min(FEW, units.count) or score.value in (0, 100)):
        return None
    return interval_of_sums(score.value, sums, FORMULAS[score.aggregation], score.is_share)


def interval_of_sums(
    value: float, sums: Array, formula: Formula, is_share: bool
) -> tuple[float, float] | None:
    """The 95 % interval of a value. `sums`: [statistic, unit]. That of a share ends where the scale ends."""
    from bench.scoring import intervals

    ends = intervals.interval(value, intervals.leave_one_out(sums[None], formula)[0])
    return (max(0.0, ends[0]), min(100.0, ends[1])) if ends and is_share else ends


def _marked(reference: ReferenceSet, name: UnitName) -> Units:
    ids: Sequence[str]
    if name == "segment":
        ids = [segment.id for segment in reference.segments]
    elif name == "section" and not reference.outside:
        ids = [segment.section for segment in reference.segments]
    elif name == "section":
        raise BenchError(
            f"{reference.id} does not mark its sections: use compare.unit=document or compare.unit=segment."
        )
    else:
        if name == "paragraph" and reference.outside:
            raise BenchError(
                f"{reference.id} does not mark its paragraphs: use compare.unit=document or compare.unit=segment."
            )
        group_of = {s.id: id for id, segments in groups(reference, name).items() for s in segments}
        ids = [group_of[segment.id] for segment in reference.segments]
    number = {id: n for n, id in enumerate(dict.fromkeys(ids))}
    return Units(name, tuple(number[id] for id in ids))
