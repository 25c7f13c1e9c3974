"""What COMET has computed before: sentence vectors by text, judgements by texts, one database for each checkpoint.

A cache saves time and nothing else: what cannot be read is computed again, and what cannot be written is forgotten.
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

from bench.core import Span, digest

if TYPE_CHECKING:
    import numpy

MOST_BYTES = 2**30
"""A database that is larger loses the older half of its entries."""

Sample = tuple[str, str, str]
"""Source, hypothesis, reference; the last is empty for a model that reads none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What COMET says of one sample."""

    value: float
    cut: bool
    """A text was longer than the encoder reads, and its end was not judged."""
    device: str
    """The kind that computed it: "cpu", "cuda"."""
    spans: tuple[Span, ...] = ()


class Cache:
    """Safe for many processes at once. Rollback journals, not write-ahead logs: home folders of clusters are network disks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def judgements(self, samples: Iterable[Sample]) -> dict[Sample, Judgement]:
        """Those of `samples` that are known."""
        keys = {digest(["judgement", *sample]): sample for sample in samples}
        found = {}
        for key, value in self._get(keys).items():
            with suppress(ValueError, TypeError, KeyError):
                record = json.loads(value)
                spans = tuple(Span(**span) for span in record.pop("spans"))
                found[keys[key]] = Judgement(**record, spans=spans)
        return found

    def keep_judgements(self, judgements: Mapping[Sample, Judgement]) -> None:
        entries = {
            digest(["judgement", *sample]): json.dumps(asdict(judgement)).encode()
            for sample, judgement in judgements.items()
        }
        self._put(entries)

    def vectors(self, texts: Iterable[str], width: int) -> dict[str, numpy.ndarray]:
        """The known vectors [width], float32, of `texts`."""
        import numpy as np

        keys = {digest(["vector", text]): text for text in texts}
        arrays = {keys[key]: value for key, value in self._get(keys).items() if len(value) == 4 * width}
        return {text: np.frombuffer(value, "<f4") for text, value in arrays.items()}

    def keep_vectors(self, vectors: Mapping[str, numpy.ndarray]) -> None:
        self._put({digest(["vector", text]): vector.tobytes() for text, vector in vectors.items()})

    def _get(self, keys: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        rest = iter(keys)

        def select(database: sqlite3.Connection) -> None:
            while some := list(islice(rest, 500)):
                places = ",".join("?" * len(some))
                found.update(
                    database.execute(f"SELECT key, value FROM entries WHERE key IN ({places})", some)
                )

        self._try(select)
        return found

    def _put(self, entries: Mapping[str, bytes]) -> None:
        def insert(database: sqlite3.Connection) -> None:
            with database:  # one transaction
                database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", entries.items())
                size, pages, free = (
                    database.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_size", "page_count", "freelist_count")
                )
                if size * (pages - free) > MOST_BYTES:
                    middle = "SELECT (min(rowid) + max(rowid)) / 2 FROM entries"
                    database.execute(f"DELETE FROM entries WHERE rowid <= ({middle})")

        self._try(insert)

    def _try(self, work: Callable[[sqlite3.Connection], None]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                database.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB)")
                work(database)
        except (OSError, sqlite3.OperationalError):  # no right to write, a full disk, locked for a minute
            pass
        except sqlite3.DatabaseError:  # no database, or no longer one
            with suppress(OSError):
                self.path.unlink()
