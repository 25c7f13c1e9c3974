"""The column of people's judgements: `bench human import` writes its scores, nothing computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bench.core import Score, Scorer, Task
from bench.errors import BenchError


class Human(Scorer):
    """`protocol`: cESA or MQM (bench.human.campaign). `required`: see bench.core.Scorer."""

    imported = True
    reproducible = False

    def __init__(self, protocol: Literal["cESA", "MQM"], required: bool = False) -> None:
        self.protocol = protocol
        self.required = required

    def identity(self) -> dict[str, Any]:
        return {"scorer": "human", "version": 1, "protocol": self.protocol}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        raise BenchError("Judgements of people are not computed: use bench human import.")
