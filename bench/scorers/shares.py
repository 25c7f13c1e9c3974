"""The score of metrics that count what a system has kept of what is expected: terms, facts, obligations, parts."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core import Score, Span


def share_score(
    metric: str,
    signature: str,
    statistics: Sequence[tuple[float, float]],
    remarks: Sequence[Sequence[str]],
    nothing: str,
    spans: Sequence[tuple[Span, ...]] = (),
) -> Score:
    """100 x kept / expected.

    `statistics`: [segment] (kept, expected), at least one of them expected. `remarks`: [segment]. `nothing`: a further
    remark on each segment in which nothing is expected; it has 100, since nothing is lost.
    """
    return Score(
        metric=metric,
        value=100 * sum(kept for kept, _ in statistics) / sum(total for _, total in statistics),
        interval=None,
        signature=signature,
        segments=tuple(100 * kept / total if total else 100.0 for kept, total in statistics),
        statistics=tuple(statistics),
        remarks=tuple(
            (segment, remark)
            for segment, (texts, (_, total)) in enumerate(zip(remarks, statistics, strict=True))
            for remark in (*texts, *(() if total else (nothing,)))
        ),
        spans=tuple(spans),
        aggregation="ratio",
    )


def shorten(text: str, most: int) -> str:
    """A text for a remark: on one line, of at most `most` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"
