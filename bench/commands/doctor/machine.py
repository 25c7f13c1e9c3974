"""Facts about this machine: its libraries, GPUs, memory, disks and programs. Nothing here changes anything."""

from __future__ import annotations

import csv
import os
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import bench

if TYPE_CHECKING:
    from packaging.requirements import Requirement

NAME = "bitext-bench"


@dataclass(frozen=True)
class GPU:
    name: str
    bytes: int
    """Of its memory."""
    driver: str


@dataclass(frozen=True)
class Torch:
    """What torch was built for, read without importing it."""

    version: str
    accelerator: str
    """"CUDA 12.8", "ROCm 6.4"; "" for the CPU alone."""


@cache
def installed(package: str) -> str:
    """Its version, "" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def _requirements(package: str) -> tuple[Requirement, ...]:
    """Of an installed package, those under a condition among them."""
    from packaging.requirements import Requirement

    return tuple(map(Requirement, distribution(package).requires or ()))


@cache
def unmet(extra: str = "", package: str = NAME) -> dict[str, str]:
    """What a package (with an extra of it) wants, itself or through others, that is not here in a version that fits:
    requirement -> who wants it and what is here. It is what `pip check` looks at, for one package, and with its extras."""
    todo, seen, found = [(package, extra)], set(), {}
    while todo:
        name, of = todo.pop()
        if (name, of) in seen or not installed(name):
            continue
        seen.add((name, of))
        for wanted in _requirements(name):
            if wanted.marker and not wanted.marker.evaluate({"extra": of}):
                continue
            here = installed(wanted.name)
            if here and wanted.specifier.contains(here, prereleases=True):
                todo += [(wanted.name, each) for each in ("", *wanted.extras)]
            else:
                requirement = f"{wanted.name}{wanted.specifier}"
                found[requirement] = f"{name} wants {requirement}, " + (
                    f"{here} is here" if here else "not here"
                )
    return found


def lacking(extra: str) -> dict[str, str]:
    """What is unmet because of an extra alone."""
    return {what: why for what, why in unmet(extra).items() if what not in unmet()}


def extras() -> tuple[str, ...]:
    """Those that this package has, as it is installed."""
    return tuple(distribution(NAME).metadata.get_all("Provides-Extra") or ()) if installed(NAME) else ()


def direct(extra: str = "") -> tuple[str, ...]:
    """The packages that this one names itself: all of it, or those of one extra."""
    return tuple(
        line.name
        for line in (_requirements(NAME) if installed(NAME) else ())
        if (not line.marker or line.marker.evaluate({"extra": extra}))
        and bool(extra) == bool(line.marker and "extra" in str(line.marker))
    )


def untested() -> dict[str, tuple[str, str]]:
    """Of the packages that this one names: those whose version is not the one in constraints.txt, and both versions. Only in
    a checkout: an installed wheel has no constraints.txt beside it."""
    from packaging.markers import Marker
    from packaging.version import Version

    path = Path(bench.__file__).parents[1] / "constraints.txt"
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        pinned, _, marker = line.partition(";")
        name, _, wanted = pinned.strip().partition("==")
        if name in direct() and wanted and (not marker or Marker(marker.strip()).evaluate()):
            here = installed(name)
            if here and Version(here).public != Version(wanted).public:
                found[name] = (here, wanted)
    return found


def torch_build() -> Torch | None:
    spec = find_spec("torch")
    if not spec or not spec.submodule_search_locations:
        return None
    said = runpy.run_path(str(Path(spec.submodule_search_locations[0]) / "version.py"))
    cuda, hip = said.get("cuda"), said.get("hip")
    return Torch(str(said["__version__"]), f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else "")


def torch_sees() -> tuple[list[GPU], str]:
    """The GPUs that torch can use, and why it cannot where there is none. Imports torch."""
    import torch

    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return [], " ".join(str(error).split())
    every = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [GPU(each.name, each.total_memory, "") for each in every], ""


def nvidia_gpus() -> list[GPU]:
    """What the driver says, whatever torch can do with it."""
    asked = "--query-gpu=name,memory.total,driver_version"
    lines = said("nvidia-smi", asked, "--format=csv,noheader,nounits").splitlines()
    rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == 3 and row[1].isdigit()]
    return [GPU(name, int(mebibytes) << 20, driver) for name, mebibytes, driver in rows]


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int:
    """Bytes that this process may use: the machine's, or fewer where a container or a job has a limit."""
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits())


def _limits() -> Iterator[int]:
    """Of control groups, of either version; none where this is not Linux."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root = Path("/sys/fs/cgroup/memory" if controllers else "/sys/fs/cgroup")
            folder = root / group.lstrip("/")
            for each in (folder, *folder.parents):
                file = each / ("memory.limit_in_bytes" if controllers else "memory.max")
                if file.is_file() and (text := file.read_text().strip()).isdigit():
                    yield int(text)


def free(path: Path) -> tuple[int, bool]:
    """Free bytes of the disk where a folder is or will be, and whether it can be written."""
    there = next(each for each in (path, *path.parents) if each.exists())
    return shutil.disk_usage(there).free, os.access(there, os.W_OK)


@cache
def said(program: str, *arguments: str, seconds: float = 5) -> str:
    """What a program writes; "" where it is not there, fails, or takes too long."""
    if not (path := shutil.which(program)):
        return ""
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=seconds, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
