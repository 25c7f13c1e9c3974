"""Whether a document's official terms are rendered, and always alike.

An occurrence is a term and a segment of which the source and the official translation both have it: the column `segments` of
terms.tsv, as `bench references check` proves. It counts once a segment, since a sentence that comes back to a term may say
“they”. It is rendered where the hypothesis has an accepted form (bench.references.renderings). What the official translation
leaves out is asked of nobody: it has 100 itself.

"terms": 100 x rendered / occurrences: exact-match accuracy (Alam et al. 2021, arXiv 2106.11891), inflected forms accepted.
"term consistency": of the terms with several occurrences, 100 x those that have the form which the same system uses most for
the term / all. What a system wrote where it has no accepted form is not known: such an occurrence is not consistent.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import references as sets
from bench.core import Score, Scorer, Task
from bench.errors import BenchError
from bench.references.renderings import reader
from bench.references.terms import FILE, Term, occurrences, read

SEED = 12345

_LEAST = {"terms": 1, "term consistency": 2}
"""Metric -> the occurrences that a term must have to count."""


@dataclass(frozen=True, slots=True)
class Row:
    """One term and what became of it."""

    term: Term
    segments: tuple[int, ...]
    """Where it must be rendered: places in the set, from 0."""
    forms: Mapping[str, tuple[tuple[str, ...], ...]]
    """System -> for each of these segments the accepted forms that its hypothesis has, as terms.tsv lists them; none where
    it does not render the term."""

    def rendered(self, system: str) -> int:
        return sum(map(bool, self.forms[system]))

    def counts(self, system: str) -> dict[str, int]:
        """Form -> in how many segments the system has it; the most frequent first, then as listed."""
        counted = Counter(form for forms in self.forms[system] for form in forms)
        listed = [*self.term.zh, *self.term.en]
        return dict(sorted(counted.items(), key=lambda item: (-item[1], listed.index(item[0]))))


def table(terms: Sequence[Term], task: Task, systems: Mapping[str, Sequence[str]]) -> list[Row]:
    """The terms that must be rendered somewhere, in the order of `terms`.

    `systems`: name -> hypotheses, parallel to `task.sources` and `task.references`.
    """
    target_language = task.target_language
    wanted = []
    for source, reference in zip(task.sources, task.references, strict=True):
        there = occurrences(terms, source, task.source_language)
        here = occurrences(terms, reference, target_language)
        wanted.append(tuple(term for term in terms if term in there and term in here))
    readers = {of: reader(of, terms, target_language) for of in set(wanted)} if systems else {}
    found = {
        system: [readers[of](text) for of, text in zip(wanted, texts, strict=True)]
        for system, texts in systems.items()
    }
    rows = []
    for term in terms:
        if places := tuple(place for place, of in enumerate(wanted) if term in of):
            forms = {system: tuple(texts[place][term] for place in places) for system, texts in found.items()}
            rows.append(Row(term, places, forms))
    return rows


class Terms(Scorer):
    """`metric`: terms or term consistency. `reference`, `granularity`: the run's own. `resamples`: of the bootstrap that gives
    the 95 % interval. `required`: see Scorer."""

    def __init__(
        self,
        metric: str,
        reference: str,
        granularity: str = "sentence",
        resamples: int = 1000,
        required: bool = True,
    ) -> None:
        if metric not in _LEAST:
            raise BenchError(f"Terms have no metric {metric!r}: use one of {', '.join(_LEAST)}.")
        self.metric = metric
        self.reference = reference
        self.granularity = granularity
        self.resamples = resamples
        self.required = required

    def prepare(self) -> None:
        """Raises BenchError where the set has no term to count."""
        # Which terms count does not depend on the direction.
        self._rows(Task(sets.load(self.reference, self.granularity), "zh-en"), {})

    def identity(self) -> dict[str, Any]:
        made = {"metric": self.metric, "resamples": self.resamples, "seed": SEED}
        return {"scorer": "terms", "version": 1, "terms_sha256": self._sha256(), **made}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        rows = self._rows(task, systems)
        of_what = (
            f"set:{task.reference.id}@{task.reference.sha256[:12]}|terms:{len(rows)}@{self._sha256()[:12]}"
        )
        signature = f"{self.metric}|{of_what}|bs:{self.resamples}|seed:{SEED}|version:1"
        scores = {}
        for system in systems:
            statistics = self._statistics(rows, system, len(task.ids))
            scores[system] = Score(
                metric=self.metric,
                value=100 * sum(hits for hits, _ in statistics) / sum(of for _, of in statistics),
                interval=_interval(statistics, self.resamples),
                signature=signature,
                # Where there is no term nothing was missed; the remark says that nothing was asked either.
                segments=tuple(100 * hits / of if of else 100.0 for hits, of in statistics),
                statistics=statistics,
                remarks=tuple((place, "no term") for place, (_, of) in enumerate(statistics) if not of),
                aggregation="ratio",
            )
        return scores

    def _rows(self, task: Task, systems: Mapping[str, Sequence[str]]) -> list[Row]:
        """The terms that count, at least one."""
        folder = self._folder()
        terms = read(folder) if folder else ()
        if not terms:
            raise BenchError(
                f"{self.reference} has no {FILE} that says how its terms are to be rendered: leave {self.metric} out of the metrics, or write one into the folder of a set that was built here."
            )
        least = _LEAST[self.metric]
        rows = table(terms, task, systems)
        if not (counted := [row for row in rows if len(row.segments) >= least]):
            raise BenchError(
                f"No term of {self.reference} stands on both sides of {'two segments' if least > 1 else 'a segment'}: leave {self.metric} out of the metrics."
            )
        return counted

    def _statistics(self, rows: Sequence[Row], system: str, segments: int) -> tuple[tuple[float, float], ...]:
        """Of each segment: how many occurrences are right, and of how many."""
        hits, of = [0.0] * segments, [0.0] * segments
        for row in rows:
            usual = next(iter(row.counts(system)), None)
            for place, forms in zip(row.segments, row.forms[system], strict=True):
                of[place] += 1
                hits[place] += bool(forms) if self.metric == "terms" else usual in forms
        return tuple(zip(hits, of, strict=True))

    def _folder(self) -> Path | None:
        with suppress(BenchError):  # a set from outside has none
            return sets.find(self.reference)
        return None

    def _sha256(self) -> str:
        """Of terms.tsv; "" where there is none."""
        folder = self._folder()
        if folder is None or not (folder / FILE).is_file():
            return ""
        return hashlib.sha256(sets.read_bytes(folder / FILE)).hexdigest()


def _interval(statistics: Sequence[tuple[float, float]], resamples: int) -> tuple[float, float] | None:
    """95 %, percentiles over resampled segments; none where a single segment has all the terms.

    A resample without a term says nothing and is passed over.
    """
    import numpy as np

    counts = np.array(statistics)
    if np.count_nonzero(counts[:, 1]) < 2:
        return None
    drawn = np.random.default_rng(SEED).integers(len(counts), size=(resamples, len(counts)))
    hits, of = (column[drawn].sum(axis=1) for column in counts.T)
    low, high = np.percentile(100 * hits[of > 0] / of[of > 0], [2.5, 97.5])
    return float(low), float(high)
