"""One GPU per process, for a launcher that starts several processes on one machine without assigning GPUs."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig

from bench.errors import BenchError

if TYPE_CHECKING:
    from filelock import FileLock

_claimed: FileLock | None = None
"""The operating system releases it when this process ends, also if it is killed."""


def claim_gpu() -> None:
    """Reserve one GPU for this process (file lock) and hide the others.

    Call it before anything uses a GPU. Does nothing without GPUs, in a process that already has one, and for
    all launchers but joblib's: Slurm assigns GPUs itself. Raises BenchError if all are taken.
    """
    global _claimed
    from filelock import FileLock, Timeout  # here, since importing it is slow

    gpus = _visible_gpus() if _is_joblib_worker() and not _claimed else []
    for gpu in gpus:
        lock = FileLock(Path(tempfile.gettempdir()) / f"bitext-bench-gpu-{getpass.getuser()}-{gpu}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        _claimed = lock
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        return
    if gpus:
        raise BenchError(
            f"All {len(gpus)} GPUs are taken: run again with hydra.launcher.n_jobs={len(gpus)} or less."
        )


def _is_joblib_worker() -> bool:
    return HydraConfig.initialized() and str(HydraConfig.get().launcher._target_).endswith("JoblibLauncher")


def _visible_gpus() -> list[str]:
    """GPU ids as CUDA_VISIBLE_DEVICES lists them."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [gpu for gpu in visible.split(",") if gpu]
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []
