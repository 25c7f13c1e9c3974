"""Drives an adapter over a reference set and writes a run: keep what is finished, resume, translate only what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import store
from bench.core import Adapter, Hypothesis, Output, ReferenceSet, Source, digest
from bench.languages import Direction
from bench.progress import bar
from bench.translation import batching, provenance
from bench.translation.flags import flags
from bench.translation.lock import held
from bench.translation.shards import Shard

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
    shard: Shard = Shard(),  # noqa: B008  # frozen
) -> None:
    """Make the run in `folder` whole. Only what is not translated yet is translated, and of that only what is of `shard`: the
    run becomes whole when its last shard is done.

    `card` is what the system's yaml says of it (name, size, licence …), `config` how its adapter was set up: both go into
    run.json as they are. `batch_tokens`: see bench.translation.batching.outputs. A segment whose translation failed with an error is tried
    again by the next run. Where a whole run only meets another version of the set and all its texts are translated, it
    keeps the record of how they were made.
    """
    label = f"{card['name']} {direction}"
    sources = batching.sources(reference, direction, adapter.context)
    keys = _keys(sources, identity(adapter, direction))
    facts: dict[str, Any] = {"batch_tokens": batch_tokens}
    of_shard = f" {shard.name}" if shard.name else ""
    with held(folder / (f"lock-{shard.name}" if shard.name else "lock"), label + of_shard) as check:
        earlier = store.read_run(folder)
        if earlier and not shard.name:  # another shard may be about to make the run whole
            earlier.check()
        done = _latest(folder)
        mine = shard.take(sources)
        missing = {_block(s) for s in mine if keys[s.id] not in done or done[keys[s.id]].error}
        todo = [source for source in mine if _block(source) in missing]
        if todo:
            store.write_failure(folder, store.begun(provenance.here()), shard.name)
            adapter.load()
            _translate(adapter, todo, keys, direction, folder, label + of_shard, batch_tokens, check)
            facts = {**adapter.facts(), **facts}
        store.clear_failure(folder, shard.name)
    with held(folder / "lock", label):
        _write(adapter, reference, direction, folder, card, config or {}, keys, facts)


def _write(
    adapter: Adapter,
    reference: ReferenceSet,
    direction: Direction,
    folder: Path,
    card: Mapping[str, Any],
    config: Mapping[str, Any],
    keys: Mapping[str, str],
    facts: Mapping[str, Any],
) -> None:
    """Make the run whole, if all of it is translated and this has not been done. `keys`: in the order of the set."""
    earlier, done = store.read_run(folder), _latest(folder)
    if not all(key in done for key in keys.values()):
        return
    old = set()
    if earlier:
        earlier.check()
        old = {h.key for h in earlier.hypotheses() if not h.error}
    new = [entry for entry in store.read_journal(folder) if entry.hypothesis.key not in old]
    if earlier and not new:
        if is_current(earlier, reference):
            return
        work, made = earlier.record["work"], earlier.record["made"]
    else:
        # Without anything to do (the process before this was killed at the very end) nothing was loaded that could tell.
        facts = {"device": "not recorded", **facts}
        work, made = provenance.work(new, facts, card.get("price", {})), provenance.made()
    hypotheses = [done[key] for key in keys.values()]
    whole = {
        "format": RUN_FORMAT,
        "system": dict(card),
        "adapter": adapter.identity(),
        "config": dict(config),
        "identity": identity(adapter, direction),
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
    check: Callable[[], None],
) -> None:
    """Into the journal, the segments of a block together: half a block could not be gone on with."""
    block = {source.id: _block(source) for source in todo}
    size = Counter(block.values())
    begun: dict[str, dict[str, Hypothesis]] = defaultdict(dict)
    with (
        bar(label, total=len(todo), unit="segments") as advance,
        store.Journal(folder, provenance.attempt()) as journal,
    ):
        for source, output, fell_back in batching.outputs(adapter, todo, direction, batch_tokens):
            name = block[source.id]
            begun[name][source.id] = _hypothesis(source, keys[source.id], output, fell_back, direction)
            if len(begun[name]) == size[name]:
                check()
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
