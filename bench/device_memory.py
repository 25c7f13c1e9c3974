"""Memory of GPUs: errors that mean there is too little, and freeing what a finished model holds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

_OUT_OF_MEMORY = (
    "out of memory",
    "out_of_memory",  # CUDA_ERROR_OUT_OF_MEMORY
    "outofmemory",  # hipErrorOutOfMemory
    "can't allocate memory",
    "failed to allocate",
    "std::bad_alloc",
    "_alloc_failed",  # CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED: torch and CTranslate2
    "memoryallocation",  # cudaErrorMemoryAllocation
)

_engines: list[Callable[[], None]] = []
"""What stops engines that hold a GPU's memory after their adapter is done."""


def is_out_of_memory(error: BaseException) -> bool:
    """torch and CTranslate2 report it in words; only torch's CUDA allocator has an error class of its own."""
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def free() -> None:
    """Give memory that no tensor needs back to the device."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()


def stop_before_next_model(stop: Callable[[], None]) -> None:
    """Have `stop` called before another model is loaded in this process."""
    if stop not in _engines:
        _engines.append(stop)


def make_room() -> None:
    """Call this before a model is loaded: what earlier jobs of this process left on the device goes."""
    for stop in _engines:
        stop()
    free()
