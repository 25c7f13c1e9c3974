"""Ids that two web pages share: points that the alignment passes through."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from bench.languages import LANGUAGE_NAMES, Language
from bench.references.alignment.search import Point
from bench.references.segmentation.blocks import ANCHOR_LINE
from bench.references.segmentation.extract import LeftOut
from bench.references.segmentation.items import Item

_MIN_SHARE = 0.9
"""Of the shared ids, so many are in the same order. Otherwise a page builder gave them, and they mean nothing."""


def shared_anchors(items: Mapping[Language, Sequence[Item]], left_out: Sequence[LeftOut]) -> list[Point]:
    """The points (zh, en), in the order of the Chinese text, before which both pages have the same id."""
    lines: dict[Language, dict[str, int]] = {"zh": {}, "en": {}}
    for entry in left_out:
        if entry.reason == ANCHOR_LINE:
            lines[entry.side][entry.text] = entry.lines[0]
    first_lines = {language: [item.lines[0] for item in items[language]] for language in LANGUAGE_NAMES}
    points = [
        (bisect_left(first_lines["zh"], line), bisect_left(first_lines["en"], lines["en"][name]))
        for name, line in sorted(lines["zh"].items(), key=lambda row: row[1])
        if name in lines["en"]
    ]
    rising = merge_walls([], points)
    return rising if len(rising) >= _MIN_SHARE * len(points) else []


def merge_walls(decided: Sequence[Point], found: Sequence[Point]) -> list[Point]:
    """The decided walls, and those found that do not cross them or each other, in order."""
    walls = list(decided)
    for point in found:
        index = bisect_left(walls, point)
        before, after = walls[:index][-1:], walls[index : index + 1]
        if all(wall[1] <= point[1] for wall in before) and all(point[1] <= wall[1] for wall in after):
            walls.insert(index, point)
    return walls
