"""One GPU per process, for a launcher that starts several processes on one machine without assigning GPUs."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig

from bench import progress
from bench.resources import python_command

if TYPE_CHECKING:
    from filelock import FileLock

_claimed: FileLock | None = None
"""The operating system releases it when this process ends, also if it is killed."""


def claim_gpu() -> None:
    """Reserve one GPU for this process (file lock) and hide the others; waits until one is free.

    Call it before anything uses a GPU. Does nothing without GPUs, in a process that already has one, and for
    all launchers but joblib's: Slurm assigns GPUs itself.
    """
    global _claimed
    gpus = visible_gpus() if _is_joblib_worker() and not _claimed else []
    told = False
    while gpus and not _claimed:
        for gpu in gpus:
            if lock := _lock(gpu):
                _claimed = lock
                os.environ["CUDA_VISIBLE_DEVICES"] = gpu
                return
        if not told:
            progress.say(f"All {len(gpus)} GPUs are taken by other commands: waiting for one …")
            told = True
        time.sleep(1)


def visible_gpus() -> list[str]:
    """GPU ids as CUDA_VISIBLE_DEVICES lists them."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [gpu.strip() for gpu in visible.split(",") if gpu.strip()]
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return _gpus_of_torch()


def _gpus_of_torch() -> list[str]:
    """Some containers have no nvidia-smi, and AMD's GPUs never do. torch is asked in another process, because one
    that has looked for GPUs cannot hide them any more."""
    try:
        command = python_command("import torch; print(torch.cuda.device_count())")
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return [str(number) for number in range(int(answer.stdout))]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def _lock(gpu: str) -> FileLock | None:
    from filelock import FileLock, Timeout  # here, since importing it is slow

    lock = FileLock(Path(tempfile.gettempdir()) / f"bitext-bench-gpu-{getpass.getuser()}-{gpu}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def _is_joblib_worker() -> bool:
    return HydraConfig.initialized() and str(HydraConfig.get().launcher._target_).endswith("JoblibLauncher")
