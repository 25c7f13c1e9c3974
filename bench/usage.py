"""What requests to a service use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """As services bill it."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    characters: int = 0
