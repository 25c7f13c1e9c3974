"""What people have annotated: Pearmut's log of a campaign, which may come from anybody.

Two files are read: data/annotations/CAMPAIGN.jsonl of the server, one JSON object per line, and annotations.json,
which the dashboard offers for download: campaign -> these objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from bench import limits
from bench.errors import BenchError
from bench.files import check_lines, check_values, read_bytes
from bench.human.campaign import DAMAGED, INTACT, Campaign, Item, MarkedSpan, Text, characters
from bench.records import Line

_RESET = "__RESET__"
"""In place of an annotation: the annotator starts again, and what was logged before does not count."""
_ADVICE = "give the annotations of this campaign, as Pearmut's dashboard downloads them"


class _Answer(msgspec.Struct, frozen=True):
    """One annotator's opinion of one translation."""

    score: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    error_spans: Annotated[list[MarkedSpan], msgspec.Meta(max_length=limits.MARKED_ERRORS)] = []


class _LoggedItem(msgspec.Struct, frozen=True):
    item_id: Line
    tgt: dict[str, Text]


class _Page(msgspec.Struct, frozen=True):
    """A page as an annotator has sent it. Older ones of the same annotator and page are replaced."""

    annotation: list[dict[str, _Answer]]
    item: list[_LoggedItem]


class _Entry(msgspec.Struct, frozen=True):
    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS)]
    annotation: Any


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's opinion of one translation."""

    annotator: str
    item: Item
    system: str
    """The name in the campaign."""
    score: float
    """From 0 to 100."""
    spans: tuple[MarkedSpan, ...]


def read(path: Path, campaign: Campaign) -> list[Annotation]:
    """The last opinion of each annotator about each translation; what was not scored is left out.

    Raises BenchError, which names the place, if the file does not belong to this campaign or is damaged.
    """
    items = campaign.items
    latest: dict[tuple[str, str, str], Annotation] = {}
    for number, entry in enumerate(_entries(path, campaign), start=1):
        try:
            user = msgspec.convert(entry, _Entry)
            if user.annotation == _RESET:
                latest = {key: value for key, value in latest.items() if key[0] != user.user_id}
                continue
            page = msgspec.convert(entry, _Page)
            for annotation in _annotations(user.user_id, page, items):
                latest[annotation.annotator, annotation.item.item_id, annotation.system] = annotation
        except (msgspec.ValidationError, BenchError) as error:
            raise BenchError(f"{path}, entry {number}: {error}; {_ADVICE}.") from None
    if not latest:
        raise BenchError(f"{path} has no annotations: {_ADVICE}.")
    return list(latest.values())


def _annotations(user: str, page: _Page, items: dict[str, Item]) -> Iterator[Annotation]:
    if len(page.annotation) != len(page.item):
        raise BenchError(f"it has {len(page.annotation)} annotations of {len(page.item)} items")
    for answers, logged in zip(page.annotation, page.item, strict=True):
        item = items.get(logged.item_id)
        if item is None:
            raise BenchError(f"the campaign has no item {logged.item_id[:80]!r}")
        if dict(logged.tgt) != dict(item.tgt):
            raise BenchError(f"the translations of {logged.item_id[:80]!r} are not those of the campaign")
        for system, answer in answers.items():
            if system not in item.tgt:
                raise BenchError(f"{logged.item_id[:80]!r} has no translation of {system[:80]!r}")
            for span in answer.error_spans:
                characters(item.tgt[system], span)  # raises if it is not in the text
            if answer.score is not None:
                yield Annotation(user, item, system, answer.score, tuple(answer.error_spans))


def checks(annotations: list[Annotation]) -> dict[str, tuple[int, int]]:
    """Annotator -> attention checks passed and seen. A check is passed if the good translation has the higher
    score."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for annotation in annotations:
        if annotation.item.is_check:
            found.setdefault((annotation.annotator, annotation.item.item_id), {})[annotation.system] = (
                annotation.score
            )
    counts = {annotation.annotator: (0, 0) for annotation in annotations}
    for (annotator, _), scores in found.items():
        if INTACT in scores and DAMAGED in scores:
            passed, seen = counts[annotator]
            counts[annotator] = passed + (scores[INTACT] > scores[DAMAGED]), seen + 1
    return counts


def _entries(path: Path, campaign: Campaign) -> list[Any]:
    try:
        data = read_bytes(path, limits.DOCUMENT_BYTES, advice=_ADVICE)
    except FileNotFoundError:
        raise BenchError(f"There is no {path}: {_ADVICE}.") from None
    check_values(data, path, advice=_ADVICE)
    check_lines(data, path, limits.DOCUMENT_LINES, advice=_ADVICE)
    try:
        lines = [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
    except (msgspec.MsgspecError, RecursionError):
        lines = []
        try:
            lines = [msgspec.json.decode(data)]
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BenchError(f"{path} is not JSON ({error}): {_ADVICE}.") from None
    if len(lines) == 1 and isinstance(lines[0], dict) and "annotation" not in lines[0]:
        entries = lines[0].get(campaign.campaign_id)
        if not isinstance(entries, list):
            raise BenchError(f"{path} has no annotations of {campaign.campaign_id}: {_ADVICE}.")
        return entries
    return lines
