"""Which pages people annotate, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Literal

from bench.core import ReferenceSet, Score
from bench.errors import BenchError
from bench.references.views import groups

First = Literal["disagreement", "facts"]
"""Which pages come first: those where metrics disagree, or those where facts and obligations are lost."""

FACTS = ("facts", "obligations")
"""Metrics whose remarks say what is lost."""

_PAGE_SEGMENTS = 10

Page = tuple[int, ...]
"""The segments, as numbers in the set, that are shown together: a paragraph, or a part of a long one."""


def pages(reference: ReferenceSet) -> list[Page]:
    """The paragraphs of a set; its documents if it does not mark paragraphs. At most ten segments each."""
    place = {segment.id: index for index, segment in enumerate(reference.segments)}
    found = []
    for segments in groups(reference, "document" if reference.outside else "paragraph").values():
        indices = [place[segment.id] for segment in segments]
        found += [tuple(indices[i : i + _PAGE_SEGMENTS]) for i in range(0, len(indices), _PAGE_SEGMENTS)]
    return found


def sample(
    all_pages: Sequence[Page],
    segments: int | None,
    first: First | None,
    values: Sequence[float],
    seed: int,
) -> tuple[list[Page], str]:
    """The pages to annotate in their order, and how they were chosen, in words.

    Whole pages are taken until they have at least `segments` segments; None takes all. `values`: of each segment,
    for `first`.
    """
    total = sum(map(len, all_pages))
    if first:
        order = sorted(all_pages, key=lambda page: -max(values[index] for index in page))
        how = {"disagreement": "metrics disagree most", "facts": "most facts are lost"}[first]
    else:
        order = list(all_pages)
        how = f"random, seed {seed}"
        if segments is not None:
            Random(seed).shuffle(order)
    taken: list[Page] = []
    for page in order:
        if segments is not None and sum(map(len, taken)) >= segments:
            break
        taken.append(page)
    if not first:
        taken.sort()  # as a reader of the document meets them
    count = sum(map(len, taken))
    if count == total:
        return taken, "all segments" + (f", in order where {how}" if first else "")
    how = f"where {how}, not a random sample" if first else how
    return taken, f"{count} of {total} segments, {how}"


def disagreement(scores: Mapping[str, Sequence[Score]]) -> list[float]:
    """How far metrics disagree about each segment, from 0 to 1: for each pair of systems, the smaller of the two
    numbers of metrics that prefer one system, in relation to half of all that prefer any; the mean over pairs.

    `scores`: metric -> the scores of the systems. Raises BenchError if there is nothing to compare.
    """
    if len(scores) < 2 or min(map(len, scores.values())) < 2:
        raise BenchError(
            "--first disagreement needs two systems with two metrics: run more metrics, as in "
            "bench run 'metric=[bleu,chrf,comet-embedded]'."
        )
    systems = next(iter(scores.values()))
    result = []
    for index in range(len(systems[0].segments)):
        shares = []
        for a, b in combinations(range(len(systems)), 2):
            votes = [_vote(metric_scores[a], metric_scores[b], index) for metric_scores in scores.values()]
            better, worse = votes.count(1), votes.count(-1)
            shares.append(2 * min(better, worse) / (better + worse) if better + worse else 0.0)
        result.append(sum(shares) / len(shares))
    return result


def losses(scores: Sequence[Score], segments: int) -> list[int]:
    """How many facts and obligations are not as they should be in each segment, all systems together."""
    counts = [0] * segments
    for score in scores:
        for index, remark in score.remarks:
            counts[index] += not remark.startswith("no ")
    return counts


def _vote(a: Score, b: Score, index: int) -> int:
    """1 if the metric prefers the first system's translation of a segment, -1 the second's, 0 neither."""
    first, second = a.segments[index], b.segments[index]
    if first is None or second is None:
        return 0
    gain = a.gain(second, first)
    return (gain > 0) - (gain < 0)
