"""failure.json: why something in a store is not complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from bench import limits
from bench.files import decode_record, read_bytes, write_json


def write_failure(folder: Path, error: str, task_part: str = "") -> None:
    """Record why `folder` is not complete. `task_part`: the shard ("3-of-8") or, in a direction's folder, the
    metric."""
    write_json(_path(folder, task_part), {"error": error})


def read_failure(folder: Path, task_part: str = "") -> str:
    """The recorded reason; "" if nothing failed."""
    return _read(_path(folder, task_part))


def read_failures(folder: Path) -> str:
    """The recorded reasons of a run and its shards, joined; "" if nothing failed."""
    reasons = (_read(path) for path in sorted(folder.glob("failure*.json")))
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def clear_failure(folder: Path, task_part: str = "") -> None:
    _path(folder, task_part).unlink(missing_ok=True)


def clear_failures(folder: Path, *beginnings: str) -> None:
    """Forget the reasons of a run and its shards that begin so."""
    for path in folder.glob("failure*.json"):
        if _read(path).startswith(beginnings):
            path.unlink(missing_ok=True)


def in_progress_note(process: str) -> str:
    """What is recorded while an attempt runs, and remains if it dies. `process`: see
    provenance.process_description."""
    return f"started {process}; still running, or died without reporting an error"


def _path(folder: Path, task_part: str) -> Path:
    return folder / (f"failure-{task_part}.json" if task_part else "failure.json")


class _Failure(msgspec.Struct):
    error: str = "no reason recorded"


def _read(path: Path) -> str:
    with suppress(FileNotFoundError):  # it may vanish at any moment, when its run completes
        failure = decode_record(read_bytes(path, inside=path.parent), path, _Failure)
        return failure.error[: limits.LINE_CHARACTERS]
    return ""
