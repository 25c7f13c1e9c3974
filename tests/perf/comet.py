"""Segments per second of the COMET scorer against the `comet-score` command, side by side on the same CPU,
with the embedded checkpoint: ten systems on 500 segments, and again after one system was added. Ten minutes
on two cores.

All are whole processes: imports, loading, scoring. `comet-score` is called as its documentation calls it; it
computes in half precision, which most CPUs only imitate, so that comet's `predict` in float32, which is what
ours computes in, stands beside it. Both would take an hour. Of them one segment and 50 are measured, of all
ten systems and of all lengths: the difference gives what a segment takes, and that what 500 would take.
Neither keeps anything from one call to the next.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.table import Table

from bench import references
from bench.scorers import comet_embedded
from tests.helpers.sets import BLIND, DOCUMENTS, GOLD, gold
from tests.perf import show, timed

_SHARED = 0.15
"""Of the segments of a system, those whose hypothesis another system may have as well, as short ones often
do."""

_SCORE = """
import json, sys
from pathlib import Path
from bench.references.parallel import parallel_task
from bench.scorers.comet import Comet
folder, count, checkpoint = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
read = lambda name: (folder / name).read_text("utf-8").splitlines()
scorer = Comet("COMET", checkpoint)
scorer.prepare()
systems = {f"{n}.txt": read(f"{n}.txt") for n in range(count)}
task = parallel_task("perf", "zh-en", read("src.txt"), read("ref.txt"))
scores = scorer.score(task, systems, folder / "partial")
print(json.dumps({name: score.segments for name, score in scores.items()}))
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
    scores[name] = [model.predict(data, batch_size=8, gpus=0, progress_bar=False).system_score]
print(json.dumps(scores))
"""

Scores = dict[str, list[float]]
"""A system's file -> its segments' scores, or its score alone."""


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


def columns(pairs: Sequence[tuple[str, str]], systems: int) -> dict[str, list[str]]:
    """src.txt, ref.txt and 0.txt, 1.txt …: a line a segment."""
    files = {"src.txt": [zh for zh, _ in pairs], "ref.txt": [en for _, en in pairs]}
    for system in range(systems):
        random_, shared = random.Random(f"system {system}"), random.Random("shared")
        lines = []
        for _, en in pairs:
            common, own = varied(en, shared), varied(en, random_)
            lines.append(common if random_.random() < _SHARED else own)
        files[f"{system}.txt"] = lines
    return files


def write(folder: Path, files: dict[str, list[str]], places: Sequence[int]) -> Path:
    """The files, with the segments at `places`."""
    folder.mkdir()
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{lines[place]}\n" for place in places), "utf-8")
    return folder


def command(folder: Path, systems: int, checkpoint: Path) -> Scores:
    names = [f"{system}.txt" for system in range(systems)]
    model = str(checkpoint / "checkpoints" / "model.ckpt")
    words = [str(Path(sys.executable).with_name("comet-score")), "-s", "src.txt", "-t", *names]
    words += ["-r", "ref.txt", "--model", model, "--gpus", "0"]
    done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
    rows = [line.split("\tscore: ") for line in done.stdout.splitlines()]
    return {name: [float(value)] for name, value in rows if name in names}


def ran(code: str, folder: Path, systems: int, checkpoint: Path) -> Scores:
    """What `code` prints in a process of its own; what our scorer computed before lies in the folder's cache."""
    words = [sys.executable, "-c", code, str(folder), str(systems), str(checkpoint)]
    environment = {**os.environ, "BITEXT_BENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main(checkpoint: Path | None = None, systems: int = 10, segments: int = 500, measured: int = 50) -> None:
    checkpoint = checkpoint or comet_embedded.folder()
    pairs = texts(segments)
    by_length = sorted(range(len(pairs)), key=lambda place: len(pairs[place][1]))
    some = by_length[:: max(1, len(pairs) // measured)]
    files = columns(pairs, systems + 1)
    table = Table("what", "systems x segments", "seconds", "segments/s", "bench is", "how")
    table.title = f"COMET, {checkpoint.name}"
    with tempfile.TemporaryDirectory() as room:
        whole = write(Path(room) / "whole", files, range(len(pairs)))
        part = write(Path(room) / "part", files, some)
        one = write(Path(room) / "one", files, some[len(some) // 2 :][:1])

        scores: Scores = {}
        ours = {}
        for count in (systems, systems + 1):
            ours[count], scores = timed(lambda n=count: ran(_SCORE, whole, n, checkpoint))

        def others(what: str, work: Callable[[Path], Scores], counts: Sequence[int]) -> None:
            start, _ = timed(lambda: work(one))
            seconds, theirs = timed(lambda: work(part))
            a_segment = (seconds - start) / (systems * (len(some) - 1))
            means = {name: sum(scores[name][place] for place in some) / len(some) for name in theirs}
            apart = max(abs(sum(each) / len(each) - means[name]) for name, each in theirs.items())
            for count in counts:
                expected = start + a_segment * (count * len(pairs) - systems)
                row(what, count, expected, f"{expected / ours[count]:.1f} x as fast", "extrapolated")
            how = f"measured, {systems} x 1 in {start:.1f} s; scores differ by {apart:.5f} at most"
            row(what, systems, seconds, "", how, len(some))

        def row(what: str, count: int, seconds: float, ratio: str, how: str, each: int = len(pairs)) -> None:
            rate = f"{count * each / seconds:.1f}"
            table.add_row(what, f"{count} x {each}", f"{seconds:.1f}", rate, ratio, how)

        row("bench", systems, ours[systems], "", "measured")
        row("bench, one system more", systems + 1, ours[systems + 1], "", "measured")
        others("comet-score", lambda folder: command(folder, systems, checkpoint), (systems, systems + 1))
        others(
            "comet's predict, float32", lambda folder: ran(_PREDICT, folder, systems, checkpoint), (systems,)
        )
    table.caption = "Wanted: 2.5 x as fast as comet-score at first, 15 x after one system was added."
    show(table)
