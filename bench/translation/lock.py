"""One process at a time makes a run, on one machine or on many that share the store's disk.

A filelock.SoftFileLease is a file that its holder touches every 40 seconds. Another process takes it as soon as it can tell
that the holder was of this machine and is dead, and otherwise when it has seen no touch for LEASE seconds of its own clock, so
that clocks which differ do not matter. Of the disk it needs that a file is created by one process only: local disks, NFS
from version 3 on, Lustre, GPFS, BeeGFS and CephFS do that; what pretends to be a disk over an object store may not. A machine
that sleeps loses its lease, too. Then work is done twice and nothing is mixed: see bench.store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import progress
from bench.errors import BenchError

LEASE = 120.0  # seconds; NFS may show a file's time as it was 60 seconds ago
PATIENCE = 1.5 * LEASE  # so long one waits for a holder that is alive: he may be about to end


@contextmanager
def held(path: Path, what: str) -> Iterator[Callable[[], None]]:
    """Nobody else is in here with the same `path`. Gives a function that raises BenchError when that has ceased to be true.

    `what`: as a sentence begins with it, "copy zh-en". Raises BenchError where another process goes on holding it.
    """
    from filelock import SoftFileLease, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lease = SoftFileLease(path, lease_duration=LEASE)

    def holder() -> str:
        owner = lease.owner
        return f"process {owner.pid} on {owner.hostname}" if owner else "another process"

    def check() -> None:
        if lease.compromise:
            raise BenchError(f"{what} was taken over by {holder()}: run again when that has ended.")

    try:
        lease.acquire(timeout=0)
    except Timeout:
        progress.say(f"{what} is being made by {holder()}: waiting for it …")
        try:
            lease.acquire(timeout=PATIENCE, poll_interval=0.5)
        except Timeout:
            raise BenchError(f"{what} is being made by {holder()}: run again when that has ended.") from None
    try:
        yield check
    finally:
        lease.release()
