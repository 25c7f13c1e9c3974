"""The cache of converted checkpoints, on a disk that is full."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.checkpoints.cache import build_cached, used_folders
from bench.errors import BenchError


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 1 MiB with the cache."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(folder / "cache"))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _safetensors(folder: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(10**6)}, folder / "model.safetensors")


def _torch(folder: Path) -> None:
    import torch

    torch.save({"a": torch.zeros(10**6)}, folder / "model.ckpt")


def _python(folder: Path) -> None:
    (folder / "file").write_bytes(bytes(10**7))


@pytest.mark.parametrize("write", [_safetensors, _torch, _python])
def test_a_disk_that_is_full_while_a_library_converts(disk: Path, write: Callable[[Path], None]) -> None:
    with pytest.raises(BenchError, match=r"Cannot write .*No space left on device.*set BITEXT_BENCH_CACHE"):
        build_cached("toy", write, "Converting")
    assert [path.name for path in disk.rglob("*") if path.is_file()] in ([], ["toy.lock"])


def test_a_fault_of_a_conversion_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path))

    def convert(_: Path) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        build_cached("toy", convert, "Converting")


def test_folders_that_were_converted_before_are_used_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path))
    for _ in range(2):
        with used_folders() as folders:
            build_cached("toy", lambda folder: (folder / "a").touch(), "Converting")
        assert folders == {tmp_path / "converted" / "toy"}
