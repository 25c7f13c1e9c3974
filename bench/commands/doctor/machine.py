"""Facts about this machine: libraries, GPUs, memory, disks and programs. Nothing here changes anything."""

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
    memory: int
    """Bytes."""
    driver: str
    """Version of the driver; "" if it is not known."""


@dataclass(frozen=True)
class Torch:
    """What torch was built for, read without importing it."""

    version: str
    accelerator: str
    """"CUDA 12.8", "ROCm 6.4"; "" for a CPU build."""


@dataclass(frozen=True)
class Unmet:
    """A requirement that no installed package meets."""

    requirement: str
    """As pip writes it: "torch>=2.6"."""
    required_by: str
    installed: str
    """The version that is installed; "" if none is."""

    def __str__(self) -> str:
        state = f"but {self.installed} is installed" if self.installed else "which is not installed"
        return f"{self.required_by} needs {self.requirement}, {state}"


@cache
def installed(package: str) -> str:
    """The version of an installed package; "" if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def _requirements(package: str) -> tuple[Requirement, ...]:
    """All requirements of an installed package, including those under a condition."""
    from packaging.requirements import Requirement

    return tuple(map(Requirement, distribution(package).requires or ()))


@cache
def unmet(extra: str = "", package: str = NAME) -> dict[str, Unmet]:
    """Requirement -> details, for all requirements of a package that are not met, also indirect ones.

    This is what `pip check` does, but for one package and including one of its extras.
    """
    problems: dict[str, Unmet] = {}
    todo, seen = [(package, extra)], set()
    while todo:
        name, name_extra = todo.pop()
        if (name, name_extra) in seen or not installed(name):
            continue
        seen.add((name, name_extra))
        for required in _requirements(name):
            if required.marker and not required.marker.evaluate({"extra": name_extra}):
                continue
            installed_version = installed(required.name)
            if installed_version and required.specifier.contains(installed_version, prereleases=True):
                todo += [(required.name, required_extra) for required_extra in ("", *required.extras)]
            else:
                requirement = f"{required.name}{required.specifier}"
                problems[requirement] = Unmet(requirement, name, installed_version)
    return problems


def unmet_of_extra(extra: str) -> dict[str, Unmet]:
    """The requirements that are unmet because of an extra only."""
    return {
        requirement: problem for requirement, problem in unmet(extra).items() if requirement not in unmet()
    }


def extras() -> tuple[str, ...]:
    """The extras of this package, if it is installed."""
    return tuple(distribution(NAME).metadata.get_all("Provides-Extra") or ()) if installed(NAME) else ()


def direct_requirements(extra: str = "") -> tuple[str, ...]:
    """The packages that this package names itself: without an extra, or those of one extra."""
    return tuple(
        required.name
        for required in (_requirements(NAME) if installed(NAME) else ())
        if (not required.marker or required.marker.evaluate({"extra": extra}))
        and bool(extra) == bool(required.marker and "extra" in str(required.marker))
    )


def own_requirements(extra: str) -> tuple[str, ...]:
    """The packages that an extra names, without those of the smaller extras that it includes."""
    names = set(direct_requirements(extra))
    included = [smaller for other in extras() if (smaller := set(direct_requirements(other))) < names]
    return tuple(name for name in direct_requirements(extra) if not any(name in other for other in included))


def untested_versions() -> dict[str, tuple[str, str]]:
    """Direct requirements, also those of extras, whose version differs from constraints.txt.

    Name -> (installed version, tested version). Empty for an installed wheel, which has no constraints.txt.
    """
    from packaging.markers import Marker
    from packaging.version import Version

    path = Path(bench.__file__).parents[1] / "constraints.txt"
    required = {name for extra in ("", *extras()) for name in direct_requirements(extra)}
    versions = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        pin, _, marker = line.partition(";")
        name, _, tested = pin.strip().partition("==")
        if name in required and tested and (not marker or Marker(marker.strip()).evaluate()):
            installed_version = installed(name)
            if installed_version and Version(installed_version).public != Version(tested).public:
                versions[name] = (installed_version, tested)
    return versions


def torch_build() -> Torch | None:
    """None if torch is not installed."""
    spec = find_spec("torch")
    if not spec or not spec.submodule_search_locations:
        return None
    constants = runpy.run_path(str(Path(spec.submodule_search_locations[0]) / "version.py"))
    cuda, hip = constants.get("cuda"), constants.get("hip")
    accelerator = f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else ""
    return Torch(str(constants["__version__"]), accelerator)


def torch_gpus() -> tuple[list[GPU], str]:
    """The GPUs that torch can use, and why there are none. Imports torch."""
    import torch

    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return [], " ".join(str(error).split())
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [GPU(device.name, device.total_memory, "") for device in devices], ""


def nvidia_gpus() -> list[GPU]:
    """The GPUs that the driver reports, whether torch can use them or not."""
    query = "--query-gpu=name,memory.total,driver_version"
    lines = program_output("nvidia-smi", query, "--format=csv,noheader,nounits").splitlines()
    rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == 3 and row[1].isdigit()]
    return [GPU(name, int(mebibytes) << 20, driver) for name, mebibytes, driver in rows]


def memory() -> int:
    """Bytes that this process may use: the machine's memory, or less if a container or a job has a limit."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits()])


def _cgroup_limits() -> Iterator[int]:
    """Memory limits of the control groups (versions 1 and 2) in bytes; none outside Linux."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root = Path("/sys/fs/cgroup/memory" if controllers else "/sys/fs/cgroup")
            deepest = root / group.lstrip("/")
            for folder in (deepest, *deepest.parents):
                file = folder / ("memory.limit_in_bytes" if controllers else "memory.max")
                if file.is_file() and (text := file.read_text().strip()).isdigit():
                    yield int(text)


def free(path: Path) -> tuple[int, bool]:
    """Free bytes on the disk of a folder, and whether it can be written. The folder need not exist yet."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(existing).free, os.access(existing, os.W_OK)


@cache
def program_output(program: str, *arguments: str, seconds: float = 5) -> str:
    """What a program prints; "" if it is not installed, fails, or takes too long."""
    if not (path := shutil.which(program)):
        return ""
    try:
        answer = subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=seconds, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
