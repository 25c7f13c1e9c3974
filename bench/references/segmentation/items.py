"""Blocks -> items: the headings and sentences of one language, numbered, named and cleaned."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.languages import ADDRESS, Language
from bench.progress import watch
from bench.references.segmentation.blocks import Block
from bench.references.segmentation.cleaning import clean_paragraph_start, clean_text
from bench.references.segmentation.line_shapes import CLOSING_MARKS, is_heading
from bench.references.segmentation.numbering import Outline, find_numbering
from bench.references.segmentation.sentences import split_sentences

_MAX_NUMBERING = 40
"""Characters of a block in which a number is searched for."""


_MIN_ROWS, _MAX_ROW = 3, 100
"""Rows of a list at the end of a document, and the characters of a row."""
_FINAL_ADDRESS = re.compile(
    rf"(?:{ADDRESS.pattern})[{re.escape(CLOSING_MARKS)}]*$|[)）\]】》>]$", ADDRESS.flags
)
"""An address, a link or a bracket may end a sentence."""


@dataclass(frozen=True, slots=True)
class Item:
    """A heading or a sentence of one language: what the aligner aligns."""

    language: Language
    heading: bool
    number: str
    """Cleaned; "" if it does not begin with a number."""
    path: tuple[str, ...]
    """Its path in the outline if it has a number of its own, else ()."""
    block: int
    """Index of its block among those of its language."""
    start: int
    """Its offset in the block; 0 for the block's first item."""
    raw: str
    """Its characters in the source, including the number."""
    lines: tuple[int, ...]
    """Source lines, from 1."""
    text: str
    """Cleaned, without the number."""
    name: str
    """Unique in its language: "L37s2" is the second item that begins on source line 37."""
    turn: int = -1
    """Where languages alternate by paragraph: the number that a paragraph shares with the neighbour that translates
    it. -1 elsewhere."""


def split_blocks(blocks: Sequence[Block], split: bool = True) -> list[Item]:
    """All headings and sentences of one language, in reading order. With `split=False`, each block is one
    item."""
    outline = Outline()
    items: list[Item] = []
    items_on_line: Counter[int] = Counter()
    document_words = frozenset(
        word.lower()
        for block in blocks
        for word in re.findall(r"\w+(?:-+\w+)*", block.text.replace("-\n", " "))
    )
    has_decimals = any(_is_decimal(block) for block in blocks)
    for index, block in enumerate(watch("split", blocks, len(blocks), "paragraphs")):
        path: tuple[str, ...] = ()
        offset = 0
        # A block may begin with several numbers: Article 1 / 1. / (a)
        while numbering := find_numbering(
            block.text[offset : offset + _MAX_NUMBERING], block.language, has_decimals
        ):
            path = outline.enter(numbering) if numbering.value else path
            offset += numbering.text_start
            if not numbering.text_start:
                break
        heading = is_heading(block.text, block.language)
        if heading or not split:
            spans = [(offset, len(block.text))]
        else:
            spans = split_sentences(block.text, block.language, offset)
        for position, (start, end) in enumerate(spans):
            is_first = position == 0
            raw_start = 0 if is_first else start
            raw = block.text[raw_start:end].strip()
            raw_start = block.text.index(raw, raw_start)
            lines = block.lines_of(raw_start, raw_start + len(raw))
            items_on_line[lines[0]] += 1
            items.append(
                Item(
                    language=block.language,
                    heading=heading,
                    number=clean_text(block.text[:offset].strip(), block.language) if is_first else "",
                    path=path if is_first else (),
                    block=index,
                    start=raw_start,
                    raw=raw,
                    lines=lines,
                    text=(
                        clean_paragraph_start(block.text[start:end])
                        if is_first and offset and block.language == "zh"
                        else clean_text(block.text[start:end], block.language, document_words)
                    ),
                    name=f"L{lines[0]}s{items_on_line[lines[0]]}",
                )
            )
    return items


def _is_decimal(block: Block) -> bool:
    numbering = find_numbering(block.text[:_MAX_NUMBERING], block.language)
    return numbering is not None and bool(numbering.parents)


def find_cut_item(items: Sequence[Item]) -> Item | None:
    """The last item if the source stops in the middle of it, else None. Headings and the last row of a list, whose
    rows end without a mark, never count as cut."""
    if not items or items[-1].heading or _ends_in_rows(items[-_MIN_ROWS:]):
        return None
    is_complete = re.search(rf"[.!?。！？…;；][{re.escape(CLOSING_MARKS)}]*$", items[-1].text)
    return None if is_complete or _FINAL_ADDRESS.search(items[-1].text) else items[-1]


def _ends_in_rows(items: Sequence[Item]) -> bool:
    """Whether the items are rows of a list: neighbouring lines without numbers and end marks."""
    are_rows = all(
        not item.path
        and item.start == 0
        and len(item.lines) == 1
        and len(item.raw) <= _MAX_ROW
        and (item.raw[-1].isalnum() or item.raw[-1] in "%％")
        for item in items
    )
    are_neighbours = all(second.lines[0] - first.lines[0] == 1 for first, second in pairwise(items))
    return len(items) == _MIN_ROWS and are_rows and are_neighbours


def merge_items(items: Sequence[Item]) -> Item:
    """Neighbouring items as one item, which keeps the first one's name, number and path."""
    first = items[0]
    raw, lines, text = first.raw, list(first.lines), first.text
    joiner = "" if first.language == "zh" else " "
    for previous, item in pairwise(items):
        on_same_line = item.lines[0] == previous.lines[-1]
        gap = (" " if item.language == "en" else "") if on_same_line else "\n"
        raw += gap + item.raw
        lines += item.lines[1:] if on_same_line else item.lines
        # Only the number at the beginning of a segment is kept apart; one in the middle stays in the text.
        text += joiner + (item.number + joiner if item.number else "") + item.text
    return replace(first, raw=raw, lines=tuple(lines), text=text)
