"""How a published file differs from the same file generated again: one sentence, or "" if it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from itertools import zip_longest
from math import isclose
from pathlib import Path
from typing import Any

from bench import limits
from bench.errors import BenchError
from bench.files import decode_object, most_values, read_bytes
from bench.scoring.compare.stage import read_comparisons

_SHOWN_CHARACTERS = 100
_MOST_TIMES = 4  # a published file that is larger by this factor is not read to its end
_DECIMAL = re.compile(rb"((?<!\d)\d+\.\d+(?:e-?\d+)?)")
_RELATIVE_TOLERANCE = 1e-9  # the last digits of sums depend on the CPU


def file_difference(published: Path, regenerated: Path, older_format: bool, inside: Path) -> str:
    """Two files of the same name in a set's folder. `older_format`: compare only what every format says.
    `inside`: the folder that the published one may not lead out of."""
    if not regenerated.is_file():
        return "belongs to no run and to no board"
    new = read_bytes(regenerated, limits.TABLE_BYTES)
    try:
        old = read_bytes(published, _MOST_TIMES * len(new) + limits.MIB, inside=inside)
    except FileNotFoundError:
        return "is missing"
    except BenchError as error:
        return str(error)
    if _nearly_equal_bytes(old, new):
        return ""

    def objects() -> tuple[dict[str, Any], dict[str, Any]]:
        most = limits.FILE_VALUES + most_values(new)
        return decode_object(old, published, most), decode_object(new, regenerated, most)

    try:
        if older_format and published.name != "leaderboard.json":
            return ""  # it holds ranks and intervals of another kind
        if published.parent.name == "comparisons":
            return _comparisons_difference(*objects(), published.stem)
        if published.name == "leaderboard.json":
            return _leaderboard_difference(*objects())
        return line_difference(old.decode("utf-8"), new.decode("utf-8"))
    except (ValueError, RecursionError, BenchError):
        return "is not the file that these runs give"


def line_difference(old: str, new: str) -> str:
    """The first line that differs."""
    for number, (a, b) in enumerate(zip_longest(old.split("\n"), new.split("\n"), fillvalue=""), 1):
        if a != b:
            common = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
            start = max(0, common - _SHOWN_CHARACTERS // 2)
            excerpt_a, excerpt_b = (ascii(text[start : start + _SHOWN_CHARACTERS]) for text in (a, b))
            return f"line {number} is {excerpt_a} and should be {excerpt_b}"
    return ""


def _nearly_equal_bytes(a: bytes, b: bytes) -> bool:
    """Equal except for the last digits of decimal numbers."""
    if a == b:
        return True
    parts_a, parts_b = _DECIMAL.split(a), _DECIMAL.split(b)
    return (
        len(parts_a) == len(parts_b)
        and parts_a[::2] == parts_b[::2]
        and all(nearly_equal(float(x), float(y)) for x, y in zip(parts_a[1::2], parts_b[1::2], strict=True))
    )


def _comparisons_difference(old: Mapping[str, Any], new: Mapping[str, Any], metric: str) -> str:
    """The hash of the settings is not compared: an explicit default and no value are equivalent."""
    if nearly_equal(asdict(read_comparisons(old, metric)), asdict(read_comparisons(new, metric))):
        return ""
    return "these tests do not follow from the scores"


def _leaderboard_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Names the first row that differs. Of an older format only what its runs say and the scores are compared:
    ranks, tests and intervals were computed in another way."""
    older = old.get("format") != new["format"]
    try:
        old_rows, new_rows = _rows(old), _rows(new)
        for folder in {**old_rows, **new_rows}:
            a, b = old_rows.get(folder), new_rows.get(folder)
            if older:
                a, b = _lasting(a), _lasting(b)
            if not nearly_equal(a, b, subset=older):
                return f"the row {str(folder)[:_SHOWN_CHARACTERS]} does not follow from its run"
        if older and nearly_equal(old["reference"], new["reference"], subset=True):
            return ""
    except (KeyError, TypeError, AttributeError):
        pass
    return "does not follow from the runs"


def _rows(leaderboard: Mapping[str, Any]) -> dict[str, Any]:
    return {row["folder"]: row for board in leaderboard["directions"].values() for row in board["rows"]}


def _lasting(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a row says in every format."""
    if row is None:
        return {}
    values = {
        metric: {name: score[name] for name in ("metric", "value")} if score else None
        for metric, score in row["scores"].items()
    }
    return {key: value for key, value in row.items() if key not in ("ranks", "scores")} | {"scores": values}


def nearly_equal(a: Any, b: Any, tolerance: float = 0.0, subset: bool = False) -> bool:
    """Equal except for the last digits of decimal numbers.

    `tolerance`: absolute, in addition to a relative one of 1e-9. `subset`: objects of `b` may have more keys.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        same_keys = a.keys() <= b.keys() if subset else a.keys() == b.keys()
        return same_keys and all(nearly_equal(a[key], b[key], tolerance, subset) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(
            nearly_equal(x, y, tolerance, subset) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, float) and isinstance(b, float):
        return isclose(a, b, rel_tol=_RELATIVE_TOLERANCE, abs_tol=tolerance)
    return bool(a == b)
