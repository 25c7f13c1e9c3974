"""`bench publish`: moves runs into a folder of published results and regenerates everything that depends on
them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from bench import progress
from bench.boards.rows import Board, Columns
from bench.boards.write import write_boards
from bench.commands.pages import (
    build_boards,
    load_origin,
    load_reference,
    published_columns,
    updated_pages,
)
from bench.commands.verify import run_fault
from bench.core import ReferenceSet, Scorer, Task
from bench.errors import BenchError
from bench.files import write_text
from bench.launching.compose import compose, override, scorers
from bench.references.outside import SACREBLEU
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import score, unscored_runs
from bench.store import Run, Store
from bench.store.lock import exclusive_lease
from bench.store.run import read_run

_TEMPORARY = ".publishing-"
_OLD, _NEW = "old", "new"


def publish(folders: Sequence[Path], root: Path) -> list[Path]:
    """Move the runs in `folders` into the results folder `root`; without folders, only regenerate it.

    Runs are scored by the metrics that are published there, else by those of the boards in their own store;
    then boards, site and pages are written. Returns the leaderboards' paths.

    One process at a time publishes into a folder. New files are made beside the old ones and renamed at the
    end, and runs leave their store after that; if the process is killed, the next call puts back what it had
    set aside. Raises BenchError for a run that does not verify; nothing is changed then.
    """
    results = Store(root)
    if not folders and not results.set_ids() and not _set_aside(root):
        raise BenchError(
            f"Nothing is published in {root} yet: name the runs, bench publish runs/SET/DIRECTION/RUN …"
        )
    with _publishing(root) as temporary:
        references: dict[str, ReferenceSet] = {}
        runs = [_read_run(folder.absolute(), root, references) for folder in folders]
        for set_id in results.set_ids():
            references.setdefault(set_id, load_reference(results, set_id))
        draft = Store(temporary / _NEW)
        boards = [
            _make_draft(results, draft, reference, [run for run in runs if run.record.reference.id == set_id])
            for set_id, reference in sorted(references.items())
        ]
        pages = list(updated_pages(root, boards))
        for set_id in references:
            _replace_set(set_id, temporary, root)
        for page, text in pages:
            write_text(page, text)
        for run in runs:
            _remove_run(run)
    return [results.leaderboard_path(set_id, "md") for set_id in sorted(references)]


def _read_run(folder: Path, root: Path, references: dict[str, ReferenceSet]) -> Run:
    """A run that can be published. `references`: gets the run's set under its id."""
    if root.resolve() in folder.resolve().parents:
        raise BenchError(f"{folder} is published already: name runs of another store.")
    run = read_run(folder)
    if run is None:
        raise BenchError(
            f"{folder} is not a complete run: name a folder with a run.json, runs/SET/DIRECTION/RUN."
        )
    set_id = run.record.reference.id
    if set_id not in references:
        references[set_id] = load_origin(_store_of(run), run.record.reference)
    if fault := run_fault(run, Task(references[set_id], run.record.direction)):
        raise BenchError(f"{folder} cannot be published ({fault}): run it again.")
    return run


def _store_of(run: Run) -> Store:
    """The store that a run's folder is in: STORE/SET/DIRECTION/RUN."""
    return Store(run.folder.parents[2])


def _make_draft(
    results: Store, draft: Store, reference: ReferenceSet, new_runs: Sequence[Run]
) -> list[Board]:
    """Make the set's folder in `draft` as it will be published, and return its boards."""
    published, target = results.set_folder(reference.id), draft.set_folder(reference.id)
    if is_published := published.is_dir():
        shutil.copytree(published, target, ignore=shutil.ignore_patterns("site", "leaderboard.*"))
    for direction in draft.directions(reference.id):
        task = Task(reference, direction)
        for run in draft.runs(task):
            if fault := run_fault(run, task):
                path = published / run.folder.relative_to(target)
                raise BenchError(f"{path} does not verify ({fault}): restore it first.")
    for run in new_runs:
        _copy_run(run, draft, Task(reference, run.record.direction))
    if reference.outside and not reference.origin.startswith(SACREBLEU):
        _copy_parallel_files(reference.origin, draft.parallel_files_folder(reference.id))
    columns = _columns(results if is_published else _store_of(new_runs[0]), reference.id)
    overrides = [
        override("reference", reference.origin or reference.id),
        f"granularity={reference.granularity}",
        f"metric=[{','.join(columns.metrics)}]",
    ]
    config = compose(overrides)
    tasks = [Task(reference, direction) for direction in draft.directions(reference.id)]
    prepared = _prepared_scorers(draft, tasks, scorers(config), all_required=is_published)
    metrics = list(prepared)
    columns = Columns(metrics, columns.primary if columns.primary in metrics else metrics[0])
    for task in tasks:
        score(draft, task, prepared)
        compare_runs(draft, task, columns.metrics, CompareSettings(**config.compare))
    boards = build_boards(draft, reference, columns)
    write_boards(draft, boards)
    return boards


def _prepared_scorers(
    draft: Store, tasks: Sequence[Task], metric_scorers: Mapping[str, Scorer], all_required: bool
) -> dict[str, Scorer]:
    """The scorers, prepared if they have runs to score. `all_required`: a published metric may not be lost.

    Raises BenchError if a required one cannot be prepared.
    """
    prepared = {}
    for metric, scorer in metric_scorers.items():
        try:
            if any(unscored_runs(draft, task, metric, scorer) for task in tasks):
                scorer.prepare()
            prepared[metric] = scorer
        except BenchError as error:
            if scorer.required or all_required:
                raise
            progress.say(f"Publishing without {metric}: {error}", warning=True)
    return prepared


def _columns(store: Store, set_id: str) -> Columns:
    """The columns of a set's boards in a store; those of `bench run` if it has none."""
    if store.leaderboard(set_id):
        return published_columns(store, set_id)
    config = compose([])
    return Columns([str(metric) for metric in config.metric], str(config.suite.primary))


def _copy_parallel_files(prefix: str, folder: Path) -> None:
    """PREFIX.zh, PREFIX.en and PREFIX.ids, so that the results can be recomputed from the files beside them."""
    folder.mkdir(exist_ok=True)
    for suffix in ("zh", "en", "ids"):
        path = Path(f"{prefix}.{suffix}").expanduser()
        target = folder / path.name
        if path.is_file() and not target.is_file():
            shutil.copy(path, target)


def _copy_run(run: Run, draft: Store, task: Task) -> None:
    """Raises BenchError if another run of that name is published. The same one is left as it is."""
    published = draft.run(draft.direction_folder(task) / run.label)
    if published is None:
        draft.copy_run(run, task)
    elif published.document != run.document:
        raise BenchError(
            f"{run.label} is published already ({task.direction}): remove the published run first."
        )


def _remove_run(run: Run) -> None:
    """Remove a published run from its store, unless another process has begun to change it."""
    latest = read_run(run.folder)
    in_use = [*run.folder.glob("lock*"), *run.folder.glob("journal*")]
    if in_use or not latest or latest.document != run.document:
        progress.say(f"{run.folder} is in use by another process and stays where it is.", warning=True)
    else:
        shutil.rmtree(run.folder)


@contextmanager
def _publishing(root: Path) -> Iterator[Path]:
    """Hold the results folder exclusively. Yields a temporary folder on the same disk, removed afterwards."""
    is_new = not root.exists()
    try:
        with exclusive_lease(root / ".publishing.lock", f"{root}"):
            for abandoned in _set_aside(root):
                _put_back(abandoned, root)
            temporary = Path(mkdtemp(prefix=_TEMPORARY, dir=root))
            try:
                (temporary / _OLD).mkdir()
                (temporary / _NEW).mkdir()
                yield temporary
            finally:
                _put_back(temporary, root)
    finally:
        if is_new:
            with suppress(OSError):  # it is not empty if something was published
                root.rmdir()


def _set_aside(root: Path) -> list[Path]:
    """Temporary folders, also of processes that were killed."""
    return [path for path in root.glob(f"{_TEMPORARY}*") if path.is_dir()]


def _replace_set(set_id: str, temporary: Path, root: Path) -> None:
    published = root / set_id
    if published.exists():
        published.replace(temporary / _OLD / set_id)
    (temporary / _NEW / set_id).replace(published)


def _put_back(temporary: Path, root: Path) -> None:
    """Delete a temporary folder. A set that was set aside but not replaced goes back to its place first."""
    for old in (temporary / _OLD).glob("*"):
        if not (root / old.name).exists():
            old.replace(root / old.name)
    shutil.rmtree(temporary, ignore_errors=True)
