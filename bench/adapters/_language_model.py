"""What all adapters of language models share: requests by prompt, and responses that become outputs.

A request is one unit: one segment, or a block of segments (bench.prompt). The response to a block must repeat
the numbers of its segments. If it does not, the outputs say so (`unsplit`), and the driver
(bench.translation.batching) requests each of the segments on its own.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.adapters._requests import Limits, RequestTokenizer, TokenizedRequest
from bench.answers.cleaning import clean_answer
from bench.checkpoints.loading import folder, load_tokenizer
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Context, Output, Source, Unit, Weights, units
from bench.languages import Direction, estimated_tokens, sides
from bench.prompt import Prompt
from bench.usage import Usage

_NUMBER = re.compile(r"^[ \t]*[\[［【](\d{1,6})[\]］】][ \t:：.]*", re.MULTILINE)
_MAX_BLOCK_CHARACTERS = 1_000_000


CLEANING = 2
"""In the identity of every language model: its answers are cleaned. Not the version of the cleaning any more, which
changes no identity (answers are cleaned again without the model); the number is that of the runs made before."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a model returned for one request."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    truncated: bool = False
    refused: bool = False
    finish: str = ""
    """Why the answer ended, as bench.answers.finish names it, if the engine says more than that."""
    prompt_cut: bool = False
    error: str = ""


TOO_LONG = Response("", truncated=True, finish="prompt-too-long")
"""For a request that does not fit the model's context. It is not an error: another run would not help."""


_TEMPLATE_TOKENS = 25
"""What a chat template adds to a request: roles, control tokens, a system prompt of its own. Only for estimates."""


class LanguageModelAdapter(Adapter):
    """A language model. `identity` must include CLEANING and the prompt."""

    def __init__(self, prompt: Prompt, *, direction: Direction) -> None:
        super().__init__(direction)
        self.prompt = prompt

    @property
    def context(self) -> Context:
        return self.prompt.context

    @abstractmethod
    def respond(self, requests: Sequence[Unit]) -> Iterator[tuple[Unit, Response]]:
        """Yield each request once with its response, in any order, as soon as it is finished."""

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for unit, response in self.respond(units(sources)):
            yield from self._outputs(unit, response)

    def usage(self, sources: Sequence[Source]) -> Usage:
        requests = units(sources)
        tokens = sum(estimated_tokens("".join(self.prompt_texts(unit))) for unit in requests)
        if self.prompt.chat:
            tokens += _TEMPLATE_TOKENS * len(requests)
        return Usage(requests=len(requests), tokens_in=round(tokens))

    def prompt_texts(self, unit: Unit) -> list[str]:
        """All texts of the request for a unit."""
        if not self.prompt.chat:
            return [self.prompt.completion(unit, self.direction)]
        return list(_texts(self.prompt.messages(unit, self.direction)))

    def _outputs(self, unit: Unit, response: Response) -> Iterator[tuple[str, Output]]:
        """The tokens of a response to a block are counted at its first segment."""
        if response.error:
            texts = [""] * len(unit)
        elif len(unit) == 1:
            texts = [response.text]
        else:
            ended = not (response.truncated or response.refused or response.finish)
            texts = _split(response.text) if ended else []
        tokens_in, tokens_out = response.tokens_in, response.tokens_out
        for number, source in enumerate(unit):
            if len(texts) != len(unit):
                yield source.id, Output("", "", tokens_in, tokens_out, unsplit=True)
            else:
                answer = texts[number]
                target = sides(self.direction)[1]
                cleaned = clean_answer(answer, source.text, target, self.prompt.stop)
                yield (
                    source.id,
                    Output(
                        cleaned.text,
                        answer if answer != cleaned.text else "",
                        tokens_in,
                        tokens_out,
                        truncated=response.truncated,
                        refused=response.refused,
                        finish=response.finish,
                        prompt_cut=response.prompt_cut,
                        unclear=cleaned.unclear,
                        removed=cleaned.removed,
                        error=response.error,
                    ),
                )
            tokens_in = tokens_out = 0


class CheckpointAdapter(LanguageModelAdapter):
    """A language model whose checkpoint runs here. Prompts and responses are token ids.

    `checkpoint`: see bench.checkpoints.weights.parse_weights (a folder, a GGUF file, hub-id@revision, or a
    list of sources). `limits`: see bench.adapters._requests.Limits.
    """

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        prompt: Prompt,
        dtype: str,
        limits: Limits,
        *,
        direction: Direction,
    ) -> None:
        super().__init__(prompt, direction=direction)
        self.weights = parse_weights(checkpoint)
        self.dtype = dtype
        self.limits = limits

    def identity(self) -> dict[str, Any]:
        return {
            "cleaning": CLEANING,
            "checkpoint": fingerprint(self.weights),
            "prompt": self.prompt.identity(),
            "dtype": self.dtype,
        }

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        folder(self.weights)

    def load(self) -> None:
        path = folder(self.weights)
        self._tokenizer = load_tokenizer(path)
        self._requests = RequestTokenizer(self._tokenizer, self.prompt, self.limits, self.direction)
        self._context_size = self._load_engine(path)

    def respond(self, requests: Sequence[Unit]) -> Iterator[tuple[Unit, Response]]:
        fitting = []
        for unit in requests:
            request = self._requests.tokenize(unit)
            if request.cost <= self._context_size:
                fitting.append(request)
            else:
                yield unit, TOO_LONG
        yield from self._generate(fitting)

    @abstractmethod
    def _load_engine(self, path: Path) -> int:
        """Load the model in `path`. Returns the size of its context in tokens."""

    @abstractmethod
    def _generate(self, requests: Sequence[TokenizedRequest]) -> Iterator[tuple[Unit, Response]]:
        """Respond to requests that fit the context."""

    def _response(self, request: TokenizedRequest, tokens: Sequence[int]) -> Response:
        """`tokens`: the model's answer without the token that ended it, cut off at the limit."""
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        stopped = bool(request.stop) and request.stop in text
        truncated = len(tokens) >= request.limit and not stopped
        return Response(text, len(request.prompt), len(tokens), truncated=truncated)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a conversation, whatever its form."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def context_size(config: Any) -> int:
    """Context size in tokens, from a transformers config; practically unlimited if it is not stated."""
    # The config of a model that also reads images holds the config of its text model.
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 30)


def _split(text: str) -> list[str]:
    """The numbered texts in a response, without their numbers; empty unless they are numbered 1, 2, 3 …"""
    numbers = list(_NUMBER.finditer(text[:_MAX_BLOCK_CHARACTERS]))
    if not numbers or [int(number[1]) for number in numbers] != list(range(1, len(numbers) + 1)):
        return []
    ends = [number.start() for number in numbers[1:]] + [len(text)]
    return [text[number.end() : end].strip() for number, end in zip(numbers, ends, strict=True)]
