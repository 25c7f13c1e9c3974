"""The site of many systems on a large set, in Chromium: how long until each view is there. A minute and a half on one core.

Texts are words of the genre at random, the hypotheses these with words changed.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.table import Table

from bench import store
from bench.boards import site
from bench.boards.rows import Board, build_board
from bench.core import Hypothesis, ReferenceSet, Score, Segment
from bench.languages import DIRECTIONS
from bench.scoring.compare.stage import compare_runs
from tests.boards.test_site import CHROMIUM
from tests.perf import show

EN = "export control items national security the of and to in international development cooperation peace global".split()
ZH = list("出口管制国家安全和的发展合作和平全球体系法律政策贸易货物技术服务成员措施国际义务")
METRICS = {"comet": "COMET", "kiwi": "COMETKiwi", "terms": "terms", "chrf": "chrF", "ter": "TER"}


def reference(segments: int, dice: random.Random) -> ReferenceSet:
    made = []
    for n in range(segments):
        zh, en = (
            "".join(dice.choices(ZH, k=dice.randint(15, 80))),
            " ".join(dice.choices(EN, k=dice.randint(8, 40))),
        )
        fixed = ("1-1", "", "", zh, en, (1,), (1,), ("L1s1",), ("L1s1",), 1.0, "rules")
        made.append(Segment(f"{n // 10}-p1-s{n}", "sentence", str(n // 10), 1, zh, en, *fixed))
    return ReferenceSet("large", "A large set", "zh", "2024", "none", tuple(made))


def fill(root: Path, of: ReferenceSet, systems: int, dice: random.Random) -> list[Board]:
    boards = []
    for direction in DIRECTIONS:
        words, space = (EN, " ") if direction == "zh-en" else (ZH, "")
        for n in range(systems):
            name, right = f"system-{n:02d}", 0.4 + 0.5 * n / systems
            texts = [s.en.split() if space else list(s.zh) for s in of.segments]
            said = [
                space.join(w if dice.random() < right else dice.choice(words) for w in text) for text in texts
            ]
            folder = store.run_folder(root, of.id, direction, name, f"{n:08x}")
            hypotheses = [
                Hypothesis(s.id, s.id, text, "", (), "") for s, text in zip(of.segments, said, strict=True)
            ]
            record = {
                "system": {"name": name, "size": f"{n}B", "licence": "Apache-2.0"},
                "reference": {"id": of.id, "sha256": of.sha256},
                "identity": f"{n:064x}",
                "flags": {},
                "work": {"segments_per_second": 30 * dice.random() + 0.1, "device": "cuda"},
            }
            store.write_run(folder, hypotheses, record)
            run = store.read_run(folder)
            assert run
            for metric, label in METRICS.items():
                scores = tuple(dice.gauss(100 * right, 15) for _ in of.segments)
                value = sum(scores) / len(scores)
                store.write_score(
                    run, metric, "made up", Score(label, value, (value - 1, value + 1), label, scores)
                )
        compare_runs(root, of, direction, ["comet"])
        boards.append(build_board(root, of, direction, list(METRICS), "comet"))
    return boards


def main(systems: int = 40, segments: int = 2000) -> None:
    if not CHROMIUM:
        print("The site is left out: no Chromium is here.")
        return
    dice = random.Random(1)
    table = Table(
        "what", "seconds", title=f"The site: {systems} systems x 2 directions x {segments:,} segments"
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        of = reference(segments, dice)
        boards = fill(Path(folder), of, systems, dice)
        began = time.perf_counter()
        path = site.write(Path(folder), boards)
        size = sum(file.stat().st_size for file in path.parent.rglob("*.*")) / 1e6
        table.add_row(f"written, {size:.0f} MB", f"{time.perf_counter() - began:.2f}")
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        names = [row.system for row in boards[0].rows[:2]]
        browse(browser, path.as_uri(), of.segments[len(of.segments) // 2].id, names, table)
    show(table)


def browse(browser: Any, url: str, segment: str, names: list[str], table: Table) -> None:
    def opened(what: str, view: str, there: str) -> Any:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        timed(page, what, lambda: page.goto(f"{url}#/zh-en{view}"), there)
        return page

    def timed(page: Any, what: str, act: Any, there: str) -> None:
        began = time.perf_counter()
        act()
        page.wait_for_function(f"() => {there}")
        page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        table.add_row(what, f"{time.perf_counter() - began:.2f}")

    opened("a first page, to wake the browser", "", "document.querySelector('tbody tr')").close()
    opened("board, table and plots", "", "document.querySelectorAll('.plot svg').length === 2")
    page = opened(
        "list of segments, with scores",
        "/segments",
        "/[0-9]/.test(document.querySelector('tbody .number')?.innerText)",
    )
    done = "document.body.innerText.includes('0 found') && !document.body.innerText.includes('searching')"
    timed(page, "search in all hypotheses, 0 found", lambda: page.fill("#search", "zzz"), done)
    rows = "document.querySelectorAll('.hypotheses tbody tr').length"
    page = opened("segment, all systems and differences", f"/segments/{segment}", rows)
    head = page.inner_text("h1")
    timed(
        page,
        "the next one (j)",
        lambda: page.keyboard.press("j"),
        f"document.querySelector('h1').innerText !== {head!r}",
    )
    opened(
        "two systems compared", f"/compare/{names[0]}/{names[1]}", "document.querySelectorAll('.pair').length"
    )
