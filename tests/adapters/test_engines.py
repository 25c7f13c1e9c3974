"""The version of the engine in a system's identity."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from bench.adapters.llm import LLM
from bench.adapters.seq2seq import Seq2Seq
from bench.core import Adapter, Task, digest
from bench.launching.compose import compose
from bench.launching.jobs import translation_job
from bench.references import load
from bench.translation.driver import identity
from tests.helpers.command import bench
from tests.helpers.prompts import CHAT

SET = load("china-export-controls-2021")
RESULTS = Path(__file__).parents[2] / "results" / SET.id / "zh-en"
QWEN = "qwen2.5-coder-0.5b-instruct"
HUB = "org/name@" + 40 * "a"


def with_versions(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    monkeypatch.setattr("bench.adapters._engines.version", lambda name: versions.get(name) or version(name))


def published(system: str) -> Path:
    (folder,) = (path for path in RESULTS.glob(f"{system}-*") if len(path.name) == len(system) + 9)
    return folder


def adapter(system: str) -> Adapter:
    return translation_job(compose([f"system={system}", "direction=zh-en"]), SET).adapter


@pytest.mark.parametrize("system", [QWEN, f"{QWEN}-int8"])
def test_published_runs_are_those_of_the_engines_that_made_them(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = json.loads((published(system) / "run.json").read_text())
    made = run["made"]["packages"]
    with_versions(monkeypatch, transformers=made["transformers"], ctranslate2=made["ctranslate2"])
    assert identity(adapter(system)) == run["identity"]
    with_versions(monkeypatch, transformers="5.24.0", ctranslate2=made["ctranslate2"])
    assert identity(adapter(system)) != run["identity"]


def test_another_minor_version_is_another_system_and_a_patch_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for number in ("4.57.6", "4.57.1", "5.0.1", "5.24.0", "5.24.9"):
        with_versions(monkeypatch, transformers=number)
        for system in (LLM(HUB, CHAT, direction="zh-en"), Seq2Seq(HUB, direction="zh-en")):
            names.append(system.identity().get("engine_version"))
    assert names == [None] * 4 + ["transformers 5.0"] * 2 + ["transformers 5.24"] * 4


def test_a_run_of_another_environment_is_scored_and_not_missed(tmp_path: Path) -> None:
    """One environment translates and another scores, with another version of the engine."""
    run = json.loads((published(QWEN) / "run.json").read_text())
    run["adapter"]["engine_version"] = "transformers 5.99"
    run["identity"] = digest({"system": run["adapter"], "direction": "zh-en"})
    folder = tmp_path / "runs" / Task(SET, "zh-en").reference.id / "zh-en" / f"{QWEN}-{run['identity'][:8]}"
    shutil.copytree(published(QWEN), folder, ignore=shutil.ignore_patterns("scores"))
    (folder / "run.json").write_text(json.dumps(run))
    done = bench(tmp_path, "run", f"system={QWEN}", "direction=zh-en", "stages=[score]", "metric=[chrf]")
    assert "Missing" not in done.stdout
    assert (folder / "scores" / "chrf.json").is_file()
