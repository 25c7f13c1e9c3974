"""Segments and tasks made of parallel texts alone, without a document around them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core import ReferenceSet, Segment, Task
from bench.languages import Direction, sides


def parallel_segment(id: str, zh: str, en: str, section: str = "1", line: int = 1) -> Segment:
    """A segment that came aligned. `line`: its line number in both sources, from 1."""
    return Segment(
        id=id,
        kind="sentence",
        section=section,
        paragraph=1,
        zh=zh,
        en=en,
        alignment="1-1",
        zh_number="",
        en_number="",
        zh_raw=zh,
        en_raw=en,
        zh_lines=(line,),
        en_lines=(line,),
        zh_sentences=(f"L{line}s1",),
        en_sentences=(f"L{line}s1",),
        confidence=1.0,
        aligned_by="source",
    )


def parallel_task(name: str, direction: Direction, sources: Sequence[str], references: Sequence[str]) -> Task:
    """A task whose segments are called 1, 2, … `name`: id and title of its reference set."""
    zh_first = sides(direction)[0] == "zh"
    segments = tuple(
        parallel_segment(str(line), *((source, target) if zh_first else (target, source)), line=line)
        for line, (source, target) in enumerate(zip(sources, references, strict=True), 1)
    )
    reference = ReferenceSet(
        id=name,
        title=name,
        original_language="unknown",
        published="",
        licence="unknown",
        segments=segments,
        outside=True,
    )
    return Task(reference, direction)
