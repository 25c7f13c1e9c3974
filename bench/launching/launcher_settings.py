"""Hydra's own settings: where jobs run. The only code that they may name is Hydra's."""

from __future__ import annotations

from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from bench import limits
from bench.errors import BenchError
from bench.launching.interpolation import check_forms, leaves

SLURM = "bench.launching.slurm"
"""What a yaml of hydra/launcher names to have jobs run on Slurm."""
_OWN_OF_HYDRA = "${hydra_override_dirname:}"
"""A value of Hydra's own, from version 1.4."""
_HYDRA_HOMES = ("hydra._internal.core_plugins.", "hydra_plugins.")


def check_launcher(hydra: DictConfig) -> None:
    """Raise BenchError, which names the key, unless every value can be used."""
    values = cast("dict[str, Any]", OmegaConf.to_container(hydra, resolve=False))
    for key, value in leaves(values, ("hydra",)):
        name = ".".join(key)
        if key[-1] == "_target_" and (
            key[1:-1] not in (("launcher",), ("sweeper",))
            or not str(value).startswith((*_HYDRA_HOMES, SLURM))
        ):
            raise BenchError(f"{name} must name a launcher of Hydra: choose one with hydra/launcher=.")
        if {"()", "class"} & {*key} or str(value).startswith(("ext://", "cfg://")):
            raise BenchError(f"{name} may name code: remove it.")
        if isinstance(value, str) and "${" in value and value != _OWN_OF_HYDRA:
            check_forms(value, key)
    jobs = values["launcher"].get("n_jobs")
    if jobs is not None and (jobs == 0 or abs(jobs) > limits.DEVICES):
        raise BenchError(f"hydra.launcher.n_jobs must be at most {limits.DEVICES} and not 0.")
