"""`bench jobs` and `bench cancel`: the Slurm jobs of a store."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.launching.slurm import queue
from bench.launching.slurm.waiting import jobs_of
from bench.store import Store


@dataclass(frozen=True)
class UnfinishedJob:
    id: str
    state: str
    """With the reason why it waits."""
    makes: str
    log: Path


def unfinished_jobs(root: Path) -> list[UnfinishedJob]:
    """Raises BenchError if there is no Slurm here."""
    _check_slurm()
    return [
        UnfinishedJob(job.id, f"{job.state.lower()} {job.reason}".strip(), name, log)
        for job, name, _, log in jobs_of(Store(root).logs_folder)
    ]


def cancel_jobs(root: Path) -> str:
    """Returns how many jobs were cancelled: "2 jobs"."""
    _check_slurm()
    jobs = [job for job, *_ in jobs_of(Store(root).logs_folder)]
    queue.cancel(jobs)
    return queue.counted(jobs)


def _check_slurm() -> None:
    if not shutil.which("squeue"):
        raise BenchError("There is no Slurm here: run this on a machine that can submit jobs to the cluster.")
