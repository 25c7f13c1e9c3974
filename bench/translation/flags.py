"""The failure ledger: what is wrong with a hypothesis, decided from the texts alone.

A flag never removes a segment and never changes a score; the leaderboard shows the counts.
"""

from __future__ import annotations

import re

from bench.core import Flag, Output
from bench.languages import HAN, LATIN_WORD, MIN_SCRIPT_SHARE, Direction, script_share, sides

_LOOKED_AT = 2_000  # characters from the end: loops are at the end, and the search below is quadratic
_LOOP = re.compile(r"(.{2,80}?)\1{3,}", re.DOTALL)  # the same 2 to 80 characters four times or more in a row
_LOOP_LEAST = 24  # characters: "no, no, no, no" is not a loop

_REFUSAL = re.compile(
    r"^\W*(?:i['’]?m sorry|i am sorry|sorry, (?:but )?i|i (?:cannot|can['’]?t|am unable to)\b|as an ai\b"
    r"|(?:很)?抱歉[，,]|对不起[，,]|作为一个?(?:AI|人工智能)|我(?:无法|不能)(?:翻译|提供|协助|帮助|回答))",
    re.IGNORECASE,
)


def flags(output: Output, source: str, direction: Direction) -> tuple[Flag, ...]:
    """All flags of one output, in a fixed order."""
    source_language, target_language = sides(direction)
    text = output.text.strip()
    found: list[Flag] = []
    if output.error:
        return ("error",)
    if not text:
        found.append("empty")
    elif _letters(text) == _letters(source) and (HAN if source_language == "zh" else LATIN_WORD).search(
        source
    ):
        found.append("copied")
    elif script_share(text, target_language) < MIN_SCRIPT_SHARE:
        found.append("wrong-language")
    if output.truncated:
        found.append("truncated")
    if output.refused or (_REFUSAL.match(text) and not _REFUSAL.match(source)):
        found.append("refused")
    if _loops(text) and not _loops(source):
        found.append("repeating")
    return tuple(found)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _loops(text: str) -> bool:
    match = max(_LOOP.finditer(text[-_LOOKED_AT:]), key=lambda m: len(m[0]), default=None)
    return match is not None and len(match[0]) >= _LOOP_LEAST
