"""Decoder-only language models through transformers: chat models by their own template, base models by worked
examples.

Decoding is greedy, in a loop of our own. It gives the same outputs as `model.generate` and is faster on a
benchmark: finished rows leave the batch (`generate` pads them until the longest row ends); the prefix that
all prompts share (system text, instruction, examples) goes through the model once per run instead of once per
row; and prompts of similar length are read together.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from bench.adapters._engines import engine_version
from bench.adapters._language_model import CheckpointAdapter, Response, context_size
from bench.adapters._requests import Limits, TokenizedRequest
from bench.checkpoints.loading import Dtype, device, end_tokens, load_model, torch_facts
from bench.checkpoints.weights import WeightsConfig
from bench.core import Source, Unit
from bench.languages import Direction
from bench.prompt import Prompt

if TYPE_CHECKING:
    import torch

_GROUP = 8  # prompts that the model reads at once

_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}
"""Kinds of layers whose cache holds keys and values of each token."""

_Prefill = Literal["grouped", "plain"]
"""How prompts are read: in groups, after the shared prefix from the cache, or all at once from their first
token."""


class LLM(CheckpointAdapter):
    """`checkpoint`, `limits`: see CheckpointAdapter."""

    def __init__(
        self,
        checkpoint: WeightsConfig,
        prompt: Prompt,
        dtype: Dtype = "float32",
        *,
        direction: Direction,
        **limits: Annotated[Any, Limits],
    ) -> None:
        super().__init__(checkpoint, prompt, dtype, Limits(**limits), direction=direction)

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "llm",
            # Until version 2, the soft-cap of Gemma 2's attention was left out.
            "version": 3 if "gemma-2-" in repr(self.weights.sources).lower() else 2,
            **super().identity(),
            **engine_version("transformers"),
            "decoding": {"method": "greedy", **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return torch_facts(self.dtype)

    def batch_cost(self, unit: Unit) -> int:
        return self._requests.tokenize(unit).cost

    def _load_engine(self, path: Path) -> int:
        self._model = load_model(path, "AutoModelForCausalLM", self.dtype, device())
        if device() == "cpu":
            _speed_up_skinny_products(self._model)
        self._config = self._model.config.get_text_config()
        # Renamed in the course of transformers 5.
        self._cache_argument = (
            "cache" if "cache" in signature(self._model.forward).parameters else "past_key_values"
        )
        self._ends = end_tokens(self._model.generation_config, self._tokenizer)
        return context_size(self._model.config)

    def _generate(self, requests: Sequence[TokenizedRequest]) -> Iterator[tuple[Unit, Response]]:
        for rows, prefill in self._partition(requests):
            for number, tokens in self._decode(rows, prefill):
                yield rows[number].unit, self._response(rows[number], tokens)

    @cached_property
    def _prefix(self) -> tuple[list[int], Any]:
        """The tokens that all prompts begin with, and the model's cache after reading them."""
        import torch
        from transformers import DynamicCache

        before = ("0",) * self.prompt.previous
        dummies = [Source("", text, before) for text in ("0", "一", "A")]
        tokens = _common_prefix([self._requests.ids((dummy,)) for dummy in dummies])
        cache = DynamicCache(config=self._config)
        if tokens:
            with torch.inference_mode():
                ids = torch.tensor([tokens], device=device())
                cached = {self._cache_argument: cache}
                self._model(input_ids=ids, use_cache=True, logits_to_keep=1, **cached)
        return tokens, cache

    def _partition(
        self, requests: Sequence[TokenizedRequest]
    ) -> list[tuple[list[TokenizedRequest], _Prefill]]:
        """Split requests into those that may be padded after the shared prefix, and those that may not.

        With sliding attention, padding between the prefix and the rest could push tokens out of the window,
        and a row's output would depend on its neighbours. Rows that stay within the window to their end are
        safe. Layers that keep a state instead of keys and values (Qwen 3.5) can share no prefix.
        """
        if not _ATTENTION.issuperset(getattr(self._config, "layer_types", None) or ()):
            return [(list(requests), "plain")]
        window = getattr(self._config, "sliding_window", None) or self._context_size
        within: list[TokenizedRequest] = []
        beyond: list[TokenizedRequest] = []
        longest_prompt = longest_answer = 0
        for request in sorted(requests, key=lambda request: request.cost):
            prompt = max(longest_prompt, len(request.prompt))
            answer = max(longest_answer, request.limit)
            if prompt + answer <= window:
                longest_prompt, longest_answer = prompt, answer
                within.append(request)
            else:
                beyond.append(request)
        groups: list[tuple[list[TokenizedRequest], _Prefill]] = [(within, "grouped"), (beyond, "plain")]
        return [group for group in groups if group[0]]

    def _decode(self, rows: Sequence[TokenizedRequest], prefill: _Prefill) -> Iterator[tuple[int, list[int]]]:
        """Yield each row's number and greedy continuation, without the end token, as it ends."""
        import torch

        outputs: list[list[int]] = [[] for _ in rows]
        # Not one block around the loop: inference mode would stay on for the caller at every yield.
        with torch.inference_mode():
            numbers, logits, mask, cache = self._read([row.prompt for row in rows], prefill)
            positions = mask.sum(-1, keepdim=True)
        while True:
            with torch.inference_mode():
                chosen = logits.argmax(-1)
            unfinished = [
                self._append(outputs[n], token, rows[n])
                for n, token in zip(numbers, chosen.tolist(), strict=True)
            ]
            for number, continues in zip(numbers, unfinished, strict=True):
                if not continues:
                    yield number, outputs[number]
            if not any(unfinished):
                return
            with torch.inference_mode():
                keep = torch.tensor(unfinished, device=device())
                if not all(unfinished):
                    cache.reorder_cache(keep.nonzero().flatten())  # which all kinds of layers have
                    numbers = [n for n, continues in zip(numbers, unfinished, strict=True) if continues]
                chosen, mask, positions = chosen[keep], mask[keep], positions[keep]
                mask = torch.nn.functional.pad(mask, (0, 1), value=1)
                logits = self._forward(chosen[:, None], mask, positions, cache)
                positions = positions + 1

    def _read(
        self, prompts: list[list[int]], prefill: _Prefill
    ) -> tuple[list[int], torch.Tensor, torch.Tensor, Any]:
        """Read all prompts, in groups of similar length so that there is little padding.

        Returns the row numbers in the order of the following tensors, the logits of the next token (rows,
        vocabulary), the attention mask (rows, length) and the cache.
        """
        import torch
        from torch.nn.functional import pad
        from transformers import DynamicCache

        order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
        prefix, prefix_cache = self._prefix if prefill == "grouped" else ([], None)
        group_size = _GROUP if prefill == "grouped" else len(prompts)

        groups = []
        for start in range(0, len(order), group_size):
            group = [prompts[row] for row in order[start : start + group_size]]
            shared = len(prefix)
            if prefill == "plain" or any(p[:shared] != prefix or len(p) == shared for p in group):
                shared = 0
            ids, mask = _pad_left([prompt[shared:] for prompt in group], shared, device())
            cache: Any = DynamicCache(config=self._config)
            if shared:
                cache = copy.deepcopy(prefix_cache)
                cache.batch_repeat_interleave(len(group))
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, shared:]
            groups.append((self._forward(ids, mask, positions, cache), mask, cache))

        logits, masks, caches = zip(*groups, strict=True)
        if len(groups) == 1:
            return order, logits[0], masks[0], caches[0]
        cache, length = caches[0], masks[0].shape[1]  # the first group has the longest rows
        for number, layer in enumerate(cache.layers):
            for name in ("keys", "values"):
                tensors = [getattr(c.layers[number], name) for c in caches]
                setattr(layer, name, torch.cat([pad(t, (0, 0, length - t.shape[2], 0)) for t in tensors]))
        mask = torch.cat([pad(m, (length - m.shape[1], 0)) for m in masks])
        return order, torch.cat(logits), mask, cache

    def _forward(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        """Logits of the token after each row's last one, (rows, vocabulary). Extends `cache`."""
        result = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **{self._cache_argument: cache},
        )
        logits: torch.Tensor = result.logits[:, -1]
        return logits

    def _append(self, output: list[int], token: int, row: TokenizedRequest) -> bool:
        """Append a token to a row's output. Returns False if the row has ended."""
        if token in self._ends:
            return False
        output.append(token)
        return len(output) < row.limit and not self._requests.is_stopped(output, row.stop)


def _speed_up_skinny_products(model: Any) -> None:
    """Compute x W^T as (W x^T)^T if x has few rows, as in decoding: the same product, but torch's CPU matrix
    product is about twice as fast with the long side first (24 rows x 896 x 4864 in float32: 4.9 ms -> 2.8 ms
    on two cores)."""
    import torch
    from torch.nn.functional import linear

    def forward(layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        if len(rows) > 128:
            return linear(x, layer.weight, layer.bias)
        y = (layer.weight @ rows.t()).t().reshape(*x.shape[:-1], -1)
        return y if layer.bias is None else y + layer.bias

    for layer in model.modules():
        if type(layer) is torch.nn.Linear:
            layer.forward = partial(forward, layer)  # type: ignore[method-assign]


def _common_prefix(sequences: list[list[int]]) -> list[int]:
    length = 0
    while all(len(s) > length for s in sequences) and len({s[length] for s in sequences}) == 1:
        length += 1
    return sequences[0][:length]


def _pad_left(rows: list[list[int]], shared: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (rows, longest) and attention mask (rows, shared + longest), with ones for the prefix."""
    import torch

    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), shared + longest, dtype=torch.long)
    mask[:, :shared] = 1
    for i, row in enumerate(rows):
        ids[i, longest - len(row) :] = torch.tensor(row)
        mask[i, shared + longest - len(row) :] = 1
    return ids.to(device), mask.to(device)
