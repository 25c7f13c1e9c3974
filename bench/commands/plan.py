"""`bench run --dry-run`: what a run would do. Nothing is fetched, loaded or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.checkpoints.fetching import cached_path
from bench.checkpoints.weights import describe_source
from bench.commands.components import run_components, run_configs, weights_name
from bench.commands.run import Suite, read_suite
from bench.core import Task
from bench.scoring.driver import unscored_runs
from bench.store import Run, Store
from bench.translation.driver import unfinished_sources

_PUBLISHED = Path("results")


@dataclass(frozen=True, slots=True)
class PlannedJob:
    name: str
    """System, direction and shard."""
    segments: int
    """Still to be translated."""
    seconds: float | None
    """At the speed of an earlier run of that system in that direction; None if there is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    jobs: Sequence[PlannedJob]
    scores: dict[str, int]
    """Metric id -> scores to be computed."""
    downloads: dict[str, str]
    """File or checkpoint that is not here -> where it would be fetched."""
    gaps: Sequence[str]
    """Sentences about systems and metrics that cannot be used as they are."""
    leaderboard: Path


def plan(overrides: Sequence[str]) -> Plan:
    """Raises BenchError for overrides that are wrong, as `bench run` does."""
    suite = read_suite(overrides)
    components = run_components(run_configs(overrides))
    downloads = {
        weights_name(weights): describe_source(weights.sources[0])
        for component in components
        for weights in component.needs
        if cached_path(weights) is None
    }
    jobs = list(_planned(suite)) if "translate" in suite.config.stages else []
    return Plan(
        jobs,
        dict(_missing_scores(suite)) if "score" in suite.config.stages else {},
        downloads,
        [f"{component.name}: {component.error}" for component in components if component.error],
        suite.store.leaderboard_path(suite.tasks[0].reference.id, "md"),
    )


def _planned(suite: Suite) -> Iterator[PlannedJob]:
    speeds = {(run.system, run.record.direction): speed for run, speed in _speeds(suite.store)}
    for job in suite.jobs:
        count = 0 if job.is_finished(suite.store) else len(unfinished_sources(job))
        speed = speeds.get((job.card.name, job.task.direction))
        yield PlannedJob(f"{job.label} {job.shard.name}".strip(), count, count / speed if speed else None)


def _speeds(own: Store) -> Iterator[tuple[Run, float]]:
    """Complete runs of this store and of results/, with their segments per second; those of this store last."""
    for store in (Store(_PUBLISHED), own):
        for set_id in store.set_ids():
            for direction in store.directions(set_id):
                for run in store.runs_in(set_id, direction):
                    if speed := run.record.work.segments_per_second:
                        yield run, speed


def _missing_scores(suite: Suite) -> Iterator[tuple[str, int]]:
    """Metric id -> scores that are missing, those of runs to come included."""
    new = sum(suite.store.run(job.folder) is None for job in suite.jobs if job.shard.number == 0)
    tasks = [Task(suite.tasks[0].reference, d) for d in sorted({job.task.direction for job in suite.jobs})]
    for metric, scorer in suite.scorers.items():
        yield metric, new + sum(len(unscored_runs(suite.store, task, metric, scorer)) for task in tasks)


def total_seconds(jobs: Sequence[PlannedJob]) -> float | None:
    """Of all jobs, one after another; None if the time of one is not known."""
    known = [job.seconds for job in jobs if job.segments]
    return None if None in known else sum(seconds for seconds in known if seconds)
