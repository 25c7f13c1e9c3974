"""The Hydra application that gives jobs to a launcher. bench.launching.launch starts it as a process.

A Hydra sweep is a grid: it runs every combination of the values that it is given. The jobs of a run are a
list. So the list is in a file, the grid has one dimension (the number of the job), and each job composes its
own config from its overrides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
import msgspec
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import get_method
from omegaconf import DictConfig

from bench import progress
from bench.launching.compose import CONFIGS, compose, override
from bench.resources import end_isolation, python_command


class JobList(msgspec.Struct):
    """What the file says."""

    function: str
    """Dotted path of the function that is called with the config of a job."""
    jobs: list[list[str]]
    """The overrides of each job."""
    names: list[str] = []
    """What each job writes: see bench.launching.requests."""
    settings: dict[str, Any] = {}
    """Of the launcher, the same for all jobs."""


def command(
    function: Callable[[DictConfig], None],
    jobs: Sequence[Sequence[str]],
    file: Path,
    overrides: Sequence[str],
) -> list[str]:
    """Write the list of jobs to `file`; returns the command line of this application.

    `overrides` choose and configure the launcher.
    """
    job_list = JobList(f"{function.__module__}.{function.__qualname__}", [list(job) for job in jobs])
    file.write_bytes(msgspec.json.encode(job_list))
    # code instead of -m, so that workers import run_job from its module and not from __main__
    start = python_command("from bench.launching.hydra_app import main; main()")
    return [*start, "--multirun", *overrides, override("+jobs", str(file)), f"+job=range({len(jobs)})"]


def run_job(config: DictConfig) -> None:
    """Run the job with the number `config.job`. A launcher of Hydra calls this, perhaps on another machine."""
    GlobalHydra.instance().clear()  # launchers restore the state of the process that submitted the job
    run_listed_job(Path(config.jobs), config.job)


def run_listed_job(file: Path, number: int) -> None:
    """Run a job of the list in `file`, perhaps on another machine than the one that wrote it."""
    end_isolation()
    job_list = msgspec.json.decode(file.read_bytes(), type=JobList)
    job_config = compose(job_list.jobs[number])
    progress.configure(quiet=job_config.quiet)
    get_method(job_list.function)(job_config)


main = hydra.main(version_base="1.3", config_path=CONFIGS, config_name="config")(run_job)
