"""`bench run --dry-run`: what a run would do. Nothing is fetched, loaded or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.budget import cost
from bench.checkpoints.fetching import cached_path
from bench.checkpoints.weights import describe_source
from bench.commands.components import disk_usage, run_components, run_configs, weights_name
from bench.commands.run import Suite, read_suite
from bench.core import Source, Task
from bench.languages import estimated_tokens
from bench.scoring.driver import unscored_runs
from bench.store import Run, Store
from bench.translation.driver import TranslationJob, spent, unfinished_sources
from bench.usage import Usage

_PUBLISHED = Path("results")


@dataclass(frozen=True, slots=True)
class PlannedJob:
    name: str
    """System, direction and shard."""
    segments: int
    """Still to be translated."""
    seconds: float | None
    """At the speed of an earlier run of that system in that direction; None if there is none."""
    usage: Usage
    """An estimate; requests and characters are exact, tokens are counted without the tokenizer."""
    is_paid: bool
    """Whether it sends requests to a service."""
    cost: float | None
    """US dollars, from `usage` and the price in the yaml; None without a price."""
    memory: str
    """What the yaml says that the job needs."""


@dataclass(frozen=True, slots=True)
class Plan:
    jobs: Sequence[PlannedJob]
    scores: dict[str, int]
    """Metric id -> scores to be computed."""
    downloads: dict[str, str]
    """File or checkpoint that is not here -> where it would be fetched."""
    disk: int
    """Bytes of the files and checkpoints that are here already."""
    max_cost: float | None
    spent: float
    """US dollars that the runs have cost so far."""
    gaps: Sequence[str]
    """Sentences about systems and metrics that cannot be used as they are."""
    leaderboard: Path


def plan(overrides: Sequence[str]) -> Plan:
    """Raises BenchError for overrides that are wrong, as `bench run` does."""
    suite = read_suite(overrides)
    components = run_components(run_configs(overrides))
    needed = {
        weights_name(weights): (weights, cached_path(weights))
        for component in components
        for weights in component.needs
    }
    downloads = {
        name: describe_source(weights.sources[0]) for name, (weights, path) in needed.items() if path is None
    }
    jobs = list(_planned(suite)) if "translate" in suite.config.stages else []
    return Plan(
        jobs,
        dict(_missing_scores(suite)) if "score" in suite.config.stages else {},
        downloads,
        sum(disk_usage(path) for _, path in needed.values() if path),
        suite.config.get("max_cost"),
        sum(spent(job) for job in suite.jobs if job.shard.number == 0),
        [f"{component.name}: {component.error}" for component in components if component.error],
        suite.store.leaderboard_path(suite.tasks[0].reference.id, "md"),
    )


def _planned(suite: Suite) -> Iterator[PlannedJob]:
    speeds = {(run.system, run.record.direction): speed for run, speed in _speeds(suite.store)}
    for job, request in zip(suite.jobs, suite.requests, strict=True):
        sources = [] if job.is_finished(suite.store) else unfinished_sources(job)
        speed = speeds.get((job.card.name, job.task.direction))
        usage, price = _usage(job, sources), job.card.price
        yield PlannedJob(
            f"{job.label} {job.shard.name}".strip(),
            len(sources),
            len(sources) / speed if speed else None,
            usage,
            hasattr(job.adapter, "endpoint"),
            cost(price, usage) if price else None,
            _memory(request.resources),
        )


def _usage(job: TranslationJob, sources: Sequence[Source]) -> Usage:
    """The adapter's estimate; answers of language models are taken to be as long as the references."""
    usage = job.adapter.usage(sources)
    if not usage.tokens_in:
        return usage
    references = dict(zip(job.task.ids, job.task.references, strict=True))
    answers = sum(estimated_tokens(references[source.id]) for source in sources)
    return replace(usage, tokens_out=round(answers))


def _memory(resources: Mapping[str, Any]) -> str:
    """ "64 GB, 1 GPU"; "" if the yaml says nothing."""
    gpus = resources.get("gpus_per_node")
    parts = [f"{resources['mem_gb']} GB"] if resources.get("mem_gb") else []
    parts += [f"{gpus} GPU{'s' * (gpus != 1)}"] if gpus else []
    return ", ".join(parts)


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


def total_cost(jobs: Sequence[PlannedJob]) -> float:
    """US dollars of all jobs with a price."""
    return sum(job.cost for job in jobs if job.cost)


def without_price(jobs: Sequence[PlannedJob]) -> list[str]:
    """Jobs that send requests to a service whose price is not known."""
    return [job.name for job in jobs if job.is_paid and job.cost is None and job.segments]
