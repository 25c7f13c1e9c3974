"""Facts that a translation must keep: numbers, amounts, dates, article and list numbers, and names.

`find` gives the mentions in a text; bench.facts.matching compares the mentions of source, reference and
hypothesis. No model: rules and the embedded lexicon.
"""

from __future__ import annotations

from bench.facts import chinese, english, names
from bench.facts.mention import Mention, Text
from bench.languages import Language


def find(text: str, language: Language) -> list[Mention]:
    """The mentions of facts in a text, in no particular order."""
    rest = Text(text if language == "en" else chinese.fold(text))
    mentions = names.find_latin(rest) if language == "zh" else names.find_codes(rest)
    mentions += (chinese if language == "zh" else english).find(rest)
    return [*mentions, *names.find_listed(text, language)]
