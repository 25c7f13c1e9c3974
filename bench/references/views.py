"""One reference set in three granularities: sentences as they are built, whole paragraphs, whole documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, get_args

from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.languages import Language

Granularity = Literal["sentence", "paragraph", "document"]


def view(reference: ReferenceSet, granularity: str) -> ReferenceSet:
    """The same texts, joined: what a system gets at once, and what is scored as one segment.

    "paragraph" joins the sentences of a paragraph; headings stay segments of their own. "document" joins everything,
    of a test set of many documents what belongs to each. A view is a set with an id and a hash of its own:
    "<id>.paragraph". Raises BenchError for another granularity, and where a set does not know its paragraphs.
    """
    if granularity not in get_args(Granularity):
        raise BenchError(
            f"Unknown granularity {granularity!r}: use granularity=sentence, granularity=paragraph or granularity=document."
        )
    if granularity == "sentence":
        return reference
    return replace(
        reference,
        id=f"{reference.id}.{granularity}",
        title=f"{reference.title}, {granularity} view",
        segments=tuple(_joined(name, parts) for name, parts in groups(reference, granularity).items()),
    )


def groups(reference: ReferenceSet, by: str) -> dict[str, list[Segment]]:
    """The segments of each "paragraph" (headings stand for themselves) or "document", in the order of the set.

    Raises BenchError where a set does not know its paragraphs.
    """
    if by == "paragraph" and reference.outside:
        raise BenchError(
            f"{reference.id} does not say where its paragraphs begin: use it by sentence or by document."
        )
    found: dict[str, list[Segment]] = {}
    for segment in reference.segments:
        if by == "document":
            name = segment.section if reference.outside else "document"
        else:
            heading = segment.kind == "heading"
            name = segment.id if heading else f"{segment.section}-p{segment.paragraph}"
        found.setdefault(name, []).append(segment)
    return found


def _joined(name: str, parts: Sequence[Segment]) -> Segment:
    zh_raw, zh_lines = _source((zip(p.zh_lines, p.zh_raw.split("\n"), strict=True) for p in parts), "")
    en_raw, en_lines = _source((zip(p.en_lines, p.en_raw.split("\n"), strict=True) for p in parts), " ")
    counts = [tuple(map(int, part.alignment.split("-"))) for part in parts]
    return replace(
        parts[0],
        id=name,
        kind=parts[0].kind if len(parts) == 1 else "sentence",
        zh=_text(parts, "zh"),
        en=_text(parts, "en"),
        alignment=f"{sum(zh for zh, _ in counts)}-{sum(en for _, en in counts)}",
        zh_raw=zh_raw,
        en_raw=en_raw,
        zh_lines=zh_lines,
        en_lines=en_lines,
        zh_sentences=tuple(sentence for part in parts for sentence in part.zh_sentences),
        en_sentences=tuple(sentence for part in parts for sentence in part.en_sentences),
        confidence=min(part.confidence for part in parts),
        aligned_by="override" if any(p.aligned_by == "override" for p in parts) else parts[0].aligned_by,
    )


def _text(parts: Sequence[Segment], language: Language) -> str:
    """Chinese sentences follow each other without a space; a heading and a paragraph begin on a new line.

    A number that was kept apart stands before its sentence again, as a reader of the whole needs it; only the one that
    the joined text begins with stays apart.
    """
    space = "" if language == "zh" else " "
    text = parts[0].text(language)
    for before, part in pairwise(parts):
        number = part.number(language)
        together = _paragraph(before) == _paragraph(part)
        text += (space if together else "\n") + (number + space if number else "") + part.text(language)
    return text


def _paragraph(segment: Segment) -> tuple[str, int, str]:
    return segment.section, segment.paragraph, segment.id if segment.kind == "heading" else ""


def _source(parts: Iterable[Iterable[tuple[int, str]]], space: str) -> tuple[str, tuple[int, ...]]:
    """The raw characters line by line, and the numbers of these lines, in the order of the source."""
    lines: dict[int, str] = {}
    for part in parts:
        for line, text in part:
            lines[line] = lines[line] + space + text if line in lines else text
    return "\n".join(lines[line] for line in sorted(lines)), tuple(sorted(lines))
