"""Boards as evaluation results of the Hugging Face Hub: a model card with a model-index for each system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.boards.rows import Board
from bench.languages import sides


def cards(boards: Sequence[Board]) -> dict[str, str]:
    """File name -> text of a card, for each run: its results in one direction, by huggingface_hub's own types."""
    from huggingface_hub import EvalResult, ModelCardData

    texts = {}
    for board in boards:
        reference, (source, target) = board.reference, sides(board.direction)
        for row in board.rows:
            results = [
                EvalResult(
                    task_type="translation",
                    task_name=f"Translation {source}-{target}",
                    dataset_type=reference.id,
                    dataset_name=reference.title,
                    dataset_config=board.direction,
                    dataset_revision=reference.sha256,
                    metric_type=_metric_type(metric),
                    metric_name=score.metric,
                    metric_value=round(score.value, score.decimals + 2),
                    metric_args=_arguments(score.interval, score.signature),
                )
                for metric, score in row.scores.items()
                if score
            ]
            if results:
                model: Any = ModelCardData(
                    model_name=row.system, language=[source, target], eval_results=results
                )
                texts[f"{reference.id}/{board.direction}/{row.label}.md"] = f"---\n{model}\n---\n"
    return texts


def _metric_type(metric: str) -> str:
    """The id of the metric on the Hub where it has one."""
    return {"chrfpp": "chrf"}.get(metric, metric)


def _arguments(interval: tuple[float, float] | None, signature: str) -> dict[str, Any]:
    return {"signature": signature, **({"confidence_interval_95": list(interval)} if interval else {})}
