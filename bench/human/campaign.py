"""A campaign for Pearmut, as `bench human export` writes it and `bench human import` reads it.

The format is the one that Pearmut 1.1 documents in its README. Its pages put texts into HTML, so a text that they
would take for markup is written with another bracket. They count characters in UTF-16, as JavaScript does.
"""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bench import limits
from bench.core import digest
from bench.errors import BenchError
from bench.files import check_values, read_bytes
from bench.languages import Direction
from bench.names import is_name
from bench.records import Line, Sha256

Protocol = Literal["cESA", "MQM"]
"""Contrastive error span annotation with a score from 0 to 100, or error spans with MQM categories."""

MISSING = "[missing]"
"""What an annotator marks if something is left out: Pearmut puts it behind the text."""

INTACT, DAMAGED = "check-intact", "check-damaged"
"""The two "systems" of an attention check: a good translation, and the same with a part from another segment."""

_MARKUP = re.compile(r"^<(audio|video|img|iframe) |</?(br|strong|b|i|p|em|h1|h2|h3)>")
"""What Pearmut's pages take for HTML (web/src/utils.ts)."""

_ADVICE = "give the file that `bench human export` wrote"

Text = Annotated[str, msgspec.Meta(max_length=limits.TEXT_CHARACTERS)]


class MarkedSpan(msgspec.Struct, frozen=True):
    """An error as Pearmut stores it: the first and the last character, counted in UTF-16 units."""

    start_i: Annotated[int, msgspec.Meta(ge=0, le=2 * limits.TEXT_CHARACTERS)]
    end_i: Annotated[int, msgspec.Meta(ge=0, le=2 * limits.TEXT_CHARACTERS)]
    severity: Line | None = None
    category: Line | None = None


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A segment on a page, with the translations of several systems."""

    item_id: Line
    """The segment's id, or "check/…" for an attention check; ids of segments come from anybody."""
    src: Text
    tgt: dict[str, Text]
    """Run or check -> what annotators see, in the order from left to right."""
    instructions: str = ""
    """HTML above the item."""
    error_spans: dict[str, list[MarkedSpan]] = {}
    validation: dict[str, dict[str, str]] = {}

    @property
    def is_check(self) -> bool:
        return self.tgt.keys() == {INTACT, DAMAGED}


class Info(msgspec.Struct, frozen=True):
    """What Pearmut reads of a campaign."""

    protocol: Protocol
    assignment: Literal["task-based"] = "task-based"
    shuffle: bool = False
    """False: the systems are shuffled by our own seed. With a seed of Pearmut's, its passwords would follow from it."""
    validation_threshold: float = 0.5
    """Share of attention checks that an annotator may fail."""


class Origin(msgspec.Struct, frozen=True):
    """What the campaign was made from, for `bench human import`."""

    set: Line
    set_sha256: Sha256
    direction: Direction
    segments: Annotated[int, msgspec.Meta(ge=1, le=limits.SEGMENTS)]
    """In the set."""
    sample: Line
    """How the segments were chosen, in words."""
    seed: int
    hypotheses_sha256: dict[str, Sha256]
    """Run -> hash of its hypotheses."""
    format: Literal[1] = 1


class Campaign(msgspec.Struct, frozen=True):
    campaign_id: Line
    info: Info
    data: list[list[list[Item]]]
    """The pages of each annotator."""
    bitext_bench: Origin

    @property
    def items(self) -> dict[str, Item]:
        """By id: every item that an annotator sees."""
        return {item.item_id: item for task in self.data for page in task for item in page}

    @property
    def hash(self) -> str:
        return digest(msgspec.to_builtins(self))[:12]


def read(path: Path) -> Campaign:
    """Raises BenchError for a file that is not such a campaign."""
    try:
        data = read_bytes(path, limits.DOCUMENT_BYTES, advice=_ADVICE)
        check_values(data, path, advice=_ADVICE)
        campaign = msgspec.json.decode(data, type=Campaign)
    except FileNotFoundError:
        raise BenchError(f"There is no {path}: {_ADVICE}.") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BenchError(f"{path} is not a campaign of bitext-bench ({error}): {_ADVICE}.") from None
    names = (campaign.campaign_id, campaign.bitext_bench.set, *campaign.bitext_bench.hypotheses_sha256)
    if wrong := [name for name in names if not is_name(name)]:
        raise BenchError(
            f"{path} is not a campaign of bitext-bench ({wrong[0][:80]!r} is not a name): {_ADVICE}."
        )
    return campaign


def shown(text: str) -> str:
    """The text for Pearmut's pages: unchanged, unless they would take part of it for HTML. Then every "<" is
    "＜", so that nothing is hidden and no code runs. Offsets stay the same."""
    return text.replace("<", "＜") if _MARKUP.search(text) else text


def utf16_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def marked(text: str, start: int, end: int, severity: str, category: str | None) -> MarkedSpan | None:
    """The characters from `start` to before `end`, as Pearmut writes them; None if there are none."""
    if not 0 <= start < end <= len(text):
        return None
    first, last = utf16_length(text[:start]), utf16_length(text[:end]) - 1
    return MarkedSpan(first, last, severity, category)


def characters(text: str, span: MarkedSpan) -> tuple[int, int] | None:
    """Where a marked span begins and ends in `text`, in characters; None if it marks something missing.

    Raises BenchError if the span is not in the text.
    """
    if span.start_i > span.end_i or span.end_i > utf16_length(text):
        raise BenchError(f"the error from {span.start_i} to {span.end_i} is not in its text")
    if span.start_i >= utf16_length(text):
        return None
    ends = list(accumulate(1 + (character > "\uffff") for character in text))
    start = next(index for index, end in enumerate(ends) if end > span.start_i)
    last = next((index for index, end in enumerate(ends) if end > span.end_i), len(text) - 1)
    return start, last + 1
