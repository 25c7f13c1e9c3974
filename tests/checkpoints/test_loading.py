"""Checkpoints with code of their own: nothing in a folder is executed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.adapters.ctranslate2 import CTranslate2LLM
from bench.adapters.llm import LLM
from bench.checkpoints.loading import folder, load_model
from bench.checkpoints.weights import parse_weights
from bench.errors import BenchError
from bench.prompt import Prompt
from tests.helpers import tiny

PROMPT = Prompt("p", "Translate: {source}")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A tiny model with a custom_generate/generate.py, which transformers runs while it loads the model."""
    checkpoint = tiny.qwen(tmp_path / "checkpoint")
    code = checkpoint / "custom_generate" / "generate.py"
    code.parent.mkdir()
    code.write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\ndef generate(model, **kwargs): pass\n")
    return checkpoint


def test_an_unknown_architecture_is_said(tmp_path: Path) -> None:
    checkpoint = tiny.qwen(tmp_path / "checkpoint")
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps({**config, "model_type": "qwen99"}))
    with pytest.raises(BenchError, match=r"that transformers [\d.]+ does not know: .*make transformers5"):
        LLM(str(checkpoint), PROMPT, direction="zh-en").load()


@pytest.mark.parametrize("adapter", [LLM, CTranslate2LLM])
def test_custom_generate_is_refused(hostile: Path, adapter: type[LLM], tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="contains code"):
        adapter(str(hostile), PROMPT, direction="zh-en").load()
    assert not (tmp_path / "executed").exists()


def test_nothing_beside_a_gguf_file_is_read(hostile: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    gguf = tiny.qwen_gguf(
        hostile / "model.gguf", AutoModelForCausalLM.from_pretrained(tiny.qwen(tmp_path / "q"))
    )
    assert (folder(parse_weights(str(gguf))) / "model.safetensors").is_file()
    assert not (tmp_path / "executed").exists()


def test_a_loader_refuses_it_whoever_calls(hostile: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="contains code"):
        load_model(hostile, "AutoModelForCausalLM", "float32", "cpu")
    assert not (tmp_path / "executed").exists()


def test_the_soft_cap_of_gemma_2_is_applied(tmp_path: Path) -> None:
    """The default attention of transformers 4.57 leaves it out; the eager one is the model as published."""
    import torch
    from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "initializer_range": 1.0}
    config = Gemma2Config(vocab_size=50, attn_logit_softcapping=5.0, **sizes, **heads)
    without = Gemma2Config(vocab_size=50, attn_logit_softcapping=None, **sizes, **heads)
    Gemma2ForCausalLM(config).save_pretrained(tmp_path)
    ids = torch.tensor([[3, 14, 15, 9, 2, 6, 5]])

    def logits(model: torch.nn.Module) -> torch.Tensor:
        with torch.inference_mode():
            return model(input_ids=ids).logits

    ours, uncapped = (
        logits(load_model(tmp_path, "AutoModelForCausalLM", "float32", "cpu")),
        logits(
            AutoModelForCausalLM.from_pretrained(tmp_path, config=without, attn_implementation="eager").eval()
        ),
    )
    capped = logits(AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval())
    assert torch.allclose(ours, capped, atol=1e-5)
    assert (ours - uncapped).abs().max() > 0.1
