"""Load checkpoints through transformers: folder, tokenizer, model, configs. Failures are BenchErrors."""

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
    """The Hugging Face folder of a checkpoint: fetched, and converted from a GGUF, if necessary."""
    path = resolve(weights)
    refuse_code(path if path.is_dir() else path.parent)
    if path.is_file():
        if path.suffix != ".gguf":
            raise BenchError(f"{path} is neither a GGUF file nor a model folder: set the checkpoint to one.")
        path = convert(path, fingerprint(weights))
    return path


def refuse_code(folder: Path) -> None:
    """Raise BenchError if a checkpoint's folder has code that transformers would run while loading.

    `trust_remote_code=False` does not cover custom_generate/generate.py (transformers 4.57, GenerationMixin).
    """
    if (folder / "custom_generate").exists():
        raise BenchError(
            f"{folder} contains code (custom_generate), which is never run here: use a checkpoint without it, "
            "or delete that folder."
        )


def refuse_pickles(path: Path, pickled: bool) -> None:
    """Raise BenchError if a checkpoint in a folder has only pickled weights, unless `pickled` allows them."""
    if not pickled and not any(path.glob("*.safetensors")):
        raise BenchError(
            f"The checkpoint in {path} has no *.safetensors: if its weights are in pytorch_model.bin, set "
            "system.adapter.pickled=true to read them with torch's weights-only unpickler, or save it as "
            "safetensors."
        )


def load_tokenizer(path: Path, **options: Any) -> Any:
    """The tokenizer in a checkpoint's folder. Never runs code from the folder."""
    import transformers

    # it warns of a wrong split pattern for every local tokenizer but one; ours have their own tokenizer.json
    transformers.logging.set_verbosity_error()
    with _load_errors(path):
        return transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False, **options)


def load_model(path: Path, auto_class: str, dtype: str, device: str, pickled: bool = False) -> Any:
    """The model in a checkpoint's folder, ready for inference.

    `auto_class`: a class of transformers, such as "AutoModelForCausalLM". `pickled`: also read *.bin, with
    torch's weights-only unpickler; otherwise only safetensors. Raises BenchError if the folder has no such
    model or lacks weights.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    refuse_code(path)
    with _load_errors(path):
        from_pretrained: Callable[..., Any] = getattr(transformers, auto_class).from_pretrained
        model, loading_info = from_pretrained(
            path,
            dtype=getattr(torch, dtype),
            trust_remote_code=False,
            use_safetensors=None if pickled else True,
            output_loading_info=True,
        )
    refuse_gaps(path, loading_info)
    return model.eval().to(device)


def configs(path: Path) -> tuple[Any, Any]:
    """The model config and the generation config of a checkpoint's folder.

    Older checkpoints have only the model config, with the generation settings in it.
    """
    from transformers import AutoConfig, GenerationConfig

    with _load_errors(path):
        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
        if (path / "generation_config.json").is_file():
            return config, GenerationConfig.from_pretrained(path)
        return config, GenerationConfig.from_model_config(config)


def end_tokens(generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """The ids of the tokens that end an output, from the generation config and from the tokenizer."""
    eos = generation_config.eos_token_id if generation_config else None
    ids = {tokenizer.eos_token_id, *(eos if isinstance(eos, list) else [eos])}
    return frozenset(id for id in ids if id is not None)


@contextmanager
def _load_errors(path: Path) -> Iterator[None]:
    """Turn any error of the library into a BenchError."""
    try:
        yield
    except Exception as error:  # a folder without a valid checkpoint makes the library fail in many ways
        reason = str(error).strip().partition("\n")[0]
        raise BenchError(
            f"The checkpoint in {path} cannot be loaded: {reason or type(error).__name__}"
        ) from error


@cache
def device() -> str:
    """ "cuda" if there is a GPU, otherwise "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def torch_facts(dtype: str) -> dict[str, Any]:
    """What run.json records of an engine that runs in torch: device, threads or GPU memory (MB), and batch
    invariance.

    Outputs are batch-invariant in float32. In shorter types the last bits of a sum depend on the shape of the
    batch.
    """
    import torch

    facts: dict[str, Any] = {"device": device(), "batch_invariant": dtype == "float32"}
    if device() == "cuda":
        return facts | {
            "device_name": torch.cuda.get_device_name(),
            "peak_device_memory_mb": torch.cuda.max_memory_allocated() >> 20,
        }
    return facts | {"threads": torch.get_num_threads()}
