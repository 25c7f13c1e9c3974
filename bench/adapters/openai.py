"""Any endpoint that speaks OpenAI's API (vLLM, llama.cpp's server, commercial ones), through the official
client.

This module builds requests and reads answers. Threads, retries, rate limits and the key are the business of
bench.endpoints.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from bench.adapters import _cleaning
from bench.adapters._language_model import TOO_LONG, LanguageModelAdapter, Response
from bench.core import Unit
from bench.endpoints import Endpoint, NoAnswer
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

_FIXED = {"model", "messages", "prompt", "stop", "stream", "n"}
"""Fields of a request that the options cannot set."""

_TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length", "context size")
"""In the server's message if a request does not fit the context: OpenAI's, llama.cpp's (two), vLLM's."""
_WITHHELD = ("content_filter", "content_policy_violation", "data_inspection_failed")
"""Error codes of providers that refuse to read a request: Azure's, OpenAI's, DashScope's."""


class OpenAI(LanguageModelAdapter):
    """`options`: fields of every request, as the server knows them (temperature, max_tokens, top_k …).
    `base_url`: "" for OPENAI_BASE_URL, or else OpenAI's own. `served`: what is served there, if known
    (checkpoint@revision, engine): it then identifies the system, wherever it is served. The others: see
    bench.endpoints.Endpoint.
    """

    def __init__(
        self,
        model: str,
        prompt: Prompt,
        options: Mapping[str, Any],
        base_url: str = "",
        key_variable: str = "OPENAI_API_KEY",
        served: str = "",
        concurrency: int = 8,
        timeout: float = 120,
        retries: int = 6,
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

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "openai",
            "version": 1,
            "cleaning": _cleaning.VERSION,
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
            "batch_invariant": False,  # servers batch whatever arrives together
        }

    def load(self) -> None:
        try:
            import openai  # noqa: F401
        except ImportError:
            raise BenchError(
                "The openai package is not installed: pip install 'bitext-bench[openai]'."
            ) from None
        self.endpoint.read_key()

    def respond(self, requests: Sequence[Unit]) -> Iterator[tuple[Unit, Response]]:
        # The answers are closed before the client: no thread starts another request with a closed client.
        with (
            self._client() as client,
            closing(self.endpoint.answers(requests, partial(self._ask, client))) as answers,
        ):
            for unit, answer in answers:
                yield unit, Response("", error=str(answer)) if isinstance(answer, NoAnswer) else answer

    def _client(self) -> Any:
        import openai

        endpoint = self.endpoint
        headers: dict[str, Any] = {}
        if not endpoint.host.endswith("openai.com"):  # OPENAI_ORG_ID is not the business of other providers
            headers = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}

        def observe(response: Any) -> None:
            endpoint.gate.observe(response.status_code, response.headers)

        return openai.OpenAI(
            api_key=endpoint.key,
            base_url=endpoint.base_url,
            timeout=openai.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 10)),
            max_retries=0,  # bench.endpoints retries
            default_headers=headers,
            # The environment's proxies are not for servers on this machine.
            http_client=openai.DefaultHttpxClient(
                event_hooks={"response": [observe]}, trust_env=not endpoint.is_local
            ),
        )

    def _ask(self, client: Any, unit: Unit) -> Response:
        """One attempt. Raises NoAnswer, and BenchError if no other request can succeed."""
        import httpx2  # what the client is built on; it lets errors in a response's body through
        import openai

        create = (client.chat if self.prompt.chat else client).completions.with_streaming_response.create
        try:
            with create(model=self.model, **self._request(unit)) as response:
                body = self.endpoint.read_body(response.iter_bytes())
        except openai.APIStatusError as error:
            return self._read_error(error)
        except openai.APIConnectionError as error:
            raise NoAnswer(f"{error} {error.__cause__ or ''}") from None
        except httpx2.HTTPError as error:
            raise NoAnswer(f"no answer: {error}") from None
        return self._read(body)

    def _request(self, unit: Unit) -> dict[str, Any]:
        fields = dict(self.options)
        if stop := self.prompt.stop_for(unit):
            fields["stop"] = stop
        if not self.prompt.chat:
            return {"prompt": self.prompt.completion(unit, self.direction), "extra_body": fields}
        if self.prompt.chat_options:
            fields["chat_template_kwargs"] = dict(self.prompt.chat_options)  # the name in vLLM and llama.cpp
        return {"messages": self.prompt.messages(unit, self.direction), "extra_body": fields}

    def _read(self, body: bytes) -> Response:
        """Raises NoAnswer if this is not an answer."""
        try:
            answer = json.loads(body)
            choice = answer["choices"][0]
            message = choice["message"] if self.prompt.chat else {"content": choice["text"]}
            text = message["content"] or ""
            finish_reason, refusal = choice.get("finish_reason"), message.get("refusal")
            usage = answer.get("usage") or {}
            tokens_in = int(usage.get("prompt_tokens") or 0)
            tokens_out = int(usage.get("completion_tokens") or 0)
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
            sent = body.decode("utf-8", "replace") or "nothing was sent"
            raise NoAnswer(f"no answer: {sent}") from None
        for field, values in (("model", self._models), ("system_fingerprint", self._fingerprints)):
            if answer.get(field):
                values.add(self.endpoint.redact(answer[field]))
        text = self.endpoint.without_key(text)
        return Response(
            text.encode("utf-8", "replace").decode(),  # half a surrogate pair cannot be written to a file
            tokens_in,
            tokens_out,
            truncated=finish_reason == "length",
            refused=finish_reason == "content_filter" or bool(refusal),
        )

    def _read_error(self, error: Any) -> Response:
        """Raises as `_ask`."""
        reason = f"{error.code} {error.type} {error.message}".lower()
        if any(phrase in reason for phrase in _TOO_LONG):
            return TOO_LONG
        if error.code in _WITHHELD:
            return Response("", refused=True)
        status = 402 if error.code == "insufficient_quota" else error.status_code
        self.endpoint.check_status(status, error.message, error.response.headers, self.model)
        return Response("", error=self.endpoint.redact(error.message))
