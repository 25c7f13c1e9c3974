"""Segments per second of the COMET scorer against the `comet-score` command, side by side on the same CPU.

    python tests/perf_comet.py [CHECKPOINT]      a folder as COMET saves one; without it a tiny one, which shows only that it runs

Ten systems on 500 segments, and again with an eleventh system. All are whole processes: imports, loading, scoring. `comet-score`
is called as its documentation calls it. It computes in half precision, which most CPUs only imitate, so that comet's `predict` in
float32, which is what ours computes in, stands beside it. On two cores an hour with the embedded checkpoint.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tiny_comet
from rich.console import Console
from rich.table import Table
from sets import BLIND, DOCUMENTS, GOLD, gold

from bench import references

SYSTEMS, SEGMENTS = 10, 500
_SHARED = 0.15
"""Of the segments of a system, those whose hypothesis another system may have as well, as short ones often do."""

_SCORE = """
import json, sys
from pathlib import Path
from bench.scorers.comet import Comet
folder, count, checkpoint = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
read = lambda name: (folder / name).read_text("utf-8").splitlines()
scorer = Comet("COMET", checkpoint)
scorer.prepare()
systems = {f"{n}.txt": read(f"{n}.txt") for n in range(count)}
scores = scorer.score("zh-en", read("src.txt"), read("ref.txt"), systems)
print(json.dumps({name: score.value for name, score in scores.items()}))
"""

_PREDICT = """
import json, sys
from pathlib import Path
from comet import load_from_checkpoint
folder, count, checkpoint = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
read = lambda name: (folder / name).read_text("utf-8").splitlines()
model = load_from_checkpoint(f"{checkpoint}/checkpoints/model.ckpt")
scores = {}
for name in (f"{n}.txt" for n in range(count)):
    columns = zip(read("src.txt"), read(name), read("ref.txt"), strict=True)
    data = [{"src": source, "mt": text, "ref": reference} for source, text, reference in columns]
    scores[name] = model.predict(data, batch_size=8, gpus=0, progress_bar=False).system_score
print(json.dumps(scores))
"""


def texts(segments: int) -> list[tuple[str, str]]:
    """Chinese and English of the white paper and the gold documents, as many as are asked for and there are."""
    pairs = [(s.zh, s.en) for s in references.load("china-export-controls-2021").segments]
    pairs += [pair for name in (*DOCUMENTS, *BLIND) for pair in gold(GOLD / f"{name}.gold.tsv")]
    return list({zh: (zh, en) for zh, en in pairs if zh.strip() and en.strip()}.values())[:segments]


def varied(reference: str, random_: random.Random) -> str:
    """A translation like the reference, with some words dropped, doubled or moved."""
    words = reference.split()
    for _ in range(1 + len(words) // 8):
        place = random_.randrange(len(words))
        edit = random_.choice(["drop", "double", "move"])
        word = words.pop(place) if edit != "double" else words[place]
        if edit != "drop" or not words:
            words.insert(random_.randrange(len(words) + 1), word)
    return " ".join(words)


def write(folder: Path, pairs: Sequence[tuple[str, str]], systems: int) -> None:
    """src.txt, ref.txt and 0.txt, 1.txt …, one line a segment."""
    (folder / "src.txt").write_text("".join(f"{zh}\n" for zh, _ in pairs), "utf-8")
    (folder / "ref.txt").write_text("".join(f"{en}\n" for _, en in pairs), "utf-8")
    for system in range(systems):
        random_, shared = random.Random(f"system {system}"), random.Random("shared")
        lines = []
        for _, en in pairs:
            common, own = varied(en, shared), varied(en, random_)
            lines.append(common if random_.random() < _SHARED else own)
        (folder / f"{system}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")


def theirs(folder: Path, systems: int, checkpoint: Path) -> tuple[float, dict[str, float]]:
    """Seconds of the command, and its system scores."""
    names = [f"{system}.txt" for system in range(systems)]
    model = str(checkpoint / "checkpoints" / "model.ckpt")
    command = [str(Path(sys.executable).with_name("comet-score")), "-s", "src.txt", "-t", *names]
    command += ["-r", "ref.txt", "--model", model, "--gpus", "0"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    rows = [line.split("\tscore: ") for line in done.stdout.splitlines()]
    return seconds, {name: float(value) for name, value in rows if name in names}


def ran(code: str, folder: Path, systems: int, checkpoint: Path) -> tuple[float, dict[str, float]]:
    """The same of `code`; what our scorer computed before lies in the folder's cache."""
    command = [sys.executable, "-c", code, str(folder), str(systems), str(checkpoint)]
    environment = {**os.environ, "BITEXT_BENCH_CACHE": str(folder / "cache")}
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return time.perf_counter() - began, json.loads(done.stdout.splitlines()[-1])


def ratios(checkpoint: Path, segments: int = SEGMENTS, systems: int = SYSTEMS) -> tuple[float, float]:
    """How many times as fast as `comet-score` we are, at first and after adding one system. Prints both, with their seconds."""
    table = Table("what", "systems", "seconds", "segments/s", "bench is", "scores differ by")
    found = []
    with tempfile.TemporaryDirectory() as room:
        folder, pairs = Path(room), texts(segments)
        write(folder, pairs, systems + 1)
        for count in (systems, systems + 1):
            seconds, scores = ran(_SCORE, folder, count, checkpoint)
            others = {"comet-score": theirs(folder, count, checkpoint)}
            if count == systems:
                others["comet's predict, float32"] = ran(_PREDICT, folder, count, checkpoint)
            rate = count * len(pairs)
            table.add_row("bench", str(count), f"{seconds:.1f}", f"{rate / seconds:.1f}")
            for what, (their_seconds, their_scores) in others.items():
                difference = max(abs(scores[name] - score) for name, score in their_scores.items())
                times, rounded = f"{their_seconds / seconds:.1f} x as fast", f"{difference:.5f} at most"
                row = [f"{their_seconds:.1f}", f"{rate / their_seconds:.1f}", times, rounded]
                table.add_row(what, str(count), *row)
            found.append(others["comet-score"][0] / seconds)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return found[0], found[1]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ratios(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            ratios(tiny_comet.checkpoint(Path(made) / "tiny"))
