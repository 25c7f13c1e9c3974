"""What a build did, for people to read: report.md of a set's folder. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import __version__
from bench.core import Segment
from bench.references.alignment.pipeline import Built
from bench.references.reading.read import SourceText
from bench.references.review.check import counts
from bench.references.review.overrides import FILE, Overrides

_LONGEST = 500  # rows of a table; all of them are in left_out.jsonl and segments.jsonl
DOUBTFUL = 0.5
"""Pairs below this confidence are listed for review."""


def report(
    name: str,
    source: SourceText,
    built: Built,
    decisions: Overrides,
    lexicon: Path | None,
    embeddings: str | None,
) -> str:
    parts = [
        f"# {name}: how it was built",
        "Written by `bench references build`; each build writes it again.",
        _table(
            ("file", "format", "encoding", "sha256"),
            [(file.name, file.format, file.encoding or "–", f"`{file.sha256}`") for file in source.origin],
        ),
        _list(
            (f"bitext-bench {__version__}",),
            (f"lexicon {lexicon.name}, sha256 `{_sha256(lexicon)}`" for lexicon in [lexicon] if lexicon),
            (f"embeddings {embeddings}" for _ in [embeddings] if embeddings),
        ),
        "## Counts",
        _table(
            ("what", "how many"),
            [(what, str(n)) for what, n in counts(built.segments, built.left_out).items()],
        ),
        "## Left out",
        _table(
            ("lines", "text", "reason"),
            [(", ".join(map(str, item.lines)), _short(item.text), item.reason) for item in built.left_out],
        ),
        f"## Doubtful: confidence under {DOUBTFUL}",
        _table(
            ("id", "confidence", "Chinese", "English"),
            [(s.id, f"{s.confidence:.2f}", _short(s.zh), _short(s.en)) for s in doubtful(built.segments)],
        ),
    ]
    if decisions.pairs or decisions.alone or decisions.leave_out:
        parts += [f"## Decided by a reviewer ({FILE})", _table(("what", "reason"), _decisions(decisions))]
    return "\n\n".join(part for part in parts if part) + "\n"


def doubtful(segments: Sequence[Segment], threshold: float = DOUBTFUL) -> list[Segment]:
    """Those under the threshold, the most doubtful first."""
    return sorted((s for s in segments if s.confidence < threshold), key=lambda s: s.confidence)


def _decisions(decisions: Overrides) -> list[tuple[str, str]]:
    pairs = [(f"{', '.join(p.zh)} = {', '.join(p.en)}", p.reason) for p in decisions.pairs]
    alone = [(f"{language} {name} alone", reason) for (language, name), reason in decisions.alone.items()]
    lines = [
        (f"line {line} left out" if side == "both" else f"{side} line {line} left out", reason)
        for (side, line), reason in decisions.leave_out.items()
    ]
    return [*pairs, *alone, *lines]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None."
    lines = [head, ["---"] * len(head), *rows[:_LONGEST]]
    table = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    return table + (f"\n\n… and {len(rows) - _LONGEST} more." if len(rows) > _LONGEST else "")


def _list(*groups: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for group in groups for entry in group)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
