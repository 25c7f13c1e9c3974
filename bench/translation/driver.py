"""Drives an adapter over a task and writes a run: keep what is finished, translate only what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench import budget, own_code, progress
from bench.answers.finish import is_truncated
from bench.core import Adapter, Hypothesis, Output, Source, Task, digest
from bench.endpoints import Endpoint
from bench.errors import BenchError
from bench.languages import Direction
from bench.progress import bar
from bench.records import RUN_FORMAT, SystemCard, Work
from bench.store import Store
from bench.store.failures import clear_failure, in_progress_note, read_failure, write_failure
from bench.store.journal import Journal, finished_hypotheses, read_journals
from bench.store.lock import exclusive_lease, remove_lock_of
from bench.store.run import has_attempts, read_run, remove_attempts, write_run
from bench.translation import batching, evaluation, provenance
from bench.translation.flags import flags
from bench.translation.shards import Shard


@dataclass(frozen=True)
class TranslationJob:
    """One system on one task, or one shard of that."""

    task: Task
    adapter: Adapter
    card: SystemCard
    folder: Path
    """The run's folder."""
    batch_tokens: int
    """Token budget of a batch: see batching.outputs."""
    adapter_config: Mapping[str, Any] = field(default_factory=dict)
    """How the adapter was set up; recorded in run.json as it is."""
    shard: Shard = field(default_factory=Shard)

    @property
    def label(self) -> str:
        """For people: "copy zh-en"."""
        return f"{self.card.name} {self.task.direction}"

    @property
    def name(self) -> str:
        """What the job writes: "SET/zh-en/copy-0a1b2c3d 3-of-8"."""
        reference = self.task.reference.id
        return f"{reference}/{self.task.direction}/{self.folder.name} {self.shard.name}".strip()

    @property
    def identity(self) -> str:
        return identity(self.adapter)

    def is_finished(self, store: Store) -> bool:
        """Whether the store has the complete run, and the next run would retry and tidy up nothing."""
        complete_run = store.run(self.folder)
        return (
            complete_run is not None and complete_run.is_finished(self.task) and not has_attempts(self.folder)
        )


def identity(adapter: Adapter) -> str:
    """Hash of what changes the outputs of a system in a direction. It does not depend on the machine or the
    batches."""
    return digest({"system": own_code.identity(adapter), "direction": adapter.direction})


def translate(job: TranslationJob, patience: float | None = None) -> None:
    """Complete the run in `job.folder`, as far as the job's shard allows: the last shard completes it.

    Segments whose outputs are already known are not translated again; segments that failed with an error are.
    If a complete run only meets another version of the set and all its texts are known, it keeps its record
    of how they were made. Raises LockedElsewhere if another process keeps the run locked for `patience` seconds (see
    store.lock), BenchError for a problem with the model, or if every segment failed with an error: that is no run, and
    the next attempt tries again.
    """
    sources = batching.sources(job.task, job.adapter.context)
    keys = _keys(sources, job.identity)
    facts: dict[str, Any] = {"batch_tokens": job.batch_tokens}
    shard = job.shard.name
    label = f"{job.label} {shard}".strip()
    lock = job.folder / (f"lock-{shard}" if shard else "lock")
    if previous := provenance.previous_process(read_failure(job.folder, shard)):
        remove_lock_of(lock, *previous)
    with exclusive_lease(lock, label, patience) as check_lease:
        complete_run = read_run(job.folder)
        if complete_run and not shard:  # another shard may be about to complete the run
            complete_run.hypotheses()
        todo = _unfinished(job, sources, keys)
        if todo:
            write_failure(job.folder, in_progress_note(provenance.process_description()), shard)
            endpoint = getattr(job.adapter, "endpoint", None)
            if isinstance(endpoint, Endpoint):
                endpoint.meter = budget.meter(job.card.price)
            job.adapter.load()
            _translate(job, todo, keys, label, check_lease)
            facts = {**job.adapter.facts(), **facts}
            _advise(job)
        clear_failure(job.folder, shard)
    with exclusive_lease(job.folder / "lock", job.label):
        _complete(job, keys, facts)


def _advise(job: TranslationJob) -> None:
    """Say what to do if a model spent its limit before it answered."""
    unanswered = [
        h for h in _known(job.folder).values() if is_truncated(h.finish) and h.tokens_out and not h.text
    ]
    if unanswered:
        progress.say(
            f"{job.label}: {len(unanswered)} answers ended at the limit while the model was still reasoning: raise "
            "the limit (max_tokens or max_new_tokens), or switch reasoning off (system.adapter.prompt.chat_options).",
            warning=True,
        )


def spent(job: TranslationJob) -> float:
    """US dollars that the run has cost so far, killed attempts included; 0 without a price."""
    price = job.card.price
    if price is None:
        return 0.0
    complete_run = read_run(job.folder)
    work = complete_run.record.work if complete_run else Work()
    used = [(work.tokens_in, work.tokens_out, work.characters)]
    used += [
        (entry.hypothesis.tokens_in, entry.hypothesis.tokens_out, entry.hypothesis.characters)
        for entry in read_journals(job.folder)
    ]
    return (work.earlier_cost_usd or 0.0) + sum(price.cost(*numbers) for numbers in used)


def unfinished_sources(job: TranslationJob) -> list[Source]:
    """The sources of the job that `translate` would send to the model now."""
    sources = batching.sources(job.task, job.adapter.context)
    return _unfinished(job, sources, _keys(sources, job.identity))


def _unfinished(job: TranslationJob, sources: Sequence[Source], keys: Mapping[str, str]) -> list[Source]:
    known, own = _known(job.folder), job.shard.take(sources)
    missing = {s.request_id for s in own if keys[s.id] not in known or known[keys[s.id]].error}
    return [source for source in own if source.request_id in missing]


def _complete(job: TranslationJob, keys: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """Write hypotheses.jsonl and run.json if everything is translated and this is not done yet.

    `keys`: segment id -> key, in the order of the set.
    """
    complete_run, known = read_run(job.folder), _known(job.folder)
    if not all(key in known for key in keys.values()):
        return
    identity = own_code.identity(job.adapter)
    hypotheses = evaluation.evaluated(job.task, identity, [known[key] for key in keys.values()])
    if all(hypothesis.error for hypothesis in hypotheses):
        raise BenchError(
            f"No segment was translated; the first error: {hypotheses[0].error}. Correct its cause and run again."
        )
    old_keys = {h.key for h in complete_run.hypotheses() if not h.error} if complete_run else set()
    new_entries = [entry for entry in read_journals(job.folder) if entry.hypothesis.key not in old_keys]
    if complete_run and not new_entries:
        if complete_run.is_current(job.task) and complete_run.is_evaluated:
            remove_attempts(job.folder)
            return
        work, made = complete_run.document["work"], complete_run.document["made"]
    else:
        # If the previous process was killed at the very end, nothing was loaded that could tell the device.
        facts = {"device": "not recorded", **facts}
        earlier_cost = complete_run.record.work.total_cost_usd if complete_run else None
        work = provenance.work(new_entries, facts, job.card.price, earlier_cost)
        made = provenance.made()
    reference = job.task.reference
    document = {
        "format": RUN_FORMAT,
        "system": msgspec.to_builtins(job.card),
        "adapter": identity,
        "config": dict(job.adapter_config),
        "identity": job.identity,
        "direction": job.task.direction,
        "reference": {
            "id": reference.id,
            "sha256": reference.sha256,
            "granularity": reference.granularity,
            "origin": reference.origin or reference.id,
        },
        "segments": len(hypotheses),
        **evaluation.record(hypotheses),
        "fell_back": sum(h.fell_back for h in hypotheses),
        "work": work,
        "made": made,
    }
    write_run(job.folder, hypotheses, document)


def _known(folder: Path) -> dict[str, Hypothesis]:
    """Key -> latest hypothesis. One with an error counts only if there is no other: its block may have been
    retried."""
    hypotheses = finished_hypotheses(folder)
    return {h.key: h for h in hypotheses if h.error} | {h.key: h for h in hypotheses if not h.error}


def _translate(
    job: TranslationJob,
    todo: Sequence[Source],
    keys: Mapping[str, str],
    label: str,
    check_lease: Callable[[], None],
) -> None:
    """Translate `todo` into the journal, the segments of a block together: half a block could not be resumed."""
    block = {source.id: source.request_id for source in todo}
    block_size = Counter(block.values())
    incomplete: dict[str, dict[str, Hypothesis]] = defaultdict(dict)
    with (
        bar(label, total=len(todo), unit="segments") as advance,
        Journal(job.folder, provenance.attempt(), at_once=job.card.price is not None) as journal,
    ):
        for source, output, fell_back in batching.outputs(job.adapter, todo, job.batch_tokens):
            name = block[source.id]
            incomplete[name][source.id] = _hypothesis(
                source, keys[source.id], output, fell_back, job.task.direction
            )
            if len(incomplete[name]) == block_size[name]:
                check_lease()
                finished = incomplete.pop(name)
                journal.add(finished.values())
                advance(len(finished))


def _keys(sources: Sequence[Source], system: str) -> dict[str, str]:
    """Segment id -> hash of everything that changes its output, in the order of `sources`.

    If one source text changes, only the segments that had it in their prompt are translated again.
    """
    block_texts: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        block_texts[source.request_id].append(source.text)
    keys = {}
    for source in sources:
        inputs: dict[str, Any] = {"system": system, "id": source.id, "source": source.text}
        if source.before:
            inputs["before"] = source.before
        if source.block:
            inputs["block"] = block_texts[source.block]
        if source.terms:
            inputs["terms"] = source.terms
        keys[source.id] = digest(inputs)
    return keys


def _hypothesis(
    source: Source, key: str, output: Output, fell_back: bool, direction: Direction
) -> Hypothesis:
    finish = output.finish or ("length" if output.truncated else "content_filter" if output.refused else "")
    return Hypothesis(
        id=source.id,
        key=key,
        text=output.text,
        raw=output.raw,
        flags=flags(output, source.text, direction),
        error=output.error,
        tokens_in=output.tokens_in,
        tokens_out=output.tokens_out,
        finish=finish,
        removed=output.removed,
        fell_back=fell_back,
        characters=output.characters,
    )
