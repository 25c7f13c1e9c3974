"""What requests to paid services use and cost, and the limit that `max_cost` sets.

A request may be sent only if its largest possible cost still fits. So the limit is not passed, unless a service bills
more than that: a server that ignores the limit of an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.usage import Usage

if TYPE_CHECKING:
    from bench.records import Price


class CostLimit(BenchError):
    """The next request might pass `max_cost`. Answers to requests that were sent already are still to come."""


class Budget:
    """US dollars for all requests of a command. `spent`: what its runs have cost before. For several threads."""

    def __init__(self, limit: float, spent: float) -> None:
        self.limit = limit
        self._spent = spent
        self._is_used_up = False
        self._lock = threading.Lock()

    def reserve(self, cost: float) -> None:
        """Set aside the largest possible cost of a request. Raises CostLimit, and then always."""
        with self._lock:
            self._is_used_up = self._is_used_up or self._spent + cost > self.limit
            if self._is_used_up:
                raise CostLimit(
                    f"The next request might pass max_cost={self.limit:g} US dollars ({self._spent:.4f} are spent or "
                    "reserved): run again with a higher max_cost to go on; finished work is kept."
                )
            self._spent += cost

    def settle(self, reserved: float, cost: float) -> None:
        """Replace what was set aside by what the request has cost."""
        with self._lock:
            self._spent += cost - reserved


_current: Budget | None = None


@contextmanager
def limited(budget: Budget | None) -> Iterator[None]:
    """Within this block, requests of this process are paid from a budget. None: without a limit."""
    global _current
    _current, previous = budget, _current
    try:
        yield
    finally:
        _current = previous


@dataclass
class Bill:
    used: Usage | None = None
    """What the request has used; None if that is not known: it then counts as the most that it can be."""


@dataclass(frozen=True)
class Meter:
    """Pays the requests of one system from a budget."""

    budget: Budget
    price: Price

    @contextmanager
    def request(self, most: Usage) -> Iterator[Bill]:
        """Around one attempt. `most`: what it can use. Raises CostLimit before it is sent."""
        reserved = cost(self.price, most)
        self.budget.reserve(reserved)
        bill = Bill()
        try:
            yield bill
        finally:
            if bill.used is not None:
                self.budget.settle(reserved, cost(self.price, bill.used))


def meter(price: Price | None) -> Meter | None:
    """What pays the requests of a system with this price; None if nothing limits them."""
    return Meter(_current, price) if _current and price else None


def cost(price: Price, usage: Usage) -> float:
    """US dollars."""
    return price.cost(usage.tokens_in, usage.tokens_out, usage.characters)
