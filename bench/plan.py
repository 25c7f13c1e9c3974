"""What is translated with what: the sources of a set, in blocks and batches that fit into memory."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Iterator, Sequence

from bench import progress
from bench.asking import units
from bench.core import Adapter, Context, Direction, Output, ReferenceSet, Source, sides
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
) -> Iterator[tuple[str, Output]]:
    """Every source's id and output, as they are finished.

    Batches are of rows of about one length, longest first, so that what does not fit into memory fails at once: rows times
    the longest is at most `batch_tokens`. A batch that runs out of memory is halved, and so is the budget of those after
    it; a single row that does not fit alone is an error of its own. An id may come twice, where a block was begun before the
    memory ended: then the later one counts.
    """
    sized = [(adapter.length(unit, direction), unit) for unit in units(todo)]
    waiting = deque(sorted(sized, key=lambda one: (-one[0], one[1][0].id)))
    while waiting:
        longest = waiting[0][0]
        rows = min(len(waiting), max(1, batch_tokens // longest) if longest else len(waiting))
        batch = [waiting.popleft() for _ in range(rows)]
        left = {source.id for _, unit in batch for source in unit}
        try:
            for id, output in adapter.translate([source for _, unit in batch for source in unit], direction):
                left.discard(id)
                yield id, output
        except Exception as error:
            if not _is_out_of_memory(error) or not longest:
                raise
            reason = str(error).strip().partition("\n")[0]
        else:
            if left:
                raise RuntimeError(f"{type(adapter).__name__} gave nothing for {', '.join(sorted(left))}")
            continue
        _free_memory()  # here, where the error and the tensors that its frames hold are gone
        again = [(size, unit) for size, unit in batch if any(source.id in left for source in unit)]
        if len(batch) == 1:
            for source in again[0][1]:
                yield source.id, Output("", error=f"out of memory: {reason}")
            continue
        batch_tokens = longest * (rows // 2)
        progress.say(f"Out of memory with {rows} rows: going on with {rows // 2}.", warning=True)
        waiting.extendleft(reversed(again))


def _is_out_of_memory(error: Exception) -> bool:
    """torch and CTranslate2 say it in words; only torch's CUDA allocator has a class of its own."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()
