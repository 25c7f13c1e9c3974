"""BLEU, chrF, chrF++ and TER through sacrebleu's own classes. Only the settings that depend on the language are ours.

BLEU: Papineni et al. 2002; chrF: Popović 2015; chrF++: Popović 2017; TER: Snover et al. 2006; sacrebleu: Post 2018.
Equal to the `sacrebleu` command with the same settings, to the last digit (README names its options).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any

from bench.core import BenchError, Direction, Language, Score, sides

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


class Sacre:
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
        return {"scorer": "sacre", "version": 1, "sacrebleu": library, **made}

    def score(
        self,
        direction: Direction,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Score]:
        language = sides(direction)[1]
        jobs = [
            (self.metric, self.resamples, language, list(references), list(texts))
            for texts in systems.values()
        ]
        if self.metric != "TER" or len(jobs) == 1:
            return dict(zip(systems, map(_score, jobs), strict=True))
        # TER searches for shifts in pure Python: half a minute for a system on a few pages of Chinese.
        with ProcessPoolExecutor(min(len(jobs), os.cpu_count() or 1), get_context("spawn")) as pool:
            return dict(zip(systems, pool.map(_score, jobs), strict=True))


def _score(job: tuple[str, int, Language, list[str], list[str]]) -> Score:
    import sacrebleu.metrics
    from sacrebleu.significance import _bootstrap_resample

    metric, resamples, language, references, hypotheses = job
    # A seed in the user's environment would change the interval unseen.
    os.environ["SACREBLEU_SEED"] = str(SEED)
    name, settings = _SETTINGS[metric]
    corpus = segment = getattr(sacrebleu.metrics, name)(**settings[language])
    if metric == "BLEU":  # smoothed as `sacrebleu --sentence-level` does it
        segment = sacrebleu.metrics.BLEU(**settings[language], effective_order=True)
    # Counted once for the corpus, its resamples and the segments.
    counts = corpus._extract_corpus_statistics(hypotheses, [references])
    result = corpus._aggregate_and_compute(counts)
    interval = None
    if len(counts) > 1:
        corpus.n_bootstrap = resamples  # for the signature
        corpus.seed, resampled = _bootstrap_resample(counts, corpus, resamples)
        result.estimate_ci(resampled)
        interval = (float(result._mean - result._ci), float(result._mean + result._ci))
    return Score(
        metric=metric,
        value=float(result.score),  # numpy's own numbers, from 2 on, do not go into JSON
        interval=interval,
        signature=f"{metric}|{corpus.get_signature()}",
        segments=tuple(float(segment._aggregate_and_compute([count]).score) for count in counts),
        higher_is_better=metric != "TER",
    )
