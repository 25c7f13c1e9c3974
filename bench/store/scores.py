"""scores/<metric>.json: a Score, what it is a score of, and whether its numbers can be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bench import limits
from bench.core import Hypothesis, Score
from bench.errors import BenchError
from bench.files import RESTORE, decode_record
from bench.records import legacy_aggregation

_WIDTHS = {"bleu": 10, "ratio": 2, "mean": 0}
"""Aggregation -> statistics of a segment; chrF has three for each order."""
_MAX_WIDTH = 60


class ScoreFile(msgspec.Struct):
    """What a score file holds beside the Score."""

    scorer: str
    hypotheses_sha256: str
    reference_sha256: str


def decode_score(data: bytes, path: Path) -> tuple[ScoreFile, Score]:
    """Raises BenchError that says what is wrong with the file."""
    score = decode_record(data, path, Score, limits.SCORE_VALUES)
    if b'"aggregation"' not in data:  # written before scores carried it
        score = replace(score, aggregation=legacy_aggregation(score.metric, bool(score.statistics)))
    if fault := _fault(score):
        raise BenchError(f"{path} is damaged ({fault}): {RESTORE}.")
    return decode_record(data, path, ScoreFile, limits.SCORE_VALUES), score


def spans_fault(score: Score, hypotheses: Sequence[Hypothesis]) -> str:
    """Which error span lies outside its hypothesis; "" if none does."""
    for spans, hypothesis in zip(score.spans, hypotheses, strict=True):
        if any(span.end > len(hypothesis.text) for span in spans):
            return f"a span of {hypothesis.id[:80]!r} ends behind its text"
    return ""


def _fault(score: Score) -> str:
    """What is wrong with a score whose fields have the right types; "" if nothing is."""
    count = len(score.segments)
    for name in ("metric", "signature"):
        text: str = getattr(score, name)
        if not text or len(text) > limits.LINE_CHARACTERS or not text.isprintable():
            return f"{name} is not a short text without control characters"
    if not 1 <= count <= limits.SEGMENTS:
        return f"it has {count:,} segments: from 1 to {limits.SEGMENTS:,} are possible"
    if not 0 <= score.decimals <= limits.DECIMALS:
        return f"decimals is not from 0 to {limits.DECIMALS}"
    numbers = [score.value, *(score.interval or ()), *(v for v in score.segments if v is not None)]
    numbers += [] if score.best is None else [score.best]
    numbers += [] if score.cost_usd is None else [score.cost_usd]
    numbers += [number for row in score.statistics for number in row]
    if max(map(abs, numbers)) > limits.LARGEST:
        return f"it has a number beyond {limits.LARGEST:,}"
    for name in ("statistics", "spans"):
        rows = getattr(score, name)
        if rows and len(rows) != count:
            return f"it has {len(rows):,} {name} for {count:,} segments"
    if score.statistics and not _has_width(score):
        return f"its statistics are not those of the aggregation {score.aggregation}"
    for index, remark in (*score.remarks, *score.unscored):
        if not 0 <= index < count or len(remark) > limits.LINE_CHARACTERS:
            return f"it has a remark on none of its {count:,} segments, or a long one"
    for span in (span for spans in score.spans for span in spans):
        if not 0 <= span.start <= span.end or not 0 <= span.confidence <= 1:
            return "a span is not a part of a text with a confidence from 0 to 1"
        if len(span.category) > limits.LINE_CHARACTERS:
            return "the category of a span is long"
    return ""


def _has_width(score: Score) -> bool:
    (width, *others) = {len(row) for row in score.statistics}
    if others:
        return False
    if score.aggregation == "chrf":
        return width % 3 == 0 and 0 < width <= _MAX_WIDTH
    return width == _WIDTHS[score.aggregation]
