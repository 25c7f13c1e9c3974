"""The machinery behind every endpoint, without one: `ask` is a function of the test."""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from bench import endpoints, limits
from bench.endpoints import Endpoint, Gate, NoAnswer
from bench.errors import BenchError

KEY = "sk-recognisable-0123456789abcdef"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", KEY)
    monkeypatch.setattr(endpoints, "_pause", lambda attempt, headers: 0.001)


def endpoint(**settings: Any) -> Endpoint:
    settings = {"concurrency": 4, "timeout": 0.2, "retries": 2, **settings}
    made = Endpoint("http://127.0.0.1:1/v1", "A_KEY", **settings, yaml="metric.judge")
    made.read_key()
    return made


def failing(times: int, **settings: Any) -> tuple[Callable[[str], str], Counter[str]]:
    """A function that fails `times` times for each request, and the number of attempts at each."""
    attempts: Counter[str] = Counter()

    def ask(request: str) -> str:
        attempts[request] += 1
        if attempts[request] <= times:
            raise NoAnswer(f"busy, {KEY}", **settings)
        return request.upper()

    return ask, attempts


def test_every_request_is_answered_once_in_any_order() -> None:
    slow_first = endpoint()
    requests = [f"r{n}" for n in range(20)]

    def ask(request: str) -> str:
        time.sleep(0.2 if request == "r0" else 0)
        return request.upper()

    answers = list(slow_first.answers(requests, ask))
    assert dict(answers) == {request: request.upper() for request in requests}
    assert answers[0][0] != "r0"
    assert (slow_first.gate.requests, slow_first.repeated) == (20, 0)


def test_a_failed_request_is_repeated_and_counted() -> None:
    patient = endpoint()
    ask, attempts = failing(2)
    assert dict(patient.answers(["a", "b"], ask)) == {"a": "A", "b": "B"}
    assert attempts == {"a": 3, "b": 3}
    assert (patient.gate.requests, patient.repeated) == (6, 4)


@pytest.mark.parametrize(("settings", "attempts"), [({}, 3), ({"retry": False}, 1)])
def test_a_request_without_an_answer_says_why_without_the_key(
    settings: dict[str, Any], attempts: int
) -> None:
    ask, counted = failing(99, **settings)
    ((_, answer),) = endpoint().answers(["a"], ask)
    assert isinstance(answer, NoAnswer)
    assert str(answer) == "busy, [key]"
    assert counted["a"] == attempts


def test_many_requests_in_a_row_without_an_answer_end_it() -> None:
    ask, counted = failing(99)
    with pytest.raises(BenchError, match=r"left 10 requests in a row unanswered \(the last: busy, \[key\]\)"):
        list(endpoint().answers([str(n) for n in range(500)], ask))
    assert len(counted) < 30


def test_an_error_of_the_function_ends_it() -> None:
    def ask(request: str) -> str:
        raise BenchError("no credit left")

    with pytest.raises(BenchError, match="no credit left"):
        list(endpoint().answers(["a", "b"], ask))


def test_nothing_is_asked_after_the_caller_has_left() -> None:
    asked = []
    started = threading.Event()

    def ask(request: str) -> str:
        asked.append(request)
        started.set()
        time.sleep(0.02)
        return request

    answers = endpoint(concurrency=1).answers([str(n) for n in range(100)], ask)
    next(answers)
    answers.close()
    begun = len(asked)
    time.sleep(0.2)
    assert len(asked) <= begun + 1


def test_a_body_that_does_not_end_is_not_read_to_its_end() -> None:
    def drips() -> Any:
        while True:
            time.sleep(0.05)
            yield b"x"

    with pytest.raises(NoAnswer, match=r"had not ended after 0\.2 s"):
        endpoint().read_body(drips())
    assert endpoint().read_body([b"a", b"b"]) == b"ab"


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, BenchError, r"does not accept the key: set the environment variable A_KEY to a valid one\.$"),
        (404, BenchError, r"has no gpt-x: correct metric\.judge\.model"),
        (429, NoAnswer, r"^said \[key\]$"),
        (503, NoAnswer, r"^said \[key\]$"),
    ],
)
def test_statuses_of_the_endpoint(status: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        endpoint().check_status(status, f"said {KEY}", {}, "gpt-x")


def test_statuses_of_one_request() -> None:
    endpoint().check_status(400, "bad", {}, "gpt-x")
    with pytest.raises(NoAnswer) as caught:
        endpoint().check_status(500, "bad", {"x-should-retry": "false"}, "gpt-x")
    assert not caught.value.retry


def test_durations() -> None:
    for text, seconds in {
        "6m0s": 360, "20ms": 0.02, "1s": 1, "1h2m3.5s": 3723.5, "1d": 86400, "7": 7, "0.05": 0.05, "0": 0,
        "": 0, "-1": 0, "soon": 0, "nan": 0, "inf": 0, "1e999": 0, "9" * 400: 0, "9" * 10**6: 0, "86401": 0,
        "1" + "0" * 30 + "s": 0, "٣": 0, "86400": 86400, "Wed, 25 Nov 2026 10:00:00 GMT": 0, "2026-11-25T10:00:00Z": 0,
    }.items():  # fmt: skip
        assert endpoints._seconds(text) == pytest.approx(seconds), text


def test_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert endpoints._pause(1, {"retry-after": "7"}) == 7
    assert endpoints._pause(1, {"retry-after-ms": "70"}) == pytest.approx(0.07)
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    assert 55 < endpoints._pause(1, {"retry-after": in_a_minute}) <= 61
    for headers in ({}, {"retry-after": "900"}, {"retry-after": "soon"}):
        assert 0.375 <= endpoints._pause(1, headers) <= 0.5
        assert 6 <= endpoints._pause(99, headers) <= 8


@pytest.mark.parametrize("value", [
    "nan", "-inf", "1e999", "-5", "9" * 5000, "1" + "0" * 30, "soon", "\ud800", "Mon, 99 Foo 99999999999 99:99:99 +9999",
    "Mon, 01 Jan " + "9" * 5000, ", , ,", "1 2 3 4 5 6 7", "Sun, 06 Nov 9999 08:49:37 -9999999999999",
])  # fmt: skip
def test_nonsense_in_a_header_holds_nobody_back(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    names = ["retry-after", "retry-after-ms", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"]
    headers = dict.fromkeys(names, value)
    headers |= {"x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "0"}
    assert endpoints._limit_wait(429, headers) <= 10  # 9,999 … ms are no longer than that
    assert 0 < endpoints._pause(1, headers) <= 120


@pytest.mark.slow
def test_an_attempt_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a server that sends a header, or 100 Continue, for ever."""
    monkeypatch.setattr(endpoints, "_GRACE", 0.4)
    ended = threading.Event()

    def ask(request: str) -> str:
        return request if request != "bad" else str(ended.wait(60))

    answers = dict(endpoint().answers(["bad", "good"], ask))
    ended.set()
    assert answers["good"] == "good"
    assert "had not begun after 1 s" in str(answers["bad"])


def test_bodies_are_unpacked_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_BYTES", 1000)
    patient = endpoint(timeout=60)
    for pack, encoding in ((gzip.compress, "gzip"), (gzip.compress, " X-GZIP"), (zlib.compress, "deflate")):
        assert patient.read_body([pack(b"0" * 1000)], encoding) == b"0" * 1000
        for bad in (pack(b"0" * 10**5), pack(b"0" * 999)[:-4], b"not packed"):
            with pytest.raises(NoAnswer, match="no answer: it is"):
                patient.read_body([bad], encoding)
    for encoding in ("br", "zstd", "gzip, gzip", "\x1b[31m"):
        with pytest.raises(NoAnswer, match="not asked for"):
            patient.read_body([b"x"], encoding)


def test_messages_are_one_short_line_of_visible_characters() -> None:
    shown = endpoint().redact("a\x1b[31mred\x1b]0;title\x07\r\nb\u202ec\ud800\0 " + KEY + "\n" + "x" * 10**7)
    assert shown.isprintable()
    assert "[key]" in shown
    assert len(shown) == limits.MESSAGE_CHARACTERS


def test_it_knows_no_api_and_no_translation() -> None:
    program = "import bench.endpoints, sys; print(*sys.modules, sep='\\n')"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    modules = shown.split()
    assert "bench.endpoints" in modules
    assert not {"openai", "httpx", "bench.core", "bench.prompt"} & set(modules)


def test_a_request_that_waits_while_another_one_ends_the_run_is_not_sent() -> None:
    entered, calls = itertools.count(), list[str]()
    over = threading.Event()

    class Full(Gate):
        """All but the first wait until the run is over."""

        def enter(self) -> None:
            super().enter()
            if next(entered):
                over.wait(60)

    def ask(request: str) -> str:
        calls.append(request)
        raise BenchError("a wrong key")

    before = set(threading.enumerate())
    made = endpoint()
    made.gate = Full()
    with pytest.raises(BenchError, match="a wrong key"):
        list(made.answers(["a", "b", "c", "d"], ask))
    over.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    assert len(calls) == 1
