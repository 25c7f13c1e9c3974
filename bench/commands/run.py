"""`bench run`: overrides -> jobs -> scorers made ready -> translate -> score -> compare -> leaderboards.

A suite is expanded into jobs, each one system x one direction (x one shard), which a Hydra launcher runs here or on other
machines; so are jobs that score, each one direction x one metric. What a job did is read from the store and nowhere else, so
that it does not matter where it ran.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from bench import progress, store
from bench.boards.rows import Board, build_board
from bench.boards.write import write_boards
from bench.core import ReferenceSet, Scorer
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.launching.compose import arguments, compose, expand, for_hydra, parse, reference, scorers
from bench.launching.jobs import Job, score_job, translate_job
from bench.launching.launch import Launcher, Work, launch
from bench.scoring.compare.stage import compare_runs
from bench.scoring.driver import score, unscored


def run(overrides: Sequence[str]) -> tuple[list[Board], Path]:
    """Everything `bench run` does but print. Gives the boards of the directions asked for, and the path of boards.md,
    which holds both directions as far as the store has them.

    A system that fails leaves its reason in the store and on the board; the others go on.
    """
    sweep, suite = expand(overrides)
    where = Launcher.of(overrides)
    words = arguments(sweep)
    configs = [compose([*where.words, *of_job]) for of_job in words]
    config = configs[0]
    progress.configure(quiet=config.quiet)  # a job that is made may fetch its set
    jobs = [Job.of(each) for each in configs]
    set_ = reference(config)
    if len({job.folder.parents[1] for job in jobs}) > 1:
        raise BenchError(
            "One run makes the boards of one set: give reference, granularity and store one value each."
        )
    root, judges = Path(config.store), scorers(config)
    translating = [
        Work(of_job, job.resources)
        for of_job, job in zip(words, jobs, strict=True)
        if "translate" in config.stages and not job.done(set_)
    ]
    scoring = "score" in config.stages
    gaps = _prepare(judges, root, set_, bool(translating)) if scoring else {}
    ready = {metric: scorer for metric, scorer in judges.items() if metric not in gaps}
    if translating:
        launch(where, translate_job, translating, store.sweeps_folder(root))

    asked = {job.direction for job in jobs}
    there = store.directions(root, set_.id)
    directions = [d for d in DIRECTIONS if d in asked or d in there]
    unjudged: dict[Direction, dict[str, str]] = {}
    if scoring and where.here:
        for direction in directions:
            score(root, set_, direction, ready)
    elif scoring:
        unjudged = _score_elsewhere(where, overrides, config, root, set_, directions, ready)
    primary = suite.primary if suite.primary in judges else next(iter(judges))
    boards = []
    for direction in directions:
        if config.compare.test:
            compare_runs(root, set_, direction, list(ready), **config.compare)
        wanted = [job.folder.name for job in jobs if job.direction == direction]
        board = build_board(root, set_, direction, list(judges), primary, wanted, gaps)
        boards.append(replace(board, missing={**board.missing, **unjudged.get(direction, {})}))
    path = write_boards(root, boards)
    return [board for board in boards if board.direction in asked], path


def _prepare(
    scorers: Mapping[str, Scorer], root: Path, reference: ReferenceSet, translating: bool
) -> dict[str, str]:
    """Makes the scorers ready that have something to do, before hours are spent on translating. Metric id -> why there will
    be a gap; raises BenchError where the scorer is required."""
    gaps = {}
    for metric, scorer in scorers.items():
        try:
            there = store.directions(root, reference.id)
            if translating or any(unscored(root, reference, d, metric, scorer) for d in there):
                scorer.prepare()
        except BenchError as error:
            if scorer.required:
                raise
            gaps[metric] = str(error)
            progress.say(f"Going on without {metric}: {error}", warning=True)
    return gaps


def _score_elsewhere(
    where: Launcher,
    overrides: Sequence[str],
    config: DictConfig,
    root: Path,
    reference: ReferenceSet,
    directions: Sequence[Direction],
    scorers: Mapping[str, Scorer],
) -> dict[Direction, dict[str, str]]:
    """A job for each direction x metric that has something to do: a model is loaded once and judges all systems. Gives what
    is still not scored then, and why."""

    def left() -> Iterator[tuple[Direction, str]]:
        for direction in directions:
            for metric, scorer in scorers.items():
                if unscored(root, reference, direction, metric, scorer):
                    yield direction, metric

    given, work = parse(overrides), []
    for direction, metric in left():
        own = [o.input_line for o in given if o.input_line and _is_for_scoring(o, metric, scorers)]
        needs = dict(config.metric[metric].get("resources") or {})
        work.append(Work([*own, f"direction={direction}", f"metric=[{metric}]"], needs))
    if work:
        launch(where, score_job, work, store.sweeps_folder(root))
    reasons: dict[Direction, dict[str, str]] = {direction: {} for direction in directions}
    for direction, metric in left():
        why = store.read_failure(store.direction_folder(root, reference.id, direction), metric)
        reasons[direction][f"scores of {metric}"] = why or "scoring has not run"
    return reasons


def _is_for_scoring(override: Override, metric: str, metrics: Collection[str]) -> bool:
    """Whether an override of the run is one of a job that scores by `metric`, too."""
    key, _, rest = override.key_or_group.partition(".")
    package = (override.package or "").partition(".")[0]
    if (
        for_hydra(override)
        or "system" in (key, package)
        or override.key_or_group in ("direction", "metric", "shards")
    ):
        return False
    return key != "metric" or rest.partition(".")[0] not in set(metrics) - {metric}
