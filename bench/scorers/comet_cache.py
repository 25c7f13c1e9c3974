"""What COMET has computed before: sentence vectors by text and predictions by texts, one database per
checkpoint.

The cache only saves time: an entry that cannot be read is computed again, and one that cannot be written is
dropped.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.core import Span, digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

MAX_BYTES = 2**30
"""A larger database loses the older half of its entries."""

Sample = tuple[str, str, str]
"""Source, hypothesis, reference; the reference is "" for a model that does not read it."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """COMET's output for one sample."""

    value: float
    cut: bool
    """True if a text was longer than the encoder reads, so that its end was ignored."""
    device: str
    """The kind of device that computed it: "cpu" or "cuda"."""
    spans: tuple[Span, ...] = ()


class Cache:
    """Safe for many processes at once. It uses rollback journals instead of write-ahead logs, which do not
    work on the network disks that home folders of clusters are on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def predictions(self, samples: Iterable[Sample]) -> dict[Sample, Prediction]:
        """The known predictions for `samples`."""
        keys = {digest(["judgement", *sample]): sample for sample in samples}
        known = {}
        for key, value in self._get(keys).items():
            with suppress(msgspec.DecodeError):  # also raised for a record with other fields
                known[keys[key]] = msgspec.json.decode(value, type=Prediction)
        return known

    def keep_predictions(self, predictions: Mapping[Sample, Prediction]) -> None:
        entries = {
            digest(["judgement", *sample]): json.dumps(asdict(prediction)).encode()
            for sample, prediction in predictions.items()
        }
        self._put(entries)

    def vectors(self, texts: Iterable[str], width: int) -> dict[str, Vector]:
        """The known vectors of `texts`: text -> [width]."""
        import numpy as np

        keys = {digest(["vector", text]): text for text in texts}
        vectors = {keys[key]: value for key, value in self._get(keys).items() if len(value) == 4 * width}
        return {text: np.frombuffer(value, "<f4") for text, value in vectors.items()}

    def keep_vectors(self, vectors: Mapping[str, Vector]) -> None:
        self._put({digest(["vector", text]): vector.tobytes() for text, vector in vectors.items()})

    def _get(self, keys: Iterable[str]) -> dict[str, bytes]:
        entries: dict[str, bytes] = {}
        remaining = iter(keys)

        def select(database: sqlite3.Connection) -> None:
            while chunk := list(islice(remaining, 500)):
                marks = ",".join("?" * len(chunk))
                rows = database.execute(f"SELECT key, value FROM entries WHERE key IN ({marks})", chunk)
                entries.update(rows)

        self._run(select)
        return entries

    def _put(self, entries: Mapping[str, bytes]) -> None:
        def insert(database: sqlite3.Connection) -> None:
            with database:  # one transaction
                database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", entries.items())
                size, pages, free = (
                    database.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_size", "page_count", "freelist_count")
                )
                if size * (pages - free) > MAX_BYTES:
                    middle = "SELECT (min(rowid) + max(rowid)) / 2 FROM entries"
                    database.execute(f"DELETE FROM entries WHERE rowid <= ({middle})")

        self._run(insert)

    def _run(self, work: Callable[[sqlite3.Connection], None]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                database.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB)")
                work(database)
        except (OSError, sqlite3.OperationalError):  # no permission, a full disk, or locked for a minute
            pass
        except sqlite3.DatabaseError:  # not a database, or damaged
            with suppress(OSError):
                self.path.unlink()
