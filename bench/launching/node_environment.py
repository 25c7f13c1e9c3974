"""The environment variables that a node needs to find what was fetched before."""

from __future__ import annotations

import os
from pathlib import Path

from bench.checkpoints.cache import cache_dir


def caches() -> dict[str, str]:
    """Variable -> folder, as this process uses them."""
    from huggingface_hub.constants import HF_HUB_CACHE
    from sacrebleu.utils import SACREBLEU_DIR

    folders = {
        "BITEXT_BENCH_CACHE": cache_dir(),
        "HF_HUB_CACHE": Path(HF_HUB_CACHE),
        "SACREBLEU": Path(SACREBLEU_DIR),
    }
    return {name: str(path.absolute()) for name, path in folders.items()}


def of_jobs() -> dict[str, str]:
    """What jobs on other machines get from this process. No key is among it: it is written to a file."""
    path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if os.environ.get("PYTHONPATH") else {}
    return {**caches(), **path}
