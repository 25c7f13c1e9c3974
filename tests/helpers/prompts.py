"""Prompts and sources that the tests of adapters for language models share."""

from __future__ import annotations

from bench import references
from bench.core import Source
from bench.languages import Direction, sides
from bench.prompt import Prompt

CHAT = Prompt("chat", "Translate from {source_language} into {target_language}:\n\n{source}")
SHOTS = Prompt(
    "shots",
    "{source_language}: {source}\n{target_language}:",
    examples=[{"zh": "各国应当遵守国际法。", "en": "All countries should abide by international law."}],
    chat=False,
    stop="\n",
)


def sources(direction: Direction, count: int = 14) -> list[Source]:
    """The first segments of the shipped set."""
    language = sides(direction)[0]
    segments = references.load("china-export-controls-2021").segments
    return [Source(segment.id, segment.text(language)) for segment in segments[:count]]
