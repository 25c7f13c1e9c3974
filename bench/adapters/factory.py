"""Adapters inside scorers: what a scorer's yaml says about the model that it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.core import Adapter
from bench.endpoints import Endpoint
from bench.errors import BenchError
from bench.languages import Direction


@dataclass(frozen=True)
class AdapterFactory:
    """Creates the adapter that a yaml describes, in either direction."""

    kind: Callable[..., Adapter]
    settings: Mapping[str, Any]
    key: str
    """Where the yaml describes it: "metric.judge-esa.model"."""

    def __call__(self, direction: Direction) -> Adapter:
        """Raises BenchError, which names settings by their place in this yaml."""
        try:
            adapter = self.kind(**self.settings, direction=direction)
        except BenchError as error:
            raise self.in_place(error) from None
        endpoint = getattr(adapter, "endpoint", None)
        if isinstance(endpoint, Endpoint):
            endpoint.yaml = self.key
        return adapter

    def in_place(self, error: BenchError) -> BenchError:
        """An adapter's own messages speak of system.adapter."""
        return BenchError(str(error).replace("system.adapter", self.key))
