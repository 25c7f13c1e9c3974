"""Finished hypotheses on disk: the journal of an attempt, and hypotheses.jsonl of a complete run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench import limits
from bench.core import Hypothesis
from bench.errors import BenchError
from bench.files import RESTORE, check_lines, disk_errors, read_bytes
from bench.records import Amount

HYPOTHESES = "hypotheses.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    hypothesis: Hypothesis
    attempt: str
    """The process that translated it; "" in the file of a complete run."""
    seconds: float
    """Since the entry before it, or since the attempt began. Over a run the entries add up to its time."""


class Journal:
    """Saves finished hypotheses while a run is made, so that they survive a killed process except for the
    last moments.

    A save is appended and synced. It costs milliseconds, so the next one waits until saving has taken less
    than `_SAVE_SHARE` of the time, unless they are paid for (`at_once`). `attempt` names this process and no other:
    the file has one writer.
    """

    _SAVE_SHARE = 0.01

    def __init__(self, folder: Path, attempt: str, *, at_once: bool = False) -> None:
        self.path = folder / f"journal-{attempt}.jsonl"
        self.attempt = attempt
        self.at_once = at_once

    def __enter__(self) -> Journal:
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb", buffering=0)
        self._unsaved: list[Hypothesis] = []
        self._saved = self._previous = time.monotonic()
        self._cost = 0.0
        return self

    def add(self, hypotheses: Iterable[Hypothesis]) -> None:
        """The hypotheses of one call are saved together or not at all."""
        self._unsaved += hypotheses
        if self.at_once or time.monotonic() - self._saved >= self._cost / self._SAVE_SHARE:
            self._save()

    def __exit__(self, *_: object) -> None:
        try:
            self._save()
        finally:
            self._file.close()

    def _save(self) -> None:
        if not self._unsaved:
            return
        start = time.monotonic()
        seconds = round((start - self._previous) / len(self._unsaved), 6)
        lines = "".join(
            _line({"attempt": self.attempt, "seconds": seconds, **_fields(hypothesis)})
            for hypothesis in self._unsaved
        )
        with disk_errors(self.path):
            complete_size = self._file.tell()
            try:
                rest = memoryview(lines.encode())
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(complete_size)  # never append to half a line
                raise
        self._unsaved, self._previous, self._saved = [], start, time.monotonic()
        self._cost = self._saved - start


def hypotheses_text(hypotheses: Iterable[Hypothesis]) -> str:
    """The content of hypotheses.jsonl."""
    return "".join(_line(_fields(hypothesis)) for hypothesis in hypotheses)


def read_journals(folder: Path) -> list[Entry]:
    """What was translated since the run in `folder` was last complete, attempt by attempt. A torn last line
    is ignored."""
    entries: list[Entry] = []
    for path in sorted(folder.glob("journal*.jsonl")):
        with suppress(FileNotFoundError):  # another process has just completed the run
            data = read_bytes(path, limits.TABLE_BYTES, inside=folder)
            entries += decode_entries(data, path, torn=True)
            if len(entries) > limits.ENTRIES:
                raise BenchError(
                    f"{folder} has journals of more than {limits.ENTRIES:,} hypotheses: delete them and run again."
                )
    return entries


def finished_hypotheses(folder: Path) -> list[Hypothesis]:
    """Everything that was ever translated into `folder` and is kept there; the latest for each key comes
    last."""
    complete: list[Entry] = []
    with suppress(FileNotFoundError):
        data = read_bytes(folder / HYPOTHESES, limits.TABLE_BYTES, inside=folder)
        complete = list(decode_entries(data, folder / HYPOTHESES, most=limits.SEGMENTS))
    return [entry.hypothesis for entry in [*complete, *read_journals(folder)]]


def decode_entries(
    data: bytes, path: Path, torn: bool = False, most: int = limits.ENTRIES
) -> Iterator[Entry]:
    """The lines of a journal or of hypotheses.jsonl, `most` at most. `torn`: ignore a last line that has no end
    instead of refusing it.

    Raises BenchError that names the file and the line.
    """
    check_lines(data, path, most)
    if data and not data.endswith(b"\n") and not torn:
        raise BenchError(f"{path} ends in the middle of a line: {RESTORE}.")
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            tag, hypothesis = _TAG.decode(line), _HYPOTHESIS.decode(line)
            if fault := _fault(hypothesis):
                raise msgspec.ValidationError(fault)
            yield Entry(hypothesis, tag.attempt, tag.seconds)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BenchError(f"{path}, line {number} is not a hypothesis ({error}): {RESTORE}.") from None


def _fault(hypothesis: Hypothesis) -> str:
    """What is wrong with a hypothesis whose fields have the right types; "" if nothing is."""
    for name in ("text", "raw", "error"):
        if len(getattr(hypothesis, name)) > limits.TEXT_CHARACTERS:
            return f"{name} has more than {limits.TEXT_CHARACTERS:,} characters"
    if max(len(hypothesis.id), len(hypothesis.key)) > limits.LINE_CHARACTERS:
        return f"id or key has more than {limits.LINE_CHARACTERS:,} characters"
    for number in (hypothesis.tokens_in, hypothesis.tokens_out, hypothesis.characters):
        if not 0 <= number <= limits.LARGEST:
            return f"a number of tokens or characters is not from 0 to {limits.LARGEST:,}"
    return ""


class _Tag(msgspec.Struct):
    attempt: str = ""
    seconds: Amount = 0.0


_TAG = msgspec.json.Decoder(_Tag)
_HYPOTHESIS = msgspec.json.Decoder(Hypothesis)


def _fields(hypothesis: Hypothesis) -> dict[str, Any]:
    fields = asdict(hypothesis)
    if not hypothesis.characters:  # as in files of older versions
        del fields["characters"]
    return fields


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
