"""bench.open: what people who work in Python get."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import bench
from bench.errors import BenchError
from tests.helpers.command import invoke


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    result = invoke("run", "-q", f"store={root}", "system=copy,dictionary", "metric=[bleu,chrf]")
    assert result.exit_code == 0, result.output
    return root


def test_runs_scores_and_segments(root: Path) -> None:
    results = bench.open(root)
    assert results.sets == ["china-export-controls-2021"]
    assert [(row["direction"], row["system"]) for row in results.runs()] == [
        ("zh-en", "copy"),
        ("zh-en", "dictionary"),
        ("en-zh", "copy"),
        ("en-zh", "dictionary"),
    ]
    scores = results.scores()
    assert len(scores) == 8
    row = next(
        row
        for row in scores
        if (row["run"][:4], row["metric"], row["direction"]) == ("dict", "bleu", "zh-en")
    )
    assert row["low"] < row["value"] < row["high"]
    assert row["signature"].startswith("BLEU|nrefs:1")
    assert (row["rank_best"], row["rank_worst"]) == (None, None)  # a control
    tests = results.tests()
    assert len(tests) == 4
    assert {(test["metric"], test["direction"]) for test in tests} == {
        (metric, direction) for metric in ("bleu", "chrf") for direction in ("zh-en", "en-zh")
    }
    assert all(test["significant"] == (test["p_adjusted"] < 0.05) for test in tests)
    assert all(test["low"] <= test["difference"] <= test["high"] for test in tests)
    segments = results.segments("china-export-controls-2021", "zh-en")
    assert len(segments) == 2 * 39
    assert segments[0]["hypothesis"] == segments[0]["source"] != segments[0]["reference"]
    assert segments[0]["flags"] == ["copied"]
    assert segments[0]["bleu"] == pytest.approx(0)


def test_pandas_frames(root: Path) -> None:
    pytest.importorskip("pandas")
    frame = bench.open(str(root)).scores().to_pandas()
    table = frame.pivot_table(index="system", columns=["direction", "metric"], values="value")
    assert table.shape == (2, 4)


def test_mistakes(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="has no leaderboards"):
        bench.open(tmp_path)
    with pytest.raises(BenchError, match="'wmt' is not a set here: use one of china"):
        bench.open(root).segments("wmt", "zh-en")
    with pytest.raises(BenchError, match="direction"):
        bench.open(root).segments("china-export-controls-2021", "de-en")  # type: ignore[arg-type]
    for wrong in (5, None, b"runs", ["runs"]):
        with pytest.raises(BenchError, match="is not a path"):
            bench.open(wrong)  # type: ignore[arg-type]
    with pytest.raises(BenchError):
        bench.open("a\0b")


@pytest.mark.parametrize("column", ["system", "id", "flags", "hypothesis"])
def test_a_metric_with_the_name_of_a_column(root: Path, tmp_path: Path, column: str) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "runs"))
    score = next(copy.glob("*/zh-en/*/scores/chrf.json"))
    score.rename(score.with_name(f"{column}.json"))
    with pytest.raises(BenchError, match=rf"scores/{column}\.json has the name of a column"):
        bench.open(copy).segments("china-export-controls-2021", "zh-en")
