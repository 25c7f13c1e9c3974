"""Blocks in a third language: French in texts of the United Nations and of Canada, Portuguese in those of Macau."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.references.segmentation.blocks import Block
from bench.references.segmentation.pieces import FUNCTION_WORDS

FOREIGN = "in a third language"
"""The reason in left_out.jsonl."""
_MIN_FUNCTION_WORDS = 0.12
"""Share among the words of a text that is certainly English, so the identifier need not look at it. French has "a"
and "on", Dutch "of" and "in"."""
_MIN_BLOCKS, _MIN_SHARE = 3, 0.2
"""A third language shows in so many blocks, or in such a share of all: a single one may be a quotation."""


def find_foreign_blocks(blocks: Sequence[Block]) -> set[int]:
    """The indexes of blocks that were read as English and are in another language in Latin script."""
    foreign = {index for index, block in enumerate(blocks) if _is_foreign(block.text)}
    is_language = len(foreign) >= _MIN_BLOCKS or len(foreign) >= max(_MIN_SHARE * len(blocks), 1)
    return foreign if is_language and len(foreign) < len(blocks) else set()


def _is_foreign(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text)
    known = sum(word in FUNCTION_WORDS for word in words)
    if len(words) < 3 or (text.isascii() and known >= _MIN_FUNCTION_WORDS * len(words)):
        return False
    from bench.answers.language import is_foreign

    return is_foreign(text, "en")
