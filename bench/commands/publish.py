"""`bench publish`: runs move into a folder of published results, and all that stands on them is made anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import store
from bench.boards.rows import Board
from bench.boards.write import write_boards
from bench.commands import pages
from bench.commands.verify import run_fault
from bench.errors import BenchError
from bench.launching.compose import compose, scorers
from bench.scoring.compare.stage import compare_runs
from bench.scoring.driver import score


def publish(folders: Sequence[Path], into: Path) -> list[Path]:
    """Moves the runs in `folders` into `into`, scores them by the metrics that are published there (or by those of
    `bench run`) and makes boards, site and pages anew; without any folder, only that. Gives the leaderboards' paths.

    All or nothing: what is new is made beside and renamed. Raises BenchError for what does not verify; then nothing is
    changed.
    """
    runs = [_run(folder) for folder in folders]
    ids = sorted({run.record["reference"]["id"] for run in runs} | set(pages.sets(into)))
    if not ids:
        raise BenchError(
            f"Nothing is published in {into} yet: name the runs, bench publish runs/SET/DIRECTION/RUN …"
        )
    into.mkdir(parents=True, exist_ok=True)
    shown = []
    with _beside(into) as room:
        for id in ids:
            shown.append(_make(id, [run for run in runs if run.record["reference"]["id"] == id], into, room))
        texts = list(pages.pages(into, shown))
        for id in ids:
            _swap(room / id, into / id)
    for page, text in texts:
        store.write(page, text)
    for run in runs:
        shutil.rmtree(run.folder)
    return [store.leaderboard_path(into, id, "md") for id in ids]


def _run(folder: Path) -> store.Run:
    if (run := store.read_run(folder)) is None:
        raise BenchError(f"{folder} is no whole run: name a folder with a run.json, runs/SET/DIRECTION/RUN.")
    reference = pages.reference_of(str(run.record["reference"]["id"]))
    if fault := run_fault(run, reference):
        raise BenchError(f"{folder} cannot be published ({fault}): run it again.")
    return run


def _make(id: str, runs: Sequence[store.Run], into: Path, room: Path) -> list[Board]:
    """The set's folder in `room`, as it is to be."""
    reference = pages.reference_of(id)
    config = compose([])
    metrics, primary = list(map(str, config.metric)), str(config.suite.primary)
    if (into / id).is_dir():
        metrics, primary = pages.columns(into, id)
        shutil.copytree(into / id, room / id, ignore=shutil.ignore_patterns("site", "leaderboard.*"))
    for direction in store.directions(room, id):
        for old in store.runs(room, id, direction):
            if fault := run_fault(old, reference):
                raise BenchError(
                    f"{into / old.folder.relative_to(room)} does not verify ({fault}): restore it first."
                )
    for run in runs:
        target = room / id / str(run.record["direction"]) / run.folder.name
        if target.exists():
            raise BenchError(
                f"{target.name} is published already ({run.record['direction']}): remove the old one first."
            )
        target.mkdir(parents=True)
        for name in ("run.json", "hypotheses.jsonl"):
            shutil.copy(run.folder / name, target)
    name, _, granularity = id.partition(".")
    words = [f"reference={name}", f"granularity={granularity or 'sentence'}", f"metric=[{','.join(metrics)}]"]
    config = compose(words)
    judges = scorers(config)
    for scorer in judges.values():
        scorer.prepare()
    for direction in store.directions(room, id):
        score(room, reference, direction, judges)
        compare_runs(room, reference, direction, metrics, **config.compare)
    boards = pages.boards(room, reference, metrics, primary)
    write_boards(room, boards)
    return boards


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, gone afterwards."""
    room = folder / f".publishing-{os.getpid()}"
    room.mkdir()
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _swap(new: Path, old: Path) -> None:
    away = new.with_name(f"{new.name}.old")
    if old.exists():
        old.replace(away)
    new.replace(old)
