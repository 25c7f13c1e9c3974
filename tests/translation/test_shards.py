"""A run that several jobs share is the run that one job makes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import references
from bench.core import Context, Source, Task
from bench.store.run import read_run
from bench.translation.batching import sources
from bench.translation.driver import translate
from bench.translation.shards import Shard
from tests.helpers import tiny
from tests.helpers.command import bench
from tests.helpers.slow import Slow
from tests.helpers.stored import job

SET = references.load("china-export-controls-2021")
TASK = Task(SET, "zh-en")


@pytest.mark.parametrize("together", ["segment", "paragraph", "document"])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 50])
def test_shards_are_neighbours_and_cut_no_block(together: str, count: int) -> None:
    whole = sources(TASK, Context(together=together))  # type: ignore[arg-type]
    parts = [Shard(number, count).take(whole) for number in range(count)]
    assert [source for part in parts for source in part] == whole
    homes = Counter(block for part in parts for block in {source.block or source.id for source in part})
    assert set(homes.values()) == {1}


def test_shards_are_equally_long() -> None:
    many = [Source(f"{n}", "字" * (1 + n * 37 % 90)) for n in range(1000)]
    lengths = [sum(len(source.text) for source in Shard(number, 8).take(many)) for number in range(8)]
    assert max(lengths) - min(lengths) <= 2 * 90


def test_a_run_is_whole_with_its_last_shard_and_what_is_done_is_kept(tmp_path: Path) -> None:
    asked: list[str] = []

    class Watched(Slow):
        def translate(self, sources):  # type: ignore[no-untyped-def]
            asked.extend(source.id for source in sources)
            return super().translate(sources)

    def shard(number: int, count: int) -> None:
        adapter = Watched(0, direction="zh-en")
        translate(replace(job(TASK, adapter, tmp_path), shard=Shard(number, count)))

    for number in (2, 0):
        shard(number, 3)
        assert read_run(tmp_path) is None
    asked.clear()
    shard(0, 1)  # all that is left, by one job
    run = read_run(tmp_path)
    assert run
    assert asked == [source.id for source in Shard(1, 3).take(sources(TASK, Context()))]
    assert [h.id for h in run.hypotheses()] == [segment.id for segment in SET.segments]
    assert (run.record.work.segments, run.record.work.attempts) == (39, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hypotheses.jsonl", "run.json"]


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["translate", "paragraph", "previous"])
def test_a_sharded_run_is_the_same_to_the_byte(tmp_path: Path, prompt: str) -> None:
    tiny.qwen(tmp_path / "checkpoint")
    words = ["system=llm", "system.name=tiny", "system.adapter.checkpoint=checkpoint", "direction=zh-en"]
    words += ["system.adapter.max_new_tokens=9", f"prompt@system.adapter.prompt={prompt}", "metric=[chrf]"]
    runs = []
    for shards in (1, 3):
        overrides = [*words, f"store=runs{shards}", f"shards={shards}"]
        bench(tmp_path, "run", *overrides, timeout=300, HF_HUB_OFFLINE="1")
        (folder,) = (path.parent for path in tmp_path.glob(f"runs{shards}/*/zh-en/*/run.json"))
        runs.append(folder)
    whole, sharded = runs
    assert whole.name == sharded.name
    assert (whole / "hypotheses.jsonl").read_bytes() == (sharded / "hypotheses.jsonl").read_bytes()
    records = [json.loads((folder / "run.json").read_text()) for folder in runs]
    assert [record["work"]["attempts"] for record in records] == [1, 3]
    for record in records:
        del record["work"], record["made"]
    assert records[0] == records[1]
