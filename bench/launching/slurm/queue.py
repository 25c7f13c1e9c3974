"""What Slurm says about jobs. `squeue` is asked and nothing else: many clusters have no `sacct`."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bench import progress
from bench.errors import BenchError

_ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split()
)
"""Slurm's states of a job that will not run again."""
_PATIENCE = 600.0
"""How long Slurm may not answer before a run gives up, in seconds: slurmctld restarts now and then."""

_ADVICE = (
    (
        r"PartitionTimeLimit",
        "ask for less time: hydra.launcher.timeout_min=MINUTES, or resources.timeout_min",
    ),
    (r"\w*(MaxWall|WallDuration)\w*", "ask for less time: hydra.launcher.timeout_min=MINUTES"),
    (
        r"PartitionNodeLimit|PartitionConfig|BadConstraints",
        "ask for less (hydra.launcher.timeout_min=, mem_gb=, cpus_per_task=, gpus_per_node=) or another partition",
    ),
    (r"JobHeldUser|JobHeldAdmin", "release it: scontrol release JOB"),
    (
        r".*launch.failed.requeued.held.*|JobHoldMaxRequeue|.*requeued held.*",
        "it could not be started on its node: see its log, then scontrol release JOB",
    ),
    (r"Invalid(Account|QOS)|AccountNotAllowed|QOSNotAllowed", "name yours: hydra.launcher.account=, .qos="),
    (r"Reservation(Deleted)?", "name one that is there: hydra.launcher.reservation="),
    (r"DependencyNeverSatisfied|DeadLine", "end it: bench cancel"),
    (r"\w+PerJob\w*", "ask for less: hydra.launcher.mem_gb=, cpus_per_task=, gpus_per_node="),
)
"""Pattern of a reason that concerns the request itself, so that waiting does not help -> what to do."""
_ADVICE_LATER = (
    (r"Assoc\w+|QOS\w+", "a limit of the account or the QOS is used up: use another, or wait for it"),
    (
        r"ReqNodeNotAvail.*|Nodes required .*",
        "no node for this job is up: see sinfo, or use another partition",
    ),
    (r"Partition(Down|Inactive)", "use another partition: hydra.launcher.partition="),
)
"""The same for reasons that may pass when other jobs end."""
_LATER_AFTER = 60.0
"""Seconds that such a reason may last while none of the run's jobs runs."""


@dataclass(frozen=True)
class QueuedJob:
    """A job that has not ended."""

    name: str
    """The name that it was submitted under, which it shares with the other jobs of its array."""
    id: str
    """ "12", or "12_3" in an array."""
    number: int
    """Its position in its array; 0 if it is alone."""
    state: str
    reason: str
    """Why it waits; "" if it does not."""

    @property
    def is_waiting(self) -> bool:
        return self.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT")


def queued_jobs(names: Collection[str] = ()) -> list[QueuedJob] | None:
    """The user's jobs with one of these names, or all, that have not ended; None if Slurm does not answer."""
    command = ["squeue", "--noheader", "--array", "--states=all", f"--user={os.getuid()}"]
    command.append("--format=%j|%F|%K|%T|%r")
    if names:
        command.append(f"--name={','.join(names)}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    jobs = []
    for line in answer.stdout.splitlines():
        name, *fields = line.strip().split("|", 4)
        if len(fields) == 4 and fields[2] not in _ENDED:
            job, position, state, reason = fields
            number = int(position) if position.isdigit() else 0
            identifier = f"{job}_{position}" if position.isdigit() else job
            waits = state not in ("RUNNING", "COMPLETING", "CONFIGURING")
            jobs.append(
                QueuedJob(name, identifier, number, state, reason if waits and reason != "None" else "")
            )
    return jobs


def queued_jobs_patiently(names: Collection[str] = ()) -> list[QueuedJob]:
    """The same, asked until Slurm answers. Raises BenchError if it does not for ten minutes."""
    end, told = time.monotonic() + _PATIENCE, False
    while (jobs := queued_jobs(names)) is None:
        if time.monotonic() > end:
            raise BenchError("Slurm does not answer (squeue): run again when it does.")
        if not told:
            progress.say("Slurm does not answer (squeue): asking again …", warning=True)
            told = True
        time.sleep(5)
    return jobs


def cancel(jobs: Iterable[QueuedJob]) -> None:
    """Raises BenchError if Slurm refuses."""
    ids = [job.id for job in jobs]
    for start in range(0, len(ids), 500):
        try:
            command = ["scancel", *ids[start : start + 500]]
            subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        except subprocess.CalledProcessError as error:
            raise BenchError(f"scancel failed: {' '.join(error.stderr.split())}") from None
        except (OSError, subprocess.SubprocessError) as error:
            raise BenchError(f"scancel failed ({type(error).__name__}): run again.") from None


def largest_array() -> int:
    """How many jobs an array of this cluster may have: MaxArraySize counts from 0."""
    try:
        command = ["scontrol", "show", "config"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 1000
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    return max(1, int(found[1]) - 1) if found else 1000


def counted(jobs: Collection[object]) -> str:
    """ "1 job", "2 jobs"."""
    return f"{len(jobs)} job" if len(jobs) == 1 else f"{len(jobs)} jobs"


def description(jobs: Collection[QueuedJob]) -> str:
    """ "4 running, 16 waiting (Priority 10, Resources 6)"."""
    waiting = [job for job in jobs if job.is_waiting]
    states = Counter(job.state.lower() for job in jobs if not job.is_waiting)
    parts = [f"{count} {state}" for state, count in states.most_common()]
    if waiting:
        reasons = Counter(job.reason or "new" for job in waiting)
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(4))
        parts.append(f"{len(waiting)} waiting ({listed})")
    return ", ".join(parts)


def advice(reason: str) -> str:
    """What to do about a reason that does not pass by itself; "" for any other."""
    return _advice(reason, _ADVICE)


class Obstacles:
    """Which of the jobs that wait will not start by themselves."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def look(self, jobs: Collection[QueuedJob]) -> Mapping[str, str]:
        """Reason -> what to do, if nothing runs and no job can start: then waiting is in vain. Else empty."""
        now = time.monotonic()
        if not jobs or not all(job.is_waiting for job in jobs):
            self._since.clear()
            return {}
        reasons = {job.reason for job in jobs}
        self._since = {reason: self._since.get(reason, now) for reason in reasons}
        found = {reason: self._in_vain(reason, now) for reason in reasons}
        return found if all(found.values()) else {}

    def _in_vain(self, reason: str, now: float) -> str:
        is_old = now - self._since[reason] >= _LATER_AFTER
        return advice(reason) or (_advice(reason, _ADVICE_LATER) if is_old else "")


def _advice(reason: str, table: Iterable[tuple[str, str]]) -> str:
    return next((what for pattern, what in table if re.fullmatch(pattern, reason, re.IGNORECASE)), "")
