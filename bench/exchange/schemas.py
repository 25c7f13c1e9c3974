"""JSON Schemas (2020-12) of the project's own files, from the types that read them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from bench.core import Hypothesis, Score, Segment
from bench.records import Leaderboard, RunRecord, SiteHead
from bench.store.scores import ScoreFile

_FILES: dict[str, tuple[Any, str]] = {
    "run": (RunRecord, "run.json: everything needed to repeat a run"),
    "hypotheses": (Hypothesis, "A line of hypotheses.jsonl"),
    "segments": (Segment, "A line of segments.jsonl"),
    "score": (Score, "scores/METRIC.json: a score and what it is a score of"),
    "leaderboard": (Leaderboard, "leaderboard.json: what bitext-bench itself reads of it"),
    "site": (SiteHead, "site.json of a store"),
}
"""Name -> type and description."""


def schemas() -> dict[str, str]:
    """File name -> schema. Files may have fields beyond it."""
    return {
        f"{name}.schema.json": json.dumps(_schema(kind, text), ensure_ascii=False, indent=1) + "\n"
        for name, (kind, text) in _FILES.items()
    }


def _schema(kind: Any, description: str) -> dict[str, Any]:
    schema = _portable(msgspec.json.schema(kind))
    if kind is Score:  # the same file also says which texts it is a score of
        origin = _portable(msgspec.json.schema(ScoreFile))
        schema["$defs"].update(origin["$defs"])
        schema = {"allOf": [{"$ref": schema.pop("$ref")}, {"$ref": origin["$ref"]}], **schema}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "description": description, **schema}


def _portable(value: Any) -> Any:
    """With the regular expressions of JSON Schema, where $ is what Python's \\Z is."""
    if isinstance(value, dict):
        return {
            key: item.replace(r"\Z", "$") if key == "pattern" else _portable(item)
            for key, item in value.items()
        }
    return [_portable(item) for item in value] if isinstance(value, list) else value
