"""From p-values to ranks: correction for multiple tests, ranges of ranks, and clusters of systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: adjusted p-values, in the same order, to be held against one
    level.
    """
    adjusted, minimum = [0.0] * len(p_values), 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        minimum = max(minimum, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = minimum
    return adjusted


def rank_ranges(
    systems: Sequence[str], significant: Collection[tuple[str, str]]
) -> dict[str, tuple[int, int]]:
    """System -> best and worst rank that the tests leave possible. `systems`: best first. `significant`:
    (better, worse) pairs that the test separates.

    The best rank is one more than the number of systems that are significantly better, the worst is the number
    of systems minus those that are significantly worse, as in the findings of WMT since 2023 (Kocmi et al.).
    """
    better = Counter(worse for best, worse in significant if best in systems)
    worse = Counter(best for best, worst in significant if worst in systems)
    return {system: (1 + better[system], len(systems) - worse[system]) for system in systems}


def cluster_ends(systems: Sequence[str], significant: Collection[tuple[str, str]]) -> list[int]:
    """After how many systems a cluster ends, the last one excepted. `systems`: best first.

    Every system of a cluster is significantly better than every system of the clusters below it (findings of
    WMT since Bojar et al. 2013). Often there is a single one: "not significantly different" is not transitive.
    """
    return [
        count
        for count in range(1, len(systems))
        if all((above, below) in significant for above in systems[:count] for below in systems[count:])
    ]
