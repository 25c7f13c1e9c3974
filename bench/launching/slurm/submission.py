"""Handing jobs to Slurm: one array of jobs with the same settings, by submitit.

submitit writes the script, and has a job requeued before its time limit. It also knows how to wait for jobs, but gives
up at the first cancelled one where there is no `sacct`: see `waiting`.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from omegaconf import DictConfig

from bench import limits
from bench.errors import BenchError
from bench.files import decode_record, read_bytes
from bench.launching import hydra_app
from bench.launching.hydra_app import JobList
from bench.launching.slurm.queue import advice
from bench.resources import isolation

JOBS_FILE = "jobs.json"
_OF_SUBMITIT = "array_parallelism signal_delay_s stderr_to_stdout setup teardown srun_args use_srun".split()
"""Settings that are submitit's own."""
_NO_OPTIONS = {*_OF_SUBMITIT, "additional_parameters", "max_num_timeout", "python", "timeout_min"}
_LIMIT = re.compile(r"accounting/QOS policy|SubmitJob|job array|temporarily", re.IGNORECASE)
"""In sbatch's error: fewer jobs, or the same jobs later, may be accepted."""
_ADVICE = (
    ("Invalid account", "name yours: hydra.launcher.account= (sacctmgr show assoc user=$USER)"),
    ("Invalid qos", "name yours: hydra.launcher.qos= (sacctmgr show assoc user=$USER)"),
    ("[Ii]nvalid partition", "choose another: hydra.launcher.partition= (sinfo)"),
    ("[Rr]eservation", "name yours: hydra.launcher.reservation="),
    ("wckey", "name yours: hydra.launcher.wckey="),
    ("time limit is invalid", "ask for less time: hydra.launcher.timeout_min="),
    (
        "node configuration is not available",
        "ask for less: hydra.launcher.mem_gb=, cpus_per_task=, gpus_per_node=",
    ),
)
"""In sbatch's error -> what to do."""


class LimitReached(Exception):
    """Slurm does not take that many jobs now."""


@dataclass(frozen=True)
class Batch:
    """Jobs that were submitted together."""

    folder: Path
    job: str
    """Slurm's id."""
    names: Sequence[str]
    """Of the jobs, by their number."""

    def log(self, number: int) -> Path:
        """What the job wrote."""
        job = f"{self.job}_{number}" if len(self.names) > 1 else self.job
        return self.folder / f"{job}_0_log.out"


class NodeJob:
    """What runs on the node. submitit calls `checkpoint` before a time limit, and starts what it returns."""

    def __call__(self, file: str, number: int) -> None:
        hydra_app.run_listed_job(Path(file), number)

    def checkpoint(self, file: str, number: int) -> Any:
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, file, number)


def submit(
    function: Callable[[DictConfig], None],
    jobs: Sequence[tuple[str, Sequence[str]]],
    settings: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
) -> Batch:
    """Submit jobs, each a name and its overrides, with the same settings of the launcher.

    `folder`: a new folder for logs, whose name becomes that of the jobs. `environment`: variables that the nodes get.
    Raises LimitReached, or BenchError with what Slurm says.
    """
    folder.mkdir(parents=True)
    file = (folder / JOBS_FILE).absolute()
    names = [name for name, _ in jobs]
    record = JobList(
        f"{function.__module__}.{function.__qualname__}",
        [list(overrides) for _, overrides in jobs],
        names,
        plain_settings(settings),
    )
    file.write_bytes(msgspec.json.encode(record))
    said = StringIO()
    try:
        with environment_of_login(), redirect_stderr(said):
            executor = _executor(folder, settings, environment)
            submitted = executor.map_array(NodeJob(), [str(file)] * len(jobs), range(len(jobs)))
    except OSError as error:
        raise BenchError(f"Cannot write {folder} ({error.strerror}).") from None
    except Exception as error:  # of submitit, which has many kinds
        for path in folder.glob("*.pkl"):
            path.unlink()
        file.unlink()
        raise _refusal(
            " ".join(str(error).split())[: limits.LINE_CHARACTERS] or type(error).__name__
        ) from None
    return Batch(folder, submitted[0].job_id.partition("_")[0], names)


def _refusal(text: str) -> LimitReached | BenchError:
    """What Slurm's error means. A limit that concerns a single job does not pass."""
    if what := next((what for sign, what in _ADVICE if re.search(sign, text)), ""):
        return BenchError(f"{text}: {what}")
    if what := next(filter(None, map(advice, re.findall(r"\w+", text))), ""):
        return BenchError(f"{text}: {what}")
    return LimitReached(text) if _LIMIT.search(text) else BenchError(text)


def read_jobs(folder: Path) -> JobList | None:
    """The jobs that were submitted from a folder of logs; None if it is not one."""
    try:
        path = folder / JOBS_FILE
        return decode_record(read_bytes(path, limits.TABLE_BYTES, inside=folder), path, JobList)
    except (FileNotFoundError, BenchError):
        return None


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As they are after a file was written and read."""
    return dict(msgspec.json.decode(msgspec.json.encode(settings)))


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a launcher that are options of sbatch and srun, except the time: {"mem": "24576M"}."""
    given = {key: value for key, value in settings.items() if value not in (None, {}, [], False)}
    further = given.get("additional_parameters", {})
    given = {key: value for key, value in given.items() if key not in _NO_OPTIONS}
    if "mem_gb" in given:
        given["mem"] = f"{int(given.pop('mem_gb') * 1024)}M"
    if "tasks_per_node" in given:
        given["ntasks_per_node"] = given.pop("tasks_per_node")
    if "gpu" in str(given.get("gres", "")):  # Slurm refuses GPUs with and without a type in one request
        if given.get("gpus_per_node"):
            given.pop("gpus_per_node")
        else:
            given.pop("gres")  # this job needs none
    every = {**given, **{key: value for key, value in further.items() if value not in (None, False)}}
    return {key.replace("_", "-"): value for key, value in every.items()}


def _executor(folder: Path, settings: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    from submitit import SlurmExecutor

    own = {key: settings[key] for key in _OF_SUBMITIT if settings.get(key) is not None}
    own["setup"] = [*setup(environment), *own.get("setup", [])]
    executor = SlurmExecutor(
        folder, max_num_timeout=settings.get("max_num_timeout") or 0, python=settings.get("python")
    )
    # A wckey of its own, as submitit has one by default, is refused where wckeys are enforced.
    executor.update_parameters(
        job_name=folder.name,
        time=settings.get("timeout_min") or 60,
        wckey=None,
        additional_parameters=options(settings),
        **own,
    )
    return executor


def setup(environment: Mapping[str, str]) -> list[str]:
    """Lines of the script before the job. Some sites pass no environment on, and srun inherits that; some versions
    of Slurm do not pass the number of cores on to srun."""
    return [
        "export SLURM_EXPORT_ENV=ALL",
        '[ -z "$SLURM_CPUS_PER_TASK" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK',
        *(f"export {name}={shlex.quote(value)}" for name, value in {**environment, **isolation()}.items()),
    ]


@contextmanager
def environment_of_login() -> Iterator[None]:
    """Hide what Slurm set for the job that this process may be part of: its memory, cores and nodes are not those of
    the jobs that it submits."""
    hidden = {
        name: value
        for name, value in os.environ.items()
        if "SLURM_JOB_ID" in os.environ and name.startswith(("SLURM_", "SRUN_")) and name != "SLURM_CONF"
    }
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
