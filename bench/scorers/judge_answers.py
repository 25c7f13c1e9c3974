"""A judge's answer -> a score and error spans. The answer is untrusted: of its text only numbers, words of closed
lists and positions in the hypothesis are kept.

Severities and weights: MQM as GEMBA-MQM counts it (Kocmi and Federmann 2023): critical 25, major 5, minor 1, and
at most 25 per segment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, cast, get_args

from bench import limits
from bench.answers.reasoning import without_control_tokens, without_reasoning
from bench.core import Severity, Span
from bench.scorers.shares import shorten

Kind = Literal["esa", "mqm"]

CATEGORIES = (
    "accuracy/addition",
    "accuracy/mistranslation",
    "accuracy/omission",
    "accuracy/untranslated text",
    "fluency/grammar",
    "fluency/inconsistency",
    "fluency/punctuation",
    "fluency/register",
    "fluency/spelling",
    "locale convention",
    "style",
    "terminology",
    "non-translation",
    "other",
)
WORST: dict[Kind, float] = {"esa": 0.0, "mqm": -25.0}
BEST: dict[Kind, float] = {"esa": 100.0, "mqm": 0.0}
_WEIGHTS: dict[Severity, float] = {"minor": 1, "major": 5, "critical": 25}
_MAX_ATTEMPTS = 50
"""Opening braces at which an object is looked for."""
_MAX_QUOTE = 1_000
_SHOWN = 60
_DECODER = json.JSONDecoder(strict=False, parse_int=float)


class Unusable(Exception):
    """Why an answer gives no score."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one answer says about one segment."""

    score: float
    spans: tuple[Span, ...]
    """With a confidence of 1."""
    remarks: tuple[str, ...]


def read(answer: str, kind: Kind, source: str, hypothesis: str) -> Verdict:
    """Raises Unusable. An error counts if its quotation stands in the hypothesis or, of an omission, in the source. An
    object that stands in one of the two texts is no answer: the judge may only have repeated it."""
    texts = f"{source}\n{hypothesis}"
    found = _object(_visible(answer, texts), "score" if kind == "esa" else "errors", texts)
    errors = found.get("errors", [])
    if not isinstance(errors, list):
        raise Unusable("the errors are not a list")
    spans: list[Span] = []
    remarks: list[str] = []
    penalty = 0.0
    for error in errors[: limits.JUDGED_ERRORS]:
        severity, category, quote = _fields(error)
        if place := _place(quote, hypothesis, spans):
            spans.append(Span(*place, severity, 1.0, category))
        elif category == "accuracy/omission" and (place := _place(quote, source, ())):
            remarks.append(f"{severity} omission: {shorten(source[slice(*place)], _SHOWN)}")
        else:
            remarks.append(f"{severity} {category}, quoted from neither text: not counted")
            continue
        penalty += _WEIGHTS[severity]
    if len(errors) > limits.JUDGED_ERRORS:
        remarks.append(f"only the first {limits.JUDGED_ERRORS} errors of an answer count")
    score = _score(found["score"]) if kind == "esa" else max(WORST["mqm"], -penalty)
    return Verdict(score, tuple(sorted(spans, key=lambda span: span.start)), tuple(dict.fromkeys(remarks)))


def _visible(answer: str, texts: str) -> str:
    """Without reasoning and control tokens, unless the judged texts have such tokens, which the judge may quote."""
    return without_control_tokens(without_reasoning(answer[: limits.TEXT_CHARACTERS], texts)[0], texts)[0]


def _object(text: str, key: str, judged: str) -> dict[str, Any]:
    """The last JSON object in a text that has the key and does not stand in the judged texts. Raises Unusable."""
    found: dict[str, Any] = {}
    repeatable = _without_spaces(judged)
    position = text.find("{")
    for _ in range(_MAX_ATTEMPTS):
        if position < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            is_answer = isinstance(value, dict) and key in value
            if is_answer and _without_spaces(text[position:end]) not in repeatable:
                found = value
        position = text.find("{", end)
    if not found:
        raise Unusable(f"no JSON object with {key} in the answer")
    return found


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _score(value: object) -> float:
    """A number, or digits in quotation marks."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unusable("the score is not a number")
    if not isfinite(value) or not WORST["esa"] <= value <= BEST["esa"]:
        raise Unusable("the score is not from 0 to 100")
    return float(value)


def _fields(error: object) -> tuple[Severity, str, str]:
    """Severity, category and quotation. Raises Unusable."""
    if not isinstance(error, dict):
        raise Unusable("an error is not an object")
    severity = str(error.get("severity", ""))[:20].strip().lower()
    if severity not in get_args(Severity):
        raise Unusable("the severity of an error is none of minor, major, critical")
    quote = error.get("span")
    if not isinstance(quote, str):
        raise Unusable("an error has no span")
    return cast("Severity", severity), _category(str(error.get("category", ""))), quote


def _category(text: str) -> str:
    """One of CATEGORIES: itself, or the only one that ends or begins like it ("mistranslation")."""
    name = re.sub(r"\s*[/:>]\s*|\s+-\s+", "/", text[:80].strip().lower())
    if name in CATEGORIES:
        return name
    same = [category for category in CATEGORIES if name and name in category.split("/")[1:]]
    return same[0] if len(same) == 1 else "other"


def _place(quote: str, text: str, taken: Sequence[Span]) -> tuple[int, int] | None:
    """Where a text has the quotation: the first place that no span has yet, or else the first. Case and spaces may
    differ."""
    words = quote.strip().strip("\"'“”‘’「」")[:_MAX_QUOTE].split()
    if not words:
        return None
    places = [match.span() for match in re.finditer(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE)]
    used = {(span.start, span.end) for span in taken}
    return next((place for place in places if place not in used), places[0] if places else None)


def merged(verdicts: Sequence[Verdict]) -> Iterator[Span]:
    """The spans of several passes, each place once. Its confidence is the share of passes that mark it; its severity
    and category are the most frequent ones, of equal ones the graver."""
    marks: dict[tuple[int, int], list[Span]] = {}
    for verdict in verdicts:
        for place in {(span.start, span.end): span for span in verdict.spans}.values():
            marks.setdefault((place.start, place.end), []).append(place)
    for (start, end), spans in sorted(marks.items()):
        severities = [span.severity for span in spans]
        severity = max(severities, key=lambda name: (severities.count(name), _WEIGHTS[name]))
        categories = [span.category for span in spans]
        category = max(categories, key=lambda name: (categories.count(name), name))
        yield Span(start, end, severity, round(len(spans) / len(verdicts), 3), category)
