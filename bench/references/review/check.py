"""Proves that a reference set contains its source: every character once, in order, in the right script."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, fits_script
from bench.references import find, load, terms
from bench.references.alignment.order import out_of_order, sentence_position
from bench.references.alignment.pair_numbers import is_uneven
from bench.references.segmentation.extract import LeftOut
from bench.references.set_folder import REBUILD
from bench.references.source_files import read_left_out, source_lines, source_paths

_Part = tuple[int, str]
"""A source line, from 1, and the text on it that a segment or an entry of left_out.jsonl contains."""


def check(name_or_path: str | Path) -> dict[str, int]:
    """The counts of a set (segments, kinds, alignment types, entries left out). Raises BenchError at the
    first fault."""
    folder = find(name_or_path)
    segments, left_out = load(folder).segments, read_left_out(folder)
    lines, paths = source_lines(folder), source_paths(folder)
    for language in LANGUAGE_NAMES:
        _check_order(segments, language, folder / "segments.jsonl")
    if lines["zh"] is lines["en"]:
        streams = [stream for language in LANGUAGE_NAMES for stream in _streams(segments, left_out, language)]
        _check_lines(lines["zh"], streams, paths[0])
    else:
        for language in LANGUAGE_NAMES:
            path = paths[-1 if language == "en" else 0]
            _check_lines(lines[language], _streams(segments, left_out, language), path)
    for number, segment in enumerate(segments, 1):
        for language in LANGUAGE_NAMES:
            _check_text(segment, language, f"{folder / 'segments.jsonl'}:{number}")
    listed_terms = terms.read(folder)
    return counts(segments, left_out) | (terms.check_terms(listed_terms, segments) if listed_terms else {})


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


def _check_order(segments: Sequence[Segment], language: Language, path: Path) -> None:
    """Check that the segments follow the source."""
    for index in out_of_order(segments, language):
        raise BenchError(
            f"{path}:{index + 1}: {language} comes before its predecessor in the source; {REBUILD}."
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


def _check_lines(source: Sequence[str], streams: Sequence[Sequence[_Part]], path: Path) -> None:
    """Check that each source line is the concatenation of its parts, with the streams interleaved in some
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
            raise BenchError(
                f"{path}:{number}: the set does not contain exactly this line ({difference[:60]}); {REBUILD}."
            )


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


def _check_text(segment: Segment, language: Language, location: str) -> None:
    """Check that the scored text and its number have the letters and digits of the raw text, in one
    script."""
    text = segment.text(language)
    if _letters(segment.number(language) + text) != _letters(segment.raw(language)):
        raise BenchError(
            f"{location}: {language!r} does not have the letters and digits of {language}_raw; {REBUILD}."
        )
    if not fits_script(text, language):
        raise BenchError(
            f"{location}: {language!r} is not {LANGUAGE_NAMES[language]}: {text[:40]!r}; {REBUILD}."
        )


def _without_space(text: str) -> str:
    return "".join(text.replace("\ufeff", "").split())


def _letters(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())
