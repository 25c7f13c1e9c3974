"""Definitions that name their term in the other language: 文本 (copy) 指…, copy (文本) means….

Interpretation sections are sorted by strokes in Chinese and by the alphabet in English, so no alignment in order
finds their pairs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from bench.core import Segment
from bench.languages import DOCUMENT_HAN, Language
from bench.references.alignment.align import Group, align, rate_pairs
from bench.references.alignment.lexicon import Renderings
from bench.references.segmentation.items import Item

_PART_NUMBER = re.compile(r"[（(][a-z]{1,5}[）)]")
_TERM: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        rf"[“「\"《]?([{DOCUMENT_HAN}][{DOCUMENT_HAN}、\d]{{0,40}})[”」\"》]?\s*[（(]\s*[“\"]?([A-Za-z][^()（）“”\"]{{0,80}})[”\"]?\s*[)）]"
    ),
    "en": re.compile(
        rf"[“\"]?([A-Za-z][^()（）“”\"]{{0,80}}?)[”\"]?\s*[（(]\s*[“「\"]?([{DOCUMENT_HAN}][{DOCUMENT_HAN}、\d]{{0,40}})[”」\"]?\s*[)）]"
    ),
}


def pair_definitions(
    items: Mapping[Language, Sequence[Item]], lexicon: Renderings | None
) -> tuple[list[Group], dict[Language, list[Item]]]:
    """The pairs of definitions that are in another order in the other language, and the items that remain."""
    places: dict[Language, dict[tuple[str, str], list[int]]] = {"zh": {}, "en": {}}
    for language, side in items.items():
        for index, item in enumerate(side):
            if term := _term(item.text, language):
                places[language].setdefault(term, []).append(index)
    pairs = sorted(
        pair
        for term, own in places["zh"].items()
        if len(other := places["en"].get(term, [])) == len(own)
        for pair in zip(own, other, strict=True)
    )
    zh, en = items["zh"], items["en"]
    if not any(en[second].block < en[first].block for (_, first), (_, second) in pairwise(pairs)):
        return [], {language: list(side) for language, side in items.items()}
    heads = [(zh[i], en[j]) for i, j in pairs]
    confidences = rate_pairs([head for head, _ in heads], [head for _, head in heads], lexicon)
    groups = [Group((zh,), (en,), value) for (zh, en), value in zip(heads, confidences, strict=True)]
    for i, j in pairs:
        parts = align(_parts(zh, i), _parts(en, j), lexicon)
        groups += [group for group in parts if group.zh and group.en]
    taken = {id(item) for group in groups for item in (*group.zh, *group.en)}
    return groups, {
        language: [item for item in side if id(item) not in taken] for language, side in items.items()
    }


def _parts(items: Sequence[Item], head: int) -> list[Item]:
    """The items (a), (b), (i) … below a definition."""
    parts: list[Item] = []
    for item in items[head + 1 :]:
        is_part = is_part_number(item.number) or (parts and item.block == parts[-1].block)
        if not is_part or _term(item.text, item.language):
            break
        parts.append(item)
    return parts


def is_part_number(number: str) -> bool:
    """Whether it is a number within a definition: (a), (ii)."""
    return _PART_NUMBER.fullmatch(number) is not None


def is_definition(segment: Segment) -> bool:
    """Whether both sides of a segment define a term and name each other's."""
    term = _term(segment.zh, "zh")
    return term is not None and term == _term(segment.en, "en")


def _term(text: str, language: Language) -> tuple[str, str] | None:
    """The Chinese and the English term of a definition; None if the text is not one."""
    match = _TERM[language].match(text)
    if not match:
        return None
    own, other = (" ".join(group.split()).casefold() for group in match.groups())
    return (own, other) if language == "zh" else (other, own)
