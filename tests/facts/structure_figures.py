"""How well merged and lost lines are noticed: outputs of a published system as documents, changed at one place."""

from __future__ import annotations

import json
from collections import Counter

from bench import references
from bench.core import Segment, Task
from bench.facts.structure import expected_parts, fates
from bench.languages import Direction
from tests.helpers.sets import WHITE_PAPER

_SYSTEM = "qwen2.5-coder-1.5b-instruct-int8"
_RESULTS = WHITE_PAPER.parents[1] / "results" / WHITE_PAPER.name


def measure_structure(direction: Direction) -> dict[str, Counter[str]]:
    """Change -> what was noticed: "merged" and "lost" with that name, "noticed" under another one, "missed", or "wrong" if
    another part is accused. "nothing" counts the fates without a change."""
    task = Task(references.load(WHITE_PAPER.name, "document"), direction)
    expected = expected_parts(task.sources[0], task.references[0], task.target_language)
    lines = _lines(direction)
    figures = {
        "nothing": Counter(map(str, fates(expected, "\n".join(lines), task.target_language))),
        "merged": Counter[str](),
        "lost": Counter[str](),
    }
    for place in range(len(lines) - 1):
        merged = [*lines[:place], f"{lines[place]} {lines[place + 1]}", *lines[place + 2 :]]
        lost = [*lines[:place], *lines[place + 1 :]]
        for name, changed, concerned in (("merged", merged, {place, place + 1}), ("lost", lost, {place})):
            found = fates(expected, "\n".join(changed), task.target_language)
            accused = {part for part, fate in enumerate(found) if fate != "kept"}
            named = accused == concerned and {found[part] for part in concerned} == {name}
            outcome = (
                name if named else "missed" if not accused else "noticed" if accused <= concerned else "wrong"
            )
            figures[name][outcome] += 1
    return figures


def _lines(direction: Direction) -> list[str]:
    """The outputs of a run, a paragraph or heading a line."""
    (path,) = (
        path
        for path in (_RESULTS / direction).glob(f"{_SYSTEM}-*/hypotheses.jsonl")
        if len(path.parent.name) == len(_SYSTEM) + 9
    )
    texts = {row["id"]: row["text"] for row in map(json.loads, path.read_text("utf-8").splitlines())}
    lines: dict[tuple[str, int, str], list[str]] = {}
    for segment in references.load(WHITE_PAPER.name).segments:
        lines.setdefault(_paragraph(segment), []).append(" ".join(texts[segment.id].split()))
    return [(" " if direction == "zh-en" else "").join(line) for line in lines.values()]


def _paragraph(segment: Segment) -> tuple[str, int, str]:
    return segment.section, segment.paragraph, segment.id if segment.kind == "heading" else ""
