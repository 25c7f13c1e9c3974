"""The driver against its engine, and both against transformers' pipeline as most scripts call it: the white paper (39 segments) and
the embedded Qwen2.5-Coder 0.5B, in both directions. A quarter of an hour on two cores.

What is compared does the same work on the same weights in one process, one after the other, once; the driver and its engine are
two clocks of one run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from bench import references
from bench.adapters.llm import LLM
from bench.checkpoints.loading import folder, load_model, load_tokenizer
from bench.core import Adapter, Output, ReferenceSet, Source
from bench.languages import DIRECTIONS, Direction
from bench.launching.compose import compose
from bench.launching.jobs import Job
from bench.translation import batching
from bench.translation.driver import translate
from tests.perf import show, timed

SET = references.load("china-export-controls-2021")
QWEN = "qwen2.5-coder-0.5b-instruct"
BATCH_TOKENS = 32768
ROOT = Path(__file__).parents[2]


def system(name: str, direction: Direction) -> Adapter:
    return Job.of(compose([f"system={name}", f"direction={direction}"])).adapter


class Clocked(Adapter):
    """An adapter, and the seconds that were spent inside it: what the driver took is the rest."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.seconds = 0.0

    def identity(self) -> Any:
        return self.adapter.identity()

    def length(self, unit: Sequence[Source], direction: Direction) -> int:
        return self.adapter.length(unit, direction)

    def translate(self, sources: Sequence[Source], direction: Direction) -> Iterator[tuple[str, Output]]:
        outputs = self.adapter.translate(sources, direction)
        while True:
            began = time.perf_counter()
            output = next(outputs, None)
            self.seconds += time.perf_counter() - began
            if output is None:
                return
            yield output


def driver(adapter: Adapter, of: ReferenceSet, direction: Direction) -> tuple[float, float]:
    """Seconds of a whole run through the driver (plan, batches, flags, journal, run.json), and of the engine alone in it."""
    clocked = Clocked(adapter)
    with tempfile.TemporaryDirectory() as room:
        whole, _ = timed(
            lambda: translate(clocked, of, direction, Path(room), {"name": "perf"}, BATCH_TOKENS)
        )
    return whole, clocked.seconds


def usual_script(adapter: LLM, of: ReferenceSet, direction: Direction, batch_size: int) -> float:
    """Seconds of transformers' pipeline over the segments in the order of the file, as most scripts do it."""
    import transformers

    path = folder(adapter.weights)
    tokenizer = load_tokenizer(path, padding_side="left")
    model = load_model(path, "AutoModelForCausalLM", "float32", "cpu")
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    chats = [
        adapter.prompt.messages([source], direction)
        for source in batching.sources(of, direction, adapter.context)
    ]
    options = {"max_new_tokens": 512, "do_sample": False, "return_full_text": False, "batch_size": batch_size}
    return timed(lambda: pipe(chats, **options))[0]


def finished_suite() -> float:
    """Seconds of `bench run` where everything is done already: a copy of the published results."""
    with tempfile.TemporaryDirectory() as room:
        shutil.copytree(ROOT / "results", Path(room) / "results")
        command = [sys.executable, "-m", "bench", "run", "--quiet", f"store={room}/results"]
        return min(
            timed(lambda: subprocess.run(command, check=True, capture_output=True))[0] for _ in range(4)
        )


def main(of: ReferenceSet = SET) -> None:
    title = (
        f"{len(of.segments)} segments of the white paper, Qwen2.5-Coder 0.5B, float32 but where it says int8"
    )
    table = Table("what", "direction", "seconds", "ratio", title=title)

    def row(what: str, direction: str, seconds: float, ratio: str = "") -> None:
        table.add_row(what, direction, f"{seconds:.1f}", ratio)
        Console(stderr=True).print(f"{what}, {direction}: {seconds:.1f} s {ratio}", highlight=False)

    for direction in DIRECTIONS:
        adapter = cast(LLM, system(QWEN, direction))
        adapter.load()
        ours, engine = driver(adapter, of, direction)
        row("bench, driver and all", direction, ours)
        row("its engine alone", direction, engine, f"overhead {100 * (ours / engine - 1):.2f} %")
        del adapter._model
        for size in (8, 1):
            theirs = usual_script(adapter, of, direction, size)
            what = f"transformers pipeline, batch {size}"
            row(what, direction, theirs, f"bench is {theirs / ours:.1f} x as fast")
        int8 = system(f"{QWEN}-int8", direction)
        int8.load()
        whole, engine = driver(int8, of, direction)
        row("bench, CTranslate2 int8", direction, whole, f"{ours / whole:.1f} x as fast")
        row("its engine alone", direction, engine, f"overhead {100 * (whole / engine - 1):.2f} %")
    row("bench run, all done before", "both", finished_suite())
    show(table)
