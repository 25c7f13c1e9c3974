"""Leaderboards: pure functions of the store. `board` makes the rows, `render` says what is in them, `forms` and bench.site write
it down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import site, store
from bench.leaderboard import forms
from bench.leaderboard.board import Board, Row, build
from bench.leaderboard.forms import terminal

__all__ = ["Board", "Row", "build", "terminal", "write"]


def write(root: Path, boards: Sequence[Board]) -> Path:
    """leaderboard.md, .csv, .json and .tex of one reference set, and site/; gives the Markdown file's path."""
    reference = boards[0].reference.id
    texts = {"csv": forms.csv_text, "json": forms.json_text, "md": forms.markdown, "tex": forms.latex}
    for suffix, text in texts.items():
        store.write(store.leaderboard_path(root, reference, suffix), text(boards))
    site.write(root, boards)
    return store.leaderboard_path(root, reference, "md")
