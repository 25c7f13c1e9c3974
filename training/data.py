"""Judgements of people, and faults made on purpose, as groups: one source with its reference and all that is compared on it.

What is learned from and what is kept apart is decided here, by document where documents are named and else by stretches of
neighbouring segments; README.md beside this file describes the data.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core import digest
from bench.scoring import judgements
from bench.scoring.judgements import Judgement
from training.negatives import worse

SEED = 2021
_HELD_OUT = ("mqm-newstest2021.zh-en", "mqm-ted2021.zh-en", "esa-wmt2024-half.en-zh")
"""Files with several systems, of which a quarter is kept apart to measure on and a tenth to choose settings by."""
_ONE_SYSTEM = 0.45
"""Of the segments that one system translated, the share that is used: they teach no order within a segment."""
DEGENERATE = {"empty": -8.0, "copied": -7.0, "unrelated": -7.0, "wrong-language": -7.0}
"""What is no translation at all, and what it is worth in standard deviations below the mean translation."""


@dataclass(frozen=True, slots=True)
class Candidate:
    text: str
    human: float | None = None
    """In standard deviations of its file; none where a person has not judged it."""
    fault: str = ""
    """What was made wrong in it; "" for what a system or a person wrote."""
    base: int | None = None
    """The candidate that it was made from, and must stay below."""


@dataclass(slots=True)
class Group:
    pair: str
    source: str
    reference: str
    candidates: list[Candidate] = field(default_factory=list)

    def texts(self) -> Iterator[str]:
        yield self.source
        yield self.reference
        yield from (candidate.text for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Parts:
    train: list[Group]
    dev: list[Group]
    held_out: dict[str, list[Judgement]]
    """File name without its ending -> the judgements that nothing was learned from or chosen by."""


def load(folder: Path) -> Parts:
    """All `*.csv.gz` of the folder. Raises BenchError for one that is not what it should be."""
    files = {
        path.name.removesuffix(".csv.gz"): judgements.read(path) for path in sorted(folder.glob("*.csv.gz"))
    }
    train: dict[str, list[Judgement]] = {}
    dev: dict[str, list[Judgement]] = {}
    held_out: dict[str, list[Judgement]] = {}
    for name, rows in files.items():
        parts: dict[str, list[Judgement]] = {"train": [], "dev": [], "held out": []}
        place = _places(rows) if name in _HELD_OUT else {}
        for row in rows:
            parts[place.get(_document(row), "train")].append(row)
        train[name], dev[name], held_out[name] = parts["train"], parts["dev"], parts["held out"]
    # talks were judged in two pairs: none may be learned from in one and measured on in the other
    apart = {
        text
        for rows in (*held_out.values(), *dev.values())
        for row in rows
        for text in (row.source, row.reference)
    }
    for name, rows in train.items():
        train[name] = [row for row in rows if row.source not in apart and row.reference not in apart]
    chance = random.Random(SEED)
    groups = [group for rows in train.values() for group in _groups(rows)]
    groups = [group for group in groups if len(group.candidates) > 1 or chance.random() < _ONE_SYSTEM]
    groups += [_turned(group) for group in groups if group.pair != "en-de" and chance.random() < 0.3]
    return Parts(
        _with_faults(groups, chance),
        _with_faults([group for rows in dev.values() for group in _groups(rows)], chance),
        {name: rows for name, rows in held_out.items() if rows},
    )


def _document(row: Judgement) -> str:
    """Its document, or, where the file names none, the stretch of 25 neighbouring segments."""
    return row.document or f"stretch {int(row.segment.partition('#')[0]) // 25}"


def _places(rows: Sequence[Judgement]) -> dict[str, str]:
    """Document -> "dev" or "held out"; the others are learned from."""
    segments = defaultdict(set)
    for row in rows:
        segments[_document(row)].add(row.segment)
    total = sum(map(len, segments.values()))
    place: dict[str, str] = {}
    count = {"held out": 0, "dev": 0}
    for document in sorted(segments, key=lambda name: digest([SEED, name])):
        for part, share in (("held out", 0.25), ("dev", 0.1)):
            if count[part] < share * total:
                place[document] = part
                count[part] += len(segments[document])
                break
    return place


def _groups(rows: Sequence[Judgement]) -> Iterator[Group]:
    """Scores become standard deviations; penalties, of which few are large, as their square roots."""
    if not rows:
        return
    values = [-((-row.score) ** 0.5) if max(r.score for r in rows[:50]) <= 0 else row.score for row in rows]
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    groups: dict[tuple[str, str, str], Group] = {}
    for row, value in zip(rows, values, strict=True):
        key = row.pair, row.source, row.reference
        group = groups.setdefault(key, Group(*key))
        if all(candidate.text != row.hypothesis for candidate in group.candidates):
            human = min(2.0, max(-3.0, (value - mean) / deviation))
            group.candidates.append(Candidate(row.hypothesis, human))
    yield from groups.values()


def _turned(group: Group) -> Group:
    """The other direction, where nobody has judged anything: only faults can be learned there."""
    source, target = group.pair.split("-")
    return Group(f"{target}-{source}", group.reference, group.source)


def _with_faults(groups: Sequence[Group], chance: random.Random) -> list[Group]:
    """Every group with the reference itself, faults made in it and in what systems wrote, and what is no translation."""
    others = _by_language(groups)
    meanings = _same_meaning(groups)
    for group in groups:
        judged = list(group.candidates)
        reference = len(judged)
        group.candidates.append(Candidate(group.reference))
        order = sorted(range(len(judged)), key=lambda i: -(judged[i].human or 0))
        rich = len(judged) > 3
        for base in [reference, *order[: 2 if rich and "zh" in group.pair else 1]]:
            made = worse(group.candidates[base].text, chance)
            subtle = [fault for fault in made if fault[0] not in ("shuffled", "repeated")]
            coarse = [fault for fault in made if fault not in subtle and chance.random() < 0.25]
            for kind, text in chance.sample(subtle, min(len(subtle), 4 if rich else 2)) + coarse:
                group.candidates.append(Candidate(text, fault=kind, base=base))
        language = group.pair.partition("-")[2]
        same = [*meanings[group.reference], *meanings[group.source]]
        wrong = [text for other, text in same if other != language and text != group.source]
        for kind, texts in (
            ("empty", [""]),
            ("copied", [group.source]),
            ("unrelated", chance.sample(others[language], 2)),
            ("wrong-language", [chance.choice(wrong)] if wrong else []),
        ):
            texts = [text for text in texts if text not in (group.reference, *(c.text for c in judged))]
            group.candidates += [Candidate(text, fault=kind) for text in texts[: 2 if rich else 1]]
    return list(groups)


def _by_language(groups: Iterable[Group]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        texts[group.pair.partition("-")[2]] += [c.text for c in group.candidates if c.text]
    return texts


def _same_meaning(groups: Iterable[Group]) -> dict[str, list[tuple[str, str]]]:
    """A source or reference -> (language, text) of what means the same: what systems made of it, or of its translation, and
    for the talks, which were translated into two languages, that in the third."""
    same: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for group in groups:
        source, target = group.pair.split("-")
        written = [
            (target, text) for text in (group.reference, *(c.text for c in group.candidates[:3])) if text
        ]
        same[group.source] += written
        same[group.reference] += [(source, group.source), *written[1:]]
    return same
