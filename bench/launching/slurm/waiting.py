"""Jobs of a run on Slurm, from submission to their end.

A job that an earlier command submitted for this store and that has not ended is waited for, and not submitted again. To
know which, each array keeps a list of its jobs beside its logs, and `squeue` knows the arrays by name.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench import progress
from bench.errors import BenchError
from bench.launching import node_environment
from bench.launching.requests import NOT_SUBMITTED, WAITS_IN_VAIN, JobRequest, Outcome
from bench.launching.slurm import queue
from bench.launching.slurm.queue import QueuedJob, counted
from bench.launching.slurm.submission import Batch, LimitReached, plain_settings, read_jobs, submit

PREFIX = "bench-"
"""Of the names of arrays."""
_MAX_ARRAY = 1000
_MAX_PAUSE = 15.0
"""Longest pause between two calls of squeue, in seconds. It is a tenth of the time since a job last changed, so that
short jobs are not waited for longer than they take."""
_RETRY = 60.0
"""Seconds until a submission that Slurm did not take is tried again, if no job of the run has ended meanwhile."""

Settings = Mapping[str, Any]


def launch_on_slurm(
    function: Callable[[DictConfig], None], requests: Sequence[tuple[JobRequest, Settings]], folder: Path
) -> dict[str, Outcome]:
    """Submit what is not submitted yet, and wait until all jobs have ended or cannot start.

    `requests`: jobs, and the settings of the launcher for each. `folder`: of logs. Returns name of a job -> what is
    known about it.
    """
    run = _Run(function, requests, folder)
    try:
        with progress.status() as show:
            run.wait(show)
    except KeyboardInterrupt:
        if run.live:
            progress.say(
                f"{counted(run.live)} will go on without this command. The same command waits for them again; "
                "`bench jobs` shows them, and `bench cancel` ends them.",
                warning=True,
            )
        raise
    return run.outcomes


def jobs_of(folder: Path) -> Iterator[tuple[QueuedJob, str, str, Path]]:
    """Jobs of a store that have not ended, from its folder of logs: the job, its name, its function, its log."""
    names = {path.name for path in folder.glob(f"{PREFIX}*") if path.is_dir()}
    for job, name, function, log, _ in _earlier_jobs(folder, names):
        yield job, name, function, log


def _earlier_jobs(
    folder: Path, names: Collection[str]
) -> Iterator[tuple[QueuedJob, str, str, Path, Settings]]:
    by_array: dict[str, list[QueuedJob]] = defaultdict(list)
    for job in queue.queued_jobs_patiently() if names else ():
        if job.name in names:
            by_array[job.name].append(job)
    for array, jobs in by_array.items():
        record = read_jobs(folder / array)
        if record is None:
            continue
        for job in jobs:
            if job.number < len(record.names):
                batch = Batch(folder / array, job.id.partition("_")[0], record.names)
                yield job, record.names[job.number], record.function, batch.log(job.number), record.settings


class _Run:
    def __init__(
        self,
        function: Callable[[DictConfig], None],
        requests: Sequence[tuple[JobRequest, Settings]],
        folder: Path,
    ) -> None:
        self.function, self.folder = function, folder
        self.outcomes: dict[str, Outcome] = {}
        self.live: list[QueuedJob] = []
        self.total = len(requests)
        self._arrays: set[str] = set()
        """Names of arrays with jobs of this run."""
        self._ids: set[str] = set()
        """Of jobs of this run: an array may have others."""
        self._submitted = 0
        self._stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
        new = self._attach(requests)
        self._pending: dict[str, list[tuple[JobRequest, Settings]]] = defaultdict(list)
        """By settings: these become arrays."""
        for request, settings in new:
            self._pending[json.dumps(plain_settings(settings), sort_keys=True)].append((request, settings))
        self._largest = min(_MAX_ARRAY, queue.largest_array()) if new else 0
        self._environment = node_environment.of_jobs() if new else {}

    def _attach(self, requests: Sequence[tuple[JobRequest, Settings]]) -> list[tuple[JobRequest, Settings]]:
        """Find the jobs that an earlier command submitted; returns those that are to be submitted."""
        names = {path.name for path in self.folder.glob(f"{PREFIX}*") if path.is_dir()}
        function = f"{self.function.__module__}.{self.function.__qualname__}"
        earlier = {
            name: (job, log, settings)
            for job, name, of, log, settings in _earlier_jobs(self.folder, names)
            if of == function
        }
        new, replaced = [], []
        for request, settings in requests:
            found = earlier.get(request.name)
            if found is None:
                new.append((request, settings))
                continue
            job, log, old_settings = found
            if job.is_waiting and old_settings != plain_settings(settings):
                replaced.append(job)
                new.append((request, settings))
            else:
                self._arrays.add(job.name)
                self._ids.add(job.id)
                self.live.append(job)
                self.outcomes[request.name] = Outcome(job.id, log)
        if replaced:
            queue.cancel(replaced)
            progress.say(f"{counted(replaced)} had other settings and waited: cancelled, and submitted anew.")
        if self.live:
            progress.say(
                f"Waiting for {counted(self.live)} of an earlier command that did not end yet, instead of submitting "
                "again."
            )
        return new

    def wait(self, show: Callable[[str], None]) -> None:
        obstacles, told = queue.Obstacles(), set[str]()
        changed = start = time.monotonic()
        next_submission, chunk = 0.0, self._largest
        while self._pending or self.live:
            before = len(self.live)
            if self._pending and time.monotonic() >= next_submission:
                chunk, taken = self._submit(max(1, chunk))
                next_submission = 0.0 if taken else time.monotonic() + _RETRY
            if (queued := queue.queued_jobs(sorted(self._arrays)) if self._arrays else []) is None:
                show("Slurm does not answer (squeue)")
                time.sleep(_MAX_PAUSE)
                continue
            live = [job for job in queued if job.id in self._ids]
            if {(job.id, job.state) for job in live} != {(job.id, job.state) for job in self.live}:
                changed = time.monotonic()
            self.live = live
            if len(live) < before and self._pending:  # there is room again
                next_submission, chunk = 0.0, before - len(live)
            for reason in sorted({job.reason for job in live if job.is_waiting} - told):
                if what := queue.advice(reason):
                    ids = [job.id for job in live if job.reason == reason]
                    progress.say(f"{counted(ids)} cannot start ({reason}): {what}.", warning=True)
                    told.add(reason)
            show(self._status(start))
            if found := obstacles.look(live):
                self._give_up(found)
                return
            if self._pending or live:
                time.sleep(min(max(1.0, (time.monotonic() - changed) / 10), _MAX_PAUSE))

    def _submit(self, chunk: int) -> tuple[int, bool]:
        """Submit all that Slurm takes, in arrays of `chunk` jobs or fewer.

        Returns the size that it took, and whether it took all.
        """
        while self._pending:
            key, waiting = next(iter(self._pending.items()))
            part = waiting[:chunk]
            settings = part[0][1]
            folder = self.folder / f"{PREFIX}{self._stamp}-{self._submitted}"
            self._submitted += 1
            jobs = [(request.name, request.overrides) for request, _ in part]
            try:
                batch = submit(self.function, jobs, settings, folder, self._environment)
            except LimitReached as limit:
                if len(part) > 1:
                    chunk = len(part) // 2
                elif self.live or self._others():
                    return 1, False  # the rest follows when jobs have ended
                else:
                    self._refused(key, str(limit))
            except BenchError as error:
                self._refused(key, str(error))
            else:
                self._taken(batch, [request for request, _ in part], settings)
                if len(part) < len(waiting):
                    self._pending[key] = waiting[chunk:]
                else:
                    del self._pending[key]
        return chunk, True

    def _others(self) -> bool:
        """Whether the user has any job that may take the room of a limit."""
        return bool(queue.queued_jobs())

    def _taken(self, batch: Batch, requests: Sequence[JobRequest], settings: Settings) -> None:
        self._arrays.add(batch.folder.name)
        for number, request in enumerate(requests):
            job = f"{batch.job}_{number}" if len(requests) > 1 else batch.job
            self._ids.add(job)
            self.live.append(QueuedJob(batch.folder.name, job, number, "PENDING", ""))
            self.outcomes[request.name] = Outcome(job, batch.log(number))
        resources = " ".join(f"{key}={value}" for key, value in settings.items() if key in _SHOWN and value)
        progress.say(
            f"{counted(requests)} submitted ({resources}): Slurm job {batch.job}; logs in {batch.folder}; cancel them "
            f"with: scancel --name={batch.folder.name}"
        )

    def _refused(self, key: str, reason: str) -> None:
        """Slurm will never take these jobs."""
        progress.say(f"Jobs could not be submitted: {reason}", warning=True)
        for request, _ in self._pending.pop(key):
            self.outcomes[request.name] = Outcome("", None, f"{NOT_SUBMITTED}: {reason}")

    def _status(self, start: float) -> str:
        pending = sum(map(len, self._pending.values()))
        done = self.total - pending - len(self.live)
        parts = [f"{done} of {self.total} jobs ended"]
        if self.live:
            parts.append(queue.description(self.live))
        if pending:
            parts.append(f"{pending} not submitted yet (limit of this cluster)")
        if 0 < done < self.total:
            left = (time.monotonic() - start) / done * (self.total - done)
            parts.append(f"about {progress.duration(left)} left at this rate")
        return "; ".join(parts)

    def _give_up(self, reasons: Mapping[str, str]) -> None:
        """End the wait for jobs that cannot start. They stay in the queue: the next command decides."""
        for name, outcome in self.outcomes.items():
            for job in self.live:
                if job.id == outcome.job:
                    what = reasons.get(job.reason, "")
                    text = f"{WAITS_IN_VAIN} in the queue ({job.reason}): {what}"
                    self.outcomes[name] = Outcome(job.id, outcome.log, text)
        for key in list(self._pending):
            self._refused(key, "the jobs before them cannot start")
        listed = "; ".join(f"{reason}: {what}" for reason, what in reasons.items())
        progress.say(
            f"{counted(self.live)} cannot start ({listed}), and will stay in the queue. Run again with other settings "
            "to replace them; `bench cancel` ends them.",
            warning=True,
        )


_SHOWN = ("partition", "account", "qos", "timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node", "gres")
