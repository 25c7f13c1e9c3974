"""CTranslate2, a fast engine for encoder-decoders and language models on CPU and GPU, in int8 or float16.

A checkpoint is converted once, into the cache. Quantised, it is a system of its own: about half of its outputs are others.
So it is with beams in any type: the engine ends a search when as many beams have ended, transformers when no other can win.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from bench.adapters import _cleaning, _requests, seq2seq
from bench.adapters._families import source_tokenizer
from bench.adapters._requests import TOO_LONG, Answer, Limits, Reader, answered
from bench.adapters.seq2seq import Row, Seq2Seq
from bench.checkpoints.cache import build_cached
from bench.checkpoints.gguf import refuse_gaps
from bench.checkpoints.loading import configs, end_tokens, folder, load_tokenizer
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Context, Output, Source, Unit, Weights, digest
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

R = TypeVar("R", seq2seq.Row, _requests.Row)

_STEP = 64  # tokens: limits of rows that are decoded together with beams are rounded up to a multiple of this


class CTranslate2Seq2Seq(Seq2Seq):
    """Encoder-decoders, as in bench.adapters.seq2seq. `dtype`: int8, int8_float16, float16, float32 … (the engine calls it
    compute_type; here it is what other adapters call it, so that their yaml needs only another _target_ and dtype)."""

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        dtype: str = "int8",
        pickled: bool = False,
        *,
        direction: Direction,
        **settings: Any,
    ) -> None:
        super().__init__(checkpoint, dtype, pickled, direction=direction, **settings)

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"adapter": "ctranslate2-seq2seq", "version": 1}

    def facts(self) -> dict[str, Any]:
        return _facts(self._engine)

    def prepare(self) -> None:
        _installed()
        _converted(self._folder(), self.weights, self.dtype)

    def load(self) -> None:
        _device(self.dtype)  # says what is missing before gigabytes are fetched
        super().load()

    def _open(self, path: Path) -> None:
        self._engine = _opened("Translator", path, self.weights, self.dtype)

    def _decode(self, rows: Sequence[Row], forced: list[int]) -> Iterator[tuple[Row, list[int]]]:
        tokenizer, beams = self._reader.tokenizer, self._reader.beams
        for limit, group in _by_limit(rows, beams, self._reader.room):
            results = self._engine.translate_batch(
                [tokenizer.convert_ids_to_tokens(row.ids) for row in group],
                target_prefix=[tokenizer.convert_ids_to_tokens(forced)] * len(group) if forced else None,
                beam_size=beams,
                length_penalty=self._reader.length_penalty,
                max_input_length=0,  # it would cut off what is longer
                max_decoding_length=limit + len(forced),
            )
            for row, result in zip(group, results, strict=True):
                yield row, tokenizer.convert_tokens_to_ids(result.hypotheses[0])


class CTranslate2LLM(Adapter):
    """Chat and base language models, as in bench.adapters.llm. `dtype`: as above. `beams`: 1 is greedy."""

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        prompt: Prompt,
        dtype: str = "int8",
        beams: int = 1,
        *,
        direction: Direction,
        **limits: Any,
    ) -> None:
        super().__init__(direction)
        self.weights = parse_weights(checkpoint)
        self.prompt = prompt
        self.dtype = dtype
        self.beams = beams
        self.limits = Limits(**limits)

    @property
    def context(self) -> Context:
        return self.prompt.context

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "ctranslate2-llm",
            "version": 1,
            "cleaning": _cleaning.VERSION,
            "checkpoint": fingerprint(self.weights),
            "prompt": self.prompt.identity(),
            "dtype": self.dtype,
            "decoding": {"beams": self.beams, **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return _facts(self._engine)

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        _installed()  # and no more: that it runs on another machine, on a GPU perhaps, is what preparing is for
        _converted(folder(self.weights), self.weights, self.dtype)

    def load(self) -> None:
        _device(self.dtype)
        path = folder(self.weights)
        self._tokenizer = load_tokenizer(path)
        self._reader = Reader(self._tokenizer, self.prompt, self.limits, self.direction)
        config, generation = configs(path)
        self._ends = end_tokens(generation, self._tokenizer)
        self._context = int(getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 30)
        self._engine = _opened("Generator", path, self.weights, self.dtype)

    def batch_cost(self, unit: Unit) -> int:
        return self._reader.batch_cost(unit) * self.beams

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        return answered(sources, self.prompt, self._complete)

    def _complete(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Answer]]:
        rows, too_long = self._reader.rows(units, self._context)
        yield from ((unit, TOO_LONG) for unit in too_long)
        for limit, group in _by_limit(rows, self.beams):
            stops = [row.stop for row in group]
            results = self._engine.generate_batch(
                [self._tokenizer.convert_ids_to_tokens(row.prompt) for row in group],
                beam_size=self.beams,
                end_token=sorted(self._ends),
                max_length=limit,
                include_prompt_in_result=False,
                callback=_Stopping(self._reader, stops) if any(stops) and self.beams == 1 else None,
            )
            for row, result in zip(group, results, strict=True):
                tokens = result.sequences_ids[0][: row.limit]
                text = self._tokenizer.decode(tokens, skip_special_tokens=True)
                cut = len(tokens) == row.limit and not (row.stop and row.stop in text)
                yield row.unit, Answer(text, len(row.prompt), len(tokens), truncated=cut)


class _Stopping:
    """Called with each token of a greedy answer: ends rows that have written what ends them. It saves time, nothing else:
    what comes after is cut off in bench.adapters._requests."""

    def __init__(self, reader: Reader, stops: Sequence[str]) -> None:
        self.reader = reader
        self.stops = stops
        self.tokens: list[list[int]] = [[] for _ in stops]

    def __call__(self, step: Any) -> bool:
        tokens = self.tokens[step.batch_id]
        tokens.append(step.token_id)
        return self.reader.stopped(tokens, self.stops[step.batch_id])


def _by_limit(rows: Sequence[R], beams: int, most: int = 1 << 30) -> Iterator[tuple[int, list[R]]]:
    """Rows that are decoded together, and the limit of them all, for the engine knows one a call.

    Greedily, a row's first tokens are the same whatever the limit, and what is beyond its own is cut off. With beams the
    limit decides which of them wins: so it must not depend on what else is in the batch. `most`: what the decoder can do.
    """
    if not rows:
        return
    if beams == 1:
        yield max(row.limit for row in rows), list(rows)
        return

    def rounded(row: R) -> int:
        return min(-(-row.limit // _STEP) * _STEP, most)

    for limit, group in groupby(sorted(rows, key=rounded), key=rounded):
        yield limit, list(group)


# --- the engine ---


def _installed() -> Any:
    try:
        import ctranslate2
    except ImportError:
        raise BenchError(
            "This system runs on CTranslate2, which is not installed: pip install 'bitext-bench[ctranslate2]'"
        ) from None
    return ctranslate2


def _device(dtype: str) -> str:
    """ "cuda" where there is one, else "cpu". Raises BenchError where the engine is missing, or cannot compute so."""
    ctranslate2 = _installed()
    device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    able = ctranslate2.get_supported_compute_types(device)
    if dtype not in able:
        raise BenchError(f"dtype={dtype} does not run on this {device}: use {' or '.join(sorted(able))}.")
    return device


def _opened(kind: str, path: Path, weights: Weights, dtype: str) -> Any:
    """A Translator or Generator of the checkpoint in `path`."""
    import ctranslate2

    converted = str(_converted(path, weights, dtype))
    # one batch at a time, on all the cores that this process may use
    threads = {"inter_threads": 1, "intra_threads": _threads()}
    return getattr(ctranslate2, kind)(converted, device=_device(dtype), compute_type=dtype, **threads)


def _converted(path: Path, weights: Weights, dtype: str) -> Path:
    # a GGUF's folder has the version of its own conversion in its name
    bytes_ = digest([fingerprint(weights), path.name])[:16]
    versions = f"ctranslate2-{version('ctranslate2')}-transformers-{version('transformers')}"
    name = weights.file or weights.sources[0].get("hub", path.name)
    sentence = f"Converting {name} to CTranslate2 {dtype} once (about a minute a billion weights) …"
    return build_cached(
        f"{bytes_}-{dtype}-{versions}", lambda made: _convert(path, made, dtype, weights.pickled), sentence
    )


def _convert(path: Path, made: Path, dtype: str, pickled: bool) -> None:
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        def load_model(self, model_class: Any, name: str, **options: Any) -> Any:
            options |= {"use_safetensors": None if pickled else True, "output_loading_info": True}
            model, loaded = model_class.from_pretrained(name, **options)
            refuse_gaps(path, loaded)
            return model

        def load_tokenizer(self, tokenizer_class: Any, name: str, **options: Any) -> Any:
            tokenizer = source_tokenizer(path)
            tokenizer.bos_token = (
                tokenizer.bos_token or tokenizer.eos_token
            )  # the engine must have a name for it
            return tokenizer

    try:
        Converter(str(path), trust_remote_code=False).convert(str(made), quantization=dtype, force=True)
    except (ValueError, NotImplementedError, AttributeError, OSError) as error:
        # an architecture that it does not know: in brackets it names all those that it does
        reason = str(error).partition("(")[0].strip().rstrip(".")
        raise BenchError(f"CTranslate2 cannot take over the checkpoint in {path}: {reason}.") from error


def _threads() -> int:
    """As many as this process may use (a container or a job may have fewer than the machine); OMP_NUM_THREADS rules."""
    if named := os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _facts(engine: Any) -> dict[str, Any]:
    """`batch_invariant`: in float32 outputs are the same in every batch, as far as no two beams are within rounding."""
    exact = engine.compute_type == "float32"
    facts = {"device": engine.device, "compute_type": engine.compute_type, "batch_invariant": exact}
    return facts if engine.device == "cuda" else {**facts, "threads": _threads()}
