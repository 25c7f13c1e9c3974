"""`bench run hydra/launcher=slurm` on a real Slurm: what comes out is what one machine makes, also when jobs are cancelled,
started again, preempted, or fail."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import slurm, tiny

SET = "china-export-controls-2021"
ROOT = Path(__file__).parents[2]
WORDS = ["run", "--config-dir", "mine", "metric=[bleu,chrf]", "direction=zh-en"]
ON_SLURM = ["hydra/launcher=slurm", "hydra.launcher.mem_gb=1", "hydra.launcher.cpus_per_task=1"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "-")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install 'bitext-bench[slurm]'")
    with slurm.cluster(tmp_path_factory.mktemp("slurm"), grace=10) as environment:
        yield {**environment, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With three systems of its own: a tiny language model, one that is slow, one that always fails."""
    tiny.qwen(tmp_path / "checkpoint")
    systems = tmp_path / "mine" / "system"
    systems.mkdir(parents=True)
    (systems / "tiny.yaml").write_text(
        "defaults: [llm]\nname: tiny\nadapter: {checkpoint: checkpoint, max_new_tokens: 9}\n"
    )
    (systems / "slow.yaml").write_text(
        "name: slow\nadapter: {_target_: tests.helpers.slow.Slow, seconds: 0.5}\n"
    )
    (systems / "broken.yaml").write_text(
        "name: broken\nadapter: {_target_: bench.adapters.dictionary.Dictionary, dictionary: broken.txt}\n"
    )
    (tmp_path / "broken.txt").write_text("not a dictionary\n")
    return tmp_path


def start(folder: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench", *WORDS, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)  # type: ignore[call-overload, no-any-return]


def ended(running: subprocess.Popen[str], status: int) -> str:
    try:
        said, complaints = running.communicate(timeout=400)
    finally:
        running.kill()
    assert running.returncode == status, said + complaints
    return said


def run(store: Path, system: str) -> Path:
    (folder,) = store.glob(f"{SET}/zh-en/{system}-*")
    return folder


def work(store: Path, system: str) -> dict[str, object]:
    return dict(json.loads((run(store, system) / "run.json").read_text())["work"])


def in_the_middle(store: Path, environment: dict[str, str]) -> str:
    """The id of the only running job, once it has translated something and not all."""
    end = time.monotonic() + 200
    while time.monotonic() < end:
        running = [job for job, state in slurm.states(environment).items() if state == "RUNNING"]
        journals = list(store.glob(f"{SET}/zh-en/slow-*/journal-*.jsonl"))
        if len(running) == 1 and journals and journals[-1].read_text().count("\n") > 3:
            return running[0]
        time.sleep(0.2)
    raise AssertionError("no job got so far")


def same(store: Path, other: Path, *systems: str) -> None:
    """What was translated and scored, to the byte; and so the board but for how long it took."""
    for system in systems:
        for name in ("hypotheses.jsonl", "scores/bleu.json", "scores/chrf.json"):
            assert (run(store, system) / name).read_bytes() == (run(other, system) / name).read_bytes()
    rows = []
    for board in (store, other):
        with (board / SET / "leaderboard.csv").open() as file:
            rows.append([{k: v for k, v in row.items() if "second" not in k} for row in csv.DictReader(file)])
    assert rows[0] == rows[1]


def test_an_array_to_the_end_and_one_that_always_fails(folder: Path, cluster: dict[str, str]) -> None:
    systems = "system=copy,tiny,broken"
    ended(start(folder, dict(os.environ), systems, "store=here"), 2)
    said = ended(start(folder, cluster, systems, "store=there", "shards=2", *ON_SLURM), 2)
    assert re.search(r"Missing: broken-\w{8}: .*not an entry", said)
    same(folder / "here", folder / "there", "copy", "tiny")
    assert work(folder / "there", "tiny")["attempts"] == 2, "two shards"
    scripts = [path.read_text() for path in folder.glob("there/.sweeps/*/.submitit/*/*_submission.sh")]
    gpus = {("--gpus-per-node=1" in script, "--array" in script) for script in scripts}
    assert (True, True) in gpus, "the language model asks for a GPU"
    assert (False, True) in gpus, "a control does not"
    done = slurm.states(cluster)
    ended(start(folder, cluster, "system=copy,tiny", "store=there", *ON_SLURM), 0)
    assert slurm.states(cluster).keys() <= done.keys(), "what is done is not handed over again"


@pytest.mark.parametrize("way", ["requeue", "SIGUSR2", "preempted"])
def test_a_job_that_is_started_again_goes_on(folder: Path, cluster: dict[str, str], way: str) -> None:
    ended(
        start(
            folder,
            {**os.environ, "PYTHONPATH": str(ROOT)},
            "system=slow",
            "store=here",
            "system.adapter.seconds=0",
        ),
        0,
    )
    launcher = "hydra/launcher=slurm_preemptible"
    running = start(folder, cluster, "system=slow", "store=there", *ON_SLURM[1:], launcher)
    job = in_the_middle(folder / "there", cluster)
    ways: dict[str, list[str]] = {
        "requeue": ["scontrol", "requeue", job],
        "SIGUSR2": ["scancel", "--signal=USR2", job],  # as before a time limit
        "preempted": ["sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 1"],
    }
    slurm.command(cluster, *ways[way])
    ended(running, 0)
    same(folder / "here", folder / "there", "slow")
    took = work(folder / "there", "slow")
    assert took["attempts"] == 2
    assert took["segments"] == 39, "nothing was translated twice"


@pytest.mark.parametrize("way", ["cancelled", "killed"])
def test_a_job_that_ends_is_reported_and_the_next_run_goes_on(
    folder: Path, cluster: dict[str, str], way: str
) -> None:
    for system in (["system=slow", "system.adapter.seconds=0"], ["system=copy"]):
        ended(start(folder, {**os.environ, "PYTHONPATH": str(ROOT)}, *system, "store=here"), 0)
    running = start(folder, cluster, "system=slow,copy", "store=there", *ON_SLURM)
    job = in_the_middle(folder / "there", cluster)
    if way == "cancelled":
        slurm.command(cluster, "scancel", job)
        reason = "was stopped"
    else:  # as one that took too much memory
        (journal,) = folder.glob(f"there/{SET}/zh-en/slow-*/journal-*.jsonl")
        os.kill(int(journal.stem.rpartition("-")[2]), signal.SIGKILL)
        reason = "begun .*: still at it, or ended without a word"
    said = ended(running, 2)
    (missing,) = (line for line in said.splitlines() if "Missing" in line)
    assert re.search(rf"slow-\w{{8}}: {reason}", missing)
    assert re.search(rf"\(Slurm job {job}\)", missing)
    assert (run(folder / "there", "copy") / "run.json").exists(), "the others land"
    assert not (run(folder / "there", "slow") / "run.json").exists()
    ended(start(folder, cluster, "system=slow", "system.adapter.seconds=0", "store=there", *ON_SLURM), 0)
    same(folder / "here", folder / "there", "slow", "copy")
    took = work(folder / "there", "slow")
    assert (took["attempts"], took["segments"]) == (2, 39), "nothing was translated twice"


def test_scoring_that_fails_elsewhere_is_reported(folder: Path, cluster: dict[str, str]) -> None:
    (folder / "mine" / "metric").mkdir()
    (folder / "mine" / "metric" / "bad.yaml").write_text("# @package metric.bad\n_target_: slow.Bad\n")
    words = ["system=copy", "store=there", "metric=[chrf,bad]", *ON_SLURM]
    said = ended(start(folder, cluster, *words), 2)
    assert "Missing: scores of bad: RuntimeError: it cannot judge" in said
    assert (run(folder / "there", "copy") / "scores" / "chrf.json").exists(), "the others are there"


def test_what_slurm_does_not_take_is_said(folder: Path, cluster: dict[str, str]) -> None:
    running = start(folder, cluster, "system=copy", "store=there", *ON_SLURM, "hydra.launcher.partition=none")
    said, complaints = running.communicate(timeout=200)
    assert running.returncode == 2
    assert re.search("Jobs could not be handed over: .*Invalid partition", complaints)
    assert "Missing: copy" in said
