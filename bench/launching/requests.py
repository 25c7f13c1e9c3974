"""What is asked of a launcher, and what it knows about each job afterwards."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from bench import limits

_LOOK_AGAIN = 90.0
"""Seconds. NFS may believe for 60 seconds that a file is not there."""
_END_OF_LOG = 16 * 1024
"""Bytes that are read of a log."""
NOT_SUBMITTED, WAITS_IN_VAIN = "could not be submitted", "waits in vain"
"""How the reasons of jobs begin that did not run. The next command decides anew."""
_EMPTY_WORDS = re.compile(r"submitit |srun: (error: \S+ task \d+: Exited |[Ff]orc|Terminating |launch/)")
"""Lines at the end of a log that do not say why a job ended."""


class Resources(TypedDict, total=False):
    """What a job needs: settings of configs/hydra/launcher/slurm.yaml."""

    partition: str | None
    account: str | None
    qos: str | None
    reservation: str | None
    wckey: str | None
    constraint: str | None
    exclude: str | None
    comment: str | None
    gres: str | None
    gpus_per_node: int | None
    gpus_per_task: int | None
    cpus_per_task: int | None
    cpus_per_gpu: int | None
    mem_gb: float | None
    mem_per_cpu: str | None
    mem_per_gpu: str | None
    timeout_min: int | None
    max_num_timeout: int | None
    signal_delay_s: int | None
    array_parallelism: int | None
    setup: list[str] | None
    python: str | None
    additional_parameters: dict[str, bool | int | float | str | None]


@dataclass(frozen=True)
class JobRequest:
    """What a job does, and the resources that it needs."""

    name: str
    """What the job writes in the store, which no other job does: "SET/zh-en/copy-0a1b2c3d"."""
    overrides: Sequence[str]
    """Without those for Hydra itself."""
    resources: Mapping[str, Any]
    """Settings of the launcher: {"mem_gb": 64}."""


@dataclass(frozen=True)
class Outcome:
    """What a launcher knows about a job that has ended or will not start. The store knows whether it succeeded."""

    job: str
    """Slurm's id; "" if it has none."""
    log: Path | None
    """What it wrote."""
    reason: str = ""
    """Why it did not run; "" if it ran."""

    @property
    def ended_normally(self) -> bool:
        """Whether its process ended by itself: submitit then writes a result beside the log."""
        result = self.log and self.log.with_name(self.log.name.replace("_log.out", "_result.pkl"))
        return not self.reason and bool(result) and result != self.log and result.is_file()  # type: ignore[union-attr]

    def explained(self, recorded: str) -> str:
        """Why the job is not done, with the end and the path of its log. `recorded`: what the job wrote itself; "" if
        it wrote nothing."""
        if self.reason:
            return self.reason
        reason = recorded or "ended without a result"
        lines = log_end(self.log, 1) if self.log and not self.ended_normally else []
        end = f"; its log ends with: {lines[0]}" if lines else ""
        return f"{reason}{end}" + (f" (log: {self.log})" if self.log else "")


def log_end(log: Path, count: int) -> list[str]:
    """The last lines of a log that are not empty and not of submitit; none if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END_OF_LOG))
            text = file.read(_END_OF_LOG).decode(errors="replace")
    except OSError:
        return []
    lines = [line.strip()[: limits.MESSAGE_CHARACTERS] for line in text.splitlines() if line.strip()]
    return [line for line in lines if not _EMPTY_WORDS.match(line)][-count:] or lines[-count:]


def look_again(undecided: Callable[[], Collection[Path]]) -> None:
    """Wait until the files of jobs that have ended are visible here, but not for ever.

    `undecided`: gives the folders in which they must appear. A network file system answers from memory that a file is
    not there, although another machine has written it. Changing the folder and listing it makes most of them ask.
    """
    end = time.monotonic() + _LOOK_AGAIN
    while folders := undecided():
        if time.monotonic() > end:
            return
        for folder in set(folders):
            with suppress(OSError):
                os.close((made := tempfile.mkstemp(prefix=".look-", dir=folder))[0])
                os.unlink(made[1])
                os.listdir(folder)
        time.sleep(1)
