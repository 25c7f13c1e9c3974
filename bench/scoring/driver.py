"""Drives scorers over all runs of a task at once. What is scored already is not scored again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bench import progress
from bench.core import Scorer, Task, digest
from bench.errors import BenchError
from bench.files import check_inside
from bench.own_code import identity
from bench.progress import bar
from bench.scoring.units import interval, units
from bench.store import Run, Store
from bench.store.lock import exclusive_lease

_INTERVALS = 3  # increase it when intervals are computed in another way


def hash_of(scorer: Scorer) -> str:
    """Of everything that a stored score depends on, besides the texts."""
    return digest({"scorer": identity(scorer), "intervals": _INTERVALS})


def unscored_runs(
    store: Store, task: Task, metric: str, scorer: Scorer, ask_again: bool = False
) -> list[Run]:
    """The current runs of a task that this very scorer has not scored. `ask_again`: also those with requests that a
    judge left unanswered."""
    if scorer.imported:
        return []
    scorer_hash = hash_of(scorer)
    return [
        run
        for run in store.current_runs(task)
        if (score := store.score(run, metric, scorer_hash)) is None
        or (ask_again and score.judging and score.judging.unanswered)
    ]


def score(store: Store, task: Task, scorers: Mapping[str, Scorer], ask_again: bool = True) -> None:
    """Score every current run of a task. `scorers`: metric id -> scorer. `ask_again`: see `unscored_runs`.

    One process at a time scores a task by a metric. Raises BenchError if a run's hypotheses are not the ones
    that were written: its scores would be of other texts.
    """
    check_inside(store.direction_folder(task), store.root)
    for metric in scorers:
        check_inside(store.partial_folder(task, metric), store.root)
    for run in store.current_runs(task):
        run.hypotheses()
    missing = {
        metric: unscored_runs(store, task, metric, scorer, ask_again) for metric, scorer in scorers.items()
    }
    unfinished = {metric for metric in scorers if _was_interrupted(store, task, metric)}
    if not unfinished and not any(missing.values()):
        return
    with bar(f"scoring {task.direction}", total=sum(map(len, missing.values())), unit="scores") as advance:
        for metric, runs in missing.items():
            if not runs and metric not in unfinished:
                continue
            with exclusive_lease(store.scoring_lock(task, metric), f"{task.direction} by {metric}"):
                _score(store, task, metric, scorers[metric], ask_again)
            advance(len(runs))


def _was_interrupted(store: Store, task: Task, metric: str) -> bool:
    """Whether a process scores now, or was killed before it had removed its unfinished work or its lock."""
    return any(
        path.exists() for path in (store.partial_folder(task, metric), store.scoring_lock(task, metric))
    )


def _score(store: Store, task: Task, metric: str, scorer: Scorer, ask_again: bool) -> None:
    """Score what is still missing: another process may have scored it meanwhile."""
    if runs := unscored_runs(store, task, metric, scorer, ask_again):
        texts = {run.label: _texts(run, task, scorer) for run in runs}
        try:
            scores = scorer.score(task, texts, store.partial_folder(task, metric))
        except BenchError as error:
            if unscored_runs(store, task, metric, scorer):
                raise
            progress.say(f"The scores of {metric} stay as they are: {error}", warning=True)
            store.remove_partial(task, metric)
            return
        scorer_hash, set_units = hash_of(scorer), units(task.reference)
        for run in runs:
            score = scores[run.label]
            store.write_score(run, metric, scorer_hash, replace(score, interval=interval(score, set_units)))
    store.remove_partial(task, metric)


def _texts(run: Run, task: Task, scorer: Scorer) -> list[str]:
    hypotheses = run.hypotheses_of(task)
    return [
        hypothesis.raw or hypothesis.text if scorer.reads_raw else hypothesis.text
        for hypothesis in hypotheses
    ]
