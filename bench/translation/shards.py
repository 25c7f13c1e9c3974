"""Shards of a run, for sets so large that one process takes too long. Each shard is a job with a journal of
its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core import Source


@dataclass(frozen=True, slots=True)
class Shard:
    number: int = 0
    """From 0."""
    count: int = 1

    @property
    def name(self) -> str:
        """ "3-of-8", counted from 1; "" if there is only one shard."""
        return f"{self.number + 1}-of-{self.count}" if self.count > 1 else ""

    def take(self, sources: Sequence[Source]) -> list[Source]:
        """The sources of this shard: neighbours, with blocks kept together.

        Shards have equal numbers of characters as far as blocks allow. Counting tokens would need the model's
        tokenizer, and a shard without work must not load a model; within one language, characters are as
        good. Every process on every machine computes the same shards.
        """
        length: dict[str, int] = {}
        for source in sources:
            length[source.request_id] = length.get(source.request_id, 0) + max(1, len(source.text))
        total, start, shard = sum(length.values()), 0, {}
        for block, characters in length.items():
            # The shard that contains the middle of the block, if all shards are laid end to end.
            shard[block] = self.count * (2 * start + characters) // (2 * total)
            start += characters
        return [source for source in sources if shard[source.request_id] == self.number]
