"""The transaction of `bench publish`: everything that is published, or nothing.

New files are made beside the published ones, in `.publishing-<id>/new/`. Renaming plan.json to commit.json
decides: before it, nothing is published; after it, everything will be. If the process is killed, the next
`bench publish` completes what was decided and deletes what was not.

The folder may come from a stranger, and so may what looks like an interrupted transaction. Completing it moves
files within the folder only. It removes a run from a store only if the run's folder holds a file named like
the transaction, which was put there before it was decided, and if the published copy is the same.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from bench import limits, progress
from bench.boards.write import write_boards
from bench.commands.pages import build_boards, load_reference, published_columns, updated_pages
from bench.errors import BenchError
from bench.files import (
    check_inside,
    decode_record,
    disk_errors,
    no_empty_folders,
    read_bytes,
    remove_abandoned,
    write_json,
    write_text,
)
from bench.names import is_name
from bench.store import Run, Store
from bench.store.journal import HYPOTHESES
from bench.store.lock import exclusive_lease
from bench.store.run import read_run

_PREFIX = ".publishing-"
_NEW, _PLAN, _COMMIT = "new", "plan.json", "commit.json"
_REMOVED = ".removed-"
_LOCK = re.compile(r"lock(-\d+-of-\d+)?")


class _Plan(msgspec.Struct, frozen=True):
    """plan.json and commit.json."""

    runs: list[str]
    """Folders of the runs that leave their stores."""


@contextmanager
def transaction(root: Path) -> Iterator[Path]:
    """Hold the results folder exclusively, after what was interrupted there is completed or deleted.

    Yields a folder for `draft` and `commit`. What is not committed is deleted at the end.
    """
    with no_empty_folders(root), exclusive_lease(root / ".publishing.lock", f"{root}"):
        store = Store(root)
        for leftover in leftovers(root):
            with boards_leases(store, [*store.locked_set_ids(), *store.set_ids()]):
                _end(leftover, root)
        with disk_errors(root):
            folder = Path(mkdtemp(prefix=_PREFIX, dir=root))
        try:
            yield folder
        finally:
            if not _is_committed(folder):
                _roll_back(folder)


def leftovers(root: Path) -> list[Path]:
    """The folders of transactions that have not ended."""
    return sorted(path for path in root.glob(f"{_PREFIX}*") if path.is_dir() and not path.is_symlink())


def check_complete(root: Path) -> None:
    """Raise BenchError if the published files are those of a transaction that has not ended."""
    if any(map(_is_committed, leftovers(root))):
        raise BenchError(
            f"Publishing into {root} was interrupted or still runs: complete it by `bench publish --into {root}`."
        )


def draft(folder: Path) -> Store:
    """The store of a transaction's new files. Those that are published already in the same form do not change."""
    return Store(folder / _NEW)


@contextmanager
def boards_leases(store: Store, set_ids: Sequence[str]) -> Iterator[None]:
    """Keep others from writing boards of these sets."""
    with ExitStack() as leases:
        for set_id in sorted(set(set_ids)):
            leases.enter_context(exclusive_lease(store.boards_lock(set_id), f"the boards of {set_id}"))
        yield


def commit(folder: Path, runs: Sequence[Run], root: Path) -> None:
    """Publish the draft and remove `runs` from their stores. The caller holds the boards' leases.

    Raises BenchError if a disk is full or cannot be written; if that happens after the decision, the next
    `bench publish` completes it.
    """
    with disk_errors(folder):
        for path in _files(folder / _NEW):
            _sync(path)
    folders = [run.folder.resolve() for run in runs]
    write_json(folder / _PLAN, {"runs": [str(path) for path in folders]})
    for path in folders:
        with disk_errors(path):
            (path / folder.name).touch(exist_ok=False)
    with disk_errors(folder):
        os.replace(folder / _PLAN, folder / _COMMIT)
    _end(folder, root)


def _is_committed(folder: Path) -> bool:
    return (folder / _COMMIT).is_file()


def _end(folder: Path, root: Path) -> None:
    """Complete a transaction that was decided; delete any other. Every step can be repeated."""
    plan = _read_plan(folder / _COMMIT)
    if plan is None:
        _roll_back(folder)
        return
    with disk_errors(root):
        for path in _files(folder / _NEW):
            _move(path, root / path.relative_to(folder / _NEW), root)
    _write_boards_and_pages(Store(root))
    for run in plan.runs:
        _remove_run(Path(run), Store(root), folder.name)
    with disk_errors(root):
        (folder / _COMMIT).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _roll_back(folder: Path) -> None:
    plan = _read_plan(folder / _PLAN)
    for run in plan.runs if plan else ():
        if _is_marked(Path(run), folder.name):
            with suppress(OSError):
                (Path(run) / folder.name).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _read_plan(path: Path) -> _Plan | None:
    """None if there is none, or what is there was not written by this program."""
    with suppress(FileNotFoundError, BenchError):
        plan = decode_record(read_bytes(path, inside=path.parent), path, _Plan)
        return plan if len(plan.runs) <= limits.RUNS else None
    return None


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


def _remove_run(folder: Path, results: Store, transaction_id: str) -> None:
    """Remove a published run from its store, unless another process has begun to change it.

    It gets another name first, so that a killed process never leaves half a run.
    """
    if not (folder.is_absolute() and is_name(folder.name)):
        return
    removed = folder.with_name(f"{_REMOVED}{folder.name}")
    try:
        if _is_marked(folder, transaction_id):
            with ExitStack() as leases, disk_errors(folder):
                for lock in {folder / "lock", *(p for p in folder.glob("lock-*") if _LOCK.fullmatch(p.name))}:
                    leases.enter_context(exclusive_lease(lock, str(folder), patience=0))
                if any(folder.glob("journal*")) or not _is_published(folder, results):
                    raise BenchError(f"{folder} is not complete or not the published run: see `bench show`.")
                folder.rename(removed)
    except BenchError:
        progress.say(
            f"{folder} is in use by another process, or cannot be changed, and stays where it is.",
            warning=True,
        )
        with suppress(OSError):
            (folder / transaction_id).unlink()
    if _is_marked(removed, transaction_id) and not removed.is_symlink():
        _delete_marked(removed, transaction_id)
    with suppress(OSError):
        removed.rmdir()  # an empty folder is what a killed process may have left


def _delete_marked(folder: Path, transaction_id: str) -> None:
    """Delete a folder with the mark of this transaction. The mark goes last: a killed process can be repeated."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != transaction_id:
                path.unlink()
        (folder / transaction_id).unlink()


def _is_marked(folder: Path, transaction_id: str) -> bool:
    with suppress(OSError, ValueError):  # ValueError: a NUL in the path
        state = (folder / transaction_id).lstat()
        return stat.S_ISREG(state.st_mode) and state.st_size == 0
    return False


def _is_published(folder: Path, results: Store) -> bool:
    """Whether the results hold a copy of the run in `folder`."""
    run = read_run(folder)
    if run is None or not is_name(run.record.reference.id):
        return False
    copy = results.set_folder(run.record.reference.id) / run.record.direction / folder.name
    check_inside(copy, results.root)
    return all(_same(folder / name, copy / name) for name in ("run.json", HYPOTHESES))


def _same(a: Path, b: Path) -> bool:
    try:
        one, other = (read_bytes(path, limits.TABLE_BYTES, inside=path.parent) for path in (a, b))
    except FileNotFoundError:
        return False
    return one == other


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
