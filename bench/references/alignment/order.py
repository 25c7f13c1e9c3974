"""The order of segments in the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.core import Segment
from bench.languages import Language
from bench.references.alignment.definitions import is_definition


def sentence_position(name: str) -> tuple[int, int]:
    """L37s2 -> (37, 2): source line and ordinal on it, both from 1. Sorts sentences in the order of the
    source."""
    line, _, ordinal = name[1:].partition("s")
    return int(line), int(ordinal)


def out_of_order(segments: Sequence[Segment], language: Language) -> Iterator[int]:
    """The indexes of segments that come before their predecessor in the source.

    Three exceptions: a segment that a reviewer paired may be anywhere, so may a definition, and a footnote may come
    after the sentence that continues behind it on the next page.
    """
    last_line, earlier = 0, list[tuple[int, ...]]()
    last_ordinal: Counter[int] = Counter()  # by source line: the last sentence that begins on it
    for index, segment in enumerate(segments):
        lines = segment.lines(language)
        line, ordinal = sentence_position(segment.sentences(language)[0])
        if segment.aligned_by == "override" or is_definition(segment):
            continue
        is_back = lines[0] < last_line and not any(
            around[0] < lines[0] and lines[-1] < around[-1] for around in reversed(earlier)
        )
        if is_back or ordinal <= last_ordinal[line]:
            yield index
            continue
        last_line, last_ordinal[line] = max(last_line, lines[-1]), ordinal
        earlier.append(lines)
