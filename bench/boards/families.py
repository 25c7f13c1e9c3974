"""Which family of models a name belongs to: a judge may prefer texts of its own family (Panickssery et al. 2024,
arXiv 2404.13076)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.core import Judging
from bench.records import RunRecord

_FAMILIES = {
    "OpenAI": r"(?<![a-z])(?:gpt|chatgpt|o[134])(?![a-z])",
    "Google": r"gemma|gemini|palm-|madlad",
    "Qwen": r"qwen|qwq|qvq",
    "Llama": r"llama",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral",
    "DeepSeek": r"deepseek",
    "Anthropic": r"claude",
    "GLM": r"(?<![a-z])(?:chat)?glm",
    "Hunyuan": r"hunyuan",
    "Seed": r"(?<![a-z])(?:seed|doubao)(?![a-z])",
    "Cohere": r"command-|(?<![a-z])aya(?![a-z])",
    "Kimi": r"kimi|moonshot",
    "ERNIE": r"ernie",
    "Phi": r"(?<![a-z])phi-?\d",
    "Yi": r"(?<![a-z])yi-",
    "MiniMax": r"minimax",
    "Grok": r"grok",
}


def families(names: Sequence[str]) -> set[str]:
    """The families that the names of a model say: a checkpoint, what it was made from, a name at an endpoint."""
    text = " ".join(names).lower()
    return {family for family, pattern in _FAMILIES.items() if re.search(pattern, text)}


def same_family(judging: Judging, run: RunRecord) -> bool:
    """Whether a judge and a system are of one family, as far as their names say."""
    card, adapter = run.system, run.adapter
    names = [card.name, card.label or "", card.base_model or "", *_texts(adapter.get("model"))]
    names += _texts(run.config.get("checkpoint"))
    return bool(families([judging.model, judging.base_model]) & families(names))


def _texts(value: Any) -> Iterator[str]:
    """A model's name, or the hub ids and files of a checkpoint."""
    if isinstance(value, str):
        yield value[:200]
    elif isinstance(value, Mapping):
        yield from (item[:200] for key in ("file", "hub") if isinstance(item := value.get(key), str))
