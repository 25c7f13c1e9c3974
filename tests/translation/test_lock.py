"""Two processes that would make the same run: one does, and the other waits, is told, or takes over from a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import references, store

SET = references.load("china-export-controls-2021")
MAKE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from bench import progress, references
from bench.translation import lock
from bench.errors import BenchError
from bench.translation.driver import translate
from tests.helpers.slow import Slow
lock.LEASE, lock.PATIENCE = float(sys.argv[2]), float(sys.argv[3])
try:
    translate(Slow(float(sys.argv[1])), references.load("china-export-controls-2021"), "zh-en", Path("run"), {{"name": "slow"}}, 500)
except BenchError as error:
    sys.exit(str(error))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="stops and kills processes"),
]


@contextmanager
def making(
    folder: Path, seconds: float, lease: float = 60, patience: float = 90, elsewhere: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A process that makes the run in `folder`. `elsewhere`: it believes that it is on another machine."""
    command = [sys.executable, "-c", MAKE, str(seconds), str(lease), str(patience)]
    if elsewhere:
        command = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh", *command]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_some_are_done(folder: Path) -> None:
    end = time.monotonic() + 120
    while len(store.read_journal(folder / "run")) < 3:
        assert time.monotonic() < end
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=240)
    return process.returncode, said


def attempts(folder: Path) -> int:
    run = store.read_run(folder / "run")
    assert run
    assert [h.id for h in run.hypotheses()] == [segment.id for segment in SET.segments]
    assert run.record["work"]["segments"] == 39, "nothing was translated twice"
    return int(run.record["work"]["attempts"])


def test_the_second_waits_and_finds_it_done(tmp_path: Path) -> None:
    with making(tmp_path, 0.1) as first:
        until_some_are_done(tmp_path)
        first.send_signal(signal.SIGSTOP)  # so that it is not done before the second has begun
        with making(tmp_path, 0.1) as second:
            assert second.stderr
            said = second.stderr.readline()
            first.send_signal(signal.SIGCONT)
            assert ended(first)[0] == 0
            assert ended(second) == (0, ""), "it had nothing to do"
    assert f"slow zh-en is being made by process {first.pid} on" in said
    assert attempts(tmp_path) == 1


def test_the_second_is_told_who_makes_it(tmp_path: Path) -> None:
    with making(tmp_path, 0.1) as first:
        until_some_are_done(tmp_path)
        first.send_signal(signal.SIGSTOP)
        with making(tmp_path, 0, patience=1) as second:
            status, said = ended(second)
    assert status == 1
    assert f"slow zh-en is being made by process {first.pid} on" in said.splitlines()[-1]
    assert store.read_run(tmp_path / "run") is None


def test_a_killed_one_of_this_machine_is_followed_at_once(tmp_path: Path) -> None:
    with making(tmp_path, 1, lease=10_000) as first:
        until_some_are_done(tmp_path)
        first.kill()
        first.wait()
        with making(tmp_path, 0, lease=10_000, patience=10_000) as second:
            assert ended(second)[0] == 0
    assert attempts(tmp_path) == 2


def test_a_killed_one_of_another_machine_is_followed_when_its_lease_has_ended(tmp_path: Path) -> None:
    if os.geteuid() or subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode:
        pytest.skip("a process cannot be given another hostname here: root is needed")
    with making(tmp_path, 1, lease=10, elsewhere=True) as first:
        until_some_are_done(tmp_path)
        first.kill()
        first.wait()
        with making(tmp_path, 0, lease=10, patience=1) as second:
            status, said = ended(second)
        assert status == 1
        assert "on elsewhere" in said, "it may be alive"
        with making(tmp_path, 0, lease=10) as third:
            assert ended(third)[0] == 0
    assert attempts(tmp_path) == 2


def test_one_that_slept_too_long_stops_when_it_was_taken_over(tmp_path: Path) -> None:
    with making(tmp_path, 0.5, lease=5) as first:
        until_some_are_done(tmp_path)
        first.send_signal(signal.SIGSTOP)
        with making(tmp_path, 0.5, lease=5) as second:
            end = time.monotonic() + 120
            while len(list((tmp_path / "run").glob("journal*"))) < 2:
                assert time.monotonic() < end
                time.sleep(0.05)
            first.send_signal(signal.SIGCONT)
            status, said = ended(first)
            assert status == 1
            assert "was taken over by" in said
            assert ended(second)[0] == 0
    run = store.read_run(tmp_path / "run")
    assert run
    run.check()
    assert len(run.hypotheses()) == 39
