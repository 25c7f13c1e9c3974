"""The training data: human judgements and artificial faults, grouped by source and reference.

This module also decides what is learned from and what is held out: by document, or by stretches of
neighbouring segments if a file names no documents. README.md describes the files.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core import digest
from bench.scoring import judgements
from bench.scoring.judgements import Judgement
from training.negatives import make_faults

SEED = 2021
_HELD_OUT = ("mqm-newstest2021.zh-en", "mqm-ted2021.zh-en", "esa-wmt2024-half.en-zh")
"""Files with several systems. A quarter of each is held out, and a tenth is the dev set."""
_STRETCH = 25
"""The number of neighbouring segments that stand for a document if a file names none."""
_ONE_SYSTEM = 0.45
"""The share that is used of the segments with a single system: they teach no order within a segment."""
DEGENERATE = {"empty": -8.0, "copied": -7.0, "unrelated": -7.0, "wrong-language": -7.0}
"""Kind of text that is not a translation -> its target, in standard deviations from the mean translation."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text that is scored as a translation of its group's source."""

    text: str
    human: float | None = None
    """The human judgement, in standard deviations of its file; None if there is none."""
    fault: str = ""
    """The kind of fault or degenerate text; "" for a reference and for a system's translation."""
    base: int | None = None
    """The index of the candidate that the fault was put into, which must score higher."""


@dataclass(slots=True)
class Group:
    """All candidates for one source and reference."""

    pair: str
    source: str
    reference: str
    candidates: list[Candidate] = field(default_factory=list)

    def texts(self) -> Iterator[str]:
        yield self.source
        yield self.reference
        yield from (candidate.text for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Split:
    """The data, divided by what it is used for."""

    train: list[Group]
    dev: list[Group]
    held_out: dict[str, list[Judgement]]
    """File name without its ending -> the judgements that only the final evaluation uses."""


def load(folder: Path) -> Split:
    """Read and split all `*.csv.gz` of a folder. Raises BenchError for a file without judgements."""
    files = {
        path.name.removesuffix(".csv.gz"): judgements.read(path) for path in sorted(folder.glob("*.csv.gz"))
    }
    train: dict[str, list[Judgement]] = {}
    dev: dict[str, list[Judgement]] = {}
    held_out: dict[str, list[Judgement]] = {}
    for name, rows in files.items():
        subsets: dict[str, list[Judgement]] = {"train": [], "dev": [], "held out": []}
        subset_of = _assign_documents(rows) if name in _HELD_OUT else {}
        for row in rows:
            subsets[subset_of.get(_document(row), "train")].append(row)
        train[name], dev[name], held_out[name] = subsets["train"], subsets["dev"], subsets["held out"]
    # the talks were judged in two language pairs: a sentence held out in one must not be learned from in the
    # other
    not_for_training = {
        text
        for rows in (*held_out.values(), *dev.values())
        for row in rows
        for text in (row.source, row.reference)
    }
    for name, rows in train.items():
        train[name] = [row for row in rows if not_for_training.isdisjoint((row.source, row.reference))]
    rng = random.Random(SEED)
    groups = [group for rows in train.values() for group in _groups(rows)]
    groups = [group for group in groups if len(group.candidates) > 1 or rng.random() < _ONE_SYSTEM]
    groups += [_reversed(group) for group in groups if group.pair != "en-de" and rng.random() < 0.3]
    return Split(
        _with_faults(groups, rng),
        _with_faults([group for rows in dev.values() for group in _groups(rows)], rng),
        {name: rows for name, rows in held_out.items() if rows},
    )


def _document(row: Judgement) -> str:
    """The judgement's document, or its stretch of neighbouring segments if the file names no documents."""
    return row.document or f"stretch {int(row.segment.partition('#')[0]) // _STRETCH}"


def _assign_documents(rows: Sequence[Judgement]) -> dict[str, str]:
    """Document -> "dev" or "held out". Documents that are not in it are for training."""
    segments = defaultdict(set)
    for row in rows:
        segments[_document(row)].add(row.segment)
    total = sum(map(len, segments.values()))
    subset_of: dict[str, str] = {}
    counts = {"held out": 0, "dev": 0}
    for document in sorted(segments, key=lambda name: digest([SEED, name])):
        for subset, share in (("held out", 0.25), ("dev", 0.1)):
            if counts[subset] < share * total:
                subset_of[document] = subset
                counts[subset] += len(segments[document])
                break
    return subset_of


def _groups(rows: Sequence[Judgement]) -> Iterator[Group]:
    """The judgements of one file as groups, with scores in standard deviations.

    Of penalties (MQM), which are rarely large, the square root is taken first.
    """
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


def _reversed(group: Group) -> Group:
    """The group in the other direction. It has no judgements, so only faults can be learned from it."""
    source, target = group.pair.split("-")
    return Group(f"{target}-{source}", group.reference, group.source)


def _with_faults(groups: Sequence[Group], rng: random.Random) -> list[Group]:
    """The same groups, with more candidates: the reference, faulty copies, and degenerate texts."""
    texts_in = _texts_by_language(groups)
    meanings = _same_meaning(groups)
    for group in groups:
        judged = list(group.candidates)
        group.candidates.append(Candidate(group.reference))
        group.candidates += _faulty_copies(group, judged, rng)
        for kind, texts in _degenerate_texts(group, texts_in, meanings, rng).items():
            texts = [text for text in texts if text not in (group.reference, *(c.text for c in judged))]
            group.candidates += [Candidate(text, fault=kind) for text in texts[: 2 if len(judged) > 3 else 1]]
    return list(groups)


def _faulty_copies(group: Group, judged: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Copies of the reference and of the best judged candidates, with one fault each.

    Four each if there are more than three judged candidates, otherwise two; shuffled and repeated words come
    in addition.
    """
    many = len(judged) > 3
    best_first = sorted(range(len(judged)), key=lambda i: -(judged[i].human or 0))
    copies = []
    for base in [len(judged), *best_first[: 2 if many and "zh" in group.pair else 1]]:
        faults = make_faults(group.candidates[base].text, rng)
        subtle = [fault for fault in faults if fault[0] not in ("shuffled", "repeated")]
        coarse = [fault for fault in faults if fault not in subtle and rng.random() < 0.25]
        for kind, text in rng.sample(subtle, min(len(subtle), 4 if many else 2)) + coarse:
            copies.append(Candidate(text, fault=kind, base=base))
    return copies


def _degenerate_texts(
    group: Group,
    texts_in: Mapping[str, Sequence[str]],
    meanings: Mapping[str, Sequence[tuple[str, str]]],
    rng: random.Random,
) -> dict[str, list[str]]:
    """Kind -> texts that are not translations of the group's source."""
    language = group.pair.partition("-")[2]
    same_meaning = [*meanings[group.reference], *meanings[group.source]]
    wrong_language = [text for other, text in same_meaning if other != language and text != group.source]
    return {
        "empty": [""],
        "copied": [group.source],
        "unrelated": rng.sample(texts_in[language], 2),
        "wrong-language": [rng.choice(wrong_language)] if wrong_language else [],
    }


def _texts_by_language(groups: Iterable[Group]) -> dict[str, list[str]]:
    """Language -> all candidates in it."""
    texts: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        texts[group.pair.partition("-")[2]] += [c.text for c in group.candidates if c.text]
    return texts


def _same_meaning(groups: Iterable[Group]) -> dict[str, list[tuple[str, str]]]:
    """A source or reference -> (language, text) of its translations and of other translations of the same
    sentence.

    The talks were translated into two languages, so the third language is among them.
    """
    same: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for group in groups:
        source, target = group.pair.split("-")
        translations = [
            (target, text) for text in (group.reference, *(c.text for c in group.candidates[:3])) if text
        ]
        same[group.source] += translations
        same[group.reference] += [(source, group.source), *translations[1:]]
    return same
