"""Requests as engines read them: token ids, with a limit on the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from msgspec import Meta

from bench import limits as largest
from bench.adapters import _templates
from bench.core import Unit
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

_TOKENS_RATIO: Mapping[Direction, float] = {"zh-en": 2.5, "en-zh": 1.25}
"""Tokens of a translation per token of its source. Measured on the references of the 2021 white paper on
export controls with the tokenizers of Qwen 2.5 and Gemma 3: at most 2.4 into English and 1.3 into Chinese.
The maxima are in headings, which tokens_base covers."""

_STOP_TOKENS = 4  # a stop string is never spread over more tokens than this


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an answer is cut off (flag `truncated`), so that a model that loops does not cost more than all
    others.

    A line of n source tokens gets min(max_new_tokens, tokens_base + tokens_ratio * n) tokens. A direction that
    is not in `tokens_ratio` has the measured ratio. `max_answer_tokens` limits an answer of any number of lines.
    """

    max_new_tokens: Annotated[int, Meta(ge=1, le=largest.NEW_TOKENS)] = 512
    tokens_base: Annotated[int, Meta(ge=0, le=largest.NEW_TOKENS)] = 32
    tokens_ratio: Mapping[Direction, Annotated[float, Meta(ge=0, le=1000)]] = field(
        default_factory=lambda: dict(_TOKENS_RATIO)
    )
    max_answer_tokens: Annotated[int, Meta(ge=1, le=largest.NEW_TOKENS)] | None = None

    def max_tokens(self, line_tokens: Iterable[int], direction: Direction) -> int:
        """The limit in tokens for a source whose lines have `line_tokens` tokens."""
        ratio = self.tokens_ratio.get(direction, _TOKENS_RATIO[direction])
        tokens = sum(min(self.max_new_tokens, int(self.tokens_base + ratio * count)) for count in line_tokens)
        return tokens if self.max_answer_tokens is None else min(tokens, self.max_answer_tokens)

    def identity(self) -> dict[str, Any]:
        answer = {} if self.max_answer_tokens is None else {"max_answer_tokens": self.max_answer_tokens}
        return {
            **answer,
            "max_new_tokens": self.max_new_tokens,
            "tokens_base": self.tokens_base,
            "tokens_ratio": dict(self.tokens_ratio),
        }


@dataclass(frozen=True, slots=True)
class TokenizedRequest:
    unit: Unit
    prompt: list[int]
    """Token ids."""
    limit: int
    """Maximum number of tokens of the answer."""
    stop: str
    """The answer ends where this string appears; "" for nowhere."""

    @property
    def cost(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.prompt) + self.limit


class RequestTokenizer:
    """Turns requests into token ids with a checkpoint's own tokenizer and chat template."""

    def __init__(self, tokenizer: Any, prompt: Prompt, limits: Limits, direction: Direction) -> None:
        self.tokenizer = tokenizer
        self.prompt = prompt
        self.limits = limits
        self.direction = direction
        if prompt.chat and not tokenizer.chat_template:
            raise BenchError(
                f"The checkpoint has no chat template, but the prompt {prompt.name} is for chat models: "
                "choose a prompt with chat: false (few-shot)."
            )
        if prompt.chat:
            _templates.refuse_template(tokenizer)
        self._escape = control_token_escaper(tokenizer)

    def tokenize(self, unit: Unit) -> TokenizedRequest:
        return TokenizedRequest(unit, self.ids(unit), self.limit(unit), self.prompt.stop_for(unit))

    def ids(self, unit: Unit) -> list[int]:
        """The token ids of the prompt, including examples and chat template."""
        escaped = [
            replace(
                source,
                text=self._escape(source.text),
                before=tuple(map(self._escape, source.before)),
                terms=tuple((self._escape(one), self._escape(other)) for one, other in source.terms),
            )
            for source in unit
        ]
        if not self.prompt.chat:
            return list(self.tokenizer(self.prompt.completion(escaped, self.direction)).input_ids)
        messages = self.prompt.messages(escaped, self.direction)
        options = self.prompt.for_direction(self.direction).chat_options
        text = _templates.render(self.tokenizer, messages, options)
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def limit(self, unit: Unit) -> int:
        """Maximum number of tokens of the answer. tokens_base covers the numbers in the answer to a block."""
        lines = (line for source in unit for line in source.text.split("\n"))
        return self.limits.max_tokens(token_counts(self.tokenizer, lines), self.direction)

    def is_stopped(self, tokens: Sequence[int], stop: str) -> bool:
        """Whether the last of an answer's `tokens` has completed its stop string."""
        return bool(stop) and stop in self.tokenizer.decode(tokens[-_STOP_TOKENS:])


def token_counts(tokenizer: Any, lines: Iterable[str]) -> Iterable[int]:
    """The number of tokens of each line."""
    return (len(tokenizer(line, add_special_tokens=False).input_ids) for line in lines)


def control_token_escaper(tokenizer: Any, *patterns: str) -> Callable[[str], str]:
    """A function that breaks up whatever a tokenizer would read as a control token in the text of a document.

    `patterns`: regular expressions of control tokens that the tokenizer does not list as special.
    """
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    special = sorted({*tokenizer.all_special_tokens, *added} - {""}, key=len, reverse=True)
    control = re.compile("|".join([*map(re.escape, special), *patterns]) or r"(?!)")
    return lambda text: control.sub(lambda match: match[0][:1] + " " + match[0][1:], text)
