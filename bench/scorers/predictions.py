"""What metrics that are models have in common: samples of texts, and the score of a system from its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from bench.core import Score, Task
from bench.errors import BenchError
from bench.scorers.comet_cache import Prediction, Sample


def samples(
    task: Task, systems: Mapping[str, Sequence[str]], reads_reference: bool = True
) -> dict[str, list[Sample]]:
    """System -> [segment]: source, hypothesis and reference, which is "" for a model that does not read it."""
    references = task.references if reads_reference else [""] * len(task.ids)
    return {
        system: list(zip(task.sources, hypotheses, references, strict=True))
        for system, hypotheses in systems.items()
    }


def devices(predictions: Sequence[Prediction]) -> str:
    """The kinds of devices that computed them, for a signature: "cpu", "cpu+cuda"."""
    return "+".join(sorted({prediction.device for prediction in predictions}))


def mean_score(
    name: str,
    predictions: Sequence[Prediction],
    signature: str,
    advice: str,
    decimals: int = 3,
    higher_is_better: bool = True,
    remarks: Sequence[tuple[int, str]] = (),
) -> Score:
    """The score of a system: the mean of its segments.

    Raises BenchError if a prediction is no finite number, as of a model that exceeds the range of its precision.
    `advice`: what to do then.
    """
    values = [prediction.value for prediction in predictions]
    for segment, value in enumerate(values, 1):
        if not isfinite(value):
            raise BenchError(f"{name} computed no number for segment {segment} of the set: {advice}.")
    spans = tuple(prediction.spans for prediction in predictions)
    return Score(
        metric=name,
        value=sum(values) / len(values),
        interval=None,
        signature=signature,
        segments=tuple(values),
        higher_is_better=higher_is_better,
        decimals=decimals,
        remarks=tuple(remarks),
        spans=spans if any(spans) else (),
        aggregation="mean",
    )
