"""The numbers of a pair: apart from the text on both sides, or part of the text on both."""

from __future__ import annotations

from dataclasses import replace

from bench.core import Segment
from bench.languages import Language
from bench.references.segmentation.items import Item
from bench.references.segmentation.numbering import Numbering, find_numbering


def match_numbers(zh: Item, en: Item) -> tuple[Item, Item]:
    """Both sides of a pair with even numbers.

    Where one side has a number and the other none, the other may begin with one that no rule takes for a number
    on its own ("1 Scope"). Otherwise the number goes back into the text.
    """
    if _has_number(zh.number) == _has_number(en.number):
        return zh, en
    numbered, plain = (zh, en) if _has_number(zh.number) else (en, zh)
    known = find_numbering(numbered.number, numbered.language, has_decimals=True)
    hidden = find_numbering(plain.text, plain.language, has_decimals=True)
    if not plain.number and known and hidden and hidden.text_start and _is_same(known, hidden):
        plain = replace(plain, number=hidden.number, text=plain.text[hidden.text_start :])
    else:
        gap = "" if numbered.language == "zh" and not numbered.number[-1].isalnum() else " "
        numbered = replace(numbered, number="", text=f"{numbered.number}{gap}{numbered.text}")
    return (numbered, plain) if numbered.language == "zh" else (plain, numbered)


def is_split_unevenly(segment: Segment) -> bool:
    """Whether a number is apart from the text on one side only."""
    return _has_number(segment.zh_number) != _has_number(segment.en_number)


def is_uneven(segment: Segment) -> bool:
    """Whether only one side of a segment begins with a number, apart or in the text."""
    sides: tuple[Language, Language] = ("zh", "en")
    zh, en = (
        _has_number(segment.number(side)) or _begins_with_number(segment.text(side), side) for side in sides
    )
    return zh != en


def _begins_with_number(text: str, language: Language) -> bool:
    numbering = find_numbering(text, language)
    return numbering is not None and _has_number(numbering.number)


def _has_number(number: str) -> bool:
    """False for a bullet or a footnote mark."""
    return any(character.isalnum() for character in number) and number not in ("o", "Ø", "ü")


def _is_same(first: Numbering, second: Numbering) -> bool:
    return (first.parents, first.value, first.branch) == (second.parents, second.value, second.branch)
