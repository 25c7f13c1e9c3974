"""Embeddings as evidence: a tiny real checkpoint, and vectors that decide when no other evidence does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.references.alignment.embed import load_embedder
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.read import SourceText
from tests.helpers.tiny import byte_level_tokenizer

needs_package = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import sentence_transformers"], capture_output=True).returncode
    != 0,
    reason="sentence-transformers is missing: pip install 'bitext-bench[embeddings]'",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("embeddings")
    tokenizer = byte_level_tokenizer()
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"), max_seq_length=64)
    SentenceTransformer(modules=[transformer, modules.Pooling(32, "mean")]).save(str(folder / "model"))
    return folder / "model"


@needs_package
def test_a_checkpoint_gives_vectors_of_length_one_in_the_order_of_the_texts(checkpoint: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [
        "中国主张和平。",
        "China stands for peace.",
        "中国主张和平。",
        "a much longer text than the others " * 3,
    ]
    vectors = load_embedder(str(checkpoint))(texts)
    assert vectors.shape == (4, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    alone = SentenceTransformer(str(checkpoint), device="cpu").encode(texts, normalize_embeddings=True)
    assert np.allclose(vectors, alone, atol=1e-5)


def test_a_missing_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchError):
        load_embedder(str(tmp_path / "nothing"))


def test_without_the_package_the_message_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['sentence_transformers'] = None\n"
        "from bench.references.alignment.embed import load_embedder\n"
        "try: load_embedder('e5')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        "BenchError Embeddings need the extra: pip install 'bitext-bench[embeddings]'"
    )


def test_vectors_decide() -> None:
    # Words that are in no lexicon; by length the middle sentence may belong to either neighbour.
    zh = "鼹鼠打洞挖土。狐獴站岗放哨。"
    en = "Moles burrow the loam. They tunnel. Meerkats stand sentry."
    place = {
        "Moles burrow the loam.": 0,
        "Meerkats stand sentry.": 1,
        "鼹鼠打洞挖土。": 0,
        "狐獴站岗放哨。": 1,
    }

    def vectors(middle: int) -> list[tuple[str, str]]:
        def embed(texts: Sequence[str]) -> np.ndarray:
            return np.eye(3)[[place.get(text, middle) for text in texts]]

        built = build_segments(SourceText({"zh": zh, "en": en}, False, ()), embed=embed)
        return [(s.zh, s.en) for s in built.segments]

    assert vectors(middle=0)[0] == ("鼹鼠打洞挖土。", "Moles burrow the loam. They tunnel.")
    assert vectors(middle=1)[1] == ("狐獴站岗放哨。", "They tunnel. Meerkats stand sentry.")
