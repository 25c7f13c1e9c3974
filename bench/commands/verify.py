"""`bench verify`: recomputes everything that is published from the stored hypotheses, and compares."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import progress
from bench.boards.formats import JSON_FORMAT, complete_tables, first_rows
from bench.boards.rows import Board, Columns
from bench.boards.write import write_boards
from bench.commands.differences import file_difference, line_difference, nearly_equal, table_rows
from bench.commands.pages import (
    build_boards,
    load_reference,
    published_columns,
    updated_pages,
)
from bench.core import ReferenceSet, Score, Scorer, Task
from bench.errors import BenchError
from bench.launching.compose import compose, override, scorers
from bench.scoring.compare.stage import CompareSettings, compare_runs, stored_comparisons
from bench.scoring.driver import score
from bench.store import Run, Store


@dataclass(frozen=True, slots=True)
class Finding:
    place: str
    """The row (direction and run) or the file."""
    difference: str
    """What differs there, in one sentence."""


@dataclass(slots=True)
class Report:
    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    """Kind of thing -> how many were recomputed."""
    notes: list[str] = field(default_factory=list)
    """What was not compared, and why."""

    def add(self, place: str, difference: str) -> None:
        self.findings.append(Finding(place, difference))


@dataclass(frozen=True, slots=True)
class _PublishedSet:
    store: Store
    reference: ReferenceSet
    columns: Columns

    @property
    def is_older_format(self) -> bool:
        """Whether the boards were written by a version that words them in another way."""
        leaderboard = self.store.leaderboard(self.reference.id) or {}
        return bool(leaderboard.get("format", 1) != JSON_FORMAT)

    def tasks(self) -> list[Task]:
        return [Task(self.reference, direction) for direction in self.store.directions(self.reference.id)]


def verify(root: Path) -> Report:
    """Recompute all sets that have boards in `root`. Raises BenchError if there are none."""
    store, report, boards = Store(root), Report(), []
    if not (set_ids := store.set_ids()):
        raise BenchError(
            f"{root} has no leaderboards: name a folder like results/, or a store of `bench run`."
        )
    older_format = False
    for set_id in set_ids:
        try:
            published = _PublishedSet(store, load_reference(store, set_id), published_columns(store, set_id))
            boards.append(build_boards(store, published.reference, published.columns))
        except BenchError as error:
            report.add(set_id, str(error))
            continue
        older_format |= published.is_older_format
        with TemporaryDirectory(prefix="bench-verify-") as temporary:
            if _verify_scores(published, Store(Path(temporary) / "scores"), report):
                _verify_boards(published, Store(Path(temporary) / "boards"), report)
            else:
                report.add(set_id, "tests, boards and site were not compared: their runs do not verify")
    if older_format:
        report.notes.append(
            "These boards are of an older format: their numbers were compared, but not the sentences around them "
            f"and not the site. `bench publish --into {root}` writes them in today's format."
        )
    if len(boards) == len(set_ids):
        _verify_pages(root, boards, older_format, report)
    return report


def _verify_pages(root: Path, boards: Sequence[Sequence[Board]], older_format: bool, report: Report) -> None:
    """Compare the pages that show boards; of an older format only the rows of their tables."""
    rows: set[str] = set()
    for set_boards in boards:
        for lines in (complete_tables(set_boards), first_rows(set_boards, "", len(set_boards[0].rows))):
            rows.update(table_rows("\n".join(lines)))
    for page, text in updated_pages(root, boards):
        report.checked["pages"] += 1
        published = page.read_text("utf-8")
        if not older_format:
            difference = line_difference(published, text)
        else:
            wrong = [row for row in table_rows(published) if row not in rows]
            difference = f"no run gives the row {wrong[0]}" if wrong else ""
        if difference:
            report.add(str(page), difference)


def run_fault(run: Run, task: Task) -> str:
    """Why a run cannot be published; "" if it can."""
    if not run.is_current(task):
        return f"was made from another version of {task.reference.id}"
    try:
        ids = tuple(hypothesis.id for hypothesis in run.hypotheses())
    except BenchError:
        return "its hypotheses are not those that run.json was written for"
    if ids != task.ids:
        return "does not hold one hypothesis for each segment, in order"
    if run.label != f"{run.system}-{run.record.identity[:8]}":
        return "its folder is not named by its system and identity"
    return ""


def _verify_scores(published: _PublishedSet, scratch: Store, report: Report) -> bool:
    """Score a copy of every run in `scratch` and compare. Returns whether every run can be published."""
    all_runs_valid = True
    for task in published.tasks():
        for run in published.store.runs(task):
            report.checked["runs"] += 1
            if fault := run_fault(run, task):
                report.add(f"{task.direction}, {run.label}", fault)
                all_runs_valid = False
                continue
            scratch.copy_run(run, task)
    prepared = dict(_prepared_scorers(published, report))
    reproducible = {metric: scorer for metric, scorer in prepared.items() if scorer.reproducible}
    for metric in prepared.keys() - reproducible.keys():
        report.notes.append(f"{metric} was not computed again: its scorer is not reproducible.")
    for task in published.tasks():
        score(scratch, task, reproducible)
        for run in scratch.runs(task):
            original = published.store.run(published.store.direction_folder(task) / run.label)
            for metric, scorer in reproducible.items():
                report.checked["scores"] += 1
                old = published.store.score(original, metric) if original else None
                if difference := _score_difference(old, scratch.score(run, metric), scorer.tolerance):
                    report.add(f"{task.direction}, {run.label}", f"{metric}: {difference}")
    return all_runs_valid


def _prepared_scorers(published: _PublishedSet, report: Report) -> Iterator[tuple[str, Scorer]]:
    reference = published.reference
    for metric in published.columns.metrics:
        overrides = [
            f"metric=[{metric}]",
            override("reference", reference.origin or reference.id),
            f"granularity={reference.granularity}",
        ]
        try:
            scorer = scorers(compose(overrides))[metric]
            scorer.prepare()
            yield metric, scorer
        except BenchError as error:
            report.add(metric, f"could not be computed here: {error}")


def _score_difference(old: Score | None, new: Score | None, tolerance: float) -> str:
    """How a published score differs from the same score computed again; "" if it does not.

    `tolerance`: sums in another order, on another CPU, change the last digits of a model's scores.
    """
    if old is None or new is None:
        return "no score of exactly these hypotheses is published"
    if old.signature != new.signature:
        return f"published as {old.signature}, here it is {new.signature}"
    if not nearly_equal(old.value, new.value, tolerance):
        return f"published {old.value:.{old.decimals + 2}f}, recomputed {new.value:.{new.decimals + 2}f}"
    published, recomputed = asdict(old), asdict(new)
    for name in published.keys() - {"value", "cost_usd"}:
        if not nearly_equal(published[name], recomputed[name], tolerance):
            return f"its {name} are not those that are recomputed"
    return ""


def _verify_boards(published: _PublishedSet, scratch: Store, report: Report) -> None:
    """Regenerate everything that depends on the published scores, and compare file by file."""
    store, columns = published.store, published.columns
    for task in published.tasks():
        for run in store.runs(task):
            shutil.copytree(
                run.folder,
                scratch.direction_folder(task) / run.label,
                ignore=lambda _, names: _unpublished(names, columns.metrics),
            )
    tasks = published.tasks()
    with progress.bar("comparing", total=len(columns.metrics) * len(tasks), unit="metrics") as advance:
        for task in tasks:
            for metric in columns.metrics:
                compare_runs(scratch, task, [metric], _settings(store, task, metric))
                advance(1)
    write_boards(scratch, build_boards(scratch, published.reference, columns))
    has_site = store.site_folder(published.reference.id).is_dir()
    if not has_site:
        report.notes.append(
            f"The site of {published.reference.id} is not here: `bench publish --into {store.root}` writes it."
        )
    for file in _all_files(published, scratch):
        if _is_site(file) and (published.is_older_format or not has_site):
            continue
        report.checked["files"] += 1
        difference = file_difference(store.root / file, scratch.root / file, published.is_older_format)
        if difference:
            report.add(str(file), difference)


def _settings(store: Store, task: Task, metric: str) -> CompareSettings:
    """The settings that a published comparison was made with."""
    comparisons = stored_comparisons(store, task, [metric]).get(metric)
    if comparisons is None:
        return CompareSettings()
    return CompareSettings(comparisons.test, comparisons.unit, comparisons.resamples)


def _is_site(file: Path) -> bool:
    return file.parts[1] == "site"


def _all_files(published: _PublishedSet, scratch: Store) -> list[Path]:
    """Every file of the set that is published or should be, relative to the store.

    Parallel files are not among them: they are what the set was loaded from, and the runs hold its hash.
    """
    set_id = published.reference.id
    inputs = published.store.parallel_files_folder(set_id)
    files = set()
    for store in (published.store, scratch):
        paths = store.set_folder(set_id).rglob("*")
        files |= {path.relative_to(store.root) for path in paths if path.is_file() and path.parent != inputs}
    return sorted(files)


def _unpublished(names: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """The files of a run that no board depends on."""
    known = {"run.json", "hypotheses.jsonl", "scores", *(f"{metric}.json" for metric in metrics)}
    return [name for name in names if name not in known]
