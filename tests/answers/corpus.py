"""The corpus as records, and what the code makes of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.languages import Direction

FOLDER = Path(__file__).parent
GROUPS = ("official", "reasoning", "wrappers", "unusable", "unclear")


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer: see README.md."""

    id: str
    direction: Direction
    source: str
    raw: str
    text: str
    flags: list[str]
    form: str
    finish: str = ""


def cases(group: str) -> list[Case]:
    data = (FOLDER / f"{group}.jsonl").read_bytes()
    return [msgspec.json.decode(line, type=Case) for line in data.splitlines()]
