"""The embeddings and the output layer of a loaded model are those of its checkpoint, whatever the engine ties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bench.checkpoints.loading import load_model
from bench.checkpoints.ties import check_ties
from bench.errors import BenchError

OUTPUT = "lm_head.weight"
_HEADS = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
_LAYERS = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
_TOKENS = {"pad_token_id": 39, "decoder_start_token_id": 39, "eos_token_id": 0}


def marian(folder: Path, is_shared: bool = True) -> Path:
    """As the older OPUS-MT are published: the file has every name of a shared matrix, the config no statement."""
    from transformers import MarianConfig, MarianMTModel

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"vocab_size": 40, "d_model": 16, "max_position_embeddings": 32}
    config = MarianConfig(share_encoder_decoder_embeddings=is_shared, **sizes, **_HEADS, **_LAYERS, **_TOKENS)
    model: Any = MarianMTModel(config)
    model.save_pretrained(folder)
    save_file({name: values.clone() for name, values in model.state_dict().items()}, weights(folder))
    return state(folder, None)


def t5(folder: Path) -> Path:
    """As MADLAD-400 is published: the encoder's embeddings are those of the decoder, under one name."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    model: Any = T5ForConditionalGeneration(T5Config(vocab_size=40, tie_word_embeddings=False, **sizes))
    model.save_pretrained(folder)
    stored = {name: values.clone() for name, values in model.state_dict().items()}
    del stored["shared.weight"], stored["encoder.embed_tokens.weight"]
    stored[OUTPUT] = torch.randn(40, 16)
    save_file(stored, weights(folder))
    return state(folder, False)


def weights(folder: Path) -> Path:
    return folder / "model.safetensors"


def state(folder: Path, is_tied: bool | None) -> Path:
    """Write into config.json whether the output layer is tied; None: leave it out."""
    config = json.loads((folder / "config.json").read_text())
    config.pop("tie_word_embeddings", None)
    stated = {} if is_tied is None else {"tie_word_embeddings": is_tied}
    (folder / "config.json").write_text(json.dumps(config | stated))
    return folder


def change_output(folder: Path) -> dict[str, torch.Tensor]:
    """Give the file an output layer of its own. All that it then holds."""
    stored = load_file(weights(folder))
    stored[OUTPUT] = torch.randn_like(stored[OUTPUT])
    save_file(stored, weights(folder))
    return stored


def load(folder: Path, pickled: bool = False) -> Any:
    return load_model(folder, "AutoModelForSeq2SeqLM", "float32", "cpu", pickled)


@pytest.mark.parametrize("is_shared", [True, False])
def test_an_output_layer_of_its_own_needs_a_statement(tmp_path: Path, is_shared: bool) -> None:
    folder = marian(tmp_path / "opus", is_shared)
    assert load(folder).lm_head.weight.shape == (40, 16)
    stored = change_output(folder)
    with pytest.raises(BenchError, match=r'does not say whether .*"tie_word_embeddings": true .*or false'):
        load(folder)

    embeddings = stored["model.decoder.embed_tokens.weight"]
    tied = load(state(folder, True))
    assert torch.equal(tied.lm_head.weight, embeddings)
    assert torch.equal(tied.model.decoder.embed_tokens.weight, embeddings)
    untied = load(state(folder, False))
    assert torch.equal(untied.lm_head.weight, stored[OUTPUT])
    assert torch.equal(untied.model.decoder.embed_tokens.weight, embeddings)
    assert torch.equal(untied.model.encoder.embed_tokens.weight, stored["model.encoder.embed_tokens.weight"])


def test_pickled_weights_are_compared_too(tmp_path: Path) -> None:
    folder = marian(tmp_path / "opus")
    stored = load_file(weights(folder))
    weights(folder).unlink()
    torch.save(stored, folder / "pytorch_model.bin")
    assert torch.equal(load(folder, pickled=True).lm_head.weight, stored[OUTPUT])
    torch.save(stored | {OUTPUT: torch.randn_like(stored[OUTPUT])}, folder / "pytorch_model.bin")
    with pytest.raises(BenchError, match="does not say whether its output layer is tied"):
        load(folder, pickled=True)


def test_an_encoder_without_embeddings_gets_those_of_the_decoder(tmp_path: Path) -> None:
    """transformers 5.15 is reported to give it the output layer (github.com/huggingface/transformers/issues/48154)."""
    folder = t5(tmp_path / "madlad")
    stored, model = load_file(weights(folder)), load(folder)
    assert torch.equal(model.encoder.embed_tokens.weight, stored["decoder.embed_tokens.weight"])
    assert torch.equal(model.lm_head.weight, stored[OUTPUT])
    check_ties(folder, model)
    given = torch.nn.Embedding(40, 16)
    given.weight = model.lm_head.weight
    model.encoder.set_input_embeddings(given)
    with pytest.raises(
        BenchError, match=r"transformers [\d.]+ fills encoder\.embed_tokens\.weight with other"
    ):
        check_ties(folder, model)


def test_a_language_model_is_tied_as_its_config_states(tmp_path: Path) -> None:
    """transformers 4 ties it, and transformers 5 leaves it."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes: dict[str, Any] = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 16}
    heads: dict[str, Any] = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    model: Any = Qwen2ForCausalLM(Qwen2Config(tie_word_embeddings=True, **sizes, **heads))
    model.save_pretrained(tmp_path)
    save_file(load_file(weights(tmp_path)) | {OUTPUT: torch.randn(40, 16)}, weights(tmp_path))
    loaded = load_model(tmp_path, "AutoModelForCausalLM", "float32", "cpu")
    assert torch.equal(loaded.lm_head.weight, loaded.model.embed_tokens.weight)
