"""Load checkpoints through transformers: folder, tokenizer, model, configs. Failures are BenchErrors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from bench import device_memory
from bench.checkpoints.fetching import conversion, delete_converted, resolve
from bench.checkpoints.gguf import convert, refuse_gaps
from bench.checkpoints.safety import (
    load_errors,
    model_parameters,
    refuse_oversized,
    refuse_unsafe,
    silence_transformers,
)
from bench.checkpoints.ties import check_ties
from bench.checkpoints.weights import fingerprint
from bench.core import Weights
from bench.errors import BenchError

Dtype = Literal["float32", "float16", "bfloat16"]
"""Types that weights may have while a model runs."""


def folder(weights: Weights) -> Path:
    """The Hugging Face folder of a checkpoint: fetched, and converted from a GGUF, if necessary.

    Weights are kept once: a GGUF that was fetched into the cache is deleted when it is converted.
    """
    require_models()
    path = conversion(weights) or resolve(weights)
    if path.is_file():
        if path.suffix != ".gguf":
            raise BenchError(f"{path} is neither a GGUF file nor a model folder: set the checkpoint to one.")
        path = convert(path, fingerprint(weights))
        delete_converted(weights)
    refuse_unsafe(path)
    return path


def require_models() -> None:
    """Raise BenchError if the libraries of local models are not installed. Imports nothing heavy."""
    if not find_spec("torch") or not find_spec("transformers"):
        raise BenchError("Local models need the extra: pip install 'bitext-bench[models]'.")


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

    silence_transformers()
    refuse_unsafe(path)
    with load_errors(path):
        return transformers.AutoTokenizer.from_pretrained(
            path, trust_remote_code=False, local_files_only=True, **options
        )


def load_model(path: Path, auto_class: str, dtype: str, device: str, pickled: bool = False) -> Any:
    """The model in a checkpoint's folder, ready for inference.

    `auto_class`: a class of transformers, such as "AutoModelForCausalLM". `pickled`: also read *.bin, with
    torch's weights-only unpickler; otherwise only safetensors. Raises BenchError if the folder has no such
    model or lacks weights.
    """
    import torch
    import transformers

    silence_transformers()
    refuse_unsafe(path)
    model_class = getattr(transformers, auto_class)
    refuse_large_config(path, model_class)
    device_memory.make_room()
    _refuse_tf32()
    config = configs(path)[0]
    place = _placement(path, config, dtype) if device == "cuda" else {}
    with load_errors(path):
        from_pretrained: Callable[..., Any] = model_class.from_pretrained
        model, loading_info = from_pretrained(
            path,
            dtype=getattr(torch, dtype),
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=None if pickled else True,
            output_loading_info=True,
            **_attention(config),
            **place,
        )
        refuse_gaps(path, loading_info)
        check_ties(path, model)
        return model.eval() if place else model.eval().to(device)


def _attention(config: Any) -> dict[str, str]:
    """The default attention (sdpa) of transformers 4.57 leaves out the soft-cap of Gemma 2, its eager one does not."""
    text_config = getattr(config, "text_config", None) or config
    return {"attn_implementation": "eager"} if getattr(text_config, "attn_logit_softcapping", None) else {}


def _refuse_tf32() -> None:
    """NVIDIA's images switch on TF32 (TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1), whose "float32" has ten bits. Then outputs
    are neither those of a CPU nor independent of the batch."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _placement(path: Path, config: Any, dtype: str) -> dict[str, Any]:
    """Options for a model that is not loaded in host memory and then moved: one that needs several GPUs, and a
    quantised one, whose loader needs the GPU. Others are moved, which is what most were tested with."""
    import torch

    several = torch.cuda.device_count() > 1
    if getattr(config, "quantization_config", None) is not None:
        return {"device_map": "auto" if several else {"": 0}}
    stored = sum(file.stat().st_size for file in path.iterdir() if file.suffix in (".safetensors", ".bin"))
    stored_type = getattr(config, "dtype", None) or getattr(config, "torch_dtype", None) or torch.float32
    size = stored * getattr(torch, dtype).itemsize / getattr(stored_type, "itemsize", 4)
    free = torch.cuda.mem_get_info()[0]
    return {"device_map": "auto"} if several and 1.2 * size > free else {}


def refuse_large_config(path: Path, model_class: Any) -> None:
    """Raise BenchError if the config of a checkpoint's folder makes a model that its weights cannot fill.

    `model_class`: a class of transformers, automatic or of one architecture.
    """
    config = configs(path)[0]
    with load_errors(path):
        parameters = model_parameters(model_class, config)
    weights = sum(file.stat().st_size for file in path.iterdir() if file.suffix in (".safetensors", ".bin"))
    quantised = getattr(config, "quantization_config", None) is not None
    refuse_oversized(parameters, weights, str(path), quantised)


def configs(path: Path) -> tuple[Any, Any]:
    """The model config and the generation config of a checkpoint's folder.

    Older checkpoints have only the model config, with the generation settings in it.
    """
    from transformers import AutoConfig, GenerationConfig

    refuse_unsafe(path)
    with load_errors(path):
        config = AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=True)
        if (path / "generation_config.json").is_file():
            return config, GenerationConfig.from_pretrained(path)
        return config, GenerationConfig.from_model_config(config)


def end_tokens(generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """The ids of the tokens that end an output, from the generation config and from the tokenizer."""
    eos = generation_config.eos_token_id if generation_config else None
    ids = [tokenizer.eos_token_id, *(eos if isinstance(eos, list) else [eos])]
    return frozenset(id for id in ids if isinstance(id, int))


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
            "devices": torch.cuda.device_count(),
            "tf32": bool(torch.backends.cuda.matmul.allow_tf32),
            "peak_device_memory_mb": torch.cuda.max_memory_allocated() >> 20,
        }
    return facts | {"threads": torch.get_num_threads()}
