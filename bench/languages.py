"""Languages, directions and scripts: every table of characters that the project uses."""

from __future__ import annotations

import re
from typing import Literal

from bench.errors import BenchError

Language = Literal["zh", "en"]
Direction = Literal["zh-en", "en-zh"]
DIRECTIONS: tuple[Direction, ...] = ("zh-en", "en-zh")
Side = Literal["both", "zh", "en"]
"""Which text of a document: the file with both languages in it, or the file of one language."""
LANGUAGE_NAMES: dict[Language, str] = {"zh": "Chinese", "en": "English"}

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
"""One Han character: CJK Unified Ideographs with extensions A to G, and the compatibility ideographs."""
LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+")
"""One word in Latin script."""

MIN_SCRIPT_SHARE = 0.5
"""A text with a smaller share of its language's script is in the wrong language."""


def sides(direction: str) -> tuple[Language, Language]:
    """The source and the target language of a direction: ("zh", "en") for "zh-en".

    Raises BenchError for any other direction.
    """
    if direction == "zh-en":
        return "zh", "en"
    if direction == "en-zh":
        return "en", "zh"
    raise BenchError(f"Unknown direction {direction!r}: use direction=zh-en or direction=en-zh.")


def script_share(text: str, language: Language) -> float:
    """The share of `language`'s script in `text`, from 0 to 1; 1.0 if the text has no letters (dates, numbers).

    One Han character counts as much as one Latin word, so that acronyms and treaty names in a Chinese text do not
    count by their letters.
    """
    han, latin = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    if han + latin == 0:
        return 1.0
    return (han if language == "zh" else latin) / (han + latin)
