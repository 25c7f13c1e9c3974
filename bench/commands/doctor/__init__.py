"""`bench doctor`: what this machine can run, what is missing, and the command that mends it. It changes and fetches nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from bench.commands.doctor import local, machine, network, requirements
from bench.commands.doctor.finding import Finding, gb
from bench.commands.prefetch import composed, parts


def examine(overrides: Sequence[str] | None) -> list[Finding]:
    """What is found on this machine, and where overrides are given (those of `bench run`), whether what they ask for can run
    here. Raises BenchError where they are wrong."""
    configs = composed(overrides) if overrides is not None else []
    words = re.sub(
        r"'?hydra\.searchpath=\[file://(\S*?)\]'?", r"--config-dir \1", shlex.join(overrides or ())
    )
    those = parts(configs) if configs else []
    on_slurm = any(word.startswith("hydra/launcher=slurm") for word in overrides or ())
    answers = network.ask(network.questions(those))
    gpus, about_gpus = local.gpus()
    findings = [
        *local.python(),
        about_gpus,
        Finding("CPU and memory", f"{machine.cores()} cores, {gb(machine.memory())}", "ok"),
        *local.disks(Path(configs[0].store) if configs else Path("runs")),
        *local.programs(on_slurm),
        *local.extras({*(requirements.extra(part) for part in those), *(["slurm"] if on_slurm else [])}),
        *requirements.keys(those),
    ]
    reasons = answers()
    findings += network.findings(reasons, those)
    findings += map(requirements.reference_set, dict.fromkeys(str(config.reference) for config in configs))
    return [*findings, *requirements.can_run_all(those, reasons, None if on_slurm else gpus, words)]
