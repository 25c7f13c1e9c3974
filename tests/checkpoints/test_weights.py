"""The weights config: its mistakes, and the fingerprint of every kind of source."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.errors import BenchError
from tests.helpers.model_server import COMMIT, ModelServer


def config(content: bytes, *sources: dict[str, Any]) -> dict[str, Any]:
    return {"file": "toy.gguf", "sha256": hashlib.sha256(content).hexdigest(), "sources": list(sources)}


def test_a_local_path(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "org" / "model"
    model.mkdir(parents=True)
    assert resolve(parse_weights(str(model))) == model
    monkeypatch.chdir(tmp_path)
    assert resolve(parse_weights("org/model")) == model  # a folder wins over a hub's id
    with pytest.raises(BenchError, match="There are no weights at"):
        fingerprint(parse_weights("org/model"))
    assert server.asked == []


def test_fingerprint(server: ModelServer, tmp_path: Path) -> None:
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
    for name, content in (("config.json", "1"), ("b.json", "1"), ("b.json", "12"), ("sub/a.json", "1")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        seen.add(fingerprint(parse_weights(str(folder))))
    assert len(seen) == 4
    (folder / "README.md").write_text("says nothing about the weights")
    (folder / ".git").write_text("nor does this")
    assert fingerprint(parse_weights(str(folder))) in seen
    (folder / "config.json").unlink()
    with pytest.raises(BenchError, match="is no checkpoint"):
        fingerprint(parse_weights(str(folder)))
    assert server.asked == []


def test_the_digest_of_a_file_is_remembered(server: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"one")
    state, before = file.stat(), fingerprint(parse_weights(str(file)))
    file.write_bytes(b"two")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))  # same size, same time: it is not read again
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
def test_mistakes_in_a_config(value: Any, message: str) -> None:
    with pytest.raises(BenchError) as error:
        parse_weights(value)
    assert message in str(error.value)
