"""Proves that a reference set contains its source: every character once, in order, in the right script."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, Side, fits_script
from bench.references import find, load, overrides, terms
from bench.references.alignment.edits import corrected_letters, letters
from bench.references.alignment.order import out_of_order, sentence_position
from bench.references.alignment.pair_numbers import is_uneven
from bench.references.overrides import Correction
from bench.references.segmentation.extract import LeftOut
from bench.references.set_folder import REBUILD, read_document, segment_fault
from bench.references.source_files import read_left_out, source_lines, source_paths
from bench.references.variety import script_tag

_Part = tuple[int, str]
"""A source line, from 1, and the text on it that a segment or an entry of left_out.jsonl contains."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a set differs from its source."""

    location: str
    """Name of a file of the set, and the number of a line in it."""
    problem: str
    lines: tuple[int, ...]
    """Source lines, from 1."""
    side: Side
    """The source file that they are in."""


def check(name_or_path: str | Path) -> dict[str, int]:
    """The counts of a set (segments, kinds, alignment types, entries left out). Raises BenchError at the
    first fault."""
    folder = prove(name_or_path)
    segments, left_out = load(folder).segments, read_left_out(folder)
    document = folder / "document.yaml"
    declared, found = read_document(document).variety or "", script_tag(segment.zh for segment in segments)
    if declared and not declared.startswith(found):
        raise BenchError(f"{document}: variety is {declared}, but the text is {found}; correct it.")
    listed_terms = terms.read(folder)
    return counts(segments, left_out) | (terms.check_terms(listed_terms, segments) if listed_terms else {})


def prove(name_or_path: str | Path) -> Path:
    """The folder of a set that contains every character of its source once. Raises BenchError at the first fault."""
    folder = find(name_or_path)
    lines, paths = source_lines(folder), source_paths(folder)
    names: dict[Language, str] = {"zh": paths[0].name, "en": paths[-1].name}
    corrections = overrides.read(folder).corrections
    for fault in faults(load(folder).segments, read_left_out(folder), lines, names, corrections):
        raise BenchError(f"{folder}/{fault.location}: {fault.problem}; {REBUILD}.")
    return folder


def faults(
    segments: Sequence[Segment],
    left_out: Sequence[LeftOut],
    lines: Mapping[Language, Sequence[str]],
    names: Mapping[Language, str],
    corrections: Sequence[Correction] = (),
) -> Iterator[Fault]:
    """Every difference between a set and the lines of its source. `names`: of the source files.
    `corrections`: of the scored text, by a reviewer.

    `lines` has one list for both languages if they are in one file.
    """
    is_bilingual = lines["zh"] is lines["en"]
    for language in LANGUAGE_NAMES:
        yield from _order_faults(segments, language, "both" if is_bilingual else language)
    if is_bilingual:
        streams = [stream for language in LANGUAGE_NAMES for stream in _streams(segments, left_out, language)]
        yield from _line_faults(lines["zh"], streams, names["zh"], "both")
    else:
        for language in LANGUAGE_NAMES:
            streams = _streams(segments, left_out, language)
            yield from _line_faults(lines[language], streams, names[language], language)
    for number, segment in enumerate(segments, 1):
        for language in LANGUAGE_NAMES:
            if problem := _text_problem(segment, language, corrections):
                side: Side = "both" if is_bilingual else language
                yield Fault(f"segments.jsonl:{number}", problem, segment.lines(language), side)


def segment_faults(segments: Sequence[Segment]) -> Iterator[Fault]:
    """What the loader would refuse."""
    ids = Counter(segment.id for segment in segments)
    for number, segment in enumerate(segments, 1):
        problem = segment_fault(segment) or (
            f"the id {segment.id!r} is used twice" if ids[segment.id] > 1 else ""
        )
        if problem:
            yield Fault(f"segments.jsonl:{number}", problem, (*segment.zh_lines, *segment.en_lines), "both")


def counts(segments: Sequence[Segment], left_out: Sequence[LeftOut]) -> dict[str, int]:
    """Label -> count, in the order in which they are shown."""
    labels = Counter(f"{segment.kind}s" for segment in segments)
    labels.update(f"alignment {segment.alignment}" for segment in segments)
    labels.update(f"aligned by {segment.aligned_by}" for segment in segments)
    if uneven := sum(map(is_uneven, segments)):
        labels["number on one side only"] = uneven
    return {
        "segments": len(segments),
        **dict(sorted(labels.items())),
        "left out": len(left_out),
        "Chinese characters": sum(len(segment.zh) for segment in segments),
        "English words": sum(len(segment.en.split()) for segment in segments),
    }


def _order_faults(segments: Sequence[Segment], language: Language, side: Side) -> Iterator[Fault]:
    for index in out_of_order(segments, language):
        lines = segments[index].lines(language)
        yield Fault(
            f"segments.jsonl:{index + 1}",
            f"{language} comes before its predecessor in the source",
            lines,
            side,
        )


def _streams(
    segments: Sequence[Segment], left_out: Sequence[LeftOut], language: Language
) -> list[list[_Part]]:
    """Two lists of parts, each in the order of the source: the sentences of a language, and everything
    else."""
    named = [(s.sentences(language)[0], _parts(s.raw(language), s.lines(language))) for s in segments]
    entries = [entry for entry in left_out if entry.side == language]
    named += [(entry.sentence, _parts(entry.text, entry.lines)) for entry in entries if entry.sentence]
    return [
        [part for _, parts in sorted(named, key=lambda item: sentence_position(item[0])) for part in parts],
        [part for entry in entries if not entry.sentence for part in _parts(entry.text, entry.lines)],
    ]


def _parts(text: str, lines: Sequence[int]) -> list[_Part]:
    return list(zip(lines, text.split("\n"), strict=True))


def _line_faults(
    source: Sequence[str], streams: Sequence[Sequence[_Part]], name: str, side: Side
) -> Iterator[Fault]:
    """The source lines that are not the concatenation of their parts, with the streams interleaved in some
    way."""
    by_line: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for index, stream in enumerate(streams):
        for line, text in stream:
            by_line[line][index].append(_without_space(text))
    for number in sorted({*by_line, *range(1, len(source) + 1)}):
        text = _without_space(source[number - 1]) if number <= len(source) else ""
        parts = list(by_line[number].values()) if number in by_line else []
        if not _is_interleaving(text, parts):
            kept = "".join(part for stream_parts in parts for part in stream_parts)
            lost, added = Counter(text) - Counter(kept), Counter(kept) - Counter(text)
            difference = (
                f"lost {''.join(lost)!r}"
                if lost
                else f"added {''.join(added)!r}"
                if added
                else "in another order"
            )
            problem = f"the set does not contain exactly this line ({difference[:60]})"
            yield Fault(f"{name}:{number}", problem, (number,), side)


def _is_interleaving(text: str, streams: Sequence[Sequence[str]]) -> bool:
    """Whether some interleaving of the streams, each in its order, gives the text."""
    if len(streams) == 1:
        return "".join(streams[0]) == text
    seen: set[tuple[int, tuple[int, ...]]] = set()
    states = [(0, (0,) * len(streams))]  # characters of the text, and parts of each stream, that are matched
    while states:
        matched, used = states.pop()
        if matched == len(text) and all(n == len(parts) for n, parts in zip(used, streams, strict=True)):
            return True
        for index, parts in enumerate(streams):
            n = used[index]
            if n < len(parts) and text.startswith(parts[n], matched):
                state = (matched + len(parts[n]), (*used[:index], n + 1, *used[index + 1 :]))
                if state not in seen:
                    seen.add(state)
                    states.append(state)
    return False


def _text_problem(segment: Segment, language: Language, corrections: Sequence[Correction]) -> str:
    """What differs between the scored text with its number and the raw text; "" if they have the same letters and
    digits, in the right script."""
    text = segment.text(language)
    own = [c for c in corrections if c.language == language and c.sentence in segment.sentences(language)]
    if letters(segment.number(language) + text) not in corrected_letters(segment.raw(language), own):
        return f"{language!r} does not have the letters and digits of {language}_raw"
    if not fits_script(text, language):
        return f"{language!r} is not {LANGUAGE_NAMES[language]}: {text[:40]!r}"
    return ""


def _without_space(text: str) -> str:
    return "".join(text.replace("\ufeff", "").split())
