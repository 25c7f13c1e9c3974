"""A store from a stranger may hold links: nothing is written, moved or deleted where they lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.command import invoke

ID = "china-export-controls-2021"
RUN = ("run", "-q", "system=copy", "direction=zh-en", "metric=[bleu]", "store=runs")


@pytest.fixture(autouse=True)
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, outside the store."""
    monkeypatch.chdir(tmp_path)
    victim = tmp_path / "victim"
    for name in ("thesis.txt", "bleu/thesis.txt", "journal-1.jsonl", "run.json", "scores/bleu.json"):
        (victim / name).parent.mkdir(parents=True, exist_ok=True)
        (victim / name).write_text("mine")
    return victim


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("link", ["zh-en", "zh-en/partial", "zh-en/copy-792459db"])
def test_a_run_in_a_store_with_links(link: str, victim: Path) -> None:
    before = contents(victim)
    path = Path("runs", ID, link)
    path.parent.mkdir(parents=True)
    path.symlink_to(victim)
    result = invoke(*RUN)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "is a link that leads out" in result.stderr
    assert contents(victim) == before


@pytest.mark.parametrize("link", ["scores"])
def test_scores_are_not_written_through_a_link(link: str, victim: Path) -> None:
    assert invoke(*RUN).exit_code == 0
    before = contents(victim)
    (run,) = Path("runs").glob("*/*/copy-*")
    for path in (run / link).iterdir():
        path.unlink()
    (run / link).rmdir()
    (run / link).symlink_to(victim / "scores")
    assert invoke(*RUN).exit_code == 2
    assert contents(victim) == before


def test_a_forged_transaction_moves_and_deletes_nothing(victim: Path, tmp_path: Path) -> None:
    assert invoke(*RUN).exit_code == 0
    removed = tmp_path / ".removed-thesis"
    removed.mkdir()
    (removed / "thesis.txt").write_text("mine")
    before = contents(victim)
    forged = Path("runs", ".publishing-evil")
    forged.mkdir()
    (forged / "new").symlink_to(victim)
    (forged / "commit.json").write_text(json.dumps({"runs": [str(tmp_path / "thesis")]}))
    result = invoke("publish", "--into", "runs")
    assert result.exit_code == 2
    assert "was not written by bench publish" in result.stderr
    (forged / "new").unlink()
    (forged / "new").mkdir()
    invoke("publish", "--into", "runs")
    assert contents(victim) == before
    assert contents(removed) == {"thesis.txt": "mine"}
