"""The configs of many systems at once.

Hydra needs some 60 ms for a config, nearly all of it for what all systems share. So it composes one config that holds
many systems side by side, `systems.n0`, `systems.n1`, …, and one without a system, and each job gets its own from both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict

from bench.errors import BenchError

Compose = Callable[[Sequence[str]], DictConfig]
"""Overrides -> config. Raises BenchError."""
_TOGETHER = 50
"""Systems in one config: with more, merging each of them takes longer."""
_PLACE = "systems"
"""No setting has this name."""


@dataclass
class ComposedJob:
    """The config of a job, composed alone when it is asked for, or with others before."""

    overrides: Sequence[Override]
    compose: Compose
    shared: DictConfig | None = None
    """A config that other jobs use with their systems; None: not composed with others."""
    system: DictConfig | None = None

    @property
    def is_shared(self) -> bool:
        return self.system is not None

    def config(self) -> DictConfig:
        """The same object may be the config of another job afterwards."""
        if self.shared is None:
            self.shared = self.compose(_texts(self.overrides))
        if self.system is not None:
            with open_dict(self.shared):
                self.shared.system = self.system
        return self.shared

    def separate(self) -> None:
        """Compose it alone from now on."""
        self.shared = self.system = None


def compose_systems(jobs: Sequence[Sequence[Override]], compose: Compose) -> list[ComposedJob]:
    """Jobs, each given by its overrides, whose configs are the same as `compose` makes of these."""
    composed = [ComposedJob(job, compose) for job in jobs]
    alike: dict[tuple[str, ...], list[ComposedJob]] = defaultdict(list)
    for job in composed:
        if _can_be_moved(job.overrides):
            alike[tuple(_texts(o for o in job.overrides if not _is_of_system(o)))].append(job)
    for shared, group in alike.items():
        if len(group) > 2:  # two are as fast alone
            _compose_side_by_side(group, shared, compose)
    return composed


def _compose_side_by_side(jobs: Sequence[ComposedJob], shared: Sequence[str], compose: Compose) -> None:
    """Leaves those alone that cannot be composed in this way."""
    base: DictConfig | None = None
    for start in range(0, len(jobs), _TOGETHER):
        part = jobs[start : start + _TOGETHER]
        moved = [
            _moved(parsed, f"{_PLACE}.n{number}")
            for number, job in enumerate(part)
            for parsed in job.overrides
            if _is_of_system(parsed)
        ]
        try:
            base = base or compose(shared)
            together = compose([*shared, *moved])
        except BenchError:  # it names a key of `systems`; composed alone, the job has an error with its own
            return
        with open_dict(together):
            nodes = together.pop(_PLACE)
        if together != base:  # a yaml of a system sets more than the system
            return
        for job, node in zip(part, nodes.values(), strict=True):
            job.shared, job.system = base, node


def _can_be_moved(job: Sequence[Override]) -> bool:
    """Whether the job's overrides choose its system in the ordinary way."""
    chosen = [o for o in job if o.key_or_group == "system"]
    return (
        len(chosen) == 1 and chosen[0].package is None and not (chosen[0].is_add() or chosen[0].is_delete())
    )


def _is_of_system(parsed: Override) -> bool:
    key = parsed.key_or_group if parsed.package is None else parsed.package
    return key.partition(".")[0] == "system"


def _moved(parsed: Override, place: str) -> str:
    """The override for a system that is not in `system` but in `place`."""
    key, equals, value = (parsed.input_line or "").partition("=")
    if parsed.key_or_group == "system":
        return f"+system@{place}={value}"
    sign = key[: len(key) - len(key.lstrip("+~"))]
    name = key.lstrip("+~")
    if parsed.package is not None:
        group, _, package = name.partition("@")
        return f"{sign}{group}@{place}{package.removeprefix('system')}{equals}{value}"
    # ++: without it, Hydra refuses what the yaml does not have. `compose` then adds it in the same way.
    return f"{sign or '++'}{place}{name.removeprefix('system')}{equals}{value}"


def _texts(overrides: Iterable[Override]) -> list[str]:
    return [parsed.input_line or "" for parsed in overrides]
