"""The order of segments in the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_lowercase, digits

from bench.core import Segment
from bench.languages import Language
from bench.references.alignment.definitions import is_definition, is_part_number


def sentence_position(name: str) -> tuple[int, int, str]:
    """L37s2b -> (37, 2, "b"): source line and ordinal on it, both from 1, and which part of a sentence that was
    split. Sorts sentences in the order of the source."""
    line, _, ordinal = name[1:].partition("s")
    return int(line), int(ordinal.rstrip(ascii_lowercase)), ordinal.lstrip(digits)


def out_of_order(segments: Sequence[Segment], language: Language) -> Iterator[int]:
    """The indexes of segments that come before their predecessor in the source.

    Three exceptions: a segment that a reviewer paired may be anywhere, so may a definition with its items (a), (b), and
    a footnote may come after the sentence that continues behind it on the next page.
    """
    last_line, earlier = 0, list[tuple[int, ...]]()
    is_defining = False
    last_ordinal: dict[int, tuple[int, str]] = {}  # by source line: the last sentence that begins on it
    for index, segment in enumerate(segments):
        lines = segment.lines(language)
        line, number, part = sentence_position(segment.sentences(language)[0])
        ordinal = (number, part)
        is_defining = is_definition(segment) or (
            is_defining and is_part_number(segment.zh_number) and is_part_number(segment.en_number)
        )
        if segment.aligned_by == "override" or is_defining:
            continue
        is_back = lines[0] < last_line and not any(
            around[0] < lines[0] and lines[-1] < around[-1] for around in reversed(earlier)
        )
        if is_back or ordinal <= last_ordinal.get(line, (0, "")):
            yield index
            continue
        last_line, last_ordinal[line] = max(last_line, lines[-1]), ordinal
        earlier.append(lines)
