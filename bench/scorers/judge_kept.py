"""Answers of judges, on disk as soon as they arrive: none is paid for twice, also after kill -9.

One database for each model and its settings, in the user's cache, where every store and set finds it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.errors import BenchError
from bench.files import disk_errors

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to one request."""

    text: str
    tokens_in: int
    tokens_out: int
    problem: str = ""
    """Why the text is not a whole answer; "" if it is one."""


class KeptAnswers:
    """Safe for several processes at once. It uses rollback journals, which also work on network disks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The known answers: key -> answer. Raises BenchError if the file is damaged."""
        remaining = iter(keys)

        def select(database: sqlite3.Connection) -> dict[str, Answer]:
            answers = {}
            while chunk := list(islice(remaining, 500)):
                marks = ",".join("?" * len(chunk))
                rows = database.execute(f"SELECT key, value FROM answers WHERE key IN ({marks})", chunk)
                answers.update({key: msgspec.json.decode(value, type=Answer) for key, value in rows})
            return answers

        return self._run(select)

    def keep(self, key: str, answer: Answer) -> None:
        """Returns when the answer is on disk."""

        def insert(database: sqlite3.Connection) -> None:
            with database:  # one transaction, synced
                row = (key, msgspec.json.encode(asdict(answer)))
                database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", row)

        self._run(insert)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with disk_errors(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                database.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value BLOB)")
                return work(database)
        except sqlite3.OperationalError as error:  # no permission, a full disk, or locked for a minute
            raise BenchError(
                f"{self.path} cannot be used ({error}): make room and give write access, or set BITEXT_BENCH_CACHE "
                "to another folder."
            ) from None
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
            raise BenchError(
                f"{self.path} is damaged ({error}): move it away and run again; its answers are then asked again."
            ) from None
