"""Answers of a server: status line, headers, body, chunks, compression, redirects, silence."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case
from tests.fuzz.key import KEY
from tests.helpers.hostile_server import completion_body

_STATUS = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 204 No Content", b"HTTP/1.1 302 Found", b"HTTP/1.1 307 Temporary Redirect",
    b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 401 Unauthorized", b"HTTP/1.1 402 Pay", b"HTTP/1.1 403 Forbidden",
    b"HTTP/1.1 404 Not Found", b"HTTP/1.1 413 Large", b"HTTP/1.1 418 \x1b[31mTea", b"HTTP/1.1 429 Too Many", b"HTTP/1.1 500 Error",
    b"HTTP/1.1 503 Unavailable", b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Switching", b"HTTP/1.1 999 x", b"HTTP/1.1 -1 x",
    b"HTTP/1.1 99999 x", b"HTTP/9.9 200 OK", b"HTTP/1.0 200 OK", b"SSH-2.0-x", b"", b"\0" * 100, b"HTTP/1.1 200 " + b"x" * 70_000,
]  # fmt: skip
_HEADERS = [
    b"Location: http://127.0.0.1:9/", b"Location: http://example.com/", b"Location: file:///etc/passwd", b"Location: \x1b[31m",
    b"Location: /v1/chat/completions", b"Retry-After: 0", b"Retry-After: x", b"Retry-After: nan", b"Retry-After: -1", b"Retry-After: inf",
    b"Retry-After: Wed, 99 Xxx 2099 99:99:99 GMT", b"x-ratelimit-remaining-requests: x", b"x-ratelimit-reset-requests: -1s",
    b"x-ratelimit-reset-tokens: 1e999", b"x-ratelimit-limit-requests: 9999999999999999999999", b"Content-Type: text/html",
    b"Content-Type: \xff", b"Content-Type: application/json; charset=utf-7", b"Content-Type: application/json; charset=nothing",
    b"Content-Length: -1", b"Content-Length: 0", b"Content-Length: 999999999999", b"Content-Length: x", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: x", b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: deflate", b"Content-Encoding: x",
    b"Content-Encoding: gzip, gzip", b"Set-Cookie: a=b", b"Connection: close", b"no colon", b": empty", b"x: " + b"y" * 100_000,
    b"x-request-id: \x1b[31m" + KEY.encode(), b"\x1b[31m: x",
]  # fmt: skip
_ERRORS = [
    {"error": {"message": "maximum context length", "code": "x"}},
    {"error": {"message": f"wrong key {KEY}\x1b[31m", "code": 5, "type": None}},
    {"error": {"code": "insufficient_quota", "message": "\u202e" + "x" * 9_000}},
    {"error": {"code": "content_filter"}},
    {"error": "x"},
    {"error": None},
    {"message": ["x"]},
    [],
    "x",
    None,
]


@st.composite
def _body(draw: st.DrawFn) -> bytes:
    text = draw(mutations.texts | st.sampled_from([f"The key is {KEY}.", " ".join(KEY), KEY[:20], "Good."]))
    valid: Any = completion_body(text)
    value = draw(
        st.just(valid)
        | mutations.json_values(valid)
        | mutations.json_values(valid)
        | st.sampled_from(_ERRORS)
    )
    data = mutations.to_json(value)
    return draw(st.just(data) | st.just(data) | st.just(data) | mutations.bytes_(data))


@st.composite
def _reply(draw: st.DrawFn) -> bytes:
    body = draw(_body())
    status = draw(st.sampled_from([b"HTTP/1.1 200 OK"] * 20 + _STATUS))
    headers = [b"Content-Type: application/json"]
    coding = draw(st.sampled_from(["plain"] * 6 + ["gzip", "deflate", "bomb", "chunked", "bad chunks"]))
    if coding == "gzip":
        body, headers = gzip.compress(body, mtime=0), [*headers, b"Content-Encoding: gzip"]
    elif coding == "deflate":
        body, headers = zlib.compress(body), [*headers, b"Content-Encoding: deflate"]
    elif coding == "bomb":
        body, headers = _bomb(), [*headers, b"Content-Encoding: gzip"]
    if coding in ("chunked", "bad chunks"):
        sizes = (
            b"%x" % len(body)
            if coding == "chunked"
            else draw(st.sampled_from([b"-1", b"zz", b"ffffffffffffffff", b"", b"5;" + b"x" * 70_000]))
        )
        body, headers = sizes + b"\r\n" + body + b"\r\n0\r\n\r\n", [*headers, b"Transfer-Encoding: chunked"]
    else:
        headers.append(b"Content-Length: %d" % len(body))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        headers.insert(draw(st.integers(0, len(headers))), draw(st.sampled_from(_HEADERS)))
    reply = status + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + body
    return draw(st.just(reply) | st.just(reply) | st.just(reply) | mutations.bytes_(reply))


def _bomb() -> bytes:
    return gzip.compress(b" " * 50_000_000, 1, mtime=0)


@st.composite
def _case(draw: st.DrawFn) -> Case:
    replies = draw(st.lists(_reply(), min_size=1, max_size=3))
    return Case(
        ("translate", "openai", "http://127.0.0.1:{port}/v1"),
        prepared.set_files(),
        ("store",),
        tuple(replies),
    )


def cases() -> st.SearchStrategy[Case]:
    return _case()
