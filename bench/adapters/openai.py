"""Any endpoint that speaks OpenAI's API (vLLM, llama.cpp's server, commercial ones), through the official client.

What fails on the way (no connection, no answer in time, 408, 409, 429, 5xx) the client asks again by itself, with exponential
backoff and jitter, or when Retry-After says. What it takes for an answer though it is none (a body that is cut off, broken
JSON, no choices) is asked again here, within the same count.

The key stands in the environment and nowhere else: what a server says is only repeated without it.
"""

from __future__ import annotations

import json
import os
import queue
import random
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from bench.adapters import _cleaning
from bench.adapters._ratelimit import Gate
from bench.adapters._requests import TOO_LONG, Answer, answered
from bench.core import Adapter, Context, Output, Source, Unit
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

_OURS = {"model", "messages", "prompt", "stop", "stream", "n"}
"""Fields of a request that the options cannot set."""

_TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length", "context size")
"""In a server's reason where a request does not fit: OpenAI's, llama.cpp's (two), vLLM's."""
_WITHHELD = ("content_filter", "content_policy_violation", "data_inspection_failed")
"""Codes of providers that refuse to read a request: Azure's, OpenAI's, DashScope's."""
_HOPELESS = {
    401: "does not accept the key: set the environment variable {key} to a valid one",
    402: "has no credit left for this key: top it up, or set the environment variable {key} to another",
    403: "does not allow this key to use {model}: set the environment variable {key} to one that may",
    404: "has no {model}: correct system.adapter.model, or system.adapter.base_url, which mostly ends in /v1",
}
"""What the next request would end with, too."""

_LARGEST_BODY = 16_000_000  # bytes of an answer


class _GaveUp(Exception):
    """A request got no answer, however often it was made."""


class OpenAI(Adapter):
    """`options`: fields of every request, as the server knows them (temperature, max_tokens, top_k …).
    `base_url`: "" for OPENAI_BASE_URL or else OpenAI's own. `key_variable`: the environment variable with the key.
    `served`: what is served there, where that is known (checkpoint@revision, engine): it then names the system wherever it
    is served. `concurrency`: requests at once. `timeout`: seconds that one may take to begin to answer, and to end.
    `retries`: of each request.

    A segment takes at most 1 + `retries` requests, and a wait before each that is bounded. Where 2 x `concurrency` (at least
    ten) in a row get no answer, or the first says that none will (key, credit, model), the run ends with a BenchError: the
    next goes on from there.
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
        super().__init__(direction)
        self.model = model
        self.prompt = prompt
        self.options = dict(options)
        given = base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        self.base_url, self._host = _checked(given)
        self.key_variable = key_variable
        self.served = served
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", key_variable):  # not shown: it may be the key itself
            raise BenchError(
                "system.adapter.key_variable is the name of an environment variable in capitals "
                "(OPENAI_API_KEY), never the key itself: correct it, and set that variable to the key."
            )
        if taken := sorted(_OURS & self.options.keys()):
            raise BenchError(f"system.adapter.options cannot set {', '.join(taken)}: take that out.")
        if concurrency < 1 or timeout <= 0 or retries < 0:
            raise BenchError("system.adapter needs concurrency >= 1, timeout > 0 and retries >= 0.")
        self._gate = Gate()
        self._answers = 0
        self._models: set[str] = set()
        self._fingerprints: set[str] = set()

    @property
    def context(self) -> Context:
        return self.prompt.context

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "openai",
            "version": 1,
            "cleaning": _cleaning.VERSION,
            "model": self.model,
            "prompt": self.prompt.identity(),
            "options": self.options,
            **({"served": self.served} if self.served else {"base_url": self.base_url}),
        }

    def facts(self) -> dict[str, Any]:
        return {
            "device": "api",
            "base_url": self.base_url,
            "models": sorted(self._models),
            "system_fingerprints": sorted(self._fingerprints),
            "requests": self._gate.requests,
            "retries": self._gate.requests - self._answers,
            "batch_invariant": False,  # servers put what comes together into one batch
        }

    def load(self) -> None:
        try:
            import openai  # noqa: F401
        except ImportError:
            raise BenchError(
                "The openai package is not installed: pip install 'bitext-bench[openai]'."
            ) from None
        key = os.environ.get(self.key_variable, "").strip()
        if not key and not self._is_local():
            raise BenchError(
                f"Set the environment variable {self.key_variable} to your key of {self.base_url} "
                "(to any word where it wants none), or system.adapter.key_variable to the name of the one that has it."
            )
        if not re.fullmatch(r"[!-~]*", key):  # the client's own error would show it
            raise BenchError(
                f"The key in {self.key_variable} has characters that no key has: copy it once more."
            )
        self._key = key or "no-key"

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        return answered(sources, self.prompt, self._complete)

    def _complete(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Answer]]:
        """Daemon threads and not an executor's, for which Ctrl-C would wait until the last server has answered."""
        todo = deque(units)
        done: queue.SimpleQueue[tuple[Unit, Answer | BaseException]] = queue.SimpleQueue()

        def work() -> None:
            with suppress(IndexError):  # all is taken
                while True:
                    unit = todo.popleft()
                    try:
                        done.put((unit, self._answer(client, unit)))
                    except BaseException as error:
                        done.put((unit, error))

        in_vain = 0
        with self._client() as client:
            try:
                for _ in range(min(self.concurrency, len(units))):
                    threading.Thread(target=work, daemon=True).start()
                for _ in units:
                    unit, answer = done.get()
                    self._answers += 1
                    if isinstance(answer, _GaveUp):
                        in_vain += 1
                        if in_vain >= max(10, 2 * self.concurrency):
                            raise BenchError(
                                f"{self.base_url} left {in_vain} requests in a row unanswered (the last: {answer}): "
                                "run again when it answers; what is finished is kept."
                            )
                        answer = Answer("", error=str(answer))
                    elif isinstance(answer, BaseException):
                        raise answer
                    else:
                        in_vain = 0
                    yield unit, answer
            finally:
                todo.clear()  # and with the client's connections ends what has begun

    def _client(self) -> Any:
        import openai

        hooks: dict[str, Any] = {"request": [self._gate.before], "response": [self._gate.after]}
        headers: dict[str, Any] = {}
        if not self._host.endswith("openai.com"):  # what OPENAI_ORG_ID says is no other provider's business
            headers = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
        return openai.OpenAI(
            api_key=self._key,
            base_url=self.base_url,
            timeout=openai.Timeout(self.timeout, connect=min(self.timeout, 10)),
            default_headers=headers,
            # The environment's proxies are not for servers on this machine.
            http_client=openai.DefaultHttpxClient(event_hooks=hooks, trust_env=not self._is_local()),
        )

    def _answer(self, client: Any, unit: Unit) -> Answer:
        """Raises _GaveUp, and BenchError where no other request would fare better."""
        import httpx2  # what the client is made of; it passes on what goes wrong in a body
        import openai

        request = self._request(unit)
        left = self.retries
        while True:
            granted, left = left, 0  # the client has used all where it gives up
            asking = client.with_options(max_retries=granted)
            create = (asking.chat if self.prompt.chat else asking).completions.with_streaming_response.create
            try:
                with create(model=self.model, **request) as response:
                    left = granted - response.retries_taken
                    return self._read(_body(response, self.timeout))
            except openai.APIStatusError as error:
                return self._status(error)
            except openai.APIConnectionError as error:
                raise _GaveUp(self._told(f"{error} {error.__cause__ or ''}")) from None
            except (ValueError, httpx2.HTTPError) as error:
                if not left:
                    raise _GaveUp(self._told(f"no answer: {error}")) from None
            pause = min(8.0, 0.5 * 2 ** (self.retries - left))  # as the client's own
            time.sleep(pause * random.uniform(0.75, 1))
            left -= 1

    def _request(self, unit: Unit) -> dict[str, Any]:
        more = dict(self.options)
        if stop := self.prompt.stop_for(unit):
            more["stop"] = stop
        if not self.prompt.chat:
            return {"prompt": self.prompt.completion(unit, self.direction), "extra_body": more}
        if self.prompt.chat_options:
            more["chat_template_kwargs"] = dict(self.prompt.chat_options)  # as vLLM and llama.cpp call them
        return {"messages": self.prompt.messages(unit, self.direction), "extra_body": more}

    def _read(self, body: bytes) -> Answer:
        """Raises ValueError where this is no answer."""
        try:
            said = json.loads(body)
            choice = said["choices"][0]
            message = choice["message"] if self.prompt.chat else {"content": choice["text"]}
            text = message["content"] or ""
            ended, refusal = choice.get("finish_reason"), message.get("refusal")
            usage = said.get("usage") or {}
            tokens_in, tokens_out = (int(usage.get(f"{of}_tokens") or 0) for of in ("prompt", "completion"))
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
            raise ValueError(body.decode("utf-8", "replace") or "nothing was sent") from None
        for name, found in (("model", self._models), ("system_fingerprint", self._fingerprints)):
            if said.get(name):
                found.add(self._told(said[name]))
        if len(self._key) >= 16:  # a short one (EMPTY, whatever) may be a word of the translation
            text = text.replace(self._key, "[key]")
        return Answer(
            text.encode("utf-8", "replace").decode(),  # half a surrogate pair could not be written to a file
            tokens_in,
            tokens_out,
            truncated=ended == "length",
            refused=ended == "content_filter" or bool(refusal),
        )

    def _status(self, error: Any) -> Answer:
        """What to make of a status that was not, or not any more, worth another request; raises as `_answer`."""
        reason = f"{error.code} {error.type} {error.message}".lower()
        if any(words in reason for words in _TOO_LONG):
            return TOO_LONG
        if error.code in _WITHHELD:
            return Answer("", refused=True)
        status = 402 if error.code == "insufficient_quota" else error.status_code
        told = self._told(error.message)
        if status in _HOPELESS:
            what = _HOPELESS[status].format(key=self.key_variable, model=self.model)
            shown = "" if status == 401 else f" ({told})"  # there, servers show parts of the key
            raise BenchError(f"{self.base_url} {what}{shown}.") from None
        if status in (408, 409, 429) or status >= 500:
            raise _GaveUp(told)
        return Answer("", error=told)

    def _told(self, text: Any) -> str:
        """What a server said, in one short line, without the key."""
        line = " ".join(str(text).replace(self._key, "[key]").split())
        line = line.encode("utf-8", "replace").decode()
        return line if len(line) <= 300 else line[:299] + "…"

    def _is_local(self) -> bool:
        return self._host in ("localhost", "::1") or self._host.startswith("127.")


def _body(response: Any, timeout: float) -> bytes:
    """All of it, or ValueError where that takes too long or too much memory: the client's timeout is for each piece of it."""
    end = time.monotonic() + timeout
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if time.monotonic() > end or len(body) > _LARGEST_BODY:
            raise ValueError(f"it had not ended after {timeout:g} s or {len(body)} bytes")
    return bytes(body)


def _checked(url: str) -> tuple[str, str]:
    """An endpoint's address without a slash at its end, and its host. One that may hold a secret is refused, and not shown."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        plain = False
    if not plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise BenchError(
            "system.adapter.base_url (or OPENAI_BASE_URL) must be an address like http://127.0.0.1:8000/v1, "
            "without user, password or query: a key is read from the environment only."
        )
    return url.rstrip("/"), str(parts.hostname)
