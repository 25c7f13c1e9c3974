"""What this installation and this machine provide: folders of data, the interpreter, cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bench


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


@contextmanager
def isolated_workers() -> Iterator[None]:
    """Keep the Python processes that the block starts, and theirs, from importing files of the working folder.

    Pools and launchers start workers by `python -c …` and `python -m …`, which look there first: a socket.py or
    joblib.py would be run. Python knows the variable from 3.11.
    """
    given = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = given or "bench"
    try:
        yield
    finally:
        if given is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = given


def end_isolation() -> None:
    """In a worker: let the programs that it starts, such as those of an adapter, import what they always do."""
    if os.environ.get("PYTHONSAFEPATH") == "bench":
        del os.environ["PYTHONSAFEPATH"]
