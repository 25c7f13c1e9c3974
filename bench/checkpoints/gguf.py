"""Convert a GGUF file to a Hugging Face folder once, so that later starts take seconds instead of minutes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bench.checkpoints.cache import build_cached, cache_dir
from bench.checkpoints.gguf_header import refuse_large_header
from bench.checkpoints.safety import (
    load_errors,
    model_parameters,
    refuse_numbers,
    refuse_oversized,
    silence_transformers,
)
from bench.errors import BenchError
from bench.progress import bar

if TYPE_CHECKING:
    import gguf
    import numpy as np
    import numpy.typing as npt

_VERSION = 1  # increase it when the conversion below gives another result


def convert(path: Path, fingerprint: str) -> Path:
    """The folder with the GGUF file's weights as float32 safetensors (dequantised without loss) and its
    tokenizer.

    `fingerprint` identifies the file's bytes (bench.checkpoints.weights.fingerprint). The versions of
    transformers and of this conversion are part of the folder's name. Raises BenchError if the file lacks
    weights of its model.
    """
    message = f"Converting {path.name} once for fast loading (about a minute) …"
    return build_cached(conversion_folder(fingerprint).name, lambda folder: _convert(path, folder), message)


def conversion_folder(fingerprint: str) -> Path:
    """Where `convert` puts the conversion."""
    bytes_digest = fingerprint.removeprefix("sha256:")[:16]
    return cache_dir() / "converted" / f"{bytes_digest}-{_VERSION}-transformers-{_transformers()}"


def _transformers() -> str:
    """Its version, without importing it."""
    try:
        return version("transformers")
    except PackageNotFoundError:
        return "none"


def _convert(path: Path, folder: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    silence_transformers()
    refuse_large_header(path)
    # In a folder of its own, so that the library reads no config beside the file and runs no code there.
    with tempfile.TemporaryDirectory() as alone, load_errors(path), _patched_libraries():
        link = Path(alone, path.name)
        link.symlink_to(path.resolve())
        source: Any = {"gguf_file": path.name, "local_files_only": True}
        refuse_numbers(_sizes(path), str(path))
        config = AutoConfig.from_pretrained(alone, **source)
        parameters = model_parameters(AutoModelForCausalLM, config)
        refuse_oversized(parameters, path.stat().st_size, str(path), quantised=True)
        from_pretrained: Any = AutoModelForCausalLM.from_pretrained
        model, loading_info = from_pretrained(
            alone, config=config, dtype=torch.float32, output_loading_info=True, **source, **_unpacked()
        )
        refuse_gaps(path, loading_info)
        if model.config.model_type.startswith("gemma"):
            tokenizer = _gemma_tokenizer(path)
        else:
            tokenizer = AutoTokenizer.from_pretrained(alone, **source)
    if quantizer := getattr(
        model, "hf_quantizer", None
    ):  # transformers 5 would not save it, though it is float32
        quantizer.remove_quantization_config(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # transformers copies the complete GGUF as the tokenizer's vocabulary file; tokenizer.json has all that is
    # needed
    (folder / "tokenizer.model").unlink(missing_ok=True)


def _unpacked() -> dict[str, Any]:
    """The option of `from_pretrained` to unpack all weights: some releases of transformers 5 would keep those of
    newer architectures in their blocks. Older releases unpack them anyway and do not know it."""
    import transformers

    config = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": config(dequantize=True)} if config else {}


def _sizes(path: Path) -> dict[str, Any]:
    """The numbers in a GGUF file that a library loops over."""
    from gguf import GGUFReader

    names = {"block_count": "num_layers", "expert_count": "num_experts"}
    fields = GGUFReader(path).fields.items()
    sizes = ((names.get(key.rpartition(".")[2]), field) for key, field in fields)
    return {name: field.contents() for name, field in sizes if name}


def refuse_gaps(path: Path, loading_info: Mapping[str, Any]) -> None:
    """Raise BenchError if a checkpoint lacks weights of its model.

    transformers fills them with random numbers and only warns. `loading_info`: what it returns for
    `output_loading_info`.
    """
    if missing := sorted(loading_info["missing_keys"]):
        raise BenchError(
            f"The checkpoint {path} lacks {len(missing)} of its model's weights (first: {missing[0]}): "
            "use another one."
        )


def _gemma_tokenizer(path: Path) -> Any:
    """Gemma's own tokenizer: byte-pair merges in the order of the pieces' scores.

    transformers (4.57) reads it from a GGUF as a unigram model, which splits "capital" into c|ap|it|al: the
    model has never seen such pieces. A score is minus the rank of its merge (SentencePiece BPE).
    """
    from gguf import GGUFReader, TokenType
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import generate_merges

    fields = GGUFReader(path).fields
    tokens, scores, types = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type")
    )
    vocabulary = {token: id for id, token in enumerate(tokens)}
    normal = {
        token: score
        for token, score, kind in zip(tokens, scores, types, strict=True)
        if kind == TokenType.NORMAL
    }
    merges = generate_merges({token: vocabulary[token] for token in normal}, normal)
    special = {
        f"{role}_token": tokens[fields[f"tokenizer.ggml.{key}_token_id"].contents()]
        for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
    }

    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token=special["unk_token"], fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        f"{special['bos_token']} $A", None, [(special["bos_token"], vocabulary[special["bos_token"]])]
    )
    # control tokens, and symbols that are never split: runs of line breaks and spaces, HTML tags
    for kind, is_special in ((TokenType.CONTROL, True), (TokenType.USER_DEFINED, False)):
        tokenizer.add_tokens(
            [
                AddedToken(token, special=is_special, normalized=False)
                for token, token_type in zip(tokens, types, strict=True)
                if token_type == kind
            ]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


@contextmanager
def _patched_libraries() -> Iterator[None]:
    """Read a GGUF through transformers and gguf-py 3.5 times faster, and show its progress in our bar.

    Neither library has an option for that. A release without the patched attribute only loses the speed or
    the bar.
    """
    from gguf import GGUFReader
    from transformers import modeling_gguf_pytorch_utils

    with ExitStack() as patches:
        patches.enter_context(patch.object(GGUFReader, "data", _PlainArray(), create=True))
        if hasattr(modeling_gguf_pytorch_utils, "tqdm"):
            patches.enter_context(patch.object(modeling_gguf_pytorch_utils, "tqdm", _with_bar))
        yield


class _PlainArray:
    """Descriptor: stores a numpy.memmap as a plain array over the same bytes.

    The reader takes some 900,000 slices of `data`, and each slice of a memmap is a new memmap, which is slow
    to create (16 s -> 4.5 s for a vocabulary of 150,000 tokens).
    """

    def __set__(self, reader: gguf.GGUFReader, data: np.memmap[Any, Any]) -> None:
        import numpy as np

        vars(reader)["data"] = data.view(np.ndarray)

    def __get__(self, reader: gguf.GGUFReader, owner: type) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = vars(reader)["data"]
        return array


def _with_bar(tensors: Sequence[Any], **_: Any) -> Iterator[Any]:
    """Replaces tqdm."""
    with bar("Dequantising", len(tensors), "tensors") as advance:
        for tensor in tensors:
            yield tensor
            advance(1)
