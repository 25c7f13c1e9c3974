"""A package index and a model hub on this machine, in one server."""

from __future__ import annotations

import http.server
import io
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class ModelServer(http.server.ThreadingHTTPServer):
    """Serves `pages` and remembers the paths that were requested.

    It fails for names in `broken`, pauses in the middle of those in `slow` until `gate` is set, and refuses
    paths that begin with `gated` as the hub refuses a gated repository.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.slow: set[str] = set()
        self.gate = threading.Event()
        self.gated = "nothing"
        self.url = f"http://127.0.0.1:{self.server_port}"

    def wheels_asked(self) -> list[str]:
        """The file names of the wheels that were requested."""
        return [path.rsplit("/", 1)[1] for path in self.asked if path.endswith(".whl")]

    def offer(self, name: str, tag: str, members: Mapping[str, bytes]) -> None:
        """Add a wheel, version 1.0, to a project's page of the index (PEP 503)."""
        path = f"/files/{name.replace('-', '_')}-1.0-{tag}.whl"
        info = f"{name.replace('-', '_')}-1.0.dist-info"
        metadata = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
            f"{info}/RECORD": b"",
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as wheel:
            for member, content in {**members, **metadata}.items():
                wheel.writestr(member, content)
        self.pages[path] = (buffer.getvalue(), {})
        page = self.pages.get(f"/simple/{name}/", (b"", {}))[0]
        link = f'<a href="{path}">{path.rsplit("/", 1)[1]}</a><br>'.encode()
        self.pages[f"/simple/{name}/"] = (page + link, {"Content-Type": "text/html"})

    def offer_repository(self, id: str, folder: Path, *files: str, commit: str = COMMIT) -> None:
        """Add files of a folder as a repository, at a commit. It also lists a README.md and cannot serve it."""
        siblings = [{"rfilename": name} for name in (*files, "README.md")]
        about = json.dumps({"id": id, "sha": commit, "siblings": siblings}).encode()
        self.pages[f"/api/models/{id}/revision/{commit}"] = (about, {"Content-Type": "application/json"})
        for name in files:
            headers = {"ETag": f'"{len(self.pages):040}"', "X-Repo-Commit": commit}
            self.pages[f"/{id}/resolve/{commit}/{name}"] = ((folder / name).read_bytes(), headers)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self, body: bool = True) -> None:
        if self.path.startswith(self.server.gated):
            self.send_response(403)
            self.send_header("X-Error-Code", "GatedRepo")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
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


def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A running server, to which the environment sends every request for wheels, models or anything else.

    The caches are in `tmp_path`: "cache" and, for the hub, "hf".
    """
    server = ModelServer()
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "HF_ENDPOINT"):
        monkeypatch.setenv(name, server.url)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
