"""The site's data, one script a file: `data("NAME", VALUE)`. Texts in them are untrusted, and stay strings.

site                    the set, and each direction's board: metrics, rows, notes
<direction>/segments    each segment: [id, kind, section, source, reference, {flag: how many systems but controls}]; the terms
<direction>/part-<n>    the hypotheses of PART segments: see `_part`
<direction>/score-<m>   a metric's score of each segment, and what it remarks on it: [system][segment]
<direction>/tests       of each metric, what the paired tests say of every two systems
<direction>/runs        what run.json says of each system

Systems go by their place on the board, segments by theirs in the set.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import references, store
from bench.boards.rows import Board, Row
from bench.boards.text import SEEN, differences, may_have_seen, notes
from bench.core import Hypothesis, ReferenceSet, Score, Span, Task
from bench.errors import BenchError
from bench.languages import sides
from bench.references.terms import Term, read
from bench.scorers.terms import table
from bench.scoring.compare import Comparisons

PART = 50
"""Segments a file: of 40 systems about 300 kB."""

# What could end a script or a line of it, and halves of surrogate pairs, which UTF-8 cannot say.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_RUN = ("system", "adapter", "identity", "flags", "fell_back", "work", "made", "hypotheses_sha256")


def files(root: Path, boards: Sequence[Board]) -> Iterator[tuple[str, str]]:
    """Names, relative to the site's folder, and contents."""
    yield _script("site", _site(boards))
    terms = _terms(boards[0].reference)
    for board in boards:
        for name, value in _direction(root, board, terms):
            yield _script(f"{board.direction}/{name}", value)


def _script(name: str, value: Any) -> tuple[str, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    safe = _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return f"data/{name}.js", f'data("{name}",{safe});\n'


def _site(boards: Sequence[Board]) -> dict[str, Any]:
    reference = boards[0].reference
    return {
        "id": reference.id,
        "title": reference.title,
        "published": reference.published,
        "licence": reference.licence,
        "original": reference.original_language,
        "sha256": reference.sha256,
        "segments": len(reference.segments),
        "part": PART,
        "boards": {board.direction: _board(board) for board in boards},
    }


def _board(board: Board) -> dict[str, Any]:
    return {
        "primary": board.primary,
        "metrics": [_metric(board, metric) for metric in board.metrics],
        "rows": [_row(row, board) for row in board.rows],
        "missing": list(board.missing.items()),
        "notes": notes(board),
        "differences": differences(board),
    }


def _metric(board: Board, metric: str) -> dict[str, Any]:
    score = next((s for row in board.rows if (s := row.scores[metric])), None)
    return {
        "id": metric,
        "label": score.metric if score else metric,
        "higher": score.higher_is_better if score else True,
        "decimals": score.decimals if score else 1,
        "signature": score.signature if score else "",
    }


def _row(row: Row, board: Board) -> dict[str, Any]:
    system, work = row.run["system"], row.run["work"]
    return {
        "system": row.system,
        "control": row.control,
        "mark": SEEN if may_have_seen(row, board) else "",
        "scores": {m: [s.value, *(s.interval or ())] if s else None for m, s in row.scores.items()},
        "shown": {m: _shown(s) for m, s in row.scores.items() if s},
        "ranks": dict(row.ranks),
        "flags": row.run["flags"],
        "size": system.get("size"),
        "licence": system.get("licence"),
        "speed": None if row.control else work["segments_per_second"],
        "device": work["device"],
        "folder": row.folder,
    }


def _shown(score: Score) -> list[str]:
    """The score and half of its interval: the other forms' digits, since JavaScript rounds 56.25 to 56.3."""
    low, high = score.interval or (0.0, 0.0)
    half = f" ± {(high - low) / 2:.{score.decimals}f}" if score.interval else ""
    return [f"{score.value:.{score.decimals}f}", half]


def _direction(root: Path, board: Board, terms: Sequence[Term]) -> Iterator[tuple[str, Any]]:
    reference = board.reference
    source, target = sides(board.direction)
    systems = [_hypotheses(root, row, reference) for row in board.rows]
    flagged = [system for row, system in zip(board.rows, systems, strict=True) if not row.control]
    yield "runs", [{key: row.run[key] for key in _RUN if key in row.run} for row in board.rows]
    yield "tests", {metric: _tests(board, tested) for metric, tested in board.comparisons.items()}
    for metric in board.metrics:
        yield f"score-{metric}", [_score(row.scores[metric]) for row in board.rows]
    yield (
        "segments",
        {
            "terms": [[term.forms(source), term.forms(target)] for term in terms],
            "rows": [
                [s.id, s.kind, s.section, s.text(source), s.text(target), _flags(flagged, place)]
                for place, s in enumerate(reference.segments)
            ],
        },
    )
    rendered = _rendered(board, terms, systems)
    for n, start in enumerate(range(0, len(reference.segments), PART)):
        places = range(start, min(start + PART, len(reference.segments)))
        yield f"part-{n}", [_part(board, systems, place, rendered[place]) for place in places]


def _tests(board: Board, tested: Comparisons) -> list[dict[str, Any]]:
    """What bench.scoring.compare says of every two systems that are on the board."""
    places = {row.label: place for place, row in enumerate(board.rows)}
    return [
        {
            "of": [places[pair.a], places[pair.b]],
            "p": pair.p_holm,
            "significant": pair.significant,
            "agreement": pair.agreement,
            "interval": pair.interval,
            "detectable": pair.detectable,
        }
        for pair in tested.pairs
        if pair.a in places and pair.b in places
    ]


def _hypotheses(root: Path, row: Row, reference: ReferenceSet) -> list[Hypothesis]:
    run = store.Run(root / reference.id / row.folder, row.run)
    run.check()
    by_id = {hypothesis.id: hypothesis for hypothesis in run.hypotheses()}
    return [by_id[segment.id] for segment in reference.segments]


def _flags(systems: Sequence[Sequence[Hypothesis]], place: int) -> dict[str, int]:
    return dict(Counter(flag for system in systems for flag in system[place].flags))


def _score(score: Score | None) -> dict[str, Any] | None:
    """Rounded to two decimals more than are shown. `remarks`: remark -> places of segments."""
    if score is None:
        return None
    remarks: dict[str, list[int]] = {}
    for place, remark in score.remarks:
        remarks.setdefault(remark, []).append(place)
    return {"values": [round(value, score.decimals + 2) for value in score.segments], "remarks": remarks}


def _part(
    board: Board, systems: Sequence[Sequence[Hypothesis]], place: int, rendered: list[list[Any]]
) -> dict[str, Any]:
    """One segment: `texts` of all systems; `more`, `spans`: system -> what few of them have; `terms`: see `_rendered`."""
    more = {n: about for n, system in enumerate(systems) if (about := _more(system[place]))}
    spans: dict[int, list[list[Any]]] = {}
    for n, row in enumerate(board.rows):
        for metric, score in row.scores.items():
            for span in score.spans[place] if score and score.spans else ():
                spans.setdefault(n, []).append([metric, *_span(span, systems[n][place].text)])
    texts = [system[place].text for system in systems]
    return {"texts": texts, "more": more, "spans": spans, "terms": rendered}


def _more(hypothesis: Hypothesis) -> dict[str, Any]:
    about = {
        "flags": hypothesis.flags,
        "error": hypothesis.error,
        "raw": hypothesis.raw,
        "alone": hypothesis.fell_back,
    }
    return {key: value for key, value in about.items() if value}


def _span(span: Span, text: str) -> tuple[int, int, str, float]:
    """Where it stands as JavaScript counts: in units of UTF-16."""
    start, end = (len(text[:at].encode("utf-16-le", "surrogatepass")) // 2 for at in (span.start, span.end))
    return start, end, span.severity, round(span.confidence, 3)


def _terms(reference: ReferenceSet) -> tuple[Term, ...]:
    """The official terms of the set, where this very version of it stands under its id; else none."""
    whole, _, granularity = reference.id.rpartition(".")
    for name, view in ((reference.id, "sentence"), (whole, granularity)):
        with suppress(BenchError):
            if references.load(name, view).sha256 == reference.sha256:
                return read(references.find(name))
    return ()


def _rendered(
    board: Board, terms: Sequence[Term], systems: Sequence[Sequence[Hypothesis]]
) -> list[list[list[Any]]]:
    """Of each segment: [term, "1" or "0" for each system: whether it has an accepted form]."""
    found: list[list[list[Any]]] = [[] for _ in board.reference.segments]
    if not terms:
        return found
    texts = {str(n): [hypothesis.text for hypothesis in system] for n, system in enumerate(systems)}
    rows = table(terms, Task(board.reference, board.direction), texts)
    for row in rows:
        for at, place in enumerate(row.segments):
            hits = "".join("1" if row.forms[name][at] else "0" for name in texts)
            found[place].append([terms.index(row.term), hits])
    return found
