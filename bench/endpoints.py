"""Requests to an HTTP endpoint: several at once, repeated when they fail, within its rate limits, without
showing the key.

This module knows nothing about translation or about any particular API. An adapter or a scorer passes a
function that makes one attempt at one request; an `Endpoint` decides when to call it, how often, and when to
give up.
"""

from __future__ import annotations

import os
import queue
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from email.utils import mktime_tz, parsedate_tz
from typing import TypeVar
from urllib.parse import urlsplit

from bench import progress
from bench.errors import BenchError

Request = TypeVar("Request")
Answer = TypeVar("Answer")

_MAX_BODY = 16_000_000  # bytes
_MAX_SHOWN = 300  # characters of a server's message
_MAX_GATE_WAIT = 600.0  # seconds; after that a request is worth trying, whatever the headers say
_MAX_RETRY_AFTER = 120.0  # seconds
_MIN_SECRET = 16  # characters; a shorter key ("EMPTY", "test") may be a word of an answer

_HOPELESS = {
    401: "does not accept the key: set the environment variable {key} to a valid one",
    402: "has no credit left for this key: top it up, or set the environment variable {key} to another one",
    403: "does not allow this key to use {model}: set the environment variable {key} to one that may",
    404: "has no {model}: correct {yaml}.model, or {yaml}.base_url, which usually ends in /v1",
}
"""Statuses that every other request would get, too."""


class NoAnswer(Exception):
    """An attempt at a request got no usable answer.

    `retry`: whether another attempt may help. `headers`: those of the response, if there was one.
    """

    def __init__(
        self, reason: object, *, retry: bool = True, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(reason))
        self.retry = retry
        self.headers = headers or {}


class Endpoint:
    """`base_url`: http or https, without user, password or query. `key_variable`: the NAME of the environment
    variable that holds the key. `concurrency`: number of requests at once. `timeout`: seconds until an answer
    must begin, and again until it must end. `retries`: of each request. `yaml`: the config node with these
    settings, for messages.
    """

    def __init__(
        self,
        base_url: str,
        key_variable: str,
        concurrency: int,
        timeout: float,
        retries: int,
        *,
        yaml: str,
    ) -> None:
        self.base_url, self.host = _checked_address(base_url, yaml)
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", key_variable):  # not shown: it may be the key itself
            raise BenchError(
                f"{yaml}.key_variable must be the name of an environment variable in capitals "
                "(OPENAI_API_KEY), never the key itself: correct it, and set that variable to the key."
            )
        if concurrency < 1 or timeout <= 0 or retries < 0:
            raise BenchError(
                f"{yaml} needs concurrency >= 1, timeout > 0 and retries >= 0: correct the one that is not."
            )
        self.key_variable = key_variable
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        self.yaml = yaml
        self.gate = Gate()
        self.key = ""
        """Only in memory; "" until `read_key`."""
        self._finished = 0

    @property
    def is_local(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def repeated(self) -> int:
        """Number of requests that repeated another one."""
        return self.gate.requests - self._finished

    def read_key(self) -> None:
        """Read the key from the environment. A local endpoint needs none. Raises BenchError."""
        key = os.environ.get(self.key_variable, "").strip()
        if not key and not self.is_local:
            raise BenchError(
                f"Set the environment variable {self.key_variable} to your key for {self.base_url} (to any "
                f"word if it needs none), or name another variable in {self.yaml}.key_variable."
            )
        if not re.fullmatch(r"[!-~]*", key):  # an HTTP client's own error would show it
            raise BenchError(f"The key in {self.key_variable} has characters that no key has: copy it again.")
        self.key = key or "no-key"

    def answers(
        self, requests: Sequence[Request], ask: Callable[[Request], Answer]
    ) -> Generator[tuple[Request, Answer | NoAnswer], None, None]:
        """Yield every request once with its answer, as answers arrive, or with NoAnswer if all attempts
        failed.

        `ask` makes one attempt, in a thread of this function. It raises NoAnswer if the attempt failed, and
        BenchError if no other request can succeed either. Raises BenchError, too, if 2 x `concurrency`
        requests in a row (at least ten) get no answer.
        """
        todo = deque(requests)
        done: queue.SimpleQueue[tuple[Request, Answer | BaseException]] = queue.SimpleQueue()
        stopped = threading.Event()

        def work() -> None:
            with suppress(IndexError):  # `todo` is empty
                while True:
                    request = todo.popleft()
                    try:
                        done.put((request, self._persist(request, ask, stopped)))
                    except BaseException as error:
                        done.put((request, error))

        unanswered = 0
        try:
            for _ in range(min(self.concurrency, len(requests))):
                # Daemon threads: Ctrl-C would wait for the threads of an executor until the last server has
                # answered.
                threading.Thread(target=work, daemon=True).start()
            for _ in requests:
                request, answer = done.get()
                self._finished += 1
                if isinstance(answer, NoAnswer):
                    unanswered += 1
                    if unanswered >= max(10, 2 * self.concurrency):
                        raise BenchError(
                            f"{self.base_url} left {unanswered} requests in a row unanswered (the last: "
                            f"{answer}): run again when it answers; finished work is kept."
                        )
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    unanswered = 0
                yield request, answer
        finally:
            todo.clear()
            stopped.set()

    def check_status(self, status: int, message: object, headers: Mapping[str, str], model: str) -> None:
        """Raise for a status that says something about the endpoint. Return if only this one request is at
        fault.

        Raises BenchError if no request can succeed (key, credit, model), and NoAnswer if the same request may
        succeed later (408, 409, 429, 5xx). `message`: the server's own.
        """
        shown = self.redact(message)
        if status in _HOPELESS:
            problem = _HOPELESS[status].format(key=self.key_variable, model=model, yaml=self.yaml)
            quoted = "" if status == 401 else f" ({shown})"  # with 401, servers show a piece of the key
            raise BenchError(f"{self.base_url} {problem}{quoted}.") from None
        advice = headers.get("x-should-retry")  # OpenAI's own servers send it
        if status in (408, 409, 429) or status >= 500 or advice == "true":
            raise NoAnswer(shown, retry=advice != "false", headers=headers) from None

    def read_body(self, chunks: Iterable[bytes]) -> bytes:
        """The complete body of a response. Raises NoAnswer if it takes longer than `timeout` or is too large.

        The timeout of an HTTP client usually applies to each chunk.
        """
        end = time.monotonic() + self.timeout
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if time.monotonic() > end or len(body) > _MAX_BODY:
                raise NoAnswer(f"no answer: it had not ended after {self.timeout:g} s or {len(body)} bytes")
        return bytes(body)

    def redact(self, message: object) -> str:
        """A server's message as one short line without the key."""
        text = str(message)
        if self.key:
            text = text.replace(self.key, "[key]")
        line = " ".join(text.split()).encode("utf-8", "replace").decode()
        return line if len(line) <= _MAX_SHOWN else line[: _MAX_SHOWN - 1] + "…"

    def without_key(self, text: str) -> str:
        """An answer without the key, if the server repeated it there."""
        return text.replace(self.key, "[key]") if len(self.key) >= _MIN_SECRET else text

    def _persist(
        self, request: Request, ask: Callable[[Request], Answer], stopped: threading.Event
    ) -> Answer:
        """Up to 1 + `retries` attempts. Raises NoAnswer, redacted, and whatever else `ask` raises."""
        attempt = 0
        while True:
            self.gate.enter()
            try:
                return ask(request)
            except NoAnswer as error:
                failure = error
            attempt += 1
            if not failure.retry or attempt > self.retries or stopped.wait(_pause(attempt, failure.headers)):
                raise NoAnswer(self.redact(failure)) from None


class Gate:
    """Every request enters here, repeated ones too. It counts them, and holds all threads back while a limit
    that the server reports is used up."""

    def __init__(self) -> None:
        self.requests = 0
        self._opens = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def enter(self) -> None:
        while (wait := self._opens - time.monotonic()) > 0:
            time.sleep(wait)
        with self._lock:
            self.requests += 1

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Close the gate for as long as a response says."""
        wait = min(_limit_wait(status, headers), _MAX_GATE_WAIT)
        with self._lock:
            opens = time.monotonic() + wait
            longer, self._opens = opens - self._opens, max(opens, self._opens)
        if wait >= 10 and longer >= 10:  # once, not once per thread
            progress.say(f"A rate limit of the endpoint is used up: waiting {wait:.0f} s.")


def _limit_wait(status: int, headers: Mapping[str, str]) -> float:
    """Seconds until the next request makes sense.

    x-ratelimit-*: sent by OpenAI and others (platform.openai.com/docs/guides/rate-limits, "Rate limits in
    headers").
    """
    waits = [0.0]
    for resource in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{resource}") == "0":
            waits.append(_seconds(headers.get(f"x-ratelimit-reset-{resource}", "")))
    if status in (429, 503):
        waits.append(_retry_after(headers))
    return max(waits)


def _pause(attempt: int, headers: Mapping[str, str]) -> float:
    """Seconds before the next attempt: Retry-After, or exponential backoff with jitter."""
    wait = _retry_after(headers)
    if not 0 < wait <= _MAX_RETRY_AFTER and (date := parsedate_tz(headers.get("retry-after", ""))):
        with suppress(ValueError, OverflowError):
            wait = mktime_tz(date) - time.time()
    if 0 < wait <= _MAX_RETRY_AFTER:
        return wait
    return min(8.0, 0.5 * 2.0 ** min(attempt - 1, 10)) * random.uniform(0.75, 1)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, from `retry-after-ms` or `Retry-After`; 0 if there are none or it is a date."""
    return max(_seconds(headers.get("retry-after-ms", "") + "ms"), _seconds(headers.get("retry-after", "")))


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)")
_UNIT_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(text: str) -> float:
    """ "6m0s" -> 360.0, "20ms" -> 0.02, "7" -> 7.0; 0 if the text is not a duration."""
    terms = _DURATION.findall(text)
    if "".join(number + unit for number, unit in terms) != text:
        return 0.0
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in terms)


def _checked_address(url: str, yaml: str) -> tuple[str, str]:
    """An endpoint's address without a final slash, and its host.

    Raises BenchError, without showing the address, for one that may contain a secret.
    """
    try:
        address = urlsplit(url)
        plain = address.scheme in ("http", "https") and address.hostname and (address.port or True)
    except ValueError:
        plain = False
    if not plain or address.query or address.fragment or "@" in address.netloc:
        raise BenchError(
            f"{yaml}.base_url, or the environment variable in its place, must be an address like "
            "http://127.0.0.1:8000/v1 without user, password or query: set the key in the environment only."
        )
    return url.rstrip("/"), str(address.hostname)
