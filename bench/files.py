"""Reading and writing single files. Every file of a store or a reference set is read here.

Such a folder may come from a stranger. So only regular files are read (a FIFO would wait for ever, a device
never ends), not through links that lead out of the folder, up to a size, and JSON by a strict decoder: no
NaN, no number without a finite value, no half of a surrogate pair. Files are written completely or not at all.
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import re
import socket
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench import limits
from bench.errors import BenchError

T = TypeVar("T")
RESTORE = "restore the file or delete its folder and run again"


# Reading


def read_bytes(
    path: Path, limit: int = limits.RECORD_BYTES, *, inside: Path | None = None, advice: str = RESTORE
) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    `inside`: the folder that the file must be in after all links are followed; None for a file that the user
    named. `advice`: what to do about a file that cannot be read. Raises FileNotFoundError if there is no such
    file, BenchError if it cannot be read.
    """
    try:
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            raise BenchError(f"{path} is a link that leads out of {inside}: {advice}.")
        # O_NONBLOCK: opening a FIFO would wait until somebody writes to it
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                kind = "a folder" if stat.S_ISDIR(state.st_mode) else "not a regular file"
                raise BenchError(f"{path} is {kind}: {advice}.")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1) if state.st_size <= limit else b""
            if state.st_size > limit or len(data) > limit:
                raise BenchError(f"{path} is larger than {_size(limit)}, the limit here: {advice}.")
            return data
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        raise BenchError(
            f"Cannot read {path} ({getattr(error, 'strerror', None) or error}): {advice}."
        ) from None


def unpacked(data: bytes, path: Path, limit: int, *, advice: str = RESTORE) -> bytes:
    """The content of a file that may be gzipped, at most `limit` bytes. Raises BenchError."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise BenchError(f"{path} is a truncated or damaged gzip file: {advice}.") from None
    if len(content) > limit:
        raise BenchError(
            f"{path} is larger than {_size(limit)} when it is unpacked, the limit here: {advice}."
        )
    return content


def _size(limit: int) -> str:
    return f"{limit // limits.MIB} MiB" if limit >= limits.MIB else f"{limit // 1024} KiB"


def check_values(data: bytes, path: Path, limit: int = limits.FILE_VALUES, *, advice: str = RESTORE) -> None:
    """Raise BenchError for JSON with more values than memory is for: `{}` takes thirty times its bytes."""
    if most_values(data) <= limit:
        return
    values = (match for match in _VALUE.finditer(data) if not match[0].startswith(b'"'))
    if next(islice(values, limit, None), None):
        raise BenchError(f"{path} has more than {limit:,} values, the limit here: {advice}.")


def most_values(data: bytes) -> int:
    """A number of values that JSON does not exceed; texts with commas raise it."""
    return sum(map(data.count, (b"[", b"{", b",")))


def check_lines(text: str | bytes, path: Path, limit: int, *, advice: str = RESTORE) -> None:
    """Raise BenchError for a file with more lines than memory is for."""
    count = text.count("\n") if isinstance(text, str) else text.count(b"\n")
    if count > limit:
        raise BenchError(f"{path} has {count:,} lines: {limit:,} are the limit here; {advice}.")


_VALUE = re.compile(rb'[\[{,]|"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
"""What begins a value, or a complete text."""


def decode_text(data: bytes, path: Path, *, encoding: str = "utf-8", advice: str = RESTORE) -> str:
    """The text of a file. `encoding`: "utf-8-sig" drops a byte order mark. Raises BenchError, with the line, if
    it is not UTF-8."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BenchError(f"{path}:{line}: not UTF-8: {advice}.") from None


def decode_object(data: bytes, path: Path, most: int = limits.FILE_VALUES) -> dict[str, Any]:
    """A JSON object of `most` values at most. Raises BenchError for anything else; `path` is for the message."""
    check_values(data, path, most)
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BenchError(f"{path} is not JSON ({error}): {RESTORE}.") from None
    if not isinstance(value, dict):
        raise BenchError(f"{path} is not a JSON object: {RESTORE}.")
    return value


def decode_record(data: bytes, path: Path, kind: type[T], most: int = limits.FILE_VALUES) -> T:
    """A typed record of `most` values at most from JSON; unknown fields are ignored. Raises BenchError that
    names the wrong field."""
    check_values(data, path, most)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BenchError(f"{path} is damaged ({error}): {RESTORE}.") from None


# Writing


def write_json(path: Path, value: Mapping[str, Any], *, inside: Path | None = None) -> None:
    """Raises BenchError if a number is not finite: JSON has no word for it."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError:
        raise BenchError(
            f"{path} would hold a number that is not finite (NaN): try precision=float32, or leave the metric out."
        ) from None
    write_text(path, text + "\n", inside=inside)


def write_text(path: Path, text: str, *, inside: Path | None = None) -> None:
    """Write a file completely or not at all: under a temporary name beside it, synced, then renamed.

    A link of that name is replaced, never followed. `inside`: the folder that the file must be in after all
    links are followed. Half a surrogate pair, which UTF-8 has no bytes for, is written as "?". Raises
    BenchError if the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    if inside is not None:
        check_inside(path.parent, inside)
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)  # in a container, process ids repeat
            with temporary.open("x", encoding="utf-8", errors="replace", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files that killed processes of this machine left for a file, or anywhere in a folder.

    This process must not be writing there now.
    """
    host = re.escape(socket.gethostname())
    if path.is_dir():
        temporary = re.compile(rf"\..+\.{host}\.(\d{{1,9}})\.tmp")  # see write_text
        folders = os.walk(path)
    else:
        temporary = re.compile(rf"\.{re.escape(path.name)}\.{host}\.(\d{{1,9}})\.tmp")
        folders = islice(os.walk(path.parent), 1)
    for folder, _, names in folders:
        for name in names:
            if (match := temporary.fullmatch(name)) and not _is_alive(int(match[1])):
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))


@contextmanager
def no_empty_folders(folder: Path) -> Iterator[None]:
    """Remove a folder and its parents, as far as the block made them and left them empty."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it
            for path in missing:
                path.rmdir()


def check_inside(folder: Path, root: Path) -> None:
    """Raise BenchError if links lead from `folder` out of `root`: nothing is written or deleted there."""
    try:
        is_inside = folder.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links
        is_inside = False
    if not is_inside:
        raise BenchError(f"{folder} is a link that leads out of {root}: delete the link and run again.")


def _is_alive(process: int) -> bool:
    """Whether another process of this machine has this id. On Windows nothing can be asked without harm."""
    if process == os.getpid() or sys.platform == "win32":
        return process != os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it belongs to somebody else
        return True
    return True


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a disk into sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"The disk that holds {path} is full: free some space and run again; finished translations are kept."
            ) from None
        raise BenchError(
            f"Cannot write {path} ({error.strerror}): choose a folder that can be written "
            "(store= of a run, --out of a command)."
        ) from None
