"""Boards as records of Every Eval Ever (https://evalevalai.com, arXiv 2606.14516): one file per run, schema 0.3.0.

`every_eval_ever validate` (package `every-eval-ever`, Python 3.12) accepts them: tests/exchange/.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from bench import __version__
from bench.boards.rows import Board, Row
from bench.core import Score

_SCHEMA = "0.3.0"
_WORD = re.compile(r"[^A-Za-z0-9_.+@=-]|^\.+")
"""What a folder's name does not have: names of models come from anybody."""
_RANGES: Mapping[str, tuple[float | str, float | str]] = {
    "bleu": (0, 100),
    "chrf": (0, 100),
    "ratio": (0, 100),
}
"""Aggregation -> lowest and highest score. A mean of model scores has no bounds."""
_SELF_DEPLOYED = frozenset("copy dictionary llm vllm seq2seq ctranslate2-llm ctranslate2-seq2seq".split())
_SERVICES = frozenset("alibaba amazon baidu deepl google microsoft tencent youdao".split())
"""Adapters, as run.json names them."""


def records(board: Board) -> dict[str, dict[str, Any]]:
    """File name, data/BENCHMARK/DEVELOPER/MODEL/UUID.json -> record, for each run of a board that has scores."""
    found = {}
    for row in board.rows:
        if any(row.scores.values()):
            record = _record(board, row)
            developer, _, model = record["model_info"]["id"].partition("/")
            folder = "/".join(
                _WORD.sub("-", part) for part in (f"bitext-bench-{board.reference.id}", developer, model)
            )
            found[f"data/{folder}/{_uuid(record['evaluation_id'])}.json"] = record
    return found


def _record(board: Board, row: Row) -> dict[str, Any]:
    run, reference = row.run, board.reference
    made = _seconds(run.made.get("at"))
    name = f"{reference.id}/{board.direction}"
    details = {
        "reference_set": reference.id,
        "reference_set_sha256": reference.sha256,
        "direction": board.direction,
        "granularity": reference.granularity,
        "original_language": reference.original_language,
        "published": reference.published or "unknown",
        "licence": reference.licence,
    }
    return {
        "schema_version": _SCHEMA,
        "evaluation_id": f"{name}/{row.label}/{made}",
        "evaluation_timestamp": made,
        "retrieved_timestamp": made,
        "source_metadata": {
            "source_name": f"bitext-bench: {reference.title}",
            "source_type": "evaluation_run",
            "source_organization_name": "unknown",
            "evaluator_relationship": "other",
        },
        "eval_library": {
            "name": "bitext-bench",
            "version": str(run.made.get("bench") or __version__),
            "additional_details": {"hypotheses_sha256": run.hypotheses_sha256, "identity": run.identity},
        },
        "model_info": {
            "name": row.system,
            "id": _model_id(run.system.base_model, run.system.name),
            "additional_details": {
                "deployment_type": deployment(str(row.run.adapter.get("adapter", ""))),
                "model_availability": "unknown",
                **({"licence": run.system.licence} if run.system.licence else {}),
                **({"size": run.system.size} if run.system.size else {}),
                **({"released": run.system.released} if run.system.released else {}),
            },
        },
        "evaluation_results": [
            {
                "evaluation_result_id": f"{name}/{row.label}/{metric}",
                "evaluation_name": f"{name}: {score.metric}",
                "source_data": {
                    "dataset_name": reference.title,
                    "source_type": "other",
                    "additional_details": details,
                },
                "metric_config": _metric(metric, score),
                "score_details": _value(score, run.segments),
            }
            for metric, score in row.scores.items()
            if score
        ],
    }


def _uuid(text: str) -> UUID:
    """The form of a random UUID, which their validator asks for; the same record has the same one."""
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)


def _model_id(base_model: str | None, name: str) -> str:
    """The model on the Hub, if that is what the card names as its base: "Qwen/Qwen2.5-7B-Instruct"."""
    return base_model if base_model and re.fullmatch(r"[\w.-]+/[\w.-]+", base_model) else f"unknown/{name}"


def _seconds(moment: Any) -> str:
    """The time of a run in seconds since 1970; "0" if run.json does not say it."""
    try:
        time = datetime.fromisoformat(str(moment))
    except ValueError:
        return "0"
    return str(int((time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()))


def deployment(adapter: str) -> str:
    """Where a system runs. An endpoint may be a server of one's own, and of an adapter from elsewhere nothing is
    known."""
    if adapter in _SERVICES:
        return "externally_managed"
    return "self_deployed" if adapter in _SELF_DEPLOYED else "unknown"


def _metric(metric: str, score: Score) -> dict[str, Any]:
    low, high = _RANGES.get(score.aggregation, ("-Infinity", "Infinity"))
    if not score.higher_is_better:  # TER may exceed 100
        high = "Infinity"
    return {
        "metric_id": metric,
        "metric_name": score.metric,
        "lower_is_better": not score.higher_is_better,
        "score_type": "continuous",
        "min_score": low,
        "max_score": high,
        "additional_details": {"signature": score.signature, "aggregation": score.aggregation},
    }


def _value(score: Score, segments: int) -> dict[str, Any]:
    uncertainty: dict[str, Any] = {"num_samples": segments - len(score.unscored)}
    if score.interval:
        low, high = score.interval
        interval = {"lower": low, "upper": high, "confidence_level": 0.95, "method": "jackknife"}
        uncertainty["confidence_interval"] = interval
    return {"score": score.value, "uncertainty": uncertainty}
