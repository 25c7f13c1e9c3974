"""The range of vLLM in pyproject.toml, against the sources of each of its minor versions."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.helpers.vllm_sources import TABLE, used

ROOT = Path(__file__).parents[2]


def requirement(name: str) -> SpecifierSet:
    match = re.search(rf'"({name}[<>=][^"]*)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert match
    return Requirement(match[1]).specifier


def test_every_minor_version_has_what_the_adapter_uses() -> None:
    """A new name in the adapter, or a wider range, needs the sources to be read again: see the helper."""
    names, _, *lines = TABLE.read_text("utf-8").splitlines()
    assert names.removeprefix("# used: ").split(", ") == used(), "make the table again"
    table = [line.split("\t") for line in lines]
    assert [row for row in table if row[3] != "-"] == []
    vllm = requirement("vllm")
    assert all(row[0] in vllm for row in table)
    (lowest,), (beyond,) = ([s.version for s in vllm if s.operator == sign] for sign in (">=", "<"))
    minors = {int(row[0].split(".")[1]) for row in table}
    assert minors == set(range(int(lowest.split(".")[1]), int(beyond.split(".")[1])))
    for version, transformers, _, _ in table:
        some = [f"4.57.{patch}" for patch in range(7)] + [
            f"5.{minor}.{patch}" for minor in range(30) for patch in range(5)
        ]
        allowed = SpecifierSet(transformers) & requirement("transformers")
        assert list(allowed.filter(some)), f"vLLM {version} and this project want no common transformers"
