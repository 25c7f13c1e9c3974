"""The only module that knows the paths and file formats under runs/ and results/.

<store>/<reference set>/<direction>/<system>-<identity>/
    hypotheses.jsonl    one Hypothesis a line, in the order of the reference set
    run.json            everything needed to repeat the run; its presence means the run is whole
    journal.jsonl       while translating: finished hypotheses with the attempt that made them and its seconds since the one
                        before, appended as they come; gone when the run is whole
    failure.json        why the last attempt did not finish; gone when the run is whole
    scores/<metric>.json
<store>/<reference set>/leaderboard.{md,csv,json}

The folder's name holds the identity of the system, so that one setting never overwrites another. Every whole file is
written under a temporary name and renamed, so that a reader never sees half of one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.core import DIRECTIONS, BenchError, Direction, Hypothesis, Score, Span

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=-]*")


@dataclass(frozen=True, slots=True)
class Run:
    """One system x one direction x one reference set, as it stands in the store."""

    folder: Path
    record: Mapping[str, Any]
    """run.json as it was read; bench.translate writes and documents it."""

    @property
    def system(self) -> str:
        return str(self.record["system"]["name"])

    @property
    def label(self) -> str:
        """Unique in a store: the system's name and the beginning of its identity."""
        return self.folder.name

    def check(self) -> None:
        """Raises BenchError where hypotheses.jsonl is not the file that run.json was written for."""
        path = self.folder / "hypotheses.jsonl"
        if (
            not path.is_file()
            or hashlib.sha256(path.read_bytes()).hexdigest() != self.record["hypotheses_sha256"]
        ):
            raise BenchError(
                f"{path} was changed after the run: restore it, or delete its folder and run again."
            )

    def hypotheses(self) -> list[Hypothesis]:
        return read_hypotheses(self.folder / "hypotheses.jsonl")


def run_folder(store: Path, reference: str, direction: Direction, system: str, identity: str) -> Path:
    if not _NAME.fullmatch(system):
        raise BenchError(
            f"The system name {system!r} cannot be a folder: use letters, digits and ._+@=- only."
        )
    return store / reference / direction / f"{system}-{identity[:8]}"


def read_run(folder: Path) -> Run | None:
    """The run in `folder`, or None where it is not whole."""
    with suppress(FileNotFoundError):  # not asked for before: it may go between the question and the reading
        return Run(folder, _read_json(folder / "run.json"))
    return None


def runs(store: Path, reference: str, direction: Direction) -> list[Run]:
    """All whole runs of one direction, by folder name."""
    found = (read_run(path.parent) for path in sorted((store / reference / direction).glob("*/run.json")))
    return [run for run in found if run]


def failures(store: Path, reference: str, direction: Direction) -> dict[str, str]:
    """System label -> why its last attempt did not finish."""
    paths = sorted((store / reference / direction).glob("*/failure.json"))
    return {path.parent.name: str(_read_json(path)["error"]) for path in paths}


def write_run(folder: Path, hypotheses: Iterable[Hypothesis], record: Mapping[str, Any]) -> None:
    """Make the run whole: hypotheses first, run.json last, then what belonged to the attempt is removed.

    An earlier run.json goes before all: a process that is killed in between leaves a run that is not whole, never one whose
    record is of other hypotheses.
    """
    text = "".join(_line(h) for h in hypotheses)
    with _disk(folder):
        (folder / "run.json").unlink(missing_ok=True)
    write(folder / "hypotheses.jsonl", text)
    write_json(
        folder / "run.json", {**record, "hypotheses_sha256": hashlib.sha256(text.encode()).hexdigest()}
    )
    for name in ("journal.jsonl", "failure.json"):
        (folder / name).unlink(missing_ok=True)


def write_failure(folder: Path, error: str) -> None:
    write_json(folder / "failure.json", {"error": error})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal."""

    hypothesis: Hypothesis
    attempt: str
    """Names the process that translated it."""
    seconds: float
    """Since the entry before it, or since the attempt began: over a run they add up to its time."""


class Journal:
    """Keeps finished hypotheses while a run is made: what `add` was given survives a killed process, but for the last
    moments, and so does all of it when the block is left.

    A save is appended and synced. Since one costs milliseconds, the next waits until `_SAVE_SHARE` of the time is kept.
    """

    _SAVE_SHARE = 0.01

    def __init__(self, folder: Path, attempt: str) -> None:
        self.path = folder / "journal.jsonl"
        self.attempt = attempt

    def __enter__(self) -> Journal:
        with _disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b", buffering=0)
            _mend(self._file)
        self._unsaved: list[Hypothesis] = []
        self._saved = self._last = time.monotonic()
        self._cost = 0.0
        return self

    def add(self, hypotheses: Iterable[Hypothesis]) -> None:
        """Those of one call are kept together or not at all."""
        self._unsaved += hypotheses
        if time.monotonic() - self._saved >= self._cost / self._SAVE_SHARE:
            self._save()

    def __exit__(self, *_: object) -> None:
        try:
            self._save()
        finally:
            self._file.close()

    def _save(self) -> None:
        if not self._unsaved:
            return
        began = time.monotonic()
        seconds = (began - self._last) / len(self._unsaved)
        entries = (
            {"attempt": self.attempt, "seconds": round(seconds, 6), **asdict(h)} for h in self._unsaved
        )
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        with _disk(self.path):
            whole = self._file.tell()
            try:
                left = memoryview(lines.encode())
                while left:
                    left = left[self._file.write(left) :]
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(whole)  # nothing may be appended to half a line
                raise
        self._unsaved, self._last, self._saved = [], began, time.monotonic()
        self._cost = self._saved - began


def _mend(file: Any) -> None:
    """Cut a torn last line, left by a process that was killed while it wrote, before anything is appended to it."""
    file.seek(0)
    content = file.read()
    if content and not content.endswith(b"\n"):
        file.truncate(content.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def finished(folder: Path) -> list[Hypothesis]:
    """All that was ever translated into `folder` and is kept there, the last for each key last."""
    whole: list[Hypothesis] = []
    with suppress(FileNotFoundError):
        whole = read_hypotheses(folder / "hypotheses.jsonl")
    return [*whole, *(entry.hypothesis for entry in read_journal(folder))]


def read_journal(folder: Path) -> list[Entry]:
    """What was translated since the run in `folder` was last whole; a torn last line is passed over."""
    with suppress(FileNotFoundError):
        return list(_read_lines(folder / "journal.jsonl", torn=True))
    return []


def read_hypotheses(path: Path) -> list[Hypothesis]:
    return [entry.hypothesis for entry in _read_lines(path)]


def _read_lines(path: Path, torn: bool = False) -> Iterator[Entry]:
    """The hypotheses of a file; those of a whole run know no attempt. `torn`: a last line without its end is passed over
    instead of refused."""
    lines = path.read_bytes().split(b"\n")
    if lines.pop() and not torn:
        raise BenchError(
            f"{path} ends in the middle of a line: restore the file or delete its folder and run again."
        )
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            attempt, seconds = record.pop("attempt", ""), record.pop("seconds", 0.0)
            yield Entry(Hypothesis(**{**record, "flags": tuple(record["flags"])}), attempt, seconds)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BenchError(
                f"{path}, line {number} is not a hypothesis: restore the file or delete its folder and run again."
            ) from None


def write_score(run: Run, metric: str, scorer: str, score: Score) -> None:
    """`scorer`: hash of what computed it, so that a changed setting or library version is computed anew."""
    record = {"scorer": scorer, **_scored(run), **asdict(score)}
    write_json(run.folder / "scores" / f"{metric}.json", record)


def read_score(run: Run, metric: str, scorer: str | None = None) -> Score | None:
    """The score of just these hypotheses against just this version of the set (and by this scorer), or None."""
    path = run.folder / "scores" / f"{metric}.json"
    if not path.is_file():
        return None
    record = _read_json(path)
    if record["scorer"] != (scorer or record["scorer"]) or any(
        record[k] != v for k, v in _scored(run).items()
    ):
        return None
    fields = {name: record[name] for name in Score.__dataclass_fields__ if name in record}
    interval = tuple(fields.pop("interval") or ()) or None
    for name in ("segments", "statistics", "remarks"):
        fields[name] = tuple(tuple(v) if isinstance(v, list) else v for v in fields.get(name, ()))
    spans = tuple(tuple(Span(**span) for span in segment) for segment in fields.pop("spans", ()))
    return Score(**{**fields, "interval": interval, "spans": spans})


def _scored(run: Run) -> dict[str, str]:
    return {
        "hypotheses_sha256": run.record["hypotheses_sha256"],
        "reference_sha256": run.record["reference"]["sha256"],
    }


def leaderboard_path(store: Path, reference: str, suffix: str) -> Path:
    return store / reference / f"leaderboard.{suffix}"


def directions(store: Path, reference: str) -> list[Direction]:
    """The directions that have anything in the store."""
    return [direction for direction in DIRECTIONS if (store / reference / direction).is_dir()]


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    write(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Whole or not at all: written beside under a temporary name, synced, renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _disk(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """The errors of a disk, as sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"The disk that holds {path} is full: free some space and run again; finished translations are kept."
            ) from None
        raise BenchError(
            f"Cannot write {path} ({error.strerror}): name a folder that can be written (store= of a run, --out of a command)."
        ) from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BenchError(
            f"{path} is not JSON ({error}): restore the file or delete its folder and run again."
        ) from None
    if not isinstance(record, dict):
        raise BenchError(f"{path} is not a JSON object: restore the file or delete its folder and run again.")
    return record


def _line(hypothesis: Hypothesis) -> str:
    return json.dumps(asdict(hypothesis), ensure_ascii=False) + "\n"
