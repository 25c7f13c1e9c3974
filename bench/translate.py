"""Drives an adapter over a reference set and writes a run: keep what is finished, resume, translate only what is missing."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench import plan, record, store
from bench.core import Adapter, Direction, Hypothesis, Output, ReferenceSet, Source, digest
from bench.flags import flags
from bench.progress import bar

RUN_FORMAT = 1


def identity(adapter: Adapter, direction: Direction) -> str:
    """Hash of what changes the output of a system in one direction: not where it runs, nor in which batches."""
    return digest({"system": adapter.identity(), "direction": direction})


def is_current(run: store.Run | None, reference: ReferenceSet) -> bool:
    """Whether a run is whole and made from this very version of the set."""
    return run is not None and run.record["reference"] == {"id": reference.id, "sha256": reference.sha256}


def translate(
    adapter: Adapter,
    reference: ReferenceSet,
    direction: Direction,
    folder: Path,
    card: Mapping[str, Any],
    batch_tokens: int,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Make the run in `folder` whole. Only what is not translated yet is translated.

    `card` is what the system's yaml says of it (name, size, licence …), `config` how its adapter was set up: both go into
    run.json as they are. `batch_tokens`: see bench.plan.outputs. A segment whose translation failed with an error is tried
    again by the next run. Where a whole run only meets another version of the set and all its texts are translated, it
    keeps the record of how they were made.
    """
    earlier = store.read_run(folder)
    old = set()
    if earlier:
        earlier.check()
        old = {h.key for h in earlier.hypotheses() if not h.error}
    system = identity(adapter, direction)
    sources = plan.sources(reference, direction, adapter.context)
    keys = _keys(sources, system)
    done = _latest(folder)
    missing = {_block(s) for s in sources if keys[s.id] not in done or done[keys[s.id]].error}
    todo = [source for source in sources if _block(source) in missing]
    if todo:
        adapter.load()
        _translate(adapter, todo, keys, direction, folder, f"{card['name']} {direction}", batch_tokens)
        done = _latest(folder)

    hypotheses = [done[keys[source.id]] for source in sources]
    if earlier and not todo:
        work, made = earlier.record["work"], earlier.record["made"]
    else:
        new = [entry for entry in store.read_journal(folder) if entry.hypothesis.key not in old]
        # Without anything to do (the process before this was killed at the very end) nothing was loaded that could tell.
        facts = adapter.facts() if todo else {"device": "not recorded"}
        facts = {**facts, "batch_tokens": batch_tokens}
        work, made = record.work(new, facts, card.get("price", {})), record.made()
    whole = {
        "format": RUN_FORMAT,
        "system": dict(card),
        "adapter": adapter.identity(),
        "config": dict(config or {}),
        "identity": system,
        "direction": direction,
        "reference": {"id": reference.id, "sha256": reference.sha256},
        "segments": len(hypotheses),
        "flags": dict(sorted(Counter(flag for h in hypotheses for flag in h.flags).items())),
        "fell_back": sum(h.fell_back for h in hypotheses),
        "work": work,
        "made": made,
    }
    store.write_run(folder, hypotheses, whole)


def _latest(folder: Path) -> dict[str, Hypothesis]:
    """Key -> the last hypothesis; one that failed only where there is no other: its block may have been tried again."""
    finished = store.finished(folder)
    return {h.key: h for h in finished if h.error} | {h.key: h for h in finished if not h.error}


def _translate(
    adapter: Adapter,
    todo: list[Source],
    keys: Mapping[str, str],
    direction: Direction,
    folder: Path,
    label: str,
    batch_tokens: int,
) -> None:
    """Into the journal, the segments of a block together: half a block could not be gone on with."""
    block = {source.id: _block(source) for source in todo}
    size = Counter(block.values())
    begun: dict[str, dict[str, Hypothesis]] = defaultdict(dict)
    attempt = f"{datetime.now(timezone.utc).isoformat(timespec='milliseconds')} {os.getpid()}"
    with (
        bar(label, total=len(todo), unit="segments") as advance,
        store.Journal(folder, attempt) as journal,
    ):
        for source, output, fell_back in plan.outputs(adapter, todo, direction, batch_tokens):
            name = block[source.id]
            begun[name][source.id] = _hypothesis(source, keys[source.id], output, fell_back, direction)
            if len(begun[name]) == size[name]:
                finished = begun.pop(name)
                journal.add(finished.values())
                advance(len(finished))


def _keys(sources: list[Source], system: str) -> dict[str, str]:
    """Id -> hash of all that changes the output for that segment: change one text, and only what has seen it is done again."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        blocks[_block(source)].append(source.text)
    keys = {}
    for source in sources:
        seen: dict[str, Any] = {"system": system, "id": source.id, "source": source.text}
        if source.before:
            seen["before"] = source.before
        if source.block:
            seen["block"] = blocks[source.block]
        keys[source.id] = digest(seen)
    return keys


def _block(source: Source) -> str:
    return source.block or source.id


def _hypothesis(
    source: Source, key: str, output: Output, fell_back: bool, direction: Direction
) -> Hypothesis:
    return Hypothesis(
        id=source.id,
        key=key,
        text=output.text,
        raw=output.raw,
        flags=flags(output, source.text, direction),
        error=output.error,
        tokens_in=output.tokens_in,
        tokens_out=output.tokens_out,
        fell_back=fell_back,
    )
