"""Overrides as people type them -> overrides as Hydra reads them. What could be read in two ways is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import HydraException

from bench.errors import BenchError
from bench.launching.compose import parse_overrides

_PROMPT = "prompt@system.adapter.prompt"
_TEXT_SETTING = re.compile(r"\+?(store|reference|system\.[\w.]+)")
"""A setting whose value is often a path or a name."""


def as_meant(overrides: Sequence[str]) -> list[str]:
    """The overrides with these in Hydra's spelling: `prompt=previous`, `metric=bleu,chrf`, and a path with
    braces.

    Raises BenchError for settings of a system that no system= names: they would hold for all of the suite.
    """
    quoted = [_quoted(text) for text in overrides]
    meant, keys = [], set()
    for text, parsed in zip(quoted, parse_overrides(quoted), strict=True):
        key, value = parsed.key_or_group, parsed.value()
        names_prompt = key == "prompt" or (key == "system.adapter.prompt" and isinstance(value, str))
        if names_prompt and parsed.package is None and not parsed.is_delete():
            text = f"{_PROMPT}={text.partition('=')[2]}"
        elif key == "metric" and isinstance(value, ChoiceSweep) and value.simple_form:
            text = f"metric=[{text.partition('=')[2]}]"
        meant.append(text)
        keys.add(key if parsed.package is None else f"{key}@{parsed.package}")
        if key == "prompt":
            keys.add("system.prompt")
    own = sorted(key for key in keys if key.startswith("system."))
    if own and "system" not in keys:
        raise BenchError(
            f"{'prompt' if own[0] == 'system.prompt' else own[0]} is given without system=: name the system that it "
            "is for, as in system=llm."
        )
    return meant


def _quoted(text: str) -> str:
    """The override with quotes around a value that Hydra cannot read without them: out.{direction}.txt."""
    key, _, value = text.partition("=")
    if not _TEXT_SETTING.fullmatch(key) or not value or '"' in value or "'" in value:
        return text
    try:
        OverridesParser.create().parse_overrides([text])
    except (HydraException, ValueError, RecursionError):
        return f"{key}={json.dumps(value, ensure_ascii=False)}"
    return text
