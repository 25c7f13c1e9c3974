"""Texts whose languages alternate by paragraph: which paragraphs are neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from bench.languages import Language
from bench.references.segmentation.items import Item

_MIN_RUNS = 6
_MIN_SINGLE = 0.6
"""Share of the runs of one language that are a single paragraph, at least."""


def mark_turns(items: Mapping[Language, Sequence[Item]]) -> dict[Language, list[Item]]:
    """The items with the number of their turn, which a paragraph and its translation share.

    Unchanged if the languages do not alternate by paragraph. The language that begins a turn is the one with the
    smaller gap between its paragraphs and what follows; if there is no difference, the one that comes first.
    """
    unmarked = {language: list(side) for language, side in items.items()}
    both = sorted((item for side in items.values() for item in side), key=lambda item: item.lines[0])
    gaps: dict[Language, list[int]] = {"zh": [], "en": []}
    for item, following in pairwise(both):
        if item.language != following.language and following.lines[0] > item.lines[-1]:
            gaps[item.language].append(following.lines[0] - item.lines[-1])
    averages = {language: sum(values) / len(values) for language, values in gaps.items() if values}
    if not both or len(averages) < 2:
        return unmarked
    first = min(averages, key=lambda language: (averages[language], language != both[0].language))
    both.sort(key=lambda item: (item.lines[0], item.language != first))
    runs = [list(run) for _, run in groupby(both, key=lambda item: item.language)]
    single = sum(len({item.block for item in run}) == 1 for run in runs)
    if len(runs) < _MIN_RUNS or single < _MIN_SINGLE * len(runs):
        return unmarked
    marked: dict[Language, list[Item]] = {"zh": [], "en": []}
    turn = 0
    for run in runs:
        turn += run[0].language == first
        marked[run[0].language] += [replace(item, turn=turn) for item in run]
    is_same_order = all(
        [item.name for item in marked[language]] == [item.name for item in side]
        for language, side in items.items()
    )
    return marked if is_same_order else unmarked
