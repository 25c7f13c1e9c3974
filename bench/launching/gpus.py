"""One process, one GPU, where a launcher starts several processes on one machine and does not say which GPU is whose."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.errors import BenchError

_taken: Any = None  # the lock, which is given back when this process ends, however it ends


def take_one() -> None:
    """From now on this process sees one GPU, which no other process of this user that asks here gets; nothing happens where
    there is none. Called before anything speaks to a GPU. Raises BenchError where all are taken."""
    global _taken
    from filelock import FileLock, Timeout

    gpus = _visible()
    if _taken or not gpus:
        return
    for gpu in gpus:
        lock = FileLock(Path(tempfile.gettempdir()) / f"bitext-bench-gpu-{getpass.getuser()}-{gpu}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        _taken = lock
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        return
    raise BenchError(
        f"All {len(gpus)} GPUs are taken: run again with hydra.launcher.n_jobs={len(gpus)} or less."
    )


def _visible() -> list[str]:
    """As CUDA_VISIBLE_DEVICES names them."""
    if (given := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [gpu for gpu in given.split(",") if gpu]
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []
