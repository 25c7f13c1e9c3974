"""Leaderboards: pure functions of the store. `board` makes the rows, `render` says what is in them, `forms` and bench.boards.site write
it down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import store
from bench.boards import formats, site
from bench.boards.rows import Board


def write_boards(root: Path, boards: Sequence[Board]) -> Path:
    """leaderboard.md, .csv, .json and .tex of one reference set, and site/; gives the Markdown file's path."""
    reference = boards[0].reference.id
    texts = {"csv": formats.csv_text, "json": formats.json_text, "md": formats.markdown, "tex": formats.latex}
    for suffix, text in texts.items():
        store.write(store.leaderboard_path(root, reference, suffix), text(boards))
    site.write(root, boards)
    return store.leaderboard_path(root, reference, "md")
