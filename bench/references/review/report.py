"""report.md of a set's folder: what a build did, for people. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import __version__
from bench.answers.language import variety
from bench.core import Segment
from bench.escaping import markdown
from bench.references.alignment.pipeline import BuildResult
from bench.references.overrides import FILE, Overrides
from bench.references.reading.read import SourceText
from bench.references.review.check import counts

DOUBTFUL = 0.3
"""Pairs with a confidence below this value are listed for review: on the gold texts, a third of them are wrong
(`bench references evaluate` prints it)."""
_MAX_ROWS = 500
"""Rows of a table in the report. left_out.jsonl and segments.jsonl have all of them."""
_REBUILT = "built from the set's own copy of its source: what the original files hold beside it is not listed"


def report(
    id: str,
    source: SourceText,
    result: BuildResult,
    decisions: Overrides,
    lexicon: Path | None,
    embeddings: str | None,
    is_rebuilt: bool,
) -> str:
    """The report on the set `id`, in Markdown. `is_rebuilt`: from the copy of its source in the set's folder."""
    sections = [
        f"# {markdown(id)}: build report",
        "Written by `bench references build`. Every build overwrites it.",
        _table(
            ("file", "format", "encoding", "sha256"),
            [
                (markdown(file.name), file.format, file.encoding or "–", f"`{file.sha256}`")
                for file in source.origin
            ],
        ),
        _list(
            (f"bitext-bench {__version__}",),
            (
                f"lexicon {markdown(lexicon.name)}, sha256 `{_sha256(lexicon)}`"
                for lexicon in [lexicon]
                if lexicon
            ),
            (f"embeddings {markdown(embeddings)}" for _ in [embeddings] if embeddings),
            (f"not read in {markdown(what)}" for what in source.not_read),
            (_REBUILT,) if is_rebuilt else (),
            ("Chinese in Traditional characters (zh-Hant)",) if _is_traditional(result.segments) else (),
        ),
        "## Counts",
        _table(
            ("item", "count"),
            [(item, str(count)) for item, count in counts(result.segments, result.left_out).items()],
        ),
        "## Left out",
        _table(
            ("lines", "text", "reason"),
            [
                (", ".join(map(str, entry.lines)), _short(entry.text), markdown(entry.reason))
                for entry in result.left_out
            ],
        ),
        f"## Doubtful pairs (confidence below {DOUBTFUL})",
        _table(
            ("id", "confidence", "Chinese", "English"),
            [
                (markdown(s.id), f"{s.confidence:.2f}", _short(s.zh), _short(s.en))
                for s in doubtful(result.segments)
            ],
        ),
    ]
    if made := _decisions(decisions):
        sections += [
            f"## Reviewer's decisions ({FILE})",
            _table(("decision", "reason"), [map(markdown, row) for row in made]),
        ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _is_traditional(segments: Sequence[Segment]) -> bool:
    return variety(segment.zh for segment in segments) == "traditional"


def doubtful(segments: Sequence[Segment], threshold: float = DOUBTFUL) -> list[Segment]:
    """The segments with a confidence below the threshold, the lowest first."""
    return sorted(
        (segment for segment in segments if segment.confidence < threshold),
        key=lambda segment: segment.confidence,
    )


def _decisions(decisions: Overrides) -> list[tuple[str, str]]:
    pairs = [(f"{', '.join(pair.zh)} = {', '.join(pair.en)}", pair.reason) for pair in decisions.pairs]
    alone = [
        (f"{language} {name}: no counterpart", reason) for (language, name), reason in decisions.alone.items()
    ]
    lines = [
        (f"line {line} left out" if side == "both" else f"{side} line {line} left out", reason)
        for (side, line), reason in decisions.leave_out.items()
    ]
    splits = [
        (f"{split.language} {split.sentence}: split behind {split.after!r}", split.reason)
        for split in decisions.splits
    ]
    corrections = [
        (
            f"{c.language} {c.sentence}: {c.old!r} " + (f"corrected to {c.new!r}" if c.new else "deleted"),
            c.reason,
        )
        for c in decisions.corrections
    ]
    return [*pairs, *alone, *splits, *corrections, *lines]


def _table(header: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    """The cells are Markdown."""
    if not rows:
        return "None."
    lines = [header, ["---"] * len(header), *rows[:_MAX_ROWS]]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return table + (f"\n\n… and {len(rows) - _MAX_ROWS} more." if len(rows) > _MAX_ROWS else "")


def _list(*groups: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for group in groups for entry in group)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return markdown(text if len(text) <= 80 else text[:79] + "…")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
