"""Whether a system renders a document's official terms, and renders each of them always in the same way.

An occurrence is a term and a segment whose source and official translation both have the term: the column
`segments` of terms.tsv, which `bench references check` verifies. A term counts once per segment, since a
sentence that mentions a term again may say “they”. It is rendered if the hypothesis has one of its accepted
forms (bench.references.renderings). In a set in Traditional Chinese, Simplified characters count as well. A term
that the official translation leaves out is not expected of a system: the official translation itself scores 100.

"terms": 100 x rendered / occurrences: exact-match accuracy (Alam et al. 2021, arXiv 2106.11891), with
inflected forms accepted. "term consistency": among the terms with several occurrences, 100 x the occurrences
that have the form which the same system uses most often for the term / all occurrences. An occurrence without
an accepted form is not consistent, because what the system wrote there is unknown.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench import references
from bench.core import Granularity, Score, Scorer, Task
from bench.errors import BenchError
from bench.references.renderings import reader
from bench.references.set_folder import read_bytes
from bench.references.terms import FILE, Term, occurrences, read
from bench.references.variety import is_traditional
from bench.scorers.shares import share_score

_MIN_OCCURRENCES = {"terms": 1, "term consistency": 2}
"""Metric -> the number of occurrences that a term must have to count."""


@dataclass(frozen=True, slots=True)
class TermRow:
    """One term: where it must be rendered, and how each system renders it."""

    term: Term
    segments: tuple[int, ...]
    """The segments where it must be rendered: indices in the set, from 0."""
    forms: Mapping[str, tuple[tuple[str, ...], ...]]
    """System -> for each of these segments the accepted forms that its hypothesis has, spelled as in
    terms.tsv; () if it does not render the term.
    """

    def rendered(self, system: str) -> int:
        """The number of segments in which the system renders the term."""
        return sum(map(bool, self.forms[system]))

    def counts(self, system: str) -> dict[str, int]:
        """Form -> the number of segments in which the system has it: most frequent first, then as in
        terms.tsv.
        """
        counted = Counter(form for forms in self.forms[system] for form in forms)
        listed = [*self.term.zh, *self.term.en]
        return dict(sorted(counted.items(), key=lambda item: (-item[1], listed.index(item[0]))))


def table(terms: Sequence[Term], task: Task, systems: Mapping[str, Sequence[str]]) -> list[TermRow]:
    """The terms that must be rendered in at least one segment, in the order of `terms`.

    `systems`: name -> hypotheses, parallel to `task.sources` and `task.references`.
    """
    expected = []
    for source, reference in zip(task.sources, task.references, strict=True):
        in_source = occurrences(terms, source, task.source_language)
        in_reference = occurrences(terms, reference, task.target_language)
        expected.append(tuple(term for term in terms if term in in_source and term in in_reference))
    any_script = is_traditional(task.reference)
    readers = (
        {group: reader(group, terms, task.target_language, any_script) for group in set(expected)}
        if systems
        else {}
    )
    renderings = {
        system: [readers[group](text) for group, text in zip(expected, hypotheses, strict=True)]
        for system, hypotheses in systems.items()
    }
    rows = []
    for term in terms:
        if segments := tuple(index for index, group in enumerate(expected) if term in group):
            forms = {
                system: tuple(texts[index][term] for index in segments)
                for system, texts in renderings.items()
            }
            rows.append(TermRow(term, segments, forms))
    return rows


class Terms(Scorer):
    """`metric`: terms or term consistency. `reference`, `granularity`: the same as the run's.

    `required`: see bench.core.Scorer.
    """

    def __init__(
        self,
        metric: Literal["terms", "term consistency"],
        reference: str,
        granularity: Granularity = "sentence",
        required: bool = True,
    ) -> None:
        if metric not in _MIN_OCCURRENCES:
            raise BenchError(f"There is no term metric {metric!r}: use one of {', '.join(_MIN_OCCURRENCES)}.")
        self.metric = metric
        self.reference = reference
        self.granularity = granularity
        self.required = required

    def prepare(self) -> None:
        """Raises BenchError if the set has no term that counts."""
        # Which terms count does not depend on the direction.
        self._rows(Task(references.load(self.reference, self.granularity), "zh-en"), {})

    def identity(self) -> dict[str, Any]:
        return {
            "scorer": "terms",
            "version": 1,
            "terms_sha256": self._sha256(),
            "metric": self.metric,
            **({"script": "any"} if self._is_traditional() else {}),
        }

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: scoring takes less than a second."""
        rows = self._rows(task, systems)
        signature = (
            f"{self.metric}|set:{task.reference.id}@{task.reference.sha256[:12]}"
            f"|terms:{len(rows)}@{self._sha256()[:12]}|version:1"
        )
        scores = {}
        for system in systems:
            statistics = self._statistics(rows, system, len(task.ids))
            scores[system] = share_score(
                self.metric, signature, statistics, [()] * len(statistics), "no term"
            )
        return scores

    def _rows(self, task: Task, systems: Mapping[str, Sequence[str]]) -> list[TermRow]:
        """The terms that count for this metric, at least one."""
        folder = self._folder()
        terms = read(folder) if folder else ()
        if not terms:
            raise BenchError(
                f"{self.reference} has no {FILE} with its terms: leave {self.metric} out of the metrics, "
                f"or add {FILE} to the folder of a set that was built with `bench references`."
            )
        minimum = _MIN_OCCURRENCES[self.metric]
        rows = [row for row in table(terms, task, systems) if len(row.segments) >= minimum]
        if not rows:
            raise BenchError(
                f"No term of {self.reference} occurs on both sides of "
                f"{'two segments' if minimum > 1 else 'a segment'}: leave {self.metric} out of the metrics."
            )
        return rows

    def _statistics(
        self, rows: Sequence[TermRow], system: str, segments: int
    ) -> tuple[tuple[float, float], ...]:
        """[segment]: the number of occurrences that are right, and the number of occurrences."""
        hits, totals = [0.0] * segments, [0.0] * segments
        for row in rows:
            usual_form = next(iter(row.counts(system)), None)
            for index, forms in zip(row.segments, row.forms[system], strict=True):
                totals[index] += 1
                hits[index] += bool(forms) if self.metric == "terms" else usual_form in forms
        return tuple(zip(hits, totals, strict=True))

    def _folder(self) -> Path | None:
        with suppress(BenchError):  # a set that came aligned has no folder
            return references.find(self.reference)
        return None

    def _is_traditional(self) -> bool:
        return bool(self._sha256()) and is_traditional(references.load(self.reference))

    def _sha256(self) -> str:
        """Hash of terms.tsv; "" if there is none."""
        folder = self._folder()
        if folder is None or not (folder / FILE).is_file():
            return ""
        return hashlib.sha256(read_bytes(folder / FILE)).hexdigest()
