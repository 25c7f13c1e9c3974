"""`bench prefetch`: fetch and convert everything that a run needs while there is a network.

It takes the overrides of `bench run`. If something cannot be fetched, it reports why and fetches the rest.
"""

from __future__ import annotations

import os
import shlex
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from omegaconf import DictConfig

from bench import progress, references
from bench.checkpoints.cache import cache_dir, used_folders
from bench.checkpoints.fetching import cached_path, conversion, resolve
from bench.checkpoints.weights import describe_source
from bench.commands.components import (
    Component,
    disk_usage,
    run_components,
    run_configs,
    sacrebleu_folder,
    weights_name,
)
from bench.core import Weights
from bench.errors import BenchError
from bench.files import write_json, write_text
from bench.launching.node_environment import caches
from bench.store.lock import exclusive_lease
from bench.translation import provenance

MANIFEST = "prefetch.json"
ENVIRONMENT_FILE = "env.sh"
_MADE_HERE = "made on this machine"

State = Literal["here already", "fetched", "made", "needs nothing", "gap", "failed"]
"""made: converted on this machine. gap: it failed, but a run continues without it (see Scorer.required)."""


class Item(msgspec.Struct, frozen=True):
    """One thing that a run needs, and what became of it."""

    name: str = msgspec.field(name="what")
    used_by: tuple[str, ...] = msgspec.field(name="wanted_by")
    """The names of the systems and metrics that need it."""
    state: State
    source: str = ""
    pinned: str = ""
    """Its commit on the hub, or "sha256 …"."""
    bytes: int = 0
    path: str = ""
    reason: str = ""
    """Why it failed, in a sentence that says what to do; "" if it did not."""


class Manifest(msgspec.Struct, frozen=True):
    """prefetch.json."""

    made: dict[str, Any]
    """Date, versions, overrides and environment of the last call."""
    failed: dict[str, str]
    """Item -> reason, of the last call."""
    items: list[Item]
    """What is in the folder, from all calls."""


def into(folder: Path) -> None:
    """Put everything into one folder from now on.

    Call it before a model library is imported: these read their environment once. Of the Hugging Face folder
    only the cache moves; the token stays where it is.
    """
    folder = folder.expanduser().absolute()
    os.environ["BITEXT_BENCH_CACHE"] = str(folder)
    os.environ["HF_HUB_CACHE"] = str(folder / "hub")
    os.environ["SACREBLEU"] = str(folder / "sacrebleu")


def environment() -> dict[str, str]:
    """The variables that a node without a network must set to find everything."""
    return caches() | {"HF_HUB_OFFLINE": "1"}


def write_environment() -> Path:
    """Write env.sh into the cache folder, which a shell can source. Returns its path."""
    path = cache_dir() / ENVIRONMENT_FILE
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment().items()]
    write_text(path, "".join(f"{line}\n" for line in ["# Written by bench prefetch.", *lines]))
    return path.absolute()


def prefetch(overrides: Sequence[str]) -> list[Item]:
    """Fetch, convert, and write the manifest into the cache folder.

    Raises BenchError if the overrides are wrong. Whatever else fails has an item with the reason.
    """
    configs = run_configs(overrides)
    progress.configure(quiet=configs[0].quiet)
    components = run_components(configs)
    existing = {path for path in (cache_dir() / "converted").glob("*") if path.is_dir()}
    items = list(_fetch_reference_sets(configs))
    fetched: dict[str, Item] = {}
    for component in components:
        for weights in component.needs:
            users = [user.name for user in components if weights in user.needs]
            if repr(weights) not in fetched:
                fetched[repr(weights)] = _fetch(weights, users)
    prepared: list[Item] = []
    folders: dict[Path, list[str]] = {}
    for component in components:
        if all(fetched[repr(weights)].state != "failed" for weights in component.needs):
            prepared += _prepare(component, folders)
        for weights in component.needs:
            if converted := conversion(weights):  # weights are kept once
                fetched[repr(weights)] = replace(fetched[repr(weights)], bytes=0, path=str(converted))
    items += [*fetched.values(), *prepared]
    items += [_converted(folder, users, folder in existing) for folder, users in sorted(folders.items())]
    failed = {item.name for item in items if item.reason}
    idle = dict.fromkeys(c.name for c in components if not c.needs and c.name not in failed)
    if idle:
        items.append(Item("–", tuple(idle), "needs nothing"))
    items = list(dict.fromkeys(items))  # both directions of a system fail for the same reason
    with exclusive_lease(
        cache_dir() / "prefetch.lock", MANIFEST
    ):  # others may prefetch into this folder, too
        _write_manifest(items, _earlier_items(), overrides)
    return items


def _fetch_reference_sets(configs: Sequence[DictConfig]) -> Iterator[Item]:
    """The test sets that sacrebleu fetches. Any other set has an item only if it cannot be read."""
    for name in dict.fromkeys(str(config.reference) for config in configs):
        folder = sacrebleu_folder(name)
        was_present = folder is not None and (folder / "raw").is_dir()
        if reason := _failure(partial(references.load, name)):
            yield Item(name, ("the set",), "failed", reason=reason)
        elif folder:
            from sacrebleu.dataset import DATASETS

            pinned = " ".join(f"md5 {md5}" for md5 in DATASETS[folder.name].md5 or ())
            state: State = "here already" if was_present else "fetched"
            yield Item(name, ("the set",), state, "sacrebleu", pinned, disk_usage(folder), str(folder))


def _fetch(weights: Weights, users: Sequence[str]) -> Item:
    (first, *alternatives) = weights.sources
    more = f" (or {len(alternatives)} more)" if alternatives else ""
    item = Item(
        name=weights_name(weights),
        used_by=tuple(dict.fromkeys(users)),
        state="here already",
        source=describe_source(first).partition("@")[0] + more,
        pinned=f"sha256 {weights.sha256}" if weights.sha256 else str(first.get("revision", "")),
    )
    path = cached_path(weights)
    if not path:
        paths: list[Path] = []
        if reason := _failure(lambda: paths.append(resolve(weights))):
            return replace(item, state="failed", reason=reason)
        (path,) = paths
        item = replace(item, state="fetched")
    return replace(item, bytes=disk_usage(path), path=str(path))


def _prepare(component: Component, converted: dict[Path, list[str]]) -> Iterator[Item]:
    """Convert what the component needs in another format; gives why that failed. `converted`: gets the folders
    that it uses, made now or before, with the component's name."""
    prepare = component.instance.prepare if component.instance else None
    with used_folders() as folders:
        reason = component.error or (_failure(prepare) if prepare else "")
    if reason:
        state: State = "failed" if component.required else "gap"
        yield Item(component.name, (component.name,), state, reason=reason)
    for folder in filter(Path.is_dir, folders):
        converted.setdefault(folder, []).append(component.name)


def _converted(folder: Path, users: Sequence[str], existed: bool) -> Item:
    state: State = "here already" if existed else "made"
    return Item(
        f"converted/{folder.name}",
        tuple(dict.fromkeys(users)),
        state,
        _MADE_HERE,
        bytes=disk_usage(folder),
        path=str(folder),
    )


def _failure(work: Callable[[], object]) -> str:
    """Why the work failed; "" if it did not."""
    try:
        work()
    except BenchError as error:
        return str(error)
    except Exception as error:
        traceback.print_exc()  # a bug, here or in a library; the rest is still fetched
        return f"{type(error).__name__}: {error}"
    return ""


def _write_manifest(items: Sequence[Item], earlier: Sequence[Item], overrides: Sequence[str]) -> None:
    """Record what this call found and fetched, and what is still there from earlier calls."""
    recorded = {(item.name, item.pinned): item for item in earlier}
    for item in items:
        if item.path:
            previous = recorded.get((item.name, item.pinned), item)  # it says how the item was obtained
            used_by = tuple(dict.fromkeys((*previous.used_by, *item.used_by)))
            state: State = "made" if item.source == _MADE_HERE else previous.state
            recorded[item.name, item.pinned] = replace(item, state=state, used_by=used_by)
    made = provenance.made() | {"asked": [*overrides], "environment": environment()}
    failed = {item.name: item.reason for item in items if item.state == "failed"}
    manifest = Manifest(made, failed, list(recorded.values()))
    write_json(cache_dir() / MANIFEST, msgspec.to_builtins(manifest))


def _earlier_items() -> list[Item]:
    """The items of earlier calls that still exist."""
    path = cache_dir() / MANIFEST
    if not path.is_file():
        return []
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise BenchError(f"{path} is damaged ({error}): delete it and run again.") from None
    return [item for item in manifest.items if Path(item.path).exists()]
