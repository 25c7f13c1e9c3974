"""`bench board`, and what `bench run` and `bench score` print at their end."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import STORE
from bench.cli.printing import echo
from bench.errors import BenchError
from bench.languages import Language

if TYPE_CHECKING:
    from bench.boards.rows import Board


_WIDEST = 1000
_WIDTH = 120  # of a line where nothing says how wide it is, as in a file


@click.command()
@STORE
@click.option("--reference", help="Id of the reference set. Default: all.")
@click.option("--wide", is_flag=True, help="All columns.")
@click.option(
    "--columns", metavar="A,B", help="These columns: rank, flags, size, licence, speed, device, metrics."
)
@click.option("--chinese", is_flag=True, help="Summary and notes in Chinese.")
def board(root: Path, reference: str | None, wide: bool, columns: str | None, chinese: bool) -> None:
    """Show the boards of a store. Nothing is computed or written.

    \b
      bench board                                       rank, three metrics, terms, flags
      bench board --wide --store results                all columns of published results
      bench board --columns rank,chrf,size,speed        some columns
    """
    from bench.boards import columns as board_columns
    from bench.commands.pages import build_boards, load_reference, published_columns
    from bench.store import Store

    store = Store(root)
    set_ids = store.set_ids()
    if not set_ids or (reference and reference not in set_ids):
        raise BenchError(
            f"{root} has no boards{f' of {reference}' if reference else ''}: "
            f"choose a set ({', '.join(set_ids) or 'use bench run first'}) or another store with --store."
        )
    for set_id in [reference] if reference else set_ids:
        for shown in build_boards(store, load_reference(store, set_id), published_columns(store, set_id)):
            names = board_columns.wide(shown) if wide else columns.split(",") if columns else []
            _print(shown, board_columns.chosen(shown, names), "zh" if chinese else "en")


def print_boards(boards: Sequence[Board], path: Path) -> int:
    """Print boards and where they were written. Returns the exit code: 2 if something is missing."""
    for shown in boards:
        _print(shown)
    echo(f"Written: {path} (and .csv, .json, .tex beside it)")
    if command := _comparison(boards, path):
        echo(f"Tests by every metric, and the segments that differ most: {command}")
    echo(f"Open in a browser: {path.parent / 'site' / 'index.html'}")
    return 2 if any(board.missing for board in boards) else 0


def _comparison(boards: Sequence[Board], path: Path) -> str:
    """The command that compares the two best systems, or one with a control; "" if no board has two. `path`: of the
    leaderboard."""
    from bench.store import Store

    rows = sorted(
        next((board.rows for board in boards if len(board.rows) > 1), []), key=lambda row: row.control
    )[:2]
    if not rows:
        return ""
    systems = [row.run.system.name for row in rows]
    names = systems if len({*systems}) == 2 else [row.label for row in rows]
    root = path.parents[1]
    options = [] if root == Path("runs") else ["--store", str(root)]
    if len(Store(root).set_ids()) > 1:
        options += ["--reference", path.parent.name]
    return shlex.join(["bench", "compare", *names, *options])


def _print(board: Board, columns: Sequence[str] = (), language: Language = "en") -> None:
    from rich.console import Console

    from bench.boards import formats

    has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = Console().width if has_width else _WIDTH
    # A table of all columns may be wider than the terminal, which then breaks its lines; rich would cut cells.
    Console(width=_WIDEST, highlight=False).print(formats.terminal(board, width, columns, language))
