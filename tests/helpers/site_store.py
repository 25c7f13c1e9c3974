"""A store for the site's tests: 120 segments, four systems, two metrics, and every text that could do harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import store
from bench.boards.rows import Board, build_board
from bench.core import Hypothesis, ReferenceSet, Score, Segment, Span
from bench.languages import DIRECTIONS, Direction, sides
from bench.scoring.compare.stage import compare_runs

COUNT = 120
NASTY = "</script><script>document.title='run'</script><!-- <img src=x onerror=document.title='run'> \u202ecod.exe\u2069 &amp; '\"`"
HUGE = ("long words " * 10_000)[:100_000]
METRICS = ["comet", "ter"]
BETTER = {"alpha": 0.9, "beta": 0.8, "gamma": 0.8, "parrot": 0.1}


def segment(place: int) -> Segment:
    zh, en = f"第{place}条规定出口管制。", f"Article {place} provides for export control."
    fixed = ("1-1", "", "", zh, en, (1,), (1,), ("L1s1",), ("L1s1",), 1.0, "rules")
    return Segment(f"{place // 10}-p1-s{place}", "sentence", str(place // 10), 1, zh, en, *fixed)


SET = ReferenceSet("laws", "Laws (法律)", "zh", "2024-05", "none", tuple(segment(n) for n in range(COUNT)))


def said(system: str, place: int, direction: Direction) -> Hypothesis:
    """alpha is the reference but for a word, gamma is hostile in places, parrot copies."""
    source, target = sides(direction)
    of = SET.segments[place]
    text, flags, error, fell_back = of.text(target), (), "", False
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
        text, flags = of.text(source), ("copied",)
    raw = NASTY if (system, place) == ("alpha", 5) else ""
    return Hypothesis(of.id, f"{system}-{place}", text, raw, flags, error, fell_back=fell_back)


def scores(system: str, texts: Sequence[str]) -> dict[str, Score]:
    """alpha is best but in every tenth segment; alpha's texts have an error in a word after a sign of two UTF-16 units."""
    better = BETTER[system]
    comet = tuple(better + n / 20_000 - 0.3 * (system == "alpha" and n % 10 == 0) for n in range(len(texts)))
    spans = tuple(
        (Span(at, at + 10, "major", 0.5),) if (at := text.find("stipulates")) >= 0 else () for text in texts
    )
    value = sum(comet) / len(comet)
    ter = tuple(100 - 100 * score for score in comet)
    return {
        "comet": Score("COMET", value, (value - 0.01, value + 0.01), "COMET|sig", comet, decimals=4, spans=spans,
                       remarks=((7, "cut"),)),
        "ter": Score("TER", sum(ter) / len(ter), None, "TER|sig", ter, higher_is_better=False),
    }  # fmt: skip


def fill(root: Path) -> list[Board]:
    for direction in DIRECTIONS:
        for system in BETTER:
            folder = store.run_folder(root, SET.id, direction, system, "0123456789abcdef")
            hypotheses = [said(system, place, direction) for place in range(COUNT)]
            control = {"control": True} if system == "parrot" else {"size": NASTY, "released": "2025"}
            flags = {"copied": COUNT} if system == "parrot" else {"error": 1} if system == "gamma" else {}
            speed = None if system == "parrot" else 10 * BETTER[system]
            record = {
                "system": {"name": system, **control},
                "reference": {"id": SET.id, "sha256": SET.sha256},
                "identity": "0123456789abcdef",
                "flags": flags,
                "work": {"segments_per_second": speed, "device": "cpu"},
            }
            store.write_run(folder, hypotheses, record)
            run = store.read_run(folder)
            assert run
            for metric, score in scores(system, [h.text for h in hypotheses]).items():
                store.write_score(run, metric, "scorer", score)
        compare_runs(root, SET, direction, METRICS)
    return [build_board(root, SET, direction, METRICS, "comet", ["gone-1"]) for direction in DIRECTIONS]
