"""Prompts are files under configs/prompt/, with a name that appears in every run made with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.core import LANGUAGE_NAMES, Direction, sides


@dataclass(frozen=True, slots=True)
class Prompt:
    """One query a segment, after worked examples where there are any.

    `query` may use {source_language}, {target_language} and {source}.
    """

    name: str
    query: str
    examples: Sequence[Mapping[str, str]] = ()
    """[{zh: …, en: …}]; used in the direction at hand. None may come from a document that is benchmarked."""
    chat: bool = True
    """True: a conversation in the model's own chat template. False: plain text that a base model continues."""
    stop: str = ""
    """Generation ends where this appears; base models do not stop by themselves."""

    def ask(self, source: str, direction: Direction) -> str:
        source_language, target_language = sides(direction)
        return self.query.format(
            source_language=LANGUAGE_NAMES[source_language],
            target_language=LANGUAGE_NAMES[target_language],
            source=source,
        )

    def messages(self, source: str, direction: Direction) -> list[dict[str, str]]:
        """The conversation for a chat template; examples are earlier turns."""
        source_language, target_language = sides(direction)
        turns: list[dict[str, str]] = []
        for example in self.examples:
            turns.append({"role": "user", "content": self.ask(example[source_language], direction)})
            turns.append({"role": "assistant", "content": example[target_language]})
        return [*turns, {"role": "user", "content": self.ask(source, direction)}]

    def completion(self, source: str, direction: Direction) -> str:
        """The text that a base model continues: "query answer", a blank line, …, query."""
        source_language, target_language = sides(direction)
        shots = (f"{self.ask(e[source_language], direction)} {e[target_language]}\n\n" for e in self.examples)
        return "".join(shots) + self.ask(source, direction)
