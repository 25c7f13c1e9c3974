"""`bench prefetch`: all that a run would fetch or convert, brought into one folder while there is a network.

What is asked for is said as to `bench run`. A need that cannot be met leaves its reason, and the others are fetched.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from bench import progress, references, store
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import cached_path, resolve
from bench.checkpoints.weights import describe_source
from bench.core import Adapter, Scorer, Weights
from bench.errors import BenchError
from bench.languages import sides
from bench.launching.compose import expand, friendly_errors, instantiate, job_configs
from bench.references.outside import SACREBLEU
from bench.translation import provenance

MANIFEST = "prefetch.json"

State = Literal["here already", "fetched", "made", "needs nothing", "gap", "failed"]
"""gap: it failed, and a run goes on without it (bench.core.Scorer.required)."""


@dataclass(frozen=True)
class Part:
    """A system or a metric of a run, set up and not loaded."""

    name: str
    kind: Literal["system", "metric"]
    config: dict[str, Any]
    """What its yaml says."""
    made: Adapter | Scorer | None
    fault: str = ""
    """Why it could not be set up."""
    needs: tuple[Weights, ...] = ()

    @property
    def required(self) -> bool:
        return bool(self.config.get("required", True))


@dataclass(frozen=True)
class Row:
    """One thing that a run needs, and what became of it."""

    what: str
    wanted_by: tuple[str, ...]
    state: State
    source: str = ""
    pinned: str = ""
    """Its commit on the hub, or "sha256 …"."""
    bytes: int = 0
    path: str = ""
    reason: str = ""
    """Why it failed, in a sentence that says what to do."""


def into(folder: Path) -> None:
    """Everything goes into one folder from now on. Called before a model library is imported: they read this only once.

    Of the hub only the cache moves: where its token lies stays as it is.
    """
    folder = folder.expanduser().absolute()
    os.environ["BITEXT_BENCH_CACHE"] = str(folder)
    os.environ["HF_HUB_CACHE"] = str(folder / "hub")
    os.environ["SACREBLEU"] = str(folder / "sacrebleu")


def environment() -> dict[str, str]:
    """What a node without a network has to set to find all of it."""
    from huggingface_hub.constants import HF_HUB_CACHE
    from sacrebleu.utils import SACREBLEU_DIR

    folders = {
        "BITEXT_BENCH_CACHE": cache_dir(),
        "HF_HUB_CACHE": Path(HF_HUB_CACHE),
        "SACREBLEU": Path(SACREBLEU_DIR),
    }
    return {name: str(path.absolute()) for name, path in folders.items()} | {"HF_HUB_OFFLINE": "1"}


def prefetch(overrides: Sequence[str]) -> list[Row]:
    """Fetches and converts; the manifest in the folder then says what is there. Raises BenchError where the overrides are
    wrong; whatever else fails has a row that says why."""
    configs = composed(overrides)
    progress.configure(quiet=configs[0].quiet)
    those, earlier = parts(configs), _earlier()
    rows = [*_sets(configs)]
    fetched: dict[str, Row] = {}
    for part in those:
        for weights in part.needs:
            names = [each.name for each in those if weights in each.needs]
            if repr(weights) not in fetched:
                fetched[repr(weights)] = _fetched(weights, names)
    rows += fetched.values()
    for part in those:
        if all(fetched[repr(weights)].state != "failed" for weights in part.needs):
            rows += _prepared(part, earlier)
    troubled = {row.what for row in rows if row.reason}
    if ships := dict.fromkeys(part.name for part in those if not part.needs and part.name not in troubled):
        rows.append(Row("–", tuple(ships), "needs nothing"))
    rows = list(dict.fromkeys(rows))  # both directions of a system fail alike
    _write(rows, earlier, overrides)
    return rows


def composed(overrides: Sequence[str]) -> list[DictConfig]:
    """The config of each job that `bench run` would start."""
    configs = list(job_configs(expand(overrides)[0]))
    for config in configs:
        sides(config.direction)
    return configs


def parts(configs: Sequence[DictConfig]) -> list[Part]:
    """The systems and the metrics, each as often as it is set up otherwise; what cannot be set up says why."""
    with friendly_errors():
        named = [(str(config.system.name), config.system) for config in configs]
    found = [_part(name, "system", node, node.adapter) for name, node in named]
    found += [_part(str(name), "metric", node, node) for name, node in configs[0].metric.items()]
    return list({repr((part.name, part.config, part.fault)): part for part in found}.values())


def sacrebleu_folder(reference: str) -> Path | None:
    """Where sacrebleu keeps, or will keep, a test set of its own; None for any other set."""
    if not reference.startswith(SACREBLEU):
        return None
    from sacrebleu.utils import SACREBLEU_DIR

    return Path(SACREBLEU_DIR, reference.removeprefix(SACREBLEU).rpartition("/")[0])


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; of a file with several names once."""
    files = [path] if path.is_file() else path.rglob("*")
    stats = (file.stat() for file in files if file.is_file())
    return sum({(each.st_dev, each.st_ino): each.st_size for each in stats}.values())


def _part(name: str, kind: Literal["system", "metric"], node: DictConfig, target: DictConfig) -> Part:
    part = Part(name, kind, {}, None)
    try:
        with friendly_errors():
            config: Any = OmegaConf.to_container(node, resolve=True)
            part = replace(part, config=config)
            made: Adapter | Scorer = instantiate(target)
            return replace(part, made=made, needs=tuple(made.needs()))
    except BenchError as error:
        return replace(part, fault=str(error))


def _fetched(weights: Weights, names: Sequence[str]) -> Row:
    (first, *others) = weights.sources
    more = f" (or {len(others)} more)" if others else ""
    row = Row(
        what=weights.file or str(first.get("hub") or first.get("path")),
        wanted_by=tuple(dict.fromkeys(names)),
        state="here already",
        source=describe_source(first).partition("@")[0] + more,
        pinned=f"sha256 {weights.sha256}" if weights.sha256 else str(first.get("revision", "")),
    )
    path = cached_path(weights)
    if not path:
        paths: list[Path] = []
        if reason := _tried(lambda: paths.append(resolve(weights))):
            return replace(row, state="failed", reason=reason)
        (path,) = paths
        row = replace(row, state="fetched")
    return replace(row, bytes=size(path), path=str(path))


def _sets(configs: Sequence[DictConfig]) -> Iterator[Row]:
    """The test sets that sacrebleu fetches; of the others only one that cannot be read."""
    for name in dict.fromkeys(str(config.reference) for config in configs):
        folder = sacrebleu_folder(name)
        there = folder is not None and (folder / "raw").is_dir()
        if reason := _tried(partial(references.load, name)):
            yield Row(name, ("the set",), "failed", reason=reason)
        elif folder:
            from sacrebleu.dataset import DATASETS

            pinned = " ".join(f"md5 {md5}" for md5 in DATASETS[folder.name].md5 or ())
            state: State = "here already" if there else "fetched"
            yield Row(name, ("the set",), state, "sacrebleu", pinned, size(folder), str(folder))


def _prepared(part: Part, earlier: Sequence[Row]) -> Iterator[Row]:
    """What of a part was converted, by this call or an earlier one, so that no node has to; or why it cannot be used."""
    before = _converted()
    if reason := part.fault or (_tried(part.made.prepare) if part.made else ""):
        yield Row(part.name, (part.name,), "failed" if part.required else "gap", reason=reason)
    for folder in sorted(_converted() - before):
        name, here_made = f"converted/{folder.name}", "made on this machine"
        yield Row(name, (part.name,), "made", here_made, bytes=size(folder), path=str(folder))
    for row in earlier:
        if row.state == "made" and part.name in row.wanted_by:
            yield replace(row, state="here already")


def _converted() -> set[Path]:
    return {path for path in (cache_dir() / "converted").glob("*") if path.is_dir()}


def _tried(work: Callable[[], object]) -> str:
    """Why it failed, "" where it did not."""
    try:
        work()
    except BenchError as error:
        return str(error)
    except Exception as error:
        traceback.print_exc()  # a fault of ours or of a library is shown whole, but the others are fetched
        return f"{type(error).__name__}: {error}"
    return ""


def _write(rows: Sequence[Row], earlier: Sequence[Row], overrides: Sequence[str]) -> None:
    """The manifest: what this call has found and brought, and of earlier calls what still is there."""
    items = {(row.what, row.pinned): row for row in earlier}
    for row in rows:
        if row.path:
            old = items.get((row.what, row.pinned), row)  # which knows how it came
            wanted_by = tuple(dict.fromkeys((*old.wanted_by, *row.wanted_by)))
            items[row.what, row.pinned] = replace(row, state=old.state, wanted_by=wanted_by)
    made = provenance.made() | {"asked": [*overrides], "environment": environment()}
    failed = {row.what: row.reason for row in rows if row.state == "failed"}
    content = {"made": made, "failed": failed, "items": [asdict(item) for item in items.values()]}
    store.write_json(cache_dir() / MANIFEST, content)


def _earlier() -> list[Row]:
    """What the manifest has of earlier calls, as far as it still is there."""
    path = cache_dir() / MANIFEST
    if not path.is_file():
        return []
    items = json.loads(path.read_text(encoding="utf-8"))["items"]
    rows = [Row(**{**item, "wanted_by": tuple(item["wanted_by"])}) for item in items]
    return [row for row in rows if Path(row.path).exists()]
