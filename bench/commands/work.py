"""`bench work`: take the parts of a run that nobody works on, one after another.

Any scheduler can start it, on any number of machines that share the store: the locks of runs decide who does what.
"""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.commands.run import read_suite
from bench.errors import BenchError
from bench.launching.compose import compose
from bench.launching.jobs import translate_job
from bench.store import Store
from bench.store.failures import read_failure
from bench.store.lock import LockedElsewhere
from bench.translation.driver import TranslationJob, unfinished_sources


@dataclass
class Worked:
    """What one process did."""

    done: list[str] = field(default_factory=list)
    """Names of parts that were translated here."""
    failed: dict[str, str] = field(default_factory=dict)
    """Name of a part -> why it could not be translated."""
    elsewhere: int = 0
    """Parts that other processes are translating."""


def work(overrides: Sequence[str], *, once: bool = False) -> Worked:
    """Translate parts until none is free; one part if `once`. Raises BenchError for overrides that are wrong."""
    suite, worked = read_suite(overrides), Worked()
    if suite.launcher.overrides and not suite.launcher.is_local:
        raise BenchError("bench work runs here: leave hydra/launcher out, or use bench run.")
    if suite.config.get("max_cost") is not None:  # other processes spend at the same time
        raise BenchError("max_cost counts the jobs of one command: use bench run, or leave max_cost out.")
    pairs = list(zip(suite.jobs, suite.requests, strict=True))
    first = zlib.crc32(f"{socket.gethostname()} {os.getpid()}".encode()) % len(pairs)
    for job, request in [*pairs[first:], *pairs[:first]]:  # processes that begin together try different parts
        if _is_done(job, suite.store):
            continue
        config = compose([*suite.launcher.overrides, *request.overrides])
        try:
            translate_job(config, patience=0)  # a job of its own, so that its model is freed afterwards
        except LockedElsewhere:
            worked.elsewhere += 1
            continue
        if _is_done(job, suite.store):
            worked.done.append(job.name)
        else:
            worked.failed[job.name] = read_failure(job.folder, job.shard.name) or "it is not done"
        if once:
            break
    return worked


def _is_done(job: TranslationJob, store: Store) -> bool:
    return job.is_finished(store) or (job.shard.count > 1 and not unfinished_sources(job))
