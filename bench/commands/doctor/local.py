"""The machine itself: Python, libraries, GPUs, disks, programs."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path

from bench.checkpoints.cache import cache_dir
from bench.commands.components import disk_usage
from bench.commands.doctor import machine
from bench.commands.doctor.finding import Finding, Verdict, gb, pip_install

_TORCH_INDEX = "https://download.pytorch.org/whl"
"""torch's own package index, with a folder for each build."""
_SHOWN_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "huggingface-hub",
    "sacrebleu",
    "hydra-core",
    "numpy",
)
_MIN_FOLDER_SIZE = 1_000_000
"""Smaller folders of a cache are not listed. In bytes."""
_MAX_FOLDERS = 8
"""How many folders of a cache are listed."""
_MIN_FREE_DISK = 5_000_000_000
"""With less, a first run may not fit. In bytes."""


def python() -> Iterator[Finding]:
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    if not machine.installed(machine.NAME):
        result = f"{version}; {machine.NAME} is not installed"
        yield Finding("Python", result, "warning", "pip install --editable .")
        return
    required = distribution(machine.NAME).metadata["Requires-Python"] or ""
    if SpecifierSet(required).contains(version):
        yield Finding("Python", f"{version} (needs {required})", "ok")
    else:
        fix = "python3.11 -m venv .venv && .venv/bin/pip install bitext-bench"
        yield Finding("Python", f"{version} (needs {required})", "missing", fix)

    if unmet := machine.unmet():
        absent = any(not problem.installed for problem in unmet.values())
        result = "; ".join(map(str, unmet.values()))
        yield Finding("libraries", result, "missing" if absent else "warning", pip_install(unmet))
    else:
        yield Finding("libraries", _versions(_SHOWN_PACKAGES), "ok")
    if untested := machine.untested_versions():
        versions = ", ".join(
            f"{name} {installed} (tested: {tested})" for name, (installed, tested) in untested.items()
        )
        fix = "pip install --constraint constraints.txt --editable '.[dev]'"
        yield Finding("tested versions", f"these differ from constraints.txt: {versions}", "warning", fix)


def gpus() -> tuple[list[machine.GPU], Finding]:
    """The GPUs that torch can use, and what to report about them."""
    driven, build = machine.nvidia_gpus(), machine.torch_build()
    listed = f"{_names(driven)}, driver {driven[0].driver}" if driven else "none"
    if build is None:
        fix = "pip install 'bitext-bench[models]'"
        return [], Finding("GPUs", f"{listed}; torch is not installed", "optional", fix)
    version = build.version.partition("+")[0]
    reinstall = f"pip install --force-reinstall torch=={version} --index-url {_TORCH_INDEX}"
    if not build.accelerator:
        if not driven:
            return [], Finding("GPUs", f"none; torch {build.version} is a CPU build", "ok")
        result = f"{listed}; torch {build.version} is a CPU build"
        return [], Finding("GPUs", result, "warning", f"{reinstall}/cu126")
    usable, reason = machine.torch_gpus()
    torch = f"torch {build.version} for {build.accelerator}"
    if usable:
        result = f"{listed if driven else _names(usable)}; {torch} sees {len(usable)}"
        return usable, Finding("GPUs", result, "ok")
    if not driven:
        result = f"none, but torch {build.version} is a {build.accelerator} build (several GB unused here)"
        return [], Finding("GPUs", result, "warning", f"{reinstall}/cpu")
    hidden = "CUDA_VISIBLE_DEVICES" in os.environ
    fix = "unset CUDA_VISIBLE_DEVICES" if hidden else f"{reinstall}/cu126 (or update the driver)"
    return [], Finding("GPUs", f"{listed}; {torch} sees none: {reason}", "warning", fix)


def disks(store: Path) -> Iterator[Finding]:
    from huggingface_hub.constants import HF_HUB_CACHE

    for name, path, fix in (
        ("cache", cache_dir(), "export BITEXT_BENCH_CACHE=/another/folder"),
        ("hub's cache", Path(HF_HUB_CACHE), "export HF_HUB_CACHE=/another/folder"),
        ("store", store.absolute(), "bench run store=/another/folder"),
    ):
        free, writable = machine.free(path)
        result = f"{path}: {gb(free)} free{_largest_folders(path) if name != 'store' else ''}"
        if not writable:  # fine for a cache that was prefetched
            verdict: Verdict = "missing" if name == "store" else "warning"
            yield Finding(name, f"{result}, cannot be written", verdict, fix)
        elif free < _MIN_FREE_DISK:
            yield Finding(name, result, "warning", fix)
        else:
            yield Finding(name, result, "ok")


def _largest_folders(cache: Path) -> str:
    sizes = {folder.name: disk_usage(folder) for folder in sorted(cache.glob("*")) if folder.is_dir()}
    folders = [
        f"{name.removeprefix('models--').replace('--', '/')} {gb(size)}"
        for name, size in sizes.items()
        if size > _MIN_FOLDER_SIZE
    ]
    more = f" and {len(folders) - _MAX_FOLDERS} more" if len(folders) > _MAX_FOLDERS else ""
    return f"; holds {', '.join(folders[:_MAX_FOLDERS])}{more}" if folders else ""


def programs(for_slurm: bool) -> Iterator[Finding]:
    """`for_slurm`: jobs are to run there."""
    absent: Verdict = "missing" if for_slurm else "optional"
    if not shutil.which("sbatch"):
        fix = "ssh to a login node of the cluster, or install one of your own: apt-get install -y slurm-wlm"
        yield Finding("Slurm", "not installed", absent, fix)
    elif partitions := machine.program_output("sinfo", "--noheader", "--format=%P").split():
        version = machine.program_output("sbatch", "--version")
        yield Finding("Slurm", f"{version}, partitions {', '.join(partitions)}", "ok")
    else:
        fix = "export SLURM_CONF=/path/to/slurm.conf, then: scontrol ping"
        yield Finding("Slurm", "sbatch is installed, but no controller answers", absent, fix)
    browser = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), "")
    yield _installed("Chromium", browser, "apt-get install -y chromium")
    fonts = machine.program_output("fc-list", ":lang=zh", "family").splitlines()
    fix = "apt-get install -y fontconfig fonts-wqy-microhei"
    yield _installed("Chinese font", fonts[0] if fonts else "", fix)


def extras(needed: Collection[str]) -> Iterator[Finding]:
    """The extras of this package. `needed`: those that the requested systems, metrics and launcher need."""
    for extra in machine.extras():
        if extra == "dev":
            continue
        unmet, versions = machine.unmet_of_extra(extra), _versions(machine.own_requirements(extra))
        partly = bool(versions) or any(problem.installed for problem in unmet.values())
        if not unmet:
            yield Finding(f"extra {extra}", versions, "ok")
        elif extra in needed or partly:  # an extra that is partly installed may break
            verdict: Verdict = "missing" if extra in needed else "warning"
            yield Finding(f"extra {extra}", "; ".join(map(str, unmet.values())), verdict, pip_install(unmet))
        else:
            fix = f"pip install 'bitext-bench[{extra}]'"
            yield Finding(f"extra {extra}", "not installed", "optional", fix)
    yield _installed("llama.cpp's server", machine.installed("xllamacpp"), "pip install xllamacpp")


def _installed(check: str, version: str, fix: str) -> Finding:
    return Finding(check, version, "ok") if version else Finding(check, "not installed", "optional", fix)


def _versions(packages: Sequence[str]) -> str:
    """Those that are installed: "torch 2.6.0, numpy 2.1.0"."""
    return ", ".join(f"{name} {version}" for name in packages if (version := machine.installed(name)))


def _names(gpus: Sequence[machine.GPU]) -> str:
    counts = Counter(f"{gpu.name} {gb(gpu.memory)}" for gpu in gpus)
    return ", ".join(f"{count} x {name}" for name, count in counts.items())
