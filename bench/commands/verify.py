"""`bench verify`: everything that is published is made again from the hypotheses, and compared with what stands there."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import store
from bench.boards.write import write_boards
from bench.commands import pages
from bench.core import ReferenceSet, Score, Scorer
from bench.errors import BenchError
from bench.launching.compose import compose, scorers
from bench.progress import bar
from bench.scoring.compare.stage import compare_runs
from bench.scoring.driver import score
from bench.translation.driver import is_current

_SHOWN = 100  # characters of a line that differs


@dataclass(frozen=True, slots=True)
class Finding:
    where: str
    """The row (direction and run) or the file."""
    what: str
    """What differs there, in one sentence."""


@dataclass(slots=True)
class Report:
    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    """What was looked at -> how many."""

    def found(self, where: str, what: str) -> None:
        self.findings.append(Finding(where, what))


def verify(root: Path) -> Report:
    """All sets that have boards in `root`. Raises BenchError where there are none."""
    report, shown = Report(), []
    if not (ids := pages.sets(root)):
        raise BenchError(
            f"{root} holds no leaderboards: name a folder like results/, or a store of `bench run`."
        )
    for id in ids:
        try:
            reference = pages.reference_of(id)
            metrics, primary = pages.columns(root, id)
            shown.append(pages.boards(root, reference, metrics, primary))
        except BenchError as error:
            report.found(id, str(error))
            continue
        with TemporaryDirectory(prefix="bench-verify-") as room:
            if _scores(root, Path(room), reference, metrics, report):
                _boards(root, Path(room), reference, metrics, primary, report)
            else:
                report.found(
                    id, "its tests, boards and site were not compared: they are of runs that do not verify"
                )
    if len(shown) == len(ids):
        for page, text in pages.pages(root, shown):
            report.checked["pages"] += 1
            _compare_lines(str(page), page.read_text("utf-8"), text, report)
    return report


def run_fault(run: store.Run, reference: ReferenceSet) -> str:
    """Why a run cannot be published; empty where it can."""
    if not is_current(run, reference):
        return f"was made from another version of {reference.id}"
    try:
        run.check()
        ids = [hypothesis.id for hypothesis in run.hypotheses()]
    except BenchError:
        return "its hypotheses are not those that run.json was written for"
    if ids != [segment.id for segment in reference.segments]:
        return "does not hold one hypothesis for each segment, in order"
    if run.label != f"{run.system}-{str(run.record['identity'])[:8]}":
        return "its folder is not named by its system and identity"
    return ""


def _scores(root: Path, room: Path, reference: ReferenceSet, metrics: Sequence[str], report: Report) -> bool:
    """Copies every run that can be published into `room`, scores it there and compares with its scores in `root`. Whether all
    could."""
    whole = True
    for direction in store.directions(root, reference.id):
        for run in store.runs(root, reference.id, direction):
            report.checked["runs"] += 1
            if fault := run_fault(run, reference):
                report.found(f"{direction}, {run.label}", fault)
                whole = False
                continue
            target = room / run.folder.relative_to(root)
            target.mkdir(parents=True)
            for name in ("run.json", "hypotheses.jsonl"):
                shutil.copy(run.folder / name, target)
    ready = dict(_prepared(metrics, reference, report))
    for direction in store.directions(room, reference.id):
        score(room, reference, direction, ready)
        for run in store.runs(room, reference.id, direction):
            old = store.Run(root / run.folder.relative_to(room), run.record)
            for metric in ready:
                report.checked["scores"] += 1
                if what := _difference(store.read_score(old, metric), store.read_score(run, metric)):
                    report.found(f"{direction}, {run.label}", f"{metric}: {what}")
    return whole


def _prepared(
    metrics: Sequence[str], reference: ReferenceSet, report: Report
) -> Iterator[tuple[str, Scorer]]:
    for metric in metrics:
        try:
            name, _, granularity = reference.id.partition(".")
            words = [f"metric=[{metric}]", f"reference={name}", f"granularity={granularity or 'sentence'}"]
            scorer = scorers(compose(words))[metric]
            scorer.prepare()
            yield metric, scorer
        except BenchError as error:
            report.found(metric, f"could not be computed here: {error}")


def _difference(old: Score | None, new: Score | None) -> str:
    """What differs between a published score and the same computed again; empty where nothing does. Sums in another order,
    on another CPU, move the last digits of a model's scores."""
    if old is None or new is None:
        return "no score of just these hypotheses is published"
    if old.signature != new.signature:
        return f"published as {old.signature}, here it is {new.signature}"
    near = 1e-4 if "|precision:" in new.signature else 1e-6

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
            return len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, (int, float)) and isinstance(b, (int, float)):
            return isclose(a, b, rel_tol=1e-9, abs_tol=near)
        return bool(a == b)

    if not same(old.value, new.value):
        return f"published {old.value:.{old.decimals + 2}f}, recomputed {new.value:.{new.decimals + 2}f}"
    for name in ("interval", "segments", "statistics", "remarks"):
        if not same(getattr(old, name), getattr(new, name)):
            return f"its {name} are not those that are recomputed"
    return ""


def _boards(
    root: Path, room: Path, reference: ReferenceSet, metrics: Sequence[str], primary: str, report: Report
) -> None:
    """Makes all that stands on the published scores again, and compares file by file."""
    again = room / "boards"
    for direction in store.directions(root, reference.id):
        for run in store.runs(root, reference.id, direction):
            target = again / run.folder.relative_to(root)
            shutil.copytree(run.folder, target, ignore=lambda _, names: _foreign(names, metrics))
    with bar(
        "comparing", total=len(metrics) * len(store.directions(again, reference.id)), unit="metrics"
    ) as advance:
        for direction in store.directions(again, reference.id):
            for metric in metrics:
                record = store.read_comparisons(root, reference.id, direction, metric) or {}
                settings = {key: record[key] for key in ("test", "unit", "resamples") if key in record}
                compare_runs(again, reference, direction, [metric], **settings)
                advance(1)
    write_boards(again, pages.boards(again, reference, metrics, primary))
    files = {
        path.relative_to(base)
        for base in (root, again)
        for path in (base / reference.id).rglob("*")
        if path.is_file()
    }
    for file in sorted(files):
        old, new = root / file, again / file
        report.checked["files"] += 1
        if not new.is_file():
            report.found(str(file), "belongs to no run and to no board")
        elif not old.is_file():
            report.found(str(file), "is missing")
        elif not _alike(old.read_bytes(), new.read_bytes()):
            _compare_files(file, old, new, report)


def _foreign(names: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Of the files of a run those that no board is made of."""
    known = {"run.json", "hypotheses.jsonl", "scores", *(f"{metric}.json" for metric in metrics)}
    return [name for name in names if name not in known]


def _alike(one: bytes, other: bytes) -> bool:
    """The same but for the last digits of numbers: sums depend on the CPU there."""
    if one == other:
        return True
    a, b = _NUMBER.split(one), _NUMBER.split(other)
    return (
        len(a) == len(b)
        and a[::2] == b[::2]
        and all(isclose(float(x), float(y), rel_tol=1e-9) for x, y in zip(a[1::2], b[1::2], strict=True))
    )


_NUMBER = re.compile(rb"(\d+\.\d+(?:e-?\d+)?)")


def _compare_files(file: Path, old: Path, new: Path, report: Report) -> None:
    try:
        texts = old.read_text("utf-8"), new.read_text("utf-8")
        records = tuple(map(json.loads, texts)) if file.suffix == ".json" else ()
    except ValueError:
        report.found(str(file), "is not the file that is made of these runs")
        return
    if file.parent.name == "comparisons":
        one, other = (json.dumps(_settled(record), indent=1).encode() for record in records)
        if not _alike(one, other):
            report.found(str(file), "these tests do not follow from the scores")
    elif file.name == "leaderboard.json":
        _compare_rows(str(file), records[0], records[1], report)
    else:
        _compare_lines(str(file), *texts, report=report)


def _settled(record: Any) -> Any:
    """Comparisons without the hash of what was asked for: a number of resamples by its name is the same as none."""
    return (
        {key: value for key, value in record.items() if key != "of"} if isinstance(record, dict) else record
    )


def _compare_rows(file: str, old: Any, new: Any, report: Report) -> None:
    def rows(record: Mapping[str, Any]) -> dict[str, Any]:
        return {row["folder"]: row for board in record["directions"].values() for row in board["rows"]}

    try:
        before, after = rows(old), rows(new)
    except (KeyError, TypeError, AttributeError):
        before, after = {}, {}
    different = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    for name in different:
        report.found(file, f"the row {name} is not the one that is made of its run")
    if not different:
        report.found(file, "does not follow from the runs")


def _compare_lines(file: str, old: str, new: str, report: Report) -> None:
    for number, (a, b) in enumerate(zip_longest(old.split("\n"), new.split("\n"), fillvalue=""), 1):
        if a != b:
            start = max(
                0, next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0) - _SHOWN // 2
            )
            cut = [ascii(text[start : start + _SHOWN]) for text in (a, b)]
            report.found(file, f"line {number} is {cut[0]} and should be {cut[1]}")
            return
