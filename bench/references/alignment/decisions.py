"""Applies the decisions of a reviewer (overrides.yaml): before the alignment, and in its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.core import AlignedBy
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references.alignment.align import Group
from bench.references.alignment.search import Point
from bench.references.overrides import FILE, Overrides
from bench.references.segmentation.items import Item

_MAX_DRIFT = 0.1
"""Share of the document. A reviewer's pair with sides further apart says nothing about the text between."""

Items = Mapping[Language, Sequence[Item]]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a reviewer decided, and what is left for the aligner."""

    groups: list[Group]
    """Pairs of the reviewer, in the order of overrides.yaml."""
    unpaired: list[tuple[Item, str]]
    """Items without counterpart, and the reason."""
    items: dict[Language, list[Item]]
    """The items that are still to be aligned."""
    walls: list[Point]
    """Points in `items` that no group may cross: where a pair of the reviewer was taken out."""


def apply_overrides(items: Items, overrides: Overrides) -> Decided:
    """Take the items out that a reviewer decided on.

    Raises BenchError if an override names a sentence that does not exist or joins sentences that are not
    neighbours.
    """
    by_name = {language: {item.name: item for item in side} for language, side in items.items()}

    def find(language: Language, name: str) -> Item:
        if name not in by_name[language]:
            raise BenchError(
                f"{FILE} names the {LANGUAGE_NAMES[language]} sentence {name}, which is not in the source: "
                "look up its name with `bench references review` and correct it."
            )
        return by_name[language][name]

    unpaired = [(find(language, name), reason) for (language, name), reason in overrides.alone.items()]
    groups = [
        Group(
            tuple(sorted((find("zh", name) for name in pair.zh), key=_position)),
            tuple(sorted((find("en", name) for name in pair.en), key=_position)),
            1.0,
        )
        for pair in overrides.pairs
    ]
    _refuse_gaps(items, groups)
    decided = {id(item) for group in groups for item in (*group.zh, *group.en)}
    decided |= {id(item) for item, _ in unpaired}
    undecided_before: dict[int, int] = {}  # id of an item -> the number of undecided items before it
    for side in items.values():
        count = 0
        for item in side:
            undecided_before[id(item)] = count
            count += id(item) not in decided
    undecided = {
        language: [item for item in side if id(item) not in decided] for language, side in items.items()
    }
    points = [
        (undecided_before[id(group.zh[0])], undecided_before[id(group.en[0])])
        for group in sorted(groups, key=lambda group: _position(group.zh[0]))
    ]
    return Decided(groups, unpaired, undecided, _walls(points, len(undecided["zh"]), len(undecided["en"])))


def _refuse_gaps(items: Items, groups: Sequence[Group]) -> None:
    """Raise BenchError if a side of a group has other sentences between its own, or one within another."""
    order = {id(item): n for side in items.values() for n, item in enumerate(side)}
    for side in (side for group in groups for side in (group.zh, group.en)):
        if order[id(side[-1])] - order[id(side[0])] != len(side) - 1:
            raise BenchError(
                f"{FILE} joins {side[0].name} and {side[-1].name}, which have other sentences between them: "
                "pair neighbours only."
            )
        for previous, item in pairwise(side):
            if item.lines[0] < previous.lines[-1]:
                raise BenchError(
                    f"{FILE} joins {previous.name} and {item.name}, but {item.name} stands within {previous.name}, "
                    "which continues after it: pair them separately."
                )


def find_gaps(items: Items, remaining: Items) -> dict[Language, set[str]]:
    """The names of the remaining items whose predecessor in `items` is not the one in `remaining`."""
    gaps: dict[Language, set[str]] = {}
    for language, side in remaining.items():
        before = {item.name: previous.name for previous, item in pairwise(items[language])}
        gaps[language] = {
            item.name for previous, item in pairwise(side) if before[item.name] != previous.name
        }
    return gaps


def _walls(points: Sequence[Point], zh_size: int, en_size: int) -> list[Point]:
    """The points, in Chinese order, that are walls: a pair from far apart or across another pair is not
    one."""
    zh_size, en_size = max(zh_size, 1), max(en_size, 1)
    walls: list[Point] = []
    for point in points:
        drift = abs(point[0] / zh_size - point[1] / en_size)
        is_near = drift <= max(_MAX_DRIFT, 4 / min(zh_size, en_size))
        if is_near and (not walls or point[1] >= walls[-1][1]):
            walls.append(point)
    return walls


def insert_decided(
    groups: Sequence[tuple[Group, AlignedBy]], decided: Sequence[Group], decided_by: AlignedBy = "override"
) -> list[tuple[Group, AlignedBy]]:
    """All groups in the order of the Chinese text, each with the one who aligned it."""
    waiting = sorted(decided, key=lambda group: _position(group.zh[0]), reverse=True)
    ordered: list[tuple[Group, AlignedBy]] = []
    for group, aligned_by in groups:
        while waiting and group.zh and _position(waiting[-1].zh[0]) < _position(group.zh[0]):
            ordered.append((waiting.pop(), decided_by))
        ordered.append((group, aligned_by))
    return [*ordered, *((group, decided_by) for group in reversed(waiting))]


def _position(item: Item) -> tuple[int, int]:
    return item.block, item.start
