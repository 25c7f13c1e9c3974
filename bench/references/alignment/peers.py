"""Public aligners on the same sentences, to compare ours with: Gale & Church by the package galechurch, and Vecalign
(Thompson & Koehn 2019, aclanthology.org/D19-1136) by the package sentweave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.errors import BenchError
from bench.references.alignment.evidence import Embed
from bench.references.alignment.pipeline import source_items
from bench.references.reading.pairs import Pair
from bench.references.reading.read import SourceText

Aligner = Callable[[Sequence[str], Sequence[str]], list[tuple[list[int], list[int]]]]
"""Chinese and English sentences -> groups of indices, from 0; one side may be empty."""

_MAX_GROUP = 5
"""Sentences of both sides in a group of Vecalign: as many as in ours."""


def aligned_pairs(source: SourceText, aligner: Aligner) -> list[Pair]:
    """The pairs that an aligner makes of our sentences. It gets no paragraphs and no headings."""
    items = source_items(source)
    zh, en = ([f"{item.number} {item.text}".strip() for item in items[language]] for language in ("zh", "en"))
    groups = aligner(zh, en)
    return [
        ("".join(zh[i] for i in left), " ".join(en[j] for j in right))
        for left, right in groups
        if left and right
    ]


def gale_church(zh: Sequence[str], en: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """By lengths in characters. The ratio of the languages is that of the document."""
    galechurch = _require("galechurch")
    # The package reads nothing but lengths, and finds no alignment (0.1.0) if its own parameter of the ratio is not 1.
    ratio = sum(map(_length, en)) / max(1, sum(map(_length, zh)))
    lengths = [max(1, round(ratio * _length(text))) for text in zh]
    beads = galechurch.align(["x" * length for length in lengths], list(en)).beads
    return [
        (list(range(bead.source_start, bead.source_end)), list(range(bead.target_start, bead.target_end)))
        for bead in beads
    ]


def _length(text: str) -> int:
    return len(text.replace(" ", ""))


def vecalign(embed: Embed) -> Aligner:
    """By sentence embeddings. Vecalign embeds each run of neighbours as well."""
    sentweave = _require("sentweave")

    def align(zh: Sequence[str], en: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        result = sentweave.align(list(zh), list(en), embed, alignment_max_size=_MAX_GROUP)
        return [(block.src_indices, block.tgt_indices) for block in result.alignments]

    return align


def _require(package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError:
        raise BenchError(
            f"To compare aligners, {package} is needed: pip install 'bitext-bench[aligners]', or omit --peers."
        ) from None
