"""`bench doctor --on-node`: the same on a node of a cluster, with the settings that jobs would have."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from bench.commands import doctor
from bench.commands.components import run_configs
from bench.errors import BenchError
from bench.launching import node_environment
from bench.launching.compose import is_hydra_override, parse_overrides
from bench.launching.jobs import job_resources
from bench.launching.launch import Launcher
from bench.launching.requests import JobRequest
from bench.launching.slurm.submission import environment_of_login, options, setup

_SEARCH_PATH = "hydra.searchpath"
_MINUTES = 15


def examine_node(overrides: Sequence[str]) -> int:
    """Run `bench doctor` on a node by srun, which prints what it finds. Returns its exit code.

    The node is one that the most demanding of the jobs would get. Raises BenchError if the overrides name no Slurm
    launcher, this machine cannot submit jobs, or Slurm gives no node.
    """
    launcher = Launcher.from_overrides(overrides)
    if not launcher.is_slurm:
        raise BenchError("--on-node needs a launcher of a cluster: add hydra/launcher=slurm.")
    kept = [
        o.input_line
        for o in parse_overrides(overrides)
        if o.input_line and (o.key_or_group == _SEARCH_PATH or not is_hydra_override(o))
    ]
    settings = _most_demanding(launcher, run_configs(overrides))
    python = settings.get("python") or shlex.quote(sys.executable)
    script = [
        *setup(node_environment.of_jobs()),
        *(settings.get("setup") or []),
        f"exec {python} -m bench doctor {doctor.command_line(kept)}",
    ]
    flags = [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in options(settings).items()
        if name not in ("requeue", "open-mode")  # srun has no such option
    ]
    command = ["srun", "--ntasks=1", f"--time={_MINUTES}", "--job-name=bench-doctor", *flags]
    with environment_of_login():
        environment = {**os.environ, "SLURM_EXPORT_ENV": "ALL"}
    try:
        status = subprocess.run([*command, "bash", "-c", "\n".join(script)], env=environment).returncode
    except OSError as error:
        raise BenchError(f"srun cannot be started ({error.strerror}).") from None
    if status not in (0, 2):
        raise BenchError(
            f"No node was examined: srun, which asked for {' '.join(flags)}, ended with exit code {status}. Change "
            "what its message above names: hydra.launcher.partition, account, qos, mem_gb …"
        )
    return status


def _most_demanding(launcher: Launcher, configs: Sequence[DictConfig]) -> dict[str, Any]:
    """The settings of the job that asks for the most GPUs, and of these for the most memory."""
    nodes = [config.system for config in configs] + [*(configs[0].get("metric") or {}).values()]
    jobs = [launcher.settings(JobRequest("", [], job_resources(node))) for node in nodes]
    return max(jobs, key=lambda job: (job["gpus_per_node"] or job["gpus_per_task"] or 0, job["mem_gb"] or 0))
