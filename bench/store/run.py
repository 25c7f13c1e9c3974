"""One run on disk: its record and its hypotheses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench import answers, limits
from bench.core import Hypothesis, Task
from bench.errors import BenchError
from bench.files import RESTORE, decode_object, disk_errors, read_bytes, write_json, write_text
from bench.records import RunRecord, run_record
from bench.store.journal import HYPOTHESES, decode_entries, hypotheses_text

T = TypeVar("T")


class RunDeleted(BenchError):
    """A run was deleted while it was read."""


def retried(work: Callable[[], T]) -> T:
    """The result of `work`, which is done once more if a run was deleted meanwhile."""
    try:
        return work()
    except RunDeleted:
        return work()


@dataclass(frozen=True)
class Run:
    """One system in one direction on one reference set, complete on disk."""

    folder: Path
    record: RunRecord
    document: Mapping[str, Any]
    """run.json as it was read, with fields that the record does not know."""
    _hypotheses: dict[tuple[int, int, int], tuple[Hypothesis, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def system(self) -> str:
        return self.record.system.name

    @property
    def label(self) -> str:
        """Unique in a direction of a set: the system's name and the beginning of its identity."""
        return self.folder.name

    def is_current(self, task: Task) -> bool:
        """Whether the run was made from this version of the set, in this direction."""
        made_from = self.record.reference
        return (made_from.id, made_from.sha256, self.record.direction) == (
            task.reference.id,
            task.reference.sha256,
            task.direction,
        )

    def is_finished(self, task: Task) -> bool:
        """Whether the run is current, no segment of it failed with an error that the next run would retry, and
        its answers were evaluated by this version of bench.answers."""
        return self.is_current(task) and not self.record.flags.get("error") and self.is_evaluated

    @property
    def is_evaluated(self) -> bool:
        """Whether texts and flags were made from the answers by this version of bench.answers."""
        return self.record.answers.version == answers.VERSION

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """All hypotheses, in the order of the file. They are read and verified once, until the file changes.

        Raises BenchError if hypotheses.jsonl is not the file that run.json was written for.
        """
        path = self.folder / HYPOTHESES
        with suppress(OSError):  # a missing file is reported below
            state = path.stat()
            version = (state.st_mtime_ns, state.st_size, state.st_ino)
            if version in self._hypotheses:
                return self._hypotheses[version]
            data = read_bytes(path, limits.TABLE_BYTES, inside=self.folder)
            if hashlib.sha256(data).hexdigest() == self.record.hypotheses_sha256:
                if (count := data.count(b"\n")) != self.record.segments:  # before they take memory
                    counts = f"{count:,} hypotheses and run.json says {self.record.segments:,}"
                    raise BenchError(f"{path} has {counts}: {RESTORE}.")
                hypotheses = tuple(entry.hypothesis for entry in decode_entries(data, path))
                self._hypotheses.clear()
                self._hypotheses[version] = hypotheses
                return hypotheses
        if not self.folder.is_dir():
            raise RunDeleted(f"{self.folder} was deleted meanwhile: run again.")
        raise BenchError(f"{path} was changed after the run: restore it, or delete its folder and run again.")

    def hypotheses_of(self, task: Task) -> tuple[Hypothesis, ...]:
        """The hypotheses in the order of the set, matched by segment id. Raises BenchError if one is missing
        or extra."""
        by_id = {hypothesis.id: hypothesis for hypothesis in self.hypotheses()}
        if sorted(by_id) != sorted(task.ids):
            raise BenchError(
                f"{self.folder} does not hold one hypothesis for each segment of {task.reference.id}: "
                "delete it and run again."
            )
        return tuple(by_id[id] for id in task.ids)


def read_run(folder: Path) -> Run | None:
    """The run in `folder`, or None if it is not complete. Raises BenchError if run.json is damaged."""
    path = folder / "run.json"
    with suppress(FileNotFoundError):  # it may vanish between a test for it and reading it
        return decode_run(read_bytes(path, inside=folder), path)
    return None


def decode_run(data: bytes, path: Path) -> Run:
    """The run whose run.json has this content. Raises BenchError that names the wrong field."""
    document = decode_object(data, path)
    try:
        return Run(path.parent, run_record(document), document)
    except msgspec.ValidationError as error:
        raise BenchError(f"{path} is damaged ({error}): {RESTORE}.") from None


def write_run(folder: Path, hypotheses: Iterable[Hypothesis], document: Mapping[str, Any]) -> None:
    """Complete the run: hypotheses first, run.json last, then remove what belonged to the attempts.

    An earlier run.json is removed first. A process that is killed in between leaves an incomplete run, never
    a record of other hypotheses.
    """
    text = hypotheses_text(hypotheses)
    with disk_errors(folder):
        (folder / "run.json").unlink(missing_ok=True)
    write_text(folder / HYPOTHESES, text)
    hypotheses_sha256 = hashlib.sha256(text.encode()).hexdigest()
    write_json(folder / "run.json", {**document, "hypotheses_sha256": hypotheses_sha256})
    remove_attempts(folder)


def remove_attempts(folder: Path) -> None:
    """Remove what belonged to the attempts at a run that is complete now. The caller holds its lock."""
    with disk_errors(folder):
        for path in [*folder.glob("journal*.jsonl"), *folder.glob("failure*.json")]:
            path.unlink(missing_ok=True)


def has_attempts(folder: Path) -> bool:
    """Whether a process is making the run, or was killed before it had removed what belonged to its attempt."""
    names = ("journal*.jsonl", "failure*.json", "lock")
    return any(path for name in names for path in folder.glob(name))
