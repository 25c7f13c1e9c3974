"""What people type, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.launching.spelling import as_meant
from tests.helpers.command import invoke


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("prompt=few-shot", "prompt@system.adapter.prompt=few-shot"),
        ("+prompt=few-shot", "prompt@system.adapter.prompt=few-shot"),
        ("prompt=translate,previous", "prompt@system.adapter.prompt=translate,previous"),
        ("metric=bleu,chrf", "metric=[bleu,chrf]"),
        ("metric=[bleu,chrf]", "metric=[bleu,chrf]"),
        ("metric=bleu", "metric=bleu"),
        ("system.adapter.path=out.{direction}.txt", 'system.adapter.path="out.{direction}.txt"'),
        ("system.adapter.path='out.{direction}.txt'", "system.adapter.path='out.{direction}.txt'"),
        ("store=/data/runs (old)", 'store="/data/runs (old)"'),
        ("system.adapter.codes={zh: zho_Hant}", "system.adapter.codes={zh: zho_Hant}"),
    ],
)
def test_spellings(typed: str, meant: str) -> None:
    assert as_meant(["system=llm", typed]) == ["system=llm", meant]


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (["system.name=mine"], "system.name is given without system=: name the system"),
        (["prompt=few-shot"], "prompt is given without system="),
        (["prompt@system.adapter.prompt=few-shot"], "without system="),
        (["system=copy", "prompt=few-shot"], "This system has no prompt"),
        (["system=llm", "system.name=x"], "system.adapter.checkpoint is missing"),
        (["+directions=zh-en"], "directions is not a setting: use direction."),
        (["+metrics=bleu"], "metrics is not a setting: use metric."),
        (["system=copy", "metric=chrf,blue"], "There is no metric 'blue': use bleu, or one of"),
    ],
)
def test_slips(overrides: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("run", *overrides)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert problem in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_path_with_a_direction_and_two_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for direction in ("zh-en", "en-zh"):
        Path(f"out.{direction}.txt").write_text("x\n" * 39)
    result = invoke(
        "run",
        "-q",
        "system=hypotheses",
        "system.name=ours",
        "system.adapter.path=out.{direction}.txt",
        "metric=bleu,chrf",
    )
    assert result.exit_code == 0, result.output
    boards = json.loads(Path("runs/china-export-controls-2021/leaderboard.json").read_text())["directions"]
    assert [list(board["rows"][0]["scores"]) for board in boards.values()] == [["bleu", "chrf"]] * 2
