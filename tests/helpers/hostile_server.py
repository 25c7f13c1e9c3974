"""An OpenAI-compatible server that can do everything wrong, and records all requests."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0
    """Seconds before anything is sent."""
    missing: int = 0
    """Number of announced bytes that are never sent."""
    drip: float = 0
    """Seconds between the bytes of the body."""
    raw: Callable[[], Iterable[bytes]] | None = None
    """What is sent in place of a response, as it comes, until the client hangs up or it ends."""


def completion(text: str | None, finish: str = "stop", **message: Any) -> Reply:
    """A correct response, for 10 prompt tokens and 5 completion tokens."""
    return Reply(body=json.dumps(completion_body(text, finish, **message)).encode())


def completion_body(text: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "text": text}
    choice["message"] = {"role": "assistant", "content": text, **message}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return {"model": "tiny-1", "system_fingerprint": "fp_1", "choices": [choice], "usage": usage}


def error_reply(status: int, message: str, headers: dict[str, str] | None = None, **error: Any) -> Reply:
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return Reply(status, body, headers or {})


@dataclass(frozen=True)
class Received:
    time: float
    """On the monotonic clock."""
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    """By their lower-case names."""
    source: str
    """The last paragraph of the prompt: in these tests, the text to translate."""
    number: int
    """1 for the first request of all."""
    attempt: int
    """1 for the first request with this source."""


class Server(ThreadingHTTPServer):
    """`script` chooses the reply to a request."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, script: Callable[[Received], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.received: list[Received] = []
        self.open_requests = self.max_open_requests = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def attempts(self) -> Counter[str]:
        """The number of requests by source."""
        return Counter(request.source for request in self.received)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the test."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        source = prompt.rsplit("\n\n", 1)[-1]
        headers = {name.lower(): value for name, value in self.headers.items()}
        with server.lock:
            number, attempt = len(server.received) + 1, server.attempts()[source] + 1
            request = Received(time.monotonic(), self.path, body, headers, source, number, attempt)
            server.received.append(request)
            server.open_requests += 1
            server.max_open_requests = max(server.max_open_requests, server.open_requests)
        reply = server.script(request)
        time.sleep(reply.wait)
        with server.lock:  # before the client can send its next request
            server.open_requests -= 1
        if reply.raw:
            self.close_connection = True
            for part in reply.raw():
                self.wfile.write(part)
            return
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(reply.body) + reply.missing)}.items():
            self.send_header(name, value)
        self.end_headers()
        size = 1 if reply.drip else max(1, len(reply.body))
        for start in range(0, len(reply.body), size):
            self.wfile.write(reply.body[start : start + size])
            time.sleep(reply.drip)
        self.close_connection = bool(reply.missing)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(script: Callable[[Received], Reply]) -> Iterator[Server]:
    server = Server(script)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
