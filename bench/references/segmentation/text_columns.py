"""Plain text with the languages in two columns, as pdftotext -layout writes it: one column after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bench.references.segmentation.line_shapes import is_finished
from bench.references.segmentation.pieces import Piece

_MIN_WRAPPED = 0.25
"""Of the line ends in the English column, so many are within a sentence. Otherwise each line is a pair."""


def read_by_column(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces in reading order: unchanged if no lines hold both languages, or each such line is a pair of its own.

    A blank line ends both columns.
    """
    languages: dict[int, set[str]] = {}
    for piece in pieces:
        languages.setdefault(piece.line, set()).add(piece.language)
    shared = {line for line, own in languages.items() if len(own) == 2}
    english = [piece for piece in pieces if piece.language == "en" and piece.line in shared]
    ends = [pair for pair in pairwise(english) if pair[1].line == pair[0].line + 1]
    wrapped = sum(not is_finished(above.text) and below.text[0].islower() for above, below in ends)
    if not ends or wrapped < _MIN_WRAPPED * len(ends):
        return list(pieces)
    bands: list[list[Piece]] = []
    for piece in pieces:
        if bands and piece.line <= bands[-1][-1].line + 1 and piece.page == bands[-1][-1].page:
            bands[-1].append(piece)
        else:
            bands.append([piece])
    return [piece for band in bands for piece in _columns(band, shared)]


def _columns(band: list[Piece], shared: set[int]) -> list[Piece]:
    """The pieces of neighbouring lines, sorted by language if any line holds both."""
    first = next((piece for piece in band if piece.line in shared), None)
    return sorted(band, key=lambda piece: piece.language != first.language) if first else band
