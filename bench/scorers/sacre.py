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


_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: ".", 0xFF61: "."}
"""Full-width letters, digits and signs, the ideographic space and full stop -> those of ASCII."""
_QUOTES = {ord(mark): '"' for mark in "“”„‟«»「」『』〝〞〟"} | {ord(mark): "'" for mark in "‘’‚‛‹›"}
_FOLDED = _WIDTH | _QUOTES


class Sacre(Scorer):
    """`metric`: BLEU, chrF, chrF++ or TER. `raw`: of the answers before cleaning. `folded`: without differences of
    width and quotation marks, in hypotheses and references (`fold`)."""

    def __init__(
        self, metric: Literal["BLEU", "chrF", "chrF++", "TER"], raw: bool = False, folded: bool = False
    ) -> None:
        if metric not in _SETTINGS:
            raise BenchError(f"{metric!r} is not a metric of sacrebleu: use one of {', '.join(_SETTINGS)}.")
        self.metric = metric
        if raw and folded:
            raise BenchError("A metric is either raw or folded: leave one of the two out.")
        self.reads_raw = raw
        self.folded = folded

    def identity(self) -> dict[str, Any]:
        return {
            "scorer": "sacre",
            "version": 3,
            "sacrebleu": version("sacrebleu"),
            "metric": self.metric,
            "settings": _SETTINGS[self.metric],
            **({"raw": True} if self.reads_raw else {}),
            **({"folded": 1} if self.folded else {}),
        }

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: the slowest metric, TER, takes half a minute."""
        if self.metric == "TER":
            _refuse_long(task, systems)
        if self.folded:
            references = [[fold(text) for text in texts] for texts in task.all_references]
            texts = {system: [fold(text) for text in hypotheses] for system, hypotheses in systems.items()}
            scores = _scores(self.metric, task, references, texts)
            return {system: _named(score, "folded", "|fold:width,quotes") for system, score in scores.items()}
        job = functools.partial(_scores, self.metric, task, task.all_references)
        if self.reads_raw:
            return {system: _named(score, "raw") for system, score in job(systems).items()}
        if self.metric != "TER" or len(systems) == 1:
            return job(systems)
        # TER searches for shifts in pure Python: half a minute for a system on a few pages of Chinese.
        workers = min(len(systems), usable_cores())
        with isolated_workers(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            single_systems = [{name: hypotheses} for name, hypotheses in systems.items()]
            return {name: score for scores in pool.map(job, single_systems) for name, score in scores.items()}


def fold(text: str) -> str:
    """The text with one width and one form of quotation marks: “Ａ，Ｂ。” and "A,B." become equal."""
    return text.translate(_FOLDED)


def _named(score: Score, variant: str, settings: str = "") -> Score:
    name = f"{score.metric} ({variant})"
    signature = score.signature.replace(score.metric, name, 1) + settings
    return replace(score, metric=name, signature=signature)


def _refuse_long(task: Task, systems: Mapping[str, Sequence[str]]) -> None:
    """Raise BenchError if sacrebleu's TER would take hours and gigabytes for a single segment: both grow with
    the words of the hypothesis x those of the reference."""

    def words(text: str) -> int:
        return len(text) if task.target_language == "zh" else len(text.split())

    for system, hypotheses in systems.items():
        for id, hypothesis, *references in zip(task.ids, hypotheses, *task.all_references, strict=True):
            longest = max(map(words, references))
            if words(hypothesis) * longest > limits.TER_WORDS:
                raise BenchError(
                    f"TER cannot score segment {id} of {system}: its hypothesis has {words(hypothesis):,} words and "
                    f"its reference {longest:,}, and their product may be {limits.TER_WORDS:,}. "
                    "Leave TER out, as in 'metric=[bleu,chrf]'."
                )


def _scores(
    metric: str, task: Task, references: Sequence[Sequence[str]], systems: Mapping[str, Sequence[str]]
) -> dict[str, Score]:
    """The score of each system. The references, [reference, segment], are counted once for all systems."""
    name, settings_by_language = _SETTINGS[metric]
    settings = settings_by_language[task.target_language]
    corpus = segment = _sacrebleu.create_metric(
        name, **settings, references=[list(texts) for texts in references]
    )
    if metric == "BLEU":  # smoothed as `sacrebleu --sentence-level` does it
        segment = _sacrebleu.create_metric(name, **settings, effective_order=True)
    # TER's reference length is the mean over references. Times their number, the statistics are integers, and the
    # ratio is the same.
    scale = len(references) if metric == "TER" else 1
    return {
        system: _score(metric, corpus, segment, list(hypotheses), scale)
        for system, hypotheses in systems.items()
    }


def _score(metric: str, corpus: Any, segment: Any, hypotheses: list[str], scale: int) -> Score:
    """`corpus`, `segment`: sacrebleu's metrics for all segments together and for one segment. `scale`: of the
    statistics."""
    # Counted once for the corpus, its segments, its interval and the paired tests (bench.scoring.compare).
    counts = _sacrebleu.segment_statistics(corpus, hypotheses)
    return Score(
        metric=metric,
        value=_sacrebleu.score_of(corpus, counts),
        interval=None,
        signature=f"{metric}|{corpus.get_signature()}",
        segments=tuple(_sacrebleu.score_of(segment, [count]) for count in counts),
        higher_is_better=metric != "TER",
        statistics=tuple(tuple(round(value * scale) for value in count) for count in counts),
        aggregation=_AGGREGATIONS[metric],
    )
