"""A store for the site's tests: 120 segments, four systems, two metrics, and texts that could do harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.boards.rows import Board, Columns, build_board
from bench.core import Flag, Hypothesis, ReferenceSet, Score, Segment, Span, Task
from bench.languages import DIRECTIONS, Direction
from bench.references.parallel import parallel_segment
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.stored import store_run

COUNT = 120
NASTY = (
    "</script><script>document.title='run'</script><!-- <img src=x onerror=document.title='run'> "
    "\u202ecod.exe\u2069 &amp; '\"`"
)
HUGE = ("long words " * 10_000)[:100_000]
COLUMNS = Columns(["comet", "ter"], "comet")
QUALITY = {"alpha": 0.9, "beta": 0.8, "gamma": 0.8, "parrot": 0.1}


def segment(place: int) -> Segment:
    zh, en = f"第{place}条规定出口管制。", f"Article {place} provides for export control."
    return parallel_segment(f"{place // 10}-p1-s{place}", zh, en, section=str(place // 10))


SET = ReferenceSet(
    "laws", "Laws (法律)", "zh", "2024-05", "none", tuple(segment(place) for place in range(COUNT))
)


def hypothesis(system: str, place: int, direction: Direction) -> Hypothesis:
    """alpha is the reference except for one word, gamma is hostile in places, parrot copies."""
    task = Task(SET, direction)
    text, error, fell_back = task.references[place], "", False
    flags: tuple[Flag, ...] = ()
    if system == "alpha":
        text = text.replace("provides", "😀 stipulates").replace("规定", "订定")
    elif system == "beta":
        text = text + (" Zebra." if place == 110 else "")
        fell_back = place == 4
    elif system == "gamma" and place < 4:
        text = ["", NASTY, HUGE, f"{text} {NASTY}"][place]
        error = NASTY if place == 0 else ""
        flags = ("error",) if place == 0 else ()
    elif system == "parrot":
        text, flags = task.sources[place], ("copied",)
    raw = NASTY if (system, place) == ("alpha", 5) else ""
    return Hypothesis(task.ids[place], f"{system}-{place}", text, raw, flags, error, fell_back=fell_back)


def scores(system: str, texts: Sequence[str]) -> dict[str, Score]:
    """alpha is best except in every tenth segment; its texts have an error in a word after a character of two
    UTF-16 units."""
    quality = QUALITY[system]
    comet = tuple(
        quality + place / 20_000 - 0.3 * (system == "alpha" and place % 10 == 0)
        for place in range(len(texts))
    )
    starts = [text.find("stipulates") for text in texts]
    spans = tuple((Span(start, start + 10, "major", 0.5),) if start >= 0 else () for start in starts)
    value = sum(comet) / len(comet)
    ter = tuple(100 - 100 * score for score in comet)
    return {
        "comet": Score("COMET", value, (value - 0.01, value + 0.01), "COMET|sig", comet, decimals=4,
                       spans=spans, remarks=((7, "cut"),)),
        "ter": Score("TER", sum(ter) / len(ter), None, "TER|sig", ter, higher_is_better=False),
    }  # fmt: skip


def fill(root: Path) -> list[Board]:
    store = Store(root)
    boards = []
    for direction in DIRECTIONS:
        task = Task(SET, direction)
        for system in QUALITY:
            hypotheses = [hypothesis(system, place, direction) for place in range(COUNT)]
            card = {"control": True} if system == "parrot" else {"size": NASTY, "released": "2025"}
            flags = {"copied": COUNT} if system == "parrot" else {"error": 1} if system == "gamma" else {}
            speed = None if system == "parrot" else 10 * QUALITY[system]
            run = store_run(
                store,
                task,
                system,
                hypotheses,
                system={"name": system, **card},
                flags=flags,
                work={"segments_per_second": speed, "device": "cpu"},
            )
            for metric, score in scores(system, [h.text for h in hypotheses]).items():
                store.write_score(run, metric, "scorer", score)
        compare_runs(store, task, COLUMNS.metrics, CompareSettings())
        boards.append(build_board(store, task, COLUMNS, ["gone-1"]))
    return boards
