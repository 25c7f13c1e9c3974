"""What is read from disk as typed records: run.json and the card of a system.

Records of older versions stay readable: fields that they lack have defaults. Unknown fields are kept in the
JSON object that a record was read from, never in the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from bench import limits
from bench.core import Aggregation, Flag, Granularity, Removed
from bench.languages import Direction, Language
from bench.names import RULE, is_name

RUN_FORMAT: Literal[1] = 1

Count = Annotated[int, msgspec.Meta(ge=0, le=limits.LARGEST)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=limits.LARGEST)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Line = Annotated[str, msgspec.Meta(max_length=limits.LINE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
"""A short text without control characters."""


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """US dollars per million tokens (`input` and `output`) or per million characters that are billed."""

    input: Amount | None = None
    output: Amount | None = None
    characters: Amount | None = None
    date: Line | None = None
    """When this was the price."""

    def __post_init__(self) -> None:
        if (self.input is None) != (self.output is None) or (self.input is None) == (self.characters is None):
            raise ValueError("it needs input and output, or characters")

    def cost(self, tokens_in: float, tokens_out: float, characters: float) -> float:
        """US dollars."""
        if self.characters is not None:
            return self.characters * characters / 1e6
        return ((self.input or 0) * tokens_in + (self.output or 0) * tokens_out) / 1e6


class SystemCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the yaml of a system says about it, apart from its adapter and the resources of a job."""

    name: Line
    label: Line | None = None
    """What boards show instead of the name."""
    size: Line | None = None
    """Parameters and quantisation: "1.5B, Q4_K_M"."""
    licence: Line | None = None
    base_model: Line | None = None
    released: Line | None = None
    """ISO date of the checkpoint's release, as precise as it is known."""
    control: bool = False
    """True for a baseline that other systems are held against."""
    price: Price | None = None


class SiteHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """site.json of a store: what its publisher puts above the boards of the site."""

    title: Annotated[
        str, msgspec.Meta(max_length=limits.NAME_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")
    ] = ""
    introduction: Annotated[str, msgspec.Meta(max_length=limits.INTRODUCTION_CHARACTERS)] = ""
    """Empty lines separate paragraphs."""
    contact: Annotated[
        str,
        msgspec.Meta(max_length=limits.NAME_CHARACTERS, pattern=r"^((https://|mailto:)[!-~]+)?\Z"),
    ] = ""
    """Address of a page or a mailbox to which new systems are sent."""
    logo: Annotated[
        str,
        msgspec.Meta(
            max_length=2 * limits.LOGO_BYTES,
            pattern=r"^(data:image/(png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/=]+)?\Z",
        ),
    ] = ""
    """A picture as a data address."""


NO_HEAD = SiteHead()


class ReferenceId(msgspec.Struct, frozen=True):
    """Which version of which reference set a run was made from."""

    id: str
    sha256: Sha256
    granularity: Granularity = "sentence"
    origin: Line = ""
    """The value of `reference=` that loads the set again; "" in records of older versions."""


class Work(msgspec.Struct, frozen=True):
    """Cost of the run: time, tokens, money and device. Loading the model is not included."""

    segments: Count = 0
    attempts: Count = 1
    tokens_in: Count = 0
    tokens_out: Count = 0
    characters: Count = 0
    seconds: Amount = 0.0
    segments_per_second: Amount | None = None
    tokens_per_second: Amount | None = None
    cost_usd: Amount | None = None
    earlier_cost_usd: Amount | None = None
    """US dollars until the run was complete before. All other numbers are of what was translated since then."""
    device: Line = "not recorded"
    peak_memory_mb: Count = 0

    @property
    def total_cost_usd(self) -> float | None:
        """US dollars; None if no price was known."""
        known = [cost for cost in (self.cost_usd, self.earlier_cost_usd) if cost is not None]
        return round(sum(known), 6) if known else None


class Answers(msgspec.Struct, frozen=True):
    """How texts and flags were made from the model's answers."""

    version: Count = 2
    """bench.answers.VERSION; 2 in records that do not say it."""
    removed: dict[Removed, Count] = {}
    """Kind -> number of hypotheses from whose answers it was removed."""


class RunRecord(msgspec.Struct, frozen=True):
    """run.json: everything needed to repeat a run."""

    system: SystemCard
    adapter: dict[str, Any]
    """The adapter's identity."""
    identity: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8,64}\Z")]
    """Hash of the adapter's identity and the direction."""
    direction: Direction
    reference: ReferenceId
    segments: Annotated[int, msgspec.Meta(ge=1, le=limits.SEGMENTS)]
    flags: dict[Flag, Count]
    """Flag -> number of hypotheses that carry it."""
    work: Work
    made: dict[str, Any]
    """Date, versions of code and packages, platform."""
    hypotheses_sha256: Sha256
    format: Literal[1] = 1
    answers: Answers = Answers()
    config: dict[str, Any] = {}
    """How the adapter was set up, with every value resolved."""
    fell_back: Count = 0
    """Number of hypotheses that were translated on their own because their block's response could not be
    split."""


class LeaderboardRow(msgspec.Struct, frozen=True):
    folder: str
    name: str = ""
    scores: dict[str, Any] = {}
    """Metric id -> score."""


class LeaderboardDirection(msgspec.Struct, frozen=True):
    sorted_by: str
    rows: Annotated[list[LeaderboardRow], msgspec.Meta(max_length=limits.RUNS)]
    summary: dict[Language, list[str]] = {}
    """The paragraph above the board, sentence by sentence."""


class LeaderboardReference(msgspec.Struct, frozen=True):
    title: str = ""
    published: str = ""
    segments: int = 0


class Leaderboard(msgspec.Struct, frozen=True):
    """leaderboard.json: what the project itself reads of it."""

    directions: dict[Direction, LeaderboardDirection]
    format: int = 1
    reference: LeaderboardReference = LeaderboardReference()


def system_card(card: Mapping[str, Any]) -> SystemCard:
    """The card of a system: what its yaml says, without `adapter` and `resources`, as bench.launching.settings
    has checked it."""
    return msgspec.convert(card_with_texts(card), SystemCard)


def run_record(document: Mapping[str, Any]) -> RunRecord:
    """The record of a run.json. Raises msgspec.ValidationError, which names the wrong field."""
    system = document.get("system")
    if isinstance(system, Mapping):
        document = {**document, "system": card_with_texts(system)}
    record = msgspec.convert(document, RunRecord)
    if fault := _fault(record) or (is_nested(document) and "it is nested too deeply"):
        raise msgspec.ValidationError(fault)
    return record


def _fault(record: RunRecord) -> str:
    """What is wrong with a record whose fields have the right types; "" if nothing is."""
    for label, name in (("system.name", record.system.name), ("reference.id", record.reference.id)):
        if not is_name(name):
            return f"{label} {name[:80]!r} is not a name: {RULE}"
    if "${" in record.reference.origin:
        return "reference.origin has a ${"
    return ""


def is_nested(value: Any) -> bool:
    """Whether a JSON value is nested more deeply than functions that call themselves can follow."""
    level = [value]
    for _ in range(limits.NESTING):
        level = [
            child
            for item in level
            if isinstance(item, (Mapping, list))
            for child in (item.values() if isinstance(item, Mapping) else item)
        ]
        if not level:
            return False
    return True


def card_with_texts(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card whose numbers are texts: YAML reads `released: 2024` and `size: 7` as numbers. No price is {}."""
    return {
        key: str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        for key, value in card.items()
        if not (key == "price" and value == {})
    }


def legacy_aggregation(metric: str, has_statistics: bool) -> Aggregation:
    """The aggregation of a score that was stored before scores carried it. `metric`: the column heading."""
    if metric in ("BLEU", "chrF", "chrF++"):
        return "bleu" if metric == "BLEU" else "chrf"
    return "ratio" if has_statistics else "mean"
