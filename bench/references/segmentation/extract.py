"""Source text -> blocks (paragraphs, headings) of each language, and what is no text of the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.languages import Language, Side
from bench.references.segmentation.blocks import Block, blocks_of
from bench.references.segmentation.page_furniture import no_text
from bench.references.segmentation.pieces import Piece, pieces_of


@dataclass(frozen=True, slots=True)
class LeftOut:
    side: Language
    text: str
    lines: tuple[int, ...]
    reason: str
    sentence: str = ""
    """Its name where it was a sentence of the text and found no counterpart."""


def extract(
    texts: Mapping[Side, str],
    leave_out: Mapping[tuple[Side, int], str] | None = None,
) -> tuple[dict[Language, list[Block]], list[LeftOut]]:
    """The blocks of each language in reading order, and what is no text of the document.

    `texts` is one text with both languages in it, or one text for each. `leave_out` maps
    lines of a text to reasons, for what no rule can know.
    """
    blocks: dict[Language, list[Block]] = {"zh": [], "en": []}
    left: list[LeftOut] = []
    for side, text in texts.items():
        pieces = pieces_of(text, None if side == "both" else side)
        by_hand = chosen(pieces, side, leave_out or {})
        dropped = by_hand | no_text([p for p in pieces if p not in by_hand])
        for language in blocks if side == "both" else (side,):
            blocks[language] = blocks_of(pieces, dropped, language)
        left += [LeftOut(p.language, p.text, (p.line,), reason) for p, reason in dropped.items()]
    return blocks, sorted(left, key=lambda item: item.lines)


def chosen(
    pieces: Sequence[Piece], side: Side, leave_out: Mapping[tuple[Side, int], str]
) -> dict[Piece, str]:
    """What of a text a person wants left out; in a text of both languages a line may be named for one of them."""
    return {
        piece: leave_out[where, piece.line]
        for piece in pieces
        for where in (side, piece.language)
        if (where, piece.line) in leave_out
    }
