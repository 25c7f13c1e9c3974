"""Tiny random checkpoints of the architectures of language models in configs/system/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers import tiny

_SLIDING = {
    "head_dim": 16,
    "sliding_window": 24,
    "layer_types": ["sliding_attention", "full_attention"],
    "tie_word_embeddings": False,  # else a random Gemma ends its answer at once
}

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen3": ("Qwen3ForCausalLM", {"head_dim": 16}),
    "qwen3.5": (
        "Qwen3_5ForCausalLM",
        {
            "head_dim": 16,
            "layer_types": ["linear_attention", "full_attention"],
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
        },
    ),
    "gemma2": ("Gemma2ForCausalLM", _SLIDING),
    "gemma3": ("Gemma3ForCausalLM", _SLIDING),
    "gemma4": (
        "Gemma4ForCausalLM",
        {
            "global_head_dim": 16,
            "hidden_size_per_layer_input": 8,
            "vocab_size_per_layer_input": 600,
            "num_kv_shared_layers": 0,
            **_SLIDING,
        },
    ),
    "gpt-oss": (
        "GptOssForCausalLM",
        {"num_local_experts": 4, "num_experts_per_tok": 2, **_SLIDING},
    ),
    "hunyuan": ("HunYuanDenseV1ForCausalLM", {"head_dim": 16}),
    "llama": ("LlamaForCausalLM", {}),
    "mistral": ("MistralForCausalLM", {"sliding_window": None}),
    "ministral3": ("Ministral3ForCausalLM", {"head_dim": 16, "sliding_window": None}),
}
"""Name -> class in transformers, and settings besides the sizes that all have."""


def is_known(name: str) -> bool:
    """Whether the installed transformers has the architecture."""
    import transformers

    return hasattr(transformers, ARCHITECTURES[name][0])


def checkpoint(name: str, folder: Path) -> Path:
    """A folder with the checkpoint. Seed and range give greedy outputs that differ between prompts."""
    import torch
    import transformers

    class_name, settings = ARCHITECTURES[name]
    model_class = getattr(transformers, class_name)
    tokenizer = tiny.byte_level_tokenizer()
    values: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **settings,
    }
    torch.manual_seed(1)
    model = model_class(model_class.config_class(**values))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
