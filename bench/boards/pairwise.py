"""Two systems of a store side by side: which metrics part them, how their settings differ, and which segments show it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from math import isclose
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

from bench import store
from bench.core import Hypothesis, ReferenceSet, Score
from bench.errors import BenchError
from bench.languages import HAN, Direction, sides
from bench.scoring.compare import Comparison, Comparisons, compare
from bench.scoring.compare.stage import stored
from bench.translation.driver import is_current

_LISTED = 12  # names that a sentence lists


@dataclass(frozen=True, slots=True)
class Line:
    """Two systems by one metric."""

    metric: str
    a: Score | None
    b: Score | None
    interval: tuple[float, float] | None = None
    """95 % of b's score minus a's."""
    tested: Comparison | None = None
    """None where one has no score, or nothing can be tested."""
    tests: Comparisons | None = None
    """What `tested` is one pair of, and is corrected for."""

    @property
    def known(self) -> Score:
        """One of the two, for what both have in common."""
        score = self.a or self.b
        assert score, "a line is of a metric that has scored one of the two"
        return score

    @property
    def better(self) -> Literal["A", "B"] | None:
        """By its score, whatever the test says; None where they are even, or one has none."""
        if not self.a or not self.b or self.a.value == self.b.value:
            return None
        return "B" if (self.b.value > self.a.value) == self.b.higher_is_better else "A"


@dataclass(frozen=True, slots=True)
class Shown:
    """One segment, as the two systems translated it."""

    id: str
    source: str
    reference: str
    a: Hypothesis
    b: Hypothesis
    scores: tuple[float, float]
    remarks: tuple[tuple[str, ...], tuple[str, ...]]
    """Flags of each, and what the scorer says of its score ("cut")."""
    gain: float
    """Of b over a, in the metric's points; positive where b is better."""


def pairs(
    root: Path, reference: ReferenceSet, directions: Sequence[Direction], one: str, other: str
) -> dict[Direction, tuple[store.Run, store.Run]]:
    """The runs that are meant, in each of the directions that has both. Raises BenchError where a name may be one of several
    runs, where no direction has both, and where both are one run."""
    runs = {
        direction: [run for run in store.runs(root, reference.id, direction) if is_current(run, reference)]
        for direction in directions
    }
    meant = {name: {d: _meant(of, name, d) for d, of in runs.items()} for name in (one, other)}
    for name, found in meant.items():
        if not any(found.values()):
            systems = _listed(sorted({run.system for of in runs.values() for run in of})) or "none"
            raise BenchError(
                f"No run of {root} on this version of {reference.id} is called {name!r} ({', '.join(directions)}): "
                f"use one of {systems}, or name another store by --store."
            )
    both = {d: (a, b) for d in directions if (a := meant[one][d]) and (b := meant[other][d])}
    if not both:
        raise BenchError(f"{one!r} and {other!r} have no direction in common: name two runs of one.")
    for a, b in both.values():
        if a.label == b.label:
            raise BenchError(f"{one!r} and {other!r} are one run, {a.label}: name two.")
        a.check()
        b.check()
    return both


def _meant(runs: Sequence[store.Run], name: str, direction: Direction) -> store.Run | None:
    """By its folder, its label, its system's name, or the beginning of the last two; None where there is none."""
    folder = Path(name).resolve() if "/" in name else None
    for fits in (
        [run for run in runs if name == run.label or folder == run.folder.resolve()],
        [run for run in runs if name == run.system],
        [run for run in runs if run.label.startswith(name)],
    ):
        if len(fits) > 1:
            several = _listed([run.label for run in fits])
            raise BenchError(f"{name!r} may be one of several runs ({direction}): say which, {several}.")
        if fits:
            return fits[0]
    return None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def lines(
    root: Path,
    reference: ReferenceSet,
    direction: Direction,
    a: store.Run,
    b: store.Run,
    metrics: Sequence[str],
) -> list[Line]:
    """By each metric that has scored one of the two. The test is the one that the board rests on, where it is of these very
    scores; else one of these two alone."""
    board, found = stored(root, reference, direction, metrics), []
    for metric in metrics:
        one, other = (store.read_score(run, metric) for run in (a, b))
        if one and other:
            tests = board.get(metric)
            pair = _pair(tests, a, b)
            if not pair or not isclose(abs(pair.difference), abs(one.value - other.value), abs_tol=1e-9):
                tests = compare({a.label: one, b.label: other})
                pair = _pair(tests, a, b)
            interval = pair.interval if pair else None
            if pair and interval and pair.a == a.label:
                interval = -interval[1], -interval[0]
            found.append(Line(metric, one, other, interval, pair, tests))
        elif one or other:
            found.append(Line(metric, one, other))
    return found


def _pair(tests: Comparisons | None, a: store.Run, b: store.Run) -> Comparison | None:
    tested = tests.pairs if tests else ()
    return next((pair for pair in tested if {pair.a, pair.b} == {a.label, b.label}), None)


def settings(a: store.Run, b: store.Run) -> list[tuple[str, str, str]]:
    """What is not the same in the two systems: (key, a's value, b's value), "–" where there is none. How the checkpoint was named,
    what the outputs depend on, and what the systems say of themselves."""
    one, other = (
        {**_named(run), **_flat(run.record["adapter"]), **_flat(run.record["system"])} for run in (a, b)
    )
    values = {key: (one.get(key, "–"), other.get(key, "–")) for key in {**one, **other} if key != "name"}
    return [(key, x, y) for key, (x, y) in values.items() if x != y]


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            plain = isinstance(value, str) and value
            flat[before + key] = value if plain else json.dumps(value, ensure_ascii=False)
    return flat


def _named(run: store.Run) -> dict[str, str]:
    """The file, folder or model that was asked for: an identity holds only a hash of what was in it."""
    checkpoint = run.record.get("config", {}).get("checkpoint")
    named = checkpoint.get("file") or checkpoint.get("hub") if isinstance(checkpoint, dict) else checkpoint
    return {"checkpoint's name": str(named)} if named else {}


def segments(
    reference: ReferenceSet, direction: Direction, a: store.Run, b: store.Run, line: Line
) -> list[Shown]:
    """All segments by how much b gains on a, the most first. `line`: of a metric that has scored both."""
    assert line.a
    assert line.b
    source, target = sides(direction)
    better, decimals = 1 if line.a.higher_is_better else -1, line.a.decimals
    said = [{hypothesis.id: hypothesis for hypothesis in run.hypotheses()} for run in (a, b)]
    scored = zip(reference.segments, line.a.segments, line.b.segments, strict=True)
    found = []
    for place, (segment, x, y) in enumerate(scored):
        one, other = (of[segment.id] for of in said)
        remarks = _remarks(one, line.a, place), _remarks(other, line.b, place)
        gain = round(better * (y - x), decimals + 2)  # as the site counts
        texts = segment.text(source), segment.text(target)
        found.append(Shown(segment.id, *texts, one, other, (x, y), remarks, gain))
    return sorted(found, key=lambda shown: -shown.gain)


def _remarks(hypothesis: Hypothesis, score: Score, place: int) -> tuple[str, ...]:
    of_score = [remark for at, remark in score.remarks if at == place]
    return tuple(dict.fromkeys([*hypothesis.flags, *of_score]))


_TOKEN = re.compile(rf"{HAN.pattern}|(?:(?!{HAN.pattern})\w)+|\s+|.", re.DOTALL)


def marked(text: str, other: str) -> list[tuple[str, bool]]:
    """`text` in pieces, each with whether `other` lacks it: Chinese by character, else by word; a space where it lacks what is
    on both sides."""
    a, b = _TOKEN.findall(text), _TOKEN.findall(other)
    lacks = [True] * len(a)
    for start, _, size in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        lacks[start : start + size] = [False] * size
    for place, token in enumerate(a):
        if token.isspace():
            lacks[place] = 0 < place < len(a) - 1 and lacks[place - 1] and lacks[place + 1]
    groups = groupby(zip(a, lacks, strict=True), key=lambda pair: pair[1])
    return [("".join(token for token, _ in group), only) for only, group in groups]


def cut(a: str, b: str, longest: int) -> tuple[str, str]:
    """Both shortened to `longest` characters, from a little before where they part."""
    same = next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))  # noqa: B905  # the rest is apart
    begin = max(0, same - longest // 4) if max(len(a), len(b)) > longest else 0

    def part(text: str) -> str:
        end = begin + longest
        return "…" * (begin > 0) + text[begin:end] + "…" * (end < len(text))

    return part(a), part(b)


def link(
    root: Path, reference: ReferenceSet, direction: Direction, a: store.Run, b: store.Run, metric: str | None
) -> str | None:
    """The address of the two in the site; None where the site does not have both. `metric`: by which they are shown, where that
    is not what boards are sorted by."""
    page = store.site_folder(root, reference.id) / "index.html"
    board = json.loads(store.leaderboard_path(root, reference.id, "json").read_text("utf-8"))
    rows = board["directions"].get(direction, {"rows": []})["rows"]
    names = {PurePosixPath(row["folder"]).name: row["name"] for row in rows}
    if not page.is_file() or not {a.label, b.label} <= set(names):
        return None
    parts = (quote(part, safe="") for part in (direction, "compare", names[a.label], names[b.label]))
    query = f"?metric={quote(metric, safe='')}" if metric else ""
    return f"{page.resolve().as_uri()}#/{'/'.join(parts)}{query}"
