"""The only module that knows the paths and file formats under runs/ and results/.

<store>/<reference set>/<direction>/<system>-<identity>/
    hypotheses.jsonl    one Hypothesis a line, in the order of the reference set
    run.json            everything needed to repeat the run; its presence means the run is whole
    journal-<attempt>.jsonl  while translating: finished hypotheses with the attempt that made them and its seconds since the
                        one before, appended as they come; gone when the run is whole
    failure.json        why there is no whole run: the last attempt has begun, or why it ended; failure-3-of-8.json is of a
                        shard; gone when the run is whole
    lock                held by who makes the run, lock-3-of-8 by who makes that shard (bench.translation.lock)
    scores/<metric>.json
<store>/<reference set>/<direction>/failure-<metric>.json   why scoring on another machine did not end; gone when it has
<store>/<reference set>/<direction>/comparisons/<metric>.json
                        every two systems by a metric (bench.scoring.compare), and a hash of the scores that it was made of
<store>/<reference set>/leaderboard.{md,csv,json}
<store>/<reference set>/site/                           (bench.boards.site)
<store>/.sweeps/        what launchers keep: logs of jobs that ran on other machines (bench.launching.launch)

The folder's name holds the identity of the system, so that one setting never overwrites another. Every whole file is
written under a temporary name and renamed, so that a reader never sees half of one.

Every file has one writer at a time, also where many machines share the disk: an attempt appends to a journal of its own, and
all journals of a folder together, matched by key, are what is finished. Shards and processes that were killed need no more
than that. A run becomes whole under its lock. Should a disk keep no lock, work is done twice, and nothing is mixed:
run.json holds the hash of its hypotheses.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.core import Hypothesis, Score, Span
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=-]*")


@dataclass(frozen=True, slots=True)
class Run:
    """One system x one direction x one reference set, as it stands in the store."""

    folder: Path
    record: Mapping[str, Any]
    """run.json as it was read; bench.translation.driver writes and documents it."""

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
    """System label -> why there is no whole run; the reasons of several shards one after the other."""
    reasons: dict[str, list[str]] = {}
    for path in sorted((store / reference / direction).glob("*/failure*.json")):
        with suppress(FileNotFoundError):  # it may go at any moment, since its run may become whole
            reasons.setdefault(path.parent.name, []).append(str(_read_json(path)["error"]))
    return {label: "; ".join(dict.fromkeys(said)) for label, said in reasons.items()}


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
    for path in [*folder.glob("journal*.jsonl"), *folder.glob("failure*.json")]:
        path.unlink(missing_ok=True)


def write_failure(folder: Path, error: str, of: str = "") -> None:
    """Why there is no whole run in `folder`. `of`: the shard ("3-of-8") or, in the folder of a direction, the metric."""
    write_json(_failure(folder, of), {"error": error})


def read_failure(folder: Path, of: str = "") -> str:
    """What `write_failure` was told; empty where nothing failed."""
    with suppress(FileNotFoundError):
        return str(_read_json(_failure(folder, of))["error"])
    return ""


def begun(here: str) -> str:
    """What stands for a failure while an attempt goes on; and after it, where it could not even say why it ended."""
    return f"begun {here}: still at it, or ended without a word"


def clear_failure(folder: Path, of: str = "") -> None:
    _failure(folder, of).unlink(missing_ok=True)


def _failure(folder: Path, of: str) -> Path:
    return folder / (f"failure-{of}.json" if of else "failure.json")


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
    `attempt` names the process, and no other ever: the file is its own.
    """

    _SAVE_SHARE = 0.01

    def __init__(self, folder: Path, attempt: str) -> None:
        self.path = folder / f"journal-{attempt}.jsonl"
        self.attempt = attempt

    def __enter__(self) -> Journal:
        with _disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb", buffering=0)
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


def finished(folder: Path) -> list[Hypothesis]:
    """All that was ever translated into `folder` and is kept there, the last for each key last."""
    whole: list[Hypothesis] = []
    with suppress(FileNotFoundError):
        whole = read_hypotheses(folder / "hypotheses.jsonl")
    return [*whole, *(entry.hypothesis for entry in read_journal(folder))]


def read_journal(folder: Path) -> list[Entry]:
    """What was translated since the run in `folder` was last whole, attempt by attempt; a torn last line is passed over."""
    entries: list[Entry] = []
    for path in sorted(folder.glob("journal*.jsonl")):
        with suppress(FileNotFoundError):  # the run has become whole
            entries += _read_lines(path, torn=True)
    return entries


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


def write_comparisons(
    store: Path, reference: str, direction: Direction, metric: str, record: Mapping[str, Any]
) -> None:
    write_json(store / reference / direction / "comparisons" / f"{metric}.json", record)


def read_comparisons(store: Path, reference: str, direction: Direction, metric: str) -> dict[str, Any] | None:
    path = store / reference / direction / "comparisons" / f"{metric}.json"
    return _read_json(path) if path.is_file() else None


def leaderboard_path(store: Path, reference: str, suffix: str) -> Path:
    return store / reference / f"leaderboard.{suffix}"


def direction_folder(store: Path, reference: str, direction: Direction) -> Path:
    return store / reference / direction


def sweeps_folder(store: Path) -> Path:
    """Hydra's, and logs of jobs that ran elsewhere."""
    return store / ".sweeps"


def site_folder(store: Path, reference: str) -> Path:
    return store / reference / "site"


def directions(store: Path, reference: str) -> list[Direction]:
    """The directions that have anything in the store."""
    return [direction for direction in DIRECTIONS if (store / reference / direction).is_dir()]


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    write(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Whole or not at all: written beside under a temporary name, synced, renamed."""
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
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
