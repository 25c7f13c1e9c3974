"""A control: the source as its own translation. Its score is what a metric gives for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.core import Adapter, Output, Source


class Copy(Adapter):
    def identity(self) -> dict[str, object]:
        return {"adapter": "copy", "version": 1}

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for source in sources:
            yield source.id, Output(text=source.text)
