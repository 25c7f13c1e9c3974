"""From p-values to ranks: correction for multiple tests, and clusters of systems."""

from __future__ import annotations

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


def ranks(systems: Sequence[str], significant: Collection[tuple[str, str]]) -> dict[str, int]:
    """The rank of each system. `systems`: best first. `significant`: (better, worse) pairs that the test
    separates.

    Systems share a rank as they share a cluster in the findings of WMT since Bojar et al. 2013: every system
    of a cluster is significantly better than every system of the clusters below it. A rank is one more than
    the number of systems in the clusters above. Ranks are conservative, because "not significantly different"
    is not transitive: if the test separates neither A from B nor B from C, all three share a rank, even if A
    is significantly better than C. So no rank claims more than every single pair supports.
    """
    assigned: dict[str, int] = {}
    rank = 1
    for index, system in enumerate(systems):
        if all((above, below) in significant for above in systems[:index] for below in systems[index:]):
            rank = index + 1
        assigned[system] = rank
    return assigned
