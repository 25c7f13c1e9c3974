"""`max_cost`: what the jobs of a command may still cost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from omegaconf import DictConfig

from bench.budget import Budget, limited
from bench.errors import BenchError
from bench.launching.launch import Launcher
from bench.translation.driver import TranslationJob, spent


def limited_cost(
    config: DictConfig, jobs: Sequence[TranslationJob], launcher: Launcher
) -> AbstractContextManager[None]:
    """A block in which requests stop before the jobs have cost more than max_cost, killed attempts included.

    Raises BenchError if that cannot be counted: without a price, or where jobs run side by side.
    """
    limit = config.get("max_cost")
    if limit is None:
        return limited(None)
    if not launcher.is_local or config.shards > 1:
        raise BenchError(
            "max_cost counts jobs that run one after another: leave hydra/launcher and shards out."
        )
    paid = {job.folder: job for job in jobs if hasattr(job.adapter, "endpoint")}
    for job in paid.values():
        if job.card.price is None:
            raise BenchError(
                f"max_cost needs the price of {job.card.name}: set system.price.characters, or system.price.input and "
                "system.price.output (US dollars per million; 0 if it is free)."
            )
    return limited(Budget(limit, sum(map(spent, paid.values()))))
