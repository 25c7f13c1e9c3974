"""What there is to choose from, and what is in a store: `bench list`, `bench show` and `bench rm`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from bench import limits, references
from bench.api import Results
from bench.boards.write import write_boards
from bench.commands.pages import build_boards, load_reference, published_columns
from bench.commands.transaction import boards_leases
from bench.errors import BenchError
from bench.files import decode_text, disk_errors, read_bytes
from bench.launching.compose import CONFIGS
from bench.names import is_name
from bench.references.variety import chinese_tag
from bench.store import Run, Store
from bench.store.lock import exclusive_lease
from bench.store.run import has_attempts

Kind = Literal["systems", "metrics", "prompts", "suites", "sets", "runs"]
_GROUPS: Mapping[Kind, str] = {
    "systems": "system",
    "metrics": "metric",
    "prompts": "prompt",
    "suites": "suite",
}
"""Kind -> the folder of its yaml files in configs/."""


@dataclass(frozen=True, slots=True)
class Listing:
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def listing(kind: Kind, root: Path, config_dir: Path | None = None) -> Listing:
    """All of a kind. `root`: the store, for runs. `config_dir`: the user's own yaml files."""
    if kind == "runs":
        return _runs(root)
    if kind == "sets":
        return _sets()
    entries = {path.stem: _content(path) for path in _yaml_files(_GROUPS[kind], config_dir)}
    if kind == "systems":
        heads = ("system", "engine", "size", "licence", "released")
        return Listing(heads, [(name, _engine(c), *_texts(c, *heads[2:])) for name, c in entries.items()])
    if kind == "metrics":
        rows = [(name, *_texts(c, "metric", "name"), *_texts(c, "checkpoint")) for name, c in entries.items()]
        for variant in ("raw", "folded"):
            rows = [
                (n, f"{a} ({variant})" if entries[n].get(variant) is True else a, *more)
                for n, a, *more in rows
            ]
        return Listing(
            ("metric", "column", "checkpoint"), [(name, a or b, weights) for name, a, b, weights in rows]
        )
    if kind == "prompts":
        return Listing(("prompt", "context"), [(name, _context(c)) for name, c in entries.items()])
    rows = [(name, ", ".join(_names(c.get("systems")))) for name, c in entries.items()]
    return Listing(("suite", "systems"), rows)


def kind_names(kind: Kind) -> list[str]:
    """The names of all of a kind that overrides can name: no runs."""
    if kind == "sets":
        return list(references.known_names())
    return [path.stem for path in _yaml_files(_GROUPS[kind], None)]


def yaml_text(name: str, config_dir: Path | None = None) -> Iterator[tuple[Path, str]]:
    """The yaml files called `name` of all groups, with their text."""
    for group in _GROUPS.values():
        for path in _yaml_files(group, config_dir):
            if path.stem == name:
                yield path, decode_text(read_bytes(path, limits.CONFIG_BYTES), path)
    if name in references.known_names():
        path = references.find(name) / "document.yaml"
        yield path, decode_text(read_bytes(path, limits.CONFIG_BYTES), path)


def find_runs(root: Path, name: str) -> list[Run]:
    """The runs with that folder, label or system name; those of the beginning of a label if there are none.

    Raises BenchError if there is none, and a run of the store is damaged: it may be the one.
    """
    store = Store(root)
    runs: list[Run] = []
    damaged: BenchError | None = None
    for set_id in store.set_ids():
        for direction in store.directions(set_id):
            for folder in store.run_folders(set_id, direction):
                try:
                    run = store.run(folder)
                except BenchError as error:
                    damaged = damaged or error
                else:
                    runs += [run] if run else []
    named = Path(name).resolve()
    exact = [run for run in runs if name in (run.label, run.system) or run.folder.resolve() == named]
    matches = exact or [run for run in runs if run.label.startswith(name)]
    if damaged and not matches:
        raise damaged
    return matches


def remove(root: Path, runs: Sequence[Run]) -> list[Path]:
    """Delete runs with their scores and write the boards again. Returns the leaderboards' paths.

    Raises BenchError, and deletes nothing, if another process works on one of them.
    """
    store = Store(root)
    set_ids = dict.fromkeys(run.record.reference.id for run in runs)
    boards_of = {id: (load_reference(store, id), published_columns(store, id)) for id in set_ids}
    for run in runs:
        if has_attempts(run.folder):
            raise BenchError(f"{run.folder} is being translated: run this again when that process has ended.")
    for run in runs:
        with exclusive_lease(run.folder / "lock", run.label, patience=0), disk_errors(run.folder):
            removed = run.folder.with_name(f".removed-{run.folder.name}")
            run.folder.rename(removed)  # a process that is killed leaves a complete run or none
        shutil.rmtree(removed, ignore_errors=True)
    paths = []
    for set_id, (reference, columns) in boards_of.items():
        boards = [board for board in build_boards(Store(root), reference, columns) if board.rows]
        if boards:
            with boards_leases(store, [set_id]):
                paths.append(write_boards(store, boards))
    return paths


def _yaml_files(group: str, config_dir: Path | None) -> list[Path]:
    """The user's own file hides one of ours with the same name, as in `bench run`."""
    paths: dict[str, Path] = {}
    for folder in (Path(CONFIGS), *([config_dir] if config_dir else [])):
        paths.update({path.stem: path for path in (folder / group).glob("*.yaml") if is_name(path.stem)})
    return [paths[name] for name in sorted(paths)]


def _content(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(decode_text(read_bytes(path, limits.CONFIG_BYTES), path))
    except FileNotFoundError:
        return {}  # a link that leads nowhere
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise BenchError(f"{path} is not valid YAML ({reason}): correct it.") from None
    return content if isinstance(content, dict) else {}


def _names(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _texts(content: Mapping[str, Any], *keys: str) -> list[str]:
    values = (content.get(key) for key in keys)
    return [str(value) if isinstance(value, (str, int, float)) else "" for value in values]


def _engine(content: Mapping[str, Any]) -> str:
    """The module of the adapter, or the yaml file that it builds on: "llm"."""
    adapter = content.get("adapter")
    target = adapter.get("_target_") if isinstance(adapter, dict) else None
    if isinstance(target, str):
        return target.rpartition(".")[0].rpartition(".")[2]
    defaults = content.get("defaults")
    names = [entry for entry in defaults if isinstance(entry, str)] if isinstance(defaults, list) else []
    return next((name for name in names if not name.startswith(("/", "_"))), "")


def _context(content: Mapping[str, Any]) -> str:
    if previous := content.get("previous"):
        return f"{previous} previous segments"
    return f"one {content.get('together', 'segment')} per request"


def _sets() -> Listing:
    rows = []
    for name in references.known_names():
        reference = references.load(name)
        rows.append(
            (
                name,
                reference.title,
                f"{len(reference.segments)}",
                chinese_tag(reference),
                reference.published,
                reference.licence,
            )
        )
    return Listing(("set", "title", "segments", "variety", "published", "licence"), rows)


def _runs(root: Path) -> Listing:
    rows = []
    for row in Results(root).runs():
        flags = ", ".join(f"{count} {flag}" for flag, count in row["flags"].items())
        rows.append((row["set"], row["direction"], row["run"], str(row["segments"]), flags or "0"))
    return Listing(("set", "direction", "run", "segments", "flags"), rows)
