"""Tools of other projects that need a newer Python than ours: they live in .peers/, which .ci/run makes."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

_FOLDER = Path(__file__).parents[2] / ".peers" / "bin"


def peer(name: str) -> Path:
    """A program of .peers/, or the test is skipped."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(
            f"{name} is missing: python3.12 -m venv .peers && .peers/bin/pip install pearmut every-eval-ever mlcroissant"
        )
    return path


def peer_python(script: str, *arguments: object) -> str:
    """Run a script in the Python of .peers/. Returns what it prints."""
    command = [
        str(peer("python")),
        "-W",
        "error::DeprecationWarning:__main__",
        "-c",
        script,
        *map(str, arguments),
    ]
    environment = {**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pearmut(root: Path, *arguments: object) -> str:
    """Run `pearmut` with its data in `root`. Returns what it prints."""
    command = [str(peer("pearmut")), *map(str, arguments)]
    done = subprocess.run(command, env=_environment(root), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def pearmut_server(root: Path) -> Iterator[str]:
    """The address of Pearmut's own server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(peer("pearmut")), "run", "--port", str(port)]
    with (root / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=_environment(root), stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PEARMUT_ROOT": str(root), "PYTHONPATH": "", "no_proxy": "127.0.0.1"}


def _wait(address: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
