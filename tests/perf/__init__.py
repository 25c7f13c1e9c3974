"""`make perf`: ratios and times at size, each measured beside what it is held against.

    make perf                   all; on two cores some 40 minutes
    make perf ARGS="site comet" these: translate, comet, compare, site, store

Nothing here is a test: speeds belong to a machine. Every table says its sizes, and what was not measured but
extrapolated.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.table import Table

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what `work` gives."""
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def show(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 160).print(table)
