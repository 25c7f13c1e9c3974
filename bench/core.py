"""Every record that flows through the bench, and the two protocols. Read this first.

official text -> ReferenceSet -> (Adapter) -> Hypothesis -> (Scorer) -> Score -> leaderboard
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from bench.checkpoints.weights import Weights

Language = Literal["zh", "en"]
Direction = Literal["zh-en", "en-zh"]
DIRECTIONS: tuple[Direction, ...] = ("zh-en", "en-zh")
Side = Literal["both", "zh", "en"]
"""Which text of a source: the one with both languages in it, or that of one."""
LANGUAGE_NAMES: dict[Language, str] = {"zh": "Chinese", "en": "English"}

AlignedBy = Literal["rules", "override", "source"]
"""Who paired the two sides: the aligner, a reviewer (overrides.yaml), or a source that was aligned already."""

Flag = Literal[
    "empty", "copied", "wrong-language", "truncated", "refused", "repeating", "error"
]  # why a hypothesis is not usable as it is; it stays in the run and is scored as what it is


class BenchError(Exception):
    """Something the user can mend. The message is one sentence that says what to do next.

    The command line prints it without a traceback and exits with code 2.
    """


@dataclass(frozen=True, slots=True)
class Segment:
    """One aligned unit of a document: what is translated, scored and shown."""

    id: str
    kind: Literal["heading", "sentence"]
    section: str
    """Where it stands: "front", "preamble", "1", "1.2" …"""
    paragraph: int
    """Counted from 1 within its section; 0 for the section's own heading."""
    zh: str
    en: str
    alignment: str
    """How many Chinese and how many English sentences it joins, Chinese first: "1-2"."""
    zh_number: str
    """Numbering that is kept apart from the scored text: "（一）", "" where there is none."""
    en_number: str
    zh_raw: str
    """The characters as they stand in the source; parts from different lines are joined by a line break."""
    en_raw: str
    zh_lines: tuple[int, ...]
    """Source line numbers, from 1."""
    en_lines: tuple[int, ...]
    zh_sentences: tuple[str, ...]
    """The sentences it joins, as reviewers name them: "L37s2" is the second that begins on source line 37."""
    en_sentences: tuple[str, ...]
    confidence: float
    """0 to 1: how sure the aligner is that the two sides translate each other."""
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
    """The segments of one document, versioned and hashed, and what a reader should know about it."""

    id: str
    title: str
    original_language: Language | Literal["mixed", "unknown"]
    """Of both sides the one that was written first; "mixed" where some segments were written in either."""
    published: str
    """ISO date of publication, as exact as it is known: "2021-12"; empty where it is not."""
    licence: str
    segments: tuple[Segment, ...]
    outside: bool = False
    """A test set that came aligned (bench.references.outside): its sections are documents of their own, where their
    paragraphs begin is not known, and neither side is an official translation."""
    sha256: str = field(init=False)
    """Of what a run depends on: one line `id TAB zh TAB en LF` a segment, in UTF-8, where a tab or a line break inside a
    text is written as a space. `segments.jsonl` holds more, and has a pin of its own."""

    def __post_init__(self) -> None:
        rows = ((re.sub(r"[\t\r\n]", " ", cell) for cell in (s.id, s.zh, s.en)) for s in self.segments)
        lines = "".join("\t".join(row) + "\n" for row in rows)
        object.__setattr__(self, "sha256", hashlib.sha256(lines.encode()).hexdigest())


Together = Literal["segment", "paragraph", "document"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a system sees around a segment while it translates it. Always source text: no output depends on another's."""

    previous: int = 0
    """So many segments before it are shown with it."""
    together: Together = "segment"
    """What is translated in one go."""


@dataclass(frozen=True, slots=True)
class Source:
    """What an adapter gets to see of a segment: never the reference."""

    id: str
    text: str
    before: tuple[str, ...] = ()
    """The segments before it in its document, as many as the adapter's context asks for; the nearest comes last."""
    block: str = ""
    """Segments of one block are translated in one go: they come in one call, in the order of the document. "": alone."""


@dataclass(frozen=True, slots=True)
class Output:
    """What an adapter gives back for one source."""

    text: str
    """Ready to be scored."""
    raw: str = ""
    """What the model said before cleaning, where that differs from `text`; else empty."""
    tokens_in: int = 0
    tokens_out: int = 0
    truncated: bool = False
    """The model was cut off at its length limit, or the source did not fit into its context at all."""
    refused: bool = False
    """The provider withheld a translation (a content filter), whatever the text says."""
    unsplit: bool = False
    """The answer to its block could not be split by segment: nothing is here but the tokens that it cost, and the driver
    asks for the segment alone."""
    error: str = ""
    """Why there is no translation; empty where there is one. The next run tries again."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a system gave for one segment, as it is stored."""

    id: str
    key: str
    """Hash of all that changed this output: the system's identity, the direction, the segment's id and source text."""
    text: str
    raw: str
    flags: tuple[Flag, ...]
    error: str
    tokens_in: int = 0
    tokens_out: int = 0
    fell_back: bool = False
    """Translated by itself, because the answer to its block could not be split by segment."""


@dataclass(frozen=True, slots=True)
class Span:
    """An error in a hypothesis, as a scorer sees it."""

    start: int
    """In characters of the hypothesis; `end` is the first one after it."""
    end: int
    severity: str
    """"minor", "major" or "critical"."""
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one run."""

    metric: str
    """As it is shown in the column's head: "chrF++"."""
    value: float
    interval: tuple[float, float] | None
    """95 %, by bootstrap over segments; none where the set is a single segment."""
    signature: str
    segments: tuple[float, ...]
    """One value a segment, in the order of the reference set."""
    higher_is_better: bool = True
    decimals: int = 1
    """How many of them are shown."""
    statistics: tuple[tuple[float, ...], ...] = ()
    """Sufficient statistics of each segment: the score of any resample is a function of their sum. Empty where it is the
    mean of `segments`."""
    remarks: tuple[tuple[int, str], ...] = ()
    """What a reader should know of single segments' scores (index, remark): "cut" where a text is longer than the scorer
    can read and its end was not judged, "empty", "copied"."""
    spans: tuple[tuple[Span, ...], ...] = ()
    """Errors that the scorer found, one tuple a segment; empty where it looks for none."""


class Adapter(Protocol):
    """Drives one family of systems. Building one is cheap and imports no model library.

    What stands here is right for an adapter without a model; the others say more.
    """

    @property
    def context(self) -> Context:
        """What `translate` is to see around each segment."""
        return Context()

    def identity(self) -> Mapping[str, Any]:
        """All that changes the outputs (checkpoint digest, prompt, decoding settings, code version), and nothing else."""
        ...

    def needs(self) -> Sequence[Weights]:
        """What translating reads that lies elsewhere; saying so fetches nothing."""
        return ()

    def prepare(self) -> None:
        """Fetch all that, and convert it where the engine wants another form, so that `load` needs no network."""

    def load(self) -> None:
        """Fetch and load what translating needs; the clock of the run starts after it."""

    def length(self, unit: Sequence[Source], direction: Direction) -> int:
        """Tokens that what is translated in one go (one segment, or a block) takes of a batch: what is read and the longest
        answer. 0 where batches mean nothing to the engine: it then gets everything in one call. Called after `load`."""
        return 0

    def translate(self, sources: Sequence[Source], direction: Direction) -> Iterator[tuple[str, Output]]:
        """Called after `load`. The id and output of each source, once, in any order, as soon as it is finished.

        What goes wrong with one source goes into its `Output.error`. Running out of memory may be raised: what is left is
        then asked for again in smaller batches.
        """
        ...

    def facts(self) -> Mapping[str, Any]:
        """What run.json should say of the attempt, though no output depends on it: the device, above all."""
        return {"device": "cpu"}


class Scorer(Protocol):
    """Judges all systems of one direction at once, so that costly work is shared between them. Building one is cheap."""

    required: bool = True
    """False: where it cannot be made ready, the board has a gap and says why, instead of there being no board."""

    def needs(self) -> Sequence[Weights]:
        """What scoring reads that lies elsewhere; saying so fetches nothing."""
        return ()

    def prepare(self) -> None:
        """Fetch what scoring needs. Called before the first translation starts, where anything is left to score: raises
        BenchError where it cannot be had, and says how to get it."""

    def identity(self) -> Mapping[str, Any]:
        """All that a score depends on besides the texts: settings, seeds, versions of code and libraries."""
        ...

    def score(
        self,
        direction: Direction,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Score]:
        """`systems` maps a name to its hypotheses, parallel to `sources` and `references`."""
        ...


def sides(direction: str) -> tuple[Language, Language]:
    """("zh", "en") for "zh-en": the source's and the reference's language."""
    if direction == "zh-en":
        return "zh", "en"
    if direction == "en-zh":
        return "en", "zh"
    raise BenchError(f"Unknown direction {direction!r}: use direction=zh-en or direction=en-zh.")


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value in its canonical form (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
