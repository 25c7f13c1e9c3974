"""Dynamic programming over a cost table: the cheapest monotone alignment, and the probability of each of its
groups.

An alignment is a path of steps from (0, 0); the point (i, j) lies after i Chinese and j English items. Costs
are in nats, so the same table gives the cheapest path if costs are minimised, and probabilities if path
weights are summed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bench.references.alignment.costs import NEXT_UNALIGNED, UNALIGNED, CostTable, Floats

Point = tuple[int, int]

Step = tuple[int, int, int, int]
"""(i, j, m, n): the group zh[i:i+m], en[j:j+n]."""

TEMPERATURE = 2.0
"""Costs are divided by it before they become probabilities. The words of a sentence are not independent: at
temperature 1 they would make every pair certain."""


class CheapestPaths:
    """The cheapest path to each point.

    Unaligned items come in runs (a note, a table of contents): the first costs much, the next ones little.
    Three costs are therefore kept per point: of all paths, of paths that do not end in an unaligned English
    item, and of paths that end in an unaligned Chinese item.
    """

    def __init__(self, table: CostTable, rows: int, columns: int):
        shape = (rows + 1, columns + 1)
        self.cost = np.full(shape, np.inf)
        """Of the cheapest path to [i, j]."""
        self._cost_not_en, self._cost_zh, self._cost_en = (np.full(shape, np.inf) for _ in range(3))
        self._shapes = [*table, (1, 0), (0, 1)]
        self._last_shape = np.zeros(shape, np.int8)  # index in _shapes of the last step of the cheapest path
        ramp = NEXT_UNALIGNED * np.arange(columns + 1)
        for i in range(rows + 1):
            row, last_shape = self._cost_not_en[i], self._last_shape[i]
            if i == 0:
                row[0] = 0
            for index, (m, n) in enumerate(table):
                if i >= m and columns >= n:
                    cost = self.cost[i - m, : columns + 1 - n] + table[m, n][i - m]
                    is_better = cost < row[n:]
                    row[n:][is_better], last_shape[n:][is_better] = cost[is_better], index
            if i:
                self._cost_zh[i] = np.minimum(
                    self.cost[i - 1] + UNALIGNED, self._cost_zh[i - 1] + NEXT_UNALIGNED
                )
                is_better = self._cost_zh[i] < row
                row[is_better], last_shape[is_better] = self._cost_zh[i, is_better], len(table)
            # Any number of unaligned English items in one pass: a running minimum.
            self._cost_en[i, 1:] = np.minimum.accumulate(row - ramp)[:-1] + ramp[:-1] + UNALIGNED
            is_better = self._cost_en[i] < row
            last_shape[is_better] = len(table) + 1
            self.cost[i] = np.minimum(row, self._cost_en[i])

    def steps_to(self, end: Point) -> list[Step]:
        """The steps of the cheapest path to `end`."""
        i, j = end
        steps: list[Step] = []
        m, n = self._shapes[self._last_shape[i, j]]
        while (i, j) != (0, 0):
            i, j = i - m, j - n
            steps.append((i, j, m, n))
            in_zh_run = not n and self._cost_zh[i, j] + NEXT_UNALIGNED < self.cost[i, j] + UNALIGNED
            in_en_run = not m and self._cost_en[i, j] + NEXT_UNALIGNED < self._cost_not_en[i, j] + UNALIGNED
            if not in_zh_run and not in_en_run:
                m, n = self._shapes[self._last_shape[i, j]]
        return steps[::-1]


def step_probability(table: CostTable, rows: int, columns: int) -> Callable[[Step], float]:
    """A function that gives the probability of a step, from 0 to 1; 1.0 for an unaligned item.

    It is the summed weight of all complete paths through the step, divided by that of all complete paths
    (forward-backward algorithm).
    """
    forward = _log_weights(table, rows, columns)
    reverse = {shape: costs[::-1, ::-1] for shape, costs in table.items()}
    backward = _log_weights(reverse, rows, columns)[::-1, ::-1]

    def probability(step: Step) -> float:
        i, j, m, n = step
        if not m or not n:
            return 1.0
        log_weight = forward[i, j] - float(table[m, n][i, j]) / TEMPERATURE + backward[i + m, j + n]
        return round(min(1.0, math.exp(min(log_weight - forward[rows, columns], 0.0))), 3)

    return probability


def _log_weights(table: CostTable, rows: int, columns: int) -> Floats:
    """Log of the summed weight of all paths to each point: `CheapestPaths` with sums in place of minima."""
    total, zh_unaligned = (np.full((rows + 1, columns + 1), -np.inf) for _ in range(2))
    unaligned, next_unaligned = -UNALIGNED / TEMPERATURE, -NEXT_UNALIGNED / TEMPERATURE
    ramp = next_unaligned * np.arange(columns + 1)
    for i in range(rows + 1):
        row = np.full(columns + 1, -np.inf)
        if i == 0:
            row[0] = 0
        for m, n in table:
            if i >= m and columns >= n:
                weight = total[i - m, : columns + 1 - n] - table[m, n][i - m] / TEMPERATURE
                row[n:] = np.logaddexp(row[n:], weight)
        if i:
            zh_unaligned[i] = np.logaddexp(total[i - 1] + unaligned, zh_unaligned[i - 1] + next_unaligned)
            row = np.logaddexp(row, zh_unaligned[i])
        total[i] = row
        en_unaligned = np.logaddexp.accumulate(row - ramp)[:-1] + ramp[:-1] + unaligned
        total[i, 1:] = np.logaddexp(row[1:], en_unaligned)
    return total
