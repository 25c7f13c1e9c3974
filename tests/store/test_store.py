"""The store: what it reads and how often, files of older versions, and files that are damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import references
from bench.core import Score, Task
from bench.errors import BenchError
from bench.store import Store
from bench.store.failures import write_failure
from bench.store.journal import Journal, finished_hypotheses, read_journals
from tests.helpers.stored import hypothesis, store_run

RESULTS = Path(__file__).parents[2] / "results"
SET = references.load("china-export-controls-2021")
TASK = Task(SET, "zh-en")
SCORE = Score("chrF", 40.0, (38.0, 42.0), "chrF|sig", tuple(40.0 for _ in TASK.ids))

_COUNT_OPENED_FILES = """
import collections, json, sys
opened = collections.Counter()
def count(event, arguments):
    if event == "open" and "/store/" in str(arguments[0]) and "w" not in str(arguments[1] or "r"):
        opened[str(arguments[0])] += 1
sys.addaudithook(count)
from bench.cli.main import main
main(["run", "-q", "store=" + sys.argv[1]], standalone_mode=False)
print(json.dumps(opened))
"""


@pytest.mark.slow
def test_a_run_with_nothing_to_do_reads_each_file_once_and_changes_none(tmp_path: Path) -> None:
    """On the published results: 11 systems in two directions, six metrics."""
    store = tmp_path / "store"
    shutil.copytree(RESULTS, store)
    kept = {
        path: path.read_bytes()
        for pattern in (
            "*/*/*/run.json",
            "*/*/*/hypotheses.jsonl",
            "*/*/*/scores/*.json",
            "*/*/comparisons/*",
        )
        for path in store.glob(pattern)
    }
    command = [sys.executable, "-c", _COUNT_OPENED_FILES, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    opened = json.loads(done.stdout.splitlines()[-1])
    assert {path for path in opened if Path(path) in kept} == {str(path) for path in kept}
    assert {path: count for path, count in opened.items() if count > 1} == {}
    assert {path: path.read_bytes() for path in kept} == kept
    assert "translat" not in done.stderr


def test_a_score_is_of_exactly_these_texts_and_this_scorer(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store_run(store, TASK, "it")
    store.write_score(run, "chrf", "scorer-1", SCORE)
    assert store.score(run, "chrf") == store.score(run, "chrf", "scorer-1") == SCORE
    assert store.score(run, "chrf", "scorer-2") is None
    assert store.score(run, "bleu") is None
    changed = store_run(store, TASK, "it", [hypothesis(id, "changed") for id in TASK.ids])
    assert store.score(changed, "chrf") is None


def test_what_another_process_writes_is_seen(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    assert store.runs(TASK) == []
    run = store_run(other, TASK, "it")
    assert [found.label for found in store.runs(TASK)] == [run.label]
    other.write_score(run, "chrf", "scorer", SCORE)
    assert store.score(run, "chrf") == SCORE
    shutil.rmtree(run.folder)
    assert store.runs(TASK) == []


def test_a_score_of_an_older_version_says_how_it_aggregates(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store_run(store, TASK, "it")
    path = run.folder / "scores" / "chrf.json"
    store.write_score(run, "chrf", "scorer", SCORE)
    value = json.loads(path.read_text())
    for name in ("aggregation", "unscored", "cost_usd"):
        del value[name]
    path.write_text(json.dumps(value))
    score = store.score(run, "chrf")
    assert score
    assert score.aggregation == "chrf"
    assert score.unscored == ()


def test_a_run_of_another_version_or_direction_is_not_current(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store_run(store, TASK, "it")
    assert run.is_current(TASK)
    assert not run.is_current(Task(SET, "en-zh"))
    old = store_run(store, TASK, "old", reference={"id": SET.id, "sha256": "f" * 64})
    assert [found.label for found in store.current_runs(TASK)] == [run.label]
    assert old.label in [found.label for found in store.runs(TASK)]


def test_reasons_of_shards_are_joined(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.run_folder(TASK, "it", "0123456789")
    write_failure(folder, "no memory", "1-of-2")
    write_failure(folder, "no disk", "2-of-2")
    assert store.failures(TASK) == {"it-01234567": "no memory; no disk"}


def test_a_system_name_that_cannot_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot name a folder"):
        Store(tmp_path).run_folder(TASK, "../it", "0123456789")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"system": {"name": 3}}', "is damaged"),
        ('{"system": {"name": "x"}}', "is damaged"),
    ],
)
def test_a_damaged_record_is_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    store = Store(tmp_path)
    run = store_run(store, TASK, "it")
    (run.folder / "run.json").write_text(content)
    with pytest.raises(BenchError, match=message):
        store.runs(TASK)


def test_a_torn_last_line_of_a_journal_is_ignored_and_any_other_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path, "one") as journal:
        journal.add([hypothesis("a"), hypothesis("b")])
    path = tmp_path / "journal-one.jsonl"
    lines = path.read_bytes()
    path.write_bytes(lines[:-10])
    assert [entry.hypothesis.id for entry in read_journals(tmp_path)] == ["a"]
    path.write_bytes(lines.replace(b'"a"', b"a", 1))
    with pytest.raises(BenchError, match="line 1 is not a hypothesis"):
        finished_hypotheses(tmp_path)


def test_what_changes_on_disk_is_verified_again(tmp_path: Path) -> None:
    run = store_run(Store(tmp_path), TASK, "it")
    assert len(run.hypotheses()) == len(TASK.ids)
    (run.folder / "hypotheses.jsonl").write_text("changed")
    with pytest.raises(BenchError, match="was changed after the run"):
        run.hypotheses()


def test_a_card_of_an_older_version_with_numbers_is_readable(tmp_path: Path) -> None:
    """YAML reads `released: 2024` as a number, and older versions wrote it to run.json as one."""
    card = {"name": 7, "released": 2024, "size": 7, "price": {}}
    run = store_run(Store(tmp_path), TASK, "it", system=card)
    assert (run.record.system.name, run.record.system.released, run.record.system.size) == ("7", "2024", "7")
    assert run.record.system.price is None
    assert run.document["system"] == card


def test_a_score_that_is_not_a_number_is_refused_when_it_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store_run(store, TASK, "it")
    with pytest.raises(BenchError, match="not finite"):
        store.write_score(run, "chrf", "scorer", replace(SCORE, value=float("nan")))
    assert store.score(run, "chrf") is None
