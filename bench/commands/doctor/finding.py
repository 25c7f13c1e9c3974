"""What `bench doctor` says of one thing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "not here", "warning", "missing"]
"""From good to bad. missing: what was asked for cannot run without it; "not here": nothing that was asked for needs it."""


@dataclass(frozen=True)
class Finding:
    check: str
    found: str
    verdict: Verdict
    mend: str = ""
    """A command, or what to do and then the command; several stand one a line."""


def gb(bytes: int) -> str:
    return f"{bytes / 1e9:.1f} GB" if bytes >= 5e7 else f"{bytes / 1e6:.1f} MB"


def pip_install(requirements: Mapping[str, str]) -> str:
    return "pip install " + " ".join(map(shlex.quote, requirements))
