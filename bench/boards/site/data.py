"""The site's data: one script per file, `data("NAME", VALUE)`. Texts in them are untrusted and stay strings.

site                        the publisher's head, the set, and each direction's board: metrics, rows, notes
<direction>/segments        segments: [id, kind, section, source, reference, {flag: number of systems
                            without controls}]; terms
<direction>/hypotheses-<n>  the hypotheses of SEGMENTS_PER_FILE segments: see `_hypotheses`
<direction>/diffs-<n>       where they differ from the reference: [segment][system], see `_diff`
<direction>/pair-diffs-<n>  where those of two systems differ: [segment][a][b - a - 1], a < b
<direction>/score-<metric>  a metric's score of each segment, and its remarks: [system][segment]
<direction>/tests           metric -> the paired tests of all pairs of systems
<direction>/breakdown       metric -> section, kind, length, flags, terms -> parts of the set with their scores
<direction>/runs            what run.json says about each system

A direction with more than limits.PAGE_BYTES of data has only its board in `site`.
Systems are numbered as on the board, segments as in the set. Offsets in texts count units of UTF-16, as
JavaScript does.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

from bench import __version__, limits, references
from bench.boards import columns, faults
from bench.boards.breakdown import breakdown
from bench.boards.notes import differences, explain_differences, notes, p_alone, p_value
from bench.boards.rows import Board, Row
from bench.boards.summary import sentences
from bench.boards.text import POSSIBLY_SEEN, device_of, label, may_have_seen, score_text, speed_of
from bench.boards.word_diff import diff
from bench.core import Hypothesis, ReferenceSet, Score, Span
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction
from bench.records import SiteHead
from bench.references.terms import Term, read
from bench.scorers.terms import table
from bench.scoring.compare import Comparisons
from bench.scoring.units import units

SEGMENTS_PER_FILE = 50
"""A file of 40 systems has about 300 kB."""
MAX_PAIR_DIFFS = 20_000
"""The most pairs of hypotheses (pairs of systems x segments) of a direction whose differences are written:
about 2 MB."""
_MIN_COMMON = 0.1
"""If a text shares fewer of its words with another one, highlighting would cover all of it."""

# Characters that could end a script or a line of it, and halves of surrogate pairs, which UTF-8 cannot
# encode.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
# In a script, unlike in JSON, this key sets what an object inherits; in brackets it is a key like any other. A
# quotation mark before it begins a text: one that ends a text has no letter after it.
_PROTO, _OWN_KEY = re.compile(r'(?<!\\)"__proto__":'), '["__proto__"]:'
_RUN_FIELDS = ("system", "adapter", "identity", "flags", "fell_back", "work", "made", "hypotheses_sha256")

Systems = Sequence[Sequence[Hypothesis]]
"""[system][segment]"""


def data_files(boards: Sequence[Board], head: SiteHead) -> Iterator[tuple[str, str]]:
    """Names, relative to the site's folder, and contents. Raises BenchError if hypotheses were changed after
    their run."""
    terms = _terms(boards[0].reference)
    files = {board.direction: _direction_files(board, terms) for board in boards}
    yield _script("site", _site(boards, head, {direction for direction, scripts in files.items() if scripts}))
    for scripts in files.values():
        yield from scripts


def _direction_files(board: Board, terms: Sequence[Term]) -> list[tuple[str, str]]:
    """The files of one direction; none if they are too large for a page."""
    files, size = [], 0
    for name, value in _direction(board, terms):
        files.append(_script(f"{board.direction}/{name}", value))
        size += len(files[-1][1].encode())
        if size > limits.PAGE_BYTES:
            return []
    return files


def _script(name: str, value: Any) -> tuple[str, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    safe = _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return f"data/{name}.js", f'data("{name}",{_PROTO.sub(_OWN_KEY, safe)});\n'


# The boards


def _site(boards: Sequence[Board], head: SiteHead, with_pages: Collection[Direction]) -> dict[str, Any]:
    reference = boards[0].reference
    return {
        "head": {
            "title": head.title,
            "introduction": [text for text in re.split(r"\n\s*\n", head.introduction) if text],
            "logo": head.logo,
            "contact": head.contact,
        },
        "id": reference.id,
        "title": reference.title,
        "published": reference.published,
        "licence": reference.licence,
        "original_language": reference.original_language,
        "sha256": reference.sha256,
        "segments": len(reference.segments),
        "segments_per_file": SEGMENTS_PER_FILE,
        "version": __version__,
        "finished": max((_day(row) for board in boards for row in board.rows), default=""),
        "boards": {
            board.direction: {**_board(board), "pages": board.direction in with_pages} for board in boards
        },
    }


def _day(row: Row) -> str:
    """When a run was finished, as it says itself."""
    return str(row.run.made.get("at", ""))[:10]


def _board(board: Board) -> dict[str, Any]:
    return {
        "primary": board.primary,
        "columns": columns.narrow(board),
        "cluster_ends": board.cluster_ends,
        "unit": units(board.reference).name,
        "metrics": [_metric(board, metric) for metric in board.metrics],
        "rows": [_row(row, board) for row in board.rows],
        "missing": list(board.missing.items()),
        "summary": {language: sentences(board, language) for language in LANGUAGE_NAMES},
        "notes": {language: notes(board, language) for language in LANGUAGE_NAMES},
        "differences": {language: differences(board, language) for language in LANGUAGE_NAMES},
        "differences_explanation": {language: explain_differences(language) for language in LANGUAGE_NAMES},
        "pair_diffs": _has_pair_diffs(board),
    }


def _metric(board: Board, metric: str) -> dict[str, Any]:
    score = next((score for row in board.rows if (score := row.scores[metric])), None)
    return {
        "id": metric,
        "label": label(board, metric),
        "higher_is_better": score.higher_is_better if score else True,
        "best": score.best if score else None,
        "arrow": score.arrow if score else "",
        "decimals": score.decimals if score else 1,
        "signature": score.signature if score else "",
    }


def _row(row: Row, board: Board) -> dict[str, Any]:
    system = row.run.system
    scores = {metric: score for metric, score in row.scores.items() if score}
    return {
        "system": row.system,
        "control": row.control,
        "mark": POSSIBLY_SEEN if may_have_seen(row, board) else "",
        "scores": {metric: [score.value, *(score.interval or ())] for metric, score in scores.items()},
        # As the other formats show them: JavaScript would round 56.25 to 56.3.
        "score_texts": {metric: score_text(score) for metric, score in scores.items()},
        "ranks": dict(row.ranks),
        "flags": row.run.flags,
        "faults": {m: faults.counts(row.scores[m], m) for m in faults.METRICS if m in row.scores},
        "size": system.size,
        "licence": system.licence,
        "speed": speed_of(row),
        "device": device_of(row),
        "folder": row.folder,
    }


# One direction


def _direction(board: Board, terms: Sequence[Term]) -> Iterator[tuple[str, Any]]:
    task, segments = board.task, board.reference.segments
    systems = [row.stored_run.hypotheses_of(task) for row in board.rows]
    flagged = [system for row, system in zip(board.rows, systems, strict=True) if not row.control]
    yield "runs", [_run(row) for row in board.rows]
    yield "tests", {metric: _tests(board, tests) for metric, tests in board.comparisons.items()}
    for metric in board.metrics:
        yield f"score-{metric}", [_score(row.scores[metric], metric) for row in board.rows]
    yield (
        "segments",
        {
            "terms": [[term.forms(task.source_language), term.forms(task.target_language)] for term in terms],
            "rows": [
                [segment.id, segment.kind, segment.section, source, reference, _flags(flagged, place)]
                for place, (segment, source, reference) in enumerate(
                    zip(segments, task.sources, task.references, strict=True)
                )
            ],
        },
    )
    term_hits = _term_hits(board, terms, systems)
    if board.has_statistics:
        yield "breakdown", _breakdowns(board, flagged, term_hits)
    for n, start in enumerate(range(0, len(segments), SEGMENTS_PER_FILE)):
        places = range(start, min(start + SEGMENTS_PER_FILE, len(segments)))
        yield f"hypotheses-{n}", [_hypotheses(board, systems, place, term_hits[place]) for place in places]
        yield f"diffs-{n}", [_diffs(systems, place, task.references[place]) for place in places]
        if _has_pair_diffs(board):
            yield f"pair-diffs-{n}", [_pair_diffs(systems, place) for place in places]


def _breakdowns(
    board: Board, flagged: Systems, term_hits: Sequence[Sequence[Any]]
) -> dict[str, dict[str, list[Any]]]:
    flags = [any(system[place].flags for system in flagged) for place in range(len(term_hits))]
    counts = list(map(len, term_hits))
    return {
        metric: {
            by: [
                [part.name, part.segments, [score and _rounded(score) for score in part.scores]]
                for part in parts
            ]
            for by, parts in (breakdown(board, metric, flags, counts) or {}).items()
        }
        for metric in board.metrics
    }


def _rounded(numbers: Sequence[float | None]) -> list[float | None]:
    return [None if number is None else round(number, 5) for number in numbers]


def _run(row: Row) -> dict[str, Any]:
    return {name: row.document[name] for name in _RUN_FIELDS if name in row.document}


def _tests(board: Board, tests: Comparisons) -> list[dict[str, Any]]:
    """The paired tests of all pairs of systems that are on the board."""
    number = {row.label: n for n, row in enumerate(board.rows)}
    return [
        {
            "pair": [number[pair.a], number[pair.b]],
            "difference": pair.difference,
            "p_sacrebleu": pair.p_sacrebleu,
            "p_adjusted": pair.p_adjusted,
            # As the other formats show them, "≤ 0.006": see `p_value`.
            "p_text": p_alone(pair),
            "p_adjusted_text": p_value(pair, tests),
            "significant": pair.significant,
            "agreement": pair.agreement,
            "interval": pair.interval,
            "minimum_detectable_difference": pair.minimum_detectable_difference,
        }
        for pair in tests.pairs
        if pair.a in number and pair.b in number
    ]


def _flags(systems: Systems, place: int) -> dict[str, int]:
    return dict(Counter(flag for system in systems for flag in system[place].flags))


def _score(score: Score | None, metric: str) -> dict[str, Any] | None:
    """Values are rounded to two decimals more than are shown. `remarks`: remark -> numbers of segments. `faults` of
    facts and obligations, the gravest first: [segment, fault, kind, text, whether a prohibition is gone]."""
    if score is None:
        return None
    lost = faults.of(score, metric)
    named = {fault.remark for fault in lost}
    remarks: dict[str, list[int]] = {}
    for place, remark in (*score.remarks, *score.unscored):
        if remark not in named:
            remarks.setdefault(remark, []).append(place)
    values = [None if value is None else round(value, score.decimals + 2) for value in score.segments]
    shown = [[fault.place, fault.fault, fault.kind, fault.text, fault.is_grave] for fault in lost]
    return {"values": values, "remarks": remarks, **({"faults": shown} if shown else {})}


def _hypotheses(
    board: Board, systems: Systems, place: int, term_hits: list[tuple[int, str]]
) -> dict[str, Any]:
    """One segment: `texts` of all systems; `details` and `spans`: number of a system -> what few of them
    have.

    `terms`: see `_term_hits`.
    """
    hypotheses = [system[place] for system in systems]
    spans: dict[int, list[list[Any]]] = {}
    for n, row in enumerate(board.rows):
        for metric, score in row.scores.items():
            for span in score.spans[place][: limits.MARKED_ERRORS] if score and score.spans else ():
                spans.setdefault(n, []).append([metric, *_span(span, hypotheses[n].text)])
    return {
        "texts": [hypothesis.text for hypothesis in hypotheses],
        "details": {
            n: details for n, hypothesis in enumerate(hypotheses) if (details := _details(hypothesis))
        },
        "spans": spans,
        "terms": term_hits,
    }


def _details(hypothesis: Hypothesis) -> dict[str, Any]:
    details = {
        "flags": hypothesis.flags,
        "error": hypothesis.error,
        "raw": hypothesis.raw,
        "fell_back": hypothesis.fell_back,
    }
    return {key: value for key, value in details.items() if value}


def _span(span: Span, text: str) -> tuple[int, int, str, float, str]:
    start, end = _utf16_offsets(text, (span.start, span.end))
    return start, end, span.severity, round(span.confidence, 3), span.category


# Differences between texts


def _has_pair_diffs(board: Board) -> bool:
    systems = len(board.rows)
    return systems * (systems - 1) // 2 * len(board.reference.segments) <= MAX_PAIR_DIFFS


def _diffs(systems: Systems, place: int, reference: str) -> list[Any]:
    return [_diff(system[place].text, reference) for system in systems]


def _pair_diffs(systems: Systems, place: int) -> list[list[Any]]:
    texts = [system[place].text for system in systems]
    return [[_diff(text, other) for other in texts[n + 1 :]] for n, text in enumerate(texts[:-1])]


def _diff(text: str, other: str) -> str | list[list[tuple[int, ...]]]:
    """[changes, moved in the text, moved in the other text], [] for equal texts, or why none are shown: a key of
    words.js.

    A change is [start, end, start in the other text, its end]; moved are the parts of changes that the other text
    has elsewhere, [start, end].
    """
    difference = diff(text, other)
    if difference is None:
        return "too long"
    if not difference.changes:
        return []
    if difference.common < _MIN_COMMON:
        return "nothing in common"
    in_text = _utf16_offsets(text, [offset for change in difference.changes for offset in change[:2]])
    in_other = _utf16_offsets(other, [offset for change in difference.changes for offset in change[2:]])
    moved = _utf16_offsets(text, [offset for part in difference.moved for offset in part])
    other_moved = _utf16_offsets(other, [offset for part in difference.other_moved for offset in part])
    return [
        list(zip(in_text[::2], in_text[1::2], in_other[::2], in_other[1::2], strict=True)),
        list(zip(moved[::2], moved[1::2], strict=True)),
        list(zip(other_moved[::2], other_moved[1::2], strict=True)),
    ]


def _utf16_offsets(text: str, offsets: Sequence[int]) -> list[int]:
    """Character offsets in units of UTF-16: a character beyond the first 65,536 counts two."""
    if not text or max(text) <= "\uffff":
        return list(offsets)
    wide = [offset for offset, character in enumerate(text) if character > "\uffff"]
    return [offset + bisect_left(wide, offset) for offset in offsets]


# Official terms


def _terms(reference: ReferenceSet) -> tuple[Term, ...]:
    """The official terms of the set, if its folder holds this very version of it; else none."""
    name = reference.origin or reference.id
    with suppress(BenchError):
        if references.load(name, reference.granularity).sha256 == reference.sha256:
            return read(references.find(name))
    return ()


def _term_hits(board: Board, terms: Sequence[Term], systems: Systems) -> list[list[tuple[int, str]]]:
    """For each segment and each of its terms: the term's number, and "1" or "0" per system: whether it has an
    accepted form."""
    hits: list[list[tuple[int, str]]] = [[] for _ in board.reference.segments]
    if not terms:
        return hits
    number = {term: n for n, term in enumerate(terms)}
    texts = {str(n): [hypothesis.text for hypothesis in system] for n, system in enumerate(systems)}
    for row in table(terms, board.task, texts):
        for n, place in enumerate(row.segments):
            marks = "".join("1" if row.forms[system][n] else "0" for system in texts)
            hits[place].append((number[row.term], marks))
    return hits
