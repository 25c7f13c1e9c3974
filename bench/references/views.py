"""One reference set at three granularities: sentences as built, complete paragraphs, complete documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import get_args

from bench.core import Granularity, ReferenceSet, Segment
from bench.errors import BenchError
from bench.languages import Language

_GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)


def view(reference: ReferenceSet, granularity: str) -> ReferenceSet:
    """The same texts in segments of another size. A view is a set with its own id ("<id>.paragraph") and
    hash.

    "paragraph" joins the sentences of each paragraph; headings stay separate segments. "document" joins each
    complete document: a set that was built here is one, a test set from outside usually has many.

    Raises BenchError if the granularity is unknown, or is "paragraph" and the set does not mark its
    paragraphs.
    """
    known = next((known for known in _GRANULARITIES if known == granularity), None)
    if known is None:
        options = [f"granularity={option}" for option in _GRANULARITIES]
        raise BenchError(
            f"Unknown granularity {granularity!r}: use {', '.join(options[:-1])} or {options[-1]}."
        )
    if known == "sentence":
        return reference
    grouped = groups(reference, known)
    return replace(
        reference,
        id=f"{reference.id}.{known}",
        title=f"{reference.title}, {known} view",
        segments=tuple(_joined(id, segments) for id, segments in grouped.items()),
        further=tuple(
            (language, _joined_further(reference, texts, language, grouped.values()))
            for language, texts in reference.further
        ),
        granularity=known,
    )


def groups(reference: ReferenceSet, granularity: Granularity) -> dict[str, list[Segment]]:
    """The segments of each paragraph or document, in the order of the set, by the id of the paragraph or
    document.

    A heading is a group of its own in "paragraph". Raises BenchError if the set does not mark its paragraphs.
    """
    if granularity == "paragraph" and reference.outside:
        raise BenchError(
            f"{reference.id} does not mark its paragraphs: use granularity=sentence or granularity=document."
        )
    grouped: dict[str, list[Segment]] = {}
    for segment in reference.segments:
        if granularity == "document":
            id = segment.section if reference.outside else "document"
        elif granularity == "paragraph" and segment.kind != "heading":
            id = f"{segment.section}-p{segment.paragraph}"
        else:
            id = segment.id
        grouped.setdefault(id, []).append(segment)
    return grouped


def _joined(id: str, segments: Sequence[Segment]) -> Segment:
    first = segments[0]
    zh_raw, zh_lines = _raw((zip(s.zh_lines, s.zh_raw.split("\n"), strict=True) for s in segments), "")
    en_raw, en_lines = _raw((zip(s.en_lines, s.en_raw.split("\n"), strict=True) for s in segments), " ")
    zh_sentences = tuple(sentence for segment in segments for sentence in segment.zh_sentences)
    en_sentences = tuple(sentence for segment in segments for sentence in segment.en_sentences)
    return replace(
        first,
        id=id,
        kind=first.kind if len(segments) == 1 else "sentence",
        zh=_text(segments, "zh"),
        en=_text(segments, "en"),
        alignment=f"{len(zh_sentences)}-{len(en_sentences)}",
        zh_raw=zh_raw,
        en_raw=en_raw,
        zh_lines=zh_lines,
        en_lines=en_lines,
        zh_sentences=zh_sentences,
        en_sentences=en_sentences,
        confidence=min(segment.confidence for segment in segments),
        aligned_by="override" if any(s.aligned_by == "override" for s in segments) else first.aligned_by,
    )


def _joined_further(
    reference: ReferenceSet, texts: Sequence[str], language: Language, grouped: Iterable[Sequence[Segment]]
) -> tuple[str, ...]:
    """A further reference in the segments of the view. Only sets from outside have some, and these mark no
    paragraphs."""
    text_of = {segment.id: text for segment, text in zip(reference.segments, texts, strict=True)}
    space = "" if language == "zh" else " "
    return tuple(space.join(text_of[segment.id] for segment in segments) for segments in grouped)


def _text(segments: Sequence[Segment], language: Language) -> str:
    """The scored texts as one. Chinese sentences are joined without a space; a heading or paragraph starts a
    new line.

    Numbers that are kept apart from the scored text go back in front of their sentence, except the first: it
    is the number of the joined segment.
    """
    space = "" if language == "zh" else " "
    text = segments[0].text(language)
    for previous, segment in pairwise(segments):
        number = segment.number(language)
        separator = space if _paragraph(previous) == _paragraph(segment) else "\n"
        text += separator + (number + space if number else "") + segment.text(language)
    return text


def _paragraph(segment: Segment) -> tuple[str, int, str]:
    return segment.section, segment.paragraph, segment.id if segment.kind == "heading" else ""


def _raw(segments: Iterable[Iterable[tuple[int, str]]], space: str) -> tuple[str, tuple[int, ...]]:
    """The raw characters, one line per source line, and the numbers of these lines in ascending order."""
    lines: dict[int, str] = {}
    for segment in segments:
        for line, text in segment:
            lines[line] = lines[line] + space + text if line in lines else text
    return "\n".join(lines[line] for line in sorted(lines)), tuple(sorted(lines))
