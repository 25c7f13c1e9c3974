"""Sentence embeddings as evidence, where there is a model for them: an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core import BenchError
from bench.weights import Weights

if TYPE_CHECKING:
    from bench.references.evidence import Embed


def embedder(checkpoint: str) -> Embed:
    """A multilingual model that sentence-transformers loads (LaBSE, multilingual-e5 …), from a folder or the hub.

    Raises BenchError where the package or the checkpoint is missing.
    """
    raise BenchError("soon")
