"""The driver against its engine, both against transformers' pipeline as most scripts call it, and other engines.

The white paper (39 segments) and the embedded Qwen2.5-Coder 0.5B in both directions: twenty minutes on two cores. The
rows of a direction do the same work on the same weights, one after the other, once; the driver and its engine are two
clocks of one run. llama.cpp reads the file of 4-bit weights that the others read in float32 or int8. It and
transformers 5 have processes of their own; loading is not counted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from bench import progress, references
from bench.adapters.llm import LLM
from bench.adapters.openai import OpenAI
from bench.checkpoints.fetching import resolve
from bench.checkpoints.loading import folder, load_model, load_tokenizer
from bench.core import Adapter, Output, ReferenceSet, Source, Task, Unit
from bench.languages import DIRECTIONS, Direction
from bench.launching.compose import compose
from bench.launching.jobs import translation_job
from bench.records import SystemCard
from bench.translation import batching
from bench.translation.driver import TranslationJob, translate
from tests.helpers import llama_server
from tests.perf import show, timed

SET = references.load("china-export-controls-2021")
QWEN = "qwen2.5-coder-0.5b-instruct"
BATCH_TOKENS = 32768
ROOT = Path(__file__).parents[2]


def create_adapter(name: str, task: Task) -> Adapter:
    config = compose([f"system={name}", f"direction={task.direction}"])
    return translation_job(config, task.reference).adapter


class Clocked(Adapter):
    """An adapter, and the seconds that were spent inside it; the rest of a run's time is the driver's."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__(adapter.direction)
        self.adapter = adapter
        self.seconds = 0.0

    def identity(self) -> Any:
        return self.adapter.identity()

    def batch_cost(self, unit: Unit) -> int:
        return self.adapter.batch_cost(unit)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        outputs = self.adapter.translate(sources)
        while True:
            start = time.perf_counter()
            output = next(outputs, None)
            self.seconds += time.perf_counter() - start
            if output is None:
                return
            yield output


def driver_seconds(adapter: Adapter, task: Task) -> tuple[float, float]:
    """Seconds of a complete run through the driver (batches, flags, journal, run.json), and of the engine
    within it."""
    clocked = Clocked(adapter)
    with tempfile.TemporaryDirectory() as folder:
        job = TranslationJob(task, clocked, SystemCard("perf"), Path(folder), BATCH_TOKENS)
        seconds, _ = timed(lambda: translate(job))
    return seconds, clocked.seconds


def pipeline_seconds(adapter: LLM, task: Task, batch_size: int) -> float:
    """Seconds of transformers' pipeline over the segments in the order of the file, as most scripts do it."""
    import transformers

    path = folder(adapter.weights)
    tokenizer = load_tokenizer(path, padding_side="left")
    model = load_model(path, "AutoModelForCausalLM", "float32", "cpu")
    pipeline = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    chats = [
        adapter.prompt.messages([source], task.direction)
        for source in batching.sources(task, adapter.context)
    ]
    options = {"max_new_tokens": 512, "do_sample": False, "return_full_text": False, "batch_size": batch_size}
    return timed(lambda: pipeline(chats, **options))[0]


def under_transformers5(direction: str) -> float | None:
    """`seconds_of_the_driver` in the environment that `make transformers5` makes; None without it."""
    python = ROOT / ".venv-transformers5" / "bin" / "python"
    if not python.exists():
        return None
    code = f"from tests.perf import translate; print(translate.seconds_of_the_driver({direction!r}))"
    words = [str(python), "-W", "ignore", "-c", code]
    return float(subprocess.run(words, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)


def seconds_of_the_driver(direction: Direction) -> float:
    progress.configure(quiet=True)
    task = Task(SET, direction)
    adapter = create_adapter(QWEN, task)
    adapter.load()
    return driver_seconds(adapter, task)[0]


def through_llama_cpp(task: Task) -> float | None:
    """Seconds of a complete run with llama.cpp's server on the file as it was fetched; None without xllamacpp."""
    if not find_spec("xllamacpp"):
        return None
    llm = cast(LLM, create_adapter(QWEN, task))
    with llama_server.serving(resolve(llm.weights)) as url:
        options = {"temperature": 0, "max_tokens": 512}
        endpoint = OpenAI(
            QWEN, llm.prompt, options, url, concurrency=llama_server.SLOTS, direction=task.direction
        )
        endpoint.load()
        return driver_seconds(endpoint, task)[0]


def finished_suite_seconds() -> float:
    """Seconds of `bench run` with nothing to do: a copy of the published results."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "results", Path(folder) / "results")
        command = [sys.executable, "-m", "bench", "run", "--quiet", f"store={folder}/results"]
        return min(
            timed(lambda: subprocess.run(command, check=True, capture_output=True))[0] for _ in range(4)
        )


def main(reference: ReferenceSet = SET) -> None:
    title = f"{len(reference.segments)} segments of the white paper, Qwen2.5-Coder 0.5B, float32 unless it says int8"
    table = Table("what", "direction", "seconds", "ratio", title=title)

    def add_row(what: str, direction: str, seconds: float, ratio: str = "") -> None:
        table.add_row(what, direction, f"{seconds:.1f}", ratio)
        Console(stderr=True).print(f"{what}, {direction}: {seconds:.1f} s {ratio}", highlight=False)

    for direction in DIRECTIONS:
        task = Task(reference, direction)
        adapter = cast(LLM, create_adapter(QWEN, task))
        adapter.load()
        bench_seconds, engine_seconds = driver_seconds(adapter, task)
        add_row("bench, with its driver", direction, bench_seconds)
        overhead = 100 * (bench_seconds / engine_seconds - 1)
        add_row("its engine alone", direction, engine_seconds, f"overhead {overhead:.2f} %")
        del adapter._model
        for size in (8, 1):
            seconds = pipeline_seconds(adapter, task, size)
            ratio = f"bench is {seconds / bench_seconds:.1f} x as fast"
            add_row(f"transformers pipeline, batch {size}", direction, seconds, ratio)
        int8 = create_adapter(f"{QWEN}-int8", task)
        int8.load()
        int8_seconds, engine_seconds = driver_seconds(int8, task)
        ratio = f"{bench_seconds / int8_seconds:.1f} x as fast"
        add_row("bench, CTranslate2 int8", direction, int8_seconds, ratio)
        overhead = 100 * (int8_seconds / engine_seconds - 1)
        add_row("its engine alone", direction, engine_seconds, f"overhead {overhead:.2f} %")
        for what, other_seconds, lacking in (
            ("bench, llama.cpp, 4 bits", through_llama_cpp(task), "pip install xllamacpp"),
            ("bench, transformers 5", under_transformers5(direction), "make transformers5"),
        ):
            if other_seconds is None:
                table.add_row(what, direction, "–", f"not measured: {lacking}")
            else:
                add_row(what, direction, other_seconds, f"{bench_seconds / other_seconds:.1f} x as fast")
    add_row("bench run with nothing to do", "both", finished_suite_seconds())
    show(table)
