"""Whether what was asked for can run here."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from bench import references
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import cached_path
from bench.checkpoints.hub import GATED
from bench.commands.doctor import machine
from bench.commands.doctor.finding import Finding, Verdict, gb, pip_install
from bench.commands.doctor.network import host, offline, repository
from bench.commands.prefetch import Part, sacrebleu_folder, size
from bench.core import Weights
from bench.errors import BenchError

_WORSE: tuple[Verdict, ...] = get_args(Verdict)

_FOR_GPU = 2_000_000_000
"""Parameters from which on a CPU takes hours for what a GPU does in minutes."""


def keys(asked: Sequence[Part]) -> Iterator[Finding]:
    """Whether the keys of endpoints are there, and never what they are."""
    for part in asked:
        if variable := getattr(part.made, "key_variable", ""):
            if os.environ.get(variable, "").strip():
                yield Finding(f"key of {part.name}", f"{variable} is set", "ok")
            elif host(part).startswith(("localhost", "127.", "::1")):
                yield Finding(f"key of {part.name}", f"{variable} is not set; {host(part)} wants none", "ok")
            else:
                mend = f"read -rs {variable} && export {variable}"
                yield Finding(f"key of {part.name}", f"{variable} is not set", "missing", mend)


def reference_set(name: str) -> Finding:
    """One of sacrebleu's is fetched when it is read, and so it is not read here."""
    folder = sacrebleu_folder(name)
    if folder and not (folder / "raw").is_dir():
        mend = f"bench prefetch --into DIR system=copy reference={shlex.quote(name)}"
        if offline():
            return Finding("set", f"{name} is not here: offline mode", "missing", mend)
        return Finding("set", f"{name} is not here; sacrebleu will fetch it", "warning", mend)
    try:
        return Finding("set", f"{name}: {len(references.load(name).segments)} segments", "ok")
    except BenchError as error:
        return Finding("set", str(error), "missing")


def can_run_all(
    those: Sequence[Part], reasons: Mapping[str, str], gpus: Sequence[machine.GPU] | None, words: str
) -> Iterator[Finding]:
    """`reasons`: see bench.commands.doctor.network.questions. `gpus`: None where it is not this machine that computes. `words`: the
    overrides, as a shell reads them."""
    plain = [part for part in those if not (part.needs or part.fault or extra(part))]
    rest = [part for part in those if part not in plain]
    yield from dict.fromkeys(
        _can_run(part, reasons, gpus, words) for part in rest
    )  # both directions are alike
    if plain:
        yield Finding(", ".join(dict.fromkeys(part.name for part in plain)), "need nothing else", "ok")


def _can_run(
    part: Part, reasons: Mapping[str, str], gpus: Sequence[machine.GPU] | None, words: str
) -> Finding:
    said: list[tuple[Verdict, str, str]] = []
    if part.fault:
        said.append(("missing", part.fault, ""))
    if lacking := machine.lacking(extra(part)) if extra(part) else {}:
        said.append(("missing", "; ".join(lacking.values()), pip_install(lacking)))
    said += [_weights(part, weights, reasons, words) for weights in part.needs]
    said += _memory(part, gpus, words) if gpus is not None else ()
    verdict: Verdict = max((each for each, _, _ in said), key=_WORSE.index, default="ok")
    if verdict == "missing" and not part.required:
        verdict = "warning"  # the board then has a gap
    found = "; ".join(text for _, text, _ in said) or "needs nothing else"
    mend = "\n".join(dict.fromkeys(each for _, _, each in said if each))
    return Finding(f"{part.kind} {part.name}", found, verdict, mend)


def _weights(
    part: Part, weights: Weights, reasons: Mapping[str, str], words: str
) -> tuple[Verdict, str, str]:
    what = weights.file or str(weights.sources[0].get("hub") or weights.sources[0].get("path"))
    if path := cached_path(weights):
        return "ok", f"{what} is here ({gb(size(path))})", ""
    why = [_why_not(source, reasons) for source in weights.sources]
    if not all(why):
        wanted, room = _parameters(part) * 2, machine.free(cache_dir())[0]
        if wanted > room:
            mend = "export BITEXT_BENCH_CACHE=/a/larger/disk HF_HUB_CACHE=/a/larger/disk/hub"
            return "missing", f"{what} takes about {gb(wanted)} of disk, and {gb(room)} are free", mend
        return "ok", f"{what} will be fetched", ""
    reason = next((each for each in why if GATED in each), why[0])
    mend = f"where there is a network: bench prefetch --into DIR {words}"
    if GATED in reason:
        mend = "accept it there, then: hf auth login"
    return "missing", f"{what} is not here: {reason}", mend


def _why_not(source: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    if "path" in source:
        return f"there is nothing at {source['path']}"
    if "wheels" in source:
        return f"the package index does not answer ({reasons['index']})" if reasons["index"] else ""
    return reasons[repository(source)] if not offline() else "offline mode"


def _memory(part: Part, gpus: Sequence[machine.GPU], words: str) -> Iterator[tuple[Verdict, str, str]]:
    """By the size in the system's yaml: what the weights take in its dtype, and a third for what is computed with them."""
    parameters = _parameters(part)
    if not parameters:
        return
    dtype = str(getattr(part.made, "dtype", "float32"))
    weights = parameters * (4 if "32" in dtype else 1 if dtype.startswith("int8") else 2)
    several = extra(part) == "vllm"
    most = (sum if several else max)(gpu.bytes for gpu in gpus) if gpus else machine.memory()
    where = "of GPU memory" if gpus else "of memory"
    node = f"bench run {words} hydra/launcher=slurm"
    text = f"takes about {gb(weights * 4 // 3)} {where}, {gb(most)} are there"
    if weights > most:
        yield "missing", text, node
    elif weights * 4 // 3 > most:
        yield "warning", text, node
    else:
        yield "ok", text, ""
    if not gpus and (several or parameters >= _FOR_GPU):
        verdict: Verdict = "missing" if several else "warning"
        yield verdict, "wants a GPU, and there is none" + ("" if several else ": it takes hours"), node


def _parameters(part: Part) -> int:
    found = re.match(r"([\d.]+) ?([BM])\b", str(part.config.get("size", "")))
    return int(float(found[1]) * (10**9 if found[2] == "B" else 10**6)) if found else 0


def extra(part: Part) -> str:
    """The extra that a family of systems or metrics needs bears its module's name."""
    module = type(part.made).__module__.rpartition(".")[2]
    return module if module in machine.extras() else ""
