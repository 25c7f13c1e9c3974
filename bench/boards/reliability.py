"""How often metrics order two systems like people do, on other texts: the figures that boards state.

`bench meta-evaluate` has printed them (column "systems"): docs/metrics.md and the model card of COMET (embedded) show
its tables, and tests/boards/test_reliability.py holds them together. COMET (embedded) was trained on other parts of the
judgements of WMT21 and WMT24, and on none of WMT23.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.boards.rows import Board
from bench.boards.sentences import Sentences
from bench.boards.text import any_score, label
from bench.languages import Direction


@dataclass(frozen=True, slots=True)
class Judged:
    """A set with judgements of people."""

    file: str
    texts: str
    """The key of its name in bench.boards.sentences."""
    systems: Mapping[str, float]
    """Metric id -> share of the pairs of systems that it orders like people."""


JUDGED: Mapping[Direction, tuple[Judged, ...]] = {
    "zh-en": (
        Judged(
            "mqm-newstest2021.zh-en.held-out.csv.gz",
            "WMT21 news",
            {"chrf": 0.429, "bleu": 0.464, "comet-embedded": 0.464},
        ),
        Judged(
            "mqm-ted2021.zh-en.held-out.csv.gz",
            "WMT21 talks",
            {"chrf": 0.551, "bleu": 0.474, "comet-embedded": 0.551},
        ),
        Judged(
            "sxs-mqm-wmt2023.zh-en.csv.gz",
            "WMT23",
            {"chrf": 0.844, "bleu": 0.822, "comet-embedded": 0.867},
        ),
    ),
    "en-zh": (
        Judged(
            "esa-wmt2024-half.en-zh.held-out.csv.gz",
            "WMT24",
            {"chrf": 0.667, "bleu": 0.667, "comet-embedded": 0.530},
        ),
    ),
}
_BETWEEN = " / "
"""Sets, and the figures of one metric on them in the same order."""


def reliability(board: Board, say: Sentences) -> Iterator[str]:
    """The figures of the metrics on a board, as a note."""
    sets = JUDGED[board.direction]
    items = [
        f"{label(board, metric)} {_BETWEEN.join(f'{judged.systems[metric]:.0%}' for judged in sets)}"
        for metric in board.metrics
        if all(metric in judged.systems for judged in sets) and any_score(board, metric)
    ]
    if items:
        names = _BETWEEN.join(say[judged.texts] for judged in sets)
        yield say["reliability"].format(sets=names, metrics=say["between items"].join(items))
