"""One process at a time writes a run, on one machine or on several that share a disk.

The lock is a filelock.SoftFileLease: a file that its holder touches every 40 seconds. Another process takes
it over at once if the holder was on the same machine and is dead. Otherwise it takes it over after LEASE
seconds without a touch. It measures them by its own clock, so the clocks of machines may differ. It need not wait
if the file is that much older than one just made beside it: both times are of the file server's clock.

The file system must support exclusive file creation: local disks, NFS from version 3, Lustre, GPFS, BeeGFS
and CephFS do; a file system on top of an object store may not. A machine that sleeps loses its lease as well.
Two processes then do the same work, but never mix their files: see bench.store.

A lock that a killed process left is taken over, also if it is empty: its writer died before it could sign it.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import progress
from bench.errors import BenchError
from bench.files import disk_errors

LEASE = 120.0
"""Seconds. NFS may show a file's time as it was 60 seconds ago."""
PATIENCE = 1.5 * LEASE
"""How long to wait for a live holder, in seconds."""
_MARGIN = 60.0
"""Seconds that a lock must be older than LEASE to be taken over at once."""
_UNSIGNED = 5.0  # seconds after which an empty lock is nobody's: it is signed at once when it is made


class LockedElsewhere(BenchError):
    """Another process holds the lock."""


@contextmanager
def exclusive_lease(path: Path, label: str, patience: float | None = None) -> Iterator[Callable[[], None]]:
    """Hold an exclusive lease on `path`. Yields a function that raises BenchError once the lease is lost.

    `label` names the work in messages: "copy zh-en". Raises LockedElsewhere if another process keeps the lease for
    longer than `patience` seconds (PATIENCE, unless given; 0 does not wait), BenchError if the lock cannot be made.
    """
    from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout  # here, since importing it is slow

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_kind(path)
        _remove_unsigned(path)
        _remove_old(path)
    lease = SoftFileLease(path, lease_duration=LEASE)

    def holder() -> str:
        owner = lease.owner
        # In a namespace of process ids filelock adds its name after a question mark.
        return f"process {owner.pid} on {owner.hostname.partition('?')[0]}" if owner else "another process"

    def check() -> None:
        if lease.compromise:
            raise BenchError(f"{label} was taken over by {holder()}: run again when that process has ended.")

    def acquire(seconds: float) -> bool:
        try:
            with disk_errors(path), suppress(Timeout):
                lease.acquire(timeout=seconds, poll_interval=0.5)
        except LeaseSettingsMismatch:
            raise _foreign(path) from None
        return lease.is_locked

    wait = PATIENCE if patience is None else patience
    if not acquire(0):
        if wait:
            progress.say(f"{label} is being written by {holder()}: waiting for it …")
        if not (wait and acquire(wait)):
            owner = lease.owner
            if path.exists() and (owner is None or owner.mode != "lease"):
                raise _foreign(path)
            raise LockedElsewhere(
                f"{label} is being written by {holder()}: run again when that process has ended."
            )
    try:
        yield check
    finally:
        with suppress(OSError):  # it was lost, or the disk is gone: it ends by itself
            lease.release()


def _foreign(path: Path) -> BenchError:
    return BenchError(f"{path} is not a lock of this version: delete it if no other process works there.")


def _check_kind(path: Path) -> None:
    """Raise BenchError if something else has the lock's name: a folder, a link, a FIFO."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _foreign(path)


def _remove_unsigned(path: Path) -> None:
    """Remove a lock that stays empty."""

    def unsigned() -> tuple[int, int] | None:
        with suppress(FileNotFoundError):
            state = path.lstat()
            return (state.st_ino, state.st_mtime_ns) if state.st_size == 0 else None
        return None

    end, first = time.monotonic() + _UNSIGNED, unsigned()
    while first and unsigned() == first:
        if time.monotonic() > end:
            path.unlink(missing_ok=True)
        time.sleep(0.05)


def _remove_old(path: Path) -> None:
    """Remove a lock that its holder has not touched for longer than a lease, by the clock of the file server."""
    with suppress(FileNotFoundError):
        state = path.lstat()
        descriptor, probe = tempfile.mkstemp(prefix=".clock-", dir=path.parent)
        try:
            now = os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            os.unlink(probe)
        if now - state.st_mtime > LEASE + _MARGIN and _is_same(state, path.lstat()):
            path.unlink()


def _is_same(first: os.stat_result, second: os.stat_result) -> bool:
    return (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def remove_lock_of(path: Path, host: str, process: int) -> None:
    """Remove a lock if that process holds it. The caller knows that the process is dead."""
    from filelock import SoftFileLease

    with disk_errors(path), suppress(FileNotFoundError):
        _check_kind(path)
        state, owner = path.lstat(), SoftFileLease(path, lease_duration=LEASE).owner
        if (
            owner
            and (owner.hostname.partition("?")[0], owner.pid) == (host, process)
            and _is_same(state, path.lstat())
        ):
            path.unlink()
