"""What this installation and this machine provide: folders of data, the interpreter, cores."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bench

_OF_SLURM = (
    {signal.SIGUSR1, signal.SIGUSR2}
    if hasattr(signal, "SIGUSR2") and hasattr(signal, "pthread_sigmask")
    else set()
)


def data_dir(kind: str) -> Path:
    """The folder of "configs" or "references".

    An installed wheel has it in `bench/_data/`; an editable checkout has it beside the package.
    """
    package = Path(bench.__file__).parent
    shipped = package / "_data" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def usable_cores() -> int:
    """The number of CPU cores that this process may use: a job may not have all of its machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def python_command(code: str) -> list[str]:
    """The command line that runs `code` in a process of its own.

    Python puts the working folder first on the search path of such a process. It is taken off, so that a file
    there (pip.py, hydra.py) is not imported in place of a library.
    """
    return [sys.executable, "-c", f"import sys; sys.path = sys.path[not sys.path[0]:]; {code}"]


def isolation() -> dict[str, str]:
    """The variable that keeps a Python process from importing files of the working folder, and its value.

    Pools and launchers start workers by `python -c …` and `python -m …`, which look there first: a socket.py or
    joblib.py would be run. Python knows the variable from 3.11.
    """
    return {"PYTHONSAFEPATH": os.environ.get("PYTHONSAFEPATH") or "bench"}


@contextmanager
def isolated_workers() -> Iterator[None]:
    """Keep the Python processes that the block starts, and theirs, from importing files of the working folder, and from
    the signals that Slurm sends to all processes of a job before a time limit: this one ends them when it is ready.

    The signals are blocked in this thread, which starts them, and its children inherit that. This process still gets
    them, in any other thread, or at the end of the block.
    """
    given = os.environ.get("PYTHONSAFEPATH")
    os.environ.update(isolation())
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_SLURM) if _OF_SLURM else set()
    try:
        yield
    finally:
        if _OF_SLURM:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if given is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = given


def end_isolation() -> None:
    """In a worker: let the programs that it starts, such as those of an adapter, import what they always do."""
    if os.environ.get("PYTHONSAFEPATH") == "bench":
        del os.environ["PYTHONSAFEPATH"]
