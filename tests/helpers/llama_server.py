"""llama.cpp's own server, from the package xllamacpp, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SLOTS = 2
"""Requests that are answered at once."""
_SERVER = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_parallel, params.n_ctx, params.warmup = int(sys.argv[2]), int(sys.argv[3]), False
params.port = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
time.sleep(3600)
"""


@contextmanager
def serving(model: Path, context: int = 1024) -> Iterator[str]:
    """The base URL of a server of the GGUF file `model`. `context`: tokens of a prompt and its answer."""
    words = [sys.executable, "-c", _SERVER, str(model), str(SLOTS), str(SLOTS * context)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip() + "/v1"
        finally:
            process.kill()
