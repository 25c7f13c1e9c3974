"""BLEU, chrF, chrF++ and TER through sacrebleu's own classes. Only the settings that depend on the language are ours.

BLEU: Papineni et al. 2002; chrF: Popović 2015; chrF++: Popović 2017; TER: Snover et al. 2006; sacrebleu: Post 2018.
Equal to the `sacrebleu` command with the same settings, to the last digit (README names its options).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.core import Aggregation, Score, Scorer, Task
from bench.errors import BenchError
from bench.languages import Language

SEED = 12345  # sacrebleu's own default for SACREBLEU_SEED


_SETTINGS: dict[str, tuple[str, dict[Language, dict[str, Any]]]] = {
    # sacrebleu's default tokenizer gives 0.0 on Chinese, which has no spaces.
    "BLEU": ("BLEU", {"zh": {"tokenize": "zh"}, "en": {"tokenize": "13a"}}),
    "chrF": ("CHRF", {"zh": {}, "en": {}}),
    "chrF++": ("CHRF", {"zh": {"word_order": 2}, "en": {"word_order": 2}}),
    # Without asian_support a Chinese sentence is one word, and TER is 100 unless it is right to the last character;
    # tercom splits Chinese only where it normalises.
    "TER": ("TER", {"zh": {"normalized": True, "asian_support": True}, "en": {}}),
}
"""Name -> sacrebleu's class and its settings for each target language; whatever is not named is sacrebleu's default."""


_AGGREGATIONS: dict[str, Aggregation] = {"BLEU": "bleu", "chrF": "chrf", "chrF++": "chrf", "TER": "ratio"}


class Sacre(Scorer):
    """`metric`: BLEU, chrF, chrF++ or TER. `resamples`: of the bootstrap that gives the 95 % interval (Koehn 2004)."""

    def __init__(self, metric: str, resamples: int = 1000) -> None:
        if metric not in _SETTINGS:
            raise BenchError(f"sacrebleu's {metric!r} is not known here: use one of {', '.join(_SETTINGS)}.")
        self.metric = metric
        self.resamples = resamples

    def identity(self) -> dict[str, Any]:
        library = version("sacrebleu")
        made = {
            "metric": self.metric,
            "settings": _SETTINGS[self.metric],
            "resamples": self.resamples,
            "seed": SEED,
        }
        return {"scorer": "sacre", "version": 2, "sacrebleu": library, **made}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        job = functools.partial(
            _scores, self.metric, self.resamples, task.target_language, list(task.references)
        )
        texts = [list(each) for each in systems.values()]
        if self.metric != "TER" or len(texts) == 1:
            return dict(zip(systems, job(texts), strict=True))
        # TER searches for shifts in pure Python: half a minute for a system on a few pages of Chinese.
        with ProcessPoolExecutor(min(len(texts), os.cpu_count() or 1), get_context("spawn")) as pool:
            found = [score for (score,) in pool.map(job, [[each] for each in texts])]
        return dict(zip(systems, found, strict=True))


def _scores(
    metric: str, resamples: int, language: Language, references: list[str], systems: list[list[str]]
) -> list[Score]:
    """The score of each system; the references are counted once for all."""
    import sacrebleu.metrics

    # A seed in the user's environment would change the interval unseen.
    os.environ["SACREBLEU_SEED"] = str(SEED)
    name, settings = _SETTINGS[metric]
    corpus = segment = getattr(sacrebleu.metrics, name)(**settings[language], references=[references])
    if metric == "BLEU":  # smoothed as `sacrebleu --sentence-level` does it
        segment = sacrebleu.metrics.BLEU(**settings[language], effective_order=True)
    corpus.n_bootstrap = resamples if len(references) > 1 else None  # for the signature
    return [_score(metric, corpus, segment, hypotheses) for hypotheses in systems]


def _score(metric: str, corpus: Any, segment: Any, hypotheses: list[str]) -> Score:
    """`corpus`, `segment`: sacrebleu's metrics, with references and without."""
    from sacrebleu.significance import _bootstrap_resample

    # Counted once for the corpus, its resamples and the segments, and kept for the paired tests (bench.scoring.compare).
    counts = corpus._extract_corpus_statistics(hypotheses, None)
    result = corpus._aggregate_and_compute(counts)
    interval = None
    if len(counts) > 1:
        corpus.seed, resampled = _bootstrap_resample(counts, corpus, corpus.n_bootstrap)
        result.estimate_ci(resampled)
        interval = (float(result._mean - result._ci), float(result._mean + result._ci))
    return Score(
        metric=metric,
        value=float(result.score),  # numpy's own numbers, from 2 on, do not go into JSON
        interval=interval,
        signature=f"{metric}|{corpus.get_signature()}",
        segments=tuple(float(segment._aggregate_and_compute([count]).score) for count in counts),
        higher_is_better=metric != "TER",
        # Whole numbers: TER's length is an average over references, and there is one.
        statistics=tuple(tuple(map(int, count)) for count in counts),
        aggregation=_AGGREGATIONS[metric],
    )
