"""BLEU, chrF, chrF++ and TER through sacrebleu's own classes. Only the settings that depend on the language are ours.

BLEU: Papineni et al. 2002; chrF: Popović 2015; chrF++: Popović 2017; TER: Snover et al. 2006; sacrebleu: Post 2018.
Equal to the `sacrebleu` command with the options that `OPTIONS` names, to the last digit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.core import Direction, Language, Score, sides

SEED = 12345  # sacrebleu's own default for SACREBLEU_SEED


def _bleu(language: Language, per_segment: bool) -> Any:
    from sacrebleu.metrics import BLEU

    # sacrebleu's 13a gives 0.0 on Chinese, which has no spaces. Segments are smoothed as `sacrebleu --sentence-level` does.
    return BLEU(tokenize="zh" if language == "zh" else "13a", effective_order=per_segment)


def _chrf(language: Language, per_segment: bool) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


def _chrfpp(language: Language, per_segment: bool) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(word_order=2)


def _ter(language: Language, per_segment: bool) -> Any:
    from sacrebleu.metrics import TER

    # Without asian_support a Chinese sentence is one word, and TER is 100 unless it is right to the last character.
    # tercom splits Chinese only where it normalises.
    return TER(normalized=language == "zh", asian_support=language == "zh")


_METRICS: dict[str, Callable[[Language, bool], Any]] = {
    "BLEU": _bleu,
    "chrF": _chrf,
    "chrF++": _chrfpp,
    "TER": _ter,
}

OPTIONS: dict[str, dict[Language, tuple[str, ...]]] = {
    "BLEU": {"zh": ("-m", "bleu", "-tok", "zh"), "en": ("-m", "bleu", "-tok", "13a")},
    "chrF": {"zh": ("-m", "chrf"), "en": ("-m", "chrf")},
    "chrF++": {
        "zh": ("-m", "chrf", "--chrf-word-order", "2"),
        "en": ("-m", "chrf", "--chrf-word-order", "2"),
    },
    "TER": {"zh": ("-m", "ter", "--ter-normalized", "--ter-asian-support"), "en": ("-m", "ter")},
}
"""Metric and target language -> the options of the `sacrebleu` command that compute the same."""


class Sacre:
    """`metric`: BLEU, chrF, chrF++ or TER. `resamples`: of the bootstrap that gives the 95 % interval (Koehn 2004)."""

    def __init__(self, metric: str, resamples: int = 1000) -> None:
        self.metric = metric
        self.resamples = resamples

    def score(
        self,
        direction: Direction,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Score]:
        return {name: self._score(sides(direction)[1], references, texts) for name, texts in systems.items()}

    def _score(self, language: Language, references: Sequence[str], hypotheses: Sequence[str]) -> Score:
        os.environ["SACREBLEU_SEED"] = str(
            SEED
        )  # a seed in the user's environment would change the interval unseen
        corpus, segment = _METRICS[self.metric](language, False), _METRICS[self.metric](language, True)
        resampled = len(references) > 1
        result = corpus.corpus_score(hypotheses, [references], n_bootstrap=self.resamples if resampled else 1)
        return Score(
            metric=self.metric,
            value=result.score,
            interval=(result._mean - result._ci, result._mean + result._ci) if resampled else None,
            signature=f"{self.metric}|{corpus.get_signature()}",
            segments=tuple(
                segment.sentence_score(hypothesis, [reference]).score
                for hypothesis, reference in zip(hypotheses, references, strict=True)
            ),
            higher_is_better=self.metric != "TER",
        )
