"""The transaction of `bench publish`: everything that is published, or nothing.

New files are made beside the published ones, in `.publishing-<id>/new/`. A file `commit` decides: before it,
nothing is published; after it, everything will be. If the process is killed, the next `bench publish` completes
what was decided and deletes what was not.

The folder may come from a stranger, and so may what looks like an interrupted transaction. Completing it moves
files within the folder only.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from bench import limits
from bench.boards.write import write_boards
from bench.commands.pages import build_boards, load_reference, marked_pages, published_columns, updated_pages
from bench.errors import BenchError
from bench.files import (
    check_inside,
    disk_errors,
    no_empty_folders,
    read_bytes,
    remove_abandoned,
    write_text,
)
from bench.names import is_name
from bench.store import Store
from bench.store.lock import PATIENCE, exclusive_lease

_PREFIX = ".publishing-"
_NEW, _COMMIT = "new", "commit"
_OLD_COMMIT = "commit.json"
"""Its name before publishing left the runs in their stores."""


@contextmanager
def transaction(root: Path) -> Iterator[Path]:
    """Hold the results folder exclusively, after what was interrupted there is completed or deleted.

    Yields a folder for `draft` and `commit`. What is not committed is deleted at the end.
    """
    with no_empty_folders(root), exclusive_lease(root / ".publishing.lock", f"{root}"):
        store = Store(root)
        for leftover in leftovers(root):
            with boards_leases(store, [*_set_ids(leftover), *store.set_ids()]):
                _end(leftover, root)
        with disk_errors(root):
            folder = Path(mkdtemp(prefix=_PREFIX, dir=root))
        try:
            yield folder
        finally:
            if not _is_committed(folder):
                shutil.rmtree(folder, ignore_errors=True)


def leftovers(root: Path) -> list[Path]:
    """The folders of transactions that have not ended."""
    folders = sorted(path for path in root.glob(f"{_PREFIX}*") if path.is_dir() and not path.is_symlink())
    if len(folders) > limits.TRANSACTIONS:
        raise BenchError(
            f"{root} has {len(folders):,} folders {_PREFIX}*: {limits.TRANSACTIONS} are the limit; delete them "
            "and run again."
        )
    return folders


def check_complete(root: Path) -> None:
    """Raise BenchError if the published files are those of a transaction that has not ended."""
    if any(map(_is_committed, leftovers(root))):
        raise BenchError(
            f"Publishing into {root} was interrupted or still runs: complete it by `bench publish --into {root}`."
        )


def draft(folder: Path) -> Store:
    """The store of a transaction's new files. Those that are published already in the same form do not change."""
    return Store(folder / _NEW)


def name_sets(folder: Path, set_ids: Iterable[str]) -> None:
    """Record which sets a transaction changes, before their boards are leased: the locks that it leaves if it is
    killed are found by these names."""
    with disk_errors(folder):
        for set_id in set_ids:
            draft(folder).set_folder(set_id).mkdir(parents=True)


def _set_ids(folder: Path) -> list[str]:
    """The sets that an interrupted transaction would change."""
    names = [path.name for path in (folder / _NEW).glob("*") if path.is_dir() and is_name(path.name)]
    if len(names) > limits.SETS:
        raise BenchError(f"{folder} was not written by bench publish: delete it and run again.")
    return names


@contextmanager
def boards_leases(store: Store, set_ids: Sequence[str]) -> Iterator[None]:
    """Keep others from writing boards of these sets. All together, others are waited for as long as for one."""
    end = time.monotonic() + PATIENCE
    with ExitStack() as leases:
        for set_id in sorted(set(set_ids)):
            if (patience := end - time.monotonic()) < 0:
                raise BenchError(
                    f"{store.root} has many locks: delete {store.root}/.boards-*.lock if no other process works "
                    "there."
                )
            leases.enter_context(
                exclusive_lease(store.boards_lock(set_id), f"the boards of {set_id}", patience)
            )
        yield


def commit(folder: Path, root: Path) -> None:
    """Publish the draft. The caller holds the boards' leases.

    Raises BenchError if a disk is full or cannot be written; if that happens after the decision, the next
    `bench publish` completes it.
    """
    marked_pages(root)  # raises for a page that could not be written after the decision
    with disk_errors(folder):
        for path in _files(folder / _NEW):
            _sync(path)
        (folder / _COMMIT).touch()
    _end(folder, root)


def _is_committed(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (_COMMIT, _OLD_COMMIT))


def _end(folder: Path, root: Path) -> None:
    """Complete a transaction that was decided; delete any other. Every step can be repeated."""
    if _is_committed(folder):
        with disk_errors(root):
            for path in _files(folder / _NEW):
                _move(path, root / path.relative_to(folder / _NEW), root)
        _write_boards_and_pages(Store(root))
        with disk_errors(root):
            for name in (_COMMIT, _OLD_COMMIT):
                (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Path) -> Iterator[Path]:
    """The regular files of a draft. Of a run, hypotheses.jsonl comes before run.json."""
    if folder.is_symlink():  # os.walk follows the folder that it begins with
        raise BenchError(f"{folder} was not written by bench publish: delete {folder.parent} and run again.")
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for path in (Path(parent, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                yield path


def _move(path: Path, target: Path, root: Path) -> None:
    """Move a file of a draft to its place, unless the same is there: then its time does not change."""
    if any(part.startswith(".") for part in target.relative_to(root).parts):
        raise BenchError(f"{path} was not written by bench publish: delete {path} and run again.")
    check_inside(target.parent, root)
    if target.is_symlink() or not target.is_file() or not _same(path, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)


def _write_boards_and_pages(results: Store) -> None:
    """Everything that follows from the runs, their scores and comparisons, and leaderboard.json."""
    all_boards = []
    for set_id in results.set_ids():
        reference = load_reference(results, set_id)
        boards = build_boards(results, reference, published_columns(results, set_id))
        write_boards(results, boards)
        all_boards.append(boards)
    for page, text in updated_pages(results.root, all_boards):
        remove_abandoned(page)
        write_text(page, text)


def _same(a: Path, b: Path) -> bool:
    try:
        one, other = (read_bytes(path, limits.TABLE_BYTES, inside=path.parent) for path in (a, b))
    except FileNotFoundError:
        return False
    return one == other


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
