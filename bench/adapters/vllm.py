"""Decoder-only language models through vLLM, for GPU nodes. vLLM is an extra, imported only if a system needs
it.

Prompts go in and answers come out as token ids, so prompts, limits and decoding are those of the llm adapter.
The engine does its own batching: it gets every request at once.

There is no guarantee that outputs are batch-invariant, not even in float32: "vLLM does not guarantee the
reproducibility of the results by default, for the sake of performance" (docs.vllm.ai, usage/reproducibility),
and a prompt whose prefix is cached may get another answer (vllm-project/vllm#40896). VLLM_BATCH_INVARIANT=1 asks
for it; reports of its users contradict it for some models and GPUs. So run.json only says that the mode was on
(`batch_invariant_mode`).

The engine runs in a process of its own, VLLM::EngineCore: only then is its memory freed
(vllm-project/vllm#21073). It ends with this process, except when this process is killed with SIGKILL
(#55510): end it by hand before you resume the run. If the engine is killed, vLLM waits for it forever:
interrupt the run; finished outputs are in its journal.
"""

from __future__ import annotations

import getpass
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Annotated, Any

from bench import device_memory
from bench.adapters._engines import engine_version
from bench.adapters._language_model import CheckpointAdapter, Response
from bench.adapters._requests import Limits, TokenizedRequest
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.loading import Dtype, refuse_large_config
from bench.checkpoints.weights import WeightsConfig
from bench.core import Unit
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt
from bench.resources import isolated_workers

FIXED = {"model", "tokenizer", "dtype", "seed", "load_format", "trust_remote_code", "disable_log_stats"}
"""Settings that `engine` cannot have."""
HARDWARE = {
    "block_size", "compilation_config", "cpu_offload_gb", "disable_custom_all_reduce",
    "distributed_executor_backend", "enable_chunked_prefill", "enable_prefix_caching", "enforce_eager",
    "gpu_memory_utilization", "kv_cache_memory_bytes", "max_num_batched_tokens", "max_num_seqs",
    "max_parallel_loading_workers",
    "pipeline_parallel_size", "tensor_parallel_size",
}  # fmt: skip
"""Settings that say where and how fast the engine runs. Any other one may change outputs (quantization,
kv_cache_dtype, max_model_len …) and is part of a system's identity."""

_WORD = re.compile(r"[\w-]{1,100}")
_NAMES_CODE = re.compile("cls|class|plugin|module|extension|parser|processor|connector|path|dir")

_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",  # send no usage statistics
}


class VLLM(CheckpointAdapter):
    """`engine`: further EngineArgs of vLLM. `checkpoint`, `limits`: see CheckpointAdapter."""

    def __init__(
        self,
        checkpoint: WeightsConfig,
        prompt: Prompt,
        dtype: Dtype = "bfloat16",
        engine: Mapping[str, Any] | None = None,
        *,
        direction: Direction,
        **limits: Annotated[Any, Limits],
    ) -> None:
        super().__init__(checkpoint, prompt, dtype, Limits(**limits), direction=direction)
        self.engine = dict(engine or {})
        if fixed := sorted(FIXED & self.engine.keys()):
            raise BenchError(
                f"system.adapter.engine cannot set {', '.join(fixed)}, the benchmark itself does: remove it."
            )
        _check_plain(self.engine, "system.adapter.engine")
        self._facts: dict[str, Any] = {"device": "none"}

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "vllm",
            "version": 1,
            **super().identity(),
            **engine_version("vllm"),
            "engine": {name: value for name, value in self.engine.items() if name not in HARDWARE},
            "decoding": {"method": "greedy", **self.limits.identity()},
        }

    def facts(self) -> dict[str, Any]:
        return self._facts

    def load(self) -> None:
        for name, value in {**_ENVIRONMENT, **_compile_caches()}.items():
            os.environ.setdefault(name, value)
        _import_vllm()  # before gigabytes are fetched
        super().load()
        self._facts = _facts()

    def _load_engine(self, path: Path) -> int:
        import transformers

        refuse_large_config(path, transformers.AutoModelForCausalLM)
        settings = {
            "model": str(path),
            "dtype": self.dtype,
            "seed": 0,
            "load_format": "safetensors",  # no pickles
            "trust_remote_code": False,
            "disable_log_stats": True,
            # As much of the model's context as fits into the GPU: vLLM wants room for one request of max_model_len, and
            # the 131,072 tokens of a Llama 3.1 take 16 GiB. It tells what fitted, and longer rows get an error.
            "max_model_len": -1,
            **self.engine,
        }
        try:
            self._engine = _running_engine(settings)
        except Exception as error:  # an unusable checkpoint or setting fails in many ways
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise BenchError(f"vLLM cannot run the checkpoint in {path}: {reason}") from error
        return int(self._engine.model_config.max_model_len)

    def _generate(self, requests: Sequence[TokenizedRequest]) -> Iterator[tuple[Unit, Response]]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        waiting: dict[str, Unit] = {}
        try:
            # Longest first, so that no long answer is decoded alone at the end.
            for request in sorted(requests, key=lambda request: -request.limit):
                name = next(_request_names)
                sampling = SamplingParams(
                    temperature=0,
                    max_tokens=request.limit,
                    stop=[request.stop] if request.stop else None,
                    output_kind=RequestOutputKind.FINAL_ONLY,
                )
                self._engine.add_request(name, {"prompt_token_ids": request.prompt}, sampling)
                waiting[name] = request.unit
            while self._engine.has_unfinished_requests():
                for output in self._engine.step():
                    yield waiting.pop(output.request_id), self._read(output)
        except GeneratorExit:  # the caller wants no more
            self._engine.abort_request(list(waiting))
            raise
        except Exception:
            _stop()  # the engine may be dead; the other direction starts a new one
            raise

    def _read(self, output: Any) -> Response:
        (completion,) = output.outputs
        tokens, reason = list(completion.token_ids), completion.finish_reason
        if reason == "stop" and not isinstance(completion.stop_reason, str):
            tokens.pop()  # the end token; text after a stop string is removed for all adapters alike
        return Response(
            self._tokenizer.decode(tokens, skip_special_tokens=True),
            len(output.prompt_token_ids),
            len(tokens),
            truncated=reason == "length",
            error="" if reason in ("stop", "length") else f"vLLM ended it with {reason!r}",
        )


def _check_plain(value: Any, key: str) -> None:
    """Raise BenchError unless a setting of the engine has numbers and words only: vLLM imports classes and reads
    files that its settings name (worker_cls, logits_processors, …)."""
    name = key.rpartition(".")[2]
    if isinstance(value, Mapping):
        for part, item in value.items():
            _check_plain(item, f"{key}.{part}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _check_plain(item, key)
    elif isinstance(value, str) and (not _WORD.fullmatch(value) or _NAMES_CODE.search(name)):
        raise BenchError(f"{key} may name code or files: give numbers and plain words, or remove it.")


_running: dict[str, Any] = {}
"""The one engine of this process, by its settings."""
_request_names = map(str, count())
"""Unique in the engine, which several adapters may use."""


def _running_engine(settings: Mapping[str, Any]) -> Any:
    """The running engine if it has these settings (the other direction of a system started it), else a new
    one.

    An engine takes the memory of the GPU, and dropping all references does not free it (vLLM keeps frames of
    its callers), so the previous one is shut down first.
    """
    vllm = _import_vllm()
    args = vllm.EngineArgs(**settings)
    key = repr(settings)
    if key not in _running:
        device_memory.make_room()
        device_memory.stop_before_next_model(_stop)
        with isolated_workers():
            _running[key] = vllm.LLMEngine.from_engine_args(args)
    return _running[key]


def _compile_caches() -> dict[str, str]:
    """Where kernels are compiled: homes are read-only or shared by all nodes on many clusters."""
    places = (os.environ.get("SLURM_TMPDIR"), cache_dir(), tempfile.gettempdir())
    root = next((Path(place) for place in places if place and os.access(place, os.W_OK)), Path("/tmp"))
    folder = root / f"compiled-{getpass.getuser()}"
    return {
        "VLLM_CACHE_ROOT": str(folder / "vllm"),
        "TRITON_CACHE_DIR": str(folder / "triton"),
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        "FLASHINFER_WORKSPACE_BASE": str(folder / "flashinfer"),
    }


def _stop() -> None:
    while _running:
        # `engine_core` is a public but undocumented attribute of LLMEngine: check it when the vLLM pin moves.
        _running.popitem()[1].engine_core.shutdown()


def _import_vllm() -> Any:
    try:
        import vllm
    except ModuleNotFoundError as error:
        if error.name != "vllm":
            raise
        raise BenchError(
            "vLLM is not installed: pip install 'bitext-bench[vllm]' on a GPU node, or use "
            "bench.adapters.llm.LLM."
        ) from None
    return vllm


def _facts() -> dict[str, Any]:
    """Without peak memory: vLLM takes as much as gpu_memory_utilization allows. With the version, because
    builds are distributed under other package names."""
    import vllm.envs
    from vllm.platforms import current_platform

    device = current_platform.device_type
    facts: dict[str, Any] = {"device": device, "vllm": vllm.__version__}
    if device != "cpu":
        facts["device_name"] = current_platform.get_device_name()
    is_mode_on = bool(getattr(vllm.envs, "VLLM_BATCH_INVARIANT", False))  # older versions do not have it
    return facts | {"batch_invariant": False, **({"batch_invariant_mode": True} if is_mode_on else {})}
