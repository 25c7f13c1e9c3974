"""An HTTP server that plays given bytes: whatever a request asks for, the next reply is sent as it is."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def playing(replies: Sequence[bytes]) -> Iterator[int]:
    """Yields the port; 9, on which nothing listens, if there are no replies."""
    if not replies:
        yield 9
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        turns = itertools.cycle(replies)
        threading.Thread(target=_accept, args=(listener, turns), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread


def _accept(listener: socket.socket, turns: Iterator[bytes]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(2)
                _receive(connection)
                connection.sendall(next(turns))


def _receive(connection: socket.socket) -> None:
    """Read one request, so that the client is not reset while it sends."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
