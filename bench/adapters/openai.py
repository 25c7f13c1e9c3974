"""Any endpoint that speaks OpenAI's API (vLLM, llama.cpp's server, commercial ones), through the official
client.

This module builds requests and reads answers. Threads, retries, rate limits and the key are the business of
bench.endpoints.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from bench import limits
from bench.adapters._chat_answers import REASONING, error_fields, is_refusal, message_text, token_count
from bench.adapters._language_model import CLEANING, TOO_LONG, LanguageModelAdapter, Response
from bench.adapters._refused_fields import STATUSES, adaptation, adapted, refused_field
from bench.adapters._refused_fields import refusal as refusal_of
from bench.answers.finish import FAILED, finish_name, is_refused, is_truncated
from bench.bodies import BadBody, decoded
from bench.core import Output, Source, Unit
from bench.endpoints import Endpoint, NoAnswer
from bench.errors import BenchError
from bench.languages import HAN, Direction, Language
from bench.prompt import Prompt
from bench.usage import Usage

_FIXED = {"model", "messages", "prompt", "stop", "stream", "n"}
"""Fields of a request that the options cannot set."""

_TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length", "context size")
"""In the server's message if a request does not fit the context: OpenAI's, llama.cpp's (two), vLLM's."""
_WITHHELD = ("content_filter", "content_policy_violation", "data_inspection_failed")
"""Error codes of providers that refuse to read a request: Azure's, OpenAI's, DashScope's."""
_MODERATED = ("flagged", "moderation", "content policy", "content filter")
"""In the message of a status 403 that is about the text and not about the key: OpenRouter's, gateways'."""
_WRONG_KEY = "api key not valid"
"""In the message of a status 400: Google's."""
_READ = 10_000
"""Characters of an error's message that are searched for what it means."""
_MAX_SERVED = 20
"""Names of models, and fingerprints, that run.json keeps: a server may send another one with each answer."""

_CHARACTERS_PER_TOKEN: Mapping[Language, float] = {"zh": 3, "en": 8}
"""More than any tokenizer puts into one token, on average over a text. Common ones have 1.3 to 1.9 and 4 to 5."""
_SPARE_TOKENS = 50
"""Short prompts are not judged."""


_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")
"""Options that limit an answer."""


class _Refusal(Exception):
    """A response whose status says that it is no answer. Its body is read before the client reads it whole."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class OpenAI(LanguageModelAdapter):
    """`options`: fields of every request, as the server knows them (temperature, max_tokens, top_k …).
    `base_url`: "" for OPENAI_BASE_URL, or else OpenAI's own. `served`: what is served there, if known
    (checkpoint@revision, engine): it then identifies the system, wherever it is served. The others: see
    bench.endpoints.Endpoint.
    """

    def __init__(
        self,
        model: Annotated[str, Meta(min_length=1, max_length=limits.LINE_CHARACTERS)],
        prompt: Prompt,
        options: Mapping[str, Any],
        base_url: str = "",
        key_variable: str = "OPENAI_API_KEY",
        served: str = "",
        concurrency: Annotated[int, Meta(ge=1, le=limits.CONCURRENCY)] = 8,
        timeout: Annotated[float, Meta(gt=0, le=limits.TIMEOUT_SECONDS)] = 120,
        retries: Annotated[int, Meta(ge=0, le=limits.RETRIES)] = 6,
        *,
        direction: Direction,
    ) -> None:
        super().__init__(prompt, direction=direction)
        self.model = model
        self.options = dict(options)
        self.served = served
        address = base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        self.endpoint = Endpoint(address, key_variable, concurrency, timeout, retries, yaml="system.adapter")
        if fixed := sorted(_FIXED & self.options.keys()):
            raise BenchError(f"system.adapter.options cannot set {', '.join(fixed)}: remove it.")
        self._models: set[str] = set()
        self._fingerprints: set[str] = set()
        self._without_choices: set[str] = set()
        """Requests that were answered without choices."""
        self._adaptations: dict[str, str] = {}
        """Field that the server refuses -> the name that it takes, "" if the field is left out."""

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "openai",
            "version": 1,
            "cleaning": CLEANING,
            "model": self.model,
            "prompt": self.prompt.identity(),
            "options": self.options,
            **({"served": self.served} if self.served else {"base_url": self.endpoint.base_url}),
        }

    def facts(self) -> dict[str, Any]:
        return {
            "device": "api",
            "base_url": self.endpoint.base_url,
            "models": sorted(self._models),
            "system_fingerprints": sorted(self._fingerprints),
            "requests": self.endpoint.gate.requests,
            "retries": self.endpoint.repeated,
            **({"adapted_fields": dict(self._adaptations)} if self._adaptations else {}),
            "batch_invariant": False,  # servers batch whatever arrives together
        }

    def load(self) -> None:
        try:
            import openai  # noqa: F401
        except ImportError:
            raise BenchError(
                "The openai package is not installed: pip install 'bitext-bench[openai]'."
            ) from None
        for library in ("openai", "httpx2", "httpcore2"):
            # Their logs (OPENAI_LOG) hold headers of responses, which may repeat the key.
            logging.getLogger(library).setLevel(logging.WARNING)
        self.endpoint.read_key()

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        # After cleaning, which may put the pieces of a key together.
        for id, output in super().translate(sources):
            text, raw = map(self.endpoint.without_key, (output.text, output.raw))
            if text != output.text:  # the raw answer may hold it in pieces
                raw = ""
            yield id, replace(output, text=text, raw=raw)

    def respond(self, requests: Sequence[Unit]) -> Iterator[tuple[Unit, Response]]:
        # The answers are closed before the client: no thread starts another request with a closed client.
        with (
            self._client() as client,
            closing(self.endpoint.answers(requests, partial(self._ask, client))) as answers,
        ):
            for unit, answer in answers:
                response = Response("", error=str(answer)) if isinstance(answer, NoAnswer) else answer
                if not isinstance(answer, NoAnswer):  # those are counted by the endpoint
                    self.endpoint.check_first(response.error)
                yield unit, response

    def _client(self) -> Any:
        import httpx2
        import openai

        endpoint = self.endpoint
        headers: dict[str, Any] = {}
        if not endpoint.host.endswith("openai.com"):  # OPENAI_ORG_ID is not the business of other providers
            headers = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}

        try:
            return openai.OpenAI(
                api_key=endpoint.key,
                base_url=endpoint.base_url,
                timeout=openai.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 10)),
                max_retries=0,  # bench.endpoints retries
                default_headers={**headers, "Accept-Encoding": "gzip"},  # what bench.endpoints unpacks
                # The environment's proxies are not for servers on this machine.
                http_client=openai.DefaultHttpxClient(
                    event_hooks={"response": [self._check_response]}, trust_env=not endpoint.is_local
                ),
            )
        except httpx2.InvalidURL:
            raise BenchError(
                f"{endpoint.base_url} is not an address: correct {endpoint.yaml}.base_url."
            ) from None

    def _check_response(self, response: Any) -> None:
        """Called for each response before the client looks at it. Raises as `_ask`, and _Refusal."""
        self.endpoint.gate.observe(response.status_code, response.headers)
        if response.has_redirect_location:
            self._check_redirect(response)
        elif not response.is_success:
            raise _Refusal(response.status_code, response.headers, self._body(response))

    def _check_redirect(self, response: Any) -> None:
        """Let the client follow a redirect that repeats the request at the same server. It reads its body
        whole, so that has to be plain and of a stated length.

        Raises BenchError for any other: the key and the texts go to no other server.
        """
        import httpx2

        headers, here = response.headers, response.url
        try:
            there = here.join(headers["location"])
            target = f"{there.scheme}://{there.netloc.decode()}"
            if (there.scheme, there.host, there.port) == (here.scheme, here.host, here.port):
                target += there.path  # another server's may hold a secret
        except (httpx2.InvalidURL, ValueError):
            there, target = None, headers["location"]
        is_plain = "content-encoding" not in headers and "transfer-encoding" not in headers
        if (
            there is not None
            and (there.scheme, there.host, there.port) == (here.scheme, here.host, here.port)
            and response.status_code in (307, 308)
            and is_plain
            and int(headers.get("content-length", limits.BODY_BYTES + 1)) <= limits.BODY_BYTES
        ):
            return
        raise BenchError(
            f"{self.endpoint.base_url} redirects to {self.endpoint.redact(target)}, which is not followed: "
            f"set {self.endpoint.yaml}.base_url to the address that answers itself, if you trust it."
        )

    def _body(self, response: Any) -> bytes:
        return self.endpoint.read_body(response.iter_raw(), response.headers.get("content-encoding", ""))

    def _ask(self, client: Any, unit: Unit) -> Response:
        """One attempt. Raises NoAnswer, and BenchError if no other request can succeed."""
        import httpx2  # what the client is built on; it lets errors in a response's body through
        import openai

        create = (client.chat if self.prompt.chat else client).completions.with_streaming_response.create
        request = self._request(unit)
        try:
            with self.endpoint.paid(self._most(unit)) as bill:
                try:
                    with create(model=self.model, **request) as response:
                        body = self._body(response.http_response)
                except _Refusal:
                    bill.used = Usage()
                    raise
                answer = self._read(body, unit)
                if answer.tokens_in or answer.tokens_out:
                    bill.used = Usage(tokens_in=answer.tokens_in, tokens_out=answer.tokens_out)
                return answer
        except _Refusal as refusal:
            if self._adapt(refusal, request["extra_body"]):
                self.endpoint.gate.enter()
                return self._ask(client, unit)
            return self._read_refusal(refusal)
        except openai.APIConnectionError as error:
            raise NoAnswer(f"no answer: {error} {error.__cause__ or ''}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.CookieConflict) as error:
            raise NoAnswer(f"no answer: {error}") from None

    def _most(self, unit: Unit) -> Usage:
        """The most that a request can use: no token is shorter than a byte. Raises BenchError if its answer has no
        limit."""
        if self.endpoint.meter is None:
            return Usage()
        limit = next((self.options[name] for name in _TOKEN_LIMITS if name in self.options), None)
        if not isinstance(limit, int):
            raise BenchError(
                "max_cost needs a limit on the tokens of an answer: set system.adapter.options.max_tokens."
            )
        texts = self.prompt_texts(unit)
        template = 32 * len(texts) + 64  # roles and control tokens around each message
        sent = sum(len(text.encode("utf-8", "replace")) for text in texts)
        return Usage(tokens_in=sent + template, tokens_out=limit)

    def _request(self, unit: Unit) -> dict[str, Any]:
        fields = dict(self.options)
        if stop := self.prompt.stop_for(unit):
            fields["stop"] = stop
        if not self.prompt.chat:
            fields = adapted(fields, self._adaptations)
            return {"prompt": self.prompt.completion(unit, self.direction), "extra_body": fields}
        if options := self.prompt.for_direction(self.direction).chat_options:
            fields["chat_template_kwargs"] = dict(options)  # the name in vLLM and llama.cpp
        fields = adapted(fields, self._adaptations)
        return {"messages": self.prompt.messages(unit, self.direction), "extra_body": fields}

    def _read(self, body: bytes, unit: Unit) -> Response:
        """Raises NoAnswer if this is not an answer. Only the text has to be there; a field of another type
        than it should have counts as missing."""
        try:
            answer = decoded(body)
            self._check_error(answer)
            if answer["choices"] == [] and self._is_repeated(unit) and not answer.get("error"):
                return Response("", refused=True, finish="content_filter")
            choice = answer["choices"][0]
            finish = finish_name(choice.get("finish_reason"))
            message = (choice.get("message") or {}) if self.prompt.chat else {"content": choice["text"]}
            if is_refusal(message):
                finish = "refusal"
            if "content" in message:
                text = message_text(message["content"])
            elif is_refused(finish) or is_truncated(finish) or any(name in message for name in REASONING):
                text = ""  # nothing was left for it after thinking
            else:
                raise LookupError
        except BadBody as error:
            raise NoAnswer(f"no answer: {error}") from None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            sent = body.decode("utf-8", "replace") or "nothing was sent"
            raise NoAnswer(f"no answer: {sent}") from None
        if finish in FAILED:
            raise NoAnswer(f"no answer: the server ended it with {finish!r}")
        if len(text) > limits.TEXT_CHARACTERS:
            raise NoAnswer(
                f"no answer: it has {len(text)} characters, {limits.TEXT_CHARACTERS} are the limit"
            )
        for field, values in (("model", self._models), ("system_fingerprint", self._fingerprints)):
            name = answer.get(field)
            if isinstance(name, str) and name and len(values) < _MAX_SERVED:
                values.add(self.endpoint.redact(name))
        usage = answer.get("usage")
        return Response(
            text.encode("utf-8", "replace").decode(),  # half a surrogate pair cannot be written to a file
            token_count(usage, "prompt_tokens"),
            token_count(usage, "completion_tokens"),
            truncated=is_truncated(finish),
            refused=is_refused(finish),
            finish=finish,
            prompt_cut=self._is_cut(unit, token_count(usage, "prompt_tokens")),
        )

    def _check_error(self, answer: Any) -> None:
        """Some gateways send an error with status 200, and its own status inside. Raises as `_ask`."""
        error = answer.get("error") if isinstance(answer, dict) and not answer.get("choices") else None
        if isinstance(error, dict) and isinstance(status := error.get("code"), int):
            self.endpoint.check_status(status, error.get("message") or error, {}, self.model)

    def _is_repeated(self, unit: Unit) -> bool:
        """Whether this request got no choices before: once may be a fault, twice is a refusal."""
        is_repeated = unit[0].request_id in self._without_choices
        self._without_choices.add(unit[0].request_id)
        return is_repeated

    def _is_cut(self, unit: Unit, tokens: int) -> bool:
        """Whether a prompt of so many tokens cannot hold the sources. 0: the server does not say how many."""
        text = "".join(source.text + "".join(source.before) for source in unit)
        han = len(HAN.findall(text))
        fewest = han / _CHARACTERS_PER_TOKEN["zh"] + (len(text) - han) / _CHARACTERS_PER_TOKEN["en"]
        return 0 < tokens < fewest - _SPARE_TOKENS

    def _adapt(self, refusal: _Refusal, sent: Mapping[str, Any]) -> bool:
        """Whether the server refused a field that can be sent in another way from now on.

        Raises BenchError if it refused one that every other request has, too.
        """
        if refusal.status not in STATUSES:
            return False
        error, message = error_fields(refusal.body), refusal.body.decode("utf-8", "replace")
        if isinstance(error.get("message"), str):
            message = error["message"]
        message = message[:_READ]
        if any(phrase in message.lower() for phrase in (*_TOO_LONG, *_WITHHELD)):
            return False
        if not (name := refused_field(message, error.get("param"), sent)):
            return False
        if (other := adaptation(name, message)) is None:
            shown = self.endpoint.redact(message)
            raise refusal_of(name, sent, f"{self.endpoint.base_url} refuses the field {name} ({shown})")
        self._adaptations[name] = other
        return True

    def _read_refusal(self, refusal: _Refusal) -> Response:
        """Raises as `_ask`."""
        sent, fields = refusal.body.decode("utf-8", "replace").strip(), error_fields(refusal.body)
        message, code, kind = (
            value if isinstance(value := fields.get(name), str) else ""
            for name in ("message", "code", "type")
        )
        message = f"{refusal.status} - {message or sent or 'nothing was sent'}"
        reason = f"{code} {kind} {message[:_READ]}".lower()
        if any(phrase in reason for phrase in _TOO_LONG):
            return TOO_LONG
        is_moderated = refusal.status == 403 and any(phrase in reason for phrase in _MODERATED)
        if code in _WITHHELD or is_moderated:
            return Response("", refused=True, finish="content_filter")
        status = 402 if code == "insufficient_quota" else 401 if _WRONG_KEY in reason else refusal.status
        self.endpoint.check_status(status, message, refusal.headers, self.model)
        return Response("", error=self.endpoint.redact(message))
