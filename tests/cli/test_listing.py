"""`bench list`, `bench show`, `bench rm`: real yaml files and real runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commands.listing import find_runs
from tests.helpers.command import invoke

ID = "china-export-controls-2021"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    result = invoke("run", "-q", f"store={tmp_path}/runs", "system=copy,dictionary", "metric=[bleu]")
    assert result.exit_code == 0, result.output
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("systems", "opus-mt"),
        ("metrics", "Unbabel/wmt22-comet-da@"),
        ("prompts", "3 previous segments"),
        ("suites", "copy, dictionary, gemma-3-270m"),
        ("sets", ID),
    ],
)
def test_what_can_be_chosen(kind: str, text: str) -> None:
    result = invoke("list", kind)
    assert (result.exit_code, text in result.output) == (0, True), result.output


def test_yaml_files_of_ones_own_are_listed_and_shown(tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "mine.yaml").write_text(
        "name: mine\nsize: 3B\nadapter: {_target_: bench.adapters.copy.Copy}\n"
    )
    assert "mine" in invoke("list", "--config-dir", tmp_path).output
    assert "size: 3B" in invoke("show", "mine", "--config-dir", tmp_path).output


def test_runs_are_listed_and_shown(root: Path) -> None:
    assert "39 copied" in invoke("list", "runs", "--store", root).output
    shown = invoke("show", "dictionary", "--store", root).output
    assert shown.count("BLEU|nrefs:1") == 2
    assert "front-h1" in shown
    assert "en-zh" in shown


def test_a_removed_run_leaves_folder_and_board(root: Path) -> None:
    result = invoke("rm", "copy", "--store", root, "--yes")
    assert result.exit_code == 0, result.output
    assert not find_runs(root, "copy")
    assert "copy" not in (root / ID / "leaderboard.csv").read_text()
    assert "dictionary" in (root / ID / "leaderboard.csv").read_text()
    assert not list(root.glob(f"{ID}/*/.removed-*"))


def test_a_question_is_asked_first(root: Path) -> None:
    result = invoke("rm", "copy", "--store", root)
    assert result.exit_code == 2
    assert "answer y, or add -y" in result.stderr
    assert len(find_runs(root, "copy")) == 2


def test_a_run_in_progress_is_not_removed(root: Path) -> None:
    (run, _) = find_runs(root, "copy")
    (run.folder / "journal-1.jsonl").touch()
    result = invoke("rm", "copy", "--store", root, "--yes")
    assert (result.exit_code, "is being translated" in result.output) == (2, True), result.output
    assert len(find_runs(root, "copy")) == 2


@pytest.mark.parametrize("arguments", [("show", "nothing"), ("rm", "nothing", "--yes"), ("list", "runs")])
def test_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output


def test_a_damaged_run_is_named_and_hides_no_other(root: Path) -> None:
    (run, _) = find_runs(root, "copy")
    (run.folder / "run.json").write_text("{}")
    for words in (["show", run.label], ["show", "nothing"], ["rm", run.label, "--yes"]):
        result = invoke(*words, "--store", root)
        assert (result.exit_code, f"{run.label}/run.json is damaged" in result.output.replace("\n", "")) == (
            2,
            True,
        )
    assert invoke("show", "dictionary", "--store", root).exit_code == 0
    assert invoke("show", "comet", "--store", root).exit_code == 0
