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

from bench import cleaning
from bench.core import BenchError, Direction, Output, Source
from bench.gguf import converted, refuse_gaps
from bench.prompt import Prompt
from bench.weights import Weights, fingerprint, resolve

if TYPE_CHECKING:
    import torch


_GROUP = 8  # prompts that are read at once

_TOKENS_RATIO: Mapping[Direction, float] = {"zh-en": 2.5, "en-zh": 1.25}
"""Tokens of a translation to tokens of its source. Measured on the white paper's references with the tokenizers of Qwen 2.5 and
Gemma 3: at most 2.4 into English and 1.3 into Chinese, and that in headings, for which tokens_base is there."""


_Reading = Literal["grouped", "plain"]


class LLM:
    """`checkpoint`: see bench.weights.Weights (a folder, a GGUF file, hub-id@revision, or a list of sources).

    A translation is cut off at `tokens_base + tokens_ratio` times the tokens of its source, at most `max_new_tokens`:
    a model that loops should not cost more than the rest of the suite. What is cut off carries the flag `truncated`.
    """

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        prompt: Prompt,
        dtype: str = "float32",
        max_new_tokens: int = 512,
        tokens_base: int = 32,
        tokens_ratio: Mapping[Direction, float] = _TOKENS_RATIO,
    ) -> None:
        self.weights = Weights.parse(checkpoint)
        self.prompt = prompt
        self.dtype = dtype
        self.max_new_tokens = max_new_tokens
        self.tokens_base = tokens_base
        self.tokens_ratio = dict(tokens_ratio)
        self._prefixes: dict[Direction, tuple[list[int], Any]] = {}

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "llm",
            "version": 1,
            "cleaning": cleaning.VERSION,
            "checkpoint": fingerprint(self.weights),
            "prompt": {
                "name": self.prompt.name,
                "query": self.prompt.query,
                "examples": [dict(example) for example in self.prompt.examples],
                "chat": self.prompt.chat,
                "stop": self.prompt.stop,
            },
            "dtype": self.dtype,
            "decoding": {
                "method": "greedy",
                "max_new_tokens": self.max_new_tokens,
                "tokens_base": self.tokens_base,
                "tokens_ratio": self.tokens_ratio,
            },
        }

    @cached_property
    def device(self) -> str:
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def load(self) -> None:
        import torch
        import transformers

        path = resolve(self.weights)
        if path.is_file():
            if path.suffix != ".gguf":
                raise BenchError(
                    f"{path} is neither a GGUF file nor a model folder: set the checkpoint to one."
                )
            path = converted(path, fingerprint(self.weights))
        # It warns that every local tokenizer but one has the wrong pattern; ours come with their own tokenizer.json.
        transformers.logging.set_verbosity_error()
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False)
            read: Any = transformers.AutoModelForCausalLM.from_pretrained
            model, loaded = read(
                path,
                dtype=getattr(torch, self.dtype),
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        except Exception as error:  # a folder that is no checkpoint makes the library fail in many ways
            reason = str(error).strip().partition("\n")[0]
            raise BenchError(
                f"The checkpoint in {path} cannot be loaded: {reason or type(error).__name__}"
            ) from error
        refuse_gaps(path, loaded)
        self._model = model.eval().to(self.device)
        if self.device == "cpu":
            _speed_up_thin_products(self._model)
        self._context = int(getattr(model.config, "max_position_embeddings", None) or 1 << 30)
        # A checkpoint names the tokens that end an answer in its generation config or in its tokenizer.
        named = model.generation_config.eos_token_id if model.generation_config else None
        ends = {self._tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}
        self._ends = frozenset(id for id in ends if id is not None)

    def translate(self, sources: Sequence[Source], direction: Direction) -> Iterator[tuple[str, Output]]:
        prompts = [self._encode(source.text, direction) for source in sources]
        limits = [self._limit(source.text, direction) for source in sources]
        fit = []
        for i, source in enumerate(sources):
            if len(prompts[i]) + limits[i] <= self._context:
                fit.append(i)
            else:
                yield source.id, Output("", error="longer than the model's context")
        for part, how in self._readings([(i, len(prompts[i]), limits[i]) for i in fit]):
            decoding = self._decode([prompts[i] for i in part], [limits[i] for i in part], direction, how)
            for row, tokens in decoding:
                i = part[row]
                yield sources[i].id, self._output(tokens, sources[i].text, len(prompts[i]), limits[i])

    def _output(self, tokens: list[int], source: str, tokens_in: int, limit: int) -> Output:
        raw = self._tokenizer.decode(tokens, skip_special_tokens=True)
        said, stopped, _ = raw.partition(self.prompt.stop) if self.prompt.stop else (raw, "", "")
        text = cleaning.clean(said, source)
        return Output(
            text=text,
            raw=raw if raw != text else "",
            tokens_in=tokens_in,
            tokens_out=len(tokens),
            truncated=len(tokens) >= limit and not stopped,
        )

    def _encode(self, text: str, direction: Direction) -> list[int]:
        if not self.prompt.chat:
            return list(self._tokenizer(self.prompt.completion(text, direction)).input_ids)
        if not self._tokenizer.chat_template:
            raise BenchError(
                f"The checkpoint has no chat template, but the prompt {self.prompt.name} is for chat models: "
                "choose a prompt with chat: false (few-shot)."
            )
        messages = self.prompt.messages(text, direction)
        return list(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True))

    def _limit(self, text: str, direction: Direction) -> int:
        tokens = len(self._tokenizer(text, add_special_tokens=False).input_ids)
        return min(self.max_new_tokens, int(self.tokens_base + self.tokens_ratio[direction] * tokens))

    def _prefix(self, direction: Direction) -> tuple[list[int], Any]:
        """The tokens that every prompt of a direction begins with, and the model's cache after reading them."""
        if direction not in self._prefixes:
            import torch
            from transformers import DynamicCache

            tokens = _common([self._encode(text, direction) for text in ("0", "一", "A")])
            cache = DynamicCache(config=self._model.config)
            if tokens:
                with torch.inference_mode():
                    ids = torch.tensor([tokens], device=self.device)
                    self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            self._prefixes[direction] = tokens, cache
        return self._prefixes[direction]

    def _readings(self, rows: list[tuple[int, int, int]]) -> list[tuple[list[int], _Reading]]:
        """Which rows (number, length, limit) may be read with padding inside, and which only plainly.

        Where attention slides, padding between the shared prefix and the rest could push tokens out of the window, and a
        row's output would depend on its neighbours. It cannot in rows that stay within the window to their end.
        """
        window = getattr(self._model.config, "sliding_window", None) or self._context
        within: list[int] = []
        beyond: list[int] = []
        length = answer = 0
        for row, prompt, limit in sorted(rows, key=lambda r: r[1] + r[2]):
            if max(length, prompt) + max(answer, limit) <= window:
                length, answer = max(length, prompt), max(answer, limit)
                within.append(row)
            else:
                beyond.append(row)
        parts: list[tuple[list[int], _Reading]] = [(within, "grouped"), (beyond, "plain")]
        return [part for part in parts if part[0]]

    def _decode(
        self, prompts: list[list[int]], limits: list[int], direction: Direction, how: _Reading
    ) -> Iterator[tuple[int, list[int]]]:
        """Row number and greedy continuation of each prompt as it ends: at most its limit long, without the token that ended it."""
        import torch

        outputs: list[list[int]] = [[] for _ in prompts]
        # Not one block around the loop: what a generator switches on stays on for its caller at every yield.
        with torch.inference_mode():
            rows, logits, mask, cache = self._read(prompts, direction, how)
            positions = mask.sum(-1, keepdim=True)
        while True:
            with torch.inference_mode():
                chosen = logits.argmax(-1)
            numbers = rows.tolist()
            going = [
                self._take(outputs[n], t, limits[n]) for n, t in zip(numbers, chosen.tolist(), strict=True)
            ]
            for number, goes_on in zip(numbers, going, strict=True):
                if not goes_on:
                    yield number, outputs[number]
            if not any(going):
                return
            with torch.inference_mode():
                keep = torch.tensor(going)
                on_device = keep.to(self.device)
                if not all(going):
                    cache.batch_select_indices(on_device.nonzero().flatten())
                rows, chosen, mask, positions = (
                    rows[keep],
                    chosen[on_device],
                    mask[on_device],
                    positions[on_device],
                )
                mask = torch.nn.functional.pad(mask, (0, 1), value=1)
                logits = self._forward(chosen[:, None], mask, positions, cache)
                positions = positions + 1

    def _read(
        self, prompts: list[list[int]], direction: Direction, how: _Reading
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Any]:
        """What the model has read when it has read the prompts, in groups of similar length so that little is padding:
        row numbers (rows), logits of the next token (rows, vocabulary), attention mask (rows, length), cache."""
        import torch
        from torch.nn.functional import pad
        from transformers import DynamicCache

        order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
        prefix, prefix_cache = self._prefix(direction)
        if how == "plain" or any(p[: len(prefix)] != prefix or len(p) == len(prefix) for p in prompts):
            prefix, prefix_cache = [], DynamicCache(config=self._model.config)
        group = _GROUP if how == "grouped" else len(prompts)

        read = []
        for start in range(0, len(order), group):
            texts = [prompts[row][len(prefix) :] for row in order[start : start + group]]
            ids, mask = _pad_left(texts, len(prefix), self.device)
            cache = copy.deepcopy(prefix_cache)
            if prefix:
                cache.batch_repeat_interleave(len(texts))
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, len(prefix) :]
            read.append((self._forward(ids, mask, positions, cache), mask, cache))

        logits, masks, caches = zip(*read, strict=True)
        if len(read) == 1:
            return torch.tensor(order), logits[0], masks[0], caches[0]
        cache, length = caches[0], masks[0].shape[1]  # the first group has the longest rows
        for number, layer in enumerate(cache.layers):
            for part in ("keys", "values"):
                tensors = [getattr(c.layers[number], part) for c in caches]
                setattr(layer, part, torch.cat([pad(t, (0, 0, length - t.shape[2], 0)) for t in tensors]))
        mask = torch.cat([pad(m, (length - m.shape[1], 0)) for m in masks])
        return torch.tensor(order), torch.cat(logits), mask, cache

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

    def _take(self, output: list[int], token: int, limit: int) -> bool:
        """Append a token to its row; False where the row has ended."""
        if token in self._ends:
            return False
        output.append(token)
        stop = self.prompt.stop
        return len(output) < limit and not (stop and stop in self._tokenizer.decode(output[-2:]))


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
