"""Two systems of a store side by side: which metrics part them, how their settings differ, and which segments show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from bench import store
from bench.compare import Comparison, compare
from bench.compare.stage import stored
from bench.core import BenchError, Direction, ReferenceSet, Score, sides


@dataclass(frozen=True, slots=True)
class Line:
    """Two systems by one metric."""

    metric: str
    a: Score | None
    b: Score | None
    tested: Comparison | None
    """None where one has no score; its `difference` is the better system's minus the other's."""
    of: int
    """How many pairs p_holm is corrected for; 1 where this pair was not compared before."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One segment, as the two systems translated it."""

    id: str
    source: str
    reference: str
    a: str
    b: str
    scores: tuple[float, float]
    flags: tuple[Sequence[str], Sequence[str]]
    gain: float
    """Of b over a, in the metric's points; positive where b is better."""


def pairs(
    root: Path, id: str, directions: Sequence[Direction], one: str, other: str
) -> dict[Direction, tuple[store.Run, store.Run]]:
    """The runs that are meant, in each of the directions that has both. Raises BenchError where a name fits none or several."""
    found: dict[Direction, tuple[store.Run, store.Run]] = {}
    why = ""
    for direction in directions:
        runs = store.runs(root, id, direction)
        try:
            found[direction] = _meant(runs, one, direction), _meant(runs, other, direction)
        except BenchError as error:
            why = why or str(error)
    if not found:
        raise BenchError(why)
    return found


def _meant(runs: Sequence[store.Run], name: str, direction: Direction) -> store.Run:
    """By its folder, its label, its system's name, or the beginning of one of them."""
    label = Path(name).name
    for fits in (
        [run for run in runs if run.label == label],
        [run for run in runs if run.system == name],
        [run for run in runs if run.label.startswith(label)],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            several = ", ".join(run.label for run in fits)
            raise BenchError(f"{name!r} may be one of several runs ({direction}): say which, {several}.")
    known = ", ".join(run.label for run in runs) or "none"
    raise BenchError(f"No run is called {name!r} ({direction}): use one of {known}.")


def lines(
    root: Path,
    reference: ReferenceSet,
    direction: Direction,
    a: store.Run,
    b: store.Run,
    metrics: Sequence[str],
) -> list[Line]:
    """By each metric that has scored one of the two. The test is the one that the boards rest on, where these two are in it."""
    boards, found = stored(root, reference, direction, metrics), []
    for metric in metrics:
        scores = {run.label: store.read_score(run, metric) for run in (a, b)}
        if not any(scores.values()):
            continue
        tests = boards.get(metric)
        pair = next((p for p in tests.pairs if {p.a, p.b} == set(scores)), None) if tests else None
        of = len(tests.pairs) if tests and pair else 1
        if pair is None and all(scores.values()) and len(scores) == 2:
            pair = next(iter(compare(scores).pairs), None)
        found.append(Line(metric, scores[a.label], scores[b.label], pair, of))
    return found


def settings(a: store.Run, b: store.Run) -> Iterator[tuple[str, str, str]]:
    """What is not the same in the two systems: (key, a's value, b's value), "–" where there is none."""
    one, other = ({**_flat(run.record["adapter"]), **_flat(run.record["system"])} for run in (a, b))
    for key in {**one, **other}:
        values = [str(each.get(key, "–")) for each in (one, other)]
        if values[0] != values[1] and key != "name":
            yield key, values[0], values[1]


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def segments(
    reference: ReferenceSet, direction: Direction, a: store.Run, b: store.Run, metric: str
) -> list[Shown]:
    """All segments by how much b gains on a, the most first. Raises BenchError where the metric has no score of a segment."""
    source, target = sides(direction)
    scores = [store.read_score(run, metric) for run in (a, b)]
    one, other = scores
    if not one or not other or not len(one.segments) == len(other.segments) == len(reference.segments):
        raise BenchError(f"{metric} has not scored every segment of both: name another by --metric.")
    better = 1 if one.higher_is_better else -1
    hypotheses = [{h.id: h for h in run.hypotheses()} for run in (a, b)]
    found = [
        Shown(
            segment.id,
            segment.text(source),
            segment.text(target),
            hypotheses[0][segment.id].text,
            hypotheses[1][segment.id].text,
            (x, y),
            (hypotheses[0][segment.id].flags, hypotheses[1][segment.id].flags),
            better * (y - x),
        )
        for segment, x, y in zip(reference.segments, one.segments, other.segments, strict=True)
    ]
    return sorted(found, key=lambda shown: -shown.gain)


_TOKEN = re.compile(r"[㐀-鿿]|[^\W㐀-鿿]+|\s+|.", re.DOTALL)


def marked(text: str, other: str) -> list[tuple[str, bool]]:
    """`text` in pieces, each with whether `other` lacks it: Chinese by character, else by word."""
    a, b = _TOKEN.findall(text), _TOKEN.findall(other)
    return [
        ("".join(a[start:end]), kind != "equal")
        for kind, start, end, _, _ in SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        if end > start
    ]
