"""The seq2seq adapter on tiny checkpoints of every family, for its tests and those of CTranslate2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.adapters.seq2seq import Seq2Seq
from bench.core import Adapter, Output, Source
from bench.languages import DIRECTIONS, Direction
from tests.helpers.tiny_seq2seq import PAIRS, checkpoint

MULTILINGUAL = ["nllb", "m2m", "mbart", "madlad", "t5"]
FAMILIES = ["marian", *MULTILINGUAL]
PREFIX = {"t5": "to {target_language}: "}
UNSEEN = [
    "中国支持国际合作清单。",
    "法律应当公平。",
    "谢谢各国。",
    "清单清单清单。",
    "企业每年修订法律。",
    "和平。",
]
"""The models have not learned these: beams are unsure of them and reach the limit."""


def checkpoints(name: str) -> Any:
    """The `checkpoint` of an adapter for one of FAMILIES."""
    if name == "marian":
        return {direction: str(checkpoint(f"marian-{direction}")) for direction in DIRECTIONS}
    return str(checkpoint(name))


def adapter(name: str, direction: Direction, **settings: Any) -> Seq2Seq:
    """A seq2seq adapter of one of FAMILIES, not loaded yet."""
    return Seq2Seq(checkpoints(name), direction=direction, **{"prefix": PREFIX.get(name), **settings})


def texts(direction: Direction) -> tuple[list[Source], list[str]]:
    """The sources that the models have learned, and their translations."""
    source, target = (0, 1) if direction == "zh-en" else (1, 0)
    return [Source(pair[1], pair[source]) for pair in PAIRS], [pair[target] for pair in PAIRS]


def translated(system: Adapter, sources: Sequence[Source], batch: int = 0) -> dict[str, Output]:
    """The outputs by id, translated in batches of `batch` sources; 0: all in one batch."""
    system.load()
    step = batch or len(sources)
    batches = [sources[i : i + step] for i in range(0, len(sources), step)]
    outputs = [pair for sources in batches for pair in system.translate(sources)]
    assert len(outputs) == len(sources)
    return dict(outputs)
