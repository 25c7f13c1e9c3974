"""Reading and writing single files of a store: complete or not at all, with errors as sentences."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.errors import BenchError

T = TypeVar("T")
RESTORE = "restore the file or delete its folder and run again"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Raises BenchError if a number is not finite: JSON has no word for it."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError:
        raise BenchError(
            f"{path} would hold a number that is not finite (NaN): try precision=float32, or leave the metric out."
        ) from None
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file completely or not at all: under a temporary name beside it, synced, then renamed.

    Raises BenchError if the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


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


def read_bytes(path: Path) -> bytes:
    """Raises FileNotFoundError if there is no such file, BenchError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BenchError(f"Cannot read {path} ({error.strerror}): {RESTORE}.") from None


def decode_object(data: bytes, path: Path) -> dict[str, Any]:
    """A JSON object. Raises BenchError for anything else; `path` is for the message."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BenchError(f"{path} is not JSON ({error}): {RESTORE}.") from None
    if not isinstance(value, dict):
        raise BenchError(f"{path} is not a JSON object: {RESTORE}.")
    return value


def decode_record(data: bytes, path: Path, kind: type[T]) -> T:
    """A typed record from JSON; unknown fields are ignored. Raises BenchError that names the wrong field."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BenchError(f"{path} is damaged ({error}): {RESTORE}.") from None
