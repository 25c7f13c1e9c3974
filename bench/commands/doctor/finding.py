"""What `bench doctor` reports about one thing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "optional", "warning", "missing"]
"""From best to worst.

optional: not available, but nothing that was requested needs it. missing: what was requested cannot run
without it.
"""


@dataclass(frozen=True)
class Finding:
    check: str
    """What was checked: "cache", "system copy"."""
    result: str
    verdict: Verdict
    fix: str = ""
    """How to fix it, one command per line; "" if there is nothing to fix."""


def gb(size: int) -> str:
    """A number of bytes for people: "2.3 GB", "0.4 MB"."""
    return f"{size / 1e9:.1f} GB" if size >= 5e7 else f"{size / 1e6:.1f} MB"


def pip_install(requirements: Iterable[str]) -> str:
    return "pip install " + " ".join(map(shlex.quote, requirements))
