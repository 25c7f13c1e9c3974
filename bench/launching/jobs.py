"""What Hydra calls, here or on another machine: one job translates, or scores. What became of it goes into the store."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from bench import progress, store
from bench.core import Adapter, ReferenceSet
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.launching import gpus
from bench.launching.compose import instantiate, reference, scorers, sentences
from bench.scoring.driver import score
from bench.translation import provenance
from bench.translation.driver import identity, is_current, translate
from bench.translation.shards import Shard

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)]
_REST = 600  # seconds


@dataclass(frozen=True)
class Job:
    """One system x one direction (x one shard), as its config describes it."""

    config: DictConfig
    adapter: Adapter
    direction: Direction
    folder: Path

    @classmethod
    def of(cls, config: DictConfig) -> Job:
        with sentences():
            direction = cast(Direction, config.direction)
            sides(direction)
            adapter: Adapter = instantiate(config.system.adapter)
            system = str(config.system.name)
            root, set_id = Path(config.store), reference(config).id
            folder = store.run_folder(root, set_id, direction, system, identity(adapter, direction))
            return cls(config, adapter, direction, folder)

    @property
    def card(self) -> dict[str, Any]:
        """What the yaml says of the system, without what its adapter does and where it runs."""
        return {key: value for key, value in self._system().items() if key not in ("adapter", "resources")}

    @property
    def resources(self) -> dict[str, Any]:
        """What it needs of a machine, as settings of the launcher: {"mem_gb": 64}."""
        return dict(self._system().get("resources") or {})

    @property
    def adapter_config(self) -> dict[str, Any]:
        """How the adapter was set up, every value resolved."""
        return dict(self._system()["adapter"])

    @property
    def shard(self) -> Shard:
        return Shard(self.config.shard, self.config.shards)

    def done(self, reference: ReferenceSet) -> bool:
        """Whether the run is whole, of this version of the set, and nothing in it is to be tried again."""
        current = store.read_run(self.folder)
        return is_current(current, reference) and not (current and current.record["flags"].get("error"))

    def _system(self) -> dict[str, Any]:
        return cast("dict[str, Any]", OmegaConf.to_container(self.config.system, resolve=True))


def translate_job(config: DictConfig) -> None:
    this, set_ = Job.of(config), reference(config)
    if this.done(set_):
        return
    shard = this.shard
    what = " ".join(filter(None, (str(config.system.name), this.direction, shard.name)))
    with _reported(what, this.folder, shard.name):
        _take_gpu()
        set_up, most = this.adapter_config, config.batch_tokens
        translate(this.adapter, set_, this.direction, this.folder, this.card, most, set_up, shard)


def score_job(config: DictConfig) -> None:
    """All runs of one direction by one metric, so that its model is loaded once."""
    root, set_, direction = Path(config.store), reference(config), cast(Direction, config.direction)
    ((metric, scorer),) = scorers(config).items()
    folder = store.direction_folder(root, set_.id, direction)
    with _reported(f"scoring {direction} by {metric}", folder, metric):
        store.write_failure(folder, store.begun(provenance.here()), metric)
        _take_gpu()
        score(root, set_, direction, {metric: scorer})
        store.clear_failure(folder, metric)


def _take_gpu() -> None:
    gpus.claim_gpu()


@contextmanager
def _reported(what: str, folder: Path, of: str) -> Iterator[None]:
    """What goes wrong leaves its reason in the store, and nothing but a signal goes further: other jobs go on."""

    def failed(reason: str) -> None:
        progress.say(f"{what} failed: {reason}", warning=True)
        with suppress(BenchError):  # the disk may be full: the board then says that it has not run
            store.write_failure(folder, reason, of)

    with _ended_by_signals():
        try:
            yield
        except BenchError as error:
            failed(str(error))
        except Exception as error:
            traceback.print_exc()  # a fault of ours or of a library is shown whole
            failed(f"{type(error).__name__}: {error}")
        except (KeyboardInterrupt, SystemExit):
            failed(f"was stopped {provenance.here()}: run again, and it goes on from there")
            raise


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM, SIGUSR1 and SIGUSR2 end what is in here as an exception does: the journal is saved, locks are given back.

    Then whoever had asked for a signal gets it: submitit, at the one that Slurm sends before a time limit, has the job started
    again. A SIGTERM in a Slurm job is a preemption or the job's end, and which of them is not ours to guess: a process that
    ends by itself counts as failed and is not started again. So it rests until Slurm ends it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may ask for signals
        return
    came: list[int] = []

    def end(number: int, _: object) -> None:
        came.append(number)
        if len(came) == 1:  # nothing may cut in while the journal is saved
            raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
        if came and "SLURM_JOB_ID" in os.environ:
            time.sleep(_REST)
