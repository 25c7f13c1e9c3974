"""`make perf`: ratios measured side by side in one process, on the white paper and the embedded Qwen2.5-Coder 0.5B.

    python tests/perf.py [DIRECTION …]      both directions take about a quarter of an hour on two cores

Nothing here is a test: speeds belong to a machine. What is compared does the same work on the same weights in one process, one
after the other, once; the driver and its engine are two clocks of one run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from bench import plan, progress, references
from bench.adapters.llm import LLM
from bench.checkpoint import folder, load_model, load_tokenizer
from bench.core import DIRECTIONS, Adapter, Direction, Output, Source
from bench.run import Job, _compose
from bench.translate import translate

SET = references.load("china-export-controls-2021")
QWEN = "qwen2.5-coder-0.5b-instruct"
BATCH_TOKENS = 32768
ROOT = Path(__file__).parents[1]


def system(name: str, direction: Direction) -> Adapter:
    return Job.of(_compose([f"system={name}", f"direction={direction}"])).adapter


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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


def driver(adapter: Adapter, direction: Direction) -> tuple[float, float]:
    """Seconds of a whole run through the driver (plan, batches, flags, journal, run.json), and of the engine alone in it."""
    clocked = Clocked(adapter)
    with tempfile.TemporaryDirectory() as room:
        whole = timed(lambda: translate(clocked, SET, direction, Path(room), {"name": "perf"}, BATCH_TOKENS))
    return whole, clocked.seconds


def usual_script(adapter: LLM, direction: Direction, batch_size: int) -> float:
    """Seconds of transformers' pipeline over the segments in the order of the file, as most scripts do it."""
    import transformers

    path = folder(adapter.weights)
    tokenizer = load_tokenizer(path, padding_side="left")
    model = load_model(path, "AutoModelForCausalLM", "float32", "cpu")
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    chats = [
        adapter.prompt.messages([source], direction)
        for source in plan.sources(SET, direction, adapter.context)
    ]
    options = {"max_new_tokens": 512, "do_sample": False, "return_full_text": False, "batch_size": batch_size}
    return timed(lambda: pipe(chats, **options))


def finished_suite() -> float:
    """Seconds of `bench run` where everything is done already: the published results."""
    command = [sys.executable, "-m", "bench", "run", "--quiet", f"store={ROOT / 'results'}"]
    return min(timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(3))


def main(directions: Sequence[Direction]) -> None:
    progress.quiet = True
    table = Table("what", "direction", "seconds", "against", "ratio")

    def row(what: str, direction: str, seconds: float, against: str = "", ratio: str = "") -> None:
        table.add_row(what, direction, f"{seconds:.1f}", against, ratio)
        Console(stderr=True).print(f"{what}, {direction}: {seconds:.1f} s {ratio}", highlight=False)

    for direction in directions:
        adapter = cast(LLM, system(QWEN, direction))
        adapter.load()
        ours, engine = driver(adapter, direction)
        row("bench, driver and all", direction, ours)
        row("its engine alone", direction, engine, "bench", f"overhead {100 * (ours / engine - 1):.2f} %")
        del adapter._model
        for size in (8, 1):
            theirs = usual_script(adapter, direction, size)
            row(
                f"transformers pipeline, batch {size}",
                direction,
                theirs,
                "bench",
                f"bench is {theirs / ours:.1f} x as fast",
            )
        int8 = system(f"{QWEN}-int8", direction)
        int8.load()
        whole, engine = driver(int8, direction)
        row("bench, CTranslate2 int8", direction, whole, "bench", f"{ours / whole:.1f} x as fast")
        row(
            "its engine alone",
            direction,
            engine,
            "bench, CTranslate2",
            f"overhead {100 * (whole / engine - 1):.2f} %",
        )
    row("bench run, all done before", "both", finished_suite())
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main([cast(Direction, word) for word in sys.argv[1:]] or DIRECTIONS)
