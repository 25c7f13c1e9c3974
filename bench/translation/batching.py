"""The sources of a task, in blocks and in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bench import device_memory, progress
from bench.core import Adapter, Context, Output, Source, Task, Unit, units
from bench.references.views import groups
from bench.translation.glossary import segment_terms


def sources(task: Task, context: Context) -> list[Source]:
    """The source of every segment, in the order of the set, with the surroundings that `context` asks for."""
    reference, language = task.reference, task.source_language
    blocks = groups(reference, context.together) if context.together != "segment" else {}
    block = {s.id: name for name, segments in blocks.items() if len(segments) > 1 for s in segments}
    terms = segment_terms(task, context)
    by_id = {}
    for document in groups(reference, "document").values():
        texts = [segment.text(language) for segment in document]
        for number, segment in enumerate(document):
            previous = tuple(texts[max(0, number - context.previous) : number])
            by_id[segment.id] = Source(
                segment.id, texts[number], previous, block.get(segment.id, ""), terms.get(segment.id, ())
            )
    return [by_id[id] for id in task.ids]


def outputs(
    adapter: Adapter, todo: Sequence[Source], batch_tokens: int
) -> Iterator[tuple[Source, Output, bool]]:
    """Every source with its output, as soon as it is finished, and whether it fell back to a request of its
    own.

    Batches hold units of similar cost, most expensive first, so that a batch that is too large fails at once:
    number of units times the largest `batch_cost` is at most `batch_tokens`. When memory runs out, the batch
    and the budget of later batches are halved. A block whose response could not be split, or that does not
    fit into memory alone, falls back to single segments; a segment that does not fit alone gets an error of
    its own. Adapters return the outputs of a block one after the other, so that a block is never half
    finished when memory runs out.
    """
    queue = _Queue(adapter)
    queue.add(units(todo))
    while queue.waiting:
        batch, batch_cost = queue.take(batch_tokens)
        pending = {source.id: source for unit in batch for source in unit}
        unsplit: dict[str, Output] = {}
        failure = ""
        try:
            for id, output in adapter.translate([source for unit in batch for source in unit]):
                source = pending.pop(id)
                if output.unsplit:
                    unsplit[id] = output
                else:
                    yield source, queue.with_block_cost(id, output), id in queue.fallen_back
        except Exception as error:
            if not device_memory.is_out_of_memory(error) or not batch_cost:
                raise
            failure = str(error).strip().partition("\n")[0] or type(error).__name__
        for unit in batch:
            if all(source.id in unsplit for source in unit):
                queue.fall_back(unit, unsplit)
        if not failure:
            if pending:
                raise RuntimeError(
                    f"{type(adapter).__name__} returned nothing for {', '.join(sorted(pending))}"
                )
            continue
        device_memory.free()  # here, where the error and the tensors that its frames hold are gone
        if len(batch) > 1:
            smaller = len(batch) // 2
            batch_tokens = batch_cost * smaller
            progress.say(f"Out of memory at batch size {len(batch)}; retrying with {smaller}.", warning=True)
            queue.add(unit for unit in batch if any(source.id in pending for source in unit))
        elif len(batch[0]) > 1:
            queue.fall_back(batch[0], {})
        else:
            (source,) = batch[0]
            yield source, Output("", error=f"out of memory: {failure}"), source.id in queue.fallen_back


class _Queue:
    """Units that wait to be translated, most expensive first."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.waiting: list[tuple[int, Unit]] = []
        self.fallen_back: dict[str, Output] = {}
        """Segment id -> the tokens that its block has already cost."""

    def add(self, new_units: Iterable[Unit]) -> None:
        self.waiting.extend((self._adapter.batch_cost(unit), unit) for unit in new_units)
        self.waiting.sort(key=lambda entry: (-entry[0], entry[1][0].id))

    def take(self, batch_tokens: int) -> tuple[list[Unit], int]:
        """The next batch, and the cost of its most expensive unit: 0 if the engine does its own batching."""
        batch_cost = self.waiting[0][0]
        size = max(1, batch_tokens // batch_cost) if batch_cost else len(self.waiting)
        batch = [unit for _, unit in self.waiting[:size]]
        del self.waiting[:size]
        return batch, batch_cost

    def fall_back(self, unit: Unit, costs: Mapping[str, Output]) -> None:
        """Request each segment of a block on its own. `costs`: what the block's response has cost, if there
        was one."""
        singles = [replace(source, block="") for source in unit]
        self.fallen_back.update({source.id: costs.get(source.id, Output("")) for source in singles})
        self.add((source,) for source in singles)

    def with_block_cost(self, id: str, output: Output) -> Output:
        cost = self.fallen_back.get(id)
        if not cost:
            return output
        return replace(
            output,
            tokens_in=output.tokens_in + cost.tokens_in,
            tokens_out=output.tokens_out + cost.tokens_out,
        )
