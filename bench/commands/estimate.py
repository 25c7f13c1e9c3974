"""How long `bench verify` will take: a rough number, from what two cores of a laptop took."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core import Task
from bench.store import Run

_PER_RUN = 0.15
"""Seconds for a metric of one run: mostly the resamples of its interval."""
_PER_THOUSAND_CHARACTERS = {
    "ter": 0.05,
    "comet-embedded": 0.5,
    "comet": 10.0,
    "cometkiwi": 10.0,
    "xcomet-xl": 60.0,
    "xcomet-xxl": 180.0,
    "metricx-24-large": 20.0,
    "metricx-24-large-qe": 15.0,
    "metricx-24-xl": 60.0,
    "metricx-24-xl-qe": 45.0,
}
_OTHER_METRIC = 0.03
"""Of BLEU and chrF, and of a metric of the user's own, for a thousand characters."""
_TER_PER_PAIR_OF_WORDS = 1.5e-5
"""sacrebleu tries shifts in pure Python: its time grows with the square of a segment's words."""
_LETTERS_PER_WORD = {"en": 6, "zh": 1}
_PER_DIFFERENCE = 1.5e-8
"""Of the randomisation test: pairs x trials."""


def scoring_seconds(task: Task, runs: Sequence[Run], metrics: Sequence[str]) -> float:
    """Rough seconds to score runs again. Nothing that a model or a cache knows already is taken off."""
    seconds = 0.0
    for run in runs:
        lengths = [len(hypothesis.text) for hypothesis in run.hypotheses()]
        words = (length / _LETTERS_PER_WORD[task.target_language] for length in lengths)
        thousands = sum(lengths) / 1000
        seconds += sum(_PER_RUN + thousands * _PER_THOUSAND_CHARACTERS.get(m, _OTHER_METRIC) for m in metrics)
        seconds += _TER_PER_PAIR_OF_WORDS * sum(count**2 for count in words) * ("ter" in metrics)
    return seconds


def testing_seconds(pairs: int, trials: int) -> float:
    """Rough seconds of one paired test of all systems."""
    return _PER_DIFFERENCE * pairs * trials
