"""`bench doctor`: what this machine can run, and how to fix what is missing. It changes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from bench.commands.components import run_components, run_configs
from bench.commands.doctor import local, machine, network, requirements
from bench.commands.doctor.finding import Finding, gb
from bench.launching.compose import parse_overrides
from bench.launching.launch import uses_slurm
from bench.resources import usable_cores

_SEARCH_PATH = "hydra.searchpath=['file://"


def examine(overrides: Sequence[str]) -> list[Finding]:
    """Examine this machine and, if there are overrides of `bench run`, whether it can run what they request.

    Raises BenchError if the overrides are wrong.
    """
    configs = run_configs(overrides) if overrides else []
    components = run_components(configs) if configs else []
    for_slurm = any(o.key_or_group == "hydra/launcher" for o in parse_overrides(overrides)) and uses_slurm(
        overrides
    )
    answers = network.start(network.probes(components))  # they are waited for after everything else
    gpus, gpu_finding = local.gpus()
    extras = {requirements.extra(component) for component in components} | ({"slurm"} if for_slurm else set())
    findings = [
        *local.python(),
        gpu_finding,
        Finding("CPU and memory", f"{usable_cores()} cores, {gb(machine.memory())}", "ok"),
        *local.disks(Path(configs[0].store if configs else "runs")),
        *local.programs(for_slurm),
        *local.extras(extras),
        *requirements.keys(components),
    ]
    failures = answers()
    findings += network.findings(failures, components)
    findings += map(requirements.reference_set, dict.fromkeys(str(config.reference) for config in configs))
    target = requirements.Target(failures, None if for_slurm else gpus, command_line(overrides))
    return [*findings, *requirements.can_run_all(components, target)]


def command_line(overrides: Sequence[str]) -> str:
    """The arguments of `bench run` as a shell reads them."""
    words: list[str] = []
    for override in overrides:
        if override.startswith(_SEARCH_PATH):
            words += ["--config-dir", override.removeprefix(_SEARCH_PATH).removesuffix("']")]
        else:
            words.append(override)
    return shlex.join(words)
