"""What all commercial services share: keys, pieces of long texts, requests, errors, and what is counted.

A service is a subclass that says how a request is written (`request`), where the translation is in the answer
(`read`), and what its error codes mean (`fault`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date as day
from functools import partial
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from bench import limits
from bench.adapters.commercial.http import Reply, Request, Sender
from bench.adapters.commercial.languages import Variety, codes
from bench.adapters.commercial.pieces import Piece, join, pieces
from bench.budget import CostLimit
from bench.core import Adapter, Output, Source
from bench.endpoints import Endpoint, NoAnswer
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.usage import Usage

Cause = Literal[
    "key", "credit", "access", "clock", "language", "glossary", "options", "address", "length", "later"
]
"""Why a service refuses a request, as far as it changes what happens. All but the last two end the run: every other
request would be refused, too."""

_ADVICE: Mapping[Cause, str] = {
    "key": "does not accept the key: set {keys} to valid ones",
    "credit": "has no credit or quota left for this key: top it up, or set {keys} to another one",
    "access": "does not allow this key to translate: activate the service for its account, or set {keys} to "
    "another one",
    "clock": "refuses the time of the signature: set the clock of this machine",
    "language": "does not translate {source} into {target}: leave out direction={direction}, or set "
    "system.adapter.variety",
    "glossary": "does not know the glossary {glossary}: correct system.adapter.glossary",
    "options": "refuses the request: correct system.adapter.options",
    "address": "has nothing at this address: correct system.adapter.base_url",
}

_CAUSES: Mapping[int, Cause] = {401: "key", 402: "credit", 403: "access", 404: "address"}
"""HTTP status -> cause, where the service itself names none."""

Words = Annotated[str, Meta(max_length=limits.LINE_CHARACTERS)]
Glossary = Mapping[Direction, Words]
"""Direction -> the name or id of a glossary that exists at the service."""


@dataclass(frozen=True, slots=True)
class Translation:
    text: str
    characters: int | None = None
    """Characters that the service says it has billed; None if it does not say."""
    model: str = ""
    """What the service says of its model."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer is none."""

    code: str
    message: str
    cause: Cause | None = None
    """None: only this text is at fault."""


@dataclass
class _Progress:
    """A source while its pieces are translated."""

    source: Source
    parts: Sequence[Piece]
    texts: dict[int, str] = field(default_factory=dict)
    characters: int = 0
    error: str = ""
    left: int = 0


class Service(Adapter):
    """`options`: more fields of every request, of those in `fields`. `variety`: of Chinese.
    `glossary`: one that exists at the service, for each direction. `date`: the day on which the system was first
    run; services have no versions, and another day is another system. "": see bench.launching.jobs. The others: see
    bench.endpoints.Endpoint.
    """

    service: ClassVar[str]
    """Its name in the table of languages and in the identity."""
    address: str
    """Its official address."""
    secret: ClassVar[str]
    """The environment variable that holds the key."""
    key_id: ClassVar[str] = ""
    """The environment variable that holds the id of the key, if there is one."""
    most: ClassVar[int]
    """The largest text of one request, by `size`."""
    has_glossary: ClassVar[bool] = False
    fields: ClassVar[frozenset[str]] = frozenset()
    """The names of `options`: what the service documents besides the fields that `request` sets. Some services ignore
    a name that they do not know, and a system would claim a setting that it does not have."""

    def __init__(
        self,
        base_url: str = "",
        options: Mapping[str, Any] | None = None,
        variety: Variety = "simplified",
        glossary: Glossary | None = None,
        date: str = "",
        concurrency: Annotated[int, Meta(ge=1, le=limits.CONCURRENCY)] = 4,
        per_second: Annotated[float, Meta(ge=0, le=limits.CONCURRENCY)] = 0,
        timeout: Annotated[float, Meta(gt=0, le=limits.TIMEOUT_SECONDS)] = 60,
        retries: Annotated[int, Meta(ge=0, le=limits.RETRIES)] = 6,
        *,
        direction: Direction,
    ) -> None:
        super().__init__(direction)
        self.own_address = base_url
        self.options = dict(options or {})
        self._check_options()
        self.variety = variety
        self.glossary = (glossary or {}).get(direction, "")
        self.date = _checked_date(date)
        if self.glossary and not self.has_glossary:
            raise BenchError(f"{self.service} takes no glossary: leave system.adapter.glossary out.")
        self.endpoint = Endpoint(
            base_url or self.address,
            self.secret,
            concurrency,
            timeout,
            retries,
            per_second=per_second,
            yaml="system.adapter",
        )
        self.id = ""
        """Of the key; "" until `load`."""
        self.source_language, self.target_language = sides(direction)
        self.source_code, self.target_code = codes(self.service, direction, variety)
        self._models: set[str] = set()

    @abstractmethod
    def request(self, text: str) -> Request:
        """The request that translates a text. Called after `load`."""

    @abstractmethod
    def read(self, answer: Any, reply: Reply) -> Translation:
        """The translation in an answer, decoded from JSON. Raises LookupError, TypeError, AttributeError or
        ValueError if there is none."""

    @abstractmethod
    def fault(self, answer: Any, status: int) -> Fault | None:
        """What an answer says is wrong; None if it is a translation. `answer`: None if it is not JSON. Raises as
        `read`."""

    @property
    def host(self) -> str:
        """What the header Host of a request will be: it is signed."""
        return urlsplit(self.endpoint.base_url).netloc

    @property
    def secrets(self) -> tuple[str, str]:
        """The id of the key and the key, for a signature."""
        return self.id, self.endpoint.key

    def size(self, text: str) -> int:
        """The size of a text as the service counts it for `most`."""
        return len(text)

    def settings(self) -> dict[str, Any]:
        """More of what changes the outputs."""
        return {}

    def texts_of_options(self) -> dict[str, str]:
        """The options as parameters of a form or a query."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.options.items()
        }

    def _check_options(self) -> None:
        for name in self.options:
            if name not in self.fields:
                known = (
                    f"use {', '.join(sorted(self.fields))}, or leave it out"
                    if self.fields
                    else "leave it out"
                )
                raise BenchError(
                    f"system.adapter.options.{name[:80]} is no option of {self.service}: {known}."
                )

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": self.service,
            "version": 1,
            "service": f"unversioned service, {self.date}",
            "languages": [self.source_code, self.target_code],
            "options": self.options,
            **({"glossary": self.glossary} if self.glossary else {}),
            **({"base_url": self.endpoint.base_url} if self.own_address else {}),
            **self.settings(),
        }

    def facts(self) -> dict[str, Any]:
        return {
            "device": "api",
            "base_url": self.endpoint.base_url,
            "models": sorted(self._models),
            "requests": self.endpoint.gate.requests,
            "retries": self.endpoint.repeated,
        }

    def load(self) -> None:
        names = [name for name in (self.key_id, self.secret) if name]
        values = [self.endpoint.read_secret(name) for name in names]
        if not all(values):
            plural = "s" * (len(names) > 1)
            raise BenchError(
                f"{self.service} needs a key: set the environment variable{plural} {' and '.join(names)}."
            )
        self.id, self.endpoint.key = values[0] if self.key_id else "", values[-1]

    def usage(self, sources: Sequence[Source]) -> Usage:
        texts = [part.text for source in sources for part in self.pieces(source)]
        return Usage(requests=len(texts), characters=sum(map(len, texts)))

    def pieces(self, source: Source) -> list[Piece]:
        """The texts of the requests that translate a source."""
        return pieces(source.text, self.source_language, self.most, self.size)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        todo = []
        for source in sources:
            parts = self.pieces(source)
            state = _Progress(source, parts, left=len(parts))
            todo += [(state, number) for number in range(len(parts))]
            if not parts:
                yield source.id, Output("")
        try:
            yield from self._answered(todo)
        except CostLimit:
            # Of a long text, some pieces may be paid for: that counts, and the text is translated again.
            for state in {state.source.id: state for state, _ in todo}.values():
                if state.left and state.characters:
                    state.error = "max_cost was reached within the text"
                    yield state.source.id, self._output(state)
            raise

    def _answered(self, todo: Sequence[tuple[_Progress, int]]) -> Iterator[tuple[str, Output]]:
        """Send pieces, and yield the texts of which all pieces are answered. Raises CostLimit when nothing more is to
        come."""
        # The answers are closed before the connections.
        with (
            Sender(self.endpoint) as sender,
            closing(self.endpoint.answers(todo, partial(self._ask, sender))) as answers,
        ):
            for (state, number), answer in answers:
                if isinstance(answer, NoAnswer):
                    state.error = state.error or str(answer)
                elif isinstance(answer, Fault):
                    message = self.endpoint.redact(f"{answer.code} {answer.message}".strip())
                    state.error = state.error or message
                    self.endpoint.check_first(message)
                else:
                    self.endpoint.check_first("")
                    state.texts[number] = answer.text
                    state.characters += answer.characters or 0
                state.left -= 1
                if not state.left:
                    yield state.source.id, self._output(state)

    def _output(self, state: _Progress) -> Output:
        if state.error:
            return Output("", error=state.error, characters=state.characters)
        texts = [state.texts[number] for number in range(len(state.parts))]
        text = self.endpoint.without_key(join(texts, state.parts, self.target_language))
        return Output(text, characters=state.characters)

    def _ask(self, sender: Sender, piece: tuple[_Progress, int]) -> Translation | Fault:
        """One attempt. Raises NoAnswer, and BenchError if no other request can succeed."""
        state, number = piece
        text = state.parts[number].text
        with self.endpoint.paid(Usage(characters=len(text))) as bill:
            reply = sender.send(self.request(text))
            result = self._result(reply)
            bill.used = Usage()
            if isinstance(result, Translation):
                billed = len(text) if result.characters is None else result.characters
                result = replace(result, characters=billed)
                bill.used = Usage(characters=billed)
        return self._judged(result, reply) if isinstance(result, Fault) else result

    def _result(self, reply: Reply) -> Translation | Fault:
        """Raises NoAnswer if the reply is neither."""
        answer = reply.json()
        try:
            fault = self.fault(answer, reply.status)
            if fault is None and not reply.is_good:
                fault = Fault(str(reply.status), reply.shown())
            if fault is None:
                return self._checked(self.read(answer, reply))
        except (LookupError, TypeError, AttributeError, ValueError):
            if reply.is_good:
                raise NoAnswer(f"no answer: {reply.shown()}") from None
            fault = Fault(str(reply.status), reply.shown())
        return fault

    def _checked(self, translation: Translation) -> Translation:
        """Raises TypeError for what is no text, NoAnswer for one that is too long."""
        if not isinstance(translation.text, str):
            raise TypeError
        if len(translation.text) > limits.TEXT_CHARACTERS:
            raise NoAnswer(f"no answer: it has more than {limits.TEXT_CHARACTERS} characters")
        if isinstance(translation.model, str) and translation.model and len(self._models) < 20:
            self._models.add(self.endpoint.redact(translation.model))
        characters = translation.characters
        if not isinstance(characters, int) or isinstance(characters, bool) or not 0 <= characters < 10**9:
            characters = None
        text = translation.text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
        return Translation(text, characters)

    def _judged(self, fault: Fault, reply: Reply) -> Fault:
        """A fault of this text only. Raises BenchError for one of every text, NoAnswer for one that may pass."""
        message = self.endpoint.redact(f"{fault.code} {fault.message}".strip())
        cause = fault.cause or _CAUSES.get(reply.status)
        if cause is not None and cause in _ADVICE:
            advice = _ADVICE[cause].format(
                keys=" and ".join(filter(None, (self.key_id, self.secret))),
                source=self.source_code,
                target=self.target_code,
                direction=self.direction,
                glossary=self.glossary or "of the options",
            )
            raise BenchError(f"{self.endpoint.base_url} {advice} ({message}).")
        if cause == "later" or reply.status in (408, 409, 429) or reply.status >= 500:
            raise NoAnswer(message, headers=reply.headers)
        if cause == "length":
            return Fault(fault.code, f"the text is too long for one request: {fault.message}")
        return fault


def _checked_date(text: str) -> str:
    try:
        return str(day.fromisoformat(text)) if text else ""
    except ValueError:
        raise BenchError(f"system.adapter.date must be a day, as in 2026-11-30, not {text[:40]!r}.") from None
