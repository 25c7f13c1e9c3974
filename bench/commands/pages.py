"""What is published: a store whose boards are kept with it, and the pages that show them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import references, store
from bench.boards import formats
from bench.boards.rows import Board, build_board
from bench.core import ReferenceSet
from bench.errors import BenchError

_MOST = 6  # rows of a table that are shown where the whole one is a click away
_BETWEEN = re.compile(r"(<!-- board[^>]*-->\n)(.*?)(<!-- /board -->)", re.DOTALL)


def sets(root: Path) -> list[str]:
    """The ids of the reference sets that have boards there."""
    return sorted(path.parent.name for path in root.glob("*/boards.json"))


def reference_of(id: str) -> ReferenceSet:
    """The set whose runs lie in a folder of that name. Raises BenchError where it cannot be had by its id."""
    name, _, granularity = id.partition(".")
    return references.load(name, granularity or "sentence")


def columns(root: Path, id: str) -> tuple[list[str], str]:
    """The metrics of a set's boards, and the one that they are sorted by. Raises BenchError where there are no boards."""
    path = store.leaderboard_path(root, id, "json")
    try:
        first = next(iter(json.loads(path.read_text("utf-8"))["directions"].values()))
        return list(first["rows"][0]["scores"]), str(first["sorted_by"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration):
        raise BenchError(f"{path} is not a leaderboard: make it by `bench run store={root}`.") from None


def boards(root: Path, reference: ReferenceSet, metrics: Sequence[str], primary: str) -> list[Board]:
    """Of all directions, from what the store holds."""
    there = store.directions(root, reference.id)
    return [build_board(root, reference, d, metrics, primary) for d in there]


def pages(root: Path, shown: Sequence[Sequence[Board]]) -> Iterator[tuple[Path, str]]:
    """Pages that show boards between `<!-- board … -->` and `<!-- /board -->`, as they should be: README.md of the store with
    the whole tables, and README.md beside the store with the first rows. `shown`: the boards of each set."""
    for page, where, most in (
        (root / "README.md", "", 0),
        (root.parent / "README.md", f"{root.name}/", _MOST),
    ):
        if not page.is_file() or not _BETWEEN.search(text := page.read_text("utf-8")):
            continue
        lines: list[str] = []
        for of_set in shown:
            at = f"{where}{of_set[0].reference.id}/"
            lines += formats.head(of_set, at, most) if most else formats.whole(of_set, at)
        made = "\n".join(lines).rstrip("\n") + "\n"
        yield page, _BETWEEN.sub(lambda found, made=made: found[1] + made + found[3], text)  # type: ignore[misc]
