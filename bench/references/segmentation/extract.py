"""Source text -> blocks (paragraphs and headings) of each language, and the lines that are not running
text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.languages import Language, Side
from bench.references.segmentation.blocks import Block, join_pieces
from bench.references.segmentation.foreign import FOREIGN, find_foreign_blocks
from bench.references.segmentation.numbering import find_numbering
from bench.references.segmentation.page_furniture import find_page_furniture
from bench.references.segmentation.pieces import Piece, split_lines
from bench.references.segmentation.text_columns import read_by_column

LeaveOut = Mapping[tuple[Side, int], str]
"""(Side, source line from 1) -> the reason why a person leaves the line out."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Source text that is in no segment: one row of left_out.jsonl."""

    side: Language
    text: str
    """Its characters in the source; parts from different lines are joined by a line break."""
    lines: tuple[int, ...]
    """Source lines, from 1."""
    reason: str
    sentence: str = ""
    """The name of the sentence ("L37s2"); "" if it is not running text."""


def extract(
    texts: Mapping[Side, str], leave_out: LeaveOut | None = None
) -> tuple[dict[Language, list[Block]], list[LeftOut]]:
    """The blocks of each language in reading order, and what is not running text of the document.

    `texts` is one text with both languages in it, or one text per language. `leave_out` names lines that no
    rule can recognise.
    """
    blocks: dict[Language, list[Block]] = {"zh": [], "en": []}
    left_out: list[LeftOut] = []
    for side, text in texts.items():
        pieces = read_by_column(split_lines(text)) if side == "both" else split_lines(text, side)
        by_hand = _left_out_by_hand(pieces, side, leave_out or {})
        dropped = by_hand | find_page_furniture([piece for piece in pieces if piece not in by_hand])
        for language in blocks if side == "both" else (side,):
            blocks[language] = join_pieces(pieces, dropped, language)
        if foreign := _foreign_pieces(pieces, dropped, blocks["en"] if side != "zh" else []):
            dropped |= dict.fromkeys(sorted(foreign, key=lambda piece: piece.line), FOREIGN)
            own = [piece for piece in pieces if piece not in foreign]
            for language in blocks if side == "both" else (side,):
                blocks[language] = join_pieces(own, dropped, language)
        left_out += [LeftOut(p.language, p.text, (p.line,), reason) for p, reason in dropped.items()]
    return blocks, sorted(left_out, key=lambda item: item.lines)


def _foreign_pieces(
    pieces: Sequence[Piece], dropped: Mapping[Piece, str], english: Sequence[Block]
) -> set[Piece]:
    """What was read as English and is in a third language. A number on a line of its own may be of all
    languages."""
    lines = {line for index in find_foreign_blocks(english) for line in english[index].lines}
    return {
        piece
        for piece in pieces
        if piece.language == "en" and piece.line in lines and piece not in dropped
        if not ((numbering := find_numbering(piece.text, "en")) and not numbering.text_start)
    }


def _left_out_by_hand(pieces: Sequence[Piece], side: Side, leave_out: LeaveOut) -> dict[Piece, str]:
    """The pieces that a person leaves out. In a text with both languages, a line may be named for one of
    them."""
    return {
        piece: leave_out[key, piece.line]
        for piece in pieces
        for key in (side, piece.language)
        if (key, piece.line) in leave_out
    }
