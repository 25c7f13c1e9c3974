"""Every command of README.md and docs/, as it is written there, through `bash -c` in a fresh folder.

A hub, a package index and an endpoint are servers on this machine, with tiny checkpoints of the real kinds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bench import references
from tests.helpers import tiny, tiny_comet, tiny_seq2seq
from tests.helpers.hostile_server import completion
from tests.helpers.hostile_server import serving as serving_endpoint
from tests.helpers.model_server import COMMIT, ModelServer
from tests.test_docs import DOCUMENTS, ROOT

pytestmark = pytest.mark.slow

SET = "china-export-controls-2021"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [*DOCUMENTS, ROOT / "results" / "README.md", ROOT / "references" / SET / "README.md"]
NOT_RUN = {
    "make bench": "CI runs it",
    "make test": "CI runs it",
    ". /shared/cache/env.sh": "bench prefetch writes it; see tests/commands/test_prefetch.py",
    "bench doctor --on-node": "needs a cluster; see test_doctor_on_a_node",
    "make transformers5": "CI runs it",
    "bench prefetch suite=gpu": "fetches 100 GB; see tests/commands/test_prefetch.py",
    "pearmut ": "needs Python 3.12; see tests/human/test_pearmut.py",
    "bench human import": "needs annotations; see tests/human/",
    "curl https://api.deepl.com": "needs an account",
    "aws translate": "needs an account",
    "bench meta-evaluate": "fetches the weights of COMET (embedded); see tests/commands/test_meta_evaluate.py",
}
"""The beginning of a line -> why it is not run."""
PLANNED = ("suite=gpu", "deepl", "system=qwen2.5", "reference=references/", "bench run   ")
"""`bench run` with one of these is run with --dry-run: its models take gigabytes or minutes, or its services a key. Any other is run with chrF
only, since COMET (embedded) is fetched and takes a minute."""
MAY_LACK = ("bench doctor suite=gpu",)
"""Exit code 2 is right where the machine lacks something."""


def lines_of(page: Path) -> list[str]:
    """The commands of a page, without comments."""
    blocks = re.sub(r"\\\n *", "", "".join(BLOCK.findall(page.read_text(encoding="utf-8"))))
    lines = [re.sub(r"\s+#.*", "", line) for line in blocks.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


COMMANDS = {str(page.relative_to(ROOT)): lines for page in PAGES if (lines := lines_of(page))}
RECIPES = "docs/extending.md"


def not_run(line: str) -> str:
    """Why a line is not run; "" if it is."""
    return next((why for start, why in NOT_RUN.items() if line.startswith(start)), "")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints: mine (a language model), nmt (NLLB) and comet."""
    folder = tmp_path_factory.mktemp("models")
    tiny.qwen(folder / "mine")
    shutil.copytree(tiny_seq2seq.checkpoint("nllb"), folder / "nmt")
    tiny_comet.checkpoint(folder / "comet", pretrained="FacebookAI/xlm-roberta-large")
    return folder


@pytest.fixture
def hub(server: ModelServer, models: Path) -> ModelServer:
    """The repositories that the documents name, at the commits of configs/."""
    pinned = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})")
    yaml_files = [*(ROOT / "configs").rglob("*nllb-200-distilled*.yaml"), ROOT / "configs/metric/comet.yaml"]
    for id, commit in [p for path in yaml_files for p in pinned.findall(path.read_text())]:
        folder = models / ("nmt" if "nllb" in id else "comet")
        if "roberta" in id:
            folder = folder / "encoder"
        files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
        server.offer_repository(id, folder, *files, commit=commit)
    server.offer_repository("org/model", models / "mine", *(p.name for p in (models / "mine").iterdir()))
    return server


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving_endpoint(lambda request: completion(request.source)) as running:
        yield running.url


@pytest.fixture
def environment(tmp_path: Path, hub: ModelServer, endpoint: str) -> Mapping[str, str]:
    """With `bench` on the search path, as in an activated environment, and an `sbatch` and `srun` that are never called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, line in (
        ("bench", f'exec {sys.executable} -m bench "$@"'),
        ("sbatch", "exit 1"),
        ("srun", "exit 1"),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "OPENAI_BASE_URL": endpoint,
        "OPENAI_API_KEY": "sk-0123456789abcdef",
        "COLUMNS": "160",
    }


@pytest.fixture
def folder(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    """A working folder with everything that the documents take for granted."""
    folder = tmp_path / "work"
    folder.mkdir()
    segments, gold = references.load(SET).segments, ROOT / "tests" / "references" / "gold"
    english = [segment.en for segment in segments]
    (folder / "out.zh-en.txt").write_text("".join(f"{text}\n" for text in english))
    rows = [{"id": segment.id, "mt": segment.en.replace("the", "a")} for segment in segments]
    (folder / "b.zh-en.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "out.txt").write_text("Good morning, everyone.\nThe list is new.\nThank you all.\n")
    (folder / "news.en").write_text("Good morning, all.\nThe list is new.\nMany thanks.\n")
    (folder / "news.zh").write_text("大家早上好。\n清单是新的。\n谢谢大家。\n")
    shutil.copy(gold / "investment-law.zh.txt", folder / "law.zh.txt")
    shutil.copy(gold / "investment-law.en.txt", folder / "law.en.txt")
    shutil.copy(gold / "food-security.txt", folder / "paper.txt")
    shutil.copytree(gold, folder / "tests" / "references" / "gold")
    shutil.copytree(ROOT / "references", folder / "references")
    (folder / "about.txt").write_text("What this is.\n")
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    names = "gemma-3-270m=out.zh-en.txt dictionary=b.zh-en.jsonl"
    bash(folder, environment, f"bench score -q --metric chrf --store results {names}")
    bash(folder, environment, "bench score -q --metric chrf mine=b.zh-en.jsonl")
    return folder


def bash(folder: Path, environment: Mapping[str, str], line: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    expected = (0, 2) if line.startswith(MAY_LACK) else (0,)
    assert done.returncode in expected, f"{line}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def run(folder: Path, environment: Mapping[str, str], models: Path, endpoint: str) -> Callable[[str], None]:
    places = {
        "/models/": f"{models}/",
        "@COMMIT": f"@{COMMIT}",
        "http://127.0.0.1:8000/v1": endpoint,
        "/shared/cache": f"{folder}/shared-cache",
    }
    exported = dict(environment)

    def run_line(line: str) -> None:
        if not_run(line):
            return
        for written, here in places.items():
            line = line.replace(written, here)
        if line.startswith("cd "):
            exported["PWD"] = str(folder / line.removeprefix("cd "))
        elif line.startswith("export "):
            pairs = (word.split("=", 1) for word in line.removeprefix("export ").split())
            exported.update({name: value for name, value in pairs if name != "OPENAI_API_KEY"})
        elif "jq " not in line or shutil.which("jq"):
            if line.startswith("bench run") and any(word in f"{line}   " for word in PLANNED):
                line += " --dry-run"
            elif line.startswith("bench run") and "metric=" not in line:
                line += " 'metric=[chrf]'"
                if re.search("system=(llm|seq2seq|nllb)", line):
                    line += (
                        " system.adapter.max_new_tokens=9"  # a model of random numbers never ends by itself
                    )
            bash(Path(exported.get("PWD", folder)), exported, line)

    exported["PWD"] = str(folder)
    return run_line


def test_lines_that_are_not_run_are_in_the_documents() -> None:
    lines = [line for page in COMMANDS.values() for line in page]
    assert all(any(line.startswith(start) for line in lines) for start in NOT_RUN)
    assert sum(bool(not_run(line)) for line in lines) == 16
    assert len(lines) > 40


@pytest.mark.parametrize("page", COMMANDS)
def test_the_commands_of_a_page_in_order(page: str, run: Callable[[str], None], folder: Path) -> None:
    if page == RECIPES:
        write_recipes(folder)
    for line in COMMANDS[page]:
        run(line)


def write_recipes(folder: Path) -> None:
    """The files of docs/extending.md: each block of code follows the path of its file."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(
        r"`(mine/[\w/.]+)`(?:(?!```).)*?```(?:python|yaml)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    assert [path for path, _ in blocks] == [
        "mine/program.py",
        "mine/system/program.yaml",
        "mine/length.py",
        "mine/metric/length.yaml",
    ]
    for path, code in blocks:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code, encoding="utf-8")


def test_what_the_recipes_give(run: Callable[[str], None], folder: Path) -> None:
    """The adapter's outputs, the metric's values, and both made again when their code changes."""
    write_recipes(folder)
    program, score = COMMANDS[RECIPES][0], COMMANDS[RECIPES][2]
    run(program)
    run(score)

    def values() -> dict[str, float]:
        record = json.loads((folder / "runs" / SET / "leaderboard.json").read_text())
        rows = record["directions"]["en-zh"]["rows"]
        return {row["name"]: row["scores"]["length"]["value"] for row in rows}

    segments = references.load(SET).segments
    copied = sum(len(segment.en) / len(segment.zh) for segment in segments) / len(segments)
    assert values() == {"copy": pytest.approx(copied), "program": pytest.approx(copied)}
    code = folder / "mine" / "length.py"
    code.write_text(code.read_text().replace("len(h) / len(r)", "2 * len(h) / len(r)"))
    run(score)
    assert values()["copy"] == pytest.approx(2 * copied)
    adapter = folder / "mine" / "program.py"
    adapter.write_text(adapter.read_text().replace("Output(text)", 'Output(text + "!")'))
    run(score)
    assert len([name for name in values() if name.startswith("program · source=")]) == 2


def test_python_blocks(run: Callable[[str], None], folder: Path, environment: Mapping[str, str]) -> None:
    pytest.importorskip("pandas", reason="pandas is missing: pip install pandas")
    for page in DOCUMENTS:
        if page.name == "extending.md":
            continue
        for code in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert "mine" in done.stdout
