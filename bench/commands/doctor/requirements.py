"""Whether what was requested can run on this machine."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from bench import references
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import cached_path
from bench.checkpoints.hub import GATED
from bench.commands.components import Component, disk_usage, sacrebleu_folder, weights_name
from bench.commands.doctor import machine
from bench.commands.doctor.finding import Finding, Verdict, gb, pip_install
from bench.commands.doctor.network import ELSEWHERE, hub_probe, offline
from bench.core import Weights
from bench.errors import BenchError

_VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_GPU_PARAMETERS = 2_000_000_000
"""From this number of parameters, a CPU takes hours where a GPU takes minutes."""


@dataclass(frozen=True)
class Target:
    """Where it is to run."""

    failures: Mapping[str, str]
    """The answers to bench.commands.doctor.network.probes."""
    gpus: Sequence[machine.GPU] | None
    """The GPUs of this machine; None if jobs run on other machines."""
    command_line: str
    """The arguments of `bench run`, quoted for a shell."""


def keys(components: Sequence[Component]) -> Iterator[Finding]:
    """Whether the keys of endpoints are set. Their values are never shown."""
    for name, endpoint in {c.name: c.endpoint for c in components if c.endpoint}.items():
        check, variable = f"key of {name}", endpoint.key_variable
        if os.environ.get(variable, "").strip():
            yield Finding(check, f"{variable} is set", "ok")
        elif endpoint.is_local:
            yield Finding(check, f"{variable} is not set; {endpoint.host} needs none", "ok")
        else:
            fix = f"read -rs {variable} && export {variable}"
            yield Finding(check, f"{variable} is not set", "missing", fix)


def reference_set(name: str) -> Finding:
    """Whether the set can be read. A set of sacrebleu's is not read, because that would fetch it."""
    folder = sacrebleu_folder(name)
    if folder and not (folder / "raw").is_dir():
        fix = f"bench prefetch --into DIR system=copy reference={shlex.quote(name)}"
        if offline():
            return Finding("set", f"{name} is not cached, and offline mode is on", "missing", fix)
        return Finding("set", f"{name} is not cached; sacrebleu will fetch it", "warning", fix)
    try:
        return Finding("set", f"{name}: {len(references.load(name).segments)} segments", "ok")
    except BenchError as error:
        return Finding("set", str(error), "missing")


def can_run_all(components: Sequence[Component], target: Target) -> Iterator[Finding]:
    """One finding per component; those without requirements share one."""
    simple = [c for c in components if not (c.needs or c.error or extra(c))]
    yield from dict.fromkeys(_can_run(c, target) for c in components if c not in simple)
    if simple:
        yield Finding(", ".join(dict.fromkeys(c.name for c in simple)), "need nothing else", "ok")


def _can_run(component: Component, target: Target) -> Finding:
    check = f"{component.kind} {component.name}"
    findings = [Finding(check, component.error, "missing")] if component.error else []
    if unmet := machine.unmet_of_extra(extra(component)) if extra(component) else {}:
        findings.append(Finding(check, "; ".join(map(str, unmet.values())), "missing", pip_install(unmet)))
    findings += [_weights(component, weights, target) for weights in component.needs]
    findings += _memory(component, target)
    verdict: Verdict = max((finding.verdict for finding in findings), key=_VERDICTS.index, default="ok")
    if verdict == "missing" and not component.required:
        verdict = "warning"  # a run continues without it
    result = "; ".join(finding.result for finding in findings) or "needs nothing else"
    return Finding(check, result, verdict, "\n".join(dict.fromkeys(f.fix for f in findings if f.fix)))


def _weights(component: Component, weights: Weights, target: Target) -> Finding:
    name = weights_name(weights)
    if path := cached_path(weights):
        return Finding(name, f"{name} is cached ({gb(disk_usage(path))})", "ok")
    if target.gpus is None and not all("path" in source for source in weights.sources):
        fix = f"bench prefetch --into /a/shared/folder {target.command_line}"
        return Finding(name, f"{name} is not cached, and nodes fetch nothing", "missing", fix)
    reasons = [_unusable(source, target.failures) for source in weights.sources]
    if not all(reasons):
        size, (free, _) = _parameters(component) * 2, machine.free(cache_dir())
        if size > free:
            fix = "export BITEXT_BENCH_CACHE=/a/larger/disk HF_HUB_CACHE=/a/larger/disk/hub"
            result = f"{name} needs about {gb(size)} of disk space, and {gb(free)} are free"
            return Finding(name, result, "missing", fix)
        return Finding(name, f"{name} will be fetched", "ok")
    reason = next((text for text in reasons if GATED in text), reasons[0])
    fix = f"{ELSEWHERE} {target.command_line}"
    if GATED in reason:
        fix = "accept it there, then: hf auth login"
    return Finding(name, f"{name} is not cached: {reason}", "missing", fix)


def _unusable(source: Mapping[str, Any], failures: Mapping[str, str]) -> str:
    """Why a source cannot be used; "" if it can."""
    if "path" in source:
        return f"there is nothing at {source['path']}"
    if "wheels" in source:
        return f"the package index does not answer ({failures['index']})" if failures["index"] else ""
    return "offline mode" if offline() else failures[hub_probe(source)]


def _memory(component: Component, target: Target) -> Iterator[Finding]:
    """Estimated from the yaml's size: the weights in their dtype, and a third more for computing."""
    parameters = _parameters(component)
    if not parameters or target.gpus is None:
        return
    dtype = str(getattr(component.instance, "dtype", "float32"))
    weights = parameters * (4 if "32" in dtype else 1 if dtype.startswith("int8") else 2)
    splits_over_gpus = extra(component) == "vllm"
    memory = [gpu.memory for gpu in target.gpus] or [machine.memory()]
    available = sum(memory) if splits_over_gpus else max(memory)
    fix = f"bench run {target.command_line} hydra/launcher=slurm"
    kind = "GPU memory" if target.gpus else "memory"
    result = f"needs about {gb(weights * 4 // 3)} of {kind}, and {gb(available)} are available"
    if weights * 4 // 3 <= available:
        yield Finding("memory", result, "ok")
    else:
        yield Finding("memory", result, "missing" if weights > available else "warning", fix)
    if not target.gpus and splits_over_gpus:
        yield Finding("GPU", "needs a GPU, and there is none", "missing", fix)
    elif not target.gpus and parameters >= _GPU_PARAMETERS:
        yield Finding("GPU", "takes hours without a GPU", "warning", fix)


def _parameters(component: Component) -> int:
    """Number of parameters by the system's yaml ("1.5B, Q4_K_M"); 0 if it does not say."""
    size = re.match(r"([\d.]+) ?([BM])\b", str(component.config.get("size", "")))
    return int(float(size[1]) * (10**9 if size[2] == "B" else 10**6)) if size else 0


def extra(component: Component) -> str:
    """The extra of this package that the component needs; "" if none. Most extras have the name of a module."""
    module = type(component.instance).__module__.rpartition(".")[2]
    name = "models" if module in ("llm", "seq2seq") else module
    return name if name in machine.extras() else ""
