"""Drives scorers over all runs of a direction at once; what is scored already is not scored again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import store
from bench.core import ReferenceSet, Scorer, digest
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.progress import bar
from bench.translation.driver import is_current


def unscored(
    root: Path, reference: ReferenceSet, direction: Direction, metric: str, scorer: Scorer
) -> list[store.Run]:
    """The runs of a direction that were made from this version of the set, and that this scorer has not scored."""
    hashed = digest(scorer.identity())
    runs = (run for run in store.runs(root, reference.id, direction) if is_current(run, reference))
    return [run for run in runs if store.read_score(run, metric, hashed) is None]


def score(
    root: Path,
    reference: ReferenceSet,
    direction: Direction,
    scorers: Mapping[str, Scorer],
) -> None:
    """Score every run of a direction that was made from this version of the set.

    `scorers`: metric id -> scorer. Raises BenchError where a run's hypotheses are not those that were written: its
    scores would be of other texts.
    """
    for run in store.runs(root, reference.id, direction):
        if is_current(run, reference):
            run.check()
    wanted = {
        metric: unscored(root, reference, direction, metric, scorer) for metric, scorer in scorers.items()
    }
    source_language, target_language = sides(direction)
    sources = [segment.text(source_language) for segment in reference.segments]
    references = [segment.text(target_language) for segment in reference.segments]
    total = sum(map(len, wanted.values()))
    with bar(f"scoring {direction}", total=total, unit="scores") as advance:
        for metric, missing in wanted.items():
            if not missing:
                continue
            texts = {run.label: _texts(run, reference) for run in missing}
            scores = scorers[metric].score(direction, sources, references, texts)
            hashed = digest(scorers[metric].identity())
            for run in missing:
                store.write_score(run, metric, hashed, scores[run.label])
            advance(len(missing))


def _texts(run: store.Run, reference: ReferenceSet) -> Sequence[str]:
    """A run's hypotheses in the order of the set, matched by segment id."""
    by_id = {h.id: h.text for h in run.hypotheses()}
    ids = [segment.id for segment in reference.segments]
    if sorted(by_id) != sorted(ids):
        raise BenchError(
            f"{run.folder} does not hold one hypothesis for each segment of {reference.id}: delete it and run again."
        )
    return [by_id[id] for id in ids]
