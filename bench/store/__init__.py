"""The only package that knows the paths and file formats under runs/ and results/.

<store>/<set id>/<direction>/<system>-<identity>/
    hypotheses.jsonl          one Hypothesis per line, in the order of the reference set
    run.json                  provenance and cost (bench.records.RunRecord); its presence means that the run is complete
    journal-<attempt>.jsonl   while translating: finished hypotheses, appended as they arrive; removed on completion
    failure.json              why the run is not complete; failure-3-of-8.json is a shard's; removed on completion
    lock, lock-3-of-8         held by the process that completes the run, or translates that shard
    scores/<metric>.json      a Score with the hashes of the scorer, the hypotheses and the set
<store>/<set id>/<direction>/failure-<metric>.json       why scoring on another machine failed; removed on success
<store>/<set id>/<direction>/partial/<metric>/           a scorer's own unfinished work; removed when scores are stored
<store>/<set id>/<direction>/comparisons/<metric>.json   paired tests of all systems, with a hash of what they depend on
<store>/<set id>/leaderboard.{md,csv,json,tex}
<store>/<set id>/reference/    parallel files that the set was loaded from; written by `bench publish`
<store>/<set id>/site/
<store>/site.json             title, introduction and logo of the site (bench.records.SiteHead)
<store>/.boards-<set id>.lock     held by the process that compares the set's runs and writes its boards and site
<store>/logs/<name>/          logs of jobs that ran in other processes or on other machines

The name of a run's folder holds the system's identity, so that one setting never overwrites another. Every
complete file is written under a temporary name and renamed, so that a reader never sees half of one.

Each file has one writer at a time, even if many machines share the disk: an attempt appends to its own
journal, and all journals of a folder together, matched by key, are what is finished. A run is completed under
its lock. If a disk does not honour locks, work is done twice, but nothing is mixed: run.json holds the hash
of its hypotheses.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench import limits
from bench.core import Score, Task
from bench.errors import BenchError
from bench.files import (
    RESTORE,
    check_inside,
    check_values,
    decode_object,
    decode_record,
    disk_errors,
    read_bytes,
    remove_abandoned,
    write_json,
    write_text,
)
from bench.languages import DIRECTIONS, Direction
from bench.names import check_name, is_metric_id, is_name
from bench.records import NO_HEAD, Leaderboard, SiteHead
from bench.store.failures import read_failures
from bench.store.journal import HYPOTHESES
from bench.store.run import Run, decode_run, read_run
from bench.store.scores import decode_score, spans_fault

__all__ = ["Run", "Store", "read_run"]

T = TypeVar("T")


class Store:
    """An opened results folder.

    Every file is read once: what was read is kept in memory until the file changes on disk. Other processes
    may write to the same store at any time.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._read: dict[Path, tuple[tuple[int, int, int], Any]] = {}

    # Paths

    def set_folder(self, set_id: str) -> Path:
        return self.root / set_id

    def direction_folder(self, task: Task) -> Path:
        return self.root / task.reference.id / task.direction

    def run_folder(self, task: Task, system: str, identity: str) -> Path:
        """The folder of a run. Raises BenchError if the system's name cannot be part of a folder's name."""
        check_name(system, "The system name")
        return self.direction_folder(task) / f"{system}-{identity[:8]}"

    def partial_folder(self, task: Task, metric: str) -> Path:
        """The folder where a scorer keeps unfinished work."""
        return self.direction_folder(task) / "partial" / metric

    def leaderboard_path(self, set_id: str, suffix: str) -> Path:
        return self.root / set_id / f"leaderboard.{suffix}"

    def site_folder(self, set_id: str) -> Path:
        return self.root / set_id / "site"

    def parallel_files_folder(self, set_id: str) -> Path:
        """Where `bench publish` copies the parallel files of a set, so that the results can be checked anywhere."""
        return self.root / set_id / "reference"

    def scoring_lock(self, task: Task, metric: str) -> Path:
        """The lock of the process that scores a task by a metric."""
        return self.direction_folder(task) / f"lock-{metric}"

    def boards_lock(self, set_id: str) -> Path:
        """The lock of the process that compares a set's runs and writes its boards and site."""
        return self.root / f".boards-{set_id}.lock"

    @property
    def logs_folder(self) -> Path:
        """Logs of jobs that ran in other processes or on other machines, one folder for each submission."""
        return self.root / "logs"

    # Contents

    def copy_run(self, run: Run, task: Task, metrics: Sequence[str] = ()) -> Path:
        """Copy a run, and its scores by `metrics`, from another store into this one. Returns the folder.

        Only the content of regular files is copied: a copied link would lead out of the store.
        """
        folder = self.direction_folder(task) / run.label
        with disk_errors(folder):
            folder.mkdir(parents=True)
        for name in ("run.json", HYPOTHESES):
            _copy_file(run.folder, folder, name)
        for metric in metrics:
            with suppress(FileNotFoundError):  # it has no such score
                _copy_file(run.folder, folder, f"scores/{metric}.json")
        return folder

    def set_ids(self) -> list[str]:
        """The ids of the reference sets that have leaderboards. Raises BenchError for a folder that no set can
        name."""
        names = sorted(path.parent.name for path in self.root.glob("*/leaderboard.json"))
        for name in names:
            check_name(name, f"The folder of a reference set in {self.root}")
        if len(names) > limits.SETS:
            raise BenchError(f"{self.root} has {len(names):,} reference sets: {limits.SETS:,} are the limit.")
        return names

    def directions(self, set_id: str) -> list[Direction]:
        """The directions with any file in the store."""
        return [direction for direction in DIRECTIONS if (self.root / set_id / direction).is_dir()]

    def run(self, folder: Path) -> Run | None:
        """The run in `folder`, or None if it is not complete."""
        return self._load(folder / "run.json", decode_run)

    def runs(self, task: Task) -> list[Run]:
        """All complete runs of a task's set and direction, sorted by folder name."""
        return self.runs_in(task.reference.id, task.direction)

    def runs_in(self, set_id: str, direction: Direction) -> list[Run]:
        """All complete runs of a set in a direction, of any version of the set, sorted by folder name."""
        folders = self.run_folders(set_id, direction)
        return [run for folder in folders if (run := self.run(folder))]

    def run_folders(self, set_id: str, direction: Direction) -> list[Path]:
        """The folders of runs, complete or not, of a set in a direction."""
        folder = self.root / set_id / direction
        try:
            with os.scandir(folder) as entries:
                folders = sorted(
                    Path(entry.path) for entry in entries if entry.is_dir() and is_name(entry.name)
                )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BenchError(f"Cannot read {folder} ({error.strerror}): {RESTORE}.") from None
        if len(folders) > limits.RUNS:
            raise BenchError(f"{folders[0].parent} has {len(folders):,} runs: {limits.RUNS:,} are the limit.")
        return folders

    def current_runs(self, task: Task) -> list[Run]:
        """The runs that were made from this version of the set."""
        return [run for run in self.runs(task) if run.is_current(task)]

    def failures(self, task: Task) -> dict[str, str]:
        """Label of a run -> why it is not complete; the reasons of several shards are joined."""
        folders = sorted({path.parent for path in self.direction_folder(task).glob("*/failure*.json")})
        return {folder.name: reason for folder in folders if (reason := read_failures(folder))}

    def score(self, run: Run, metric: str, scorer: str = "") -> Score | None:
        """The score of exactly these hypotheses against exactly this version of the set, or None.

        `scorer`: hash of the scorer's identity; "" accepts any scorer.
        """
        path = run.folder / "scores" / f"{metric}.json"
        stored = self._load(path, decode_score)
        if stored is None:
            return None
        origin, score = stored
        texts = (origin.hypotheses_sha256, origin.reference_sha256)
        if texts != (run.record.hypotheses_sha256, run.record.reference.sha256):
            return None
        if len(score.segments) != run.record.segments:
            counts = f"{len(score.segments):,} segments, its run has {run.record.segments:,}"
            raise BenchError(f"{path} is damaged (it has {counts}): {RESTORE}.")
        if score.spans and (fault := spans_fault(score, run.hypotheses())):
            raise BenchError(f"{path} is damaged ({fault}): {RESTORE}.")
        return score if scorer in ("", origin.scorer) else None

    def metrics(self, run: Run) -> list[str]:
        """The ids of the metrics that have a score file of a run."""
        paths = (run.folder / "scores").glob("*.json")
        return sorted(path.stem for path in paths if is_metric_id(path.stem))

    def write_score(self, run: Run, metric: str, scorer: str, score: Score) -> None:
        """`scorer`: hash of the scorer's identity, so that a changed setting or library version is computed
        again."""
        hashes = {
            "scorer": scorer,
            "hypotheses_sha256": run.record.hypotheses_sha256,
            "reference_sha256": run.record.reference.sha256,
        }
        path = run.folder / "scores" / f"{metric}.json"
        remove_abandoned(path)
        write_json(path, {**hashes, **asdict(score)}, inside=self.root)

    def comparisons(self, task: Task, metric: str) -> Mapping[str, Any] | None:
        """The stored paired tests of a metric as JSON (bench.scoring.compare.stage knows the fields), or
        None."""
        return self.comparisons_in(task.reference.id, task.direction, metric)

    def comparisons_in(self, set_id: str, direction: Direction, metric: str) -> Mapping[str, Any] | None:
        """As `comparisons`, of a set that need not be loaded."""
        return self._load(self.root / set_id / direction / "comparisons" / f"{metric}.json", decode_object)

    def write_comparisons(self, task: Task, metric: str, value: Mapping[str, Any]) -> None:
        remove_abandoned(self._comparisons_path(task, metric))
        write_json(self._comparisons_path(task, metric), value, inside=self.root)

    def leaderboard(self, set_id: str) -> Leaderboard | None:
        """leaderboard.json, or None if there is none. Raises BenchError if it is damaged."""
        return self._load(self.leaderboard_path(set_id, "json"), _decode_leaderboard)

    def site_head(self) -> SiteHead:
        """What its publisher puts above the boards of the site. Raises BenchError if site.json is damaged."""
        return self._load(self._site_head_path, _decode_site_head) or NO_HEAD

    def write_site_head(self, head: SiteHead) -> None:
        write_json(self._site_head_path, msgspec.to_builtins(head), inside=self.root)

    def write_leaderboard(self, set_id: str, suffix: str, text: str) -> Path:
        path = self.leaderboard_path(set_id, suffix)
        write_text(path, text, inside=self.root)
        if suffix == "json":  # the index of all sets reads it next
            self._keep(path, path.stat(), _decode_leaderboard(text.encode(), path))
        return path

    def remove_partial(self, task: Task, metric: str) -> None:
        """Delete a scorer's unfinished work."""
        folder = self.partial_folder(task, metric)
        check_inside(folder, self.root)
        shutil.rmtree(folder, ignore_errors=True)

    @property
    def _site_head_path(self) -> Path:
        return self.root / "site.json"

    def _comparisons_path(self, task: Task, metric: str) -> Path:
        return self.direction_folder(task) / "comparisons" / f"{metric}.json"

    def _load(self, path: Path, decode: Callable[[bytes, Path], T]) -> T | None:
        """What `decode` makes of a file; None if there is none. Raises BenchError if it cannot be read."""
        try:
            state = path.stat()
            if (known := self._read.get(path)) and known[0] == _version(state):
                value: T = known[1]
                return value
            value = decode(read_bytes(path, limits.TABLE_BYTES, inside=self.root), path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BenchError(f"Cannot read {path} ({error.strerror}): {RESTORE}.") from None
        self._keep(path, state, value)
        return value

    def _keep(self, path: Path, state: os.stat_result, value: object) -> None:
        self._read[path] = _version(state), value


def _version(state: os.stat_result) -> tuple[int, int, int]:
    """What changes whenever a file is replaced."""
    return state.st_mtime_ns, state.st_size, state.st_ino


def _decode_site_head(data: bytes, path: Path) -> SiteHead:
    return decode_record(data, path, SiteHead)


def _copy_file(folder: Path, target: Path, name: str) -> None:
    data = read_bytes(folder / name, limits.TABLE_BYTES, inside=folder)
    with disk_errors(target / name):
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_bytes(data)


class _Board(msgspec.Struct):
    """A direction of leaderboard.json, whose rows are not decoded yet."""

    rows: msgspec.Raw


class _Boards(msgspec.Struct):
    directions: dict[Direction, _Board]


def _decode_leaderboard(data: bytes, path: Path) -> Leaderboard:
    """The comparisons in it may be large, and are skipped."""
    for board in decode_record(data, path, _Boards, most=len(data)).directions.values():
        check_values(bytes(board.rows), path)
    return decode_record(data, path, Leaderboard, most=len(data))
