"""`bench run`: overrides -> jobs -> translate (a Hydra multirun) -> score -> leaderboards.

One job is one system x one direction. A suite is expanded into the sweep system=a,b,… direction=zh-en,en-zh and handed to
Hydra's own multirun, so that hydra/launcher=… takes the same jobs to another machine. What a job did is read from the
store and nowhere else, so that it does not matter where it ran.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import leaderboard, progress, references, store
from bench.core import DIRECTIONS, Adapter, BenchError, Direction, ReferenceSet, Scorer, sides
from bench.resources import data_dir
from bench.score import score
from bench.translate import identity, is_current, translate

CONFIGS = str(data_dir("configs"))


@dataclass(frozen=True)
class Job:
    """One system x one direction, as its config describes it."""

    config: DictConfig
    adapter: Adapter
    direction: Direction
    folder: Path

    @classmethod
    def of(cls, config: DictConfig) -> Job:
        with _sentences():
            direction = cast(Direction, config.direction)
            sides(direction)
            adapter: Adapter = _instantiate(config.system.adapter)
            system = str(config.system.name)
            root, reference = Path(config.store), _reference(config).id
            folder = store.run_folder(root, reference, direction, system, identity(adapter, direction))
            return cls(config, adapter, direction, folder)

    @property
    def card(self) -> dict[str, Any]:
        """What the yaml says of the system, without what its adapter does."""
        return {key: value for key, value in self._system().items() if key != "adapter"}

    @property
    def adapter_config(self) -> dict[str, Any]:
        """How the adapter was set up, every value resolved."""
        return dict(self._system()["adapter"])

    def _system(self) -> dict[str, Any]:
        return cast("dict[str, Any]", OmegaConf.to_container(self.config.system, resolve=True))


def run(overrides: Sequence[str]) -> tuple[list[leaderboard.Board], Path]:
    """Everything `bench run` does but print. Gives the boards of the directions asked for, and the path of leaderboard.md,
    which holds both directions as far as the store has them.

    A system that fails leaves its reason in the store and on the board; the others go on.
    """
    sweep, suite = expand(overrides)
    configs = list(_compose_each(sweep))
    config = configs[0]
    progress.quiet = config.quiet
    jobs = [Job.of(config) for config in configs]
    reference = _reference(config)
    if len({job.folder.parents[1] for job in jobs}) > 1:
        raise BenchError(
            "One run makes the boards of one set: give reference, granularity and store one value each."
        )
    if not all(_done(job, reference) for job in jobs):
        _multirun(sweep)

    root, scorers = Path(config.store), _scorers(config)
    primary = suite.primary if suite.primary in scorers else next(iter(scorers))
    boards = []
    asked = {job.direction for job in jobs}
    there = store.directions(root, reference.id)
    for direction in (d for d in DIRECTIONS if d in asked or d in there):
        score(root, reference, direction, scorers)
        wanted = [job.folder.name for job in jobs if job.direction == direction]
        boards.append(leaderboard.build(root, reference, direction, list(scorers), primary, wanted))
    path = leaderboard.write(root, boards)
    return [board for board in boards if board.direction in asked], path


def expand(overrides: Sequence[str]) -> tuple[list[str], DictConfig]:
    """The overrides of the sweep, completed with the suite's systems and directions; and the suite."""
    with _sentences():
        given = OverridesParser.create().parse_overrides(list(overrides))
        suite = _compose([o.input_line for o in given if o.key_or_group == "suite" and o.input_line]).suite
        keys = {override.key_or_group for override in given}
        sweep = list(overrides)
        for key, values in (("system", suite.systems), ("direction", suite.directions)):
            if key not in keys:
                sweep.append(f"{key}={','.join(values)}")
        return sweep, suite


def job(config: DictConfig) -> None:
    """What Hydra calls for each job, here or on another machine."""
    progress.quiet = config.quiet
    this = Job.of(config)
    reference = _reference(config)
    if _done(this, reference):
        return
    try:
        set_up, most = this.adapter_config, config.batch_tokens
        translate(this.adapter, reference, this.direction, this.folder, this.card, most, set_up)
    except BenchError as error:
        _failed(this, str(error))
    except Exception as error:
        traceback.print_exc()  # a fault of ours or of a library is shown whole, but the other systems go on
        _failed(this, f"{type(error).__name__}: {error}")


def _failed(this: Job, reason: str) -> None:
    progress.say(f"{this.config.system.name} {this.direction} failed: {reason}", warning=True)
    with suppress(BenchError):  # the disk may be full: the board then says that it has not run
        store.write_failure(this.folder, reason)


def _done(this: Job, reference: ReferenceSet) -> bool:
    current = store.read_run(this.folder)
    return is_current(current, reference) and not (current and current.record["flags"].get("error"))


def _multirun(sweep: Sequence[str]) -> None:
    """Hydra reads the command line itself, and so it gets one."""
    main = hydra.main(version_base="1.3", config_path=CONFIGS, config_name="config")(job)
    with patch.object(sys, "argv", ["bench", "--multirun", *sweep]):
        main()


def _compose_each(sweep: Sequence[str]) -> Iterator[DictConfig]:
    with _sentences():
        parsed: list[Override] = OverridesParser.create().parse_overrides(list(sweep))
        batches = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        for arguments in batches[0]:
            yield _compose(arguments)


def _compose(overrides: Sequence[str]) -> DictConfig:
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3", job_name="bench"):
        return hydra.compose("config", overrides=list(overrides))


def _reference(config: DictConfig) -> ReferenceSet:
    return references.load(config.reference, config.granularity)


def _scorers(config: DictConfig) -> dict[str, Scorer]:
    with _sentences():
        return {str(metric): _instantiate(node) for metric, node in config.metric.items()}


def _instantiate(node: DictConfig) -> Any:
    try:
        return hydra.utils.instantiate(node, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, BenchError):
            raise error.__cause__ from None
        raise


@contextmanager
def _sentences() -> Iterator[None]:
    """What Hydra and OmegaConf say of a wrong config, in one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        text = " ".join(str(error).split())
        if unknown := re.search(r"Could not (?:load|find) '(\w+)/([^']+)'", text):
            group, name = unknown.groups()
            known = ", ".join(sorted(path.stem for path in (Path(CONFIGS) / group).glob("*.yaml")))
            raise BenchError(
                f"There is no {group} {name!r}: use one of {known}, or name a folder with your own by --config-dir."
            ) from None
        raise BenchError(f"The configuration does not hold: {text}") from None
