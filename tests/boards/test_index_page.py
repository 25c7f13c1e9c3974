"""index.html of a store: all its sets, each direction apart, from the leaderboards alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.boards.index_page import index_text
from bench.boards.write import write_boards
from bench.store import Store
from tests.helpers import facts_store, site_store
from tests.helpers.browser import Browser
from tests.helpers.site_store import NASTY


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    for boards in (site_store.fill(root), facts_store.fill(root)):
        write_boards(Store(root), boards)
    return root


@pytest.mark.slow
def test_every_set_and_direction_is_there_and_leads_to_its_board(chromium: Any, root: Path) -> None:
    browser = Browser(chromium)
    page = browser.open((root / "index.html").as_uri(), viewport={"width": 390, "height": 844})
    assert page.locator("h2").all_inner_texts() == ["Laws (法律)", "Rules (规定)"]
    assert page.locator("h3 a").all_inner_texts() == 2 * ["Chinese → English", "English → Chinese"]
    assert "alpha has the best COMET of 3 systems, 0.8730" in page.inner_text("section >> nth=0")
    assert "faithful 的 chrF 最好" in page.inner_text("section >> nth=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("section >> nth=1 >> h3 a >> nth=1")
    page.wait_for_selector(".board")
    assert "English to Chinese" in page.inner_text(".lead")
    page.click("text=All sets")
    page.wait_for_selector("h2")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is missing.").Axe()
    context = chromium.new_context(bypass_csp=True)
    checked = context.new_page()
    checked.goto((root / "index.html").as_uri())
    assert axe.run(checked).response["violations"] == []
    context.close()
    browser.close()
    assert browser.faults == []


def test_texts_of_others_stay_texts_and_a_damaged_leaderboard_is_named(root: Path) -> None:
    store = Store(root)
    path = store.leaderboard_path("rules", "json")
    document = json.loads(path.read_text("utf-8"))
    document["reference"]["title"] = NASTY
    document["directions"]["zh-en"]["summary"] = {"en": [NASTY], "zh": []}
    path.write_text(json.dumps(document), "utf-8")
    text = index_text(Store(root))
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    path.write_text("{", "utf-8")
    assert "Its leaderboard.json is damaged" in index_text(Store(root))
    assert "alpha has the best COMET" in index_text(Store(root))
