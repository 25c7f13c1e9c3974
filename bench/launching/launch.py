"""Jobs -> Hydra's own multirun, here or on other machines, and waiting until they have ended.

A Hydra launcher gives all jobs of a multirun the same resources and comes back when they have ended. So there is one multirun,
in a process of its own, for all jobs that need the same: on Slurm a job array. submitit learns from `sacct` how a job ended,
which many clusters do not have, and gives up at the first job that was cancelled; so whether there is still something to wait
for is asked of `squeue`. Nothing else is believed of it: what was done stands in the store.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hydra
from hydra.core.plugins import Plugins
from omegaconf import DictConfig

from bench import progress
from bench.errors import BenchError
from bench.launching.compose import CONFIGS, compose, for_hydra, parse

LARGEST = 1000  # jobs of an array: Slurm's own limit, where nobody has changed it
AT_ONCE = 8  # arrays, each of which has a waiting process here
LONGEST_PAUSE = 15  # seconds between two questions to Slurm
GRACE = 20  # seconds for submitit to see by itself that all jobs have ended

_ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split()
)


@dataclass(frozen=True)
class Work:
    """A job: the overrides that say what it does, and what it needs of a machine, as settings of the launcher."""

    overrides: Sequence[str]
    resources: Mapping[str, Any]


@dataclass(frozen=True)
class Launcher:
    """Where jobs run: what hydra/launcher=… and hydra.launcher.… say."""

    words: Sequence[str]
    """All overrides that are for Hydra itself."""
    config: DictConfig

    @classmethod
    def of(cls, overrides: Sequence[str]) -> Launcher:
        words = [o.input_line for o in parse(overrides) if for_hydra(o) and o.input_line]
        this = cls(words, compose(words, with_hydra=True).hydra.launcher)
        if this.slurm and not shutil.which("sbatch"):
            raise BenchError("There is no sbatch here: start this where the cluster's jobs are submitted.")
        return this

    @property
    def here(self) -> bool:
        """One job after the other, in this process."""
        return str(self.config._target_).endswith("BasicLauncher")

    @property
    def slurm(self) -> bool:
        return str(self.config._target_).endswith("SlurmLauncher")

    def groups(self, work: Sequence[Work]) -> Iterator[tuple[list[str], list[Sequence[str]]]]:
        """The overrides of jobs that can be one multirun, and how its launcher is set. What the launcher does not know, or
        was said on the command line, is not set."""
        said = {override.key_or_group for override in parse(self.words)}
        groups: dict[tuple[str, ...], list[Sequence[str]]] = defaultdict(list)
        for job in work:
            needs = {
                f"hydra.launcher.{key}": value for key, value in job.resources.items() if key in self.config
            }
            settings = (_word(key, value) for key, value in sorted(needs.items()) if key not in said)
            groups[tuple(settings)].append(job.overrides)
        for words, jobs in groups.items():
            for start in range(0, len(jobs), LARGEST):
                yield list(words), jobs[start : start + LARGEST]


def launch(
    where: Launcher, function: Callable[[DictConfig], None], work: Sequence[Work], folder: Path
) -> None:
    """Returns when all jobs have ended, whatever became of them. `folder`: gets the logs."""
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    if where.here:
        multirun(
            function, [*where.words, _word("hydra.sweep.dir", folder / stamp)], [w.overrides for w in work]
        )
        return
    waiting = list(where.groups(work))
    going: list[_Multirun] = []
    pause, next_look, ended = 1.0, 0.0, 0
    try:
        while waiting or going:
            while waiting and len(going) < AT_ONCE:
                words, jobs = waiting.pop(0)
                name = f"bench-{stamp}-{len(waiting)}"
                going.append(_Multirun(where, function, words, jobs, folder / name))
            time.sleep(0.5)
            before, ended = ended, sum(one.process.poll() is not None for one in going)
            if ended == before and time.monotonic() < next_look:
                continue
            pause, next_look = min(2 * pause, LONGEST_PAUSE), time.monotonic() + pause
            queued = _queued([one.name for one in going]) if where.slurm else set()
            going = [one for one in going if not one.is_over(queued)]
            ended = sum(one.process.poll() is not None for one in going)
    finally:
        for one in going:
            one.process.kill()


class _Multirun:
    """A process that hands jobs over and waits for them."""

    def __init__(
        self,
        where: Launcher,
        function: Callable[[DictConfig], None],
        words: Sequence[str],
        jobs: Sequence[Sequence[str]],
        folder: Path,
    ) -> None:
        self.name, self.folder = folder.name, folder
        self._idle_since = float("inf")
        own = [_word("hydra.sweep.dir", folder)]
        if where.slurm:
            own.append(_word("hydra.launcher.name", self.name))
        task = {
            "function": f"{function.__module__}:{function.__name__}",
            "words": [*where.words, *words, *own],
            "jobs": jobs,
        }
        folder.mkdir(parents=True)
        command = [sys.executable, "-c", "from bench.launching.launch import _child; _child()"]
        with (folder / "launch.log").open("w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        assert self.process.stdin
        self.process.stdin.write(json.dumps(task))
        self.process.stdin.close()
        ends = f"; scancel --name={self.name} ends them" if where.slurm else ""
        progress.say(
            f"{len(jobs)} jobs handed over with {' '.join(words) or 'what the launcher says'}, logs in {folder}{ends}"
        )

    def is_over(self, queued: Collection[str] | None) -> bool:
        """Whether nothing more will come of it. `queued`: names under which there are jobs that have not ended, as far as
        that is known."""
        handed_over = any(self.folder.glob(".submitit/*/*_submitted.pkl"))
        status = self.process.poll()
        if status and not handed_over:
            log = self.folder / "launch.log"
            said = log.read_text().strip().splitlines() or ["it said nothing"]
            progress.say(f"Jobs could not be handed over: {said[-1]} ({log})", warning=True)
            return True
        if queued is None or self.name in queued:
            self._idle_since = float("inf")
            return False
        if status is None and handed_over:  # it waits for the result of a job that will give none
            self._idle_since = min(self._idle_since, time.monotonic())
            if time.monotonic() - self._idle_since < GRACE:
                return False
            self.process.kill()
            return True
        return status is not None


def _queued(names: Sequence[str]) -> set[str] | None:
    """Those of `names` under which Slurm has jobs that have not ended; None where it gives no answer."""
    command = ["squeue", "--noheader", "--states=all", "--format=%j|%T", f"--name={','.join(names)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    pairs = (line.strip().split("|") for line in done.stdout.splitlines() if "|" in line)
    return {name for name, state in pairs if state not in _ENDED}


def multirun(
    function: Callable[[DictConfig], None], words: Sequence[str], jobs: Sequence[Sequence[str]]
) -> None:
    """Hydra's own, of just these jobs: by itself it knows only all combinations of values. It reads the command line, and
    so it gets one. `words`: overrides for Hydra itself; `jobs`: the others, of each job."""
    Plugins.instance()  # loads the sweeper's module anew, and so comes before anything in it is replaced
    main = hydra.main(version_base="1.3", config_path=CONFIGS, config_name="config")(function)
    listed = staticmethod(lambda *_: [[list(job) for job in jobs]])
    with (
        patch.object(sys, "argv", ["bench", "--multirun", *words]),
        patch("hydra._internal.core_plugins.basic_sweeper.BasicSweeper.split_arguments", listed),
    ):
        main()


def _child() -> None:
    """What a _Multirun's process does."""
    task = json.load(sys.stdin)
    module, _, name = task["function"].partition(":")
    multirun(getattr(importlib.import_module(module), name), task["words"], task["jobs"])


def _word(key: str, value: Any) -> str:
    """An override; JSON is what Hydra's grammar takes for numbers, null and quoted text."""
    return f"{key}={json.dumps(value if not isinstance(value, Path) else str(value), ensure_ascii=False)}"
