"""Writes the leaderboard files and the site of one reference set, pure functions of its boards, and the index of all
sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.boards import formats
from bench.boards.index_page import write_index
from bench.boards.rows import Board
from bench.boards.site import write_site
from bench.files import check_inside, remove_abandoned
from bench.store import Store


def write_boards(store: Store, boards: Sequence[Board]) -> Path:
    """Write leaderboard.md, .csv, .json, .tex and site/ of the boards' set, and index.html of the store.

    Returns the Markdown file's path.

    One process at a time: the caller holds the lease on `store.boards_lock`, if others know the store. Raises
    BenchError if a link leads out of the store.
    """
    set_id = boards[0].reference.id
    check_inside(store.set_folder(set_id), store.root)
    remove_abandoned(store.set_folder(set_id))
    texts = {"csv": formats.csv_text, "json": formats.json_text, "md": formats.markdown, "tex": formats.latex}
    for suffix, text in texts.items():
        store.write_leaderboard(set_id, suffix, text(boards))
    write_site(store.site_folder(set_id), boards, store.site_head())
    write_index(store)
    return store.leaderboard_path(set_id, "md")
