"""Decoder-only language models through vLLM, for GPU nodes: an extra that is imported only when a system needs it.

Prompts go in and answers come out as token ids, so that how a text is read, what an answer may cost and what is text in it are
those of the llm adapter. The engine makes its own batches: it is given every request at once.

That outputs are the same in every batch is not promised, not even in float32: "vLLM does not guarantee the reproducibility of
the results by default, for the sake of performance" (docs.vllm.ai, usage/reproducibility); a prompt whose beginning is in
the cache already may be answered otherwise, too (vllm-project/vllm#40896). Where VLLM_BATCH_INVARIANT=1 is set, on GPUs that
it is made for (features/batch_invariance: NVIDIA from compute capability 8.0 on), vLLM does promise it, and run.json says so.

The engine runs in a process of its own, VLLM::EngineCore, for only so is its memory given back (vllm-project/vllm#21073). It
ends with this process, but not where this one is killed with SIGKILL (#55510): end it by hand then, before the run is
resumed. Where the engine is killed, vLLM waits for it for ever: what is finished is in the journal, interrupt the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from bench.adapters import _cleaning
from bench.adapters._requests import TOO_LONG, Answer, Limits, Reader, answered
from bench.checkpoints.loading import folder, load_tokenizer
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Context, Output, Source, Unit, Weights
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt

_OURS = {"model", "tokenizer", "dtype", "seed", "load_format", "trust_remote_code", "disable_log_stats"}
_WHERE = {
    "block_size", "compilation_config", "cpu_offload_gb", "disable_custom_all_reduce", "distributed_executor_backend",
    "enable_chunked_prefill", "enable_prefix_caching", "enforce_eager", "gpu_memory_utilization",
    "kv_cache_memory_bytes", "max_num_batched_tokens", "max_num_seqs", "max_parallel_loading_workers",
    "pipeline_parallel_size", "tensor_parallel_size",
}  # fmt: skip
"""Settings of where and how fast it runs. Any other may change what comes out (quantization, kv_cache_dtype,
max_model_len, …), and is part of a system's identity."""

_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}  # the latter: nothing is sent home


class VLLM(Adapter):
    """`checkpoint`: see bench.checkpoints.weights.Weights. `engine`: more of vLLM's EngineArgs. `limits`: see bench.adapters._requests.Limits."""

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        prompt: Prompt,
        dtype: str = "bfloat16",
        engine: Mapping[str, Any] | None = None,
        *,
        direction: Direction,
        **limits: Any,
    ) -> None:
        super().__init__(direction)
        self.weights = parse_weights(checkpoint)
        self.prompt = prompt
        self.dtype = dtype
        self.engine = dict(engine or {})
        self.limits = Limits(**limits)
        if fixed := sorted(_OURS & self.engine.keys()):
            raise BenchError(
                f"The bench itself sets {', '.join(fixed)} for vLLM (no code of a checkpoint is run): leave it out of engine."
            )
        self._facts: dict[str, Any] = {"device": "none"}

    @property
    def context(self) -> Context:
        return self.prompt.context

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "vllm",
            "version": 1,
            "cleaning": _cleaning.VERSION,
            "checkpoint": fingerprint(self.weights),
            "prompt": self.prompt.identity(),
            "dtype": self.dtype,
            "engine": {name: value for name, value in self.engine.items() if name not in _WHERE},
            "decoding": {"method": "greedy", **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return self._facts

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        folder(self.weights)

    def load(self) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        vllm = _vllm()
        path = folder(self.weights)
        self._tokenizer = load_tokenizer(path)
        self._reader = Reader(self._tokenizer, self.prompt, self.limits, self.direction)
        settings = {
            "model": str(path),
            "dtype": self.dtype,
            "seed": 0,
            "load_format": "safetensors",  # no pickles
            "trust_remote_code": False,
            "disable_log_stats": True,
            **self.engine,
        }
        try:
            self._engine = _started(vllm, settings)
        except Exception as error:  # a checkpoint or a setting that it cannot use makes it fail in many ways
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise BenchError(f"vLLM cannot run the checkpoint in {path}: {reason}") from error
        self._context = int(self._engine.model_config.max_model_len)
        self._facts = _facts()

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        return answered(sources, self.prompt, self._complete)

    def _complete(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Answer]]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        rows, too_long = self._reader.rows(units, self._context)
        yield from ((unit, TOO_LONG) for unit in too_long)
        waiting: dict[str, Unit] = {}
        try:
            for row in sorted(rows, key=lambda row: -row.limit):  # the longest do not run last and alone
                name = next(_names)
                sampling = SamplingParams(
                    temperature=0,
                    max_tokens=row.limit,
                    stop=[row.stop] if row.stop else None,
                    output_kind=RequestOutputKind.FINAL_ONLY,
                )
                self._engine.add_request(name, {"prompt_token_ids": row.prompt}, sampling)
                waiting[name] = row.unit
            while self._engine.has_unfinished_requests():
                for output in self._engine.step():
                    yield waiting.pop(output.request_id), self._answer(output)
        except GeneratorExit:  # nobody wants the rest
            self._engine.abort_request(list(waiting))
            raise
        except Exception:
            _stop()  # it may be dead: the next direction starts another
            raise

    def _answer(self, output: Any) -> Answer:
        (said,) = output.outputs
        tokens, reason = list(said.token_ids), said.finish_reason
        if reason == "stop" and not isinstance(said.stop_reason, str):
            tokens.pop()  # the token that ended it, which is no text; a stop of the prompt's is cut off with all others
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        error = "" if reason in ("stop", "length") else f"vLLM ended it with {reason!r}"
        return Answer(
            text, len(output.prompt_token_ids), len(tokens), truncated=reason == "length", error=error
        )


_running: dict[str, Any] = {}
"""The one engine of this process, by its settings."""
_names = map(str, count())  # of its requests, whichever adapter makes them


def _started(vllm: Any, settings: Mapping[str, Any]) -> Any:
    """An engine takes a GPU's memory for itself and is not freed when nobody refers to it any more (vLLM keeps frames of
    its callers). So the other direction of a system goes on with it, and another system ends it."""
    args = vllm.EngineArgs(**settings)
    key = repr(settings)
    if key not in _running:
        _stop()
        _running[key] = vllm.LLMEngine.from_engine_args(args)
    return _running[key]


def _stop() -> None:
    while _running:
        _running.popitem()[1].engine_core.shutdown()


def _vllm() -> Any:
    try:
        import vllm
    except ModuleNotFoundError as error:
        if error.name != "vllm":
            raise
        raise BenchError(
            "vLLM is not installed: pip install 'bitext-bench[vllm]' on a GPU node, or use bench.adapters.llm.LLM."
        ) from None
    return vllm


def _facts() -> dict[str, Any]:
    """Its memory is none of them: vLLM takes as much as gpu_memory_utilization lets it. Its version is, for builds that are
    distributed under another name."""
    import vllm.envs
    from vllm.platforms import current_platform

    device = current_platform.device_type
    facts: dict[str, Any] = {"device": device, "vllm": vllm.__version__}
    if device != "cpu":
        facts["device_name"] = current_platform.get_device_name()
    promised = bool(getattr(vllm.envs, "VLLM_BATCH_INVARIANT", False))  # older versions do not know it
    return facts | {"batch_invariant": promised and device != "cpu"}
