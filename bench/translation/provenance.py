"""Provenance and cost in run.json: what a run was made with, so that it can be made again, and what that
cost."""

from __future__ import annotations

import os
import platform
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench
from bench.records import Price
from bench.store.journal import Entry

_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "sentencepiece",
    "gguf",
    "ctranslate2",
    "vllm",
    "openai",
    "numpy",
)


def work(
    entries: Sequence[Entry], facts: Mapping[str, Any], price: Price | None, earlier_cost: float | None
) -> dict[str, Any]:
    """The cost of translating `entries`, over all attempts since the run was last complete; loading is not
    counted. `earlier_cost`: US dollars that the run had cost then.

    The keys are those of bench.records.Work, and the adapter's `facts`.
    """
    count = len(entries)
    seconds = sum(entry.seconds for entry in entries)
    tokens_in = sum(entry.hypothesis.tokens_in for entry in entries)
    tokens_out = sum(entry.hypothesis.tokens_out for entry in entries)
    characters = sum(entry.hypothesis.characters for entry in entries)
    billed: dict[str, Any] = {"characters": characters} if characters else {}
    if price:
        billed["cost_usd"] = round(price.cost(tokens_in, tokens_out, characters), 6)
    if earlier_cost is not None:
        billed["earlier_cost_usd"] = earlier_cost
    return {
        "segments": count,
        "attempts": len({entry.attempt for entry in entries}),
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "seconds": round(seconds, 2),
        "segments_per_second": round(count / seconds, 2) if seconds else None,
        "tokens_per_second": round(tokens_out / seconds, 2) if seconds and tokens_out else None,
        **billed,
        **facts,
        "peak_memory_mb": _peak_memory_mb(),
    }


def made() -> dict[str, Any]:
    """When and with which code a run was made."""
    versions = {name: _version(name) for name in _PACKAGES}
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "bench": bench.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: number for name, number in versions.items() if number},
    }


def attempt() -> str:
    """A name for this process that no other process ever had. Names sort by time and are valid in file names."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%f}-{host}-{os.getpid()}"


def process_description() -> str:
    """This process, for people who look for its log: "at 2026-11-25T15:42:01 UTC on node7, process 4321 (Slurm job
    12_3)"."""
    job = _slurm_job()
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S} UTC"
    return f"at {now} on {socket.gethostname()}, process {os.getpid()}" + (
        f" (Slurm job {job})" if job else ""
    )


def previous_process(note: str) -> tuple[str, int] | None:
    """The host and the id of the process that this Slurm job was before it was requeued, if `note` has its description.
    It is dead: Slurm never runs a job twice at a time."""
    found = re.search(r" on (\S+), process (\d+) \(Slurm job (\w+)\)", note)
    if not found or found[3] != _slurm_job() or os.environ.get("SLURM_RESTART_COUNT", "0") == "0":
        return None
    return found[1], int(found[2])


def _slurm_job() -> str:
    """ "12", or "12_3" in an array; "" outside Slurm."""
    if array := os.environ.get("SLURM_ARRAY_JOB_ID"):
        return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ.get("SLURM_JOB_ID", "")


def _peak_memory_mb() -> int:
    """Of this process on the host, in MiB; an adapter reports the memory of its device."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


@cache
def _commit() -> str | None:
    """The checkout's commit, with "-dirty" if it has changes; None outside a checkout."""
    folder = str(Path(bench.__file__).parent)
    command = ["git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
