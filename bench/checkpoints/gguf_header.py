"""The sizes in the header of a GGUF file, checked before a library reads it.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. gguf-py makes an object of each element of
an array, and does not notice the end of the file: an array of 2**60 numbers takes all memory.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from bench import limits
from bench.errors import BenchError

_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Type -> bytes of a value, of the types that have a fixed width."""
_TEXT, _ARRAY = 8, 9


def refuse_large_header(path: Path) -> None:
    """Raise BenchError if a GGUF has more values or tensors than bench.limits allow, or its header ends nowhere."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            magic, version, tensors, fields = struct.unpack_from("<4sIQQ", data)
            if magic != b"GGUF" or not 2 <= version < 2**16:
                raise BenchError(f"{path} is not a GGUF file of version 2 or later: use another checkpoint.")
            if tensors > limits.GGUF_TENSORS or fields > limits.GGUF_VALUES:
                raise BenchError(
                    f"{path} has {tensors:,} tensors and {fields:,} fields; the limits are "
                    f"{limits.GGUF_TENSORS:,} and {limits.GGUF_VALUES:,}: use another checkpoint."
                )
            _check_fields(data, fields, path)
    except (OSError, ValueError, struct.error):  # ValueError: an empty file
        raise BenchError(f"{path} is not a complete GGUF file: get it again.") from None


def _check_fields(data: mmap.mmap, fields: int, path: Path) -> None:
    offset, values = 24, 0

    def after_text(offset: int) -> int:
        (length,) = struct.unpack_from("<Q", data, offset)
        return _inside(offset + 8 + int(length), data)

    for _ in range(fields):
        offset = after_text(offset)
        (kind,) = struct.unpack_from("<I", data, offset)
        offset, count = offset + 4, 1
        if kind == _ARRAY:
            kind, count = struct.unpack_from("<IQ", data, offset)
            offset += 12
        values += count
        if values > limits.GGUF_VALUES:
            raise BenchError(
                f"{path} has more than {limits.GGUF_VALUES:,} values in its header, the limit here: use another "
                "checkpoint."
            )
        if kind == _TEXT:
            for _ in range(count):
                offset = after_text(offset)
        elif kind in _WIDTHS:
            offset = _inside(offset + count * _WIDTHS[kind], data)
        else:
            raise ValueError("an array of arrays, or an unknown type")


def _inside(offset: int, data: mmap.mmap) -> int:
    """Raises ValueError for a place behind the end."""
    if offset > len(data):
        raise ValueError(offset)
    return offset
