"""`bench run` as a user starts it, in a process of its own: results, reuse and bad input."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from bench import references
from tests.helpers import tiny
from tests.helpers.command import bench
from tests.helpers.configs import CEDICT
from tests.helpers.stored import run_folders

SET = "china-export-controls-2021"


def test_two_boards_from_two_controls(tmp_path: Path, cedict: Path) -> None:
    bench(tmp_path, "run", "system=dictionary", f"system.adapter.dictionary={cedict}", "metric=[chrf]")
    done = bench(tmp_path, "run", "system=copy", "metric=[chrf]")
    assert done.stdout.index("Chinese → English") < done.stdout.index("English → Chinese")
    assert set(run_folders(tmp_path / "runs")) == {
        f"{d}/{s}" for d in ("zh-en", "en-zh") for s in ("copy", "dictionary")
    }
    board = tmp_path / "runs" / SET
    with (board / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row in rows:
        assert float(row["chrf_low"]) <= float(row["chrf"]) <= float(row["chrf_high"])
    record = json.loads((board / "leaderboard.json").read_text())
    best = record["directions"]["zh-en"]["rows"][0]
    assert best["name"] == "dictionary"
    assert best["scores"]["chrf"]["signature"].startswith("chrF|nrefs:1|case:mixed")
    assert record["directions"]["en-zh"]["rows"][-1]["flags"] == {"copied": 39}
    markdown = (board / "leaderboard.md").read_text()
    assert "copy (control)" in markdown
    assert (board / re.search(r"\]\((zh-en/copy[^)]*)\)", markdown)[1]).is_file()  # type: ignore[index]


@pytest.mark.parametrize(
    ("metrics", "count"),
    [
        pytest.param([], 8, id="default-metrics", marks=pytest.mark.slow),
        pytest.param(["metric=[chrf]"], 1, id="chrf"),
    ],
)
def test_what_is_done_is_not_done_again(tmp_path: Path, metrics: list[str], count: int) -> None:
    run = partial(bench, tmp_path, "run", "system=copy", *metrics, timeout=300)
    run("direction=zh-en")
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"runs/{SET}/zh-en/**/*.json*")}
    assert len(files) == 2 + 2 * count  # hypotheses and run; a score and a comparison for each metric
    run("direction=en-zh")
    done = run("direction=zh-en", "batch_tokens=3")
    assert "English → Chinese" not in done.stdout
    assert "## English → Chinese" in (tmp_path / "runs" / SET / "leaderboard.md").read_text()
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert "copy zh-en" not in done.stderr


def test_where_nothing_is_tested_nothing_is_ranked(tmp_path: Path) -> None:
    bench(tmp_path, "run", "system=copy", "direction=zh-en", "metric=[chrf]", "compare.test=null")
    board = tmp_path / "runs" / SET
    assert not list(board.rglob("comparisons"))
    assert "Rows are sorted, not ranked" in (board / "leaderboard.md").read_text()


def test_the_scores_of_a_file_are_those_of_the_sacrebleu_command(tmp_path: Path) -> None:
    bench(tmp_path, "references", "export", SET, "--out", "wmt")
    english = (tmp_path / "wmt" / f"{SET}.en").read_text().splitlines()
    outputs = [line[: -len(line) // 3] for line in english]
    (tmp_path / "out.zh-en.txt").write_text("".join(f"{line}\n" for line in outputs))
    words = [
        "run",
        "system=hypotheses",
        "system.name=ours",
        "system.adapter.path=out.zh-en.txt",
        "direction=zh-en",
        "metric=[bleu,chrf]",
    ]
    bench(tmp_path, *words)
    scores = run_folders(tmp_path / "runs")["zh-en/ours"] / "scores"
    for metric, option in (("bleu", "bleu"), ("chrf", "chrf")):
        command = [
            sys.executable,
            "-m",
            "sacrebleu",
            f"wmt/{SET}.en",
            "-i",
            "out.zh-en.txt",
            "-m",
            option,
            "-b",
            "-w",
            "9",
        ]
        theirs = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert json.loads((scores / f"{metric}.json").read_text())["value"] == pytest.approx(
            float(theirs), abs=1e-8
        )


@pytest.mark.slow
def test_a_run_keeps_how_it_was_made_when_only_the_set_has_another_hash(tmp_path: Path) -> None:
    """Better references leave sources and outputs as they are: scores change, the record of the work does not."""
    shutil.copytree(references.find(SET), tmp_path / "set")
    words = ["run", "system=copy", "direction=zh-en", "metric=[chrf]", "reference=set"]
    bench(tmp_path, *words)
    folder = run_folders(tmp_path / "runs")["zh-en/copy"]
    before, texts = json.loads((folder / "run.json").read_text()), (folder / "hypotheses.jsonl").read_bytes()
    before["made"]["at"] = "2021-12-29T00:00:00+00:00"
    (folder / "run.json").write_text(json.dumps(before))

    segments = tmp_path / "set" / "segments.jsonl"
    segments.write_bytes(segments.read_bytes().replace(b"Preamble", b"Foreword"))
    digest = hashlib.sha256(segments.read_bytes()).hexdigest()
    segments.with_suffix(".sha256").write_text(f"{digest}  segments.jsonl\n")
    bench(tmp_path, *words)
    after = json.loads((folder / "run.json").read_text())
    assert after["reference"]["sha256"] == references.load(tmp_path / "set").sha256
    assert after["reference"] != before["reference"]
    assert {k: v for k, v in after.items() if k != "reference"} == {
        k: v for k, v in before.items() if k != "reference"
    }
    assert (folder / "hypotheses.jsonl").read_bytes() == texts


@pytest.mark.slow
def test_a_changed_hypothesis_does_not_keep_its_score(tmp_path: Path) -> None:
    words = ["run", "system=copy", "direction=zh-en", "metric=[chrf]"]
    bench(tmp_path, *words)
    path = run_folders(tmp_path / "runs")["zh-en/copy"] / "hypotheses.jsonl"
    path.write_text(path.read_text().replace("出口", "China", 1))
    done = bench(tmp_path, *words, status=2)
    assert re.search(r"hypotheses\.jsonl was changed after the run", done.stderr)


@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_hypotheses_by_id_may_stand_in_any_order(tmp_path: Path, form: str) -> None:
    segments = references.load(SET).segments
    lines = [
        json.dumps({"id": s.id, "text": s.en}) if form == "jsonl" else f"{s.id}\t{s.en}" for s in segments
    ]
    (tmp_path / f"out.{form}").write_text("\n".join(reversed(lines)) + "\n")
    bench(
        tmp_path,
        "run",
        "system=hypotheses",
        "system.name=it",
        f"system.adapter.path=out.{form}",
        "direction=zh-en",
        "metric=[chrf]",
    )
    score = json.loads((run_folders(tmp_path / "runs")["zh-en/it"] / "scores" / "chrf.json").read_text())
    assert score["value"] == pytest.approx(100)


@pytest.mark.slow
def test_a_changed_file_is_another_run_and_nothing_is_overwritten(tmp_path: Path) -> None:
    count = len(references.load(SET).segments)
    words = [
        "run",
        "system=hypotheses",
        "system.name=it",
        "system.adapter.path=o.txt",
        "direction=zh-en",
        "metric=[chrf]",
    ]
    for text in ("One.\n", "Two.\n"):
        (tmp_path / "o.txt").write_text(text * count)
        done = bench(tmp_path, *words)
    folders = sorted(path.parent for path in (tmp_path / "runs" / SET / "zh-en").glob("*/run.json"))
    assert len(folders) == 2
    assert all(folder.name in done.stdout for folder in folders)  # told apart on the board


CHRF = "metric=[chrf]"
BAD = {
    "an unknown system": (["run", "system=nobody"], "system 'nobody'.*qwen2.5-coder-0.5b-instruct"),
    "an unknown metric": (["run", "system=copy", "metric=[magic]"], "metric 'magic'.*bleu"),
    "an unknown suite": (["run", "suite=none"], "none.*offline"),
    "an unknown key": (["run", "system=copy", "sistem.name=x"], "sistem"),
    "a broken override": (["run", "system=copy", "direction=[zh-en"], r"\[zh-en"),
    "an unknown direction": (["run", "system=copy", "direction=zh-fr"], "zh-fr"),
    "an unknown set": (["run", "system=copy", "reference=nothing"], f"nothing.*{SET}"),
    "a missing value": (["run", "system=hypotheses", "system.name=x"], "path"),
    "a missing file": (["run", "system=hypotheses", "system.name=x", "system.adapter.path=no.txt"], "no.txt"),
    "a name that is no folder": (["run", "system=copy", "system.name=../up"], "../up"),
    "a line too few": (
        [
            "run",
            "system=hypotheses",
            "system.name=x",
            "system.adapter.path=short.txt",
            CHRF,
            "direction=zh-en",
        ],
        "38 lines.*39 segments",
    ),
    "a missing id": (
        [
            "run",
            "system=hypotheses",
            "system.name=x",
            "system.adapter.path=short.tsv",
            CHRF,
            "direction=zh-en",
        ],
        "lacks 38 segments",
    ),
    "broken json": (
        [
            "run",
            "system=hypotheses",
            "system.name=x",
            "system.adapter.path=bad.jsonl",
            CHRF,
            "direction=zh-en",
        ],
        "bad.jsonl, line 2",
    ),
    "not UTF-8": (
        ["run", "system=hypotheses", "system.name=x", "system.adapter.path=gbk.txt", CHRF, "direction=en-zh"],
        "UTF-8",
    ),
    "a checkpoint that is not there": (
        ["run", "system=llm", "system.name=x", "system.adapter.checkpoint=/no/model"],
        "/no/model",
    ),
    "a hub without a network": (
        [
            "run",
            "system=llm",
            "system.name=x",
            f"system.adapter.checkpoint=org/model@{'0' * 40}",
            "direction=zh-en",
            CHRF,
        ],
        "org/model",
    ),
    "a broken set": (["run", "system=copy", "reference=broken"], "segments.jsonl:1"),
}


QUICK = "an unknown system", "a missing value", "a line too few", "a broken set"
"""The rest takes half a minute."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BAD]
)
def test_bad_input_is_one_sentence(tmp_path: Path, name: str) -> None:
    words, expected = BAD[name]
    segments = references.load(SET).segments
    (tmp_path / "short.txt").write_text("x\n" * (len(segments) - 1))
    (tmp_path / "short.tsv").write_text(f"{segments[0].id}\tx\n")
    (tmp_path / "bad.jsonl").write_text('{"id": "a", "text": "b"}\nnonsense\n')
    (tmp_path / "gbk.txt").write_bytes("中国\n".encode("gb18030") * len(segments))
    shipped = Path(references.find(SET))
    (tmp_path / "broken").mkdir()
    for file in shipped.iterdir():
        (tmp_path / "broken" / file.name).write_bytes(
            file.read_bytes().replace(b'"kind": "heading"', b'"kind": "headline"', 1)
        )
    done = bench(tmp_path, *words, status=2, HF_HUB_OFFLINE="1")
    assert "Traceback" not in done.stderr + done.stdout
    assert re.search(expected, done.stderr), done.stderr
    assert not run_folders(tmp_path / "runs")
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".tmp"]


@pytest.mark.slow
def test_one_system_fails_and_the_other_lands(tmp_path: Path, cedict: Path) -> None:
    cedict.write_text("not a dictionary\n")
    configs = tmp_path / "mine" / "system"
    configs.mkdir(parents=True)
    adapter = f"{{_target_: bench.adapters.dictionary.Dictionary, dictionary: {cedict}}}"
    (configs / "broken.yaml").write_text(f"name: broken\nadapter: {adapter}\n")
    words = ["run", "--config-dir", "mine", "system=broken,copy", "direction=zh-en", "metric=[chrf]"]
    done = bench(tmp_path, *words, status=2)
    assert set(run_folders(tmp_path / "runs")) == {"zh-en/copy"}
    assert re.search(r"Missing: broken-\w{8}: .*not an entry", done.stdout)
    assert "Missing: broken" in (tmp_path / "runs" / SET / "leaderboard.md").read_text()
    cedict.write_text(CEDICT)
    assert "Missing" not in bench(tmp_path, *words).stdout


def test_quiet(tmp_path: Path) -> None:
    done = bench(tmp_path, "run", "--quiet", "system=copy", "direction=zh-en", "metric=[bleu]")
    assert done.stderr == ""
    assert "copy" in done.stdout


@pytest.mark.slow
def test_a_finished_suite_loads_no_model_and_a_new_system_is_all_that_is_computed(tmp_path: Path) -> None:
    tiny.qwen(tmp_path / "checkpoint")
    llm = ["system.name=t", "system.adapter.checkpoint=checkpoint", "system.adapter.max_new_tokens=9"]
    words = ["run", "direction=zh-en", "metric=[chrf]"]
    bench(tmp_path, *words, "system=llm", *llm)
    (made,) = run_folders(tmp_path / "runs").values()
    record = json.loads((made / "run.json").read_text())
    assert record["config"]["checkpoint"] == "checkpoint"
    assert record["config"]["prompt"]["name"] == record["adapter"]["prompt"]["name"] == "translate"
    work = record["work"]
    assert work["tokens_out"] > 39
    assert (work["device"], work["batch_invariant"], work["attempts"]) == ("cpu", True, 1)

    times = {path: path.stat().st_mtime_ns for path in made.rglob("*") if path.is_file()}
    code = f"""import sys
from bench.commands.run import run
run({["quiet=true", *words[1:], "system=llm", *llm]})
sys.exit(str(loaded) if (loaded := {{"torch", "transformers", "sacrebleu"}} & set(sys.modules)) else 0)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "copy" in bench(tmp_path, *words, "system=copy").stdout
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
def test_context_around_a_segment_through_a_real_model(tmp_path: Path) -> None:
    """A model of random weights never numbers its answers: every segment of a paragraph falls back, and is counted."""
    tiny.qwen(tmp_path / "checkpoint")
    words = ["run", "system=llm", "system.adapter.checkpoint=checkpoint", "direction=zh-en", "metric=[chrf]"]
    words += ["system.adapter.max_new_tokens=9"]
    for prompt in ("translate", "paragraph", "previous"):
        bench(tmp_path, *words, f"system.name={prompt}", f"prompt@system.adapter.prompt={prompt}")
    records = {
        name: json.loads((folder / "run.json").read_text())
        for name, folder in run_folders(tmp_path / "runs").items()
    }
    texts = {
        name: (folder / "hypotheses.jsonl").read_text()
        for name, folder in run_folders(tmp_path / "runs").items()
    }
    fell_back = {name: record["fell_back"] for name, record in records.items()}
    blocks = Counter(s.id.rpartition("-")[0] for s in references.load(SET).segments if s.kind != "heading")
    shared = sum(count for count in blocks.values() if count > 1)
    assert fell_back == {"zh-en/translate": 0, "zh-en/paragraph": shared, "zh-en/previous": 0}
    by_id = [
        {h["id"]: h["text"] for h in map(json.loads, texts[f"zh-en/{name}"].splitlines())}
        for name in ("translate", "paragraph", "previous")
    ]
    assert by_id[0] == by_id[1], "what falls back is what the model says to the segment alone"
    assert by_id[0] != by_id[2]
    assert by_id[0]["front-h1"] == by_id[2]["front-h1"], "nothing stands before the first"
