"""Runs jobs in this process, or gives them to a launcher and waits until they have ended."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench import progress
from bench.errors import BenchError
from bench.files import check_inside
from bench.launching import gpus, hydra_app
from bench.launching.compose import (
    MISSING_EXTRA,
    compose,
    friendly_errors,
    hydra_overrides,
    override,
    parse_overrides,
)
from bench.launching.launcher_settings import SLURM
from bench.launching.requests import JobRequest, Outcome
from bench.resources import isolation

_OF_HYDRA = ("_target_", "submitit_folder", "name", "nodes")
"""Keys of a Slurm launcher that bench sets itself, its own or that of hydra-submitit-launcher."""


@dataclass(frozen=True)
class Launcher:
    """Where jobs run: what hydra/launcher=… and hydra.launcher.… say."""

    overrides: Sequence[str]
    """All overrides for Hydra itself."""
    config: DictConfig

    @classmethod
    def from_overrides(cls, overrides: Sequence[str]) -> Launcher:
        """Raises BenchError if jobs are to go to Slurm, and this machine cannot submit them."""
        launcher = cls._composed(overrides)
        if launcher.is_slurm and not find_spec("submitit"):
            raise BenchError(MISSING_EXTRA)
        if launcher.is_slurm and not (shutil.which("sbatch") and shutil.which("srun")):
            raise BenchError(
                "There is no sbatch here: run this on a machine that can submit jobs to the cluster."
            )
        return launcher

    @classmethod
    def _composed(cls, overrides: Sequence[str]) -> Launcher:
        for_hydra = hydra_overrides(overrides)
        return cls(for_hydra, compose(for_hydra, with_hydra=True).hydra.launcher)

    @property
    def is_local(self) -> bool:
        """True if jobs run one after another in this process."""
        return str(self.config._target_).endswith("BasicLauncher")

    @property
    def is_slurm(self) -> bool:
        return str(self.config._target_) == SLURM or str(self.config._target_).endswith("SlurmLauncher")

    @property
    def is_joblib(self) -> bool:
        return str(self.config._target_).endswith("JoblibLauncher")

    def processes(self, gpus: int) -> int:
        """Of joblib's launcher: one for each GPU, or as many as the command line gives, if there are GPUs for them."""
        given = self.config.n_jobs if "hydra.launcher.n_jobs" in self._given else 0
        if gpus and given > gpus:
            progress.say(f"There are {gpus} GPUs: {gpus} processes instead of {given}.")
        if given <= 0:
            return max(1, gpus)
        return min(int(given), gpus) if gpus else int(given)

    @property
    def _given(self) -> set[str]:
        """The settings that the command line gives: they win over the resources of a request."""
        return {parsed.key_or_group for parsed in parse_overrides(self.overrides)}

    def settings(self, request: JobRequest) -> dict[str, Any]:
        """Of Slurm, for one job."""
        keys = [key for key in self.config if key not in _OF_HYDRA]
        with friendly_errors():
            values = {str(key): self._plain(self.config[key]) for key in keys}
        for key, value in request.resources.items():
            if key == "additional_parameters":
                values[key] = {**dict(value or {}), **(values.get(key) or {})}
            elif f"hydra.launcher.{key}" not in self._given:
                values[key] = value
        return values

    @staticmethod
    def _plain(value: Any) -> Any:
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value

    def batches(self, requests: Sequence[JobRequest]) -> Iterator[tuple[list[str], list[JobRequest]]]:
        """For a launcher of Hydra: jobs that can be started together, with the overrides that request their
        resources. A resource that the launcher does not know is ignored."""
        batches: dict[tuple[str, ...], list[JobRequest]] = defaultdict(list)
        for request in requests:
            settings = {f"hydra.launcher.{k}": v for k, v in request.resources.items() if k in self.config}
            resources = tuple(override(k, settings[k]) for k in sorted(settings) if k not in self._given)
            batches[resources].append(request)
        for resources, batch in batches.items():
            yield list(resources), batch


def uses_slurm(overrides: Sequence[str]) -> bool:
    """Whether these overrides send jobs to Slurm, which this machine need not have."""
    return Launcher._composed(overrides).is_slurm


def launch(
    launcher: Launcher, function: Callable[[DictConfig], None], requests: Sequence[JobRequest], folder: Path
) -> dict[str, Outcome]:
    """Call `function` with the config of each job. Returns when all jobs have ended, however they ended.

    `function` must be importable by its name. `folder` gets the logs of jobs that run in other processes. Returns what
    a launcher knows of jobs, by name; nothing of jobs that ran here.
    """
    if launcher.is_local:
        for request in requests:
            function(compose([*launcher.overrides, *request.overrides]))
        return {}
    check_inside(folder, folder.parent)
    if launcher.is_slurm:
        from bench.launching.slurm.waiting import launch_on_slurm

        requests = [replace_overrides(request, launcher.overrides) for request in requests]
        return launch_on_slurm(
            function, [(request, launcher.settings(request)) for request in requests], folder
        )
    return _launch_by_hydra(launcher, function, requests, folder)


def replace_overrides(request: JobRequest, for_hydra: Sequence[str]) -> JobRequest:
    return JobRequest(request.name, [*for_hydra, *request.overrides], request.resources)


def _launch_by_hydra(
    launcher: Launcher, function: Callable[[DictConfig], None], requests: Sequence[JobRequest], folder: Path
) -> dict[str, Outcome]:
    """A launcher of Hydra gives all jobs of a sweep the same resources, and returns when they have ended. So jobs are
    started in batches with the same resources, each by a process of its own (bench.launching.hydra_app)."""
    outcomes: dict[str, Outcome] = {}
    processes: list[subprocess.Popen[bytes]] = []
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    try:
        for number, (resources, batch) in enumerate(launcher.batches(requests)):
            sweep = folder / f"bench-{stamp}-{number}"
            sweep.mkdir(parents=True)
            overrides = [*launcher.overrides, *resources, override("hydra.sweep.dir", str(sweep))]
            environment = dict(os.environ)
            if launcher.is_joblib:
                visible = gpus.visible_gpus()
                environment["CUDA_VISIBLE_DEVICES"] = ",".join(visible)
                overrides.append(override("hydra.launcher.n_jobs", launcher.processes(len(visible))))
            jobs = [[*launcher.overrides, *request.overrides] for request in batch]
            command = hydra_app.command(function, jobs, sweep / "jobs.json", overrides)
            log = sweep / "launch.log"
            with log.open("w") as file:
                environment |= isolation()
                processes.append(
                    subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
                    )
                )
            with_resources = f" with {' '.join(resources)}" if resources else ""
            progress.say(f"{len(jobs)} jobs started{with_resources}; log in {log}")
            outcomes.update({request.name: Outcome("", log) for request in batch})
        for process in processes:
            process.wait()
    finally:
        for process in processes:
            process.kill()
    return outcomes
