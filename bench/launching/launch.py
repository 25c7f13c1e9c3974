"""Runs jobs in this process, or gives them to a Hydra launcher and waits until they have ended.

A Hydra launcher gives all jobs of a sweep the same resources and returns when they have ended. So the jobs
are submitted in batches that need the same resources, each by a process of its own
(bench.launching.hydra_app); on Slurm a batch is a job array. submitit, the library behind the Slurm launcher,
learns from `sacct` how a job ended. Many clusters have no `sacct`, and submitit gives up at the first
cancelled job. So `squeue` decides whether there are jobs left to wait for. Nothing else is taken from Slurm:
the store says what was done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench import progress
from bench.errors import BenchError
from bench.files import check_inside
from bench.launching import hydra_app
from bench.launching.compose import compose, hydra_overrides, override, parse_overrides
from bench.resources import isolated_workers

MAX_ARRAY_SIZE = 1000
"""Jobs in a batch: Slurm's own limit unless the cluster changed it."""
MAX_BATCHES = 8
"""Batches submitted at the same time. Each has a waiting process on this machine."""
POLL_SECONDS = 0.5
MAX_SQUEUE_PAUSE = 15.0
"""Longest pause between two calls of squeue, in seconds."""
GRACE_SECONDS = 20.0
"""How long submitit may take to notice that all jobs have ended."""

_ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split()
)
"""Slurm's states of a job that will not run again."""


@dataclass(frozen=True)
class JobRequest:
    """What a job does, and the resources that it needs."""

    overrides: Sequence[str]
    """Without those for Hydra itself."""
    resources: Mapping[str, Any]
    """Settings of the launcher: {"mem_gb": 64}."""


@dataclass(frozen=True)
class Launcher:
    """Where jobs run: what hydra/launcher=… and hydra.launcher.… say."""

    overrides: Sequence[str]
    """All overrides for Hydra itself."""
    config: DictConfig

    @classmethod
    def from_overrides(cls, overrides: Sequence[str]) -> Launcher:
        """Raises BenchError if jobs are to go to Slurm, and this machine cannot submit them."""
        for_hydra = hydra_overrides(overrides)
        launcher = cls(for_hydra, compose(for_hydra, with_hydra=True).hydra.launcher)
        if launcher.is_slurm and not shutil.which("sbatch"):
            raise BenchError(
                "There is no sbatch here: run this on a machine that can submit jobs to the cluster."
            )
        return launcher

    @property
    def is_local(self) -> bool:
        """True if jobs run one after another in this process."""
        return str(self.config._target_).endswith("BasicLauncher")

    @property
    def is_slurm(self) -> bool:
        return str(self.config._target_).endswith("SlurmLauncher")

    def batches(self, requests: Sequence[JobRequest]) -> Iterator[tuple[list[str], list[JobRequest]]]:
        """Jobs that can be submitted together, with the overrides that request their resources.

        A resource that the launcher does not know is ignored; the command line wins over a request.
        """
        given = {parsed.key_or_group for parsed in parse_overrides(self.overrides)}
        batches: dict[tuple[str, ...], list[JobRequest]] = defaultdict(list)
        for request in requests:
            settings = {f"hydra.launcher.{k}": v for k, v in request.resources.items() if k in self.config}
            batches[tuple(override(k, settings[k]) for k in sorted(settings) if k not in given)].append(
                request
            )
        for resources, batch in batches.items():
            for start in range(0, len(batch), MAX_ARRAY_SIZE):
                yield list(resources), batch[start : start + MAX_ARRAY_SIZE]


def launch(
    launcher: Launcher, function: Callable[[DictConfig], None], requests: Sequence[JobRequest], folder: Path
) -> None:
    """Call `function` with the config of each job. Returns when all jobs have ended, however they ended.

    `function` must be importable by its name. `folder` gets the logs of jobs that run in other processes.
    """
    if launcher.is_local:
        for request in requests:
            function(compose([*launcher.overrides, *request.overrides]))
        return
    check_inside(folder, folder.parent)
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    pending = list(launcher.batches(requests))
    running: list[_Batch] = []
    exited = 0
    pause, next_look = 1.0, 0.0
    try:
        while pending or running:
            while pending and len(running) < MAX_BATCHES:
                resources, batch_requests = pending.pop(0)
                batch_folder = folder / f"bench-{stamp}-{len(pending)}"
                running.append(_Batch(launcher, function, resources, batch_requests, batch_folder))
            time.sleep(POLL_SECONDS)
            previously_exited, exited = exited, _count_exited(running)
            if exited == previously_exited and time.monotonic() < next_look:
                continue
            pause, next_look = min(2 * pause, MAX_SQUEUE_PAUSE), time.monotonic() + pause
            queued = _queued([batch.name for batch in running]) if launcher.is_slurm else set()
            running = [batch for batch in running if not batch.is_over(queued)]
            exited = _count_exited(running)
    finally:
        for batch in running:
            batch.process.kill()


class _Batch:
    """Jobs that were submitted together, and the process that submits them and waits for them."""

    def __init__(
        self,
        launcher: Launcher,
        function: Callable[[DictConfig], None],
        resources: Sequence[str],
        requests: Sequence[JobRequest],
        folder: Path,
    ) -> None:
        self.name, self.folder = folder.name, folder
        self._idle_since = float("inf")
        overrides = [*launcher.overrides, *resources, override("hydra.sweep.dir", str(folder))]
        if launcher.is_slurm:
            overrides.append(override("hydra.launcher.name", self.name))
        jobs = [[*launcher.overrides, *request.overrides] for request in requests]
        folder.mkdir(parents=True)
        command = hydra_app.command(function, jobs, folder / "jobs.json", overrides)
        with (folder / "launch.log").open("w") as log, isolated_workers():
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with_resources = f" with {' '.join(resources)}" if resources else ""
        cancel = f"; cancel them with: scancel --name={self.name}" if launcher.is_slurm else ""
        progress.say(f"{len(jobs)} jobs submitted{with_resources}; logs in {folder}{cancel}")

    def is_over(self, queued: Collection[str] | None) -> bool:
        """True if there is nothing left to wait for.

        `queued`: names of batches with jobs that have not ended; None if Slurm does not answer.
        """
        submitted = any(self.folder.glob(".submitit/*/*_submitted.pkl"))
        status = self.process.poll()
        if status and not submitted:
            log = self.folder / "launch.log"
            lines = log.read_text().strip().splitlines() or ["no error message"]
            progress.say(f"Jobs could not be submitted: {lines[-1]} ({log})", warning=True)
            return True
        if queued is None or self.name in queued:
            self._idle_since = float("inf")
            return False
        if status is None and submitted:  # it waits for the result of a job that will give none
            self._idle_since = min(self._idle_since, time.monotonic())
            if time.monotonic() - self._idle_since < GRACE_SECONDS:
                return False
            self.process.kill()
            return True
        return status is not None


def _count_exited(batches: Sequence[_Batch]) -> int:
    return sum(batch.process.poll() is not None for batch in batches)


def _queued(names: Sequence[str]) -> set[str] | None:
    """Which of the names have Slurm jobs that have not ended; None if Slurm does not answer."""
    command = ["squeue", "--noheader", "--states=all", "--format=%j|%T", f"--name={','.join(names)}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    pairs = (line.strip().split("|") for line in answer.stdout.splitlines() if "|" in line)
    return {name for name, state in pairs if state not in _ENDED}
