"""The site as one file, in a real Chromium: every view without a further file, and no script but its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.boards.site.single import single_page
from bench.records import SiteHead
from tests.helpers.browser import Browser
from tests.helpers.site_store import NASTY, fill

pytestmark = pytest.mark.slow

SVG = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="


def test_every_view(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    head = SiteHead("MT for laws", f"What this is.\n\n{NASTY}", SVG)
    path.write_text(single_page(fill(tmp_path), head), encoding="utf-8", errors="replace")
    browser = Browser(chromium)
    for view, wait in (
        ("zh-en", "tbody th a"),
        ("zh-en/segments", "tbody td.number"),
        ("zh-en/segments/0-p1-s1", ".hypotheses tbody tr"),
        ("zh-en/compare/alpha/beta", ".pair"),
        ("en-zh/systems/alpha", "h1"),
    ):
        page = browser.open(f"{path.as_uri()}#/{view}")
        page.wait_for_selector(wait)
        assert page.inner_text("#top .name") == "MT for laws"
        assert page.title() != "run"
    board = browser.open(f"{path.as_uri()}#/zh-en")
    board.wait_for_selector("tbody th a")
    assert board.locator(".introduction").all_inner_texts()[0] == "What this is."
    assert "<script>document.title='run'</script>" in board.locator(".introduction").all_inner_texts()[1]
    browser.close()
    assert browser.faults == []
    assert {url.partition("#")[0] for url in browser.requests} <= {path.as_uri(), SVG}


def test_a_script_that_is_not_its_own_does_not_run(chromium: Any, tmp_path: Path) -> None:
    """Somebody adds one to the file that they pass on: the browser refuses all that differ."""
    text = single_page(fill(tmp_path), SiteHead())
    path = tmp_path / "page.html"
    path.write_text(
        text.replace("<main", "<script>document.title='run'</script><main"),
        encoding="utf-8",
        errors="replace",
    )
    page = chromium.new_page()
    page.goto(f"{path.as_uri()}#/zh-en")
    page.wait_for_selector("tbody th a")
    assert page.title() != "run"
    page.close()
