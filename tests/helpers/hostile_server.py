"""An OpenAI-compatible server that can do everything wrong, and remembers all that was asked of it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
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
    """Bytes that are announced and never come."""
    drip: float = 0
    """Seconds between the bytes of the body."""


def said(text: str | None, finish: str = "stop", **message: Any) -> Reply:
    """An answer as it should be; 10 tokens were read and 5 written."""
    return Reply(body=json.dumps(answer(text, finish, **message)).encode())


def answer(text: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "text": text}
    choice["message"] = {"role": "assistant", "content": text, **message}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return {"model": "tiny-1", "system_fingerprint": "fp_1", "choices": [choice], "usage": usage}


def failed(status: int, message: str, headers: dict[str, str] | None = None, **error: Any) -> Reply:
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return Reply(status, body, headers or {})


@dataclass(frozen=True)
class Seen:
    at: float
    """On the monotonic clock."""
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    """By their names in small letters."""
    source: str
    """The last paragraph of what was asked: in the prompts here, the text to translate."""
    number: int
    """Of the request: 1 is the first of all."""
    times: int
    """How often it was asked for until then: 1 is the first time."""


class Server(ThreadingHTTPServer):
    """`script`: what to do with a request."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, script: Callable[[Seen], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.seen: list[Seen] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def asked(self) -> Counter[str]:
        return Counter(one.source for one in self.seen)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the test."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        source = asked.rsplit("\n\n", 1)[-1]
        headers = {name.lower(): value for name, value in self.headers.items()}
        with server.lock:
            number, times = len(server.seen) + 1, server.asked()[source] + 1
            seen = Seen(time.monotonic(), self.path, body, headers, source, number, times)
            server.seen.append(seen)
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        reply = server.script(seen)
        time.sleep(reply.wait)
        with server.lock:  # before the client can know that it may ask again
            server.at_once -= 1
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(reply.body) + reply.missing)}.items():
            self.send_header(name, value)
        self.end_headers()
        size = 1 if reply.drip else len(reply.body)
        for place in range(0, len(reply.body), size):
            self.wfile.write(reply.body[place : place + size])
            time.sleep(reply.drip)
        self.close_connection = bool(reply.missing)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(script: Callable[[Seen], Reply]) -> Iterator[Server]:
    server = Server(script)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
