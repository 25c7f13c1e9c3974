"""Two processes that would write the same run: one does; the other waits, gives up, or takes over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.store import lock
from bench.store.journal import finished_hypotheses
from bench.store.lock import exclusive_lease
from bench.store.run import read_run

TASK = Task(references.load("china-export-controls-2021"), "zh-en")
RUN = Path("run")
TRANSLATE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.records import SystemCard
from bench.store import lock
from bench.translation.driver import TranslationJob, translate
from tests.helpers.slow import Slow
seconds, lock.LEASE, lock.PATIENCE = map(float, sys.argv[1:])
task = Task(references.load({TASK.reference.id!r}), {TASK.direction!r})
adapter = Slow(seconds, direction=task.direction)
job = TranslationJob(task, adapter, SystemCard("slow"), Path({str(RUN)!r}), 500)
try:
    translate(job)
except BenchError as error:
    sys.exit(str(error))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="stops and kills processes"),
]


@contextmanager
def translating(
    folder: Path, seconds: float, lease: float = 60, patience: float = 90, on_another_machine: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A process that writes the run in `folder`, with `seconds` per segment."""
    command = [sys.executable, "-c", TRANSLATE, str(seconds), str(lease), str(patience)]
    if on_another_machine:  # for the lock, a machine is a hostname
        command = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh", *command]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def wait_for_segments(folder: Path) -> None:
    wait_until(lambda: len(finished_hypotheses(folder / RUN)) >= 3)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the process; returns its exit status and its messages."""
    _, messages = process.communicate(timeout=240)
    return process.returncode, messages


def attempts(folder: Path) -> int:
    """The number of attempts that the complete run took."""
    run = read_run(folder / RUN)
    assert run
    assert [hypothesis.id for hypothesis in run.hypotheses()] == list(TASK.ids)
    assert run.record.work.segments == 39, "nothing was translated twice"
    return run.record.work.attempts


def test_the_second_waits_and_has_nothing_to_do(tmp_path: Path) -> None:
    with translating(tmp_path, 0.1) as first:
        wait_for_segments(tmp_path)
        first.send_signal(signal.SIGSTOP)  # so that it does not finish before the second has started
        with translating(tmp_path, 0.1) as second:
            assert second.stderr
            message = second.stderr.readline()
            first.send_signal(signal.SIGCONT)
            assert finish(first)[0] == 0
            assert finish(second) == (0, ""), "it had nothing to do"
    assert f"slow zh-en is being written by process {first.pid} on" in message
    assert attempts(tmp_path) == 1


def test_the_second_gives_up_and_names_the_holder(tmp_path: Path) -> None:
    with translating(tmp_path, 0.1) as first:
        wait_for_segments(tmp_path)
        first.send_signal(signal.SIGSTOP)
        with translating(tmp_path, 0, patience=1) as second:
            status, messages = finish(second)
    assert status == 1
    assert f"slow zh-en is being written by process {first.pid} on" in messages.splitlines()[-1]
    assert read_run(tmp_path / RUN) is None


def test_a_killed_process_of_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    with translating(tmp_path, 1, lease=10_000) as first:
        wait_for_segments(tmp_path)
        first.kill()
        first.wait()
        with translating(tmp_path, 0, lease=10_000, patience=10_000) as second:
            assert finish(second)[0] == 0
    assert attempts(tmp_path) == 2


def test_a_killed_process_of_another_machine_is_replaced_when_its_lease_has_ended(tmp_path: Path) -> None:
    if os.geteuid() or subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode:
        pytest.skip("only root can give a process another hostname")
    with translating(tmp_path, 1, lease=10, on_another_machine=True) as first:
        wait_for_segments(tmp_path)
        first.kill()
        first.wait()
        with translating(tmp_path, 0, lease=10, patience=1) as second:
            status, messages = finish(second)
        assert status == 1
        assert "on elsewhere" in messages, "it may be alive"
        with translating(tmp_path, 0, lease=10) as third:
            assert finish(third)[0] == 0
    assert attempts(tmp_path) == 2


@pytest.mark.parametrize("sign", ["requeued job", "old lock"])
def test_a_dead_process_of_another_machine_is_replaced_at_once(
    tmp_path: Path, sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() or subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode:
        pytest.skip("only root can give a process another hostname")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with translating(tmp_path, 1, lease=1_000, on_another_machine=True) as first:
        wait_for_segments(tmp_path)
        first.kill()
        first.wait()
    if sign == "requeued job":
        monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    else:
        os.utime(tmp_path / RUN / "lock", (time.time() - 2_000,) * 2)
    with translating(tmp_path, 0, lease=1_000, patience=0) as second:
        assert finish(second)[0] == 0
    assert attempts(tmp_path) == 2


def test_a_process_that_slept_too_long_stops_after_it_was_replaced(tmp_path: Path) -> None:
    with translating(tmp_path, 0.5, lease=5) as first:
        wait_for_segments(tmp_path)
        first.send_signal(signal.SIGSTOP)
        with translating(tmp_path, 0.5, lease=5) as second:
            wait_until(lambda: len(list((tmp_path / RUN).glob("journal*"))) >= 2)
            first.send_signal(signal.SIGCONT)
            status, messages = finish(first)
            assert status == 1
            assert "was taken over by" in messages
            assert finish(second)[0] == 0
    run = read_run(tmp_path / RUN)
    assert run
    assert len(run.hypotheses()) == 39


def refusal(path: Path) -> str:
    """The sentence that taking the lock ends with."""
    with pytest.raises(BenchError) as refused, exclusive_lease(path, "work", patience=0):
        pass
    return str(refused.value)


@pytest.mark.parametrize("kind", ["folder", "fifo", "link", "link to nothing"])
def test_what_is_no_lock(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "lock", tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text("mine")
    assert f"{path} is not a lock of this version: delete it" in refusal(path)
    assert target.exists() == (kind == "link")
    assert kind != "link" or target.read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    ["filelock/2\npid=1\nhost=x\nmode=lease\ntoken=a\nduration=7.0\n", "1\nfilelock-strict-v1\0\n0\n"],
)
def test_a_lock_of_another_version(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lock"
    path.write_text(content)
    assert "is not a lock of this version: delete it" in refusal(path)


def test_an_empty_lock_is_that_of_a_process_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with exclusive_lease(path, "work", patience=0):
        assert path.stat().st_size


def test_a_dead_process_with_the_id_of_a_live_one(tmp_path: Path) -> None:
    """In a container every process may be number 1, on a host of the same name."""
    path = tmp_path / "lock"
    with exclusive_lease(path, "work"):
        lines = path.read_text().splitlines()
    assert any(line.startswith("start=") for line in lines)
    dead = ["start=1" if line.startswith("start=") else line for line in lines]
    signed = "".join(f"{line}\n" for line in dead)
    path.write_text(signed)
    with exclusive_lease(path, "work", patience=0):
        assert path.read_text() != signed


def test_a_dead_process_that_looks_alive_is_replaced_when_its_lease_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells when it began; but nobody touches its lock."""
    monkeypatch.setattr(lock, "LEASE", 2.0)
    path = tmp_path / "lock"
    path.write_text(
        f"filelock/2\npid={os.getpid()}\nhost={socket.gethostname()}\nmode=lease\ntoken=a\nduration=2.0\n"
    )
    assert "is being written by process" in refusal(path)
    with exclusive_lease(path, "work", patience=60):
        assert "token=a\n" not in path.read_text()


@pytest.mark.parametrize("options", ["nr_inodes=2", "size=4k"])
def test_a_full_disk(tmp_path: Path, options: str) -> None:
    """No file can be made, or nothing can be written into it."""
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", tmp_path], capture_output=True
        ).returncode
    ):
        pytest.skip("only root can mount a small disk")
    try:
        with suppress(OSError):
            (tmp_path / "filler").write_bytes(bytes(8192))
        assert "The disk that holds" in refusal(tmp_path / "lock")
        assert not (tmp_path / "lock").exists()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Cannot write" in refusal(tmp_path / "file" / "lock")
