"""Slow systems, so that a test can interrupt them, and a metric that fails."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.adapters.copy import Copy
from bench.core import Output, Scorer, Source
from bench.languages import Direction


class Slow(Copy):
    def __init__(self, seconds: float, *, direction: Direction) -> None:
        super().__init__(direction)
        self.seconds = seconds

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for output in super().translate(sources):
            time.sleep(self.seconds)
            yield output

    def facts(self) -> dict[str, object]:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return {"device": "cpu", "process": os.getpid(), "sees": visible}


class Paused(Copy):
    """Translates five segments and waits for a file. A job that Slurm has started again does not wait."""

    def __init__(self, until: str, *, direction: Direction) -> None:
        super().__init__(direction)
        self.until = Path(until)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for number, output in enumerate(super().translate(sources)):
            while number == 5 and not (self.until.exists() or os.environ.get("SLURM_RESTART_COUNT")):
                time.sleep(0.1)
            yield output


class Bad(Scorer):
    def prepare(self) -> None:
        pass

    def identity(self) -> dict[str, str]:
        return {"scorer": "bad"}

    def score(self, *_: object) -> dict[str, object]:  # type: ignore[override]
        raise RuntimeError("it cannot judge")
