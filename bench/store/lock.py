"""One process at a time writes a run, on one machine or on several that share a disk.

The lock is a filelock.SoftFileLease: a file that its holder touches every 40 seconds. Another process takes
it over at once if the holder was on the same machine and is dead. Otherwise it takes it over after LEASE
seconds without a touch. It measures them by its own clock, so the clocks of machines may differ.

The file system must support exclusive file creation: local disks, NFS from version 3, Lustre, GPFS, BeeGFS
and CephFS do; a file system on top of an object store may not. A machine that sleeps loses its lease as well.
Two processes then do the same work, but never mix their files: see bench.store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import progress
from bench.errors import BenchError

LEASE = 120.0
"""Seconds. NFS may show a file's time as it was 60 seconds ago."""
PATIENCE = 1.5 * LEASE
"""How long to wait for a live holder, in seconds."""


@contextmanager
def exclusive_lease(path: Path, label: str) -> Iterator[Callable[[], None]]:
    """Hold an exclusive lease on `path`. Yields a function that raises BenchError once the lease is lost.

    `label` names the work in messages: "copy zh-en". Raises BenchError if another process keeps the lease for
    longer than PATIENCE.
    """
    from filelock import SoftFileLease, Timeout  # here, since importing it is slow

    path.parent.mkdir(parents=True, exist_ok=True)
    lease = SoftFileLease(path, lease_duration=LEASE)

    def holder() -> str:
        owner = lease.owner
        return f"process {owner.pid} on {owner.hostname}" if owner else "another process"

    def check() -> None:
        if lease.compromise:
            raise BenchError(f"{label} was taken over by {holder()}: run again when that process has ended.")

    try:
        lease.acquire(timeout=0)
    except Timeout:
        progress.say(f"{label} is being written by {holder()}: waiting for it …")
        try:
            lease.acquire(timeout=PATIENCE, poll_interval=0.5)
        except Timeout:
            raise BenchError(
                f"{label} is being written by {holder()}: run again when that process has ended."
            ) from None
    try:
        yield check
    finally:
        lease.release()
