"""Tiny real checkpoints, created in a second: random weights, a tokenizer trained on the reference set."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from bench import references

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@cache
def texts() -> list[str]:
    segments = references.load("china-export-controls-2021").segments
    return [text for segment in segments for text in (segment.zh, segment.en)]


def byte_level_tokenizer(vocabulary: int = 600) -> Any:
    """Byte-level BPE, as in Qwen."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
    )


def qwen(folder: Path, **settings: Any) -> Path:
    """Full attention. Seed and range give greedy outputs that differ between prompts and in length.

    `settings` replace values of the config.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = byte_level_tokenizer()
    torch.manual_seed(1)
    values: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **settings,
    }
    config = Qwen2Config(**values)
    _save(Qwen2ForCausalLM(config), tokenizer, folder)
    return folder


def gemma(folder: Path, window: int = 512, multimodal: bool = False) -> Path:
    """Sliding attention in two of three layers. `multimodal`: a text model inside a larger one, as from 4B
    on."""
    import torch
    from transformers import Gemma3Config, Gemma3ForCausalLM, Gemma3ForConditionalGeneration, Gemma3TextConfig

    tokenizer = byte_level_tokenizer()
    torch.manual_seed(2)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=window,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        max_position_embeddings=2048,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    if multimodal:
        vision = {
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        }
        multimodal_config = Gemma3Config(
            text_config=config.to_dict(),
            vision_config={**vision, "image_size": 28, "patch_size": 14},
            eos_token_id=tokenizer.eos_token_id,
        )
        _save(Gemma3ForConditionalGeneration(multimodal_config), tokenizer, folder)
    else:
        _save(Gemma3ForCausalLM(config), tokenizer, folder)
    return folder


def qwen_gguf(path: Path, model: Any) -> Path:
    """A model of `qwen` in llama.cpp's format."""
    import gguf

    tokenizer = byte_level_tokenizer()
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    special = set(tokenizer.all_special_tokens) | {"<|im_start|>"}
    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    fields = {
        "tokenizer_model": "gpt2",
        "tokenizer_pre": "qwen2",
        "token_list": tokens,
        "token_types": kinds,
        "token_merges": [" ".join(pair) for pair in merges],
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.pad_token_id,
        "chat_template": CHAT_TEMPLATE,
    }
    write_gguf(path, model, gguf.MODEL_ARCH.QWEN2, "qwen2", fields)
    return path


def write_gguf(path: Path, model: Any, arch: Any, name: str, tokenizer: dict[str, Any]) -> None:
    """Write with gguf-py's own writer. `name`: the architecture in llama.cpp; `tokenizer`: arguments of add_…
    methods."""
    import gguf
    import numpy as np

    config = model.config
    writer = gguf.GGUFWriter(path, name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(_rope_theta(config))
    if name == "gemma3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        writer.add_sliding_window(config.sliding_window)
    for key, value in tokenizer.items():
        getattr(writer, f"add_{key}")(value)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for hf_name, tensor in model.state_dict().items():
        if hf_name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        data = tensor.numpy().astype(np.float32)
        if name == "gemma3" and hf_name.endswith("norm.weight"):
            data = data + 1  # llama.cpp stores Gemma's norms as factors, transformers as factors minus 1
        gguf_name = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
        assert gguf_name, hf_name
        writer.add_tensor(gguf_name, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _rope_theta(config: Any) -> float:
    """From the config of transformers 4 or 5 (there by kind of attention, if a model has several)."""
    if hasattr(config, "rope_theta"):
        return float(config.rope_theta)
    rope = config.rope_parameters
    return float(rope.get("full_attention", rope)["rope_theta"])


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
