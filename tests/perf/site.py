"""Time until each view of the site is drawn in Chromium, for many systems on a large set. Takes 90 s on one
core.

Texts are random words of the genre; hypotheses are these with some words replaced.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.table import Table

from bench.boards.rows import Board, Columns, build_board
from bench.boards.site import write_site
from bench.core import ReferenceSet, Score, Task
from bench.languages import DIRECTIONS
from bench.references.parallel import parallel_segment
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.browser import CHROMIUM
from tests.helpers.stored import hypothesis, store_run
from tests.perf import show

EN = "export control items national security the of and to in international development cooperation".split()
ZH = list("出口管制国家安全和的发展合作和平全球体系法律政策贸易货物技术服务成员措施国际义务")
METRICS = {"comet": "COMET", "kiwi": "COMETKiwi", "terms": "terms", "chrf": "chrF", "ter": "TER"}


def reference_set(count: int, dice: random.Random) -> ReferenceSet:
    segments = [
        parallel_segment(
            f"s{place}",
            "".join(dice.choices(ZH, k=dice.randint(15, 80))),
            " ".join(dice.choices(EN, k=dice.randint(8, 40))),
        )
        for place in range(count)
    ]
    return ReferenceSet("large", "A large set", "zh", "2024", "none", tuple(segments))


def fill(store: Store, reference: ReferenceSet, systems: int, dice: random.Random) -> list[Board]:
    boards = []
    for direction in DIRECTIONS:
        task = Task(reference, direction)
        vocabulary, space = (EN, " ") if direction == "zh-en" else (ZH, "")
        tokens = [text.split() if space else list(text) for text in task.references]
        for n in range(systems):
            quality = 0.4 + 0.5 * n / systems
            texts = [
                space.join(w if dice.random() < quality else dice.choice(vocabulary) for w in words)
                for words in tokens
            ]
            name = f"system-{n:02d}"
            run = store_run(
                store,
                task,
                name,
                [hypothesis(id, text) for id, text in zip(task.ids, texts, strict=True)],
                identity=f"{n:064x}",
                system={"name": name, "size": f"{n}B", "licence": "Apache-2.0"},
                work={"segments_per_second": 30 * dice.random() + 0.1, "device": "cuda"},
            )
            for metric, label in METRICS.items():
                scores = tuple(dice.gauss(100 * quality, 15) for _ in task.ids)
                value = sum(scores) / len(scores)
                score = Score(label, value, (value - 1, value + 1), label, scores)
                store.write_score(run, metric, "made up", score)
        compare_runs(store, task, ["comet"], CompareSettings())
        boards.append(build_board(store, task, Columns(list(METRICS), "comet")))
    return boards


def main(systems: int = 40, segments: int = 2000) -> None:
    if not CHROMIUM:
        print("Skipped the site: Chromium is not installed.")
        return
    dice = random.Random(1)
    table = Table(
        "what", "seconds", title=f"The site: {systems} systems x 2 directions x {segments:,} segments"
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        reference = reference_set(segments, dice)
        boards = fill(Store(folder), reference, systems, dice)
        began = time.perf_counter()
        path = write_site(Path(folder) / "site", boards)
        size = sum(file.stat().st_size for file in path.parent.rglob("*.*")) / 1e6
        table.add_row(f"written, {size:.0f} MB", f"{time.perf_counter() - began:.2f}")
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        names = [row.system for row in boards[0].rows[:2]]
        browse(browser, path.as_uri(), reference.segments[segments // 2].id, names, table)
    show(table)


def browse(browser: Any, url: str, segment: str, names: list[str], table: Table) -> None:
    """`segment`: the id of the segment to open; `names`: of the two systems to compare."""

    def open_view(label: str, view: str, condition: str) -> Any:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        timed(page, label, lambda: page.goto(f"{url}#/zh-en{view}"), condition)
        return page

    def timed(page: Any, label: str, action: Any, condition: str) -> None:
        began = time.perf_counter()
        action()
        page.wait_for_function(f"() => {condition}")
        page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        table.add_row(label, f"{time.perf_counter() - began:.2f}")

    open_view("a first page, to start the browser", "", "document.querySelector('tbody tr')").close()
    open_view("board, table and plots", "", "document.querySelectorAll('.plot svg').length === 2")
    page = open_view(
        "list of segments, with scores",
        "/segments",
        "/[0-9]/.test(document.querySelector('tbody .number')?.innerText)",
    )
    done = "document.body.innerText.includes('0 found') && !document.body.innerText.includes('searching')"
    timed(page, "search in all hypotheses, 0 found", lambda: page.fill("#search", "zzz"), done)
    rows = "document.querySelectorAll('.hypotheses tbody tr').length"
    page = open_view("segment, all systems and differences", f"/segments/{segment}", rows)
    heading = page.inner_text("h1")
    timed(
        page,
        "the next segment (j)",
        lambda: page.keyboard.press("j"),
        f"document.querySelector('h1').innerText !== {heading!r}",
    )
    open_view(
        "two systems compared", f"/compare/{names[0]}/{names[1]}", "document.querySelectorAll('.pair').length"
    )
