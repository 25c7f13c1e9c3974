"""Sentence embeddings as evidence for the aligner, where somebody wants to spend the time: an optional extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights
from bench.errors import BenchError
from bench.progress import bar

if TYPE_CHECKING:
    import numpy as np

    from bench.references.alignment.evidence import Embed

EMBEDDED = "e5"
"""The name of multilingual-e5-small, which the package registry carries."""
_AT_ONCE = 256


def embedder(checkpoint: str) -> Embed:
    """A multilingual model that sentence-transformers loads: "e5", a folder, or org/model@commit (LaBSE, BGE-M3 …).

    Texts that stand more than once are encoded once. Raises BenchError where the package or the checkpoint is missing.
    """
    try:
        import sentence_transformers
        import transformers
    except ImportError:
        raise BenchError(
            "Embeddings need the extra: pip install 'bitext-bench[embeddings]', or build without them."
        ) from None
    transformers.logging.set_verbosity_error()  # else it warns of a pattern that this tokenizer does not have
    if checkpoint == EMBEDDED:
        from bench.checkpoints import e5

        folder = e5.folder()
    else:
        folder = resolve(parse_weights(checkpoint))
    try:
        model = sentence_transformers.SentenceTransformer(
            str(folder), trust_remote_code=False, local_files_only=True, device="cpu"
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BenchError(
            f"{folder} holds no model that sentence-transformers loads ({type(error).__name__}): name another."
        ) from None

    def embed(texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        parts = []
        with bar("embed", len(distinct), "sentences") as advance:
            for start in range(0, len(distinct), _AT_ONCE):
                batch = distinct[start : start + _AT_ONCE]
                parts.append(model.encode(batch, normalize_embeddings=True, show_progress_bar=False))
                advance(len(batch))
        place = {text: row for row, text in enumerate(distinct)}
        return np.concatenate(parts)[[place[text] for text in texts]]

    return embed
