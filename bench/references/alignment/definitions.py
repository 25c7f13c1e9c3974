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
from bench.references.alignment.align import Group, rate_pairs
from bench.references.alignment.lexicon import Renderings
from bench.references.segmentation.items import Item

_TERM: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        rf"[“「\"《]?([{DOCUMENT_HAN}、]{{1,40}})[”」\"》]?\s*[（(]\s*[“\"]?([A-Za-z][^()（）“”\"]{{0,80}})[”\"]?\s*[)）]"
    ),
    "en": re.compile(
        rf"[“\"]?([A-Za-z][^()（）“”\"]{{0,80}}?)[”\"]?\s*[（(]\s*[“「\"]?([{DOCUMENT_HAN}、]{{1,40}})[”」\"]?\s*[)）]"
    ),
}


def pair_definitions(
    items: Mapping[Language, Sequence[Item]], lexicon: Renderings | None
) -> tuple[list[Group], dict[Language, list[Item]]]:
    """The pairs of definitions that are in another order in the other language, and the items that remain."""
    english: dict[tuple[str, str], list[Item]] = {}
    for item in items["en"]:
        if term := _term(item.text, "en"):
            english.setdefault(term, []).append(item)
    pairs = [
        (item, found[0])
        for item in items["zh"]
        if (term := _term(item.text, "zh")) and len(found := english.get(term, [])) == 1
    ]
    is_unique = len({id(en) for _, en in pairs}) == len(pairs)
    is_crossing = any(b.block < a.block for (_, a), (_, b) in pairwise(pairs))
    if not is_unique or not is_crossing:
        return [], {language: list(side) for language, side in items.items()}
    confidences = rate_pairs([zh for zh, _ in pairs], [en for _, en in pairs], lexicon)
    taken = {id(item) for pair in pairs for item in pair}
    groups = [Group((zh,), (en,), value) for (zh, en), value in zip(pairs, confidences, strict=True)]
    return groups, {
        language: [item for item in side if id(item) not in taken] for language, side in items.items()
    }


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
