"""`bench run`: overrides -> jobs -> prepared scorers -> translate -> score -> compare -> leaderboards.

A suite is expanded into jobs, one per system and direction (and shard), which a Hydra launcher runs here or
on other machines; so are scoring jobs, one per direction and metric. What a job did is read from the store
only, so that it does not matter where it ran.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from bench import own_code, progress
from bench.boards.rows import Board, Columns, build_board
from bench.boards.write import write_boards
from bench.commands.max_cost import limited_cost
from bench.commands.output_files import check_files
from bench.commands.pages import published_columns
from bench.core import Scorer, Task
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.launching.compose import (
    compose,
    expand,
    friendly_errors,
    is_hydra_override,
    iterate_job_configs,
    job_overrides,
    parse_overrides,
    reference,
    scorers,
)
from bench.launching.jobs import job_resources, of_one_day, score_job, translate_job, translation_job
from bench.launching.launch import Launcher, launch
from bench.launching.requests import NOT_SUBMITTED, WAITS_IN_VAIN, JobRequest, Outcome, log_end, look_again
from bench.launching.spelling import as_meant
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import score, unscored_runs
from bench.store import Store
from bench.store.failures import clear_failures, read_failure, read_failures, write_failure
from bench.store.lock import exclusive_lease
from bench.store.run import retried
from bench.translation.driver import TranslationJob, unfinished_sources

_OF_SET = ("reference", "granularity", "store")  # all jobs of a run share them


@dataclass(frozen=True)
class Suite:
    """One `bench run`, as its overrides describe it."""

    overrides: Sequence[str]
    launcher: Launcher
    config: DictConfig
    """Of the first job; what concerns the run is the same in all of them."""
    jobs: Sequence[TranslationJob]
    requests: Sequence[JobRequest]
    """What the launcher gets for each job."""
    store: Store
    scorers: Mapping[str, Scorer]
    primary: str
    """The metric id that boards are sorted by, if it is one of this run's; else the first of them."""
    board_metric: str
    """The metric id that the suite sorts boards by."""
    tasks: Sequence[Task]
    """All directions, the requested ones and the others."""
    compare_settings: CompareSettings | None
    """None: nothing is tested."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Metric id -> why it cannot be computed now."""

    @property
    def available_scorers(self) -> dict[str, Scorer]:
        return {metric: scorer for metric, scorer in self.scorers.items() if metric not in self.gaps}


def run(overrides: Sequence[str], jobs: Sequence[Sequence[str]] = ()) -> tuple[list[Board], Path]:
    """Everything that `bench run` does except printing.

    `jobs`: the overrides of each job, in addition to `overrides`, if they are not the combinations of values
    that these list.

    Returns the boards of the requested directions, and the path of leaderboard.md, which also holds the other
    direction if the store has it; no boards if the overrides ask for one shard only (shard=K). A system that fails
    leaves its reason in the store and on the board; the others go on.
    """
    suite = read_suite(overrides, jobs)
    store, stages = suite.store, suite.config.stages
    unfinished = [
        (job, request)
        for job, request in zip(suite.jobs, suite.requests, strict=True)
        if "translate" in stages and not job.is_finished(store)
    ]
    is_part = any(parsed.key_or_group == "shard" for parsed in parse_overrides(suite.overrides))
    if "score" in stages and not is_part:
        suite = replace(suite, gaps=_prepare(suite, bool(unfinished)))
    if unfinished:
        _translate(suite, unfinished)
    if is_part:
        _check_parts(suite)
        return [], store.leaderboard_path(suite.tasks[0].reference.id, "md")
    # Somebody may delete runs of this store. What was translated meanwhile is not translated again.
    return retried(lambda: _score_and_write_boards(suite))


def _translate(suite: Suite, unfinished: Sequence[tuple[TranslationJob, JobRequest]]) -> None:
    """Launch jobs, and record what the launcher knows about those that are still not done."""
    jobs, requests = zip(*unfinished, strict=True)
    for folder in {job.folder for job in jobs}:
        clear_failures(folder, NOT_SUBMITTED, WAITS_IN_VAIN)
    before = {request.name: read_failure(job.folder, job.shard.name) for job, request in unfinished}
    with limited_cost(suite.config, suite.jobs, suite.launcher), _overall_bar(suite.launcher, jobs):
        outcomes = launch(suite.launcher, translate_job, requests, suite.store.logs_folder)
    launched = [(job, outcomes[r.name], r.name) for job, r in unfinished if r.name in outcomes]
    look_again(
        lambda: [
            job.folder
            for job, outcome, _ in launched
            if outcome.ended_normally and not job.is_finished(suite.store) and not read_failures(job.folder)
        ]
    )
    for job, outcome, name in launched:
        if job.is_finished(suite.store) or (job.shard.count > 1 and not unfinished_sources(job)):
            continue
        recorded = read_failure(job.folder, job.shard.name)
        reason = outcome.explained(recorded if recorded != before[name] else "")
        if not outcome.reason:  # the launcher has said the others, once for all jobs
            _say_failure(name, reason, outcome)
        write_failure(job.folder, reason, job.shard.name)


def _check_parts(suite: Suite) -> None:
    """Say how far the runs are that these shards belong to. Raises BenchError if one of the shards is not done."""
    for job in suite.jobs:
        if unfinished_sources(job) and not job.is_finished(suite.store):
            reason = read_failure(job.folder, job.shard.name)
            raise BenchError(f"{job.name} is not done: {reason or 'it has not run'}")
        is_whole = job.is_finished(suite.store)
        state = "all shards are done" if is_whole else "other shards are not done yet"
        progress.say(f"{job.name} is done; {state}.")


def _say_failure(name: str, reason: str, outcome: Outcome) -> None:
    lines = log_end(outcome.log, 5) if outcome.log and not outcome.reason else []
    for line in (f"{name}: {reason}", *(f"  | {line}" for line in lines)):
        progress.say(line, warning=True)


def _score_and_write_boards(suite: Suite) -> tuple[list[Board], Path]:
    """As `run`, after all is translated."""
    store, stages = suite.store, suite.config.stages
    requested = {job.task.direction for job in suite.jobs}
    set_id = suite.tasks[0].reference.id
    available = store.directions(set_id)
    tasks = [task for task in suite.tasks if task.direction in requested or task.direction in available]
    unscored: dict[Direction, dict[str, str]] = {}
    requested_tasks = [task for task in tasks if task.direction in requested]
    if "score" in stages and suite.launcher.is_local:
        for task in requested_tasks:
            score(store, task, suite.available_scorers)
    elif "score" in stages:
        unscored = _score_elsewhere(suite, requested_tasks)
    columns = _columns(suite, tasks)
    boards = []
    with exclusive_lease(store.boards_lock(set_id), f"the boards of {set_id}"):  # of one state of the store
        for task in tasks:
            if suite.compare_settings:
                metrics = [metric for metric in columns.metrics if metric not in columns.gaps]
                compare_runs(store, task, metrics, suite.compare_settings)
            labels = [
                job.folder.name
                for job in suite.jobs
                if job.task.direction == task.direction
                and ("translate" in stages or not _is_of_another_engine(store, job))
            ]
            board = build_board(store, task, columns, labels)
            boards.append(replace(board, missing={**board.missing, **unscored.get(task.direction, {})}))
        reasons = list(dict.fromkeys(reason for board in boards for reason in board.missing.values()))
        if reasons and not any(board.rows for board in boards):
            raise BenchError(f"There is nothing to show: {'; '.join(reasons)}")
        path = write_boards(store, boards)
    _name_other_versions(store, tasks)
    if "score" in stages and (more := [metric for metric in columns.metrics if metric not in suite.scorers]):
        progress.say(
            f"This run computed {', '.join(suite.scorers)}; the boards also have {', '.join(more)} of other runs. "
            "Where a score is missing, run again with these metrics."
        )
    return [board for board in boards if board.direction in requested], path


def _is_of_another_engine(store: Store, job: TranslationJob) -> bool:
    """Whether the store has the job's run only from another version of the engine, as where another environment
    translates and this one scores."""
    runs = [run for run in store.current_runs(job.task) if run.system == job.card.name]
    wanted = _without_engine(own_code.identity(job.adapter))
    return job.folder.name not in {run.label for run in runs} and any(
        _without_engine(run.record.adapter) == wanted for run in runs
    )


def _without_engine(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key != "engine_version"}


def _name_other_versions(store: Store, tasks: Sequence[Task]) -> None:
    """Say which runs are not on the boards because the set has changed since."""
    for task in tasks:
        current = {run.label for run in store.current_runs(task)}
        runs = store.runs_in(task.reference.id, task.direction)
        if others := [run.label for run in runs if run.label not in current]:
            names = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            progress.say(
                f"Not on the board {task.direction}, because made from another version of {task.reference.id}: "
                f"{names}. Run again, or delete with bench rm.",
                warning=True,
            )


def read_suite(overrides: Sequence[str], own_jobs: Sequence[Sequence[str]] = ()) -> Suite:
    """Compose the run. Raises BenchError for overrides that are wrong, before anything is translated."""
    overrides = as_meant(overrides)
    sweep, suite = expand(overrides)
    several = BenchError(
        f"One run makes the boards of one set: give one value for each of {', '.join(_OF_SET[:-1])} and {_OF_SET[-1]}."
    )
    if any(
        parsed.is_sweep_override() and parsed.key_or_group in _OF_SET for parsed in parse_overrides(sweep)
    ):
        raise several
    launcher = Launcher.from_overrides(overrides)
    if own_jobs:
        all_job_overrides = [[*job_overrides(overrides)[0], *job] for job in own_jobs]
        configs: Iterator[DictConfig] = (compose([*launcher.overrides, *job]) for job in all_job_overrides)
    else:
        all_job_overrides, configs = job_overrides(sweep), iterate_job_configs(sweep)
    jobs, requests = list[TranslationJob](), list[JobRequest]()
    for job_config, texts in zip(configs, all_job_overrides, strict=True):
        if not jobs:
            config = copy.deepcopy(job_config)
            progress.configure(quiet=config.quiet)  # loading the set may fetch it
            with friendly_errors():
                settings = CompareSettings(**config.compare) if config.compare.test else None
            reference_set, metric_scorers = reference(config), scorers(config)
        if any(job_config[key] != config[key] for key in _OF_SET):
            raise several
        jobs.append(job := translation_job(job_config, reference_set))
        requests.append(JobRequest(job.name, of_one_day(job, texts), job_resources(job_config.system)))
    check_files(jobs)
    return Suite(
        overrides,
        launcher,
        config,
        jobs,
        requests,
        store=Store(config.store),
        scorers=metric_scorers,
        primary=suite.primary if suite.primary in metric_scorers else next(iter(metric_scorers)),
        board_metric=suite.primary,
        tasks=[Task(reference_set, direction) for direction in DIRECTIONS],
        compare_settings=settings,
    )


def _overall_bar(launcher: Launcher, jobs: Sequence[TranslationJob]) -> AbstractContextManager[None]:
    """Progress of all jobs, if several run one after another in this process."""
    if not launcher.is_local or len(jobs) < 2:
        return nullcontext()
    total = sum(len(unfinished_sources(job)) for job in jobs)
    return progress.overall_bar(f"all {len(jobs)} jobs", total, "segments")


def _columns(suite: Suite, tasks: Sequence[Task]) -> Columns:
    """The columns of the boards: the metrics of this run, and those of the boards so far that have scores."""
    store, requested = suite.store, list(suite.scorers)
    set_id = tasks[0].reference.id
    leaderboard = store.leaderboard(set_id)
    has_rows = leaderboard and any(board.rows for board in leaderboard.directions.values())
    previous: Sequence[str] = published_columns(store, set_id).metrics if has_rows else ()
    runs = [run for task in tasks for run in store.current_runs(task)]
    kept = [
        metric
        for metric in previous
        if metric in suite.scorers or any(store.score(run, metric) for run in runs)
    ]
    metrics = requested if set(kept) <= set(requested) else list(dict.fromkeys([*kept, *requested]))
    primary = suite.board_metric if suite.board_metric in metrics else suite.primary
    return Columns(metrics, primary, suite.gaps)


def _prepare(suite: Suite, translating: bool) -> dict[str, str]:
    """Prepare the scorers that have work, before hours are spent on translating.

    Returns metric id -> why the board will have a gap. Raises BenchError if the scorer is required.
    """
    gaps = {}
    for metric, scorer in suite.scorers.items():
        try:
            if translating or any(unscored_runs(suite.store, task, metric, scorer) for task in suite.tasks):
                scorer.prepare()
        except BenchError as error:
            if scorer.required:
                raise
            gaps[metric] = str(error)
            progress.say(f"Continuing without {metric}: {error}", warning=True)
    return gaps


def _score_elsewhere(suite: Suite, tasks: Sequence[Task]) -> dict[Direction, dict[str, str]]:
    """Launch one job per task and metric with work, so that a model is loaded once and scores all systems.

    Returns what is still unscored afterwards, and why.
    """
    metrics = suite.available_scorers

    def unscored(ask_again: bool = False) -> Iterator[tuple[Task, str]]:
        for task in tasks:
            for metric, scorer in metrics.items():
                if unscored_runs(suite.store, task, metric, scorer, ask_again):
                    yield task, metric

    parsed, reasons = parse_overrides(suite.overrides), {task.direction: dict[str, str]() for task in tasks}
    for attempt in range(2):  # a job of an earlier command may have begun before all runs were there
        outcomes = _launch_scoring(suite, list(unscored(ask_again=attempt == 0)), parsed)
        if not any(outcome.ended_normally for outcome in outcomes.values()):
            break

        def undecided() -> list[Path]:
            return [
                run.folder / "scores"
                for task, metric in unscored()
                if not read_failure(suite.store.direction_folder(task), metric)
                for run in unscored_runs(suite.store, task, metric, metrics[metric])
            ]

        look_again(undecided)
        if not undecided():
            break
    for task, metric in unscored():
        folder, outcome = suite.store.direction_folder(task), outcomes.get(_scoring_name(task, metric))
        reason = read_failure(folder, metric)
        if outcome:
            reason = outcome.explained(reason)
            if not outcome.reason:
                _say_failure(_scoring_name(task, metric), reason, outcome)
        reasons[task.direction][f"scores of {metric}"] = reason or "scoring has not run"
    return reasons


def _launch_scoring(
    suite: Suite, unscored: Sequence[tuple[Task, str]], overrides: Sequence[Override]
) -> dict[str, Outcome]:
    requests = []
    for task, metric in unscored:
        shared = [
            o.input_line
            for o in overrides
            if o.input_line and _concerns_scoring(o, metric, suite.available_scorers)
        ]
        job = [*shared, f"direction={task.direction}", f"metric=[{metric}]"]
        resources = job_resources(suite.config.metric[metric])
        requests.append(JobRequest(_scoring_name(task, metric), job, resources))
    return launch(suite.launcher, score_job, requests, suite.store.logs_folder) if requests else {}


def _scoring_name(task: Task, metric: str) -> str:
    return f"{task.reference.id}/{task.direction} scores of {metric}"


def _concerns_scoring(override: Override, metric: str, metrics: Collection[str]) -> bool:
    """Whether an override of the run also applies to a job that scores by `metric`."""
    key, _, rest = override.key_or_group.partition(".")
    package = (override.package or "").partition(".")[0]
    if (
        is_hydra_override(override)
        or "system" in (key, package)
        or override.key_or_group in ("direction", "metric", "shards")
    ):
        return False
    return key != "metric" or rest.partition(".")[0] not in set(metrics) - {metric}
