"""The settings of runs, and names that tell apart runs of one system with different settings."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.store import Run

_MAX_VALUE = 40  # characters of a setting in a name
_HASH = re.compile(r"\b[0-9a-f]{16,}\b")


def settings(run: Run) -> dict[str, str]:
    """Setting -> value, from the adapter's identity and the system's card.

    The checkpoint's name comes from the configuration, since an identity holds only the hash of its
    content.
    """
    checkpoint = run.record.config.get("checkpoint")
    name = checkpoint.get("file") or checkpoint.get("hub") if isinstance(checkpoint, dict) else checkpoint
    named = {"checkpoint name": str(name)} if name else {}
    flat = {**named, **_flatten(run.record.adapter), **_flatten(run.document["system"])}
    if "path" in run.record.config:
        flat = {"file": Path(str(run.record.config["path"])).name, **flat}
    for key in ("source", "sha256"):  # of a user's own adapter, and of a file with outputs
        if key in flat:
            flat[key] = flat[key][:8]
    return flat


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """{"decoding": {"beams": 4}} -> {"decoding.beams": "4"}"""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            is_text = isinstance(value, str) and value
            flat[prefix + key] = value if is_text else json.dumps(value, ensure_ascii=False)
    return flat


def display_names(runs: Sequence[Run]) -> dict[str, str]:
    """Label of a run -> the name that a board shows: the system's, and the settings that differ from those of
    other runs of that name ("mine · prompt=paragraph").

    It is the label itself if no short setting tells them apart.
    """
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.record.system.label or run.system].append(run)
    return {
        label: name for system, group in groups.items() for label, name in _group_names(system, group).items()
    }


def _group_names(system: str, runs: Sequence[Run]) -> dict[str, str]:
    if len(runs) == 1:
        return {runs[0].label: system}
    all_settings = {run.label: settings(run) for run in runs}
    all_keys = dict.fromkeys(key for values in all_settings.values() for key in values)
    keys = [
        key
        for key in all_keys
        if key not in ("name", "label")
        and len({values.get(key) for values in all_settings.values()}) > 1
        and all(_is_short(values[key]) for values in all_settings.values() if key in values)
    ]
    keys.sort(key=lambda key: not key.endswith(".name"))  # a name says more than the values that come with it
    names = dict.fromkeys(all_settings, "")
    for key in keys:
        if len(set(names.values())) == len(runs):
            break
        added = {
            label: f"{names[label]} · {_short(key)}={values[key]}" if key in values else names[label]
            for label, values in all_settings.items()
        }
        if len(set(added.values())) > len(set(names.values())):
            names = added
    if len(set(names.values())) < len(runs):
        return {label: label for label in all_settings}
    return {label: f"{system}{suffix}" for label, suffix in names.items()}


def _is_short(value: str) -> bool:
    return len(value) <= _MAX_VALUE and not _HASH.search(value)


def _short(key: str) -> str:
    """prompt.name -> prompt, decoding.beams -> beams"""
    return key.removesuffix(".name").rpartition(".")[2]
