"""`bench verify`: recomputes everything that is published from the stored hypotheses, and compares."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import limits, progress
from bench.boards.formats import JSON_FORMAT
from bench.boards.index_page import PAGE, index_text
from bench.boards.rows import Board, Columns
from bench.boards.write import write_boards
from bench.commands.differences import file_difference, line_difference, nearly_equal
from bench.commands.estimate import scoring_seconds, testing_seconds
from bench.commands.pages import (
    build_boards,
    load_reference,
    published_columns,
    published_scorer,
    read_page,
    updated_pages,
)
from bench.commands.run_faults import answers_fault, run_fault
from bench.commands.transaction import check_complete
from bench.core import ReferenceSet, Score, Scorer, Task
from bench.errors import BenchError
from bench.scoring.compare.stage import CompareSettings, compare_runs, stored_comparisons
from bench.scoring.driver import score
from bench.store import Store

_BOOTSTRAP = re.compile(r"\|bs:\d+\|seed:\d+")


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

    boards: list[Board]
    """As they follow from what is published."""
    scorers: dict[str, Scorer]
    """Of the metrics that can be computed here."""
    runs_are_valid: bool

    @property
    def is_older_format(self) -> bool:
        """Whether the boards were written by a version that words them in another way."""
        leaderboard = self.store.leaderboard(self.reference.id)
        return leaderboard is None or leaderboard.format != JSON_FORMAT

    def tasks(self) -> list[Task]:
        return _tasks(self.store, self.reference)


def verify(root: Path, config_dir: Path | None = None) -> Report:
    """Recompute all sets that have boards in `root`. Raises BenchError if there are none, or if publishing them
    was interrupted.

    The folder may come from anybody. Nothing is written into it, and nothing in it chooses code: metrics are
    those of this installation and of `config_dir`. What needs no scoring is checked first, for all sets.
    """
    store, report = Store(root), Report()
    check_complete(root)
    if not (set_ids := store.set_ids()):
        raise BenchError(
            f"{root} has no leaderboards: name a folder like results/, or a store of `bench run`."
        )
    sets = []
    for set_id in set_ids:
        with _faults_of(set_id, report):
            sets.append(_read_set(store, set_id, config_dir, report))
    _announce(sets)
    for published in sets:
        with _faults_of(published.reference.id, report):
            _verify_set(published, report)
    older_format = any(published.is_older_format for published in sets)
    if older_format:
        report.notes.append(
            "These boards are of an older format: scores were recomputed, but ranks, tests, intervals and sentences "
            f"were not. `bench publish --into {root}` writes them in today's format."
        )
    if len(sets) == len(set_ids) and not older_format:
        with _faults_of("pages", report):
            _verify_index(store, report)
            _verify_pages(root, [published.boards for published in sets], report)
    return report


@contextmanager
def _faults_of(place: str, report: Report) -> Iterator[None]:
    """What cannot be read or computed is a finding, and the rest is checked all the same."""
    try:
        yield
    except BenchError as error:
        report.add(place, str(error))


def _read_set(store: Store, set_id: str, config_dir: Path | None, report: Report) -> _PublishedSet:
    """Check what needs no scoring. Raises BenchError if the rest cannot be checked."""
    columns, reference = published_columns(store, set_id), load_reference(store, set_id)
    valid = True
    for task in _tasks(store, reference):
        for run in store.runs(task):
            report.checked["runs"] += 1
            if fault := run_fault(run, task) or answers_fault(run, task):
                report.add(f"{task.direction}, {run.label}", fault)
                valid = False
    boards = build_boards(store, reference, columns)
    scorers = {}
    for metric in columns.metrics:
        with _faults_of(metric, report):
            scorers[metric] = published_scorer(metric, reference, config_dir)
    return _PublishedSet(store, reference, columns, boards, scorers, valid)


def _tasks(store: Store, reference: ReferenceSet) -> list[Task]:
    return [Task(reference, direction) for direction in store.directions(reference.id)]


def _verify_set(published: _PublishedSet, report: Report) -> None:
    with TemporaryDirectory(prefix="bench-verify-") as temporary:
        _verify_scores(published, Store(Path(temporary) / "scores"), report)
        if published.runs_are_valid:
            _verify_boards(published, Store(Path(temporary) / "boards"), report)
        else:
            set_id = published.reference.id
            report.add(set_id, "tests, boards and site were not compared: their runs do not verify")


def _announce(sets: Sequence[_PublishedSet]) -> None:
    """Say how much there is to do, and for about how long."""
    run_count, score_count, seconds = 0, 0, 0.0
    for published in sets:
        for task in published.tasks():
            runs = [run for run in published.store.runs(task) if not run_fault(run, task)]
            run_count += len(runs)
            score_count += len(runs) * len(published.scorers)
            seconds += scoring_seconds(task, runs, list(published.scorers))
            tests = stored_comparisons(published.store, task, published.columns.metrics).values()
            seconds += sum(testing_seconds(len(test.pairs), test.trials) for test in tests)
    progress.say(
        f"To recompute: {score_count:,} scores of {run_count:,} runs on {len(sets):,} "
        f"reference set{'s' * (len(sets) != 1)}, some {progress.duration(seconds)} by estimate."
    )


def _verify_index(store: Store, report: Report) -> None:
    """Compare the index of all sets with what their leaderboards say. It is generated, and may be missing."""
    page = store.root / PAGE
    if page.is_file():
        report.checked["pages"] += 1
        if difference := line_difference(read_page(page), index_text(store)):
            report.add(str(page), difference)


def _verify_pages(root: Path, boards: Sequence[Sequence[Board]], report: Report) -> None:
    """Compare the pages that show boards."""
    for page, text in updated_pages(root, boards):
        report.checked["pages"] += 1
        if difference := line_difference(read_page(page), text):
            report.add(str(page), difference)


def _verify_scores(published: _PublishedSet, scratch: Store, report: Report) -> None:
    """Score a copy of every run that can be published in `scratch`, and compare."""
    for task in published.tasks():
        for run in published.store.runs(task):
            if not run_fault(run, task):
                scratch.copy_run(run, task)
    for metric, scorer in _prepared_scorers(published, report):
        if not scorer.reproducible:
            report.notes.append(f"{metric} was not computed again: its scorer is not reproducible.")
            continue
        for task in published.tasks():
            with _faults_of(f"{task.direction}, {metric}", report):
                _verify_metric(published, scratch, task, metric, scorer, report)


def _verify_metric(
    published: _PublishedSet, scratch: Store, task: Task, metric: str, scorer: Scorer, report: Report
) -> None:
    store, older = published.store, published.is_older_format
    score(scratch, task, {metric: scorer})
    missing = 0
    for run in scratch.runs(task):
        original = store.run(store.direction_folder(task) / run.label)
        if original and metric not in store.metrics(original):  # a board shows it as missing
            missing += 1
            continue
        report.checked["scores"] += 1
        old = store.score(original, metric) if original else None
        if difference := _score_difference(old, scratch.score(run, metric), scorer.tolerance, older):
            report.add(f"{task.direction}, {run.label}", f"{metric}: {difference}")
    if missing:
        report.notes.append(
            f"{task.direction}: {missing} run{'s have' if missing > 1 else ' has'} no score of {metric}; "
            "the board shows it as missing."
        )


def _prepared_scorers(published: _PublishedSet, report: Report) -> Iterator[tuple[str, Scorer]]:
    for metric, scorer in published.scorers.items():
        try:
            scorer.prepare()
        except BenchError as error:
            report.add(metric, f"could not be computed here: {error}")
        else:
            yield metric, scorer


def _score_difference(old: Score | None, new: Score | None, tolerance: float, older_format: bool) -> str:
    """How a published score differs from the same score computed again; "" if it does not.

    `older_format`: its interval was bootstrapped, and its signature named the resamples.

    `tolerance`: sums in another order, on another CPU, change the last digits of a model's scores.
    """
    if old is None or new is None:
        return "no score of exactly these hypotheses is published"
    if older_format:
        old = replace(old, interval=new.interval, signature=_BOOTSTRAP.sub("", old.signature))
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
            scratch.copy_run(run, task, columns.metrics)
    tasks = published.tasks()
    with progress.bar("comparing", total=len(columns.metrics) * len(tasks), unit="metrics") as advance:
        for task in tasks:
            for metric in columns.metrics:
                compare_runs(scratch, task, [metric], _settings(store, task, metric))
                advance(1)
    scratch.write_site_head(store.site_head())
    write_boards(scratch, build_boards(scratch, published.reference, columns))
    has_site = store.site_folder(published.reference.id).is_dir()
    if not has_site:
        report.notes.append(
            f"The site of {published.reference.id} is not here: `bench publish --into {store.root}` writes it."
        )
    for file in _all_files(published, scratch, report):
        if _is_site(file) and (published.is_older_format or not has_site):
            continue
        report.checked["files"] += 1
        difference = file_difference(
            store.root / file, scratch.root / file, published.is_older_format, store.root
        )
        if difference:
            report.add(str(file), difference)


def _settings(store: Store, task: Task, metric: str) -> CompareSettings:
    """The settings that a published comparison was made with."""
    comparisons = stored_comparisons(store, task, [metric]).get(metric)
    if comparisons is None:
        return CompareSettings()
    return CompareSettings(comparisons.test, comparisons.unit, comparisons.trials)


def _is_site(file: Path) -> bool:
    return file.parts[1] == "site"


def _all_files(published: _PublishedSet, scratch: Store, report: Report) -> list[Path]:
    """Every file of the set that is published or should be, relative to the store.

    Parallel files are not among them: they are what the set was loaded from, and the runs hold its hash.
    """
    set_id = published.reference.id
    inputs = published.store.parallel_files_folder(set_id)
    files, others = set(), set()
    for store in (published.store, scratch):
        for entry in _entries(store.set_folder(set_id)):
            path = Path(entry.path)
            if not entry.is_file(follow_symlinks=False):
                others.add(path.relative_to(store.root))
            elif path.parent != inputs:
                files.add(path.relative_to(store.root))
    for path in sorted(others):
        report.add(str(path), "is a link, or neither a file nor a folder")
    return sorted(files - others)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything in a folder and in its folders, except folders. Links are not followed."""
    folders, count = [os.fspath(folder)], 0
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count > limits.FILES:
                        raise BenchError(f"{folder} has more than {limits.FILES:,} files, the limit here.")
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        yield entry
        except OSError as error:
            raise BenchError(f"Cannot read a folder in {folder} ({error.strerror}): restore it.") from None
