"""Proof that a reference set holds its source: every character once, in order, in the right script."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references import REBUILD, find, load, terms
from bench.references.segmentation.extract import LeftOut
from bench.references.segmentation.pieces import in_script
from bench.references.set_folder import left_out, place, source_lines, sources

Part = tuple[int, str]
"""A source line, from 1, and what a segment or an entry of left_out.jsonl holds of it."""


def check(folder: str | Path) -> dict[str, int]:
    """Counts of the set (segments, kinds, alignment types, what was left out); raises BenchError at the first fault."""
    root = find(folder)
    segments, left = load(root).segments, left_out(root)
    lines = source_lines(root)
    files = sources(root)
    for language in LANGUAGE_NAMES:
        _in_order(segments, language, root / "segments.jsonl")
    if lines["zh"] is lines["en"]:
        streams = [s for language in LANGUAGE_NAMES for s in _streams(segments, left, language)]
        _tile(lines["zh"], streams, files[0])
    else:
        for language in LANGUAGE_NAMES:
            _tile(lines[language], _streams(segments, left, language), files[-1 if language == "en" else 0])
    for number, segment in enumerate(segments, 1):
        for language in LANGUAGE_NAMES:
            _same_text(segment, language, f"{root / 'segments.jsonl'}:{number}")
    listed = terms.read(root)
    return counts(segments, left) | (terms.check_terms(listed, segments) if listed else {})


def counts(segments: Sequence[Segment], left: Sequence[LeftOut]) -> dict[str, int]:
    kinds = Counter(f"{s.kind}s" for s in segments)
    kinds.update(f"alignment {s.alignment}" for s in segments)
    kinds.update(f"aligned by {s.aligned_by}" for s in segments)
    return {
        "segments": len(segments),
        **dict(sorted(kinds.items())),
        "left out": len(left),
        "Chinese characters": sum(len(s.zh) for s in segments),
        "English words": sum(len(s.en.split()) for s in segments),
    }


def _in_order(segments: Sequence[Segment], language: Language, path: Path) -> None:
    """Segments follow the source; what a reviewer paired may stand elsewhere, and so may a note at the foot of a page,
    behind the sentence that runs around it."""
    reached, before = 0, list[tuple[int, ...]]()
    on_line: Counter[int] = Counter()  # the last sentence that began there
    for number, segment in enumerate(segments, 1):
        own, (line, ordinal) = segment.lines(language), place(segment.sentences(language)[0])
        if segment.aligned_by == "override":
            continue
        behind = own[0] < reached and not any(b[0] < own[0] and own[-1] < b[-1] for b in before)
        if behind or ordinal <= on_line[line]:
            raise BenchError(
                f"{path}:{number}: {language} stands before its predecessor in the source; {REBUILD}."
            )
        reached, on_line[line] = max(reached, own[-1]), ordinal
        before.append(own)


def _streams(segments: Sequence[Segment], left: Sequence[LeftOut], language: Language) -> list[list[Part]]:
    """Parts in the order of the source: the sentences of a language, and what was no sentence."""
    named = [(s.sentences(language)[0], _parts(s.raw(language), s.lines(language))) for s in segments]
    own = [item for item in left if item.side == language]
    named += [(item.sentence, _parts(item.text, item.lines)) for item in own if item.sentence]
    return [
        [part for _, parts in sorted(named, key=lambda entry: place(entry[0])) for part in parts],
        [part for item in own if not item.sentence for part in _parts(item.text, item.lines)],
    ]


def _parts(text: str, lines: Sequence[int]) -> list[Part]:
    return list(zip(lines, text.split("\n"), strict=True))


def _tile(source: Sequence[str], streams: Sequence[Sequence[Part]], path: Path) -> None:
    """Each line is its parts, end to end; those of one stream in their order, the streams interleaved."""
    by_line: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for index, stream in enumerate(streams):
        for line, text in stream:
            by_line[line][index].append(_bare(text))
    for number in sorted({*by_line, *range(1, len(source) + 1)}):
        text = _bare(source[number - 1]) if number <= len(source) else ""
        parts = list(by_line[number].values()) if number in by_line else []
        if not _fits(text, parts):
            held = "".join(part for side in parts for part in side)
            lost, extra = Counter(text) - Counter(held), Counter(held) - Counter(text)
            what = (
                f"lost {''.join(lost)!r}"
                if lost
                else f"added {''.join(extra)!r}"
                if extra
                else "put in another order"
            )
            raise BenchError(
                f"{path}:{number}: the set does not hold this line as it stands ({what[:60]}); {REBUILD}."
            )


def _fits(text: str, parts: Sequence[Sequence[str]]) -> bool:
    """Whether the parts, in some interleaving, are the text."""
    if len(parts) == 1:
        return "".join(parts[0]) == text
    seen: set[tuple[int, tuple[int, ...]]] = set()
    waiting = [(0, (0,) * len(parts))]
    while waiting:
        at, used = waiting.pop()
        if at == len(text) and all(n == len(side) for n, side in zip(used, parts, strict=True)):
            return True
        for index, side in enumerate(parts):
            n = used[index]
            if n < len(side) and text.startswith(side[n], at):
                step = (at + len(side[n]), (*used[:index], n + 1, *used[index + 1 :]))
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)
    return False


def _same_text(segment: Segment, language: Language, where: str) -> None:
    """The scored text and its number hold the letters and digits of the raw text, in one script."""
    raw, number = segment.raw(language), segment.number(language)
    text = segment.text(language)
    if _letters(number + text) != _letters(raw):
        raise BenchError(f"{where}: {language!r} does not hold the words of {language}_raw; {REBUILD}.")
    if not in_script(text, language):
        raise BenchError(
            f"{where}: {language!r} is not {LANGUAGE_NAMES[language]}: {text[:40]!r}; {REBUILD}."
        )


def _bare(text: str) -> str:
    return "".join(text.replace("\ufeff", "").split())


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())
