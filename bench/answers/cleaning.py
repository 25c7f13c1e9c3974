"""The translation inside a model's answer.

Each step removes one kind of wrapper, where its structure is unambiguous, and never the whole answer. If two
readings are possible, the text stays and the answer is unclear. What the source has too (a tag, a fence, a
note, a colon at the end of a line) is part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bench.answers import reasoning, remarks, wrappers
from bench.answers.wrappers import Removal
from bench.core import Removed
from bench.languages import Language
from bench.prompt import stop_before

MAX_CHARACTERS = 200_000
"""After reasoning is removed. A longer answer is not cleaned: it is no translation of one segment."""

_STEPS: tuple[Callable[[str, str, Language], Removal], ...] = (
    wrappers.tags,
    wrappers.fence,
    wrappers.json_value,
    wrappers.boxed,
    remarks.echo,
    remarks.preamble,
    remarks.remark,
    wrappers.quotes,
)
_MOST_REMOVALS = 12  # wrappers inside each other


@dataclass(frozen=True, slots=True)
class Cleaned:
    text: str
    removed: tuple[Removed, ...] = ()
    """The kinds of what was removed, each once, in the order in which they were removed."""
    unclear: bool = False
    """True if something may not belong to the translation, but this is not certain: it is still in `text`."""


def clean(answer: str, source: str, target: Language) -> Cleaned:
    """What is left of `answer`, a translation of `source` into `target`.

    The text is empty only if the answer is, or if it is nothing but reasoning and control tokens.
    """
    source = source.strip()
    text, removed = reasoning.without_reasoning(answer.strip(_BLANKS), source)
    text, control = reasoning.without_control_tokens(text, source)
    kinds: list[Removed] = [*removed, *control]
    ambiguous = False
    if len(text) > MAX_CHARACTERS:
        return Cleaned(text, tuple(kinds), unclear=True)
    for _ in range(_MOST_REMOVALS):
        for step in _STEPS:
            removal = step(text, source, target)
            ambiguous = ambiguous or removal.ambiguous
            if removal.kind and _WORD.search(removal.text) and removal.text != text:
                text = removal.text.strip(_BLANKS)
                kinds.append(removal.kind)
                break
        else:
            break
    unclear = bool(text) and (
        ambiguous or remarks.is_unclear(text, source) or reasoning.has_tags(text, source)
    )
    return Cleaned(text, tuple(dict.fromkeys(kinds)), unclear)


_BLANKS = " \t\n\r\f\v\u00a0\u3000\u200b\ufeff"
_WORD = re.compile(r"\w")


def clean_answer(answer: str, source: str, target: Language, stop: str) -> Cleaned:
    """`stop`: where generation ends (bench.prompt.Prompt.stop); some engines return the text after it, too."""
    stop = stop_before(stop, "\n" in source)
    return clean(answer.partition(stop)[0] if stop else answer, source, target)
