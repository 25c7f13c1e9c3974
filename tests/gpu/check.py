"""`python -m tests.gpu.check`: do the engines give on this GPU what they give on the CPU in float32, and how fast?

About ten minutes with a GPU. Parts for which this machine has no GPU or no package are skipped, by name. The exit code
is 1 if a part fails, or if an engine in float32 gives other outputs on the GPU for more than one text in ten.

    python -m tests.gpu.check                             a tiny random model and a tiny COMET
    python -m tests.gpu.check Qwen/Qwen2.5-0.5B-Instruct@COMMIT    any checkpoint of the llm adapter: real speeds

Each part runs in a process of its own, since an engine may keep a GPU's memory until its process ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table

Device = Literal["cpu", "cuda"]
SEGMENTS = 39
MINUTES = 10


class Part(NamedTuple):
    engine: str
    device: Device
    dtype: str

    @property
    def name(self) -> str:
        return f"{self.engine} {self.dtype} on {self.device}"


REFERENCES = {"text": Part("llm", "cpu", "float32"), "comet": Part("comet", "cpu", "float32")}
PARTS = [
    *REFERENCES.values(),
    Part("ctranslate2", "cpu", "float32"),
    Part("llm", "cuda", "float32"),
    Part("llm", "cuda", "bfloat16"),
    Part("ctranslate2", "cuda", "float32"),
    Part("ctranslate2", "cuda", "float16"),
    Part("vllm", "cuda", "float32"),
    Part("vllm", "cuda", "bfloat16"),
    Part("comet", "cuda", "float32"),
    Part("comet", "cuda", "bfloat16"),
]
_PACKAGES = {"llm": "transformers", "ctranslate2": "ctranslate2", "vllm": "vllm", "comet": "comet"}


def main(checkpoint: str = "") -> int:
    results: dict[Part, dict[str, Any]] = {}
    table = Table(
        "part", "result", "per second", "memory of the GPU", title="Engines against the CPU in float32"
    )
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        models = _models(Path(folder)) | ({"text": checkpoint} if checkpoint else {})
        for part in PARTS:
            reason = _missing(part)
            found = {"skipped": reason} if reason else _run(part, models, folder)
            results[part] = found
            table.add_row(part.name, *_row(part, found, results))
            failed |= "error" in found or _differs(part, found, results)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    return int(failed)


def _models(folder: Path) -> dict[str, str]:
    from tests.helpers import tiny, tiny_comet

    tokenizer = tiny.byte_level_tokenizer()
    text = tiny.qwen(  # heads as wide as vLLM's kernels can do
        folder / "text",
        hidden_size=128,
        num_attention_heads=2,
        num_key_value_heads=1,
        eos_token_id=[tokenizer.eos_token_id],
    )
    return {"text": str(text), "comet": str(tiny_comet.checkpoint(folder / "comet", "regression"))}


def _missing(part: Part) -> str:
    if not find_spec(_PACKAGES[part.engine]):
        return f"{_PACKAGES[part.engine]} is not installed"
    return "no GPU here" if part.device == "cuda" and not _has_gpu() else ""


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _run(part: Part, models: dict[str, str], folder: str) -> dict[str, Any]:
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if part.device == "cpu" else {}
    environment = {**os.environ, **hidden, "BITEXT_BENCH_CACHE": os.environ.get("BITEXT_BENCH_CACHE", folder)}
    model = models["comet" if part.engine == "comet" else "text"]
    command = [sys.executable, "-W", "ignore", "-m", "tests.gpu.check", "--part", json.dumps([*part]), model]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {MINUTES} minutes"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _row(part: Part, found: dict[str, Any], results: dict[Part, dict[str, Any]]) -> tuple[str, str, str]:
    if skipped := found.get("skipped"):
        return f"skipped: {skipped}", "", ""
    if error := found.get("error"):
        return f"FAILED: {error}"[:300], "", ""
    unit = "samples" if part.engine == "comet" else "tokens"
    speed = f"{found['count'] / found['seconds']:.0f} {unit}"
    return _comparison(part, found, results), speed, f"{found['memory'] >> 20} MB" if found["memory"] else ""


def _comparison(part: Part, found: dict[str, Any], results: dict[Part, dict[str, Any]]) -> str:
    expected = _expected(part, results)
    if expected is None:
        return "the reference"
    if part.engine == "comet":
        largest = max(abs(a - b) for a, b in zip(found["outputs"], expected, strict=True))
        return f"largest difference of a score {largest:.1e}"
    return f"{_equal(found['outputs'], expected)} of {len(expected)} outputs are equal"


def _differs(part: Part, found: dict[str, Any], results: dict[Part, dict[str, Any]]) -> bool:
    expected = _expected(part, results)
    if "outputs" not in found or expected is None or part.dtype != "float32":
        return False
    if part.engine == "comet":
        return any(abs(a - b) > 1e-4 for a, b in zip(found["outputs"], expected, strict=True))
    return _equal(found["outputs"], expected) < 0.9 * len(expected)


def _expected(part: Part, results: dict[Part, dict[str, Any]]) -> list[Any] | None:
    reference = REFERENCES["comet" if part.engine == "comet" else "text"]
    return None if part == reference else results[reference].get("outputs")


def _equal(outputs: list[Any], expected: list[Any]) -> int:
    return sum(a == b for a, b in zip(outputs, expected, strict=True))


# In the process of a part


def compute(part: Part, model: str) -> dict[str, Any]:
    """Outputs, how many tokens or samples they are, seconds without loading, and the peak memory of the GPU."""
    from bench import progress

    progress.configure(quiet=True)
    outputs, count, seconds = _score(part, model) if part.engine == "comet" else _translate(part, model)
    memory = 0
    if part.device == "cuda" and part.engine != "vllm":
        import torch

        memory = torch.cuda.max_memory_allocated()
    return {"outputs": outputs, "count": count, "seconds": seconds, "memory": memory}


def _translate(part: Part, model: str) -> tuple[list[Any], int, float]:
    from bench.translation import batching
    from tests.helpers.prompts import CHAT, sources

    adapter = _adapter(part, model, CHAT)
    adapter.load()
    given = sources("zh-en")[:SEGMENTS]
    list(batching.outputs(adapter, given[:2], 4096))  # kernels are compiled at the first batch
    began = time.perf_counter()
    made = {source.id: output for source, output, _ in batching.outputs(adapter, given, 32768)}
    seconds = time.perf_counter() - began
    texts = [made[source.id].raw or made[source.id].text for source in given]
    return texts, sum(output.tokens_out for output in made.values()), seconds


def _adapter(part: Part, model: str, prompt: Any) -> Any:
    settings: dict[str, Any] = {"direction": "zh-en", "max_new_tokens": 64, "dtype": part.dtype}
    if part.engine == "llm":
        from bench.adapters.llm import LLM

        return LLM(model, prompt, **settings)
    if part.engine == "ctranslate2":
        from bench.adapters.ctranslate2 import CTranslate2LLM

        return CTranslate2LLM(model, prompt, **settings)
    from bench.adapters.vllm import VLLM

    return VLLM(model, prompt, engine={"enforce_eager": True, "gpu_memory_utilization": 0.5}, **settings)


def _score(part: Part, model: str) -> tuple[list[Any], int, float]:
    from bench import references
    from bench.core import Task
    from bench.scorers.comet import Comet

    task = Task(references.load("china-export-controls-2021"), "zh-en")
    texts = [segment.en[: 2 * len(segment.en) // 3] for segment in task.reference.segments]
    scorer = Comet(
        "COMET", model, precision=part.dtype, devices=[part.device if part.device == "cpu" else "cuda:0"]
    )  # type: ignore[arg-type]
    scorer.prepare()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BITEXT_BENCH_CACHE"] = folder  # else the second part would read the scores of the first
        began = time.perf_counter()
        made = scorer.score(task, {"short": texts}, Path(folder) / "partial")
        seconds = time.perf_counter() - began
    return list(made["short"].segments), len(texts), seconds


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        print(json.dumps(compute(Part(*json.loads(sys.argv[2])), sys.argv[3])))
    else:
        sys.exit(main(*sys.argv[1:2]))
