"""Files that another machine has just written, through a file system that remembers that they were not there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.launching import requests
from bench.launching.requests import Outcome, log_end, look_again
from bench.store import Store

RUN = next(Path(__file__).parents[2].glob("results/china-export-controls-2021/zh-en/copy-*"))
REMEMBERS = 5
"""Seconds. NFS: up to 60."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and the same folder as another machine sees it."""
    if not shutil.which("bindfs"):
        pytest.skip("needs a file system that caches: apt-get install bindfs")
    real, seen = tmp_path / "real", tmp_path / "seen"
    real.mkdir()
    seen.mkdir()
    done = subprocess.run(["bindfs", "-o", f"negative_timeout={REMEMBERS}", real, seen], capture_output=True)
    if done.returncode:
        pytest.skip(f"FUSE cannot be used here: {done.stderr.decode().strip()}")
    try:
        yield real, seen
    finally:
        subprocess.run(["umount", "--lazy", seen], check=True)


def test_what_another_machine_wrote_is_found(disk: tuple[Path, Path]) -> None:
    real, seen = disk
    folder = Path("set", "zh-en", RUN.name)
    (real / folder).mkdir(parents=True)
    store = Store(seen)
    assert store.run(seen / folder) is None
    for name in ("run.json", "hypotheses.jsonl"):
        shutil.copy(RUN / name, real / folder)
    assert store.run(seen / folder) is None, "this file system remembers nothing: the test shows nothing"
    look_again(lambda: [] if store.run(seen / folder) else [seen / folder])
    assert store.run(seen / folder) is not None
    assert sorted(path.name for path in (real / folder).iterdir()) == ["hypotheses.jsonl", "run.json"]
    assert requests._LOOK_AGAIN > 60, "longer than NFS remembers"


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "7_0_log.out"
    log.write_text(
        "submitit INFO (2026-11-30 14:18:10) - Starting\nImportError: no torch\n\n"
        "srun: error: n1: task 0: Exited with exit code 1\n"
    )
    outcome = Outcome("7", log)
    assert log_end(log, 5) == ["ImportError: no torch"]
    assert (
        outcome.explained("")
        == f"ended without a result; its log ends with: ImportError: no torch (log: {log})"
    )
    (tmp_path / "7_0_result.pkl").touch()
    assert outcome.explained("no disk") == f"no disk (log: {log})"
    assert Outcome("", None, "could not be submitted").explained("no disk") == "could not be submitted"
