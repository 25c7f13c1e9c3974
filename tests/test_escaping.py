"""Hostile texts through the real writers and commands, each format read as its readers read it."""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from bench import escaping
from bench.boards import formats
from bench.boards.rows import Board
from tests.helpers import hostile
from tests.helpers.hostile import LEGITIMATE, TEXTS, steering

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(params=TEXTS.values(), ids=list(TEXTS))
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def board(tmp_path: Path, text: str) -> Board:
    return hostile.board(tmp_path, text)


def printed(board: Board) -> str:
    console = Console(file=io.StringIO(), width=4000, force_terminal=False)
    console.print(formats.terminal(board, 4000))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def tags(text: str) -> Counter[str]:
    return Counter(token.type for block in MARKDOWN.parse(text) for token in (block, *(block.children or ())))


def test_a_terminal_shows_the_text_and_nothing_steers_it(board: Board, text: str) -> None:
    shown = printed(board)
    assert steering(shown) == set()
    assert f"Missing: {escaping.terminal(text)}: {escaping.terminal(text)}\n" in shown


def test_markdown_has_the_same_structure_whatever_the_text(tmp_path: Path, text: str) -> None:
    """Only names that differ: no link, image, heading, list, rule, emphasis or markup is added."""
    harmless = formats.markdown([hostile.board(tmp_path / "a", "name")])
    written = formats.markdown([hostile.board(tmp_path / "b", text)])
    expected, found = tags(harmless), tags(written)
    for kind in {*expected, *found} - {"text", "code_inline", "text_special"}:
        assert found[kind] == expected[kind], kind
    assert steering(written) == set()
    assert "<!-- board -->" not in written
    assert "<!-- /board -->" not in written
    shown = html.unescape(re.sub(r"<[^>]*>", "", MARKDOWN.render(written)))
    line = " ".join(escaping.terminal(text, newline=" ").split())
    assert line in " ".join(shown.split())
    for target in re.findall(r'href="([^"]*)"', MARKDOWN.render(written)):
        assert re.fullmatch(r"zh-en/s0\d-01234567/hypotheses\.jsonl", target)


def test_a_folder_of_any_name_is_a_link_target(tmp_path: Path) -> None:
    lines = formats.first_rows([hostile.board(tmp_path, "a")], "my (results) [x]/é|\udc80/", 1)
    row = next(line for line in lines if line.startswith("| [a"))
    targets = re.findall(r'href="([^"]*)"', MARKDOWN.render("\n".join(["|a|", "|-|", row])))
    assert targets == ["my%20%28results%29%20%5Bx%5D/%C3%A9%7C%3F/zh-en/s01-01234567/hypotheses.jsonl"]


def test_latex_has_no_command_but_ours(board: Board, tmp_path: Path) -> None:
    written = formats.latex([board])
    harmless = formats.latex([hostile.board(tmp_path / "harmless", "name")])
    assert steering(written) == set()
    assert written.count("\n") == harmless.count("\n")
    for line, other in zip(written.splitlines(), harmless.splitlines(), strict=True):
        bare = re.sub(
            r"\\[&%$#_{}]|\\text(backslash|ascii\w+|less|greater)\{\}|\$\\[a-zA-Z]+\$|\{[\[*]\}", "", line
        )
        assert re.findall(r"[\\&%$#_~^]|\\\w+", bare) == re.findall(r"[\\&$_~^]|\\\w+", _ours(other)), line
        assert bare.count("{") == bare.count("}")
        assert not line.startswith(("[", "*"))


def _ours(line: str) -> str:
    return re.sub(r"\\[&%$#_{}]|\$\\[a-zA-Z]+\$", "", line)


def test_csv_has_no_formula_and_numbers_stay_numbers(board: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(formats.csv_text([board]))))
    assert len(rows) == 2
    for row in rows:
        assert float(row["constructor"]) >= 0
        for cell in row.values():
            assert not re.match(r"\s*[=+\-@＝＋－＠]", cell)
            assert steering(cell) == set()


def test_csv_keeps_negative_numbers(tmp_path: Path) -> None:
    board = hostile.board(tmp_path, "a")
    scores = board.rows[0].scores
    low = {
        metric: hostile.replace(score, value=-1.5, interval=(-2.0, -1.0))
        for metric, score in scores.items()
        if score
    }
    rows = [hostile.replace(board.rows[0], scores=low)]
    row = next(csv.DictReader(io.StringIO(formats.csv_text([hostile.replace(board, rows=rows)]))))
    assert (row["constructor"], row["constructor_low"], row["constructor_high"]) == ("-1.5", "-2.0", "-1.0")


@pytest.mark.parametrize("text", LEGITIMATE)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert escaping.terminal(text) == text
    assert escaping.csv_cell(text) == text
    assert html.unescape(MARKDOWN.renderInline(escaping.markdown(text))) == text


def test_a_text_stays_on_its_line() -> None:
    assert escaping.terminal("a\nb\rc") == "a⏎b<000D>c"
    assert escaping.terminal("a\nb", newline="\n") == "a\nb"


@pytest.mark.parametrize("code", ["nrefs:1|case:mixed|tok:13a", "a`b", "", " ", "<!-- x", "a*b_c"])
def test_code_or_text_shows_what_it_says(code: str) -> None:
    shown = html.unescape(re.sub("</?code>", "", MARKDOWN.renderInline(escaping.markdown_code(code))))
    assert shown == code.strip()
