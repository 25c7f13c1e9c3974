"""Checkpoints through transformers: a folder, a hub snapshot or a GGUF becomes a model and its tokenizer, or one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from bench.checkpoints.fetching import resolve
from bench.checkpoints.gguf import convert, refuse_gaps
from bench.checkpoints.weights import fingerprint
from bench.core import Weights
from bench.errors import BenchError


def folder(weights: Weights) -> Path:
    """The Hugging Face folder of a checkpoint, fetched and, from a GGUF, converted where it is not there yet."""
    path = resolve(weights)
    if path.is_file():
        if path.suffix != ".gguf":
            raise BenchError(f"{path} is neither a GGUF file nor a model folder: set the checkpoint to one.")
        path = convert(path, fingerprint(weights))
    return path


def refuse_pickles(folder: Path, pickled: bool) -> None:
    """Raise BenchError if a checkpoint has only pickled weights and the user has not asked for those (`pickled`)."""
    if not pickled and not any(folder.glob("*.safetensors")):
        raise BenchError(
            f"The checkpoint in {folder} has no *.safetensors: if its weights are in pytorch_model.bin, set "
            "system.adapter.pickled=true to read them with torch's weights-only unpickler, or save it as safetensors."
        )


def load_tokenizer(path: Path, **options: Any) -> Any:
    """The tokenizer in a checkpoint's folder; none of its code is run."""
    import transformers

    # It warns that every local tokenizer but one has the wrong pattern; ours come with their own tokenizer.json.
    transformers.logging.set_verbosity_error()
    with _sentence(path):
        return transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False, **options)


def load_model(path: Path, auto_class: str, dtype: str, device: str, pickled: bool = False) -> Any:
    """The model in a checkpoint's folder, ready to be run. `auto_class`: "AutoModelForCausalLM" or another of transformers.

    `pickled`: read *.bin, too, by torch's restricted unpickler; else safetensors only. Raises BenchError where the folder
    holds no such model, or not all of its weights.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    with _sentence(path):
        read: Callable[..., Any] = getattr(transformers, auto_class).from_pretrained
        model, loaded = read(
            path,
            dtype=getattr(torch, dtype),
            trust_remote_code=False,
            use_safetensors=None if pickled else True,
            output_loading_info=True,
        )
    refuse_gaps(path, loaded)
    return model.eval().to(device)


def configs(path: Path) -> tuple[Any, Any]:
    """The model's and the generation config in a checkpoint's folder; older ones have only the first, with both in it."""
    from transformers import AutoConfig, GenerationConfig

    with _sentence(path):
        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
        if (path / "generation_config.json").is_file():
            return config, GenerationConfig.from_pretrained(path)
        return config, GenerationConfig.from_model_config(config)


def end_tokens(generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer: a checkpoint names them in its generation config or in its tokenizer."""
    named = generation_config.eos_token_id if generation_config else None
    ends = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}
    return frozenset(id for id in ends if id is not None)


@contextmanager
def _sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a folder that is no checkpoint makes the library fail in many ways
        reason = str(error).strip().partition("\n")[0]
        raise BenchError(
            f"The checkpoint in {path} cannot be loaded: {reason or type(error).__name__}"
        ) from error


@cache
def device() -> str:
    """ "cuda" where there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def torch_facts(dtype: str) -> dict[str, Any]:
    """What run.json says of an engine that runs in torch: its device, its threads, what it took of a GPU's memory, and
    whether outputs are the same in every batch: float32 is; in shorter types a sum's last bits depend on the shape of it."""
    import torch

    facts: dict[str, Any] = {"device": device(), "batch_invariant": dtype == "float32"}
    if device() == "cuda":
        return facts | {
            "device_name": torch.cuda.get_device_name(),
            "peak_device_memory_mb": torch.cuda.max_memory_allocated() >> 20,
        }
    return facts | {"threads": torch.get_num_threads()}
