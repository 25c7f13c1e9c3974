"""Private parts of sacrebleu. They are used here and nowhere else.

sacrebleu's public `corpus_score` returns the score of a system, but not the statistics of its segments. Those
are needed for the scores of segments, for the paired tests of all pairs of systems (bench.scoring.compare),
and so that nothing is counted twice. What is computed here equals what the `sacrebleu` command prints:
tests/scorers/test_sacre.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from bench.errors import BenchError

_TESTED = ("2.6",)
"""Major and minor versions of sacrebleu whose private methods were compared with its command."""
_PRIVATE = ("_extract_corpus_statistics", "_aggregate_and_compute", "_compute_score_from_stats")

Statistics = Sequence[Sequence[float]]
"""[segment, statistic]: the sufficient statistics of each segment."""


def create_metric(name: str, **settings: Any) -> Any:
    """A metric of `sacrebleu.metrics` ("BLEU", "CHRF", "TER") with these settings.

    Raises BenchError if this version of sacrebleu has not been tested.
    """
    import sacrebleu.metrics

    metric = getattr(sacrebleu.metrics, name)(**settings)
    installed = version("sacrebleu")
    if ".".join(installed.split(".")[:2]) not in _TESTED or not all(
        hasattr(metric, part) for part in _PRIVATE
    ):
        tested = " or ".join(f"'sacrebleu=={release}.*'" for release in _TESTED)
        raise BenchError(
            f"bitext-bench has not been tested with sacrebleu {installed}: pip install {tested}."
        )
    return metric


def segment_statistics(metric: Any, hypotheses: Sequence[str]) -> Statistics:
    """`metric` was created with its references, which are parallel to the hypotheses."""
    statistics: Statistics = metric._extract_corpus_statistics(hypotheses, None)
    return statistics


def score_of(metric: Any, statistics: Statistics) -> float:
    """The score of the segments with these statistics, in the metric's own points."""
    return float(metric._aggregate_and_compute(statistics).score)
