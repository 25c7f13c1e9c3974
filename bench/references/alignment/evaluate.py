"""Precision and recall of the aligner on a gold alignment."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.references.alignment.evidence import Embed
from bench.references.alignment.lexicon import Renderings
from bench.references.alignment.pair_numbers import is_split_unevenly
from bench.references.alignment.peers import Aligner, aligned_pairs
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.pairs import Pair
from bench.references.reading.read import SourceText, read
from bench.references.review.report import DOUBTFUL
from bench.references.set_folder import read_text

_GOLD = ".gold.tsv"


@dataclass(frozen=True, slots=True)
class Result:
    """Counts of pairs. A pair is correct if both sides have the same letters and digits as in the gold
    alignment."""

    document: str
    gold: int
    aligned: int
    """Pairs that the aligner made."""
    correct: int
    missed: tuple[Pair, ...]
    """Gold pairs that the aligner did not make."""
    wrong: tuple[Pair, ...]
    """Pairs of the aligner that are not in the gold alignment."""
    doubtful: int = 0
    """Pairs that a review would list first."""
    doubtful_wrong: int = 0
    """Those of them that are wrong."""

    @property
    def precision(self) -> float:
        """From 0 to 1; 0 if there are no pairs."""
        return self.correct / self.aligned if self.aligned else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.gold

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, from 0 to 1."""
        return 2 * self.correct / (self.gold + self.aligned)


def evaluate(gold: Path, lexicon: Renderings | None = None, embed: Embed | None = None) -> Result:
    """Align the source beside `gold`, without overrides, and compare.

    NAME.gold.tsv holds one pair per line: Chinese, tab, English. The source is NAME.txt, or NAME.zh.txt and
    NAME.en.txt. Raises BenchError if one of the files is missing or wrong.
    """
    document, pairs, source = _read_gold(gold)
    return compare(document, pairs, build_segments(source, lexicon=lexicon, embed=embed).segments)


def evaluate_peer(gold: Path, aligner: Aligner) -> Result:
    """The same for another aligner, which gets our sentences."""
    document, pairs, source = _read_gold(gold)
    return _compare(document, pairs, aligned_pairs(source, aligner), ())


def total(results: Sequence[Result]) -> Result:
    """All documents together."""
    return Result(
        document="all",
        gold=sum(result.gold for result in results),
        aligned=sum(result.aligned for result in results),
        correct=sum(result.correct for result in results),
        missed=(),
        wrong=(),
        doubtful=sum(result.doubtful for result in results),
        doubtful_wrong=sum(result.doubtful_wrong for result in results),
    )


def _read_gold(gold: Path) -> tuple[str, list[Pair], SourceText]:
    stem = gold.with_name(gold.name.removesuffix(_GOLD))
    bilingual = [Path(f"{stem}.txt")]
    monolingual = [Path(f"{stem}.zh.txt"), Path(f"{stem}.en.txt")]
    sources = bilingual if bilingual[0].is_file() else monolingual
    if not gold.name.endswith(_GOLD) or not all(path.is_file() for path in sources):
        raise BenchError(
            f"{gold}: pass a NAME{_GOLD} that is beside NAME.txt, or NAME.zh.txt and NAME.en.txt."
        )
    lines = read_text(gold).splitlines()
    rows = [line.split("\t") for line in lines if line.strip()]
    if not rows or any(len(row) != 2 for row in rows):
        raise BenchError(f"{gold}: write one pair per line: Chinese, tab, English.")
    document = stem.name if stem.name != "source" else stem.parent.name
    return document, [(zh, en) for zh, en in rows], read(sources)


def compare(document: str, gold: Sequence[Pair], segments: Sequence[Segment]) -> Result:
    """Compare segments with gold pairs. The numbers of headings and paragraphs count as part of the text.

    A segment with a number apart from the text on one side only is wrong.
    """
    pairs = [(f"{s.zh_number} {s.zh}", f"{s.en_number} {s.en}") for s in segments]
    uneven = [pair for pair, segment in zip(pairs, segments, strict=True) if is_split_unevenly(segment)]
    result = _compare(document, gold, pairs, uneven)
    listed = [pair for pair, segment in zip(pairs, segments, strict=True) if segment.confidence < DOUBTFUL]
    return replace(result, doubtful=len(listed), doubtful_wrong=sum(pair in result.wrong for pair in listed))


def _compare(document: str, gold: Sequence[Pair], pairs: Sequence[Pair], uneven: Sequence[Pair]) -> Result:
    """`uneven`: the pairs that are wrong whatever their texts are."""
    even = Counter(pairs) - Counter(uneven)
    gold_counts, counts = Counter(map(_letters, gold)), Counter(map(_letters, even.elements()))
    return Result(
        document,
        gold=len(gold),
        aligned=len(pairs),
        correct=(gold_counts & counts).total(),
        missed=tuple(pair for pair in gold if not counts[_letters(pair)]),
        wrong=tuple(pair for pair in pairs if pair in uneven or not gold_counts[_letters(pair)]),
    )


def _letters(pair: Pair) -> Pair:
    """Both sides with nothing but their letters and digits, in lower case."""
    zh, en = ("".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold())) for text in pair)
    return zh, en
