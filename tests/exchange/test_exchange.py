"""What `bench export` writes, read by the libraries whose formats it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.exchange.every_eval_ever import deployment
from tests.helpers.command import invoke
from tests.helpers.peers import peer_python
from tests.human.texts import EN, ZH, A, prepare

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "china-export-controls-2021"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store runs/ of two systems, and exported/FORM."""
    folder = tmp_path_factory.mktemp("exchange")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prepare(folder)
        for form in ("every-eval-ever", "huggingface", "croissant", "wmt", "schemas"):
            done = invoke("export", form, "-o", f"exported/{form}")
            assert done.exit_code == 0, done.output
    return folder


def board(folder: Path) -> dict[str, dict[str, float]]:
    rows = json.loads((folder / "runs/news/leaderboard.json").read_text("utf-8"))["directions"]["zh-en"][
        "rows"
    ]
    return {row["name"]: {name: score["value"] for name, score in row["scores"].items()} for row in rows}


def test_the_hub_reads_the_cards(folder: Path) -> None:
    from huggingface_hub import ModelCard

    paths = sorted((folder / "exported/huggingface").rglob("*.md"))
    assert len(paths) == 2
    for path in paths:
        data = ModelCard.load(path).data
        values = {result.metric_type: result.metric_value for result in data.eval_results}
        assert values == pytest.approx(board(folder)[data.model_name], abs=0.001)
        assert {result.task_type for result in data.eval_results} == {"translation"}


def test_wmt_lines_are_read_back(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = (folder / "exported/wmt/news").glob("a-*.zh-en.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["hypothesis"] for row in rows] == A
    assert [row["src_text"] for row in rows] == ZH
    assert [row["refs"]["refA"]["ref"] for row in rows] == EN
    monkeypatch.chdir(folder)
    words = ["--reference", "news", "--store", str(tmp_path / "again"), "-q"]
    done = invoke("score", f"a={path}", *words)
    assert done.exit_code == 0, done.output
    again = json.loads((tmp_path / "again/news/leaderboard.json").read_text("utf-8"))["directions"]["zh-en"][
        "rows"
    ]
    assert again[0]["scores"]["chrf"]["value"] == board(folder)["a"]["chrf"]


@pytest.mark.slow
def test_every_eval_ever_validates_the_records(folder: Path) -> None:
    script = """
import sys
from every_eval_ever.cli import main
sys.argv = ["every_eval_ever", "validate", "--format", "json", *sys.argv[1:]]
main()
"""
    paths = sorted((folder / "exported/every-eval-ever").rglob("*.json"))
    assert len(paths) == 2
    peer_python(script, *paths)  # exits with 1 if one is not valid
    records = [json.loads(path.read_text("utf-8")) for path in paths]
    for record in records:
        values = {
            r["metric_config"]["metric_id"]: r["score_details"]["score"] for r in record["evaluation_results"]
        }
        assert values == board(folder)[record["model_info"]["name"]]


def test_where_systems_run() -> None:
    folder = ROOT / "bench/adapters/commercial"
    services = [
        name
        for path in folder.glob("*.py")
        for name in re.findall(r'^    service = "(.+)"', path.read_text(), re.M)
    ]
    assert len(services) == 8
    assert {deployment(service) for service in services} == {"externally_managed"}
    assert deployment("llm") == "self_deployed"
    assert deployment("openai") == deployment("hypotheses") == deployment("of-somebody-else") == "unknown"


@pytest.mark.slow
def test_mlcroissant_reads_every_row(folder: Path) -> None:
    script = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
assert not dataset.metadata.issues.errors, dataset.metadata.issues.report()
rows = {name: list(dataset.records(name)) for name in ("hypotheses", "scores")}
text = lambda value: value.decode() if isinstance(value, bytes) else value
print(json.dumps({name: [{k: text(v) for k, v in row.items()} for row in found] for name, found in rows.items()}))
"""
    rows = json.loads(peer_python(script, folder / "exported/croissant/croissant.json"))
    assert sorted(
        row["hypotheses/hypothesis"] for row in rows["hypotheses"] if row["hypotheses/system"] == "a"
    ) == sorted(A)
    values: dict[str, dict[str, float]] = {}
    for row in rows["scores"]:
        values.setdefault(row["scores/system"], {})[row["scores/metric"]] = row["scores/value"]
    assert values == board(folder)


@pytest.mark.slow
def test_published_files_follow_the_schemas(folder: Path) -> None:
    """And the schemas refuse what the types refuse."""
    script = """
import json, pathlib, sys
from jsonschema import Draft202012Validator
schemas, published, sets = map(pathlib.Path, sys.argv[1:4])
def validator(name):
    schema = json.loads((schemas / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
counts = {}
def check(name, values):
    known = validator(name)
    for value in values:
        known.validate(value)
        counts[name] = counts.get(name, 0) + 1
    assert not known.is_valid({}) and not known.is_valid([]), name
load = lambda path: json.loads(path.read_text("utf-8"))
lines = lambda path: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
check("run", map(load, published.glob("*/*/run.json")))
check("score", map(load, published.glob("*/*/scores/*.json")))
check("hypotheses", [row for path in published.glob("*/*/hypotheses.jsonl") for row in lines(path)])
check("segments", lines(sets / "segments.jsonl"))
check("leaderboard", [load(published / "leaderboard.json")])
wrong = {**load(next(published.glob("*/*/run.json"))), "segments": 0}
assert not validator("run").is_valid(wrong)
print(json.dumps(counts))
"""
    sets = ROOT / "references" / "china-export-controls-2021"
    counts = json.loads(peer_python(script, folder / "exported/schemas", PUBLISHED, sets))
    runs = len(list(PUBLISHED.glob("*/*/run.json")))
    assert counts["run"] == runs
    assert counts["hypotheses"] == 39 * runs
    assert counts["segments"] == 39


def test_schemas_have_no_regular_expressions_of_python(folder: Path) -> None:
    for path in (folder / "exported/schemas").glob("*.json"):
        assert not re.search(r"\\\\[ZA]", path.read_text("utf-8")), path


def test_a_store_without_boards(tmp_path: Path) -> None:
    done = invoke("export", "wmt", "--store", tmp_path / "none", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "has no boards" in done.stderr
    assert not (tmp_path / "out").exists()
