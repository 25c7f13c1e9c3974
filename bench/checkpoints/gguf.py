"""A GGUF file becomes a Hugging Face folder once, so that the next start takes seconds instead of minutes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.checkpoints.cache import build_cached
from bench.errors import BenchError
from bench.progress import bar

_VERSION = 1  # count up when the conversion below gives another result


def convert(gguf: Path, fingerprint: str) -> Path:
    """The folder with `gguf` as float32 safetensors (dequantised without loss) and its tokenizer.

    `fingerprint` names the file's bytes (bench.checkpoints.weights.fingerprint); the versions of the library and of this conversion
    are part of the folder's name.
    """
    import transformers

    bytes_, library = fingerprint.removeprefix("sha256:")[:16], transformers.__version__
    name = f"{bytes_}-{_VERSION}-transformers-{library}"
    sentence = f"Converting {gguf.name} once, to load fast from now on (about a minute) …"
    return build_cached(name, lambda folder: _convert(gguf, folder), sentence)


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

    with _plain_slices(), patch.object(modeling_gguf_pytorch_utils, "tqdm", _watched):
        read: Any = AutoModelForCausalLM.from_pretrained
        model, loaded = read(gguf.parent, gguf_file=gguf.name, dtype=torch.float32, output_loading_info=True)
        refuse_gaps(gguf, loaded)
        if model.config.model_type.startswith("gemma"):
            tokenizer = _gemma_tokenizer(gguf)
        else:
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # A tokenizer made from a GGUF takes the whole GGUF for its vocabulary file and copies it; tokenizer.json has it all.
    (folder / "tokenizer.model").unlink(missing_ok=True)


def refuse_gaps(path: Path, loaded: Mapping[str, Any]) -> None:
    """transformers fills weights that a checkpoint lacks with random numbers and goes on; a benchmark must not."""
    if missing := sorted(loaded["missing_keys"]):
        raise BenchError(
            f"The checkpoint {path} lacks {len(missing)} of its model's weights (first: {missing[0]}): use another one."
        )


def _gemma_tokenizer(gguf: Path) -> Any:
    """Gemma's own tokenizer: byte-pair merges in the order of the pieces' scores.

    transformers (4.57) reads it from a GGUF as a unigram model and then splits "capital" into c|ap|it|al, which a model has
    never seen and cannot use. Scores are minus the rank of a merge (SentencePiece BPE).
    """
    from gguf import GGUFReader, TokenType
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import generate_merges

    fields = GGUFReader(gguf).fields
    tokens, scores, types = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type")
    )
    vocabulary = {token: id for id, token in enumerate(tokens)}
    normal = {t: s for t, s, kind in zip(tokens, scores, types, strict=True) if kind == TokenType.NORMAL}
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
    # Control tokens, and symbols that are never split: runs of line breaks and spaces, HTML tags.
    for kind, is_special in ((TokenType.CONTROL, True), (TokenType.USER_DEFINED, False)):
        tokenizer.add_tokens(
            [
                AddedToken(t, special=is_special, normalized=False)
                for t, k in zip(tokens, types, strict=True)
                if k == kind
            ]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def _watched(tensors: Sequence[Any], desc: str) -> Iterator[Any]:
    """The library's progress bar, as ours."""
    with bar("Dequantising", len(tensors), "tensors") as advance:
        for tensor in tensors:
            yield tensor
            advance(1)


@contextlib.contextmanager
def _plain_slices() -> Iterator[None]:
    """The reader slices a numpy.memmap some 900,000 times, and each slice of a memmap is a costly memmap again.

    The same map seen as a plain array reads the same bytes 3.5 times faster (16 s -> 4.5 s for a 0.5B vocabulary).
    """
    import gguf.gguf_reader
    import numpy

    real = numpy.memmap

    def plain(*args: object, **kwargs: object) -> numpy.ndarray:
        return real(*args, **kwargs).view(numpy.ndarray)  # type: ignore[call-overload]

    with patch.object(gguf.gguf_reader.np, "memmap", plain):
        yield
