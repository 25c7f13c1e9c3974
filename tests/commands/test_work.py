"""One part of a run per command: for schedulers that have no launcher here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.store import Store
from tests.helpers.command import bench, process_arguments

SET = references.load("china-export-controls-2021")
ROOT = Path(__file__).parents[2]


def write_system(folder: Path) -> None:
    systems = folder / "mine" / "system"
    systems.mkdir(parents=True)
    (systems / "slow.yaml").write_text(
        "name: slow\nadapter: {_target_: tests.helpers.slow.Slow, seconds: 0.02}\n"
    )


@pytest.mark.slow
def test_workers_that_share_a_store_divide_a_run(tmp_path: Path) -> None:
    write_system(tmp_path)
    words = ["--config-dir", "mine", "system=slow,copy", "direction=zh-en", "shards=3"]
    workers = [
        subprocess.Popen(
            **process_arguments(tmp_path, "work", *words, PYTHONPATH=str(ROOT)), stdout=-1, stderr=-1
        )
        for _ in range(3)
    ]
    output = [worker.communicate(timeout=200) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], output
    task = Task(SET, "zh-en")
    runs = Store(tmp_path / "runs").runs(task)
    assert [run.system for run in runs] == ["copy", "slow"]
    assert all([h.id for h in run.hypotheses()] == list(task.ids) for run in runs)
    assert all(run.record.work.segments == len(task.ids) for run in runs), "nothing was translated twice"


@pytest.mark.slow
def test_a_shard_of_its_own(tmp_path: Path) -> None:
    words = ["run", "system=copy", "direction=zh-en", "shards=2", "metric=[chrf]"]
    first = bench(tmp_path, *words, "shard=1")
    (folder,) = tmp_path.glob("runs/*/zh-en/copy-*")
    assert f"{folder.name} 2-of-2 is done; other shards are not done yet" in first.stderr
    (journal,) = folder.glob("journal-*.jsonl")
    assert 10 < len(journal.read_text().splitlines()) < 30
    second = bench(tmp_path, *words, "shard=0")
    assert "1-of-2 is done; all shards are done" in second.stderr
    record = json.loads((folder / "run.json").read_text())
    assert (record["segments"], record["work"]["attempts"]) == (39, 2)
    assert "chrF" in bench(tmp_path, *words).stdout
