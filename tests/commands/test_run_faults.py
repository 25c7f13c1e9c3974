"""What is derived in run.json is recomputed: an edit is found, also after the boards were written anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.cli.main import main
from bench.commands.pages import load_reference
from bench.commands.run_faults import run_fault
from bench.core import Task
from bench.store import Store
from bench.store.run import read_run, write_run

ID = "china-export-controls-2021"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    arguments = ["run", "-q", "system=copy", "direction=zh-en", "metric=[chrf]", f"store={folder}"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return folder


def edited(store: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> tuple[Path, str]:
    copied = tmp_path / "runs"
    shutil.copytree(store, copied)
    (path,) = copied.glob("*/zh-en/copy-*/run.json")
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), "utf-8")
    run = read_run(path.parent)
    assert run
    return copied, run_fault(run, Task(load_reference(Store(copied), ID), "zh-en"))


def test_an_unchanged_run_has_no_fault(store: Path, tmp_path: Path) -> None:
    assert edited(store, tmp_path, lambda document: None)[1] == ""


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda d: d["adapter"].update(checkpoint="sha256:00"), "identity is not the hash of the settings"),
        (lambda d: d["adapter"].update(version=9), "identity is not the hash of the settings"),
        (
            lambda d: d.update(flags={"copied": 1}),
            "flags that run.json counts are not those of its hypotheses",
        ),
        (lambda d: d.update(flags={}), "flags that run.json counts"),
        (lambda d: d.update(fell_back=3), "3 segments fell back, and 0 did"),
        (lambda d: d.update(segments=40), "hypotheses are not those that run.json was written for"),
        (
            lambda d: d["work"].update(seconds=10.0, segments=39, segments_per_second=39.0),
            "segments per second are not 39 in 10.0 seconds",
        ),
        (
            lambda d: d["work"].update(
                seconds=10.0, tokens_out=100, segments_per_second=3.9, tokens_per_second=99.0
            ),
            "tokens per second are not 100 in 10.0 seconds",
        ),
        (
            lambda d: (
                d["system"].update(price={"input": 1, "output": 2}),
                d["work"].update(tokens_in=10**6, cost_usd=0.5),
            ),
            "cost does not follow from what was used and its price",
        ),
    ],
)
def test_what_was_edited_is_found(
    store: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None], fault: str
) -> None:
    assert fault in edited(store, tmp_path, edit)[1]


def test_boards_that_were_made_anew_do_not_hide_it(store: Path, tmp_path: Path) -> None:
    copied, _ = edited(store, tmp_path, lambda document: document.update(flags={}))
    result = CliRunner().invoke(main, ["verify", str(copied)])
    assert result.exit_code == 2
    assert "flags that run.json counts are not those of its" in " ".join(result.output.split())


def test_verify_says_what_it_believes(store: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(store)])
    assert result.exit_code == 0, result.output
    assert "Declared by the publisher, not recomputed: size, licence, dates, times" in result.output


def test_a_metric_that_boards_no_longer_show_is_no_difference(store: Path, tmp_path: Path) -> None:
    copied = tmp_path / "runs"
    shutil.copytree(store, copied)
    for metrics in ("[chrf,bleu]", "[chrf]"):
        arguments = ["run", "-q", "system=copy", "direction=zh-en", f"metric={metrics}", f"store={copied}"]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    result = CliRunner().invoke(main, ["verify", str(copied)])
    assert result.exit_code == 0, result.output


def test_flags_follow_from_the_answers(store: Path, tmp_path: Path) -> None:
    """Flags that were removed from the hypotheses, with every hash and count made to fit."""
    copied = tmp_path / "runs"
    shutil.copytree(store, copied)
    (folder,) = copied.glob("*/zh-en/copy-*")
    run = read_run(folder)
    assert run
    bare = [replace(hypothesis, flags=()) for hypothesis in run.hypotheses()]
    write_run(folder, bare, {**run.document, "flags": {}})
    result = CliRunner().invoke(main, ["verify", str(copied)])
    assert result.exit_code == 2
    assert "do not follow from its answer" in " ".join(result.output.split())
