"""Decoder-only language models through transformers: chat models by their own template, base models by worked examples.

Decoding is greedy, in a loop of our own. It differs from `model.generate` in three things that make it fast on a benchmark
without changing an output: rows leave the batch when they are finished (generate pads them until the longest row ends); what
all prompts begin with (system text, instruction, examples) goes through the model once per run instead of once per row; and
prompts are read in groups of similar length.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from bench.adapters import _cleaning
from bench.adapters._requests import TOO_LONG, Answer, Limits, Reader, Row, answered
from bench.checkpoints.loading import device, end_tokens, folder, load_model, load_tokenizer, torch_facts
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Context, Output, Source, Unit, Weights
from bench.languages import Direction
from bench.prompt import Prompt

if TYPE_CHECKING:
    import torch


_GROUP = 8  # prompts that are read at once


_Reading = Literal["grouped", "plain"]


class LLM(Adapter):
    """`checkpoint`: see bench.checkpoints.weights.Weights (a folder, a GGUF file, hub-id@revision, or a list of sources).
    `limits`: see bench.adapters._requests.Limits; what is cut off carries the flag `truncated`.
    """

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        prompt: Prompt,
        dtype: str = "float32",
        *,
        direction: Direction,
        **limits: Any,
    ) -> None:
        super().__init__(direction)
        self.weights = parse_weights(checkpoint)
        self.prompt = prompt
        self.dtype = dtype
        self.limits = Limits(**limits)

    @property
    def context(self) -> Context:
        return self.prompt.context

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "llm",
            "version": 2,
            "cleaning": _cleaning.VERSION,
            "checkpoint": fingerprint(self.weights),
            "prompt": self.prompt.identity(),
            "dtype": self.dtype,
            "decoding": {"method": "greedy", **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return torch_facts(self.dtype)

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        folder(self.weights)

    def load(self) -> None:
        path = folder(self.weights)
        self._tokenizer = load_tokenizer(path)
        self._reader = Reader(self._tokenizer, self.prompt, self.limits, self.direction)
        self._model = load_model(path, "AutoModelForCausalLM", self.dtype, device())
        if device() == "cpu":
            _speed_up_thin_products(self._model)
        # A model that also sees pictures keeps its text model's config in its own.
        self._config = self._model.config.get_text_config()
        self._context = int(getattr(self._config, "max_position_embeddings", None) or 1 << 30)
        self._ends = end_tokens(self._model.generation_config, self._tokenizer)

    def batch_cost(self, unit: Unit) -> int:
        return self._reader.batch_cost(unit)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        return answered(sources, self.prompt, self._complete)

    def _complete(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Answer]]:
        rows, too_long = self._reader.rows(units, self._context)
        yield from ((unit, TOO_LONG) for unit in too_long)
        for part, how in self._readings(rows):
            for number, tokens in self._decode([rows[i] for i in part], how):
                row = rows[part[number]]
                text = self._tokenizer.decode(tokens, skip_special_tokens=True)
                cut = len(tokens) >= row.limit and not (row.stop and row.stop in text)
                yield row.unit, Answer(text, len(row.prompt), len(tokens), truncated=cut)

    @cached_property
    def _prefix(self) -> tuple[list[int], Any]:
        """The tokens that all prompts start with, and the model's cache after reading them."""
        import torch
        from transformers import DynamicCache

        before = ("0",) * self.prompt.previous
        dummies = [Source("", text, before) for text in ("0", "一", "A")]
        tokens = _common([self._reader.ids((dummy,)) for dummy in dummies])
        cache = DynamicCache(config=self._config)
        if tokens:
            with torch.inference_mode():
                ids = torch.tensor([tokens], device=device())
                self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return tokens, cache

    def _readings(self, rows: Sequence[Row]) -> list[tuple[list[int], _Reading]]:
        """Which rows (their numbers) may be read with padding inside, and which only plainly.

        Where attention slides, padding between the shared prefix and the rest could push tokens out of the window, and a
        row's output would depend on its neighbours. It cannot in rows that stay within the window to their end.
        """
        window = getattr(self._config, "sliding_window", None) or self._context
        within: list[int] = []
        beyond: list[int] = []
        length = answer = 0
        for number, row in sorted(enumerate(rows), key=lambda r: len(r[1].prompt) + r[1].limit):
            longest, most = max(length, len(row.prompt)), max(answer, row.limit)
            if longest + most <= window:
                length, answer = longest, most
                within.append(number)
            else:
                beyond.append(number)
        parts: list[tuple[list[int], _Reading]] = [(within, "grouped"), (beyond, "plain")]
        return [part for part in parts if part[0]]

    def _decode(self, rows: Sequence[Row], how: _Reading) -> Iterator[tuple[int, list[int]]]:
        """Row number and greedy continuation of each prompt as it ends: at most its limit long, without the token that ended it."""
        import torch

        outputs: list[list[int]] = [[] for _ in rows]
        # Not one block around the loop: what a generator switches on stays on for its caller at every yield.
        with torch.inference_mode():
            numbers, logits, mask, cache = self._read([row.prompt for row in rows], how)
            positions = mask.sum(-1, keepdim=True)
        while True:
            with torch.inference_mode():
                chosen = logits.argmax(-1)
            going = [
                self._take(outputs[n], token, rows[n])
                for n, token in zip(numbers, chosen.tolist(), strict=True)
            ]
            for number, goes_on in zip(numbers, going, strict=True):
                if not goes_on:
                    yield number, outputs[number]
            if not any(going):
                return
            with torch.inference_mode():
                keep = torch.tensor(going, device=device())
                if not all(going):
                    cache.batch_select_indices(keep.nonzero().flatten())
                    numbers = [number for number, goes_on in zip(numbers, going, strict=True) if goes_on]
                chosen, mask, positions = chosen[keep], mask[keep], positions[keep]
                mask = torch.nn.functional.pad(mask, (0, 1), value=1)
                logits = self._forward(chosen[:, None], mask, positions, cache)
                positions = positions + 1

    def _read(
        self, prompts: list[list[int]], how: _Reading
    ) -> tuple[list[int], torch.Tensor, torch.Tensor, Any]:
        """What the model has read when it has read the prompts, in groups of similar length so that little is padding:
        row numbers, logits of the next token (rows, vocabulary), attention mask (rows, length), cache."""
        import torch
        from torch.nn.functional import pad
        from transformers import DynamicCache

        order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
        prefix, prefix_cache = self._prefix
        group = _GROUP if how == "grouped" else len(prompts)

        read = []
        for start in range(0, len(order), group):
            texts = [prompts[row] for row in order[start : start + group]]
            shared = len(prefix)
            if how == "plain" or any(t[:shared] != prefix or len(t) == shared for t in texts):
                shared = 0
            ids, mask = _pad_left([text[shared:] for text in texts], shared, device())
            cache = DynamicCache(config=self._config)
            if shared:
                cache = copy.deepcopy(prefix_cache)
                cache.batch_repeat_interleave(len(texts))
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, shared:]
            read.append((self._forward(ids, mask, positions, cache), mask, cache))

        logits, masks, caches = zip(*read, strict=True)
        if len(read) == 1:
            return order, logits[0], masks[0], caches[0]
        cache, length = caches[0], masks[0].shape[1]  # the first group has the longest rows
        for number, layer in enumerate(cache.layers):
            for part in ("keys", "values"):
                tensors = [getattr(c.layers[number], part) for c in caches]
                setattr(layer, part, torch.cat([pad(t, (0, 0, length - t.shape[2], 0)) for t in tensors]))
        mask = torch.cat([pad(m, (length - m.shape[1], 0)) for m in masks])
        return order, torch.cat(logits), mask, cache

    def _forward(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        """Logits of the token after each row's last, (rows, vocabulary); `cache` grows by what was read."""
        result = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return result.logits[:, -1]

    def _take(self, output: list[int], token: int, row: Row) -> bool:
        """Append a token to its row; False where the row has ended."""
        if token in self._ends:
            return False
        output.append(token)
        return len(output) < row.limit and not self._reader.stopped(output, row.stop)


def _speed_up_thin_products(model: Any) -> None:
    """Compute x W^T as (W x^T)^T where x has few rows, as in decoding: the same product, but torch's CPU matrix product is
    about twice as fast with the long side first (24 rows x 896 x 4864 in float32: 4.9 ms -> 2.8 ms on two cores)."""
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


def _common(sequences: list[list[int]]) -> list[int]:
    """The longest common beginning."""
    same = 0
    while all(len(s) > same for s in sequences) and len({s[same] for s in sequences}) == 1:
        same += 1
    return sequences[0][:same]


def _pad_left(rows: list[list[int]], shared: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (rows, longest) and the attention mask (rows, shared + longest) with ones for the shared prefix."""
    import torch

    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), shared + longest, dtype=torch.long)
    mask[:, :shared] = 1
    for i, row in enumerate(rows):
        ids[i, longest - len(row) :] = torch.tensor(row)
        mask[i, shared + longest - len(row) :] = 1
    return ids.to(device), mask.to(device)
