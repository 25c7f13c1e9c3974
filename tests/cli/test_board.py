"""`bench board`: the boards of a store, narrow, wide, with chosen columns, in Chinese, into a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench.cli.main import main


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    arguments = [
        "run",
        "-q",
        "system=copy,dictionary",
        "direction=zh-en",
        "metric=[chrf,bleu]",
        f"store={folder}",
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return folder


def board(store: Path, *options: str, columns: str = "80") -> Result:
    return CliRunner(env={"COLUMNS": columns}).invoke(main, ["board", "--store", str(store), *options])


def heads(result: Result) -> list[str]:
    return next(line for line in result.output.splitlines() if line.startswith(("system", "系统"))).split()


def test_it_is_narrow_and_without_colour(store: Path) -> None:
    result = board(store)
    assert result.exit_code == 0, result.output
    assert heads(result) == ["system", "rank", "chrF", "↑", "BLEU", "↑", "flags"]
    assert "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_columns_are_chosen(store: Path) -> None:
    assert heads(board(store, "--columns", "bleu,device")) == ["system", "BLEU", "↑", "device"]
    assert heads(board(store, "--wide"))[-5:] == ["flags", "size", "licence", "seg/s", "device"]
    wrong = board(store, "--columns", "comet")
    assert wrong.exit_code == 2
    assert "The board has no column 'comet': choose from rank,chrf,bleu,flags" in wrong.output


def test_in_chinese(store: Path) -> None:
    result = board(store, "--chinese")
    assert heads(result)[:2] == ["系统", "名次"]
    assert "按 chrF 排序" in result.output


def test_a_set_that_is_not_there(store: Path) -> None:
    wrong = board(store, "--reference", "law")
    assert wrong.exit_code == 2
    assert "has no boards of law: choose a set (china-export-controls-2021)" in " ".join(wrong.output.split())
