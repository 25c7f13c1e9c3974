"""`bench` as a user runs it: in a process of its own, or in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench.cli.main import main

_NO_PROXY = "http://127.0.0.1:9"
"""The discard port, on which nothing listens."""


def bench(
    folder: Path,
    *arguments: object,
    status: int = 0,
    network: bool = True,
    prefix: Sequence[str] = (),
    timeout: float = 120,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m bench` in `folder`, in a process of its own, and assert its exit status.

    `prefix` is a command that runs the command. The other options are those of `process_arguments`.
    """
    process = process_arguments(folder, *arguments, network=network, **environment)
    process["args"] = [*prefix, *process["args"]]
    done = subprocess.run(**process, capture_output=True, timeout=timeout)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def process_arguments(
    folder: Path, *arguments: object, network: bool = True, **environment: str
) -> dict[str, Any]:
    """The arguments with which subprocess.run or subprocess.Popen runs `python -m bench` in `folder`.

    The cache is `folder`/cache unless BITEXT_BENCH_CACHE is given. Without `network`, every request over
    https goes to a proxy that does not answer. `environment` adds variables.
    """
    variables = {"BITEXT_BENCH_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    if not network:
        variables["https_proxy"] = _NO_PROXY
    return {
        "args": [sys.executable, "-m", "bench", *map(str, arguments)],
        "cwd": folder,
        "env": {**os.environ, **variables, **environment},
        "text": True,
    }


def invoke(*arguments: object) -> Result:
    """Run `bench` in this process, in the current folder."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def without_network() -> list[str]:
    """A prefix for `bench` that leaves it no network, not even the loopback device. It skips the test if
    the machine does not permit that.
    """
    command = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("needs network namespaces: unshare --user --net is not permitted")
    return command
