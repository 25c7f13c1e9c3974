"""Parts of a run, for sets so large that one process takes too long: each is a job of its own and writes a journal of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core import Source


@dataclass(frozen=True, slots=True)
class Shard:
    number: int = 0
    """From 0."""
    of: int = 1

    @property
    def name(self) -> str:
        """ "3-of-8", counted from 1 as people do; "" where it is all of the run."""
        return f"{self.number + 1}-of-{self.of}" if self.of > 1 else ""

    def take(self, sources: Sequence[Source]) -> list[Source]:
        """This shard's part of `sources`: neighbours, and never a part of a block.

        Shards are equally long in characters as far as blocks allow it. Tokens would need the model's tokenizer, and a shard
        with nothing to do must not load a model; within one language characters are as good. Every process of every machine
        comes to the same parts.
        """
        length: dict[str, int] = {}
        for source in sources:
            block = source.block or source.id
            length[block] = length.get(block, 0) + max(1, len(source.text))
        whole, before, shard = sum(length.values()), 0, {}
        for block, characters in length.items():
            # where the middle of the block lies, of all shards one after the other
            shard[block] = self.of * (2 * before + characters) // (2 * whole)
            before += characters
        return [source for source in sources if shard[source.block or source.id] == self.number]
