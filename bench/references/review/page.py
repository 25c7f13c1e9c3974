"""The review page: one HTML file that shows what was paired with what, doubtful pairs first, and takes corrections.

It needs no network and no server. What the reviewer decides on it becomes the text of overrides.yaml, which the next
build applies. Documents are untrusted: jinja escapes all of their text, and the page's content security policy lets
nothing run or load but its own script and style.
"""

from __future__ import annotations

import base64
import hashlib
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references import REBUILD, find, load, read_document
from bench.references.review import overrides
from bench.references.segmentation.extract import LeftOut
from bench.references.segmentation.split import sentences
from bench.references.set_folder import left_out, place, source_lines

_AROUND = 160
"""Characters of a source line that are shown before and after the part in question: a line may be a whole page."""


@dataclass(frozen=True, slots=True)
class _Half:
    """One language of a row."""

    language: Language
    number: str
    parts: tuple[tuple[tuple[str, ...], str], ...]
    """Names and text of each sentence; one part with all names where the text cannot be cut again."""
    source: tuple[tuple[int, Markup], ...]
    """Line number and line, the part in question marked."""


@dataclass(frozen=True, slots=True)
class _Row:
    segment: Segment
    doubtful: bool
    sides: tuple[_Half, _Half]


@dataclass(frozen=True, slots=True)
class _Gap:
    """What was left out between two segments."""

    sides: Mapping[Language, Sequence[LeftOut]]


def page(folder: str | Path, threshold: float) -> str:
    """The page of the set in `folder` (or of that id); segments whose confidence is below `threshold` are doubtful.

    `threshold` lies between 0 and 1. Raises BenchError where a file of the set is missing or wrong.
    """
    if not 0 <= threshold <= 1:
        raise BenchError(f"The threshold {threshold} is not between 0 and 1; give one such as 0.5.")
    root = find(folder)
    reference, about, decided = load(root), read_document(root / "document.yaml"), overrides.read(root)
    left = left_out(root)
    source = _Source(root)
    rows = [
        _Row(s, s.confidence < threshold, (_side(s, "zh", source), _side(s, "en", source)))
        for s in reference.segments
    ]
    for number, row in enumerate(rows, 1):
        for name in (*row.segment.zh_sentences, *row.segment.en_sentences):
            if not overrides.NAME.fullmatch(name):
                raise BenchError(
                    f"{root / 'segments.jsonl'}:{number}: {name!r} is no sentence's name; {REBUILD}."
                )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # by name it would be off: the file does not end in .html
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["csp_hash"] = _csp_hash
    return environment.get_template("review.html.j2").render(
        id=reference.id,
        title=about["title"],
        threshold=threshold,
        rows=rows,
        doubtful=sorted((row for row in rows if row.doubtful), key=lambda row: row.segment.confidence),
        document=_document(rows, left),
        alignments=sorted(Counter(s.alignment for s in reference.segments).items()),
        left_out=len(left),
        languages=LANGUAGE_NAMES,
        tags={"zh": "zh-Hans", "en": "en"},
        overrides=_entries(decided),
    )


def _side(segment: Segment, language: Language, source: _Source) -> _Half:
    names, text = segment.sentences(language), segment.text(language)
    # The text is that of whole sentences, joined; cut again it nearly always gives the same ones.
    spans = sentences(text, language) if len(names) > 1 else [(0, len(text))]
    parts = (
        tuple(((name,), text[a:b]) for name, (a, b) in zip(names, spans, strict=True))
        if len(spans) == len(names)
        else ((names, text),)
    )
    lines, raw = segment.lines(language), segment.raw(language)
    shown = tuple(
        (line, source.show(language, line, part)) for line, part in zip(lines, raw.split("\n"), strict=True)
    )
    return _Half(language, segment.number(language), parts, shown)


class _Source:
    """The lines of the source; a class, because it keeps how far each line has been shown.

    A line may hold the same words twice, so each search begins where the last one on that line ended.
    """

    def __init__(self, root: Path):
        self._lines = source_lines(root)
        self._reached: dict[tuple[Language, int], int] = defaultdict(int)

    def show(self, language: Language, line: int, part: str) -> Markup:
        """Source line `line`, from 1, shortened, with `part` marked; the part alone where the line does not hold it."""
        lines = self._lines[language]
        text = lines[line - 1] if line <= len(lines) else ""
        begin = self._reached[language, line]
        start, end = _find(part, text, begin) or _find(part, text, 0) or (0, 0)
        if start == end:
            return Markup("<mark>{}</mark>").format(part)
        self._reached[language, line] = end
        before, after = text[:start], text[end:]
        if len(before) > _AROUND:
            before = "…" + before[-_AROUND:]
        if len(after) > _AROUND:
            after = after[:_AROUND] + "…"
        return escape(before) + Markup("<mark>{}</mark>").format(text[start:end]) + escape(after)


def _find(part: str, text: str, begin: int) -> tuple[int, int] | None:
    """Start and end of `part` in `text`; white space may differ, as the raw text of joined sentences has it its own way."""
    at = text.find(part, begin)
    if at >= 0:
        return at, at + len(part)
    loose = re.compile(r"[\s\ufeff]*".join(map(re.escape, "".join(part.split()))))
    found = loose.search(text, begin)
    return found.span() if found else None


def _document(rows: Sequence[_Row], left_out: Iterable[LeftOut]) -> list[_Row | _Gap]:
    """All rows in order, and between them what was left out there."""
    reached: dict[Language, list[tuple[int, int]]] = {
        "zh": list(accumulate((place(r.segment.zh_sentences[0]) for r in rows), max)),
        "en": list(accumulate((place(r.segment.en_sentences[0]) for r in rows), max)),
    }
    gaps: dict[int, dict[Language, list[LeftOut]]] = defaultdict(lambda: {"zh": [], "en": []})
    for item in left_out:
        key = place(item.sentence) if item.sentence else (item.lines[0], 0)
        gaps[bisect_right(reached[item.side], key)][item.side].append(item)
    found: list[_Row | _Gap] = []
    for index in range(len(rows) + 1):
        if index in gaps:
            found.append(_Gap(gaps[index]))
        found += rows[index : index + 1]
    return found


def _entries(decided: overrides.Overrides) -> dict[str, list[dict[str, Any]]]:
    """The entries of overrides.yaml, in the form that the page's script keeps them; what shares a reason is joined."""
    alone: dict[str, dict[str, Any]] = {}
    for (side, name), reason in decided.alone.items():
        alone.setdefault(reason, {"zh": [], "en": [], "reason": reason})[side].append(name)
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for (where, line), reason in decided.leave_out.items():
        entry = lines.setdefault((where, reason), {"lines": [], "side": where, "reason": reason})
        entry["lines"].append(line)
    return {
        "pairs": [pair._asdict() for pair in decided.pairs],
        "alone": list(alone.values()),
        "leave_out": list(lines.values()),
    }


def _csp_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
