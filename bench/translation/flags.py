"""What is wrong with a hypothesis, decided from its text, its source and what the adapter reports.

A flag never removes a segment and never changes a score. The board shows the counts. A run keeps the flags that
it was translated with: they are not computed again when these rules change.
"""

from __future__ import annotations

import re

from bench.core import Flag, Output
from bench.languages import HAN, LATIN_WORD, MIN_SCRIPT_SHARE, Direction, script_share, sides

_LOOP_WINDOW = 2_000  # characters from the end: loops are at the end, and the search is quadratic
_LOOP = re.compile(r"(.{2,80}?)\1{3,}", re.DOTALL)  # the same 2 to 80 characters at least four times in a row
_MIN_LOOP = 24  # characters: "no, no, no, no" is not a loop

_REFUSAL = re.compile(
    r"^\W*(?:i['’]?m sorry|i am sorry|sorry, (?:but )?i|i (?:cannot|can['’]?t|am unable to)\b|as an ai\b"
    r"|(?:很)?抱歉[，,]|对不起[，,]|作为一个?(?:AI|人工智能)|我(?:无法|不能)(?:翻译|提供|协助|帮助|回答))",
    re.IGNORECASE,
)


def flags(output: Output, source: str, direction: Direction) -> tuple[Flag, ...]:
    """All flags of one output, in a fixed order.

    error: the adapter reports an error; the output has no other flag. empty: no text. copied: the same letters
    and digits as the source, which has letters of its language. wrong-language: neither empty nor copied, and
    the share of the target language's script is below MIN_SCRIPT_SHARE (one Han character counts as much as one
    Latin word). truncated: the adapter reports it. refused: the adapter reports it, or the text begins like a
    refusal and the source does not. repeating: the same 2 to 80 characters at least four times in a row, 24
    characters or more, in the text but not in the source.
    """
    source_language, target_language = sides(direction)
    if output.error:
        return ("error",)
    text = output.text.strip()
    source_script = HAN if source_language == "zh" else LATIN_WORD
    result: list[Flag] = []
    if not text:
        result.append("empty")
    elif _letters(text) == _letters(source) and source_script.search(source):
        result.append("copied")
    elif script_share(text, target_language) < MIN_SCRIPT_SHARE:
        result.append("wrong-language")
    if output.truncated:
        result.append("truncated")
    if output.refused or (_REFUSAL.match(text) and not _REFUSAL.match(source)):
        result.append("refused")
    if _loops(text) and not _loops(source):
        result.append("repeating")
    return tuple(result)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _loops(text: str) -> bool:
    longest = max(_LOOP.finditer(text[-_LOOP_WINDOW:]), key=lambda match: len(match[0]), default=None)
    return longest is not None and len(longest[0]) >= _MIN_LOOP
