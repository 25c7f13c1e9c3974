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

_UNIFIED_IDEOGRAPHS = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"  # with extensions A to G
COMPATIBILITY_IDEOGRAPHS = r"\uf900-\ufaff"
RADICALS = r"\u2e80-\u2fdf"
"""CJK radicals. Fonts of PDF files map characters to the radicals of the same shape: ⼀ (U+2F00) for 一
(U+4E00)."""
HAN = re.compile(f"[{_UNIFIED_IDEOGRAPHS}{COMPATIBILITY_IDEOGRAPHS}]")
"""One Han character in a translation: a unified or compatibility ideograph."""
DOCUMENT_HAN = _UNIFIED_IDEOGRAPHS + COMPATIBILITY_IDEOGRAPHS + RADICALS + "〇"
"""Han characters in a source document, as the inside of a regex character class: "[{DOCUMENT_HAN}]". Wider
than HAN, because PDF files hold radicals and Chinese numerals hold 〇 (二〇二一). Flags depend on HAN: if
it changes, increase bench.answers.VERSION."""
LETTERS_PER_HAN = 4
"""The number of Latin letters that hold about as much text as one Han character."""
LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+")
"""One word in Latin script."""

ADDRESS = re.compile(
    r"\b(?:https?://|www\.)[^\s\u3000-\u9fff\uff00-\uffef]+|[\w.+-]{1,64}@[\w.-]{1,255}\w", re.ASCII
)
"""A web or e-mail address in a document. Its letters are in no language."""

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
    """The share of `language`'s script in `text`, from 0 to 1; 1.0 if the text has no letters (dates,
    numbers).

    One Han character counts as much as one Latin word, so that acronyms and treaty names in a Chinese text do
    not count by their letters.
    """
    han, latin = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    if han + latin == 0:
        return 1.0
    return (han if language == "zh" else latin) / (han + latin)


_HAN_PER_TOKEN, _OTHERS_PER_TOKEN = 1.6, 5.5
"""Characters per token of official texts: what the runs in results/ have used, within a third."""


def estimated_tokens(text: str) -> float:
    """The number of tokens of a text, without a tokenizer."""
    han = len(HAN.findall(text))
    return han / _HAN_PER_TOKEN + (len(text) - han) / _OTHERS_PER_TOKEN


_DOCUMENT_HAN = re.compile(f"[{DOCUMENT_HAN}]")
_LATIN_LETTER = re.compile("[A-Za-z]")


def fits_script(text: str, language: Language) -> bool:
    """Whether one side of a segment can be in `language`.

    Names and acronyms of the other language may be in it. Chinese needs one Han character per 12 Latin
    letters, English more letters than Han characters; so a text without letters fits neither. Much weaker
    than `script_share`: a short official sentence may consist of little but foreign names. Addresses do not count.
    """
    text = ADDRESS.sub(" ", text)
    han, letters = len(_DOCUMENT_HAN.findall(text)), len(_LATIN_LETTER.findall(text))
    return han > 0 and letters <= 12 * han if language == "zh" else letters > han
