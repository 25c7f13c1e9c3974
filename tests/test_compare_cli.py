"""`bench compare`, on real runs of the two controls."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench import differences, references, store
from bench.cli import main
from bench.compare import compare
from bench.compare.stage import stored

ID = "china-export-controls-2021"
SET = references.load(ID)


def bench(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def told(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a copy and a dictionary, and of a copy whose first five segments are the reference's."""
    root = tmp_path_factory.mktemp("runs")
    words = [f"store={root}", "system=copy,dictionary", "metric=[bleu,chrf,ter]"]
    assert bench("run", "-q", *words).exit_code == 0
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


def one_run(root: Path, system: str, direction: str = "zh-en") -> store.Run:
    (run,) = [run for run in store.runs(root, ID, direction) if run.system == system]  # type: ignore[arg-type]
    return run


def test_scores_and_tests_are_those_of_the_board(root: Path) -> None:
    result = bench("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert result.exit_code == 0, result.output
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    lines = differences.lines(root, SET, "zh-en", a, b, ["bleu", "chrf", "ter"])
    board = stored(root, SET, "zh-en", ["bleu", "chrf", "ter"])
    assert [(line.metric, line.tested) for line in lines] == [(m, c.pairs[0]) for m, c in board.items()]
    for line in lines:
        assert line.a
        assert line.b
        assert f"{line.a.value:.1f}" in result.output
        assert f"{line.b.value - line.a.value:+.1f}" in result.output
    assert "B is better" in told(result)
    assert "not told apart" in told(result), "TER parts a copy from word by word by chance only"


def test_a_pair_that_no_board_has_is_tested_now(root: Path) -> None:
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    shutil.rmtree(root / ID / "zh-en" / "comparisons")
    (line,) = differences.lines(root, SET, "zh-en", a, b, ["chrf"])
    scores = {run.label: store.read_score(run, "chrf") for run in (a, b)}
    assert (line.tested, line.of) == (compare(scores).pairs[0], 1)


def test_the_segments_that_show_it(root: Path) -> None:
    """Where B has the reference itself it gains most, and these segments come first."""
    run = one_run(root, "dictionary")
    best = {segment.id for segment in SET.segments[3:5]}
    hypotheses = [
        replace(h, text=s.en) if s.id in best else h
        for h, s in zip(run.hypotheses(), SET.segments, strict=True)
    ]
    folder = run.folder.with_name("better-00000000")
    record = {**run.record, "system": {**run.record["system"], "name": "better"}}
    store.write_run(folder, hypotheses, record)
    bench("run", "-q", f"store={root}", "system=copy,dictionary", "metric=[bleu,chrf,ter]")
    result = bench("compare", "dictionary", "better", "--store", root)
    assert result.exit_code == 0, result.output
    assert "B is better on 2 segments, A on 0, 37 are even; 37 translations are the same." in told(result)
    shown = [
        line.strip() for line in result.output.splitlines() if line.strip() in {s.id for s in SET.segments}
    ]
    assert set(shown) == best
    assert f"#/zh-en/compare/{run.label}/better-00000000" in result.output
    assert (root / ID / "site" / "index.html").is_file()


def test_settings_that_differ(root: Path) -> None:
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    keys = {key for key, _, _ in differences.settings(a, b)}
    assert "adapter" in keys
    assert "control" not in keys, "both are controls"
    assert list(differences.settings(a, a)) == []


def test_names(root: Path) -> None:
    whole = one_run(root, "copy").label
    for name in ("copy", "cop", whole, root / ID / "zh-en" / whole):
        assert bench("compare", name, "dictionary", "--store", root).exit_code == 0
    shutil.copytree(root / ID / "zh-en" / whole, root / ID / "zh-en" / "copy-other")
    for words, sentence in (
        (("nobody", "copy"), "No run is called 'nobody' (zh-en): use one of copy-"),
        (("cop", "dictionary", "--direction", "zh-en"), "'cop' may be one of several runs (zh-en)"),
        (("copy", "dictionary", "--metric", "meteor"), "meteor has not scored every segment"),
        (("copy", "dictionary", "--reference", "other"), "No reference set 'other'"),
    ):
        result = bench("compare", *words, "--store", root)
        assert result.exit_code == 2
        assert sentence in told(result)
    assert "0 reference sets" in told(bench("compare", "a", "b", "--store", root / "none"))


def test_texts_cannot_steer_the_terminal(root: Path) -> None:
    run = one_run(root, "dictionary")
    hostile = "[red]x[/red] \x1b[31mred \u202eback \x07" + "long " * 50_000
    store.write_run(run.folder, [replace(h, text=hostile) for h in run.hypotheses()], run.record)
    bench("run", "-q", f"store={root}", "system=copy,dictionary", "metric=[bleu,chrf,ter]")
    result = bench("compare", "copy", "dictionary", "--store", root)
    assert result.exit_code == 0, result.output
    assert "[red]x[/red] <001B>[31mred <202E>back <0007>" in told(result)
    assert not {"\x1b", "\u202e", "\x07"} & set(result.output)
    assert len(result.output) < 30_000


def test_nothing_is_written(root: Path) -> None:
    def files() -> dict[str, float]:
        return {str(path): path.stat().st_mtime for path in root.rglob("*")}

    before = files()
    bench("compare", "copy", "dictionary", "--store", root)
    assert files() == before


def test_marked() -> None:
    assert differences.marked("出口管制", "出口控制") == [("出口", False), ("管", True), ("制", False)]
    assert differences.marked("a good thing", "a bad thing") == [
        ("a ", False),
        ("good", True),
        (" thing", False),
    ]
    assert json.dumps(differences.marked("", "x")) == "[]"
