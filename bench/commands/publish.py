"""`bench publish`: copies runs into a folder of published results and regenerates everything that depends on
them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from bench import progress
from bench.boards.formats import json_text
from bench.boards.rows import Columns
from bench.boards.site.single import single_page
from bench.commands.pages import (
    build_boards,
    load_origin,
    load_reference,
    published_columns,
    published_scorer,
)
from bench.commands.run_faults import run_fault
from bench.commands.transaction import boards_leases, commit, draft, name_sets, transaction
from bench.core import ReferenceSet, Scorer, Task
from bench.errors import BenchError
from bench.files import disk_errors, write_text
from bench.launching.compose import compose
from bench.references import parallel_files, wmt_jsonl
from bench.references.outside import SACREBLEU
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import score, unscored_runs
from bench.store import Run, Store
from bench.store.run import has_attempts, read_run
from bench.translation.evaluation import renew


def publish(
    folders: Sequence[Path],
    root: Path,
    config_dir: Path | None = None,
    head: Mapping[str, str] | None = None,
) -> list[Path]:
    """Copy the runs in `folders` into the results folder `root`; without folders, only regenerate it.

    Runs are scored by the metrics that are published there, else by those of the boards in their own store.
    Runs whose answers were evaluated by an older version of bench.answers are evaluated again.
    `config_dir`: the folder with metrics of the user's own. `head`: fields of bench.records.SiteHead that change.
    Then boards, site and pages are written. Returns the leaderboards' paths.

    One process at a time publishes into a folder, and it publishes everything or nothing (see transaction.py).
    Raises BenchError for a run that does not verify; nothing is changed then.
    """
    results = Store(root)
    nothing = BenchError(
        f"Nothing is published in {root} yet: name the runs, bench publish runs/SET/DIRECTION/RUN …"
    )
    if not folders and not root.is_dir():
        raise nothing
    with transaction(root) as folder:
        references: dict[str, ReferenceSet] = {}
        runs = [_read_run(path, root, references) for path in dict.fromkeys(map(Path.absolute, folders))]
        for set_id in results.set_ids():
            references.setdefault(set_id, load_reference(results, set_id))
        if not references:
            raise nothing
        name_sets(folder, references)
        with boards_leases(results, list(references)):
            for set_id, reference in sorted(references.items()):
                new_runs = [run for run in runs if run.record.reference.id == set_id]
                _make_draft(results, draft(folder), reference, new_runs, config_dir)
            if head:
                draft(folder).write_site_head(replace(results.site_head(), **head))
            commit(folder, root)
    return [results.leaderboard_path(set_id, "md") for set_id in sorted(references)]


def write_single_pages(root: Path, folder: Path) -> list[Path]:
    """Write the site of each set of a store as one HTML file into `folder`. Returns their paths."""
    store, paths = Store(root), []
    for set_id in store.set_ids():
        boards = build_boards(store, load_reference(store, set_id), published_columns(store, set_id))
        paths.append(folder / f"{set_id}.html")
        write_text(paths[-1], single_page(boards, store.site_head()))
    return paths


def _read_run(folder: Path, root: Path, references: dict[str, ReferenceSet]) -> Run:
    """A run that can be published. `references`: gets the run's set under its id."""
    if folder.is_symlink():
        raise BenchError(f"{folder} is a link: name the folder of the run.")
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
    reference = references[set_id]
    if not reference.outside and "unknown" in (reference.licence, reference.original_language):
        progress.say(
            f"The document.yaml of {set_id} is not complete: state original_language, published, origin and licence.",
            warning=True,
        )
    if fault := run_fault(run, Task(references[set_id], run.record.direction)):
        raise BenchError(f"{folder} cannot be published ({fault}): run it again.")
    return run


def _store_of(run: Run) -> Store:
    """The store that a run's folder is in: STORE/SET/DIRECTION/RUN."""
    return Store(run.folder.parents[2])


def _make_draft(
    results: Store,
    draft: Store,
    reference: ReferenceSet,
    new_runs: Sequence[Run],
    config_dir: Path | None,
) -> None:
    """Put into `draft` the set's runs, scores, comparisons and leaderboard.json as they will be published."""
    is_published = results.leaderboard(reference.id) is not None
    columns = _columns(results if is_published else _store_of(new_runs[0]), reference.id)
    scorers = {metric: published_scorer(metric, reference, config_dir) for metric in columns.metrics}
    imported = [metric for metric, scorer in scorers.items() if scorer.imported]
    _copy_published(results, draft, reference, columns.metrics)
    for run in new_runs:
        _copy_run(run, results, draft, Task(reference, run.record.direction), imported)
    if reference.outside and not reference.origin.startswith(SACREBLEU):
        _copy_parallel_files(
            reference.origin,
            results.parallel_files_folder(reference.id),
            draft.parallel_files_folder(reference.id),
        )
    settings = CompareSettings(**compose([]).compare)
    tasks = [Task(reference, direction) for direction in draft.directions(reference.id)]
    for task in tasks:
        for run in draft.runs(task):
            if renew(run, task):
                progress.say(f"{run.label} ({task.direction}): its answers were cleaned and flagged again.")
    prepared = _prepared_scorers(draft, tasks, scorers, all_required=is_published)
    metrics = list(prepared)
    columns = Columns(metrics, columns.primary if columns.primary in metrics else metrics[0])
    for task in tasks:
        score(draft, task, prepared, ask_again=False)
        compare_runs(draft, task, columns.metrics, settings)
    draft.write_leaderboard(reference.id, "json", json_text(build_boards(draft, reference, columns)))


def _copy_published(results: Store, draft: Store, reference: ReferenceSet, metrics: Sequence[str]) -> None:
    """Copy everything that boards depend on."""
    for direction in results.directions(reference.id):
        task = Task(reference, direction)
        for run in results.runs(task):
            if fault := run_fault(run, task):
                raise BenchError(f"{run.folder} does not verify ({fault}): restore it first.")
            draft.copy_run(run, task, metrics)
        for metric in metrics:
            if (comparisons := results.comparisons(task, metric)) is not None:
                draft.write_comparisons(task, metric, comparisons)


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


def _copy_parallel_files(prefix: str, published: Path, folder: Path) -> None:
    """Copy the parallel files of a PREFIX, or WMT's JSON Lines, into `folder`, so that the results can be recomputed
    from the files beside them. `published`: where those are that were copied before."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if prefix.endswith(wmt_jsonl.SUFFIXES) and not (published / Path(prefix).name).is_file():
            shutil.copy(prefix, folder / Path(prefix).name)
            return
        for path in parallel_files.files(prefix):
            if not (published / path.name).is_file():
                shutil.copy(path, folder / path.name)


def _copy_run(run: Run, results: Store, draft: Store, task: Task, metrics: Sequence[str]) -> None:
    """Copy a run, with its scores by `metrics`, and verify the copy. Raises BenchError if another run of that name
    is published or is being made there. The same one is left as it is."""
    folder = draft.direction_folder(task) / run.label
    published = draft.run(folder)
    if published is None:
        if has_attempts(place := results.direction_folder(task) / run.label):
            raise BenchError(
                f"{place} is being made, or was interrupted: complete it by bench run, or delete it."
            )
        draft.copy_run(run, task, metrics)
        copy = draft.run(folder)
        if copy is None or copy.document != run.document or run_fault(copy, task):
            raise BenchError(f"{run.folder} changed while it was copied: publish it again.")
    elif published.document != run.document:
        raise BenchError(
            f"{run.label} is published already ({task.direction}): remove the published run first."
        )
