"""Precision and recall of the aligner on a gold alignment."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.references.alignment.evidence import Embed
from bench.references.alignment.lexicon import Renderings
from bench.references.alignment.pair_numbers import is_split_unevenly
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.pairs import Pair
from bench.references.reading.read import read
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

    @property
    def precision(self) -> float:
        """From 0 to 1; 0 if there are no pairs."""
        return self.correct / self.aligned if self.aligned else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.gold


def evaluate(gold: Path, lexicon: Renderings | None = None, embed: Embed | None = None) -> Result:
    """Align the source beside `gold`, without overrides, and compare.

    NAME.gold.tsv holds one pair per line: Chinese, tab, English. The source is NAME.txt, or NAME.zh.txt and
    NAME.en.txt. Raises BenchError if one of the files is missing or wrong.
    """
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
    segments = build_segments(read(sources), lexicon=lexicon, embed=embed).segments
    document = stem.name if stem.name != "source" else stem.parent.name
    return compare(document, [(zh, en) for zh, en in rows], segments)


def compare(document: str, gold: Sequence[Pair], segments: Sequence[Segment]) -> Result:
    """Compare segments with gold pairs. The numbers of headings and paragraphs count as part of the text.

    A segment with a number apart from the text on one side only is wrong.
    """
    pairs = [(f"{s.zh_number} {s.zh}", f"{s.en_number} {s.en}") for s in segments]
    even = [pair for pair, s in zip(pairs, segments, strict=True) if not is_split_unevenly(s)]
    uneven = {pair for pair, s in zip(pairs, segments, strict=True) if is_split_unevenly(s)}
    gold_counts, counts = Counter(map(_letters, gold)), Counter(map(_letters, even))
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
