"""Leaderboards: pure functions of the store. `board` makes the rows, `render` the forms, `write` the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import store
from bench.leaderboard import render
from bench.leaderboard.board import Board, Row, build
from bench.leaderboard.render import terminal

__all__ = ["Board", "Row", "build", "terminal", "write"]


def write(root: Path, boards: Sequence[Board]) -> Path:
    """leaderboard.md, .csv and .json of one reference set; gives the Markdown file's path."""
    reference = boards[0].reference.id
    forms = {"csv": render.csv_text, "json": render.json_text, "md": render.markdown}
    for suffix, form in forms.items():
        store.write(store.leaderboard_path(root, reference, suffix), form(boards))
    return store.leaderboard_path(root, reference, "md")
