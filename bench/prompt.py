"""Prompts are files under configs/prompt/, with a name that appears in every run made with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from bench.core import Context, Source, Together
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction, Language, sides

_IN_CHINESE: dict[Language, str] = {"zh": "中文", "en": "英文"}
_KNOWN = {
    "source_language", "target_language", "source_code", "target_code", "source_in_chinese", "target_in_chinese"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked, after worked examples where there are any.

    Every query may use {source} (the text), {source_language} and {target_language} (Chinese, English), {source_code} and
    {target_code} (zh, en), {source_in_chinese} and {target_in_chinese} (中文, 英文).
    """

    name: str
    query: str
    """For one segment."""
    examples: Sequence[Mapping[str, str]] = ()
    """[{zh: …, en: …}]; used in the direction at hand. None may come from a document that is benchmarked."""
    query_after: str = ""
    """For one segment after {before}, the segments before it, a line each. Used where `previous` is not 0 and there are any."""
    query_together: str = ""
    """For {count} segments in one go; {source} is then a numbered line each: "[1] …". The answer must be numbered so, too."""
    previous: int = 0
    """So many segments of the source are shown before the one to translate."""
    together: Together = "segment"
    """What is translated in one go. An answer that cannot be split by segment falls back to `query`, segment by segment."""
    chat: bool = True
    """True: a conversation in the model's own chat template. False: plain text that a base model continues."""
    chat_options: Mapping[str, Any] = field(default_factory=dict)
    """What else the checkpoint's chat template is given: {enable_thinking: false} …"""
    stop: str = ""
    """Generation ends where this appears; base models do not stop by themselves."""

    def __post_init__(self) -> None:
        wanted = {"query": {"source"}}
        if self.previous:
            wanted["query_after"] = {"source", "before"}
        if self.together != "segment":
            wanted["query_together"] = {"source", "count"}
        for query, names in wanted.items():
            used = {name for _, name, _, _ in Formatter().parse(getattr(self, query)) if name is not None}
            if not names <= used or used - names - _KNOWN:
                raise BenchError(
                    f"The prompt {self.name} needs a {query} with {{{'} and {'.join(sorted(names))}}}, "
                    f"and besides them only {{{'} {'.join(sorted(_KNOWN))}}}."
                )
        if self.previous and self.together != "segment":
            raise BenchError(
                f"The prompt {self.name} can have previous or together, not both: leave one out."
            )

    @property
    def context(self) -> Context:
        return Context(self.previous, self.together)

    def identity(self) -> dict[str, Any]:
        """What of it changes outputs; queries that are not used do not."""
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
        """The conversation for a chat template; examples are earlier turns. `unit`: what is translated in one go."""
        turns: list[dict[str, str]] = []
        for question, answer in self._shots(direction):
            turns.append({"role": "user", "content": question})
            turns.append({"role": "assistant", "content": answer})
        return [*turns, {"role": "user", "content": self._ask(unit, direction)}]

    def completion(self, unit: Sequence[Source], direction: Direction) -> str:
        """The text that a base model continues: "query answer", a blank line, …, query."""
        shots = (f"{question} {answer}\n\n" for question, answer in self._shots(direction))
        return "".join(shots) + self._ask(unit, direction)

    def stop_for(self, unit: Sequence[Source]) -> str:
        """Where generation ends: where the source itself has line breaks, a line's end is not the answer's."""
        breaks = len(unit) > 1 or "\n" in unit[0].text
        return self.stop + "\n" if breaks and self.stop == "\n" else self.stop

    def _shots(self, direction: Direction) -> list[tuple[str, str]]:
        source, target = sides(direction)
        return [
            (self._ask([Source("", example[source])], direction), example[target])
            for example in self.examples
        ]

    def _ask(self, unit: Sequence[Source], direction: Direction) -> str:
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
            source_in_chinese=_IN_CHINESE[source],
            target_in_chinese=_IN_CHINESE[target],
        )


def numbered(texts: Sequence[str]) -> str:
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, 1))
