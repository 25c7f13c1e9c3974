"""CTranslate2, a fast engine for encoder-decoders and language models on CPU and GPU, in int8 or float16.

A checkpoint is converted once, into the cache. In float32, greedy outputs equal those of transformers.
Quantised, a checkpoint is a separate system: about half of its outputs differ. So it is with beams in any
type: CTranslate2 ends a search once `beams` hypotheses have finished, transformers once no other can win.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from bench import device_memory
from bench.adapters._engines import engine_version
from bench.adapters._families import Beams, load_family_tokenizer
from bench.adapters._language_model import CheckpointAdapter, Response, context_size
from bench.adapters._requests import Limits, RequestTokenizer, TokenizedRequest
from bench.adapters.seq2seq import Seq2Seq, TokenizedSource
from bench.checkpoints.cache import build_cached
from bench.checkpoints.gguf import refuse_gaps
from bench.checkpoints.loading import configs, end_tokens, folder, refuse_large_config
from bench.checkpoints.safety import silence_transformers
from bench.checkpoints.ties import check_ties
from bench.checkpoints.weights import WeightsConfig, fingerprint
from bench.core import Unit, Weights, digest
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt
from bench.resources import usable_cores

ComputeType = Literal[
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32"
]  # fmt: skip
R = TypeVar("R", TokenizedSource, TokenizedRequest)

_PACKAGES = ("ctranslate2", "transformers")
"""The packages that decide outputs: transformers makes the tokens and reads the weights for the conversion."""

_LIMIT_STEP = 64
"""With beams, the limits of rows that are decoded together are rounded up to a multiple of this many
tokens."""


class CTranslate2Seq2Seq(Seq2Seq):
    """Encoder-decoders, as in bench.adapters.seq2seq.

    `dtype`: int8, int8_float16, float16, float32 …; the engine calls it compute_type. It has the name that it
    has in other adapters, so that their yaml files need only another _target_ and dtype.
    """

    _packages = _PACKAGES

    def __init__(
        self,
        checkpoint: WeightsConfig,
        dtype: ComputeType = "int8",
        pickled: bool = False,
        *,
        direction: Direction,
        **settings: Annotated[Any, Seq2Seq],
    ) -> None:
        super().__init__(checkpoint, pickled=pickled, direction=direction, **settings)
        self.dtype = dtype

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"adapter": "ctranslate2-seq2seq", "version": 1}

    def facts(self) -> dict[str, Any]:
        return _facts(self._engine)

    def prepare(self) -> None:
        _import_engine()
        _converted(self._folder(), self.weights, self.dtype)

    def load(self) -> None:
        _check_device(self.dtype)  # before gigabytes are fetched
        super().load()

    def _load_engine(self, path: Path) -> None:
        self._engine = _open("Translator", path, self.weights, self.dtype)

    def _generate(
        self, sources: Sequence[TokenizedSource], forced: list[int]
    ) -> Iterator[tuple[TokenizedSource, list[int]]]:
        tokenizer, beams = self._tokenizer.tokenizer, self._tokenizer.beams
        for limit, group in _by_limit(sources, beams, self._tokenizer.max_output):
            results = self._engine.translate_batch(
                [tokenizer.convert_ids_to_tokens(source.ids) for source in group],
                target_prefix=[tokenizer.convert_ids_to_tokens(forced)] * len(group) if forced else None,
                beam_size=beams,
                length_penalty=self._tokenizer.length_penalty,
                max_input_length=0,  # else it cuts off long sources
                max_decoding_length=limit + len(forced),
            )
            for source, result in zip(group, results, strict=True):
                yield source, tokenizer.convert_tokens_to_ids(result.hypotheses[0])


class CTranslate2LLM(CheckpointAdapter):
    """Chat and base language models, as in bench.adapters.llm. `dtype`: as above. `beams`: 1 is greedy."""

    def __init__(
        self,
        checkpoint: WeightsConfig,
        prompt: Prompt,
        dtype: ComputeType = "int8",
        beams: Beams = 1,
        *,
        direction: Direction,
        **limits: Annotated[Any, Limits],
    ) -> None:
        super().__init__(checkpoint, prompt, dtype, Limits(**limits), direction=direction)
        self.beams = beams

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "ctranslate2-llm",
            "version": 1,
            **super().identity(),
            **engine_version(*_PACKAGES),
            "decoding": {"beams": self.beams, **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return _facts(self._engine)

    def prepare(self) -> None:
        _import_engine()  # only that: the run may happen on another machine, with a GPU
        _converted(folder(self.weights), self.weights, self.dtype)

    def load(self) -> None:
        _check_device(self.dtype)  # before gigabytes are fetched
        super().load()

    def batch_cost(self, unit: Unit) -> int:
        return self._requests.tokenize(unit).cost * self.beams

    def _load_engine(self, path: Path) -> int:
        config, generation = configs(path)
        self._ends = end_tokens(generation, self._tokenizer)
        self._engine = _open("Generator", path, self.weights, self.dtype)
        return context_size(config)

    def _generate(self, requests: Sequence[TokenizedRequest]) -> Iterator[tuple[Unit, Response]]:
        for limit, group in _by_limit(requests, self.beams):
            stops = [request.stop for request in group]
            stopping = _Stopping(self._requests, stops) if any(stops) and self.beams == 1 else None
            results = self._engine.generate_batch(
                [self._tokenizer.convert_ids_to_tokens(request.prompt) for request in group],
                beam_size=self.beams,
                end_token=sorted(self._ends),
                max_length=limit,
                include_prompt_in_result=False,
                callback=stopping,
            )
            for request, result in zip(group, results, strict=True):
                tokens = result.sequences_ids[0][: request.limit]
                yield request.unit, self._response(request, tokens)


class _Stopping:
    """A callback for each token of greedy decoding. It ends rows that have written their stop string.

    It only saves time: `LanguageModelAdapter` cuts off what follows the string.
    """

    def __init__(self, tokenizer: RequestTokenizer, stops: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.stops = stops
        self.tokens: list[list[int]] = [[] for _ in stops]

    def __call__(self, step: Any) -> bool:
        tokens = self.tokens[step.batch_id]
        tokens.append(step.token_id)
        return self.tokenizer.is_stopped(tokens, self.stops[step.batch_id])


def _by_limit(rows: Sequence[R], beams: int, max_limit: int = 1 << 30) -> Iterator[tuple[int, list[R]]]:
    """Group rows that are decoded together, with their common limit in tokens: the engine takes one limit per
    call.

    In greedy decoding the limit changes no token before it, so one group is enough; the caller cuts rows off.
    With beams, the limit changes which beam wins, so a row's limit must not depend on the rest of the batch.
    """
    if not rows:
        return
    if beams == 1:
        yield max(row.limit for row in rows), list(rows)
        return

    def rounded(row: R) -> int:
        return min(-(-row.limit // _LIMIT_STEP) * _LIMIT_STEP, max_limit)

    for limit, group in groupby(sorted(rows, key=rounded), key=rounded):
        yield limit, list(group)


def _import_engine() -> Any:
    try:
        import ctranslate2
    except ImportError:
        raise BenchError(
            "CTranslate2 is not installed: pip install 'bitext-bench[ctranslate2]', or use another system."
        ) from None
    return ctranslate2


def _check_device(dtype: str) -> str:
    """The device to use, "cuda" or "cpu". Raises BenchError if the engine does not support `dtype` there."""
    ctranslate2 = _import_engine()
    device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if device == "cuda":
        _load_cublas()
    supported = ctranslate2.get_supported_compute_types(device)
    if dtype not in supported:
        raise BenchError(
            f"dtype={dtype} does not run on this {device}: use {' or '.join(sorted(supported))}."
        )
    return device


def _load_cublas() -> None:
    """CTranslate2 wants the cuBLAS of CUDA 12 and finds it at the first batch or not at all; torch has brought that of
    CUDA 13 since 2.11. A wheel of NVIDIA's has it, outside the loader's path. Raises BenchError if there is none."""
    wheel = find_spec("nvidia.cublas") if find_spec("nvidia") else None
    places = [Path(place) / "lib" for place in (wheel.submodule_search_locations or ())] if wheel else []
    for library in ("libcublasLt.so.12", "libcublas.so.12"):
        for name in (library, *(str(place / library) for place in places)):
            with suppress(OSError):
                ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
                break
        else:
            raise BenchError(f"CTranslate2 needs {library} on this GPU: pip install nvidia-cublas-cu12.")


def _open(kind: str, path: Path, weights: Weights, dtype: str) -> Any:
    """A ctranslate2 Translator or Generator of the checkpoint in `path`."""
    device_memory.make_room()
    engine = getattr(_import_engine(), kind)
    return engine(
        str(_converted(path, weights, dtype)),
        device=_check_device(dtype),
        compute_type=dtype,
        inter_threads=1,  # one batch at a time, on all cores that this process may use
        intra_threads=_threads(),
    )


def _converted(path: Path, weights: Weights, dtype: str) -> Path:
    # The folder of a GGUF has the version of its own conversion in its name.
    checkpoint = digest([fingerprint(weights), path.name])[:16]
    versions = f"ctranslate2-{version('ctranslate2')}-transformers-{version('transformers')}"
    name = weights.file or weights.sources[0].get("hub", path.name)
    return build_cached(
        f"{checkpoint}-{dtype}-{versions}",
        lambda target: _convert(path, target, dtype, weights.pickled),
        f"Converting {name} to CTranslate2 {dtype} once (about a minute per billion weights) …",
    )


def _convert(path: Path, target: Path, dtype: str, pickled: bool) -> None:
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # ctranslate2 has no types
        def load_model(self, model_class: Any, name: str, **options: Any) -> Any:
            silence_transformers()
            refuse_large_config(path, model_class)
            options |= {
                "local_files_only": True,
                "use_safetensors": None if pickled else True,
                "output_loading_info": True,
            }
            model, loading_info = model_class.from_pretrained(name, **options)
            refuse_gaps(path, loading_info)
            check_ties(path, model)
            _state_scaling(model.config)
            return model

        def load_tokenizer(self, tokenizer_class: Any, name: str, **options: Any) -> Any:
            tokenizer = load_family_tokenizer(path)
            # The engine needs a name for the token, even if nothing uses it.
            tokenizer.bos_token = tokenizer.bos_token or tokenizer.eos_token
            return tokenizer

    try:
        Converter(str(path), trust_remote_code=False).convert(str(target), quantization=dtype, force=True)
    except (ValueError, NotImplementedError, AttributeError, OSError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise  # build_cached says so
        # For an unknown architecture the message lists all known ones in brackets.
        reason = str(error).partition("(")[0].strip().rstrip(".")
        raise BenchError(
            f"CTranslate2 cannot convert the checkpoint in {path} ({reason}): use bench.adapters.llm.LLM or "
            "bench.adapters.seq2seq.Seq2Seq."
        ) from error


def _state_scaling(config: Any) -> None:
    """The engine scales the outputs of T5 if its embeddings are said to be tied. transformers 5 says so of every T5,
    and names the scaling `scale_decoder_outputs`; it scales none of mT5."""
    from transformers import T5Config

    if config.model_type in ("t5", "mt5", "umt5") and hasattr(T5Config(), "scale_decoder_outputs"):
        config.tie_word_embeddings = getattr(config, "scale_decoder_outputs", False)


def _threads() -> int:
    """OMP_NUM_THREADS, or the number of cores that this process may use."""
    if threads := os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]:
        return int(threads)
    return usable_cores()


def _facts(engine: Any) -> dict[str, Any]:
    """`batch_invariant`: in float32, unless two beams are within rounding error."""
    exact = engine.compute_type == "float32"
    facts = {"device": engine.device, "compute_type": engine.compute_type, "batch_invariant": exact}
    return facts if engine.device == "cuda" else {**facts, "threads": _threads()}
