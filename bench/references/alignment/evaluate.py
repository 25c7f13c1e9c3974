"""How much of a gold alignment the rules find: precision and recall of segment pairs."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.references import decode, read_bytes
from bench.references.alignment.evidence import Embed
from bench.references.alignment.pipeline import segments_of
from bench.references.reading.read import read

Pair = tuple[str, str]
_GOLD = ".gold.tsv"


@dataclass(frozen=True, slots=True)
class Result:
    """Pairs of the gold and of the rules; a pair is right where both sides have the same letters and digits."""

    document: str
    gold: int
    found: int
    right: int
    missed: tuple[Pair, ...]
    wrong: tuple[Pair, ...]

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.gold


def evaluate(
    gold: Path, lexicon: Mapping[str, tuple[str, ...]] | None = None, embed: Embed | None = None
) -> Result:
    """Aligns the source beside `gold` with no overrides and compares.

    NAME.gold.tsv holds one pair a line, Chinese, a tab, English; the source is NAME.txt, or NAME.zh.txt and NAME.en.txt.
    """
    stem = gold.with_name(gold.name.removesuffix(_GOLD))
    one, two = [Path(f"{stem}.txt")], [Path(f"{stem}.zh.txt"), Path(f"{stem}.en.txt")]
    if not gold.name.endswith(_GOLD) or not (one[0].is_file() or all(p.is_file() for p in two)):
        raise BenchError(
            f"{gold}: name a NAME{_GOLD} that stands beside NAME.txt, or NAME.zh.txt and NAME.en.txt."
        )
    rows = [tuple(line.split("\t")) for line in decode(read_bytes(gold), gold).splitlines() if line.strip()]
    if not rows or any(len(row) != 2 for row in rows):
        raise BenchError(f"{gold}: write one pair a line, the Chinese, a tab, the English.")
    source = read(one if one[0].is_file() else two)
    segments = segments_of(source, lexicon=lexicon, embed=embed).segments
    return compare(stem.name if stem.name != "source" else stem.parent.name, rows, segments)  # type: ignore[arg-type]


def compare(document: str, gold: Sequence[Pair], segments: Sequence[Segment]) -> Result:
    """Headings' and paragraphs' numbers are compared with their text, whether they are kept apart or not."""
    ours = [(s.zh_number + " " + s.zh, s.en_number + " " + s.en) for s in segments]
    wanted, have = Counter(map(_letters, gold)), Counter(map(_letters, ours))
    return Result(
        document,
        gold=len(gold),
        found=len(ours),
        right=(wanted & have).total(),
        missed=tuple(pair for pair in gold if not have[_letters(pair)]),
        wrong=tuple(pair for pair in ours if not wanted[_letters(pair)]),
    )


def _letters(pair: Pair) -> Pair:
    zh, en = ("".join(c for c in unicodedata.normalize("NFKC", t).casefold() if c.isalnum()) for t in pair)
    return zh, en
