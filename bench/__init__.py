"""bitext-bench: official bilingual texts as machine-translation benchmarks.

In Python, `bench.open("runs")` gives the runs, scores and translations of a store (bench.api).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.api import Results

__version__ = "0.1.0"


def open(folder: str | Path) -> Results:
    """The results in a store or a folder of published results. Raises bench.errors.BenchError if it has none."""
    from bench.api import Results  # here, so that `import bench` stays cheap

    return Results(folder)
