"""What all adapters of language models share: segments become requests, answers become outputs.

A request is one segment, or a block of segments in one go (bench.prompt). The answer to a block must carry the numbers of
its segments; where it does not, their outputs say so, and the driver (bench.translation.batching) asks for each of them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.adapters import _cleaning
from bench.core import Output, Source, Unit, units
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

_TOKENS_RATIO: Mapping[Direction, float] = {"zh-en": 2.5, "en-zh": 1.25}
"""Tokens of a translation to tokens of its source. Measured on the white paper's references with the tokenizers of Qwen 2.5 and
Gemma 3: at most 2.4 into English and 1.3 into Chinese, and that in headings, for which tokens_base is there."""

_NUMBER = re.compile(r"^[ \t]*[\[［【](\d{1,6})[\]］】][ \t:：.]*", re.MULTILINE)

_STOP_SEEN_IN = 4  # tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an answer is cut off: a model that loops should not cost more than the rest of the suite."""

    max_new_tokens: int = 512
    """No line of a source gets more."""
    tokens_base: int = 32
    tokens_ratio: Mapping[Direction, float] = field(default_factory=lambda: dict(_TOKENS_RATIO))

    def of(self, tokens: Iterable[int], direction: Direction) -> int:
        """The most tokens of an answer. `tokens`: those of each line of the source."""
        ratio = self.tokens_ratio[direction]
        return sum(min(self.max_new_tokens, int(self.tokens_base + ratio * count)) for count in tokens)

    def identity(self) -> dict[str, Any]:
        return {
            "max_new_tokens": self.max_new_tokens,
            "tokens_base": self.tokens_base,
            "tokens_ratio": dict(self.tokens_ratio),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one request."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    truncated: bool = False
    refused: bool = False
    error: str = ""


TOO_LONG = Answer("", truncated=True)
"""What stands for an answer where a request does not fit into the model's context: trying again would not help."""


def answered(
    sources: Sequence[Source],
    prompt: Prompt,
    complete: Callable[[Sequence[Unit]], Iterable[tuple[Unit, Answer]]],
) -> Iterator[tuple[str, Output]]:
    """Every source's id and output, as they are finished. `complete` answers requests, each once, in any order.

    The tokens of an answer to a block are counted at its first segment.
    """
    for unit, answer in complete(units(sources)):
        parts = [answer.text]
        if len(unit) > 1 and not answer.error:
            parts = [] if answer.truncated or answer.refused else _parts(answer.text)
        if len(parts) == len(unit) or answer.error:
            yield from _outputs(unit, parts, answer, prompt)
        else:
            for number, source in enumerate(unit):
                spent = (answer.tokens_in, answer.tokens_out) if number == 0 else (0, 0)
                yield source.id, Output("", "", *spent, unsplit=True)


def _outputs(
    unit: Unit, parts: Sequence[str], answer: Answer, prompt: Prompt
) -> Iterator[tuple[str, Output]]:
    for number, source in enumerate(unit):
        if answer.error:
            text, raw = "", ""
        else:
            raw = parts[number]
            said = raw.partition(stop)[0] if (stop := prompt.stop_for([source])) else raw
            text = _cleaning.clean(said, source.text)
        yield (
            source.id,
            Output(
                text=text,
                raw=raw if raw != text else "",
                tokens_in=answer.tokens_in if number == 0 else 0,
                tokens_out=answer.tokens_out if number == 0 else 0,
                truncated=answer.truncated,
                refused=answer.refused,
                error=answer.error,
            ),
        )


def _parts(text: str) -> list[str]:
    """The numbered parts of an answer, without their numbers; none where they are not numbered 1, 2, 3 …"""
    found = list(_NUMBER.finditer(text[: _cleaning.MOST_CHARACTERS * 50]))
    if not found or [int(match[1]) for match in found] != list(range(1, len(found) + 1)):
        return []
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [text[match.end() : end].strip() for match, end in zip(found, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Row:
    """A request as an engine reads it."""

    unit: Unit
    prompt: list[int]
    """Tokens."""
    limit: int
    """The most tokens of the answer."""
    stop: str
    """Where this appears, the answer ends."""


class Reader:
    """How a checkpoint's own tokenizer reads requests, for the engines that take tokens (llm, ctranslate2, vllm)."""

    def __init__(self, tokenizer: Any, prompt: Prompt, limits: Limits, direction: Direction) -> None:
        self.direction = direction
        self.tokenizer = tokenizer
        self.prompt = prompt
        self.limits = limits
        if prompt.chat and not tokenizer.chat_template:
            raise BenchError(
                f"The checkpoint has no chat template, but the prompt {prompt.name} is for chat models: "
                "choose a prompt with chat: false (few-shot)."
            )
        self._as_data = as_data(tokenizer)

    def rows(self, units: Sequence[Unit], context: int) -> tuple[list[Row], list[Unit]]:
        """The requests as rows, and those which, with the longest answer, do not fit into `context` tokens."""
        rows = [
            Row(unit, self.ids(unit), self.limit(unit), self.prompt.stop_for(unit))
            for unit in units
        ]
        fit = [row for row in rows if len(row.prompt) + row.limit <= context]
        return fit, [row.unit for row in rows if len(row.prompt) + row.limit > context]

    def batch_cost(self, unit: Unit) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.ids(unit)) + self.limit(unit)

    def ids(self, unit: Unit) -> list[int]:
        """The tokens of the whole prompt."""
        safe = [self._safe(source) for source in unit]
        if not self.prompt.chat:
            return list(self.tokenizer(self.prompt.completion(safe, self.direction)).input_ids)
        messages = self.prompt.messages(safe, self.direction)
        options = {"add_generation_prompt": True, "return_dict": False, **self.prompt.chat_options}
        return list(self.tokenizer.apply_chat_template(messages, **options))

    def limit(self, unit: Unit) -> int:
        """The most tokens of the answer; the number before a segment of a block is in tokens_base."""
        lines = (line for source in unit for line in source.text.split("\n"))
        counts = (len(self.tokenizer(line, add_special_tokens=False).input_ids) for line in lines)
        return self.limits.of(counts, self.direction)

    def stopped(self, tokens: Sequence[int], stop: str) -> bool:
        """Whether an answer has just written what ends it. Only its last tokens are read: no stop is spread over more."""
        return bool(stop) and stop in self.tokenizer.decode(tokens[-_STOP_SEEN_IN:])

    def _safe(self, source: Source) -> Source:
        return replace(
            source, text=self._as_data(source.text), before=tuple(map(self._as_data, source.before))
        )


def as_data(tokenizer: Any, *more: str) -> Callable[[str], str]:
    """What makes a document's text safe to be read: what looks like one of the tokenizer's control tokens is broken up.

    `more`: regular expressions of control tokens that the tokenizer does not call special.
    """
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    special = sorted({*tokenizer.all_special_tokens, *added} - {""}, key=len, reverse=True)
    control = re.compile("|".join([*map(re.escape, special), *more]) or r"(?!)")
    return lambda text: control.sub(lambda match: match[0][:1] + " " + match[0][1:], text)
