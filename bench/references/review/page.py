"""The review page: one HTML file that shows the alignment of a set, doubtful pairs first, and takes
corrections.

It needs no network and no server. The reviewer's decisions become the text of overrides.yaml, which the next
build applies. Documents are untrusted: jinja escapes all of their text, and the page's content security
policy allows only its own script and style.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench import limits
from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references import find, load, overrides
from bench.references.alignment.order import sentence_position
from bench.references.segmentation.extract import LeftOut
from bench.references.segmentation.sentences import split_sentences
from bench.references.set_folder import read_document
from bench.references.source_files import read_left_out, source_lines
from bench.references.variety import chinese_tag

_CONTEXT = 160
"""Characters of a source line that are shown before and after the marked text: a line may be a complete
page."""


_NO_SPACE = {0xFEFF: None}


@dataclass(frozen=True, slots=True)
class _Half:
    """One language of a row."""

    language: Language
    number: str
    parts: tuple[tuple[tuple[str, ...], str], ...]
    """Name and text of each sentence, or one part with all names if the text cannot be split again."""
    source: tuple[tuple[int, Markup], ...]
    """Number and text of each source line, with the text of the segment marked."""


@dataclass(frozen=True, slots=True)
class _Row:
    segment: Segment
    doubtful: bool
    sides: tuple[_Half, _Half]


@dataclass(frozen=True, slots=True)
class _Gap:
    """What was left out between two segments."""

    sides: Mapping[Language, Sequence[LeftOut]]


def page(name_or_path: str | Path, threshold: float) -> str:
    """The HTML of the review page. Segments with a confidence below `threshold`, from 0 to 1, are doubtful.

    Raises BenchError if a file of the set is missing or wrong.
    """
    if not 0 <= threshold <= 1:
        raise BenchError(f"The threshold {threshold} is not between 0 and 1; give one such as 0.5.")
    folder = find(name_or_path)
    reference, document = load(folder), read_document(folder / "document.yaml")
    decisions, left_out = overrides.read(folder), read_left_out(folder)
    source = _Source(folder)
    rows = [
        _Row(s, s.confidence < threshold, (_half(s, "zh", source), _half(s, "en", source)))
        for s in reference.segments
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # jinja's default for a file that does not end in .html is off
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["csp_hash"] = _csp_hash
    return environment.get_template("review.html.j2").render(
        id=reference.id,
        title=document.title,
        threshold=threshold,
        rows=rows,
        doubtful=sorted((row for row in rows if row.doubtful), key=lambda row: row.segment.confidence),
        document=_document(rows, left_out),
        alignments=sorted(Counter(s.alignment for s in reference.segments).items()),
        left_out=len(left_out),
        languages=LANGUAGE_NAMES,
        tags={"zh": chinese_tag(reference), "en": "en"},
        overrides=_entries(decisions),
    )


def _half(segment: Segment, language: Language, source: _Source) -> _Half:
    names, text = segment.sentences(language), segment.text(language)
    # The text joins complete sentences. Splitting it again nearly always gives the same ones.
    spans = split_sentences(text, language) if len(names) > 1 else [(0, len(text))]
    parts = (
        tuple(((name,), text[start:end]) for name, (start, end) in zip(names, spans, strict=True))
        if len(spans) == len(names)
        else ((names, text),)
    )
    lines, raw = segment.lines(language), segment.raw(language).split("\n")
    marked = tuple((line, source.marked(language, line, text)) for line, text in zip(lines, raw, strict=True))
    return _Half(language, segment.number(language), parts, marked)


class _Source:
    """The lines of the source. It remembers how much of each line has been shown.

    A line may contain the same words twice, so each search begins where the previous one on that line ended.
    """

    def __init__(self, folder: Path) -> None:
        self._lines = source_lines(folder)
        self._shown: dict[tuple[Language, int], int] = defaultdict(int)

    def marked(self, language: Language, number: int, part: str) -> Markup:
        """Source line `number`, from 1, shortened, with `part` marked. `part` alone if the line does not
        contain it."""
        lines = self._lines[language]
        line = lines[number - 1] if number <= len(lines) else ""
        shown = self._shown[language, number]
        start, end = _find(part, line, shown) or _find(part, line, 0) or (0, 0)
        if start == end:
            return Markup("<mark>{}</mark>").format(part)
        self._shown[language, number] = end
        before, after = line[:start], line[end:]
        if len(before) > _CONTEXT:
            before = "…" + before[-_CONTEXT:]
        if len(after) > _CONTEXT:
            after = after[:_CONTEXT] + "…"
        return escape(before) + Markup("<mark>{}</mark>").format(line[start:end]) + escape(after)


def _find(part: str, line: str, begin: int) -> tuple[int, int] | None:
    """Start and end of `part` in `line`. White space may differ, because joining sentences changes it."""
    start = line.find(part, begin)
    if start >= 0:
        return start, start + len(part)
    wanted = "".join(part.translate(_NO_SPACE).split())
    if not wanted or len(line) > limits.TEXT_CHARACTERS:  # the text is then shown alone
        return None
    # Not a regular expression, which would take hours on a line of one repeated letter.
    places = [n for n in range(begin, len(line)) if not line[n].isspace() and line[n] != "\ufeff"]
    first = "".join(map(line.__getitem__, places)).find(wanted)
    return (places[first], places[first + len(wanted) - 1] + 1) if first >= 0 else None


def _document(rows: Sequence[_Row], left_out: Iterable[LeftOut]) -> list[_Row | _Gap]:
    """All rows in order, with what was left out in its place between them."""
    positions: dict[Language, list[tuple[int, int, str]]] = {
        language: list(
            accumulate((sentence_position(row.segment.sentences(language)[0]) for row in rows), max)
        )
        for language in LANGUAGE_NAMES
    }
    gaps: dict[int, dict[Language, list[LeftOut]]] = defaultdict(lambda: {"zh": [], "en": []})
    for entry in left_out:
        position = sentence_position(entry.sentence) if entry.sentence else (entry.lines[0], 0, "")
        gaps[bisect_right(positions[entry.side], position)][entry.side].append(entry)
    document: list[_Row | _Gap] = []
    for index in range(len(rows) + 1):
        if index in gaps:
            document.append(_Gap(gaps[index]))
        document += rows[index : index + 1]
    return document


def _entries(decisions: overrides.Overrides) -> dict[str, list[dict[str, Any]]]:
    """The entries of overrides.yaml as the page's script keeps them, joined where they share a reason."""
    alone: dict[str, dict[str, Any]] = {}
    for (language, name), reason in decisions.alone.items():
        alone.setdefault(reason, {"zh": [], "en": [], "reason": reason})[language].append(name)
    leave_out: dict[tuple[str, str], dict[str, Any]] = {}
    for (side, line), reason in decisions.leave_out.items():
        entry = leave_out.setdefault((side, reason), {"lines": [], "side": side, "reason": reason})
        entry["lines"].append(line)
    return {
        "pairs": [pair._asdict() for pair in decisions.pairs],
        "alone": list(alone.values()),
        "split": [
            {split.language: split.sentence, "after": split.after, "reason": split.reason}
            for split in decisions.splits
        ],
        "correct": [
            {c.language: c.sentence, "from": c.old, "to": c.new, "reason": c.reason}
            for c in decisions.corrections
        ],
        "leave_out": list(leave_out.values()),
    }


def _csp_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
