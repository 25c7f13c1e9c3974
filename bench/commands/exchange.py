"""`bench export`: a store in the formats of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from bench.api import Results
from bench.boards.rows import Board
from bench.commands.pages import build_boards, load_reference, published_columns
from bench.core import Task
from bench.errors import BenchError
from bench.exchange import croissant, every_eval_ever, huggingface, wmt
from bench.exchange.schemas import schemas
from bench.files import write_text
from bench.languages import DIRECTIONS
from bench.store import Store

Form = Literal["every-eval-ever", "huggingface", "croissant", "wmt", "schemas"]


def export(root: Path, form: Form, out: Path) -> list[Path]:
    """Write a store in a form into the folder `out`. Returns the paths of the files."""
    contents = schemas() if form == "schemas" else _contents(Store(root), form)
    for name, text in contents.items():
        write_text(out / name, text)
    return [out / name for name in contents]


def _contents(store: Store, form: Form) -> Mapping[str, str]:
    set_ids = store.set_ids()
    if not set_ids:
        raise BenchError(f"{store.root} has no boards: use bench run first, or another store with --store.")
    references = [load_reference(store, set_id) for set_id in set_ids]
    if form == "croissant":
        return croissant.files(Results(store.root), references, _newest(store))
    if form == "wmt":
        tasks = [Task(reference, direction) for reference in references for direction in DIRECTIONS]
        return {
            f"{task.reference.id}/{run.label}.{task.direction}.jsonl": wmt.lines(task, run)
            for task in tasks
            for run in store.current_runs(task)
        }
    boards: list[Board] = []
    for reference in references:
        boards += build_boards(store, reference, published_columns(store, reference.id))
    if form == "huggingface":
        return huggingface.cards(boards)
    return {
        name: json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        for board in boards
        for name, record in every_eval_ever.records(board).items()
    }


def _newest(store: Store) -> datetime:
    """When the newest run was made; 1970 if no run says it."""
    newest = datetime.fromtimestamp(0, timezone.utc)
    for set_id in store.set_ids():
        for direction in store.directions(set_id):
            for run in store.runs_in(set_id, direction):
                try:
                    made = datetime.fromisoformat(str(run.record.made.get("at")))
                except ValueError:
                    continue
                newest = max(newest, made if made.tzinfo else made.replace(tzinfo=timezone.utc))
    return newest
