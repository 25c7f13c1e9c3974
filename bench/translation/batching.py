"""What is translated with what: the sources of a set, in blocks and batches that fit into memory."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bench import progress
from bench.core import Adapter, Context, Output, ReferenceSet, Source, Unit, units
from bench.languages import Direction, sides
from bench.references.views import groups

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "failed to allocate", "std::bad_alloc")


def sources(reference: ReferenceSet, direction: Direction, context: Context) -> list[Source]:
    """The source of every segment, in the order of the set, with as much around it as `context` asks for."""
    language, _ = sides(direction)
    blocks = groups(reference, context.together) if context.together != "segment" else {}
    block = {segment.id: name for name, members in blocks.items() if len(members) > 1 for segment in members}
    found = []
    for document in groups(reference, "document").values():
        texts = [segment.text(language) for segment in document]
        for number, segment in enumerate(document):
            before = tuple(texts[max(0, number - context.previous) : number])
            found.append(Source(segment.id, texts[number], before, block.get(segment.id, "")))
    order = {segment.id: number for number, segment in enumerate(reference.segments)}
    return sorted(found, key=lambda source: order[source.id])


def outputs(
    adapter: Adapter, todo: Sequence[Source], direction: Direction, batch_tokens: int
) -> Iterator[tuple[Source, Output, bool]]:
    """Every source with its output, as they are finished, and whether it fell back to being translated alone.

    Batches are of rows of about one length, longest first, so that what does not fit into memory fails at once: rows times
    the longest is at most `batch_tokens`. A batch that runs out of memory is halved, and so is the budget of those after
    it. A block whose answer could not be split, or that does not fit into memory alone, falls back to single segments, in
    batches like all others; a segment that does not fit alone is an error of its own. Adapters give the
    outputs of a block one right after the other, so that it is never half done when the memory ends.
    """
    waiting: list[tuple[int, Unit]] = []
    alone: dict[str, Output] = {}  # what falls back, and what its block has cost

    def wait_for(some: Iterable[Unit]) -> None:
        waiting.extend((adapter.length(unit, direction), unit) for unit in some)
        waiting.sort(key=lambda one: (-one[0], one[1][0].id))

    def fall_back(unit: Unit, costs: Mapping[str, Output]) -> None:
        singles = [replace(source, block="") for source in unit]
        alone.update({source.id: costs.get(source.id, Output("")) for source in singles})
        wait_for((source,) for source in singles)

    wait_for(units(todo))
    while waiting:
        longest = waiting[0][0]
        rows = max(1, batch_tokens // longest) if longest else len(waiting)
        batch, waiting[:rows] = [unit for _, unit in waiting[:rows]], []
        left = {source.id: source for unit in batch for source in unit}
        unsplit: dict[str, Output] = {}
        failed = ""
        try:
            for id, output in adapter.translate([source for unit in batch for source in unit], direction):
                source = left.pop(id)
                if output.unsplit:
                    unsplit[id] = output
                    continue
                if cost := alone.get(id):
                    tokens_in, tokens_out = (
                        output.tokens_in + cost.tokens_in,
                        output.tokens_out + cost.tokens_out,
                    )
                    output = replace(output, tokens_in=tokens_in, tokens_out=tokens_out)
                yield source, output, id in alone
        except Exception as error:
            if not _is_out_of_memory(error) or not longest:
                raise
            failed = str(error).strip().partition("\n")[0] or type(error).__name__
        for unit in batch:
            if all(source.id in unsplit for source in unit):
                fall_back(unit, unsplit)
        if not failed:
            if left:
                raise RuntimeError(f"{type(adapter).__name__} gave nothing for {', '.join(sorted(left))}")
            continue
        _free_memory()  # here, where the error and the tensors that its frames hold are gone
        again = [unit for unit in batch if any(source.id in left for source in unit)]
        if len(batch) > 1:
            batch_tokens = longest * (len(batch) // 2)
            progress.say(
                f"Out of memory with {len(batch)} rows: going on with {len(batch) // 2}.", warning=True
            )
            wait_for(again)
        elif len(batch[0]) > 1:
            fall_back(batch[0], {})
        else:
            (source,) = batch[0]
            yield source, Output("", error=f"out of memory: {failed}"), source.id in alone


def _is_out_of_memory(error: Exception) -> bool:
    """torch and CTranslate2 say it in words; only torch's CUDA allocator has a class of its own."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()
