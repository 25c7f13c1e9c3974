"""What bench.adapters.vllm uses of vLLM, looked up in the sources of each minor version.

    pip download --no-deps --only-binary :all: -d wheels vllm==0.33.0     # one of each minor version
    python -m tests.helpers.vllm_sources wheels/*.whl > tests/adapters/vllm_sources.tsv

Nothing is imported or installed: the sources are parsed. test_vllm_sources.py holds the table against the adapter and
the range in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.adapters.vllm import FIXED, HARDWARE

TABLE = Path(__file__).parents[1] / "adapters" / "vllm_sources.tsv"

API = {
    "vllm/v1/engine/llm_engine.py": (
        "def from_engine_args", "def add_request", "def step", "def abort_request", "def has_unfinished_requests",
        "self.engine_core", "self.model_config",
    ),
    "vllm/v1/engine/core_client.py": ("def shutdown",),
    "vllm/sampling_params.py": ("FINAL_ONLY", "temperature", "max_tokens", "stop:", "output_kind"),
    "vllm/outputs.py": ("token_ids", "finish_reason", "stop_reason", "prompt_token_ids", "request_id"),
    "vllm/envs.py": ("VLLM_LOGGING_LEVEL", "VLLM_NO_USAGE_STATS"),
}  # fmt: skip
"""File -> what the adapter uses of it."""


def used() -> list[str]:
    """All names that the adapter uses, in order."""
    return [*sorted(FIXED | HARDWARE), *(word for words in API.values() for word in words)]


def rows(wheel: Path) -> Iterator[str]:
    """Version, required transformers, and the names that the version lacks ("-" for none)."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = archive.read(metadata).decode()
        arguments = _fields(archive.read("vllm/engine/arg_utils.py").decode(), "EngineArgs")
        lacking = sorted((FIXED | HARDWARE) - arguments)
        for file, words in API.items():
            source = archive.read(file).decode()
            lacking += [word for word in words if word not in source]
    version = re.search(r"^Version: (\S+)", about, re.MULTILINE)
    transformers = re.search(r"^Requires-Dist: transformers ?\(?([^;)\n]*)", about, re.MULTILINE)
    python = re.search(r"^Requires-Python: (\S+)", about, re.MULTILINE)
    for match in (version, transformers, python):
        assert match, wheel
        yield match[1]
    yield ", ".join(lacking) or "-"


def _fields(source: str, name: str) -> set[str]:
    """The annotated fields of a class."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            fields = (item.target for item in node.body if isinstance(item, ast.AnnAssign))
            return {field.id for field in fields if isinstance(field, ast.Name)}
    return set()


if __name__ == "__main__":
    print("# used:", ", ".join(used()))
    print("version", "transformers", "python", "lacks", sep="\t")
    for line in sorted(
        ("\t".join(rows(Path(wheel))) for wheel in sys.argv[1:]),
        key=lambda row: [int(n) for n in row.split("\t")[0].split(".")],
    ):
        print(line)
