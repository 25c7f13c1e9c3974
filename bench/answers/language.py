"""Which language and script a text is in, where that is certain.

Scripts decide what they can: Japanese, Korean and Russian need no model. Languages in Latin script are told apart
by py3langid, Simplified and Traditional Chinese by the tables of OpenCC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from bench.languages import HAN, LATIN_WORD, MIN_SCRIPT_SHARE, Language

Variety = Literal["simplified", "traditional"]

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]")
_OTHER_WORD = re.compile(
    "[\u0370-\u058f\u1c80-\u1cbf\u1f00-\u1fff]+"  # Greek, Cyrillic, Armenian
    "|[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+"  # Hebrew, Arabic
    "|[\u0900-\u109f\u1780-\u17ff\u0e80-\u0eff]+|[\u0e00-\u0e7f]+"  # scripts of India and South-East Asia
)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|[^\s@]{1,64}@[^\s@]{1,255}")
_ORDINARY_WORD = re.compile(r"(?<![^\W\d_])[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ]+")
"""A word that is neither an acronym nor a single letter."""
_MIN_HAN_SHARE = 0.25
"""A Chinese text with fewer Han characters than that, among them and Latin words, is not Chinese. Human
translations into Chinese leave lists of names in Latin script."""
_MIN_JAPANESE_OR_KOREAN = 0.1
"""A Chinese text with a larger share of kana or hangul among its characters is Japanese or Korean."""
_PINYIN = re.compile("[āēīōūǖǎěǐǒǔǚǘǜ]", re.IGNORECASE)
"""Vowels with a macron or a caron; the other tone marks are accents of European languages, too."""
_NUMBERED = re.compile(r"(?:[a-zü]{1,6}[1-5])+\b", re.IGNORECASE)
"""Pinyin with numbers for tones: zhong1guo2."""
_MIN_PINYIN = 0.3
_LANGUAGES = "en fr de es pt it nl vi id tr pl sv da no fi cs ro hu".split()
"""Languages in Latin script that an answer may be in by mistake. Fewer of them make py3langid more reliable."""
_CERTAIN = 0.99
_MIN_LOWERCASE = 2
"""Words in lower case: names and headings are read wrongly."""
_MAX_CHARACTERS = 2_000
"""Of a text that py3langid reads: more does not make it more certain."""


def is_foreign(text: str, target: Language) -> bool:
    """Whether a text is certainly in another language than `target`.

    False for a text without letters. One Han character, kana or hangul syllable counts as much as one word.
    """
    text = _ADDRESS.sub(" ", text)
    han, latin = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    kana, hangul, other = (len(pattern.findall(text)) for pattern in (_KANA, _HANGUL, _OTHER_WORD))
    total = han + latin + kana + hangul + other
    if target == "zh":
        ordinary = _ORDINARY_WORD.findall(text)
        if not total or (total == latin and not ordinary):
            return False
        lowercase = sum(1 for word in ordinary if word[0].islower())
        return (
            han / total < _MIN_HAN_SHARE
            or han / (total - latin + lowercase) < MIN_SCRIPT_SHARE
            or max(kana, hangul) / (han + kana + hangul) >= _MIN_JAPANESE_OR_KOREAN
        )
    if not total:
        return False
    if latin / total < MIN_SCRIPT_SHARE:
        return True
    words = text.split()
    if sum(1 for word in words if _PINYIN.search(word) or _NUMBERED.match(word)) / len(words) >= _MIN_PINYIN:
        return True
    if sum(1 for word in _ORDINARY_WORD.findall(text) if word[0].islower()) < _MIN_LOWERCASE:
        return False  # a name may be in any language
    language, probability = _identifier().classify(text[:_MAX_CHARACTERS])
    return bool(language != "en" and probability >= _CERTAIN)


def has_own_words(text: str, language: Language) -> bool:
    """Whether a text has words of `language` that a translation cannot leave as they are: names of web pages,
    acronyms and numbers are the same in both languages."""
    text = _ADDRESS.sub(" ", text)
    return bool((HAN if language == "zh" else _ORDINARY_WORD).search(text))


def variety(texts: Iterable[str]) -> Variety:
    """The variety of Chinese in which most of `texts` are written."""
    simplified, traditional = map(sum, zip(*map(_counts, texts), strict=True))
    return "traditional" if traditional > simplified else "simplified"


def is_other_variety(text: str, target: Variety) -> bool:
    """Whether a Chinese text has at least two characters of the other variety, and more than of this one."""
    simplified, traditional = _counts(text)
    own, others = (simplified, traditional) if target == "simplified" else (traditional, simplified)
    return others >= 2 and others > own


def _counts(text: str) -> tuple[int, int]:
    """How many characters of a text only Simplified Chinese has, and only Traditional."""
    to_simplified, to_traditional = _converters()
    simplified = traditional = 0
    for character in HAN.findall(text[:_MAX_CHARACTERS]):
        changed, kept = to_simplified(character) != character, to_traditional(character) == character
        traditional += changed and kept
        simplified += not changed and not kept
    return simplified, traditional


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LANGUAGES)
    return identifier


@cache
def _converters() -> tuple[Any, Any]:
    from opencc import OpenCC

    return cache(OpenCC("t2s").convert), cache(OpenCC("s2t").convert)
