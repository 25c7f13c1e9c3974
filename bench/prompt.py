"""What a language model is asked. Each file in configs/prompt/ is one; every run records its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import Annotated, Any

from msgspec import Meta

from bench import limits
from bench.core import Context, Glossary, Source, Together
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction, Language, sides

_NAMES_IN_CHINESE: dict[Language, str] = {"zh": "中文", "en": "英文"}
_OPTIONAL_FIELDS = {
    "source_language", "target_language", "source_code", "target_code",
    "source_in_chinese", "target_in_chinese",
}  # fmt: skip
_BY_DIRECTION = {
    "query", "query_after", "query_together", "query_terms", "system", "content", "chat_options",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prompt:
    """A query, after worked examples if there are any.

    Every query, `system` and `content` may use {source} (the text), {source_language} and {target_language} (Chinese,
    English), {source_code} and {target_code} (zh, en), {source_in_chinese} and {target_in_chinese} (中文, 英文).
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
    query_terms: str = ""
    """For one segment with {terms}, one `term` per line, unless it has none."""
    term: str = "{source_term} = {target_term}"
    previous: Annotated[int, Meta(ge=0, le=limits.PREVIOUS_SEGMENTS)] = 0
    """Number of preceding source segments that are shown with each segment."""
    together: Together = "segment"
    """What one request translates. A response that cannot be split falls back to `query` for each segment."""
    terms: Glossary = "none"
    """Terms that are shown with each segment: "official" for those of the set's terms.tsv that it has, "random" for as
    many that it does not have."""
    seed: int = 0
    """Of the random terms."""
    chat: bool = True
    """True: a conversation in the model's own chat template. False: text that a base model continues."""
    system: str = ""
    """The system message; "" for none."""
    content: Sequence[Mapping[str, Any]] = ()
    """The parts of a user message, for a template that wants a list: [{type: text, text: "{query}"}]. {query} is the
    filled-in query. (): the message is the query itself."""
    chat_options: Mapping[str, Any] = field(default_factory=dict)
    """Further variables of the checkpoint's chat template: {enable_thinking: false} …"""
    directions: Mapping[Direction, Mapping[str, Any]] = field(default_factory=dict)
    """What differs in a direction: {zh-en: {query: …}}, of query, query_after, query_together, query_terms, system,
    content and chat_options."""
    stop: str = ""
    """Generation ends where this string appears; base models do not stop on their own."""

    def __post_init__(self) -> None:
        for direction, changes in self.directions.items():
            sides(direction)
            if unknown := sorted(changes.keys() - _BY_DIRECTION):
                raise BenchError(
                    f"The prompt {self.name} has {', '.join(unknown)} under {direction}: only "
                    f"{', '.join(sorted(_BY_DIRECTION))} can differ there."
                )
            self.for_direction(direction)  # checks it
        required = {"query": {"source"}}
        if self.previous:
            required["query_after"] = {"source", "before"}
        if self.together != "segment":
            required["query_together"] = {"source", "count"}
        if self.terms != "none":
            required["query_terms"] = {"source", "terms"}
        for query, fields in required.items():
            used = _used_fields(getattr(self, query))
            if not fields <= used or used - fields - _OPTIONAL_FIELDS:
                raise BenchError(
                    f"The prompt {self.name} needs a {query} that uses {{{'} and {'.join(sorted(fields))}}}, "
                    f"and otherwise only {{{'} {'.join(sorted(_OPTIONAL_FIELDS))}}}: correct its yaml, or choose a "
                    "prompt that has it, as in prompt=previous, prompt=paragraph or prompt=terms."
                )
        self._check_message()
        combined = [self.previous > 0, self.together != "segment", self.terms != "none"]
        if sum(combined) > 1:
            raise BenchError(
                f"The prompt {self.name} has more than one of previous, together and terms: keep one of them."
            )
        if any(example.keys() != LANGUAGE_NAMES.keys() for example in self.examples):
            raise BenchError(f"The prompt {self.name} has an example without zh or en: give both.")

    def _check_message(self) -> None:
        """Raise BenchError unless the system message, the content list and the form of a term can be filled in."""
        allowed = {
            "system": (self.system, _OPTIONAL_FIELDS),
            "term": (self.term, {"source_term", "target_term"}),
            **{f"content ({text!r})": (text, _OPTIONAL_FIELDS | {"query"}) for text in _texts(self.content)},
        }
        for name, (text, fields) in allowed.items():
            if _used_fields(text) - fields:
                raise BenchError(
                    f"The prompt {self.name} may use only {{{'} {'.join(sorted(fields))}}} in {name}: correct its yaml."
                )
        if self.content and not any("query" in _used_fields(text) for text in _texts(self.content)):
            raise BenchError(
                f"The prompt {self.name} has a content list without {{query}}: say where the text goes."
            )
        if not self.chat and (self.system or self.content):
            raise BenchError(
                f"The prompt {self.name} has a system message or a content list, but chat: false: remove one of them."
            )

    def for_direction(self, direction: Direction) -> Prompt:
        """The prompt with what differs in the direction."""
        return replace(self, directions={}, **self.directions.get(direction, {}))

    @property
    def context(self) -> Context:
        return Context(self.previous, self.together, self.terms, self.seed if self.terms == "random" else 0)

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
        if self.terms != "none":
            used |= {"terms": self.terms, "query_terms": self.query_terms, "term": self.term}
        if self.terms == "random":
            used["seed"] = self.seed
        if self.system:
            used["system"] = self.system
        if self.content:
            used["content"] = [dict(part) for part in self.content]
        if self.directions:
            used["directions"] = {name: dict(changes) for name, changes in self.directions.items()}
        return used

    def messages(self, unit: Sequence[Source], direction: Direction) -> list[dict[str, Any]]:
        """The conversation for a chat template, with examples as earlier turns."""
        if self.directions:
            return self.for_direction(direction).messages(unit, direction)
        turns: list[dict[str, Any]] = []
        if self.system:
            turns.append({"role": "system", "content": self.system.format(**_languages(direction))})
        for question, answer in self._worked_examples(direction):
            turns.append(self._user_turn(question, direction))
            turns.append({"role": "assistant", "content": answer})
        return [*turns, self._user_turn(self._question(unit, direction), direction)]

    def completion(self, unit: Sequence[Source], direction: Direction) -> str:
        """The text that a base model continues: "query answer", a blank line, …, query."""
        if self.directions:
            return self.for_direction(direction).completion(unit, direction)
        shots = (f"{question} {answer}\n\n" for question, answer in self._worked_examples(direction))
        return "".join(shots) + self._question(unit, direction)

    def stop_for(self, unit: Sequence[Source]) -> str:
        """The stop string. A line break does not end the answer if the source has line breaks."""
        return stop_before(self.stop, len(unit) > 1 or "\n" in unit[0].text)

    def _user_turn(self, query: str, direction: Direction) -> dict[str, Any]:
        fields = {**_languages(direction), "query": query}
        parts = [
            {key: value.format(**fields) if isinstance(value, str) else value for key, value in part.items()}
            for part in self.content
        ]
        return {"role": "user", "content": parts or query}

    def _worked_examples(self, direction: Direction) -> list[tuple[str, str]]:
        """(question, answer) of each example."""
        source, target = sides(direction)
        return [
            (self._question([Source("", example[source])], direction), example[target])
            for example in self.examples
        ]

    def _question(self, unit: Sequence[Source], direction: Direction) -> str:
        first = unit[0]
        if len(unit) > 1:
            query, text = self.query_together, numbered([source.text for source in unit])
        elif first.terms:
            query, text = self.query_terms, first.text
        else:
            query, text = (self.query_after if first.before else self.query), first.text
        terms = [self.term.format(source_term=source, target_term=target) for source, target in first.terms]
        return query.format(
            source=text,
            before="\n".join(first.before),
            count=len(unit),
            terms="\n".join(terms),
            **_languages(direction),
        )


def _languages(direction: Direction) -> dict[str, str]:
    """The fields that name the languages."""
    source, target = sides(direction)
    return {
        "source_language": LANGUAGE_NAMES[source],
        "target_language": LANGUAGE_NAMES[target],
        "source_code": source,
        "target_code": target,
        "source_in_chinese": _NAMES_IN_CHINESE[source],
        "target_in_chinese": _NAMES_IN_CHINESE[target],
    }


def _texts(content: Sequence[Mapping[str, Any]]) -> list[str]:
    return [value for part in content for value in part.values() if isinstance(value, str)]


def _used_fields(text: str) -> set[str]:
    """The names in braces; {""} for a brace without its partner, and for any that is not plain."""
    try:
        return format_fields(text)
    except ValueError:
        return {""}


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
