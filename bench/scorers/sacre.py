"""BLEU, chrF, chrF++ and TER, computed by sacrebleu. Only the settings that depend on the language are ours.

BLEU: Papineni et al. 2002; chrF: Popović 2015; chrF++: Popović 2017; TER: Snover et al. 2006; sacrebleu: Post
2018. The results equal those of the `sacrebleu` command with the same settings, to the last digit.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from bench import limits
from bench.core import Aggregation, Score, Scorer, Task
from bench.errors import BenchError
from bench.languages import Language
from bench.resources import isolated_workers, usable_cores
from bench.scorers import _sacrebleu

_SETTINGS: dict[str, tuple[str, dict[Language, dict[str, Any]]]] = {
    # sacrebleu's default tokenizer gives 0.0 on Chinese, which has no spaces.
    "BLEU": ("BLEU", {"zh": {"tokenize": "zh"}, "en": {"tokenize": "13a"}}),
    "chrF": ("CHRF", {"zh": {}, "en": {}}),
    "chrF++": ("CHRF", {"zh": {"word_order": 2}, "en": {"word_order": 2}}),
    # Without asian_support a Chinese sentence is one word, and TER is 100 unless it is correct to the last
    # character. tercom splits Chinese only if it normalises.
    "TER": ("TER", {"zh": {"normalized": True, "asian_support": True}, "en": {}}),
}
"""Name -> sacrebleu's class and its settings for each target language. Other settings are sacrebleu's
defaults.
"""

_AGGREGATIONS: dict[str, Aggregation] = {"BLEU": "bleu", "chrF": "chrf", "chrF++": "chrf", "TER": "ratio"}


class Sacre(Scorer):
    """`metric`: BLEU, chrF, chrF++ or TER. `raw`: of the answers before cleaning."""

    def __init__(self, metric: Literal["BLEU", "chrF", "chrF++", "TER"], raw: bool = False) -> None:
        if metric not in _SETTINGS:
            raise BenchError(f"{metric!r} is not a metric of sacrebleu: use one of {', '.join(_SETTINGS)}.")
        self.metric = metric
        self.reads_raw = raw

    def identity(self) -> dict[str, Any]:
        return {
            "scorer": "sacre",
            "version": 3,
            "sacrebleu": version("sacrebleu"),
            "metric": self.metric,
            "settings": _SETTINGS[self.metric],
            **({"raw": True} if self.reads_raw else {}),
        }

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: the slowest metric, TER, takes half a minute."""
        if self.metric == "TER":
            _refuse_long(task, systems)
        job = functools.partial(_scores, self.metric, task)
        if self.reads_raw:
            return {system: _as_raw(score) for system, score in job(systems).items()}
        if self.metric != "TER" or len(systems) == 1:
            return job(systems)
        # TER searches for shifts in pure Python: half a minute for a system on a few pages of Chinese.
        workers = min(len(systems), usable_cores())
        with isolated_workers(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            single_systems = [{name: hypotheses} for name, hypotheses in systems.items()]
            return {name: score for scores in pool.map(job, single_systems) for name, score in scores.items()}


def _as_raw(score: Score) -> Score:
    name = f"{score.metric} (raw)"
    return replace(score, metric=name, signature=score.signature.replace(score.metric, name, 1))


def _refuse_long(task: Task, systems: Mapping[str, Sequence[str]]) -> None:
    """Raise BenchError if sacrebleu's TER would take hours and gigabytes for a single segment: both grow with
    the words of the hypothesis x those of the reference."""

    def words(text: str) -> int:
        return len(text) if task.target_language == "zh" else len(text.split())

    for system, hypotheses in systems.items():
        for id, hypothesis, reference in zip(task.ids, hypotheses, task.references, strict=True):
            if words(hypothesis) * words(reference) > limits.TER_WORDS:
                raise BenchError(
                    f"TER cannot score segment {id} of {system}: its hypothesis has {words(hypothesis):,} words and "
                    f"its reference {words(reference):,}, and their product may be {limits.TER_WORDS:,}. "
                    "Leave TER out, as in 'metric=[bleu,chrf]'."
                )


def _scores(metric: str, task: Task, systems: Mapping[str, Sequence[str]]) -> dict[str, Score]:
    """The score of each system. The references are counted once for all systems."""
    name, settings_by_language = _SETTINGS[metric]
    settings = settings_by_language[task.target_language]
    corpus = segment = _sacrebleu.create_metric(name, **settings, references=[list(task.references)])
    if metric == "BLEU":  # smoothed as `sacrebleu --sentence-level` does it
        segment = _sacrebleu.create_metric(name, **settings, effective_order=True)
    return {
        system: _score(metric, corpus, segment, list(hypotheses)) for system, hypotheses in systems.items()
    }


def _score(metric: str, corpus: Any, segment: Any, hypotheses: list[str]) -> Score:
    """`corpus`, `segment`: sacrebleu's metrics for all segments together and for one segment."""
    # Counted once for the corpus, its segments, its interval and the paired tests (bench.scoring.compare).
    counts = _sacrebleu.segment_statistics(corpus, hypotheses)
    return Score(
        metric=metric,
        value=_sacrebleu.score_of(corpus, counts),
        interval=None,
        signature=f"{metric}|{corpus.get_signature()}",
        segments=tuple(_sacrebleu.score_of(segment, [count]) for count in counts),
        higher_is_better=metric != "TER",
        # Integers: TER's reference length is an average over references, and there is one.
        statistics=tuple(tuple(map(int, count)) for count in counts),
        aggregation=_AGGREGATIONS[metric],
    )
