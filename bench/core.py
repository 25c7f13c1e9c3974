"""Every record that flows through the project, and its two extension points. Read this file first.

official text -> ReferenceSet -> Task -> (Adapter) -> Hypothesis -> (Scorer) -> Score -> leaderboard

Adapter drives a family of MT systems; Scorer computes a metric. Both are abstract base classes: a subclass
without one of the abstract methods cannot be created.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from bench.languages import Direction, Language, sides
from bench.usage import Usage

AlignedBy = Literal["rules", "override", "source"]
"""Who aligned a segment: the aligner, a reviewer (overrides.yaml), or the source itself (TMX)."""

Flag = Literal[
    "empty",
    "copied",
    "placeholder",
    "wrong-language",
    "wrong-variety",
    "truncated",
    "prompt-cut",
    "unknown-finish",
    "refused",
    "repeating",
    "unknown-token",
    "too-short",
    "too-long",
    "constant",
    "equals-reference",
    "unclear-answer",
    "error",
]
"""What may be wrong with a hypothesis. It stays in the run and is scored as it is. docs/answers.md defines
each."""

Granularity = Literal["sentence", "paragraph", "document"]
"""What one segment of a set is."""

Removed = Literal[
    "reasoning", "control-token", "tag", "fence", "json", "echo", "preamble", "remark", "quotes"
]
"""What was removed from a model's answer: see docs/answers.md."""

Severity = Literal["minor", "major", "critical"]


# Reference sets


@dataclass(frozen=True, slots=True)
class Segment:
    """One aligned unit of a document: the unit that is translated, scored and shown."""

    id: str
    kind: Literal["heading", "sentence"]
    section: str
    """The section that contains it: "front", "preamble", "1", "1.2" …"""
    paragraph: int
    """The number of its paragraph within the section, from 1; 0 for the section's own heading."""
    zh: str
    en: str
    alignment: str
    """The number of Chinese and English sentences in it: "1-2"."""
    zh_number: str
    """Numbering that is kept apart from the scored text: "（一）"; "" if there is none."""
    en_number: str
    zh_raw: str
    """The characters of the source; parts from different lines are joined by a line break."""
    en_raw: str
    zh_lines: tuple[int, ...]
    """Line numbers in the source, from 1."""
    en_lines: tuple[int, ...]
    zh_sentences: tuple[str, ...]
    """The names of its sentences in a review: "L37s2" is the second sentence that begins on source line 37."""
    en_sentences: tuple[str, ...]
    confidence: float
    """The aligner's confidence that the two sides translate each other, from 0 to 1."""
    aligned_by: AlignedBy

    def text(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def raw(self, language: Language) -> str:
        return self.zh_raw if language == "zh" else self.en_raw

    def number(self, language: Language) -> str:
        return self.zh_number if language == "zh" else self.en_number

    def lines(self, language: Language) -> tuple[int, ...]:
        return self.zh_lines if language == "zh" else self.en_lines

    def sentences(self, language: Language) -> tuple[str, ...]:
        return self.zh_sentences if language == "zh" else self.en_sentences


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """The segments of one document, versioned and hashed, with what a reader should know about it."""

    id: str
    """Unique in a store, where it names a folder. Nothing else is encoded in it: never split it."""
    title: str
    original_language: Language | Literal["mixed", "unknown"]
    """The language that was written first; "mixed" if it differs between segments."""
    published: str
    """ISO date of publication, as precise as it is known: "2021-12"; "" if it is unknown."""
    licence: str
    segments: tuple[Segment, ...]
    outside: bool = False
    """True for a test set that came aligned (bench.references.outside): its sections are separate documents,
    its paragraphs are unknown, and neither side is an official translation."""
    origin: str = field(default="", compare=False)
    """The value of `reference=` that loads the set again: an id, a folder, `sacrebleu:wmt22/zh-en`, or the
    PREFIX of parallel files. "" means that it equals `id`."""
    granularity: Granularity = "sentence"
    variety: str = field(default="", compare=False)
    """The variety of its Chinese as a language tag, if document.yaml says it: "zh-Hant-TW"."""
    further: tuple[tuple[Language, tuple[str, ...]], ...] = ()
    """Further references, each with its language and parallel to `segments`. A set from outside may have some."""
    sha256: str = field(init=False)
    """Hash of what a run depends on: one line `id TAB zh TAB en LF` per segment in UTF-8, with tabs and line
    breaks inside a text written as spaces, and after them one line `language TAB text LF` per text of a further
    reference. `segments.jsonl` holds more and has its own hash file."""

    def __post_init__(self) -> None:
        rows = [(s.id, s.zh, s.en) for s in self.segments]
        rows_of_further = [(language, text) for language, texts in self.further for text in texts]
        lines = "".join(
            "\t".join(re.sub(r"[\t\r\n]", " ", cell) for cell in row) + "\n"
            for row in (*rows, *rows_of_further)
        )
        object.__setattr__(self, "sha256", hashlib.sha256(lines.encode()).hexdigest())


@dataclass(frozen=True)
class Task:
    """One reference set in one direction: what a system translates, and what it is scored against."""

    reference: ReferenceSet
    direction: Direction

    @property
    def source_language(self) -> Language:
        return sides(self.direction)[0]

    @property
    def target_language(self) -> Language:
        return sides(self.direction)[1]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Segment ids, in the order of the set. `sources`, `references` and each of `all_references` are parallel
        to it."""
        return tuple(segment.id for segment in self.reference.segments)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        return tuple(segment.text(self.source_language) for segment in self.reference.segments)

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The first reference, which every metric uses."""
        return tuple(segment.text(self.target_language) for segment in self.reference.segments)

    @cached_property
    def all_references(self) -> tuple[tuple[str, ...], ...]:
        """The first reference and the further ones: [reference, segment]."""
        further = (texts for language, texts in self.reference.further if language == self.target_language)
        return (self.references, *further)


# Translation

Together = Literal["segment", "paragraph", "document"]
Glossary = Literal["none", "official", "random"]
"""Which terms are shown with a segment: those of the set's terms.tsv that it has, or as many of the others."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a system sees around a segment while it translates it. Always source text, never another output."""

    previous: int = 0
    """The number of preceding segments shown with it."""
    together: Together = "segment"
    """What one request translates."""
    glossary: Glossary = "none"
    seed: int = 0
    """Of a random glossary."""


@dataclass(frozen=True, slots=True)
class Source:
    """What an adapter sees of a segment: never the reference."""

    id: str
    text: str
    before: tuple[str, ...] = ()
    """The preceding segments of its document that the adapter's context asks for; the nearest is last."""
    block: str = ""
    """Segments with the same block are translated in one request. They arrive in one call, in document order.
    "" means that the segment has a request of its own."""
    terms: tuple[tuple[str, str], ...] = ()
    """Terms in both languages, source first, that the adapter's context asks for."""

    @property
    def request_id(self) -> str:
        """Sources with the same value are translated in one request."""
        return self.block or self.id


Unit = tuple[Source, ...]
"""The segments of one request: one segment, or the neighbours that share a block."""


def units(sources: Iterable[Source]) -> list[Unit]:
    """Group neighbouring sources of one block into units."""
    return [tuple(group) for _, group in groupby(sources, key=lambda source: source.request_id)]


@dataclass(frozen=True, slots=True)
class Output:
    """What an adapter returns for one source."""

    text: str
    """The translation, ready to be scored."""
    raw: str = ""
    """The model's answer before cleaning, if it differs from `text`; else ""."""
    tokens_in: int = 0
    tokens_out: int = 0
    characters: int = 0
    """Characters that a service bills."""
    truncated: bool = False
    """True if the output hit the length limit, or the source did not fit the model's context."""
    refused: bool = False
    """True if the provider withheld a translation (content filter), whatever the text says."""
    finish: str = ""
    """Why the answer ended, as bench.answers.finish names it, if the engine says more than that."""
    prompt_cut: bool = False
    """True if the endpoint has read fewer tokens than the prompt can have."""
    unclear: bool = False
    """True if the answer may hold more than the translation (bench.answers.cleaning)."""
    removed: tuple[Removed, ...] = ()
    unsplit: bool = False
    """True if the block's response could not be split into segments. Only the token counts are valid; the
    driver re-requests each segment on its own."""
    error: str = ""
    """Why there is no translation; "" if there is one. The next run tries again."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a system gave for one segment, as it is stored."""

    id: str
    key: str
    """Hash of everything that determines this output: system identity, direction, segment id, source text,
    context."""
    text: str
    raw: str
    flags: tuple[Flag, ...]
    error: str
    tokens_in: int = 0
    tokens_out: int = 0
    finish: str = ""
    """Why the answer ended, as bench.answers.finish names it; "" if the model ended by itself."""
    removed: tuple[Removed, ...] = ()
    """What was removed from `raw`, each kind once."""
    fell_back: bool = False
    """True if the segment was translated on its own because its block's response could not be split."""
    characters: int = 0
    """Characters that a service has billed. In files, only if there are any."""


MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm", "*.jinja", "*.tiktoken")
"""The files of a hub snapshot that are used: no pickles (*.bin), which run code when they are read, and no
*.py."""


@dataclass(frozen=True)
class Weights:
    """Model files to fetch: sources in order of preference, and the hash that the bytes must have.

    bench.checkpoints.weights parses, fetches and verifies them.
    """

    file: str = ""
    """The file's name in the cache; "" for a folder."""
    sha256: str = ""
    """Of the whole file; "" only if there is a single source."""
    sources: tuple[Mapping[str, Any], ...] = ()
    pickled: bool = False
    """True if a hub snapshot includes pickled weights, for readers that unpickle nothing but weights."""
    files: tuple[str, ...] = MODEL_FILES
    """Patterns of the files to take from a hub snapshot."""


class Adapter(ABC):
    """Drives one family of MT systems in one direction. Creating one is cheap and imports no model library.

    The defaults are right for an adapter without a model.
    """

    def __init__(self, direction: Direction) -> None:
        sides(direction)
        self.direction = direction

    @property
    def context(self) -> Context:
        """What `translate` needs to see around each segment."""
        return Context()

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Everything that changes the outputs (checkpoint digest, prompt, decoding settings, code version),
        nothing else.

        The direction is added by the caller.
        """

    def needs(self) -> Sequence[Weights]:
        """The files that translating reads. Fetches nothing."""
        return ()

    def prepare(self) -> None:
        """Fetch these files and convert them if the engine needs another format, so that `load` needs no
        network."""

    def load(self) -> None:
        """Load the model. The clock of the run starts after it."""

    def batch_cost(self, unit: Unit) -> int:
        """Token budget that one unit takes in a batch: prompt plus maximum output. Called after `load`.

        Return 0 if the engine does its own batching; all units then arrive in one call.
        """
        return 0

    @abstractmethod
    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        """Yield the id and output of each source once, in any order, as soon as it is finished. Called after
        `load`.

        A problem with one source goes into its `Output.error`. An out-of-memory error may be raised: the
        driver then requests the remaining sources in smaller batches.
        """

    def usage(self, sources: Sequence[Source]) -> Usage:
        """A rough estimate of what translating these will take: of the source side only, without loading a model."""
        return Usage()

    def facts(self) -> Mapping[str, Any]:
        """What run.json should record about the attempt although no output depends on it, above all the
        device."""
        return {"device": "cpu"}


# Scoring

Aggregation = Literal["bleu", "chrf", "ratio", "mean"]
"""How the statistics of segments give the score of a set: sacrebleu's BLEU or chrF formula, 100 x sum of the
first statistic / sum of the second ("ratio"), or the mean of the segment scores ("mean")."""

Test = Literal["randomisation", "bootstrap"]
"""A paired significance test."""


@dataclass(frozen=True, slots=True)
class Span:
    """An error in a hypothesis, as a scorer marks it."""

    start: int
    """Character offset in the hypothesis."""
    end: int
    """Offset of the first character after the span."""
    severity: Severity
    confidence: float
    """From 0 to 1."""
    category: str = ""
    """The kind of error ("accuracy/omission"), if the scorer says so."""


@dataclass(frozen=True, slots=True)
class Judging:
    """The language model behind a score, and what it was asked."""

    model: str
    """Its name, as its endpoint or checkpoint says it."""
    base_model: str = ""
    """What it was made from, if the name does not say it."""
    requests: int = 0
    """Answers that the score is made from, usable or not."""
    unanswered: int = 0
    """Requests without an answer, after all attempts. The next run asks them again."""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one run."""

    metric: str
    """The column heading: "chrF++"."""
    value: float
    interval: tuple[float, float] | None
    """95 % confidence interval. A scorer gives None: bench.scoring.driver computes it for all metrics alike
    (bench.scoring.intervals). None if the set has a single unit."""
    signature: str
    """The exact settings and versions behind the value, as sacrebleu writes them."""
    segments: tuple[float | None, ...]
    """One value per segment, in the order of the set; None if the segment was not scored (`unscored` says
    why)."""
    higher_is_better: bool = True
    decimals: int = 1
    """Number of decimals to show."""
    statistics: tuple[tuple[int | float, ...], ...] = ()
    """Sufficient statistics of each segment: the score of any resample is a function of their sum. Empty if
    the aggregation is "mean"."""
    remarks: tuple[tuple[int, str], ...] = ()
    """(segment index, remark): "cut" if the scorer could not read the whole text, "empty", "copied", "no
    term"."""
    spans: tuple[tuple[Span, ...], ...] = ()
    """Errors that the scorer marked, one tuple per segment; empty if it marks none."""
    aggregation: Aggregation = "mean"
    unscored: tuple[tuple[int, str], ...] = ()
    """(segment index, reason) of each segment without a value. Such a segment does not count in `value`."""
    cost_usd: float | None = None
    """What scoring cost at a paid service; None if it was free."""
    best: float | None = None
    """The value of a perfect translation, if neither higher nor lower values are better: 1.0 for a ratio of
    lengths. Systems are then compared by their distance from it."""
    judging: Judging | None = None
    """None unless a language model judged."""

    def compared(self, value: float) -> float:
        """What systems are compared by: the value, or minus its distance from `best`."""
        return value if self.best is None else -abs(value - self.best)

    def gain(self, old: float, new: float) -> float:
        """How much better the value `new` is than `old`."""
        difference = self.compared(new) - self.compared(old)
        return difference if self.higher_is_better else -difference

    @property
    def is_share(self) -> bool:
        """Whether it is a share of cases, from 0 to 100: of terms, of facts. TER is a ratio and no share."""
        return self.aggregation == "ratio" and self.higher_is_better

    @property
    def arrow(self) -> str:
        """Which values are better: "↑", "↓" or "→ 1"."""
        return f"→ {self.best:g}" if self.best is not None else "↑" if self.higher_is_better else "↓"


class Scorer(ABC):
    """Computes one metric for all systems of a task at once, so that expensive work is shared. Creating one
    is cheap."""

    required: bool = True
    """False: if the scorer cannot be prepared, the board shows a gap and its reason instead of failing."""
    tolerance: float = 1e-6
    """How much a value may differ when it is computed again on another machine, in the metric's own points."""
    reads_raw: bool = False
    """True: it scores the answers as the model gave them, before cleaning."""
    reproducible: bool = True
    """False if the same inputs may give another score (an LLM judge behind an endpoint). `bench verify` then
    checks only what follows from the stored score."""

    imported: bool = False
    """True: its scores come from outside (people); nothing computes them, and a run may have none."""

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Everything that a score depends on besides the texts: settings, seeds, versions of code and
        libraries."""

    def needs(self) -> Sequence[Weights]:
        """The files that scoring reads. Fetches nothing."""
        return ()

    def prepare(self) -> None:
        """Fetch these files. Called before the first translation if anything is left to score.

        Raises BenchError, with the way to get them, if they are not available.
        """

    @abstractmethod
    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """The score of each system. `systems`: name -> hypotheses, parallel to `task.sources` and
        `task.references`.

        `partial` is a folder for this metric and task. A scorer may keep finished work there (create it if
        needed); a later call after a crash finds it again. It is deleted when all scores are stored.
        """


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value in canonical form (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
