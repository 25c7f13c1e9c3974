"""The openai adapter against two servers: one that does everything wrong, and llama.cpp's own."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import references
from bench.adapters.openai import OpenAI
from bench.core import Output, Source
from bench.errors import BenchError
from bench.prompt import Prompt
from bench.redaction import hide_key
from tests.helpers import command, llama_server, tiny
from tests.helpers.hostile_server import Received, Reply, completion, completion_body, error_reply, serving

SET = "china-export-controls-2021"
SEGMENTS = references.load(SET).segments
KEY = "sk-recognisable-0123456789abcdef"
SOON = {"Retry-After": "0.05"}
PLAIN = Prompt("plain", "Translate from {source_language} into {target_language}:\n\n{source}")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def adapter(base_url: str, prompt: Prompt = PLAIN, **settings: Any) -> OpenAI:
    settings = {"concurrency": 4, "timeout": 0.4, "retries": 2, **settings}
    options = {"temperature": 0, "max_tokens": 64}
    return OpenAI("tiny", prompt, options, base_url, direction="zh-en", **settings)


def translate(api: OpenAI, texts: list[str]) -> dict[str, Output]:
    """Text -> output; each text is a source of its own."""
    api.load()
    outputs = list(api.translate([Source(text, text) for text in texts]))
    assert len(outputs) == len(texts)
    return dict(outputs)


def good(request: Received) -> Reply:
    return completion(f"<{request.source}>")


def first(bad: Reply) -> Callable[[Received], Reply]:
    """Wrong for the first attempt, right afterwards."""
    return lambda request: bad if request.attempt == 1 else good(request)


def always(bad: Reply) -> Callable[[Received], Reply]:
    return lambda request: bad


CUT = Reply(body=b'{"choices": [', missing=100)
BROKEN = Reply(body=b'{"choices": [')
NO_CHOICES = Reply(body=json.dumps({**completion_body("x"), "choices": []}).encode())
TOO_LONG = "This model's maximum context length is 2048 tokens. However, you requested 9000 tokens."

# What the server does -> the expected output: a text, a flag, or a pattern of the error.
FAULTS: dict[str, tuple[Callable[[Received], Reply], str]] = {
    "nothing wrong": (good, "text"),
    "429 with Retry-After": (first(error_reply(429, "slow down", SOON)), "text"),
    "429 with reset": (
        first(
            error_reply(
                429,
                "slow down",
                {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60ms", **SOON},
            )
        ),
        "text",
    ),
    "500": (first(error_reply(500, "oops", SOON)), "text"),
    "hangs": (first(Reply(wait=1.2)), "text"),
    "is cut off": (first(CUT), "text"),
    "broken json": (first(BROKEN), "text"),
    "no choices": (first(NO_CHOICES), "text"),
    "a web page": (first(Reply(body=b"<html>", headers={"Content-Type": "text/html"})), "text"),
    "an empty body": (first(Reply()), "text"),
    "a body that drips": (first(Reply(body=completion("late").body, drip=0.01)), "text"),
    "deep json": (first(Reply(body=b"[" * 100_000)), "text"),
    "always 429": (always(error_reply(429, "slow down", SOON)), "error: slow down"),
    "always 503": (always(error_reply(503, f"no room for {KEY}", SOON)), r"error: no room for \[key\]"),
    "always hangs": (always(Reply(wait=1.2)), "error: timed out"),
    "always cut off": (always(CUT), "error: no answer: "),
    "always broken": (always(BROKEN), "error: no answer: .*choices"),
    "500, then broken": (
        lambda request: error_reply(500, "", SOON) if request.attempt == 1 else BROKEN, "error: no answer"
    ),
    "500, cut off": (always(Reply(500, b"oops", SOON, missing=9)), "error: no answer"),
    "an error in a good status": (always(Reply(body=b'{"error": {"message": "gone"}}')), "error: gone"),
    "400 with the key": (
        always(error_reply(400, f"Bad: Bearer {KEY}!" + "x" * 999)), r"error: Bad: Bearer \[key\]"
    ),
    "422": (always(error_reply(422, "no such field")), "error: 422 - no such field"),
    "too long": (always(error_reply(400, "Too long", code="context_length_exceeded")), "truncated"),
    "too long, as vLLM says it": (always(error_reply(400, TOO_LONG, code=400)), "truncated"),
    "filtered": (always(completion(None, "content_filter")), "refused"),
    "refused": (always(completion(None, refusal="I will not.")), "refused"),
    "not even read": (always(error_reply(400, "No.", code="data_inspection_failed")), "refused"),
    "cut at the limit": (always(completion("half a sent", "length")), "truncated"),
    "an empty text": (always(completion("")), "empty"),
    "half a surrogate pair": (always(completion("a\ud800b")), "a?b"),
    "the key in the text": (always(completion(f"it is {KEY}")), "it is [key]"),
    "no usage": (always(Reply(body=b'{"choices": [{"message": {"content": "ok"}}]}')), "ok"),
}  # fmt: skip


def faulty(texts: list[str]) -> Callable[[Received], Reply]:
    """Each text gets the next fault, as long as there are any."""
    by_text = dict(zip(texts, FAULTS.values(), strict=False))
    return lambda request: by_text.get(request.source, (good, ""))[0](request)


@pytest.mark.slow
def test_every_segment_ends_with_a_result_or_a_stated_error() -> None:
    texts = [f"text {name}" for name in FAULTS]
    with serving(faulty(texts)) as server:
        api = adapter(server.url)
        outputs = translate(api, texts)
    for text, (_, expected) in zip(texts, FAULTS.values(), strict=True):
        output = outputs[text]
        is_error = expected.startswith("error: ")
        assert bool(output.error) == is_error, (text, output)
        assert KEY not in repr(output)
        assert output.truncated == (expected == "truncated"), text
        assert output.refused == (expected == "refused"), text
        if is_error:
            assert re.search(expected.removeprefix("error: "), output.error), (text, output.error)
            assert len(output.error) <= 300
        elif expected == "text":
            assert (output.text, output.tokens_in, output.tokens_out) == (f"<{text}>", 10, 5)
        elif expected not in ("truncated", "refused"):
            assert output.text == expected.replace("empty", "")
    facts = api.facts()
    assert facts["models"] == ["tiny-1"]
    assert facts["system_fingerprints"] == ["fp_1"]
    assert (facts["requests"], facts["retries"]) == (len(server.received), len(server.received) - len(texts))
    assert max(server.attempts().values()) == 3, "no request is repeated by two layers"


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 3, 50])
def test_no_more_requests_at_once_than_allowed(concurrency: int) -> None:
    with serving(lambda request: Reply(body=good(request).body, wait=0.05)) as server:
        translate(adapter(server.url, timeout=5, concurrency=concurrency), [str(i) for i in range(20)])
    assert server.max_open_requests <= concurrency
    assert server.max_open_requests >= min(concurrency, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (200, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "600ms"}, 0.6),
        (200, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "0m0.6s"}, 0.6),
        (429, {"Retry-After": "0.6"}, 0.6),
        (429, {"retry-after-ms": "600"}, 0.6),
        (429, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0.7", **SOON}, 0.7),
    ],
)
def test_all_wait_until_a_limit_is_reset(status: int, headers: dict[str, str], wait: float) -> None:
    """Also the request that is repeated after a shorter Retry-After (the last case)."""
    closed: list[float] = []

    def script(request: Received) -> Reply:
        if not closed and request.source == "5":
            closed.append(time.monotonic())
            return Reply(status, good(request).body, headers)
        return Reply(body=good(request).body, wait=0.01)

    with serving(script) as server:
        outputs = translate(adapter(server.url, timeout=5), [str(i) for i in range(40)])
    assert not [output for output in outputs.values() if output.error]
    after = [request.time - closed[0] for request in server.received if request.time > closed[0]]
    # The first half may contain requests that other threads had sent before the headers were read.
    assert not [seconds for seconds in after if wait / 2 <= seconds < wait]
    assert len(after) > 20


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (
            error_reply(401, f"Incorrect API key provided: {KEY}"),
            "set the environment variable OPENAI_API_KEY",
        ),
        (error_reply(402, "Insufficient Balance"), r"no credit left.*\(.*Insufficient Balance\)"),
        (error_reply(403, f"{KEY} may not"), r"does not allow this key to use tiny.*\[key\] may not"),
        (
            error_reply(404, "The model `tiny` does not exist."),
            r"has no tiny: correct system\.adapter\.model",
        ),
        (error_reply(429, "You exceeded your quota", SOON, code="insufficient_quota"), "no credit left"),
        (Reply(body=b'{"error": {"message": "No user", "code": 401}}'), "does not accept the key"),
        (
            Reply(400, b'[{"error": {"code": 400, "message": "API key not valid."}}]'),
            "does not accept the key",
        ),
    ],
)
def test_what_no_request_can_fix_ends_the_run_at_once(reply: Reply, sentence: str) -> None:
    with serving(always(reply)) as server:
        api = adapter(server.url)
        with pytest.raises(BenchError, match=sentence) as caught:
            translate(api, [str(i) for i in range(500)])
    assert len(server.received) <= 4 * 3
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.getrepr(showlocals=False))


def answer(content: Any = "ok", finish: Any = "stop", **fields: Any) -> Reply:
    """`fields`: of the answer itself."""
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return Reply(body=json.dumps({"choices": [choice], **fields}).encode())


def usage(value: Any) -> Reply:
    return answer(usage=value)


def body(text: str | bytes, **headers: str) -> Reply:
    return Reply(body=text.encode() if isinstance(text, str) else text, headers=headers)


NO_CONTENT = {"choices": [{"message": {"reasoning": "hm"}, "finish_reason": "length"}]}
OK = completion_body("ok")

# What the server sends -> the expected output, as in FAULTS. None may count tokens, except where they are right.
ODD: dict[str, tuple[Reply, str]] = {
    **{f"usage {value!r:.30}": (usage(value), "ok") for value in (
        "many", [1], [], True, -1, 3, {"prompt_tokens": "9"}, {"prompt_tokens": True}, {"prompt_tokens": -4},
        {"prompt_tokens": [1]}, {"prompt_tokens": 10**25, "completion_tokens": {}}, {"prompt_tokens": 2**63},
        {"prompt_tokens": 1e300}, {"prompt_tokens": None},
    )},
    "usage 1e400": (body('{"choices": [{"message": {"content": "ok"}}], "usage": {"prompt_tokens": 1e400}}'), "ok"),
    "usage of 9,999 digits": (
        body(json.dumps(OK).replace("10", "9" * 9999)), "ok"
    ),
    "NaN": (body('{"x": NaN, "choices": [{"message": {"content": "ok"}}], "usage": {"prompt_tokens": NaN}}'), "ok"),
    "finish_reason is a list": (answer(finish=["length"]), "ok"),
    "finish_reason is a number": (answer(finish=3), "ok"),
    "refusal is a list": (completion("ok", refusal=[]), "ok"),
    "refusal is true": (completion("ok", refusal=True), "ok"),
    "model is a list": (answer(model=["a"], system_fingerprint={"a": 1}), "ok"),
    "model is long": (answer(model="m" * 10**6), "ok"),
    "model is the key": (answer(model=KEY, system_fingerprint=f"\x1b[1m{KEY.upper()}"), "ok"),
    "content in parts": (
        answer([{"type": "text", "text": "o"}, {"type": "image"}, "k", 7, {"text": ["x"]}]), "ok"
    ),
    "content in no parts": (answer([]), "empty"),
    "content without a text": (answer([{"type": "text", "text": {"value": "ok"}}]), "error: no answer"),
    "content of thoughts": (answer([{"type": "thinking", "thinking": "hm"}]), "empty"),
    "content is an object": (answer({"text": "ok"}), "error: no answer"),
    "content is a number": (answer(7), "error: no answer"),
    "no content after thinking": (body(json.dumps(NO_CONTENT)), "truncated"),
    "no message after thinking": (
        body('{"choices": [{"message": null, "finish_reason": "length"}]}'), "truncated"
    ),
    "no content, a refusal": (body('{"choices": [{"message": {"refusal": "no"}}]}'), "refused"),
    "no content": (body('{"choices": [{"message": {"role": "assistant"}}]}'), "error: no answer"),
    "message is null": (body('{"choices": [{"message": null, "finish_reason": "stop"}]}'), "error: no answer"),
    "message is a text": (body('{"choices": [{"message": "ok"}]}'), "error: no answer"),
    "choices is null": (body('{"choices": null}'), "error: no answer"),
    "choices is an object": (body('{"choices": {"message": {}}}'), "error: no answer"),
    "a choice is a text": (body('{"choices": ["ok"]}'), "error: no answer"),
    "a list": (body("[1]"), "error: no answer"),
    "a number": (body("1"), "error: no answer"),
    "not UTF-8": (body(b'{"choices": [{"message": {"content": "\xff"}}]}'), "error: no answer"),
    "line breaks in strings": (body('{"choices": [{"message": {"content": "o\tk\n"}}]}'), "o\tk"),
    "keys twice": (body('{"choices": 1, "choices": [{"message": {"content": 1, "content": "ok"}}]}'), "ok"),
    "a byte order mark": (body(b"\xef\xbb\xbf" + json.dumps(OK).encode()), "ok"),
    "UTF-16": (body(json.dumps(OK).encode("utf-16")), "ok"),
    "a NUL": (answer("a\0b"), "a\0b"),
    "an endless text": (answer("x" * 1_000_001), "error: no answer: it has 1000001 characters"),
    "too many values": (body('{"choices": [' + "{}," * 600_000 + "0]}"), "error: more than 500000 values"),
    "deep objects": (body('{"a":' * 100_000), "error: no answer"),
    "100 MB": (body(b"x" * 100_000_000), "error: no answer: it had not ended"),
    "gzip": (body(gzip.compress(json.dumps(OK).encode()), **{"Content-Encoding": "gzip"}), "ok"),
    "a bomb": (
        body(gzip.compress(b"\0" * 100_000_000), **{"Content-Encoding": "gzip"}), "error: unpacks to more than"
    ),
    "a bomb in an error": (
        Reply(500, gzip.compress(b"\0" * 100_000_000), {"Content-Encoding": "gzip"}),
        "error: unpacks to more than",
    ),
    "brotli": (body(b"x", **{"Content-Encoding": "br"}), "error: not asked for"),
    "an endless header": (Reply(raw=lambda: itertools.repeat(b"a" * 10_000)), "error: no answer"),
    "TLS": (Reply(raw=lambda: [b"\x15\x03\x01\0\x02\x02F"]), "error: no answer"),
    "nothing": (Reply(raw=lambda: []), "error: no answer"),
    "closed in the middle": (
        Reply(raw=lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"]), "error: no answer"
    ),
    "a text that a gateway withholds": (error_reply(403, "Your input was flagged"), "refused"),
    "an error with status 200": (body('{"error": {"message": "busy", "code": 503}}'), "error: ^busy$"),
    "304": (Reply(304), "error: 304 - nothing was sent"),
    "a message of 10 MB": (error_reply(400, "m" * 10_000_000), "error: 400 - mmm"),
    "a message in no words": (Reply(400, b'{"error": {"message": {"a": ["b"]}, "code": [1], "type": 7}}'),
        'error: 400 - .*"a": '),
    "an error that is a list": (Reply(400, b'{"error": [1, 2]}'), r"error: 400 - .*\[1, 2\]"),
    "an error that is a text": (Reply(400, b'{"error": "bad"}'), "error: ^400 - bad$"),
    "an error of FastAPI": (Reply(422, b'{"detail": [{"msg": "bad"}]}'), "error: 422 - .*bad"),
    "an error in ANSI": (error_reply(400, "a\x1b[31mb\u202ec"), "error: ^400 - a<001B>\\[31mb<202E>c$"),
    "the key in a header": (Reply(200, answer().body, {"X-Key": KEY, "Retry-After": "9" * 400}), "ok"),
    "the key, escaped twice": (error_reply(400, "".join(f"\\u{ord(c):04x}" for c in KEY)), r"error: \[key\]"),
    "the key in half an answer": (
        body('{"choices": "' + "".join(f"\\u{ord(c):04x}" for c in KEY)), r"error: \[key\]"
    ),
    "the key with a gap": (answer(" ".join(KEY)), "[key]"),
    "the key around a thought": (answer(f"<think>{KEY[:12]}</think>{KEY[:12]}<think>x</think>{KEY[12:]}"), "[key]"),
}  # fmt: skip


def test_every_field_of_an_answer_is_checked() -> None:
    with serving(
        lambda request: ODD[request.source][0] if request.source in ODD else good(request)
    ) as server:
        api = adapter(server.url, timeout=20, retries=0, concurrency=2)
        outputs: dict[str, Output] = {}
        for number in range(0, len(ODD), 9):  # ten failures in a row would end it
            outputs |= translate(api, [*list(ODD)[number : number + 9]])
    for name, (_, expected) in ODD.items():
        output = outputs[name]
        is_error = expected.startswith("error: ")
        assert bool(output.error) == is_error, (name, output)
        assert output.truncated == (expected == "truncated"), name
        assert output.refused == (expected == "refused"), name
        assert max(output.tokens_in, output.tokens_out) <= 10, name
        if is_error:
            assert re.search(expected.removeprefix("error: "), output.error), (name, output.error)
            assert len(output.error) <= 300
            assert output.error.isprintable()
        elif expected in ("truncated", "refused", "empty"):
            assert output.text == "", name
        elif not name.startswith("the key around"):
            assert output.text == expected, name
        assert hide_key(repr(output), KEY) == repr(output), name
    facts = api.facts()
    assert facts["models"] == sorted(["m" * 299 + "…", "[key]", "tiny-1"])
    assert KEY.lower() not in repr(facts).lower()


def test_no_more_names_of_models_are_kept_than_anybody_reads() -> None:
    script = lambda request: answer(model=f"m{request.source}", system_fingerprint=request.source)  # noqa: E731
    with serving(script) as server:
        api = adapter(server.url, timeout=20)
        translate(api, [str(i) for i in range(60)])
    assert len(api.facts()["models"]) == len(api.facts()["system_fingerprints"]) == 20


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leaves_the_server(status: int) -> None:
    with serving(good) as other:
        port = other.server_port
        for target, shown in {
            f"http://127.0.0.1:{port}/v1/x": f"http://127.0.0.1:{port}",
            f"http://localhost:{port}/v1/x": f"http://localhost:{port}",
            f"//127.0.0.1:{port}": f"http://127.0.0.1:{port}",
            f"http://{KEY}@127.0.0.1:{port}/{KEY}?{KEY}": f"http://127.0.0.1:{port}",
            f"http://{KEY}.example.org/": "http://[key].example.org",
            "https://127.0.0.1/": "https://127.0.0.1",
            "file:///etc/passwd": "file://",
            "http://[\x1b[31m": "http://[<001B>[31m",
        }.items():
            with serving(always(Reply(status, headers={"Location": target}))) as server:
                with pytest.raises(BenchError) as caught:
                    translate(adapter(server.url), ["a"])
                assert f"redirects to {shown}, which is not followed: set system.adapter.base_url" in str(
                    caught.value
                )
                assert len(server.received) == 1
        assert not other.received


def test_a_redirect_on_the_same_server_is_followed_if_its_body_is_short() -> None:
    def script(request: Received) -> Reply:
        return good(request) if request.path == "/v2" else Reply(307, b"moved", {"Location": "/v2"})

    with serving(script) as server:
        assert translate(adapter(server.url), ["a"])["a"].text == "<a>"
        server.script = always(Reply(307, b"", {"Location": "/v1/chat/completions"}))
        assert "redirects" in translate(adapter(server.url, retries=0), ["a"])["a"].error
        packed = Reply(307, b"x", {"Location": "/v2", "Content-Encoding": "gzip"})
        for reply in (packed, Reply(307, b"x", {"Location": "/v2"}, missing=99_999_999)):
            server.script = always(reply)
            with pytest.raises(BenchError, match="which is not followed"):
                translate(adapter(server.url), ["a"])


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/v1", "http://no-such-host.invalid:{}/v1"])
def test_an_address_that_cannot_be_reached_is_one_sentence(url: str) -> None:
    with serving(good) as server:
        (output,) = translate(adapter(url.format(server.server_port), retries=0, timeout=20), ["a"]).values()
    assert re.match("no answer: Connection error. .", output.error)


def test_an_endpoint_that_does_not_answer_ends_the_run() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        api = adapter(f"http://127.0.0.1:{closed.getsockname()[1]}/v1", retries=0)
        with pytest.raises(BenchError, match=r"left 10 requests in a row unanswered .*refused"):
            translate(api, [str(i) for i in range(500)])
        outputs = translate(api, ["a", "b"])
        assert all("refused" in output.error for output in outputs.values())


def test_an_endpoint_that_answers_now_and_then_gets_all_requests() -> None:
    with serving(
        lambda request: error_reply(500, "") if int(request.source) % 2 else good(request)
    ) as server:
        outputs = translate(adapter(server.url, retries=0, timeout=5), [str(i) for i in range(60)])
    assert {text for text, output in outputs.items() if output.error} == {str(i) for i in range(1, 60, 2)}


def test_a_run_that_is_given_up_sends_no_more_requests() -> None:
    with serving(lambda request: Reply(body=good(request).body, wait=0.05)) as server:
        api = adapter(server.url, timeout=5)
        api.load()
        running = api.translate([Source(str(i), str(i)) for i in range(100)])
        next(running)
        del running  # closes the generator, as whoever breaks a loop over it does
        sent = len(server.received)
        time.sleep(0.3)
        assert len(server.received) <= sent + 4
        assert len(translate(api, ["again"])) == 1


def test_what_a_request_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # where nothing listens
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    with serving(good) as server:
        translate(adapter(server.url), ["出口"])
        shots = Prompt(
            "shots",
            "{source_language}: {source}\n{target_language}:",
            examples=[{"zh": "一", "en": "One"}],
            chat=False,
            stop="\n",
        )
        (output,) = translate(adapter(server.url, shots), ["出口"]).values()
        thinking = Prompt("t", "{source}", chat_options={"enable_thinking": False})
        translate(adapter(server.url, thinking), ["出口"])
    chat, plain, options = server.received
    assert chat.path == "/v1/chat/completions"
    assert chat.body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Translate from Chinese into English:\n\n出口"}],
        "temperature": 0,
        "max_tokens": 64,
    }
    assert chat.headers["authorization"] == f"Bearer {KEY}"
    assert "openai-organization" not in chat.headers
    assert plain.path == "/v1/completions"
    assert plain.body["prompt"] == "Chinese: 一\nEnglish: One\n\nChinese: 出口\nEnglish:"
    assert plain.body["stop"] == "\n"
    assert (
        output.text == "<Chinese: 出口"
    )  # the server repeats the prompt; the text after the stop string is cut off
    assert options.body["chat_template_kwargs"] == {"enable_thinking": False}


def test_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with serving(good) as server:
        assert translate(adapter(server.url), ["a"])["a"].text == "<a>"
    assert KEY not in server.received[0].headers["authorization"]
    with pytest.raises(BenchError, match="Set the environment variable OPENAI_API_KEY to your key"):
        adapter("https://api.example.org/v1").load()
    monkeypatch.setenv("ELSEWHERE", f"{KEY}\nand more")
    with pytest.raises(BenchError, match="ELSEWHERE has characters that no key has") as caught:
        adapter("https://api.example.org/v1", key_variable="ELSEWHERE").load()
    assert KEY not in str(caught.value)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(BenchError, match=r"pip install 'bitext-bench\[openai\]'"):
        adapter("http://127.0.0.1:1/v1").load()


@pytest.mark.parametrize("url", [
    f"https://me:{KEY}@example.org/v1", f"https://example.org/v1?key={KEY}", f"https://example.org/#{KEY}",
    f"http://example.org/{KEY} ", f"http://exa\nmple.org/{KEY}", f"http://a..b/{KEY}", f"http://{'a' * 70}.org/{KEY}",
    f"example.org/{KEY}", f"http://[{KEY}", f"ftp://example.org/{KEY}", f"http://example.org:{KEY}/v1",
])  # fmt: skip
def test_an_address_that_may_hold_a_secret_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, found in ((url, ""), ("", url)):
        monkeypatch.setenv("OPENAI_BASE_URL", found)
        with pytest.raises(BenchError, match="must be an address like") as caught:
            adapter(given)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", [KEY, "gsk_0123456789abcdefABC", "AIzaSyD-x", "0123456789ABCDEF", "A B", ""])
def test_a_key_in_place_of_its_name_is_refused(name: str) -> None:
    with pytest.raises(BenchError, match="name of an environment variable") as caught:
        adapter("http://127.0.0.1:1/v1", key_variable=name)
    assert not name or name not in str(caught.value)


@pytest.mark.parametrize("settings", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}])
def test_settings_that_cannot_work(settings: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match="concurrency >= 1"):
        adapter("http://127.0.0.1:1/v1", **settings)
    with pytest.raises(BenchError, match="options cannot set stop, stream"):
        OpenAI("m", PLAIN, {"stream": True, "stop": "x", "top_k": 1}, direction="zh-en")


def test_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1/"
    assert adapter(here).identity() == adapter(here + "/", concurrency=9, timeout=9, retries=9).identity()
    assert adapter(here).identity() != adapter(there).identity()
    named: dict[str, Any] = {"served": "org/name@abc, vllm"}
    assert adapter(here, **named).identity() == adapter(there, **named, key_variable="OTHER").identity()
    assert KEY not in json.dumps(adapter(here).identity())
    assert adapter("").identity()["base_url"] == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", there)
    assert adapter("").identity()["base_url"] == there.rstrip("/")


# Complete runs, in processes of their own


def arguments(url: str, *overrides: str) -> list[str]:
    return [
        "run", "system=openai", "system.name=api", "system.adapter.model=tiny", "direction=zh-en",
        f"system.adapter.base_url={url}", "metric=[chrf]", "system.adapter.concurrency=4",
        "system.adapter.retries=2", *overrides,
    ]  # fmt: skip


ENVIRONMENT = {"OPENAI_LOG": "debug", "OPENAI_API_KEY": KEY}
"""With the most verbose log of the client."""


def bench(folder: Path, url: str, *overrides: str, status: int = 0) -> str:
    done = command.bench(folder, *arguments(url, *overrides), status=status, **ENVIRONMENT)
    shown = done.stdout + done.stderr
    assert KEY not in shown
    for file in folder.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
    return shown


def record(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("runs/*/*/*/run.json")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.mark.slow
def test_a_run_through_all_faults_and_what_the_next_one_requests(tmp_path: Path) -> None:
    texts = [segment.zh for segment in SEGMENTS]
    bad = {text: expected for text, (_, expected) in zip(texts[2:], FAULTS.values(), strict=False)}
    assert len(bad) == len(FAULTS), "the title and the first heading are the same text, all others differ"
    errors = [text for text, expected in bad.items() if expected.startswith("error")]
    price = "+system.price={input: 2, output: 8}"
    with serving(faulty(texts[2:])) as server:
        bench(tmp_path, server.url, price, "system.adapter.timeout=0.4")
        run = record(tmp_path)
        work = run["work"]
        assert run["flags"]["error"] == len(errors)
        assert work["segments"] == len(texts)
        counted = len(texts) - len(errors) - 4  # two too long, one not read, one without usage
        assert (work["tokens_in"], work["tokens_out"]) == (10 * counted, 5 * counted)
        assert work["cost_usd"] == pytest.approx((2 * 10 + 8 * 5) * counted / 1e6)
        assert (work["device"], work["base_url"], work["models"]) == ("api", server.url, ["tiny-1"])
        assert work["retries"] == len(server.received) - len(texts)

        server.script = good
        server.received.clear()
        bench(tmp_path, server.url, price)
        assert server.attempts() == dict.fromkeys(errors, 1)
        assert "error" not in record(tmp_path)["flags"]
        server.received.clear()
        bench(tmp_path, server.url, price)
        assert not server.received


def test_a_run_that_cannot_be_says_why_without_the_key(tmp_path: Path) -> None:
    with serving(always(error_reply(403, f"{KEY} is blocked"))) as server:
        shown = bench(tmp_path, server.url, status=2)
    assert re.search(r"Error: There is nothing to show: .*does not allow this key to use tiny", shown)
    (failure,) = tmp_path.glob("runs/*/*/*/failure.json")
    assert "[key] is blocked" in failure.read_text()


@pytest.mark.slow
def test_a_run_in_which_nothing_was_translated_is_no_run(tmp_path: Path) -> None:
    """It has no row, says why, and the next run asks again; one with a gap has a row."""
    texts = {segment.zh for segment in SEGMENTS}
    with serving(always(error_reply(400, f"no\x1b[31m {' '.join(KEY)}"))) as server:
        for attempt in (1, 2):
            shown = bench(tmp_path, server.url, status=2)
            assert re.search(
                r"Error: There is nothing to show: .* refused the first 10 requests .*400 - no.* \[key\]",
                shown,
            )
            assert "\x1b" not in shown
            assert server.attempts().keys() <= texts
            assert 10 * attempt <= len(server.received) < len(SEGMENTS) * attempt
            assert not list(tmp_path.glob("runs/*/*/*/run.json"))
            assert not list(tmp_path.glob("runs/*/leaderboard.json"))
        server.script = lambda request: (
            good(request) if request.source != SEGMENTS[3].zh else always(BROKEN)(request)
        )
        bench(tmp_path, server.url)
        assert record(tmp_path)["flags"]["error"] == 1
        assert not list(tmp_path.glob("runs/*/*/*/failure*.json"))


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_servers_and_keeps_what_is_finished(tmp_path: Path) -> None:
    """Neither for one that hangs nor for one that asks for a retry in half a minute."""

    def script(request: Received) -> Reply:
        if request.number <= 10:
            return good(request)
        return Reply(wait=30) if request.number % 2 else error_reply(429, "later", {"Retry-After": "30"})

    with serving(script) as server:
        process = command.process_arguments(tmp_path, *arguments(server.url), **ENVIRONMENT)
        running = subprocess.Popen(**process, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(server.received) < 12 and running.poll() is None:
            time.sleep(0.02)
        time.sleep(0.3)  # until the tenth answer is kept, too
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert running.wait(timeout=60) != 0
        assert time.monotonic() - began < 25, "less than either asks for, on a busy machine too"
        kept = len(next(tmp_path.glob("runs/*/*/*/journal-*.jsonl")).read_text().splitlines())
        assert kept == 10
        server.script = good
        server.received.clear()
        bench(tmp_path, server.url)
        assert len(server.received) == len(SEGMENTS) - 10


@pytest.mark.slow
def test_paragraphs_are_split_and_a_wrong_count_falls_back(tmp_path: Path) -> None:
    """Every second response to a paragraph lacks a number."""
    fell: list[str] = []

    def script(request: Received) -> Reply:
        lines = request.source.split("\n")
        if not re.match(r"\[1\] ", lines[0]):
            return completion("one by itself")
        if len(lines) % 2:
            fell.extend(lines)
            lines = lines[1:]
        return completion("\n".join(line.partition("] ")[0] + "] numbered" for line in lines))

    with serving(script) as server:
        bench(tmp_path, server.url, "prompt@system.adapter.prompt=paragraph")
    run = record(tmp_path)
    assert 0 < run["fell_back"] == len(fell) < len(SEGMENTS)
    (path,) = tmp_path.glob("runs/*/*/*/hypotheses.jsonl")
    hypotheses = [json.loads(line) for line in path.read_text().splitlines()]
    assert {h["text"] for h in hypotheses if h["fell_back"]} == {"one by itself"}
    split = [h for h in hypotheses if h["text"] == "numbered"]
    assert len(split) + len(fell) <= len(SEGMENTS)
    assert split
    assert run["work"]["tokens_in"] == 10 * len(server.received), "unusable responses are counted, too"


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[str]:
    """The address of llama.cpp's own server with a tiny model behind it."""
    pytest.importorskip("xllamacpp", reason="llama.cpp's server is not installed here: pip install xllamacpp")
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny.qwen(tmp_path / "checkpoint"))
    path = tiny.qwen_gguf(tmp_path / "model.gguf", model)
    with llama_server.serving(path) as base_url:
        yield base_url


@pytest.mark.slow
def test_llama_cpp_from_start_to_end(tmp_path: Path, llama: str) -> None:
    overrides = ["system.adapter.options.max_tokens=40", "system.adapter.served=tiny"]
    bench(tmp_path, llama, *overrides)
    run = record(tmp_path)
    work = run["work"]
    assert run["adapter"]["served"] == "tiny"
    assert "error" not in run["flags"]
    assert work["requests"] == work["segments"] == len(SEGMENTS)
    assert (work["retries"], work["attempts"], work["device"]) == (0, 1, "api")
    assert work["models"][0].endswith("model.gguf")
    assert work["tokens_in"] > 30 * len(SEGMENTS)
    assert len(SEGMENTS) < work["tokens_out"] <= 40 * len(SEGMENTS)
    api = adapter(llama, timeout=60)
    short = translate(api, ["出口管制", "出口" * 3000])
    assert short["出口" * 3000].truncated, (
        "llama.cpp's own message for a prompt that does not fit is recognised"
    )
    assert short["出口管制"].tokens_out
    (output,) = translate(
        adapter(llama, Prompt("p", "{source} =", chat=False, stop="e"), timeout=60), ["一"]
    ).values()
    assert not output.error
    assert output.tokens_in < 20
    assert "e" not in output.text


LONG_SOURCE = "各国应当遵守国际义务。" * 60
REASONS: dict[str, tuple[Reply, str, str, str]] = {
    # what the server sends -> text, finish, flag-like property
    "length": (answer("half", "length"), "half", "length", "truncated"),
    "MAX_TOKENS": (answer("half", "MAX_TOKENS"), "half", "max_tokens", "truncated"),
    "context": (answer("", "model_context_window_exceeded"), "", "model_context_window_exceeded", "truncated"),
    "sensitive": (answer(None, "sensitive"), "", "sensitive", "refused"),
    "safety": (answer("", "SAFETY"), "", "safety", "refused"),
    "end_turn": (answer("all", "end_turn"), "all", "", ""),
    "no reason": (answer("all", None), "all", "", ""),
    "a new one": (answer("all", "Banana Split"), "all", "banana_split", ""),
    "tools": (answer("", "tool_calls"), "", "tool_calls", ""),
    "only thoughts": (
        Reply(body=json.dumps({"choices": [{"message": {"reasoning_content": "Hm."}, "finish_reason": "stop"}]}).encode()),
        "", "", "",
    ),
    "thoughts and text": (
        Reply(body=json.dumps({"choices": [{"message": {"reasoning_content": "Hm.", "content": "Peace."}}]}).encode()),
        "Peace.", "", "",
    ),
    "parts": (
        answer([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "reasoning", "text": "So."},
                {"type": "text", "text": "Peace."}]),
        "Peace.", "", "",
    ),
    "a refusal in parts": (answer([{"type": "refusal", "refusal": "No."}]), "", "refusal", "refused"),
}  # fmt: skip


def test_finish_reasons_and_reasoning_fields() -> None:
    with serving(lambda request: REASONS[request.source][0]) as server:
        outputs = translate(adapter(server.url, timeout=20), list(REASONS))
    for name, (_, text, finish, reported) in REASONS.items():
        output = outputs[name]
        assert (output.text, output.finish, output.error) == (text, finish, ""), name
        assert output.truncated == (reported == "truncated"), name
        assert output.refused == (reported == "refused"), name


def test_an_answer_that_the_server_broke_off_is_asked_for_again() -> None:
    with serving(first(answer("half", "network_error"))) as server:
        assert translate(adapter(server.url), ["peace"])["peace"].text == "<peace>"
    with serving(always(answer("half", "insufficient_system_resource"))) as server:
        output = translate(adapter(server.url, retries=1), ["peace"])["peace"]
    assert "insufficient_system_resource" in output.error
    assert output.text == ""


@pytest.mark.parametrize(
    ("tokens", "cut"), [(0, False), (20, True), (150, True), (180, False), (400, False), ("x", False)]
)
def test_a_prompt_that_the_server_has_cut_is_noticed(tokens: Any, cut: bool) -> None:
    """660 Chinese characters are at least 220 tokens; 50 are spared."""
    with serving(always(answer("ok", usage={"prompt_tokens": tokens, "completion_tokens": 1}))) as server:
        api = adapter(server.url, timeout=20)
        assert translate(api, [LONG_SOURCE])[LONG_SOURCE].prompt_cut is cut
        assert translate(api, ["short"])["short"].prompt_cut is False
