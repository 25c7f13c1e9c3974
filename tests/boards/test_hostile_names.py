"""The site in a real Chromium, when systems, metrics, segments, sections and flags have names that could mean
something to JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bench import limits
from bench.boards.site import data, write_site
from tests.helpers import hostile
from tests.helpers.browser import Browser

pytestmark = pytest.mark.slow

NAMES = [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "10",
    "2",
    "n" * 128,
    "\"'`&<img src=x onerror=document.title='run'>\\",
    "a\u202eb/c?d#e%20f",
    "</script><script>document.title='run'</script>",
    "javascript:document.title='run'",
]


DOWNLOADS = {"../../index.html", *(f"../leaderboard.{suffix}" for suffix in ("csv", "json", "md"))}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    return write_site(root / "site", [hostile.board(root, "toString", names=NAMES)])


@pytest.fixture
def view(chromium: Any, written: Path) -> Iterator[Callable[..., Any]]:
    """Opens a view. At the end nothing may have failed, been blocked, or become markup."""
    browser = Browser(chromium)

    def open_(*parts: str, wait: str = "h1", query: str = "", **options: Any) -> Any:
        address = "/".join(quote(part, safe="") for part in parts)
        page = browser.open(f"{written.as_uri()}#/{address}{query}", **options)
        page.wait_for_selector(wait)
        return page

    yield open_
    for context in browser.contexts:
        for page in context.pages:
            assert page.title() != "run"
            assert page.locator("img, iframe, object, [onclick], [onerror], main script").count() == 0
            links = page.eval_on_selector_all("a", "of => of.map(a => a.getAttribute('href'))")
            assert {href for href in links if not href.startswith("#")} <= DOWNLOADS
    browser.close()
    assert browser.faults == []


def visible(name: str) -> str:
    return name.replace("\u202e", "U+202E")


def test_the_board(view: Callable[..., Any]) -> None:
    page = view("zh-en", wait="#main .speed svg")
    shown = page.locator("tbody th a").all_inner_texts()
    complete = page.eval_on_selector_all("tbody th a", "of => of.map(a => a.title || a.innerText)")
    assert sorted(complete) == sorted(map(visible, NAMES)), (
        "a long name is shortened, and complete in its tooltip"
    )
    for metric in ("constructor", "toString", "5"):
        page.click(f"[data-column='{metric}']")
        assert sorted(page.locator("tbody th a").all_inner_texts()) == sorted(shown)
        page.select_option(".choice:has-text('Ranked') select", metric)
    assert "function" not in page.inner_text("main")
    assert "1 toString, 2 __proto__" in page.inner_text("tbody tr")


@pytest.mark.parametrize("name", NAMES)
def test_a_system(view: Callable[..., Any], name: str) -> None:
    page = view("zh-en", "systems", name)
    assert page.inner_text("h1") == visible(name)
    page.click("summary")
    assert '"__proto__": "toString"' in page.inner_text("pre")
    page = view("zh-en", "compare", name, NAMES[0] if name != NAMES[0] else NAMES[1], wait=".pair")
    assert page.locator(".pair").count() == 6
    page.select_option(".choice:has-text('Order') select", "document")
    page.wait_for_function("document.querySelector('.pair .row-link').innerText === 'one'")


@pytest.mark.parametrize("id", ["one", "toString 2", "constructor", "__proto__", "10", "2"])
def test_a_segment(view: Callable[..., Any], id: str) -> None:
    page = view("zh-en", "segments", id, wait=".hypotheses tbody tr")
    assert page.inner_text("h1").startswith(id)
    assert page.locator(".hypotheses tbody tr").count() == len(NAMES)
    assert "section toString" in page.inner_text(".crumbs")
    assert page.locator(".hypotheses mark.error").count() >= len(NAMES)
    assert "__proto__" in " ".join(page.locator(".remark").all_inner_texts()) or id not in ("toString 2",)


@pytest.mark.parametrize(
    ("parts", "query"),
    [
        (["constructor"], ""),
        (["__proto__", "segments"], ""),
        (["zh-en", "toString"], ""),
        (["zh-en", "segments", "valueOf"], ""),
        (["zh-en", "systems", "valueOf"], ""),
        (["zh-en", "compare", "valueOf", "constructor"], ""),
    ],
)
def test_what_is_not_there_is_not_found(view: Callable[..., Any], parts: list[str], query: str) -> None:
    assert "There is no such page" in view(*parts, query=query).inner_text("h1")


@pytest.mark.parametrize("key", ["constructor", "__proto__", "toString", "\u202e", "(a+)+$", "["])
def test_an_address_with_any_settings(view: Callable[..., Any], key: str) -> None:
    settings = "&".join(
        f"{name}={quote(key, safe='')}"
        for name in (
            "order",
            "flag",
            "system",
            "metric",
            "sort",
            "plot",
            "metrics",
            "search",
            "marks",
            "page",
            "filter",
        )
    )
    view("zh-en", query=f"?{settings}")
    view("zh-en", "segments", query=f"?{settings}", wait=".pager, .list, #main p.soft")
    view("zh-en", "segments", "one", query=f"?{settings}", wait=".hypotheses tbody tr")
    view("zh-en", "compare", "10", "2", query=f"?{settings}", wait=".pair")


def test_long_names_fit_on_a_narrow_screen(view: Callable[..., Any]) -> None:
    for parts in (
        ["zh-en"],
        ["zh-en", "systems", "n" * 128],
        ["zh-en", "compare", "n" * 128, "2"],
        ["zh-en", "segments", "one"],
    ):
        page = view(*parts, viewport={"width": 390, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, parts


def test_thousands_of_marks_are_drawn(view: Callable[..., Any]) -> None:
    """Marks of a long text are drawn in one pass: each compared with each other would take minutes."""
    page = view("zh-en")
    count = page.evaluate(
        """() => {
          const text = "word ".repeat(40000);
          const marks = Array.from({length: 40000}, (_, i) => ({start: 5 * i, end: 5 * i + 4, class: "added"}));
          return marked(text, [...marks, {start: 0, end: 200000, class: "term"}, {start: 7, missing: "x"}])
            .filter(node => node.className === "added term" || node.className === "term added").length;
        }"""
    )
    assert count == 40_001  # the insertion cuts one of them in two


def test_marks_overlap_and_nest(view: Callable[..., Any]) -> None:
    html = view("zh-en").evaluate(
        """() => {
          const p = h("p", {}, marked("abcdefgh", [{start: 0, end: 4, class: "x"}, {start: 2, end: 6, class: "y"},
            {start: 2, missing: "1"}, {start: 2, missing: "2"}, {start: 8, missing: "3"}]));
          return p.innerHTML;
        }"""
    )
    assert html == (
        '<mark class="x">ab</mark><del>1</del> <del>2</del> <mark class="x y">cd</mark><mark class="y">ef</mark>gh'
        "<del>3</del> "
    )


def test_a_board_that_is_too_large_for_pages_says_so(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PAGE_BYTES", 2_000)
    index = write_site(tmp_path / "site", [hostile.board(tmp_path, "a")])
    assert [path.name for path in (index.parent / "data").rglob("*.js")] == ["site.js"]
    page = chromium.new_page()
    for view in ("segments", "systems/a", "compare/a/a2"):
        page.goto(f"{index.as_uri()}#/zh-en/{view}")
        page.wait_for_selector("text=too large for pages of its segments and systems")
    page.close()


def test_a_key_that_sets_what_an_object_inherits_is_a_key() -> None:
    value = {"__proto__": {"__proto__": '\\"__proto__":', "a": ['"__proto__":', "\\", "__proto__"]}}
    _, script = data._script("x", value)
    assert script.count('["__proto__"]:') == 2
    match = re.fullmatch(r'data\("x",(.*)\);\n', script)
    assert match
    assert json.loads(match[1].replace('["__proto__"]:', '"__proto__":')) == value
