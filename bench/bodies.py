"""Bodies of HTTP responses: unpacked and decoded within limits, whatever a server sends."""

from __future__ import annotations

import json
import zlib
from typing import Any

from bench import limits


class BadBody(Exception):
    """A body that is damaged or too large. The message says so in a few words."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """A body without its Content-Encoding. Raises BadBody if it is damaged, too large, or packed in a way that
    was not offered."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BadBody(f"it is compressed as {encoding}, which was not asked for")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either kind
    try:
        content = unpacker.decompress(body, limits.BODY_BYTES)
    except zlib.error:
        raise BadBody(f"it is not {encoding}, as it says") from None
    if not unpacker.eof:
        raise BadBody(f"it is cut off, or unpacks to more than {limits.BODY_BYTES} bytes")
    return content


def decoded(body: bytes) -> Any:
    """JSON as servers write it: in any encoding of Unicode, with line breaks in strings. Raises ValueError,
    RecursionError; BadBody for more values than memory is for."""
    if sum(map(body.count, (b"[", b"{", b","))) > limits.BODY_VALUES:
        raise BadBody(f"it has more than {limits.BODY_VALUES} values")
    return json.loads(body, strict=False, parse_int=lambda digits: int(digits[:20]))
