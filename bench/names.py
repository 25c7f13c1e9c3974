"""One rule for every name that becomes part of a path, a config key or an override.

Names of systems, metrics and reference sets come from yaml files, documents and other people's results.
"""

from __future__ import annotations

import re

from bench import limits
from bench.errors import BenchError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=-]*")
_METRIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
RULE = f"use at most {limits.NAME_CHARACTERS} letters, digits and ._+@=- and begin with a letter or digit"


def is_name(text: str) -> bool:
    """Whether `text` can name a system or a reference set: it cannot leave a folder, hide in it, or be an
    option of a command."""
    return len(text) <= limits.NAME_CHARACTERS and bool(_NAME.fullmatch(text))


def is_metric_id(text: str) -> bool:
    """Whether `text` can name a metric, whose id is also a config key: no dots."""
    return len(text) <= limits.NAME_CHARACTERS and bool(_METRIC.fullmatch(text))


def check_name(text: str, label: str) -> None:
    """Raise BenchError, which begins with `label`, if `text` is not a name."""
    if not is_name(text):
        raise BenchError(f"{label} {text[:80]!r} cannot name a folder: {RULE}.")
