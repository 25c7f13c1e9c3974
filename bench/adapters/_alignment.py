"""Whether the lines of an output file belong to the segments that they are read for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from bench import progress
from bench.core import Task

_MOST_LINES = 5
"""Lines that may be lost or added in one place."""
_MIN_LINES = 8
_MIN_GAIN = 0.15
"""Similarity that the neighbours' references must have more than the own ones, in the mean over all shifted lines:
unrelated segments of one text differ by less."""
_MOST_EQUAL = 0.5
"""The share of equal lines above which a file is probably not the output of a system."""


def shifted_lines(texts: Sequence[str], task: Task) -> str:
    """Where texts fit the references of other segments better than their own, as a line that was lost or added
    makes them do, in words; "" if they do nowhere. `texts`: parallel to the task."""
    similarity = _similarity(texts, task.references)
    own = [similarity(index, index) for index in range(len(texts))]
    for shift in sorted(range(-_MOST_LINES, _MOST_LINES + 1), key=abs):
        if not shift:
            continue
        gains = [
            similarity(index, index + shift) - own[index] if 0 <= index + shift < len(texts) else 0.0
            for index in range(len(texts))
        ]
        start, end = _best_range([gain - _MIN_GAIN for gain in gains])
        better = sum(gain > 0 for gain in gains[start:end])
        if end - start >= _MIN_LINES and better >= 0.8 * (end - start):
            lines = f"{abs(shift)} line{'s' * (abs(shift) > 1)}"
            return (
                f"from line {start + 1} to line {end} the outputs fit the segments {lines} "
                f"{'after' if shift > 0 else 'before'} their own better: {lines} "
                f"{'lost' if shift > 0 else 'added'} near line {start + 1 if shift > 0 else max(1, start)}"
            )
    return ""


def warn_of_equal(path: Path, texts: Sequence[str], task: Task) -> None:
    """Say at once if most lines are those of the reference or of the source: the wrong file was named."""
    for name, others in (("reference", task.references), ("source", task.sources)):
        equal = sum(text.strip() == other.strip() for text, other in zip(texts, others, strict=True))
        if equal > _MOST_EQUAL * len(texts):
            progress.say(
                f"{equal} of {len(texts)} outputs in {path.name} equal the {name}: is it the {name}'s file?",
                warning=True,
            )


def _best_range(values: Sequence[float]) -> tuple[int, int]:
    """The beginning and the end of the range with the largest sum."""
    best, best_range, total, start = 0.0, (0, 0), 0.0, 0
    for index, value in enumerate(values):
        if total <= 0:
            total, start = 0.0, index
        total += value
        if total > best:
            best, best_range = total, (start, index + 1)
    return best_range


def _similarity(texts: Sequence[str], references: Sequence[str]) -> Callable[[int, int], float]:
    """The share of character pairs that text i and reference j have in common, from 0 to 1 (Dice)."""

    @cache
    def text_pairs(index: int) -> Counter[str]:
        return _pairs(texts[index])

    @cache
    def reference_pairs(index: int) -> Counter[str]:
        return _pairs(references[index])

    def similarity(index: int, other: int) -> float:
        one, two = text_pairs(index), reference_pairs(other)
        total = one.total() + two.total()
        return 2 * (one & two).total() / total if total else 0.0

    return similarity


def _pairs(text: str) -> Counter[str]:
    letters = "".join(text.lower().split())
    return Counter(letters[index : index + 2] for index in range(len(letters) - 1))
