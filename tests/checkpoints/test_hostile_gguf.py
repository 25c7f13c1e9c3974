"""GGUF files whose sizes are lies: one sentence, at once and in little memory."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs `resource`")]

_CONVERT = """
import json, resource, sys, time
from bench.checkpoints.gguf import convert
from bench.errors import BenchError
from pathlib import Path
import torch, transformers
said = {}
for path in map(Path, sys.argv[1:]):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        convert(path, "sha256:" + path.stem.ljust(16, "x"))
        sentence = ""
    except BenchError as error:
        sentence = str(error)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    said[path.stem] = [sentence, grown, time.process_time() - start]
print(json.dumps(said))
"""
"""Prints for each file: the sentence, the growth of memory in MiB, seconds of CPU."""


def _file(path: Path, **sizes: int) -> None:
    writer = gguf.GGUFWriter(path, "qwen2")
    numbers = {
        "block_count": 1,
        "context_length": 64,
        "embedding_length": 64,
        "feed_forward_length": 64,
        "head_count": 4,
        "head_count_kv": 4,
        **sizes,
    }
    for key, value in numbers.items():
        getattr(writer, f"add_{key}")(value)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b"])
    writer.add_token_merges([])
    writer.add_tensor("token_embd.weight", np.zeros((2, 64), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


SIZES = {
    "layers": {"block_count": 2**31},
    "width": {"embedding_length": 2**31},
    "inner": {"feed_forward_length": 2**32 - 1},
    "heads": {"head_count": 2**31},
    "noheads": {"head_count": 0},
    "nokeys": {"head_count_kv": 0},
    "context": {"context_length": 2**32 - 1},
    "experts": {"expert_count": 2**31},
}
_TEXT, _ARRAY, _UINT64 = 8, 9, 10


def _text(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


def _header(tensors: int, fields: int) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, fields)


_NAME = _text(b"general.architecture") + struct.pack("<I", _TEXT) + _text(b"qwen2")
HEADERS: dict[str, Callable[[], bytes]] = {
    "fields": lambda: _header(0, 2**62) + _NAME,
    "tensors": lambda: _header(2**62, 1) + _NAME,
    "string": lambda: _header(0, 1) + _text(b"a", 2**62),
    "array": lambda: (
        _header(0, 2) + _NAME + _text(b"x") + struct.pack("<IIQ", _ARRAY, _UINT64, 2**60) + bytes(64)
    ),
    "nested": lambda: (
        _header(0, 2) + _NAME + _text(b"x") + struct.pack("<I", _ARRAY) + struct.pack("<IQ", _ARRAY, 1) * 9000
    ),
    "dimensions": lambda: (
        _header(1, 1) + _NAME + _text(b"token_embd.weight") + struct.pack("<I4QIQ", 4, *[2**31] * 4, 0, 0)
    ),
    "offset": lambda: (
        _header(1, 1) + _NAME + _text(b"token_embd.weight") + struct.pack("<I1QIQ", 1, 64, 0, 2**62)
    ),
    "many": lambda: _header(1, 1) + _NAME + _text(b"t") + struct.pack("<I", 2**31) + bytes(800),
    "cut": lambda: _header(1, 1)[:14],
}


def test_sizes_that_are_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    paths = [tmp_path / f"{name}.gguf" for name in (*SIZES, *HEADERS)]
    for name, sizes in SIZES.items():
        _file(tmp_path / f"{name}.gguf", **sizes)
    for name, header in HEADERS.items():
        (tmp_path / f"{name}.gguf").write_bytes(header())
    done = subprocess.run(
        [sys.executable, "-c", _CONVERT, *map(str, paths)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name, (sentence, grown, seconds) in json.loads(done.stdout.splitlines()[-1]).items():
        assert f"{name}.gguf" in sentence, name
        assert sentence.isprintable()
        assert grown < 500, (name, grown)
        assert seconds < 20, (name, seconds)
