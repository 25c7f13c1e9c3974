"""Whether a system keeps the facts of a document: numbers, amounts, dates, article and list numbers, names.

A fact is expected in a segment if both the source and the official translation mention it (bench.facts), or if
it is a name in the set's terms.tsv that both have. It counts once per segment. "facts": 100 x rendered /
expected facts. The official translation itself scores 100. What is wrong in a segment stands in its remarks:
"wrong number: 84 instead of 48", "missing date: 1 December 2021", "invented percentage: 7 %"; wrong and
invented facts are also marked as spans. Invented facts do not change the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import references
from bench.core import Granularity, Score, Scorer, Span, Task, digest
from bench.errors import BenchError
from bench.facts import find
from bench.facts.matching import Expected, Finding, expected_facts, faults
from bench.facts.mention import Mention, Name
from bench.references.alignment.lexicon import embedded_names
from bench.references.terms import Term, read
from bench.scorers.shares import share_score, shorten
from bench.scorers.terms import TermRow, table

_MAX_REMARKS = 20
"""Per segment: a hypothesis may be pages of numbers."""
_MAX_TEXT = 200
"""Characters of a mention in a remark."""


class Facts(Scorer):
    """`reference`, `granularity`: the same as the run's. `required`: see bench.core.Scorer."""

    def __init__(self, reference: str, granularity: Granularity = "sentence", required: bool = True) -> None:
        self.reference = reference
        self.granularity = granularity
        self.required = required

    def prepare(self) -> None:
        """Raises BenchError if the set has no fact that both of its texts mention."""
        task = Task(references.load(self.reference, self.granularity), "zh-en")
        self._check(_expected(task)[0], _name_rows(self._names(), task, {}))

    def identity(self) -> dict[str, Any]:
        return {
            "scorer": "facts",
            "version": 3,
            "lexicon": digest(dict(embedded_names())),
            "names": [[term.zh, term.en] for term in self._names()],
        }

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: a thousand segments take about a second per system."""
        expected, known = _expected(task)
        rows = _name_rows(self._names(), task, systems)
        self._check(expected, rows)
        expected = _without_terms(expected, rows)
        facts = sum(map(len, expected)) + sum(len(row.segments) for row in rows)
        signature = (
            f"facts|set:{task.reference.id}@{task.reference.sha256[:12]}"
            f"|facts:{facts}|rules:{digest(self.identity())[:12]}|version:3"
        )
        return {
            system: _score(expected, known, rows, system, hypotheses, task, signature)
            for system, hypotheses in systems.items()
        }

    def _check(self, expected: Sequence[Sequence[Expected]], rows: Sequence[TermRow]) -> None:
        if not any(expected) and not rows:
            raise BenchError(
                f"No segment of {self.reference} has a number, date or name on both sides: leave facts out of "
                "the metrics."
            )

    def _names(self) -> tuple[Term, ...]:
        """The names among the set's terms: those with a capital letter in English."""
        with suppress(BenchError):  # a set that came aligned has no folder
            folder = references.find(self.reference)
            if folder is not None:
                return tuple(term for term in read(folder) if term.en[0][:1].isupper())
        return ()


def _expected(task: Task) -> tuple[list[list[Expected]], list[list[Mention]]]:
    """Of each segment: the facts that source and reference share, and all that they mention."""
    expected, known = [], []
    for source_text, reference_text in zip(task.sources, task.references, strict=True):
        source, reference = (
            find(source_text, task.source_language),
            find(reference_text, task.target_language),
        )
        expected.append(expected_facts(source, reference, task.target_language))
        known.append([*source, *reference])
    return expected, known


def _name_rows(names: Sequence[Term], task: Task, systems: Mapping[str, Sequence[str]]) -> list[TermRow]:
    return table(names, task, systems) if names else []


def _without_terms(expected: Sequence[Sequence[Expected]], rows: Sequence[TermRow]) -> list[list[Expected]]:
    """Without the names of the lexicon that a term of the set contains: they would count twice."""
    terms: dict[int, list[str]] = {}
    for row in rows:
        for segment in row.segments:
            terms.setdefault(segment, []).extend((*row.term.zh, *(form.lower() for form in row.term.en)))
    return [
        [
            fact
            for fact in facts
            if not isinstance(fact.reading, Name)
            or not any(fact.reading.name in form for form in terms.get(segment, ()))
        ]
        for segment, facts in enumerate(expected)
    ]


def _score(
    expected: Sequence[Sequence[Expected]],
    known: Sequence[Sequence[Mention]],
    rows: Sequence[TermRow],
    system: str,
    hypotheses: Sequence[str],
    task: Task,
    signature: str,
) -> Score:
    totals = [len(facts) for facts in expected]
    findings = [
        faults(facts, mentions, find(hypothesis, task.target_language))
        for facts, mentions, hypothesis in zip(expected, known, hypotheses, strict=True)
    ]
    for row in rows:
        for segment, forms in zip(row.segments, row.forms[system], strict=True):
            totals[segment] += 1
            if not forms:
                name = row.term.forms(task.target_language)[0]
                findings[segment].append(Finding("missing", "name", name, None))
    statistics = [
        (float(total - sum(finding.fault != "invented" for finding in found)), float(total))
        for total, found in zip(totals, findings, strict=True)
    ]
    remarks = [_remarks(found) for found in findings]
    spans = [_spans(found) for found in findings]
    return share_score("facts", signature, statistics, remarks, "no fact", spans)


def _remarks(findings: Sequence[Finding]) -> list[str]:
    remarks = [_remark(finding) for finding in findings[:_MAX_REMARKS]]
    if len(findings) > _MAX_REMARKS:
        remarks.append(f"{len(findings) - _MAX_REMARKS} more faults")
    return remarks


def _remark(finding: Finding) -> str:
    said = shorten(finding.mention.text, _MAX_TEXT) if finding.mention else ""
    expected = shorten(finding.expected, _MAX_TEXT)
    texts = {
        "wrong": f"{said} instead of {expected}",
        "missing": expected,
        "invented": said,
    }
    return f"{finding.fault} {finding.kind}: {texts[finding.fault]}"


def _spans(findings: Sequence[Finding]) -> tuple[Span, ...]:
    """The wrong and invented facts, where the hypothesis has them."""
    return tuple(
        Span(m.start, m.end, "major" if f.fault == "wrong" else "minor", 1.0, f"{f.fault} {f.kind}")
        for f in findings[:_MAX_REMARKS]
        if (m := f.mention)
    )
