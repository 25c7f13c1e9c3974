"""The functions that Hydra calls, here or on another machine: one job translates, or scores. Results go into
the store."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import msgspec
from omegaconf import DictConfig, OmegaConf

from bench import progress
from bench.adapters.commercial.service import Service
from bench.core import Adapter, ReferenceSet, Task
from bench.errors import BenchError
from bench.files import check_inside
from bench.languages import Direction
from bench.launching import gpus, interpolation, settings
from bench.launching.compose import friendly_errors, reference, scorers
from bench.records import system_card
from bench.scoring.driver import score
from bench.store import Store
from bench.store.failures import clear_failure, in_progress_note, write_failure
from bench.store.journal import finished_hypotheses
from bench.store.lock import LockedElsewhere
from bench.store.run import retried
from bench.translation.driver import TranslationJob, identity, translate
from bench.translation.provenance import process_description
from bench.translation.shards import Shard

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)]
_DAYS_BACK = 3_650
_BEFORE_TIME_LIMIT = getattr(signal, f"SIG{os.environ.get('SUBMITIT_PREEMPT_SIGNAL', 'USR2')}", 0)
"""The signal that submitit has Slurm send before a time limit; it then has the job requeued."""
_WAIT_FOR_SLURM = 600  # seconds


def translation_job(config: DictConfig, reference_set: ReferenceSet) -> TranslationJob:
    """The job that a config describes. Raises BenchError if the config is wrong; loads no model."""
    settings.check_job(config)
    with friendly_errors():
        direction = cast(Direction, config.direction)
        task = Task(reference_set, direction)
        adapter: Adapter = settings.create(config.system.adapter, "system.adapter", direction=direction)
        system = interpolation.recorded(config)["system"]
        adapter_config = dict(system.pop("adapter"))
        system.pop("resources", None)
        card = system_card(system)
        store = Store(config.store)
        if isinstance(adapter, Service):
            adapter.date = adapter.date or _first_day(adapter, store, task, card.name)
            # A service may have learnt from any text that was public on that day.
            card = msgspec.structs.replace(card, released=card.released or adapter.date)
        folder = store.run_folder(task, card.name, identity(adapter))
        check_inside(folder, Path(config.store))
        shard = Shard(config.shard, config.shards)
        return TranslationJob(task, adapter, card, folder, config.batch_tokens, adapter_config, shard)


def _first_day(adapter: Service, store: Store, task: Task, name: str) -> str:
    """The last day on which the store has a run of this system, else today (UTC).

    The day is a part of the identity of a service. So the same command finds its finished work again, and
    `system.adapter.date=` translates anew.
    """
    today = datetime.now(timezone.utc).date()
    existing = set(store.direction_folder(task).glob(f"{name}-*"))
    for days in range(_DAYS_BACK) if existing else ():
        adapter.date = str(today - timedelta(days=days))
        folder = store.run_folder(task, name, identity(adapter))
        if folder in existing and finished_hypotheses(folder):
            return adapter.date
    return str(today)


def of_one_day(job: TranslationJob, overrides: Sequence[str]) -> Sequence[str]:
    """The overrides of a job. The day is a part of the identity of a service, and a job may begin after midnight: it
    keeps the day of the command."""
    adapter = job.adapter
    return (
        [*overrides, f"++system.adapter.date={adapter.date}"] if isinstance(adapter, Service) else overrides
    )


def job_resources(node: DictConfig) -> dict[str, Any]:
    """What a system or a metric needs of a machine, as settings of the launcher: {"mem_gb": 64}."""
    return dict(cast("dict[str, Any]", OmegaConf.to_container(node, resolve=True)).get("resources") or {})


def translate_job(config: DictConfig, patience: float | None = None) -> None:
    """Translate one system on one task (or one shard of it).

    Failures are recorded in the store. Raises LockedElsewhere if `patience` is given and another process makes the run
    for longer.
    """
    job = translation_job(config, reference(config))
    if job.is_finished(Store(config.store)):
        return
    elsewhere: LockedElsewhere | None = None
    with _recorded(f"{job.label} {job.shard.name}".strip(), job.folder, job.shard.name):
        gpus.claim_gpu()
        try:
            translate(job, patience)
        except LockedElsewhere as error:
            if patience is None:
                raise
            elsewhere = error
    if elsewhere:
        raise elsewhere


def score_job(config: DictConfig) -> None:
    """Score all runs of one task by one metric, so that its model is loaded once."""
    store, task = Store(config.store), Task(reference(config), cast(Direction, config.direction))
    ((metric, scorer),) = scorers(config).items()
    folder = store.direction_folder(task)
    with _recorded(f"scoring {task.direction} by {metric}", folder, metric):
        write_failure(folder, in_progress_note(process_description()), metric)
        gpus.claim_gpu()
        retried(lambda: score(store, task, {metric: scorer}))
        clear_failure(folder, metric)


@contextmanager
def _recorded(label: str, folder: Path, task_part: str) -> Iterator[None]:
    """Record a failure in the store and go on: the other jobs of a run continue. Only signals are raised
    again."""

    def record(reason: str, failed: bool = True) -> None:
        said = (
            reason
            if reason.startswith(label)
            else f"{label} failed: {reason}"
            if failed
            else f"{label} {reason}"
        )
        progress.say(said, warning=True)
        with suppress(BenchError):  # the disk may be full: the board then says that the run is missing
            write_failure(folder, reason, task_part)

    with _signals_as_exceptions():
        try:
            yield
        except BenchError as error:
            record(str(error))
        except Exception as error:
            traceback.print_exc()  # a fault of this project or of a library is shown with its traceback
            record(f"{type(error).__name__}: {error}")
        except (KeyboardInterrupt, SystemExit) as end:
            is_requeued = "SLURM_JOB_ID" in os.environ and getattr(end, "code", 0) == 128 + _BEFORE_TIME_LIMIT
            what_next = "Slurm starts it again, and it resumes" if is_requeued else "run again to resume it"
            record(f"was stopped {process_description()}: {what_next}", failed=not is_requeued)
            raise


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """End the block as an exception does on SIGTERM, SIGUSR1 and SIGUSR2: journals are saved and locks
    released.

    Afterwards the signal goes to the handler that was installed before: on the signal that Slurm sends before
    a time limit, submitit has the job requeued. SIGTERM in a Slurm job may be a preemption or the job's end,
    which cannot be told apart here, and a process that ends on its own counts as failed and is not requeued.
    So the process waits until Slurm ends it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may install handlers
        return
    received: list[int] = []

    def handle(number: int, _: object) -> None:
        received.append(number)
        if len(received) == 1:  # nothing may interrupt saving the journal
            raise SystemExit(128 + number)

    previous_handlers = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
        for number in received:
            signal.raise_signal(number)
        if received and "SLURM_JOB_ID" in os.environ:
            time.sleep(_WAIT_FOR_SLURM)
