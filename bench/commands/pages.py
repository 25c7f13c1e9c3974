"""Published results: a store whose boards are kept with it, and the Markdown pages that show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from bench import limits, references
from bench.boards import formats
from bench.boards.rows import Board, Columns, build_board
from bench.core import ReferenceSet, Scorer, Task
from bench.errors import BenchError
from bench.files import decode_text, read_bytes
from bench.launching.compose import CONFIGS, compose, config_dir_override, scorers
from bench.names import is_metric_id
from bench.records import ReferenceId
from bench.references import parallel_files
from bench.store import Store

_FIRST_ROWS = 6  # rows of a table on a page that links to the complete one
_BEGIN, _END = re.compile(r"<!-- board[^<>]{0,200}-->\n"), "<!-- /board -->"


def load_reference(store: Store, set_id: str) -> ReferenceSet:
    """The reference set of a folder in a store, from the origin that its runs record.

    Raises BenchError if the set cannot be loaded.
    """
    return load_origin(store, _recorded_reference(store, set_id))


def load_origin(store: Store, recorded: ReferenceId) -> ReferenceSet:
    """The set that a run was made from: the parallel files that were published beside it, or its origin.

    The origin was written by whoever made the run. It is only read, and whether the set is the one of the run
    is checked before anything is made of it (run_fault). Raises BenchError if it cannot be loaded.
    """
    folder = store.parallel_files_folder(recorded.id)
    prefix = parallel_files.prefix_in(folder)
    documents = sorted(folder.glob("*.jsonl*"))[:1]
    for file in parallel_files.files(prefix) if prefix else documents:
        read_bytes(file, limits.DOCUMENT_BYTES, inside=store.root)  # raises for a link out of the store
    origin = prefix or (str(documents[0]) if documents else recorded.origin)
    if not origin:
        return _load_old(recorded.id)
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
    path, leaderboard = store.leaderboard_path(set_id, "json"), store.leaderboard(set_id)
    boards = [board for board in leaderboard.directions.values() if board.rows] if leaderboard else []
    metrics = list(boards[0].rows[0].scores) if boards else []
    if len(metrics) > limits.METRICS:
        raise BenchError(f"{path} has {len(metrics):,} metrics: {limits.METRICS} are the limit.")
    for metric in metrics:
        if not is_metric_id(metric):
            raise BenchError(f"{path}: {metric[:80]!r} is not the id of a metric: restore the file.")
    if not metrics or boards[0].sorted_by not in metrics:
        raise BenchError(f"{path} is not a leaderboard: make it by `bench run store={store.root}`.")
    return Columns(metrics, boards[0].sorted_by)


def published_scorer(metric: str, reference: ReferenceSet, config_dir: Path | None) -> Scorer:
    """The scorer of a metric that somebody else's boards name.

    Their name only chooses one of the metrics that this installation ships or that the user has in
    `config_dir`. Raises BenchError for any other, and if the metric cannot be set up.
    """
    folders = [Path(CONFIGS), *([config_dir] if config_dir else [])]
    known = {path.stem for folder in folders for path in (folder / "metric").glob("*.yaml")}
    if metric not in known:
        raise BenchError(
            f"The metric {metric} is not known here: name the folder that has metric/{metric}.yaml with --config-dir."
        )
    search = [config_dir_override(config_dir)] if config_dir else []
    config = compose([f"metric=[{metric}]", *search])
    # Not as overrides: their grammar would read what others wrote.
    config.reference, config.granularity = reference.origin or reference.id, reference.granularity
    scorer = scorers(config).get(metric)
    if scorer is None:
        raise BenchError(
            f"metric/{metric}.yaml describes another metric: begin it with `# @package metric.{metric}`."
        )
    return scorer


def build_boards(store: Store, reference: ReferenceSet, columns: Columns) -> list[Board]:
    """The boards of all directions that the store holds, at least one."""
    tasks = [Task(reference, direction) for direction in store.directions(reference.id)]
    if not tasks:
        raise BenchError(
            f"{store.set_folder(reference.id)} has boards and no runs: restore them, or delete it."
        )
    return [build_board(store, task, columns) for task in tasks]


def updated_pages(root: Path, boards_by_set: Sequence[Sequence[Board]]) -> Iterator[tuple[Path, str]]:
    """Paths and new texts of the pages that show boards between `<!-- board … -->` and `<!-- /board -->`.

    These are README.md of the store, with complete tables, and README.md in its parent folder, with the first
    rows, unless that one shows the boards of another store.
    """
    for page, text in marked_pages(root):
        first_rows, folder = (0, "") if page.parent == root else (_FIRST_ROWS, f"{root.name}/")
        lines: list[str] = []
        for boards in boards_by_set:
            set_folder = f"{folder}{boards[0].reference.id}/"
            if first_rows:
                lines += formats.first_rows(boards, set_folder, first_rows)
            else:
                lines += formats.complete_tables(boards, set_folder)
        content = "\n".join(lines).rstrip("\n") + "\n"
        yield page, with_boards(text, content)


def marked_pages(root: Path) -> list[tuple[Path, str]]:
    """The pages with marks for boards, and their texts. Raises BenchError if one cannot be used."""
    pages = []
    for page in (root / "README.md", root.parent / "README.md"):
        text = read_page(page)
        if page.parent != root and _shows_another_store(text, f"{root.name}/"):
            continue
        marks = sum(1 for _ in islice(_BEGIN.finditer(text), limits.PAGE_BOARDS + 1))
        if marks > limits.PAGE_BOARDS:
            raise BenchError(
                f"{page} has more than {limits.PAGE_BOARDS} marks <!-- board -->, the limit of a page: "
                "remove the others."
            )
        if marks:
            pages.append((page, text))
    return pages


def _shows_another_store(page: str, folder: str) -> bool:
    """Whether the boards of a page link to runs, and none of them is in `folder`."""
    begin = _BEGIN.search(page)
    boards = page[begin.end() :].partition(_END)[0] if begin else ""
    return "](" in boards and f"]({folder}" not in boards


def read_page(page: Path) -> str:
    """The text of a Markdown page; "" if there is none."""
    try:
        return decode_text(read_bytes(page, inside=page.parent), page)
    except FileNotFoundError:
        return ""


def with_boards(page: str, content: str) -> str:
    """A page with `content` between its marks."""
    parts, position = [], 0
    for begin in _BEGIN.finditer(page):
        if begin.start() < position:
            continue
        end = page.find(_END, begin.end())
        if end < 0:
            break
        parts += [page[position : begin.end()], content]
        position = end
    return "".join(parts) + page[position:]
