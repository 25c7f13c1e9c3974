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
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.utils import mktime_tz, parsedate_tz
from typing import TypeVar, cast
from urllib.parse import urlsplit

from bench import limits, progress
from bench.bodies import BadBody, unpacked
from bench.budget import Bill, CostLimit, Meter
from bench.errors import BenchError
from bench.escaping import terminal
from bench.redaction import hide_key
from bench.usage import Usage

Request = TypeVar("Request")
Answer = TypeVar("Answer")

_MAX_READ = 100_000  # characters of a server's message that are looked at
_MAX_GATE_WAIT = 600.0  # seconds; after that a request is worth trying, whatever the headers say
_MAX_RETRY_AFTER = 120.0  # seconds
_MAX_RESET = 86_400.0  # seconds; no limit is counted over more than a day, so a longer wait is nonsense
_MIN_SECRET = 16  # characters; a shorter key ("EMPTY", "test") may be a word of an answer
_GRACE = 10.0  # seconds for finding and connecting to a server

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
    must begin, and again until it must end. `retries`: of each request. `per_second`: the largest number of requests
    per second, repeated ones included; 0 for no limit. `yaml`: the config node with these settings, for messages.
    """

    def __init__(
        self,
        base_url: str,
        key_variable: str,
        concurrency: int,
        timeout: float,
        retries: int,
        *,
        per_second: float = 0,
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
        self.gate = Gate(per_second)
        self.key = ""
        """Only in memory; "" until `read_key`."""
        self._secrets: list[str] = []
        """The key and whatever else `read_secret` has read: hidden in all messages."""
        self.meter: Meter | None = None
        """Pays for the requests, if something limits what they may cost."""
        self._refused = 0
        """Requests that were refused before any was answered; -1 after an answer."""
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
        key = self.read_secret(self.key_variable)
        if not key and not self.is_local:
            raise BenchError(
                f"Set the environment variable {self.key_variable} to your key for {self.base_url} (to any "
                f"word if it needs none), or name another variable in {self.yaml}.key_variable."
            )
        self.key = key or "no-key"

    def read_secret(self, variable: str) -> str:
        """The value of an environment variable, "" if it is not set. Messages and answers hide it. Raises
        BenchError."""
        secret = os.environ.get(variable, "").strip()
        if not re.fullmatch(r"[!-~]*", secret):  # an HTTP client's own error would show it
            raise BenchError(f"The key in {variable} has characters that no key has: copy it again.")
        self._secrets.append(secret)
        return secret

    def answers(
        self, requests: Sequence[Request], ask: Callable[[Request], Answer]
    ) -> Generator[tuple[Request, Answer | NoAnswer], None, None]:
        """Yield every request once with its answer, as answers arrive, or with NoAnswer if all attempts
        failed.

        `ask` makes one attempt, in a thread of this function. It raises NoAnswer if the attempt failed, and
        BenchError if no other request can succeed either. After CostLimit, the answers to requests that were sent
        already are still yielded. Raises BenchError, too, if 2 x `concurrency`
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
                    except CostLimit as error:
                        done.put((request, error))
                        while True:  # nor is any other sent
                            done.put((todo.popleft(), error))
                    except BaseException as error:
                        done.put((request, error))

        unanswered = 0
        over: CostLimit | None = None
        try:
            for _ in range(min(self.concurrency, len(requests))):
                # Daemon threads: Ctrl-C would wait for the threads of an executor until the last server has
                # answered.
                threading.Thread(target=work, daemon=True).start()
            for _ in requests:
                request, answer = done.get()
                if isinstance(answer, CostLimit):
                    over = answer
                    continue
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
            if over:
                raise over
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

    def read_body(self, chunks: Iterable[bytes], encoding: str = "") -> bytes:
        """The complete body of a response. `chunks`: as they were sent. `encoding`: its Content-Encoding.

        Raises NoAnswer if it takes longer than `timeout`, or if it or what it unpacks to is too large. The
        timeout of an HTTP client usually applies to each chunk, and a client may unpack without a limit.
        """
        end = time.monotonic() + self.timeout
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if time.monotonic() > end or len(body) > limits.BODY_BYTES:
                raise NoAnswer(f"no answer: it had not ended after {self.timeout:g} s or {len(body)} bytes")
        try:
            return unpacked(bytes(body), encoding.strip().lower())
        except BadBody as error:
            raise NoAnswer(f"no answer: {error}") from None

    def redact(self, message: object) -> str:
        """A server's message as one short line without the key and without control characters."""
        text = str(message)[:_MAX_READ]
        for secret in self._secrets:
            text = hide_key(text, secret)
        line = terminal(" ".join(text.split()))
        shown = limits.MESSAGE_CHARACTERS
        return line if len(line) <= shown else line[: shown - 1] + "…"

    def without_key(self, text: str) -> str:
        """An answer without the key, if the server repeated it there."""
        for secret in self._secrets:
            text = hide_key(text, secret, prose=True) if len(secret) >= _MIN_SECRET else text
        return text

    @contextmanager
    def paid(self, most: Usage) -> Iterator[Bill]:
        """Around one attempt, in the function that makes it. `most`: what it can use. The caller says in the bill
        what it has used. Raises CostLimit before anything is sent."""
        if self.meter is None:
            yield Bill()
        else:
            with self.meter.request(most) as bill:
                yield bill

    def check_first(self, error: str) -> None:
        """Raise BenchError if the first 2 x `concurrency` requests (at least ten) are all refused. Call it once per
        answer; `error`: why the request was refused, "" if it was not."""
        self._refused = self._refused + 1 if error and self._refused >= 0 else -1
        if self._refused >= max(10, 2 * self.concurrency):
            raise BenchError(
                f"{self.base_url} refused the first {self._refused} requests (the last: {error}): correct the "
                "settings of the system and run again."
            )

    def _persist(
        self, request: Request, ask: Callable[[Request], Answer], stopped: threading.Event
    ) -> Answer:
        """Up to 1 + `retries` attempts. Raises NoAnswer, redacted, and whatever else `ask` raises."""
        attempt = 0
        while True:
            self.gate.enter()
            if stopped.is_set():  # while it waited: nobody reads the answer
                raise NoAnswer("not sent")
            try:
                return self._attempt(request, ask)
            except NoAnswer as error:
                failure = error
            attempt += 1
            if not failure.retry or attempt > self.retries or stopped.wait(_pause(attempt, failure.headers)):
                raise NoAnswer(self.redact(failure)) from None

    def _attempt(self, request: Request, ask: Callable[[Request], Answer]) -> Answer:
        """One attempt, given up and left behind in its thread if it ends far too late.

        The timeouts of an HTTP client begin anew with every byte of headers and every interim response, and a
        name server may let it wait without one.
        """
        outcome: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

        def attempt() -> None:
            try:
                outcome.put((ask(request), None))
            except BaseException as error:
                outcome.put((None, error))

        threading.Thread(target=attempt, daemon=True).start()
        longest = _GRACE + 3 * self.timeout  # until it begins, until it ends, and the last chunk
        try:
            answer, error = outcome.get(timeout=longest)
        except queue.Empty:
            raise NoAnswer(f"no answer: it had not begun after {longest:g} s", retry=False) from None
        if error is not None:
            raise error
        return cast(Answer, answer)


class Gate:
    """Every request enters here, repeated ones too. It counts them, and holds all threads back while a limit
    that the server reports is used up. `per_second`: see Endpoint."""

    def __init__(self, per_second: float = 0) -> None:
        self.requests = 0
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0  # when the next request may be sent, on the monotonic clock
        self._opens = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def enter(self) -> None:
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        while (wait := max(turn, self._opens) - time.monotonic()) > 0:
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
    if not 0 < wait <= _MAX_RETRY_AFTER:
        with suppress(ValueError, OverflowError, LookupError, TypeError):  # what nonsense does to the parser
            if date := parsedate_tz(headers.get("retry-after", "")[:100]):
                wait = mktime_tz(date) - time.time()
    if 0 < wait <= _MAX_RETRY_AFTER:
        return wait
    return min(8.0, 0.5 * 2.0 ** min(attempt - 1, 10)) * random.uniform(0.75, 1)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, from `retry-after-ms` or `Retry-After`; 0 if there are none or it is a date."""
    return max(_seconds(headers.get("retry-after-ms", "") + "ms"), _seconds(headers.get("retry-after", "")))


_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|)")
_UNIT_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(text: str) -> float:
    """ "6m0s" -> 360.0, "20ms" -> 0.02, "7" -> 7.0; 0 if the text is not a duration, or one of more than
    a day."""
    terms = _DURATION.findall(text[:100])
    if "".join(number + unit for number, unit in terms) != text:
        return 0.0
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in terms)
    return seconds if seconds <= _MAX_RESET else 0.0


def _checked_address(url: str, yaml: str) -> tuple[str, str]:
    """An endpoint's address without a final slash, and its host.

    Raises BenchError, without showing the address, for one that may contain a secret.
    """
    try:
        address = urlsplit(url)
        plain = address.scheme in ("http", "https") and address.hostname and (address.port or True)
        (address.hostname or "").encode("idna")  # as a client encodes it
        plain = plain and url.isprintable() and " " not in url
    except ValueError:
        plain = False
    if not plain or address.query or address.fragment or "@" in address.netloc:
        raise BenchError(
            f"{yaml}.base_url, or the environment variable in its place, must be an address like "
            "http://127.0.0.1:8000/v1 without user, password or query: set the key in the environment only."
        )
    return url.rstrip("/"), str(address.hostname)
