"""What a language model is asked. Each file in configs/prompt/ is one; every run records its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Annotated, Any

from msgspec import Meta

from bench import limits
from bench.core import Context, Source, Together
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction, Language, sides

_NAMES_IN_CHINESE: dict[Language, str] = {"zh": "中文", "en": "英文"}
_OPTIONAL_FIELDS = {
    "source_language", "target_language", "source_code", "target_code",
    "source_in_chinese", "target_in_chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prompt:
    """A query, after worked examples if there are any.

    Every query may use {source} (the text), {source_language} and {target_language} (Chinese, English),
    {source_code} and {target_code} (zh, en), {source_in_chinese} and {target_in_chinese} (中文, 英文).
    """

    name: str
    query: str
    """For one segment."""
    examples: Sequence[Mapping[Language, str]] = ()
    """[{zh: …, en: …}], used in either direction. Do not take them from a document that is benchmarked."""
    query_after: str = ""
    """For one segment with {before}, the `previous` segments, one per line, unless there are none."""
    query_together: str = ""
    """For {count} segments per request; {source} is then one numbered line per segment: "[1] …". It must ask
    for an answer that is numbered in the same way."""
    previous: Annotated[int, Meta(ge=0, le=limits.PREVIOUS_SEGMENTS)] = 0
    """Number of preceding source segments that are shown with each segment."""
    together: Together = "segment"
    """What one request translates. A response that cannot be split falls back to `query` for each segment."""
    chat: bool = True
    """True: a conversation in the model's own chat template. False: text that a base model continues."""
    chat_options: Mapping[str, Any] = field(default_factory=dict)
    """Further variables of the checkpoint's chat template: {enable_thinking: false} …"""
    stop: str = ""
    """Generation ends where this string appears; base models do not stop on their own."""

    def __post_init__(self) -> None:
        required = {"query": {"source"}}
        if self.previous:
            required["query_after"] = {"source", "before"}
        if self.together != "segment":
            required["query_together"] = {"source", "count"}
        for query, fields in required.items():
            try:
                used = format_fields(getattr(self, query))
            except ValueError:  # a brace without its partner
                used = set()
            if not fields <= used or used - fields - _OPTIONAL_FIELDS:
                raise BenchError(
                    f"The prompt {self.name} needs a {query} that uses {{{'} and {'.join(sorted(fields))}}}, "
                    f"and otherwise only {{{'} {'.join(sorted(_OPTIONAL_FIELDS))}}}: correct its yaml, or choose a "
                    "prompt that has it, as in prompt=previous or prompt=paragraph."
                )
        if self.previous and self.together != "segment":
            raise BenchError(f"The prompt {self.name} has both previous and together: remove one of them.")
        if any(example.keys() != LANGUAGE_NAMES.keys() for example in self.examples):
            raise BenchError(f"The prompt {self.name} has an example without zh or en: give both.")

    @property
    def context(self) -> Context:
        return Context(self.previous, self.together)

    def identity(self) -> dict[str, Any]:
        """Everything in it that changes outputs, without queries that are not used."""
        used: dict[str, Any] = {
            "name": self.name,
            "query": self.query,
            "examples": [dict(example) for example in self.examples],
            "chat": self.chat,
            "stop": self.stop,
        }
        if self.chat_options:
            used["chat_options"] = dict(self.chat_options)
        if self.previous:
            used |= {"previous": self.previous, "query_after": self.query_after}
        if self.together != "segment":
            used |= {"together": self.together, "query_together": self.query_together}
        return used

    def messages(self, unit: Sequence[Source], direction: Direction) -> list[dict[str, str]]:
        """The conversation for a chat template, with examples as earlier turns."""
        turns: list[dict[str, str]] = []
        for question, answer in self._worked_examples(direction):
            turns.append({"role": "user", "content": question})
            turns.append({"role": "assistant", "content": answer})
        return [*turns, {"role": "user", "content": self._question(unit, direction)}]

    def completion(self, unit: Sequence[Source], direction: Direction) -> str:
        """The text that a base model continues: "query answer", a blank line, …, query."""
        shots = (f"{question} {answer}\n\n" for question, answer in self._worked_examples(direction))
        return "".join(shots) + self._question(unit, direction)

    def stop_for(self, unit: Sequence[Source]) -> str:
        """The stop string. A line break does not end the answer if the source has line breaks."""
        return stop_before(self.stop, len(unit) > 1 or "\n" in unit[0].text)

    def _worked_examples(self, direction: Direction) -> list[tuple[str, str]]:
        """(question, answer) of each example."""
        source, target = sides(direction)
        return [
            (self._question([Source("", example[source])], direction), example[target])
            for example in self.examples
        ]

    def _question(self, unit: Sequence[Source], direction: Direction) -> str:
        source, target = sides(direction)
        first = unit[0]
        if len(unit) > 1:
            query, text = self.query_together, numbered([source.text for source in unit])
        else:
            query, text = (self.query_after if first.before else self.query), first.text
        return query.format(
            source=text,
            before="\n".join(first.before),
            count=len(unit),
            source_language=LANGUAGE_NAMES[source],
            target_language=LANGUAGE_NAMES[target],
            source_code=source,
            target_code=target,
            source_in_chinese=_NAMES_IN_CHINESE[source],
            target_in_chinese=_NAMES_IN_CHINESE[target],
        )


def format_fields(text: str) -> set[str]:
    """The names in braces. Raises ValueError for braces that are not plain: {source:>9999} makes any text long."""
    names = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if spec or conversion:
            raise ValueError(text)
        if name is not None:
            names.add(name)
    return names


def stop_before(stop: str, has_lines: bool) -> str:
    """The stop string `stop` for a source with or without line breaks."""
    return stop + "\n" if has_lines and stop == "\n" else stop


def numbered(texts: Sequence[str]) -> str:
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, 1))
