"""`bench run hydra/launcher=slurm` on a real Slurm gives the same results as one machine.

Also if jobs are cancelled, requeued, preempted, or fail.
"""

from __future__ import annotations

import csv
import getpass
import json
import os
import re
import shlex
import shutil
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
ARGUMENTS = ["run", "--config-dir", "mine", "metric=[bleu,chrf]", "direction=zh-en"]
ON_SLURM = ["hydra/launcher=slurm", "hydra.launcher.mem_gb=1", "hydra.launcher.cpus_per_task=1"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "-")]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Cluster]:
    pytest.importorskip("submitit", reason="pip install 'bitext-bench[slurm]'")
    with slurm.cluster(tmp_path_factory.mktemp("slurm"), grace=2) as cluster:
        cluster.environment |= {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        yield cluster


@pytest.fixture
def cluster(machines: slurm.Cluster) -> dict[str, str]:
    """The environment of the login."""
    return machines.environment


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that one machine makes: of the systems paused, and paused and copy."""
    folder = tmp_path_factory.mktemp("local")
    write_systems(folder)
    (folder / "go").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finish(start(folder, environment, "system=paused", "store=paused"), 0)
    shutil.copytree(folder / "paused", folder / "both")
    finish(start(folder, environment, "system=copy", "store=both"), 0)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three systems: a tiny language model, one that waits until there is a file `go`, and one that always
    fails."""
    tiny.qwen(tmp_path / "checkpoint")
    write_systems(tmp_path)
    return tmp_path


def write_systems(folder: Path) -> None:
    systems = folder / "mine" / "system"
    systems.mkdir(parents=True)
    (systems / "tiny.yaml").write_text(
        "defaults: [llm]\nname: tiny\nadapter: {checkpoint: checkpoint, max_new_tokens: 9}\n"
    )
    (systems / "paused.yaml").write_text(
        "name: paused\nadapter: {_target_: tests.helpers.slow.Paused, until: go}\n"
    )
    (systems / "broken.yaml").write_text(
        "name: broken\nadapter: {_target_: bench.adapters.dictionary.Dictionary, dictionary: broken.txt}\n"
    )
    (folder / "broken.txt").write_text("not a dictionary\n")


def start(folder: Path, environment: dict[str, str], *overrides: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench", *ARGUMENTS, *overrides]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)  # type: ignore[call-overload, no-any-return]


def finish(process: subprocess.Popen[str], status: int) -> str:
    """Wait for the process; returns what it printed."""
    try:
        output, errors = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == status, output + errors
    return output


def run_folder(store: Path, system: str) -> Path:
    (folder,) = store.glob(f"{SET}/zh-en/{system}-*")
    return folder


def work(store: Path, system: str) -> dict[str, object]:
    return dict(json.loads((run_folder(store, system) / "run.json").read_text())["work"])


def unfinished_jobs(store: Path, environment: dict[str, str], count: int = 1, driver: str = "") -> list[str]:
    """The ids of all running jobs but `driver`, once there are `count` and each has translated some segments."""
    end = time.monotonic() + 200
    while time.monotonic() < end:
        states = slurm.states(environment).items()
        running = [job for job, state in states if state == "RUNNING" and job != driver]
        if len(running) == count and sum(path.stat().st_size > 0 for path in journals(store)) == count:
            return running
        time.sleep(0.2)
    raise AssertionError(f"{count} jobs have not translated a segment each")


def journals(store: Path) -> list[Path]:
    return sorted(store.glob(f"{SET}/zh-en/paused-*/journal-*.jsonl"))


def assert_equal(store: Path, expected: Path, *systems: str) -> None:
    """Translations and scores are equal to the byte, and the boards except for times."""
    for system in systems:
        for name in ("hypotheses.jsonl", "scores/bleu.json", "scores/chrf.json"):
            file, expected_file = run_folder(store, system) / name, run_folder(expected, system) / name
            assert file.read_bytes() == expected_file.read_bytes()
    rows = []
    for board in (store, expected):
        with (board / SET / "leaderboard.csv").open() as file:
            rows.append([{k: v for k, v in row.items() if "second" not in k} for row in csv.DictReader(file)])
    assert rows[0] == rows[1]


def test_complete_arrays_and_a_system_that_always_fails(folder: Path, machines: slurm.Cluster) -> None:
    cluster = machines.environment
    systems = "system=copy,tiny,broken"
    finish(start(folder, dict(os.environ), systems, "store=local"), 2)
    kind = slurm.GPUS[-1]  # of the last node
    reservation = ["ReservationName=ours", "StartTime=now", "Duration=60", f"Users={getpass.getuser()}"]
    slurm.command(cluster, "scontrol", "create", "reservation", *reservation, "Nodes=ALL")
    asked = [
        f"hydra.launcher.gres=gpu:{kind}:1",
        "hydra.launcher.reservation=ours",
        "hydra.launcher.wckey=mine",
    ]
    try:
        output = finish(start(folder, cluster, systems, "store=cluster", "shards=2", *ON_SLURM, *asked), 2)
    finally:
        slurm.command(cluster, "scontrol", "delete", "ReservationName=ours")
    assert re.search(r"Missing: broken-\w{8}: .*not an entry", output)
    assert_equal(folder / "cluster", folder / "local", "copy", "tiny")
    assert work(folder / "cluster", "tiny")["attempts"] == 2, "two shards"
    scripts = [path.read_text() for path in folder.glob("cluster/logs/*/*_submission.sh")]
    gpus = {(f"--gres=gpu:{kind}:1" in script, "--array" in script) for script in scripts}
    assert (True, True) in gpus, "the language model asks for a GPU"
    assert (False, True) in gpus, "a control does not"
    assert all("--reservation=ours" in script and "--wckey=mine" in script for script in scripts)
    arrays = [re.findall(r"--job-name=(\S+)", script)[0] for script in scripts if f"gpu:{kind}:1" in script]
    ask = ["squeue", "--states=all", f"--name={','.join(arrays)}", "--noheader", "--format=%N"]
    assert set(slurm.command(cluster, *ask).split()) == {list(machines.nodes)[-1]}, "only it has such GPUs"
    states = slurm.states(cluster)
    finish(start(folder, cluster, "system=copy,tiny", "store=cluster", *ON_SLURM), 0)
    assert slurm.states(cluster).keys() <= states.keys(), "finished work is not submitted again"


@pytest.mark.parametrize("event", ["requeue", "SIGUSR2", "preempted"])
def test_a_requeued_job_resumes(folder: Path, local: Path, cluster: dict[str, str], event: str) -> None:
    launcher = "hydra/launcher=slurm_preemptible"
    running = start(folder, cluster, "system=paused", "store=cluster", *ON_SLURM[1:], launcher)
    (job,) = unfinished_jobs(folder / "cluster", cluster)
    node = slurm.command(cluster, "squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    urgent = [f"--nodelist={node}", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=true"]
    commands: dict[str, list[str]] = {
        "requeue": ["scontrol", "requeue", job],
        "SIGUSR2": ["scancel", "--signal=USR2", job],  # what Slurm sends before a time limit
        "preempted": ["sbatch", *urgent],
    }
    slurm.command(cluster, *commands[event])
    finish(running, 0)
    assert_equal(folder / "cluster", local / "paused", "paused")
    cost = work(folder / "cluster", "paused")
    assert cost["attempts"] == 2
    assert cost["segments"] == 39, "nothing was translated twice"


@pytest.mark.parametrize("event", ["cancelled", "killed"])
def test_a_job_that_ends_early_is_reported_and_the_next_run_resumes(
    folder: Path, local: Path, machines: slurm.Cluster, event: str
) -> None:
    cluster = machines.environment
    running = start(folder, cluster, "system=paused,copy", "store=cluster", *ON_SLURM)
    (job,) = unfinished_jobs(folder / "cluster", cluster)
    if event == "cancelled":
        slurm.command(cluster, "scancel", job)
        reason = "was stopped"
    else:  # as if it had used too much memory
        (journal,) = journals(folder / "cluster")
        node, number = re.findall(r"-([^-]+)-(\d+)$", journal.stem)[0]
        machines.kill_process(node, int(number))
        reason = "started .*; still running, or died without reporting an error"
    output = finish(running, 2)
    (missing,) = (line for line in output.splitlines() if "Missing" in line)
    assert re.search(rf"paused-\w{{8}}: {reason}", missing)
    assert re.search(rf"\(Slurm job {job}\)", missing)
    unwrapped = " ".join(output.split())
    assert "its log ends with: " in unwrapped
    assert re.search(rf"\(log: cluster/logs/\S+/{job}_0_log\.out\)", unwrapped)
    assert (run_folder(folder / "cluster", "copy") / "run.json").exists(), "the others are complete"
    assert not (run_folder(folder / "cluster", "paused") / "run.json").exists()
    (folder / "go").touch()
    finish(start(folder, cluster, "system=paused", "store=cluster", *ON_SLURM), 0)
    assert_equal(folder / "cluster", local / "both", "paused", "copy")
    cost = work(folder / "cluster", "paused")
    assert (cost["attempts"], cost["segments"]) == (2, 39), "nothing was translated twice"


def test_jobs_go_on_after_an_interrupt_and_can_be_listed_and_cancelled(
    folder: Path, cluster: dict[str, str]
) -> None:
    def bench(*words: str) -> str:
        return slurm.command(
            cluster, sys.executable, "-m", "bench", *words, "--store", str(folder / "cluster")
        )

    running = start(folder, cluster, "system=paused", "store=cluster", *ON_SLURM)
    (job,) = unfinished_jobs(folder / "cluster", cluster)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode not in (0, 2)
    assert (
        "1 job will go on without this command. The same command waits for them again; `bench jobs` shows them, and "
        "`bench cancel` ends them."
    ) in " ".join(errors.split())
    (line,) = (line for line in bench("jobs").splitlines() if line.startswith(job))
    assert re.search(rf"running .*zh-en/paused-\w{{8}} .*{job}_0_log\.out", line)
    assert "1 job cancelled." in bench("cancel")
    assert slurm.states(cluster)[job] in ("CANCELLED", "COMPLETING")
    end = time.monotonic() + 60
    while "No job of" not in bench("jobs"):
        assert time.monotonic() < end
    assert "0 jobs cancelled." in bench("cancel")


def test_scoring_that_fails_on_the_cluster_is_reported(folder: Path, cluster: dict[str, str]) -> None:
    (folder / "mine" / "metric").mkdir()
    (folder / "mine" / "metric" / "bad.yaml").write_text(
        "# @package metric.bad\n_target_: tests.helpers.slow.Bad\n"
    )
    overrides = ["system=copy", "store=cluster", "metric=[chrf,bad]", *ON_SLURM]
    output = finish(start(folder, cluster, *overrides), 2)
    assert "Missing: scores of bad: RuntimeError: it cannot judge" in output
    assert (run_folder(folder / "cluster", "copy") / "scores" / "chrf.json").exists(), (
        "the other metric is scored"
    )


def test_a_submission_that_slurm_rejects_is_reported(folder: Path, cluster: dict[str, str]) -> None:
    running = start(
        folder, cluster, "system=copy", "store=cluster", *ON_SLURM, "hydra.launcher.partition=none"
    )
    output, errors = running.communicate(timeout=200)
    assert running.returncode == 2
    assert re.search("Jobs could not be submitted: .*Invalid partition", errors)
    assert "There is nothing to show: could not be submitted: " in errors
    assert output == ""


def test_a_driver_inside_a_job_is_killed_then_a_node_and_a_rerun_waits_for_the_jobs(
    folder: Path, local: Path, machines: slurm.Cluster
) -> None:
    cluster, store = machines.environment, folder / "cluster"
    words = ["system=paused", "store=cluster", "shards=4", *ON_SLURM]
    command = shlex.join([sys.executable, "-m", "bench", *ARGUMENTS, *words])
    wrapped = [
        "--nodelist=" + next(iter(machines.nodes)),
        f"--chdir={folder}",
        "--mem-per-cpu=500",
        "--export=ALL",
        "--output=driver.log",
        f"--wrap={command}",
    ]
    driver = slurm.command(cluster, "sbatch", "--parsable", *wrapped).strip()
    unfinished_jobs(store, cluster, count=4, driver=driver)
    submitted = set(slurm.states(cluster))
    slurm.command(cluster, "scancel", "--signal=KILL", "--full", driver)
    attempts = 4
    if len(machines.nodes) > 1:
        attempts += sum("-n2-" in journal.name for journal in journals(store))
        assert attempts > 4, "the node has some of the jobs"
        machines.kill_node("n2")
    try:
        with (folder / "rerun.log").open("w+") as log:
            rerun = subprocess.Popen(shlex.split(command), cwd=folder, env=cluster, stdout=log, stderr=log)
            while "of an earlier command" not in (folder / "rerun.log").read_text():
                assert rerun.poll() is None, (folder / "rerun.log").read_text()
                time.sleep(0.2)
            (folder / "go").touch()
            assert rerun.wait(timeout=300) == 0, (folder / "rerun.log").read_text()
    finally:
        if len(machines.nodes) > 1:
            machines.start_node("n2")
            slurm.command(cluster, "scontrol", "update", "NodeName=n2", "State=RESUME")
            machines.wait_until_idle()
    assert len(set(slurm.states(cluster)) - submitted) == 2, "only the two metrics are submitted"
    assert_equal(store, local / "paused", "paused")
    cost = work(store, "paused")
    assert (cost["attempts"], cost["segments"]) == (attempts, 39), "nothing was translated twice"


def test_a_job_that_cannot_start_ends_the_wait_and_is_replaced(folder: Path, cluster: dict[str, str]) -> None:
    words = [
        "system=copy",
        "store=cluster",
        "stages=[translate]",
        *ON_SLURM,
        "hydra.launcher.partition=short",
    ]
    running = start(folder, cluster, *words, "hydra.launcher.timeout_min=60")
    _, errors = running.communicate(timeout=200)
    assert running.returncode == 2
    assert re.search(
        r"cannot start \(Partition(TimeLimit|Config)\): ask for less .*hydra.launcher.timeout_min", errors
    )
    (waiting,) = (job for job, state in slurm.states(cluster).items() if state == "PENDING")
    running = start(
        folder, cluster, *words, "hydra.launcher.timeout_min=20", "hydra.launcher.python=/nowhere/python"
    )
    _, errors = running.communicate(timeout=200)
    assert slurm.states(cluster)[waiting] == "CANCELLED"
    assert re.search(r"copy-\w+: ended without a result; its log ends with: .*/nowhere/python.*log: ", errors)


def test_what_a_limited_cluster_does_not_take_at_once_follows(
    folder: Path, local: Path, cluster: dict[str, str]
) -> None:
    environment = slurm.limited(folder, cluster, most=2)
    words = ["system=paused", "shards=5", "store=cluster", *ON_SLURM]
    (folder / "go").touch()
    process = start(folder, environment, *words)
    output, errors = process.communicate(timeout=400)
    assert process.returncode == 0, output + errors
    assert "not submitted yet" in errors
    assert_equal(folder / "cluster", local / "paused", "paused")


@pytest.mark.parametrize(("system", "status"), [("tiny", 0), ("gemma-3-270m", 2)])
def test_doctor_on_a_node(folder: Path, cluster: dict[str, str], system: str, status: int) -> None:
    """The settings of jobs reach the node. What nodes would have to fetch is missing, with the command that fetches it."""
    command = [sys.executable, "-m", "bench", "doctor", "--on-node", "--config-dir", "mine"]
    done = subprocess.run(
        [*command, f"system={system}", "metric=[chrf]", *ON_SLURM],
        cwd=folder,
        env=cluster | {"BITEXT_BENCH_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert f"{folder / 'cache'}: " in done.stdout
    advice = f"bench prefetch --into DIR system={system}" if status else "checkpoint is cached"
    assert advice in done.stdout
    assert "Exited with exit code 2" in done.stderr if status else not done.stderr


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["system=copy"], "--cpus-per-task=4 --mem=92160M"),
        (
            ["system=copy,tiny", "hydra.launcher.gres=gpu:a100:1"],
            "--gres=gpu:a100:1 --cpus-per-task=4 --mem=92160M",
        ),
    ],
    ids=["control", "control and model"],
)
def test_doctor_says_what_slurm_was_asked_for_if_it_gives_no_node(
    folder: Path, cluster: dict[str, str], words: list[str], asked: str
) -> None:
    """Asked for is what the most demanding of the jobs needs: no GPU for a control."""
    command = [sys.executable, "-m", "bench", "doctor", "--on-node", "--config-dir", "mine", "metric=[chrf]"]
    done = subprocess.run(
        [*command, "hydra/launcher=slurm", "hydra.launcher.mem_gb=90", *words],
        cwd=folder,
        env=cluster,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 2
    assert f"Error: No node was examined: srun, which asked for {asked}, ended" in done.stderr, done.stderr
