"""The machine itself: libraries, GPUs, disks, programs."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path

from bench.checkpoints.cache import cache_dir
from bench.commands.doctor import machine
from bench.commands.doctor.finding import Finding, Verdict, gb, pip_install
from bench.commands.prefetch import size

_WHEELS = "https://download.pytorch.org/whl"  # torch's own index: a folder for each build
_SMALL = 1_000_000  # bytes that are not worth a word
_ROOM = 5_000_000_000  # bytes of free disk, below which a first run may not fit


def python() -> Iterator[Finding]:
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    if not machine.installed(machine.NAME):
        yield Finding(
            "Python", f"{version}; {machine.NAME} is not installed", "warning", "pip install --editable ."
        )
        return
    wanted = distribution(machine.NAME).metadata["Requires-Python"] or ""
    fits = SpecifierSet(wanted).contains(version)
    mend = "" if fits else "python3.11 -m venv .venv && .venv/bin/pip install bitext-bench"
    yield Finding("Python", f"{version} ({wanted} wanted)", "ok" if fits else "missing", mend)

    shown = ("torch", "transformers", "tokenizers", "huggingface-hub", "sacrebleu", "hydra-core", "numpy")
    here = ", ".join(f"{name} {version}" for name in shown if (version := machine.installed(name)))
    if unmet := machine.unmet():
        verdict: Verdict = "missing" if any(why.endswith("not here") for why in unmet.values()) else "warning"
        yield Finding("libraries", "; ".join(unmet.values()), verdict, pip_install(unmet))
    else:
        yield Finding("libraries", here, "ok")
    if untested := machine.untested():
        listed = ", ".join(f"{name} {here} ({tested})" for name, (here, tested) in untested.items())
        mend = "pip install --constraint constraints.txt --editable '.[dev]'"
        yield Finding("tested versions", f"others than in constraints.txt: {listed}", "warning", mend)


def gpus() -> tuple[list[machine.GPU], Finding]:
    """Those that torch can use."""
    driven, build = machine.nvidia_gpus(), machine.torch_build()
    listed = f"{_names(driven)}, driver {driven[0].driver}" if driven else "none"
    if build is None:
        return [], Finding("GPUs", f"{listed}; torch is not installed", "warning", "pip install torch")
    install = f"pip install --force-reinstall torch=={build.version.partition('+')[0]} --index-url {_WHEELS}"
    if not build.accelerator:
        if not driven:
            return [], Finding("GPUs", f"none; torch {build.version} computes on the CPU", "ok")
        found = f"{listed}; torch {build.version} is built for the CPU alone"
        return [], Finding("GPUs", found, "warning", f"{install}/cu126")
    seen, reason = machine.torch_sees()
    built = f"torch {build.version} for {build.accelerator}"
    if seen:
        return seen, Finding("GPUs", f"{listed if driven else _names(seen)}; {built} sees {len(seen)}", "ok")
    if not driven:
        found = f"none, and {built}: gigabytes that only other machines use"
        return [], Finding("GPUs", found, "warning", f"{install}/cpu")
    hidden = "CUDA_VISIBLE_DEVICES" in os.environ
    mend = "unset CUDA_VISIBLE_DEVICES" if hidden else f"{install}/cu126 (or update the driver)"
    return [], Finding("GPUs", f"{listed}; {built} sees none: {reason}", "warning", mend)


def disks(store: Path) -> Iterator[Finding]:
    from huggingface_hub.constants import HF_HUB_CACHE

    for name, path, mend in (
        ("cache", cache_dir(), "export BITEXT_BENCH_CACHE=/a/folder/elsewhere"),
        ("hub's cache", Path(HF_HUB_CACHE), "export HF_HUB_CACHE=/a/folder/elsewhere"),
        ("store", store.absolute(), "bench run store=/a/folder/elsewhere"),
    ):
        room, writable = machine.free(path)
        found = f"{path}: {gb(room)} free{_held(path) if name != 'store' else ''}"
        if not writable:  # of caches, one that was prefetched may be so, and that is well
            verdict: Verdict = "missing" if name == "store" else "warning"
            yield Finding(name, f"{found}, cannot be written", verdict, mend)
        elif room < _ROOM:
            yield Finding(name, found, "warning", mend)
        else:
            yield Finding(name, found, "ok")


def _held(cache: Path) -> str:
    sizes = {each.name: size(each) for each in sorted(cache.glob("*")) if each.is_dir()}
    held = [
        f"{name.removeprefix('models--').replace('--', '/')} {gb(n)}"
        for name, n in sizes.items()
        if n > _SMALL
    ]
    more = f" and {len(held) - 8} more" if len(held) > 8 else ""
    return f"; holds {', '.join(held[:8])}{more}" if held else ""


def programs(on_slurm: bool) -> Iterator[Finding]:
    """`on_slurm`: jobs are to go there."""
    absent: Verdict = "missing" if on_slurm else "not here"
    if not shutil.which("sbatch"):
        mend = "ssh to a login node of the cluster, or for one of your own: apt-get install -y slurm-wlm"
        yield Finding("Slurm", "none", absent, mend)
    elif partitions := machine.said("sinfo", "--noheader", "--format=%P").split():
        version = machine.said("sbatch", "--version")
        yield Finding("Slurm", f"{version}, partitions {', '.join(partitions)}", "ok")
    else:
        mend = "export SLURM_CONF=/path/to/slurm.conf, then: scontrol ping"
        yield Finding("Slurm", "sbatch is here, and no controller answers", absent, mend)
    browser = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), "")
    yield _or_install("Chromium", browser, "apt-get install -y chromium")
    fonts = machine.said("fc-list", ":lang=zh", "family").splitlines()
    yield _or_install(
        "Chinese font", fonts[0] if fonts else "", "apt-get install -y fontconfig fonts-wqy-microhei"
    )


def _or_install(check: str, found: str, mend: str) -> Finding:
    return Finding(check, found, "ok") if found else Finding(check, "none", "not here", mend)


def extras(needed: set[str]) -> Iterator[Finding]:
    """`needed`: what was asked for wants these."""
    for extra in machine.extras():
        if extra == "dev":
            continue
        lacking = machine.lacking(extra)
        here = ", ".join(f"{n} {version}" for n in machine.direct(extra) if (version := machine.installed(n)))
        if not lacking:
            yield Finding(f"extra {extra}", here, "ok")
        elif extra in needed or here:  # half of one is worse than none
            verdict: Verdict = "missing" if extra in needed else "warning"
            yield Finding(f"extra {extra}", "; ".join(lacking.values()), verdict, pip_install(lacking))
        else:
            yield Finding(f"extra {extra}", "none", "not here", f"pip install 'bitext-bench[{extra}]'")
    yield _or_install("llama.cpp's server", machine.installed("xllamacpp"), "pip install xllamacpp")


def _names(gpus: Sequence[machine.GPU]) -> str:
    counted = Counter(f"{gpu.name} {gb(gpu.bytes)}" for gpu in gpus)
    return ", ".join(f"{count} x {name}" for name, count in counted.items())
