"""Traditional Chinese as Simplified Chinese, character by character: evidence for rules and words, never text that
is scored."""

from __future__ import annotations

from functools import cache


def to_simplified(text: str) -> str:
    """The text with each Traditional character replaced by the Simplified one. The length stays the same."""
    return text if text.isascii() else text.translate(_simplified_characters())


@cache
def _simplified_characters() -> dict[int, str]:
    """Code point of a Traditional character -> its Simplified character, from the tables of OpenCC."""
    from opencc import OpenCC

    characters = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    # A line break between them: OpenCC replaces phrases, too.
    simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, simplified, strict=True)
    return {
        ord(traditional): simple
        for traditional, simple in pairs
        if traditional != simple and len(simple) == 1
    }
