"""Whether a system keeps the structure of paragraphs and documents: headings, items, notes, table cells, line breaks.

A part is expected if source and official translation have the same parts in the same order (bench.facts.structure):
lines, or cells of a table. "structure": 100 x kept parts / expected parts. A part is kept if it has a line of its own,
and an item also begins with a number. The remarks say what became of the others: "merged heading: Preamble". The
official translation itself scores 100. Sets of sentences have no structure: granularity=document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import references
from bench.core import Granularity, Score, Scorer, Task
from bench.errors import BenchError
from bench.facts.structure import Part, expected_parts, fates
from bench.scorers.shares import share_score, shorten

_MAX_REMARKS = 30
"""Per segment."""
_MAX_TEXT = 40
"""Characters of a part in a remark."""


class Structure(Scorer):
    """`reference`, `granularity`: the same as the run's. `required`: see bench.core.Scorer."""

    def __init__(self, reference: str, granularity: Granularity = "sentence", required: bool = True) -> None:
        self.reference = reference
        self.granularity = granularity
        self.required = required

    def prepare(self) -> None:
        """Raises BenchError if no segment has several lines on both sides."""
        self._check(_expected(Task(references.load(self.reference, self.granularity), "zh-en")))

    def identity(self) -> dict[str, Any]:
        return {"scorer": "structure", "version": 2}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: a document takes seconds."""
        expected = _expected(task)
        self._check(expected)
        signature = (
            f"structure|set:{task.reference.id}@{task.reference.sha256[:12]}"
            f"|parts:{sum(map(len, expected))}|version:2"
        )
        return {
            system: _score(expected, hypotheses, task, signature) for system, hypotheses in systems.items()
        }

    def _check(self, expected: Sequence[Sequence[Part]]) -> None:
        if not any(expected):
            raise BenchError(
                f"No segment of {self.reference} has several lines that source and translation share: leave structure "
                "out of the metrics, or use granularity=document."
            )


def _expected(task: Task) -> list[list[Part]]:
    return [
        expected_parts(source, reference, task.target_language)
        for source, reference in zip(task.sources, task.references, strict=True)
    ]


def _score(
    expected: Sequence[Sequence[Part]], hypotheses: Sequence[str], task: Task, signature: str
) -> Score:
    statistics: list[tuple[float, float]] = []
    remarks: list[list[str]] = []
    for wanted, hypothesis in zip(expected, hypotheses, strict=True):
        found = fates(wanted, hypothesis, task.target_language)
        faults = [
            f"{fate} {part.kind}: {shorten(part.text, _MAX_TEXT)}"
            for part, fate in zip(wanted, found, strict=True)
            if fate != "kept"
        ]
        statistics.append((float(len(wanted) - len(faults)), float(len(wanted))))
        more = len(faults) - _MAX_REMARKS
        remarks.append([*faults[:_MAX_REMARKS], *([f"{more} more parts"] if more > 0 else [])])
    return share_score("structure", signature, statistics, remarks, "one line")
