"""What `bench run` and `bench score` print at their end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.printing import echo

if TYPE_CHECKING:
    from bench.boards.rows import Board


def print_boards(boards: Sequence[Board], path: Path) -> int:
    """Print boards and where they were written. Returns the exit code: 2 if something is missing."""
    from rich.console import Console

    from bench.boards import formats

    console = Console(width=None if sys.stdout.isatty() else 160)
    for board in boards:
        console.print(formats.terminal(board))
    echo(f"Written: {path} (and .csv, .json, .tex beside it)")
    echo(f"Open in a browser: {path.parent / 'site' / 'index.html'}")
    return 2 if any(board.missing for board in boards) else 0
