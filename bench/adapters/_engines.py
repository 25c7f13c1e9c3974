"""The engine's version in a system's identity: another release may give other outputs from the same checkpoint."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from packaging.version import Version

_UNNAMED = {"transformers": "4.57", "ctranslate2": "4.8"}
"""An identity that names no engine means these: all runs that were made before identities named engines."""


def engine_version(*packages: str) -> dict[str, str]:
    """What an identity says of the packages that decide outputs: {"engine_version": "transformers 5.24"}.

    Major and minor version of each. Empty if all are those that identities without it mean, or are not installed:
    then nothing can be translated here.
    """
    versions = {}
    for package in packages:
        try:
            installed = Version(version(package))
        except PackageNotFoundError:
            continue
        versions[package] = f"{installed.major}.{installed.minor}"
    if all(_UNNAMED.get(package) == number for package, number in versions.items()):
        return {}
    return {"engine_version": ", ".join(f"{package} {number}" for package, number in versions.items())}
