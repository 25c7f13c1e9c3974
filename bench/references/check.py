"""Proof that a reference set holds its source: every character once, in order, in the right script."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.core import LANGUAGE_NAMES, BenchError, Language, Segment
from bench.references import REBUILD, decode, find, load, read_bytes
from bench.references.pieces import HAN


def check(folder: str | Path) -> dict[str, int]:
    """Counts of the set (segments, kinds, alignment types, what was left out); raises BenchError at the first fault."""
    root = find(folder)
    segments = load(root).segments
    left_out = _left_out(root / "left_out.jsonl")
    source = decode(read_bytes(root / "source.txt"), root / "source.txt").split("\n")
    streams: list[list[tuple[int, str]]] = [
        [part for s in segments for part in zip(s.zh_lines, s.zh_raw.split("\n"), strict=True)],
        [part for s in segments for part in zip(s.en_lines, s.en_raw.split("\n"), strict=True)],
    ]
    for side in ("zh", "en"):
        _in_order(
            [s.zh_lines if side == "zh" else s.en_lines for s in segments], side, root / "segments.jsonl"
        )
    streams += [[part for _, parts in left_out for part in parts]]
    _tile(source, streams, root / "source.txt")
    for number, segment in enumerate(segments, 1):
        for language in LANGUAGE_NAMES:
            _same_text(segment, language, f"{root / 'segments.jsonl'}:{number}")
    counts = Counter({"segments": len(segments), "left out": len(left_out)})
    counts.update(f"kind {s.kind}" for s in segments)
    counts.update(f"alignment {s.alignment}" for s in segments)
    counts.update(
        {
            "zh characters": sum(len(s.zh) for s in segments),
            "en words": sum(len(s.en.split()) for s in segments),
        }
    )
    return dict(sorted(counts.items()))


def _in_order(lines: Sequence[tuple[int, ...]], side: str, path: Path) -> None:
    """Segments follow the source; only a note at the foot of a page stands behind the sentence that runs around it."""
    reached = 0
    for number, own in enumerate(lines, 1):
        around = any(before[0] < own[0] and own[-1] < before[-1] for before in lines[: number - 1])
        if own[0] < reached and not around:
            raise BenchError(
                f"{path}:{number}: {side} stands before its predecessor in the source; {REBUILD}."
            )
        reached = max(reached, own[-1])


def _left_out(path: Path) -> list[tuple[str, list[tuple[int, str]]]]:
    """Side and parts (line, text) of each entry."""
    found = []
    for number, line in enumerate(decode(read_bytes(path), path).split("\n")[:-1], 1):
        try:
            row = json.loads(line)
            parts = list(zip(row["lines"], row["text"].split("\n"), strict=True))
            good = (
                set(row) == {"side", "text", "lines", "reason", "sentence"}
                and row["side"] in LANGUAGE_NAMES
                and row["reason"]
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            good = False
        if not good:
            raise BenchError(f"{path}:{number}: not an entry with side, text, lines and reason; {REBUILD}.")
        found.append((row["side"], parts))
    return found


def _tile(source: Sequence[str], streams: Sequence[Sequence[tuple[int, str]]], path: Path) -> None:
    """Each line is its parts, end to end: those of one side in their order, the two sides and the rest interleaved."""
    by_line: dict[int, list[list[str]]] = defaultdict(lambda: [[] for _ in streams])
    for index, stream in enumerate(streams):
        for line, text in stream:
            by_line[line][index].append(_bare(text))
    for number in sorted({*by_line, *range(1, len(source) + 1)}):
        text = _bare(source[number - 1]) if number <= len(source) else ""
        parts = by_line.get(number, [[] for _ in streams])
        if not _fits(text, parts):
            held = "".join(part for side in parts for part in side)
            lost = Counter(text) - Counter(held)
            extra = Counter(held) - Counter(text)
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
    if not any(parts):
        return not text
    for index, side in enumerate(parts):
        if side and text.startswith(side[0]):
            rest = [*parts[:index], side[1:], *parts[index + 1 :]]
            if _fits(text[len(side[0]) :], rest):
                return True
    return False


def _same_text(segment: Segment, language: Language, where: str) -> None:
    """The scored text and its number hold the letters and digits of the raw text, in one script."""
    raw = segment.zh_raw if language == "zh" else segment.en_raw
    number = segment.zh_number if language == "zh" else segment.en_number
    text = segment.text(language)
    if _letters(number + text) != _letters(raw):
        raise BenchError(f"{where}: {language!r} does not hold the words of {language}_raw; {REBUILD}.")
    han, latin = len(re.findall(f"[{HAN}]", text)), len(re.findall("[A-Za-z]", text))
    if (4 * han > latin) != (language == "zh"):
        raise BenchError(
            f"{where}: {language!r} is not {LANGUAGE_NAMES[language]}: {text[:40]!r}; {REBUILD}."
        )


def _bare(text: str) -> str:
    return "".join(text.replace("\ufeff", "").split())


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())
