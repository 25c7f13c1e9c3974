"""Runs that a test writes into a store without an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import answers
from bench.core import Adapter, Hypothesis, Task
from bench.records import system_card
from bench.store import Run, Store
from bench.store.run import read_run, write_run
from bench.translation.driver import TranslationJob


def hypothesis(id: str, text: str = "x", **fields: Any) -> Hypothesis:
    return Hypothesis(
        **{"id": id, "key": f"key-{id}", "text": text, "raw": "", "flags": (), "error": "", **fields}
    )


def run_document(task: Task, name: str, identity: str = "0123456789", **fields: Any) -> dict[str, Any]:
    """A run.json without the hash of its hypotheses; `fields` replace or add fields."""
    reference = task.reference
    return {
        "format": 1,
        "system": {"name": name},
        "adapter": {},
        "config": {},
        "identity": identity,
        "direction": task.direction,
        "reference": {
            "id": reference.id,
            "sha256": reference.sha256,
            "granularity": reference.granularity,
            "origin": reference.origin,
        },
        "segments": len(reference.segments),
        "answers": {"version": answers.VERSION},
        "flags": {},
        "fell_back": 0,
        "work": {"segments_per_second": None, "device": "cpu"},
        "made": {},
        **fields,
    }


def store_run(
    store: Store, task: Task, name: str, hypotheses: Sequence[Hypothesis] | None = None, **fields: Any
) -> Run:
    """A complete run; by default every hypothesis is "x"."""
    document = run_document(task, name, **fields)
    folder = store.run_folder(task, name, document["identity"])
    write_run(folder, hypotheses or [hypothesis(id) for id in task.ids], document)
    run = read_run(folder)
    assert run
    return run


def job(task: Task, adapter: Adapter, folder: Path, batch_tokens: int = 500, **card: Any) -> TranslationJob:
    """A job that translates `task` into `folder`."""
    return TranslationJob(task, adapter, system_card({"name": "engine", **card}), folder, batch_tokens)


def run_folders(store: Path) -> dict[str, Path]:
    """The folders of complete runs in a store with one set, by "direction/system"."""
    return {
        f"{path.parts[-3]}/{path.parts[-2].rsplit('-', 1)[0]}": path.parent
        for path in store.glob("*/*/*/run.json")
    }
