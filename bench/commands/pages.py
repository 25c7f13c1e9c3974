"""Published results: a store whose boards are kept with it, and the Markdown pages that show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import limits, references
from bench.boards import formats
from bench.boards.rows import Board, Columns, build_board
from bench.core import ReferenceSet, Task
from bench.errors import BenchError
from bench.names import is_metric_id
from bench.records import ReferenceId
from bench.store import Store

_FIRST_ROWS = 6  # rows of a table on a page that links to the complete one
_BOARD = re.compile(r"(<!-- board[^>]*-->\n)(.*?)(<!-- /board -->)", re.DOTALL)


def load_reference(store: Store, set_id: str) -> ReferenceSet:
    """The reference set of a folder in a store, from the origin that its runs record.

    Raises BenchError if the set cannot be loaded.
    """
    return load_origin(store, _recorded_reference(store, set_id))


def load_origin(store: Store, recorded: ReferenceId) -> ReferenceSet:
    """The set that a run was made from: the parallel files that were published beside it, or its origin.

    Raises BenchError if it cannot be loaded.
    """
    published = sorted(store.parallel_files_folder(recorded.id).glob("*.zh"))
    if not published and not recorded.origin:
        return _load_old(recorded.id)
    origin = str(published[0].with_suffix("")) if published else recorded.origin
    reference = references.load(origin, recorded.granularity)
    if reference.id != recorded.id:
        raise BenchError(
            f"{origin} is the reference set {reference.id}, but the runs were made from {recorded.id}: "
            "run this command in the folder where `bench run` was started."
        )
    return reference


def _load_old(set_id: str) -> ReferenceSet:
    """The set of runs from before run.json recorded origin and granularity: its id ended in the granularity."""
    try:
        return references.load(set_id)
    except BenchError:
        name, _, granularity = set_id.rpartition(".")
        if granularity not in ("paragraph", "document"):
            raise
        return references.load(name, granularity)


def _recorded_reference(store: Store, set_id: str) -> ReferenceId:
    """What the runs of a set say about it, preferably one that records its origin; its id if there is no run."""
    recorded = ReferenceId(set_id, "")
    for direction in store.directions(set_id):
        for path in sorted((store.set_folder(set_id) / direction).glob("*/run.json")):
            run = store.run(path.parent)
            if run and run.record.reference.id == set_id:
                recorded = run.record.reference
                if recorded.origin:
                    return recorded
    return recorded


def published_columns(store: Store, set_id: str) -> Columns:
    """The metrics of a set's boards. Raises BenchError if there are no boards."""
    leaderboard: Mapping[str, Any] = store.leaderboard(set_id) or {}
    try:
        board = next(iter(leaderboard["directions"].values()))
        metrics, primary = list(board["rows"][0]["scores"]), board["sorted_by"]
        if primary not in metrics or not all(map(is_metric_id, metrics)) or len(metrics) > limits.METRICS:
            raise KeyError
        return Columns(metrics, primary)
    except (KeyError, IndexError, TypeError, AttributeError, StopIteration):
        path = store.leaderboard_path(set_id, "json")
        raise BenchError(f"{path} is not a leaderboard: make it by `bench run store={store.root}`.") from None


def build_boards(store: Store, reference: ReferenceSet, columns: Columns) -> list[Board]:
    """The boards of all directions that the store holds."""
    tasks = [Task(reference, direction) for direction in store.directions(reference.id)]
    return [build_board(store, task, columns) for task in tasks]


def updated_pages(root: Path, boards_by_set: Sequence[Sequence[Board]]) -> Iterator[tuple[Path, str]]:
    """Paths and new texts of the pages that show boards between `<!-- board … -->` and `<!-- /board -->`.

    These are README.md of the store, with complete tables, and README.md in its parent folder, with the first
    rows.
    """
    for page, folder, first_rows in (
        (root / "README.md", "", 0),
        (root.parent / "README.md", f"{root.name}/", _FIRST_ROWS),
    ):
        if not page.is_file() or not _BOARD.search(text := page.read_text("utf-8")):
            continue
        lines: list[str] = []
        for boards in boards_by_set:
            set_folder = f"{folder}{boards[0].reference.id}/"
            if first_rows:
                lines += formats.first_rows(boards, set_folder, first_rows)
            else:
                lines += formats.complete_tables(boards, set_folder)
        content = "\n".join(lines).rstrip("\n") + "\n"
        yield page, _BOARD.sub(lambda match, content=content: match[1] + content + match[3], text)  # type: ignore[misc]
