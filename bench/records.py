"""What is read from disk as typed records: run.json and the card of a system.

Records of older versions stay readable: fields that they lack have defaults. Unknown fields are kept in the
JSON object that a record was read from, never in the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from bench.core import Aggregation, Granularity
from bench.errors import BenchError
from bench.languages import Direction

RUN_FORMAT: Literal[1] = 1


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars per million tokens."""

    input: float
    output: float


class SystemCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the yaml of a system says about it, apart from its adapter and the resources of a job."""

    name: str
    size: str | None = None
    """Parameters and quantisation: "1.5B, Q4_K_M"."""
    licence: str | None = None
    base_model: str | None = None
    released: str | None = None
    """ISO date of the checkpoint's release, as precise as it is known."""
    control: bool = False
    """True for a baseline that other systems are held against."""
    price: Price | None = None


class ReferenceId(msgspec.Struct, frozen=True):
    """Which version of which reference set a run was made from."""

    id: str
    sha256: str
    granularity: Granularity = "sentence"
    origin: str = ""
    """The value of `reference=` that loads the set again; "" in records of older versions."""


class Work(msgspec.Struct, frozen=True):
    """Cost of the run: time, tokens, money and device. Loading the model is not included."""

    segments: int = 0
    attempts: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    segments_per_second: float | None = None
    tokens_per_second: float | None = None
    cost_usd: float | None = None
    device: str = "not recorded"
    peak_memory_mb: int = 0


class RunRecord(msgspec.Struct, frozen=True):
    """run.json: everything needed to repeat a run."""

    system: SystemCard
    adapter: dict[str, Any]
    """The adapter's identity."""
    identity: str
    """Hash of the adapter's identity and the direction."""
    direction: Direction
    reference: ReferenceId
    segments: int
    flags: dict[str, int]
    """Flag -> number of hypotheses that carry it."""
    work: Work
    made: dict[str, Any]
    """Date, versions of code and packages, platform."""
    hypotheses_sha256: str
    format: Literal[1] = 1
    config: dict[str, Any] = {}
    """How the adapter was set up, with every value resolved."""
    fell_back: int = 0
    """Number of hypotheses that were translated on their own because their block's response could not be
    split."""


def system_card(card: Mapping[str, Any]) -> SystemCard:
    """The validated card of a system: what its yaml says, without `adapter` and `resources`.

    Raises BenchError that names the wrong field and the nearest right spelling.
    """
    for key in card:
        if key not in SystemCard.__struct_fields__:
            similar = get_close_matches(str(key), SystemCard.__struct_fields__, n=1)
            advice = (
                f"use {similar[0]}" if similar else f"use one of {', '.join(SystemCard.__struct_fields__)}"
            )
            raise BenchError(f"system.{key} is not a field of a system's card: {advice}.")
    try:
        return msgspec.convert(_with_texts(card), SystemCard)
    except msgspec.ValidationError as error:
        raise BenchError(
            f"The system's card is wrong ({error}): correct this field of the system's yaml."
        ) from None


def run_record(document: Mapping[str, Any]) -> RunRecord:
    """The record of a run.json. Raises msgspec.ValidationError, which names the wrong field."""
    system = document.get("system")
    if isinstance(system, Mapping):
        document = {**document, "system": _with_texts(system)}
    return msgspec.convert(document, RunRecord)


def _with_texts(card: Mapping[str, Any]) -> dict[str, Any]:
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
