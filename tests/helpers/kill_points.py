"""Kills a command (kill -9) before each call by which it would change the disk.

The command runs in a fork of this process, which has imported everything, so that hundreds of kills take
seconds. Python announces each such call to an audit hook; of SQLite, whose calls it does not see, every
statement counts, and every few hundred steps within one.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CHANGES = {
    "os.rename",  # also os.replace
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SQLITE_STEPS = 200
_CONNECT = sqlite3.connect
MOST = 300
"""A command with more calls is killed at a sample of this size, unless the test says another."""

Command = Callable[[], object]


def kill_points(
    command: Command, folder: Path, number_of_calls: int, leaving_out: str = "", most: int = MOST
) -> Iterator[int]:
    """Kill the command before call 1, 2, 3 … that changes something below `folder`; yields after each kill.

    The caller restores the folder before the next one. `leaving_out`: the name of a folder whose files do not
    count.
    """
    calls = range(1, number_of_calls + 1)
    if number_of_calls > most:
        calls = sorted(random.Random(number_of_calls).sample(calls, most))  # type: ignore[assignment]
    for number in calls:
        status = _in_child(command, _Calls(folder, leaving_out, number))
        assert os.WIFSIGNALED(status) or number == number_of_calls, f"it ended before call {number}"
        yield number


def undisturbed(command: Command, folder: Path, leaving_out: str = "") -> int:
    """Run the command to its end in a child. Returns how often it changed something below `folder`."""
    counted = folder.parent / f"{folder.name}.calls"
    status = _in_child(command, _Calls(folder, leaving_out), counted)
    assert status == 0, "the command failed: see its traceback"
    number = int(counted.read_text())
    counted.unlink()
    return number


def _in_child(command: Command, calls: _Calls, counted: Path | None = None) -> int:
    """The status of a fork that runs the command. The number of its calls goes into the file `counted`."""
    sys.stdout.flush()
    sys.stderr.flush()
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        sys.addaudithook(calls.hear)
        sqlite3.connect = calls.connect  # type: ignore[assignment]
        command()
        if counted:
            counted.write_text(str(calls.number))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class _Calls:
    """Counts the changes, and ends the process before the one with the number `last`."""

    def __init__(self, folder: Path, leaving_out: str = "", last: int | None = None) -> None:
        self.folder, self.leaving_out = f"{folder.resolve()}{os.sep}", f"/{leaving_out}/"
        self.number, self.last = 0, last

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_inside(path, -1):
                self.count()
        elif event in _CHANGES:
            directory = next((a for a in reversed(arguments[1:]) if isinstance(a, int)), -1)
            if self._is_inside(arguments[0], directory):
                self.count()

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """sqlite3.connect, with a connection that counts."""
        connection: sqlite3.Connection = _CONNECT(*arguments, **options)
        connection.set_trace_callback(lambda _: self.count())
        connection.set_progress_handler(self.count, _SQLITE_STEPS)
        return connection

    def count(self) -> int:
        self.number += 1
        if self.number == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def _is_inside(self, path: Any, directory: int) -> bool:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        elif isinstance(path, (str, os.PathLike)):
            parent = os.readlink(f"/proc/self/fd/{directory}") if directory >= 0 else os.getcwd()
            path = os.path.join(parent, path)
        else:
            return False
        path = os.path.normpath(path)
        return path.startswith(self.folder) and (self.leaving_out == "//" or self.leaving_out not in path)
