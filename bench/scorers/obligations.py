"""Whether a system keeps who must, must not, may or need not: the modal force of official sentences.

A statement is expected in a segment if both the source and the official translation make one of its class
(bench.facts.obligations): prohibition, obligation, permission, exemption. "obligations": 100 x kept / expected
statements. The official translation itself scores 100. The remarks of a segment say what became of the others,
the gravest first: "reversed prohibition: shall not".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import references
from bench.core import Granularity, Score, Scorer, Task
from bench.errors import BenchError
from bench.facts.obligations import Modality, expected_statements, faults, find
from bench.languages import Language
from bench.scorers.shares import share_score

_MAX_EXPRESSIONS = 3
"""That a remark quotes from the official translation."""


class Obligations(Scorer):
    """`reference`, `granularity`: the same as the run's. `required`: see bench.core.Scorer."""

    def __init__(self, reference: str, granularity: Granularity = "sentence", required: bool = True) -> None:
        self.reference = reference
        self.granularity = granularity
        self.required = required

    def prepare(self) -> None:
        """Raises BenchError if the set says nothing that must, must not, may or need not be done."""
        reference = references.load(self.reference, self.granularity)
        # The expected statements do not depend on the direction.
        self._check(_expected(Task(reference, "zh-en")))

    def identity(self) -> dict[str, Any]:
        return {"scorer": "obligations", "version": 3}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: a thousand segments take less than a second per system."""
        expected = _expected(task)
        self._check(expected)
        statements = sum(sum(counts.values()) for counts in expected)
        signature = (
            f"obligations|set:{task.reference.id}@{task.reference.sha256[:12]}"
            f"|statements:{statements}|version:3"
        )
        return {
            system: _score(expected, hypotheses, task, signature) for system, hypotheses in systems.items()
        }

    def _check(self, expected: Sequence[Counter[Modality]]) -> None:
        if not any(expected):
            raise BenchError(
                f"No segment of {self.reference} has an obligation, prohibition, permission or exemption on both "
                "sides: leave obligations out of the metrics."
            )


def _expected(task: Task) -> list[Counter[Modality]]:
    return [
        expected_statements(source, reference, task.target_language)
        for source, reference in zip(task.sources, task.references, strict=True)
    ]


def _score(
    expected: Sequence[Counter[Modality]], hypotheses: Sequence[str], task: Task, signature: str
) -> Score:
    statistics: list[tuple[float, float]] = []
    remarks: list[list[str]] = []
    for counts, reference, hypothesis in zip(expected, task.references, hypotheses, strict=True):
        found = list(faults(counts, reference, hypothesis, task.target_language))
        total = sum(counts.values())
        statistics.append((float(total - len(found)), float(total)))
        remarks.append(
            [
                f"{fault} {modality}: {_quote(reference, modality, task.target_language)}"
                for fault, modality in found
            ]
        )
    return share_score("obligations", signature, statistics, remarks, "no obligation")


def _quote(reference: str, modality: Modality, language: Language) -> str:
    """The expressions of a class in the official translation."""
    texts = [statement.text for statement in find(reference, language) if statement.modality == modality]
    return ", ".join(
        dict.fromkeys(text if len(text) < 40 else f"{text[:40]}…" for text in texts[:_MAX_EXPRESSIONS])
    )
