"""Completion of overrides in a shell: names of systems, metrics, prompts and suites, and of reference sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bench.commands.listing import Kind

_KINDS: dict[str, Kind] = {
    "system": "systems",
    "metric": "metrics",
    "prompt": "prompts",
    "suite": "suites",
    "reference": "sets",
}
_FIXED = {
    "direction": ("zh-en", "en-zh"),
    "granularity": ("sentence", "paragraph", "document"),
}


def complete_override(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What may follow: "system=q" -> "system=qwen…". After a comma, the next name.

    Keys are not completed: a shell puts a space behind what it completes.
    """
    from bench.commands.listing import kind_names

    key, _, typed = incomplete.partition("=")
    before, comma, last = typed.rpartition(",")
    names = _FIXED.get(key) or (kind_names(_KINDS[key]) if key in _KINDS else ())
    return [f"{key}={before}{comma}{name}" for name in names if name.startswith(last)]
