"""Decoder-only language models through transformers: chat models by their own template, base models by worked examples.

Decoding is greedy, in a loop of our own. It differs from `model.generate` in two things that make it fast on a benchmark
without changing an output: rows leave the batch when they are finished (generate pads them until the longest row ends), and
what all prompts begin with (system text, instruction, examples) goes through the model once per run instead of once per row.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench import cleaning
from bench.core import BenchError, Direction, Output, Source
from bench.gguf import converted
from bench.prompt import Prompt
from bench.weights import Weights, fingerprint, resolve

if TYPE_CHECKING:
    import torch


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
        tokens_ratio: float = 3.0,
    ) -> None:
        self.weights = Weights.parse(checkpoint)
        self.prompt = prompt
        self.dtype = dtype
        self.max_new_tokens = max_new_tokens
        self.tokens_base = tokens_base
        self.tokens_ratio = tokens_ratio
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
            model = transformers.AutoModelForCausalLM.from_pretrained(
                path, dtype=getattr(torch, self.dtype), trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise BenchError(f"The checkpoint in {path} cannot be loaded: {reason}") from None
        self._model = model.eval().to(self.device)
        self._context = int(getattr(model.config, "max_position_embeddings", None) or 1 << 30)
        # A checkpoint names the tokens that end an answer in its generation config or in its tokenizer.
        named = model.generation_config.eos_token_id if model.generation_config else None
        ends = {self._tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}
        self._ends = frozenset(id for id in ends if id is not None)

    def translate(self, sources: Sequence[Source], direction: Direction) -> list[Output]:
        prompts = [self._encode(source.text, direction) for source in sources]
        limits = [self._limit(source.text) for source in sources]
        outputs: list[Output] = [Output("", error="longer than the model's context")] * len(sources)
        fit = [i for i in range(len(sources)) if len(prompts[i]) + limits[i] <= self._context]
        if not fit:
            return outputs
        decoded = self._decode([prompts[i] for i in fit], [limits[i] for i in fit], direction)
        for i, tokens in zip(fit, decoded, strict=True):
            raw = self._tokenizer.decode(tokens, skip_special_tokens=True)
            said, stopped, _ = raw.partition(self.prompt.stop) if self.prompt.stop else (raw, "", "")
            text = cleaning.clean(said, sources[i].text)
            outputs[i] = Output(
                text=text,
                raw=raw if raw != text else "",
                tokens_in=len(prompts[i]),
                tokens_out=len(tokens),
                truncated=len(tokens) >= limits[i] and not stopped,
            )
        return outputs

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

    def _limit(self, text: str) -> int:
        tokens = len(self._tokenizer(text, add_special_tokens=False).input_ids)
        return min(self.max_new_tokens, int(self.tokens_base + self.tokens_ratio * tokens))

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

    def _decode(self, prompts: list[list[int]], limits: list[int], direction: Direction) -> list[list[int]]:
        """Greedy continuations of `prompts`, each at most its limit long, without the token that ended it."""
        import torch
        from transformers import DynamicCache

        prefix, cache = self._prefix(direction)
        window = getattr(self._model.config, "sliding_window", None) or self._context
        longest = max(len(p) + limit for p, limit in zip(prompts, limits, strict=True))
        shared = len(prefix)
        # Padding stands between prefix and rest. Where attention slides, that would push the prefix out of the window early
        # and make a row's output depend on its neighbours, so long rows do without.
        if any(p[:shared] != prefix or len(p) == shared for p in prompts) or longest + shared > window:
            shared, cache = 0, DynamicCache(config=self._model.config)
        cache = copy.deepcopy(cache)
        if shared:
            cache.batch_repeat_interleave(len(prompts))

        ids, mask = _pad_left([p[shared:] for p in prompts], shared, self.device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, shared:]
        rows = torch.arange(len(prompts))
        outputs: list[list[int]] = [[] for _ in prompts]
        with torch.inference_mode():
            while len(rows):
                logits = self._model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits
                chosen = logits[:, -1].argmax(-1)
                chosen_by_row = zip(rows.tolist(), chosen.tolist(), strict=True)
                going = [self._take(outputs[row], token, limits[row]) for row, token in chosen_by_row]
                keep = torch.tensor(going)
                rows = rows[keep]
                on_device = keep.to(self.device)
                ids, mask, positions = (
                    chosen[on_device][:, None],
                    mask[on_device],
                    positions[on_device, -1:] + 1,
                )
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
                if not all(going) and len(rows):
                    cache.batch_select_indices(on_device.nonzero().flatten())
        return outputs

    def _take(self, output: list[int], token: int, limit: int) -> bool:
        """Append a token to its row; False where the row has ended."""
        if token in self._ends:
            return False
        output.append(token)
        stop = self.prompt.stop
        return len(output) < limit and not (stop and stop in self._tokenizer.decode(output[-2:]))


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
