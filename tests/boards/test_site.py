"""The site in a real Chromium, opened from a file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.boards.site import data, write_site
from tests.helpers.browser import Browser
from tests.helpers.site_store import HUGE, NASTY, SET, fill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    return write_site(root / "site", fill(root))


@pytest.fixture
def view(chromium: Any, written: Path) -> Iterator[Callable[..., Any]]:
    """Opens a view from a file. At the end nothing may have failed, been blocked or used the network."""
    browser = Browser(chromium)

    def open_(view: str = "", wait: str = "h1", **options: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        opened = browser.open(f"{written.as_uri()}#/{view}", **options)
        opened.wait_for_selector(wait)
        return opened

    yield open_
    for context in browser.contexts:
        for page in context.pages:
            assert page.title() != "run"
            assert page.locator("img, iframe, object, [onclick], [onerror], main script").count() == 0
    browser.close()
    assert browser.faults == []
    assert [url for url in browser.requests if not url.startswith(written.parent.as_uri())] == []


def column(page: Any, number: int = 1) -> list[str]:
    return [text.strip() for text in page.locator(f"tbody tr > :nth-child({number})").all_inner_texts()]


def systems(page: Any) -> list[str]:
    return page.locator("tbody th a").all_inner_texts()


def settle(page: Any, js: str) -> None:
    page.wait_for_function(f"() => {js}")


def test_the_board_says_what_the_other_forms_say(view: Callable[..., Any]) -> None:
    page = view("zh-en")
    assert systems(page) == ["alpha", "beta", "gamma", "parrot"]
    assert page.inner_text("h1") == SET.title
    first = page.locator("tbody tr").first.inner_text()
    assert re.search(r"alpha †\s+1\s+0\.8730 ± 0\.0100\s+12\.7\s", first), first
    lead = page.locator(".lead strong").inner_text()
    assert lead.startswith(
        "alpha has the best COMET of 3 systems, 0.8730 ± 0.0100: significantly better than every"
    )
    assert "control" in page.locator("tbody tr").last.inner_text()
    assert "120 copied" in page.locator("tbody tr").last.inner_text()
    notes = page.inner_text(".notes")
    for note in (
        "The document was written in Chinese: the Chinese source is the original text.",
        "† Possible contamination",
        "COMET|sig",
        "alpha vs. beta: COMET +0.0700",
    ):
        assert note in notes
    assert "Missing: gone-1: has not run" in page.inner_text(".warning")


@pytest.mark.slow
def test_rows_are_sorted_filtered_and_hidden_and_the_address_keeps_it(view: Callable[..., Any]) -> None:
    page = view("zh-en")
    assert page.get_attribute("th:has([data-column=comet])", "aria-sort") == "descending"
    page.click("[data-column=ter]")
    assert page.get_attribute("th:has([data-column=ter])", "aria-sort") == "ascending"
    assert systems(page)[0] == "alpha"
    page.keyboard.press("Enter")  # the head that was pressed still has the focus
    assert systems(page)[0] == "parrot"
    page.click(".menu summary")
    page.check(".menu [data-id=speed]")
    page.click(".menu summary")
    page.click("[data-column=speed]")
    assert systems(page) == ["alpha", "beta", "gamma", "parrot"]
    page.click("[data-column=speed]")
    assert systems(page)[-1] == "parrot"  # what has no value stays last
    page.check("text=Hide controls")
    assert systems(page) == ["gamma", "beta", "alpha"] or systems(page) == ["beta", "gamma", "alpha"]
    page.click(".menu summary")
    page.uncheck(".menu [data-id=ter]")
    assert page.locator("[data-column=ter]").count() == 0
    page.fill("#search", "ALPH")
    settle(page, "document.querySelectorAll('tbody tr').length === 1")
    page.reload()
    page.wait_for_selector("tbody tr")
    assert systems(page) == ["alpha"]
    assert page.input_value("#search") == "ALPH"
    assert page.is_checked("text=Hide controls")
    assert page.locator("[data-column=ter]").count() == 0


def test_the_plots_show_scores_intervals_ranks_speed_and_size(view: Callable[..., Any]) -> None:
    page = view("zh-en", "#main .speed svg")
    plots = page.locator(".plots svg")
    assert [plots.nth(n).locator("circle").count() for n in (0, 1)] == [4, 3]
    names = plots.nth(0).locator("g title").all_text_contents()
    assert names[0] == "alpha: 0.8730 [0.8630, 0.8830]"
    assert plots.nth(0).locator("text.rank").all_text_contents() == ["1", "2–3", "2–3"]
    ends = (
        plots.nth(1)
        .locator("circle")
        .evaluate_all("of => of.map(o => [+o.getAttribute('cx'), +o.getAttribute('cy')])")
    )
    assert max(ends) == [
        max(x for x, _ in ends),
        min(y for _, y in ends),
    ]  # the fastest is the best: top right
    page.select_option(".choice:has-text('Ranked') select", "ter")
    assert "TER" in page.locator(".plots svg").first.text_content()


@pytest.mark.slow
def test_search_reaches_every_hypothesis_and_the_list_leads_to_it(view: Callable[..., Any]) -> None:
    page = view("zh-en/segments")
    assert page.locator("tbody tr").count() == 50
    page.click("text=Next")
    assert column(page)[0] == "5-p1-s50"
    page.keyboard.press("/")
    page.keyboard.type("zebra")
    settle(
        page, "document.body.innerText.includes('1 found') && !document.body.innerText.includes('searching')"
    )
    assert column(page) == ["11-p1-s110"]
    assert "beta: …" in page.inner_text("tbody tr")
    assert page.inner_text("tbody .hit") == "Zebra"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hypotheses")
    assert page.inner_text(".walk .pager span.soft") == "1 of 1"
    page.keyboard.press("u")
    settle(page, "document.querySelectorAll('.list tbody tr').length === 1")
    assert page.input_value("#search") == "zebra"
    page.fill("#search", "nowhere at all")
    settle(
        page,
        "document.body.innerText.includes('0 found') && "
        "document.body.innerText.includes('No segments match.')",
    )
    page.fill("#search", "第77条")
    settle(page, "document.querySelector('tbody th')?.innerText === '7-p1-s77'")


@pytest.mark.slow
def test_segments_are_listed_by_score_by_system_and_by_flag(view: Callable[..., Any]) -> None:
    page = view("zh-en/segments?system=alpha")
    settle(page, "document.querySelector('tbody td.number').innerText === '0.6000'")
    page.click("[data-column=mean]")  # the worst first
    assert column(page)[:2] == ["0-p1-s0", "1-p1-s10"]
    page.click("[data-column=mean]")
    assert column(page)[0] == "11-p1-s119"
    page.select_option(".choice:has-text('Flag') select", "error")
    assert column(page) == ["0-p1-s0"]
    again = view(page.url.partition("#/")[2])
    settle(again, "document.querySelectorAll('tbody tr').length === 1")


def test_a_deep_link_shows_differences_errors_scores_and_flags(view: Callable[..., Any]) -> None:
    page = view("zh-en/segments/0-p1-s7", ".hypotheses tbody tr")
    alpha, beta, _, parrot = page.locator(".hypotheses tbody tr").all()
    assert alpha.locator(".text mark.added").all_inner_texts() == ["😀 ", "stipulates"]
    assert alpha.locator(".text mark.error").all_inner_texts() == ["stipulates"]
    assert "comet: major, confidence 0.5" in alpha.locator("mark.error").get_attribute("title")
    assert alpha.locator(".text").text_content() == "Article 7 😀 stipulates for export control."
    assert "0.9003 end not scored" in " ".join(alpha.inner_text().split())
    assert beta.locator("mark").count() == 0
    assert "copied" in parrot.inner_text()
    page.check("text=Show words that only the reference has")
    assert page.locator(".hypotheses tbody tr").first.locator("del").all_inner_texts() == ["provides"]
    page.click("text=English → Chinese")
    settle(page, "document.querySelector('h1').innerText.includes('English → Chinese')")
    page.check("text=Show words that only the reference has")
    first = page.locator(".hypotheses tbody tr").first
    assert first.locator("mark.added").all_inner_texts() == ["订"]  # Chinese is compared by characters
    assert first.locator("del").all_inner_texts() == ["规"]
    page.goto(page.url.replace("0-p1-s7", "0-p1-s4"))
    settle(page, "document.querySelector('h1').innerText.startsWith('0-p1-s4')")
    assert "translated on its own" in page.locator(".hypotheses tbody tr", has_text="beta").inner_text()
    page.goto(page.url.replace("0-p1-s4", "no-such-segment"))
    settle(page, "document.querySelector('h1').innerText === 'There is no such page: no-such-segment.'")


@pytest.mark.slow
def test_the_keyboard_is_enough(view: Callable[..., Any]) -> None:
    page = view("zh-en/segments", "tbody td.number")
    for key in "jjk":
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.innerText") == "0-p1-s0"
    page.keyboard.press("Enter")
    page.wait_for_selector(".hypotheses")
    for key, id in (
        ("j", "0-p1-s1"),
        ("ArrowRight", "0-p1-s2"),
        ("k", "0-p1-s1"),
        ("ArrowLeft", "0-p1-s0"),
        ("k", "0-p1-s0"),
    ):
        page.keyboard.press(key)
        settle(page, f"document.querySelector('h1').innerText.startsWith('{id}')")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Enter")
    assert page.locator("dialog[open]").count() == 0
    page.keyboard.press("u")
    page.wait_for_selector(".list")
    page.keyboard.press("/")
    page.keyboard.type("j?k")  # is text there
    assert page.input_value("#search") == "j?k"
    assert page.locator("dialog[open]").count() == 0


@pytest.mark.slow
def test_two_systems_are_compared_where_they_differ_most(view: Callable[..., Any]) -> None:
    page = view("zh-en/compare/alpha/beta", ".pair")
    assert page.locator(".counts dd").all_inner_texts() == ["108", "0", "12", "0.0700"]
    assert re.search(
        r"Significant difference: p adjusted = 0\.00\d \(paired test, Holm-corrected over all pairs\); p of this pair ",
        page.inner_text(".summary"),
    )
    assert page.locator(".pair").count() == 10
    page.select_option(".choice:has-text('Order') select", "b")
    settle(page, "document.querySelector('.pair .row-link').innerText === '0-p1-s0'")
    assert page.inner_text(".pair header .value").startswith("A − B −0.")
    page.click("text=Swap")
    settle(page, "document.querySelector('.counts dd').innerText === '12'")
    assert page.url.partition("#/")[2].startswith("zh-en/compare/beta/alpha?order=b")
    page.select_option(".choice:has-text('Metric') select", "ter")
    settle(page, "document.querySelectorAll('.counts dd')[3].innerText === '7.0'")  # lower is better: A − B
    assert page.locator(".counts dd").first.inner_text() == "12"
    page.select_option(".choice:has-text('Highlight') select", "each")
    page.select_option(".choice:has-text('Order') select", "document")
    settle(page, "document.querySelector('.pair .halves .added')?.innerText === 'provides'")
    page.click("text=Swap")
    settle(page, "document.querySelector('.pair .halves .added')?.innerText.includes('😀')")
    same = view("zh-en/compare/beta/gamma", ".pair")
    assert "No significant difference" in same.inner_text(".summary")
    assert same.locator(".counts dd").all_inner_texts() == ["0", "120", "0", "0.0000"]


def test_a_large_board_highlights_differences_from_the_reference_only(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MAX_PAIR_DIFFS", 1)
    index = write_site(tmp_path / "site", fill(tmp_path))
    page = chromium.new_page()
    page.goto(f"{index.as_uri()}#/zh-en/compare/alpha/beta?marks=each")
    page.wait_for_selector(".pair")
    assert "too large for differences between two systems" in page.inner_text(".bar >> nth=1")
    assert page.locator(".pair .halves .added").first.inner_text() == "😀 "
    page.close()


@pytest.mark.slow
def test_language_and_theme_are_chosen_and_kept(view: Callable[..., Any]) -> None:
    page = view("zh-en", color_scheme="light")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != light
    page.click("#language")
    assert page.locator("thead").inner_text().startswith("系统")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert "按 COMET 排序。" in page.inner_text(".notes")
    assert page.evaluate("document.activeElement.id") == "language"
    page.reload()
    page.wait_for_selector("h1")
    assert page.evaluate(paper) != light
    page.click("text=句段")
    page.wait_for_selector("tbody td.number")
    assert "参考译文" in page.inner_text("thead")
    assert view("zh-en", color_scheme="dark").evaluate(paper) != light
    assert view("zh-en", locale="zh-CN").inner_text("#language") == "English"


def test_all_pairs_parts_and_the_map_lead_on(view: Callable[..., Any]) -> None:
    page = view("zh-en/pairs", ".pairs tbody tr")
    first = page.locator(".pairs tbody tr").first.locator("td").all_inner_texts()
    assert [text.split("\n")[0] for text in first] == ["", "+0.0700", "+0.0700", "+0.7700"]
    page.select_option(".choice select", "ter")
    assert page.locator(".pairs td.better").count() == 5  # lower is better
    page.click(".pairs td.better a >> nth=0")
    page.wait_for_selector(".pair")
    assert "compare/alpha/beta?metric=ter" in page.url
    page = view("zh-en/parts?by=length", ".board tbody tr")
    assert [text.split(" ")[0] for text in page.locator("thead th").all_inner_texts()[1:]] == [
        "short",
        "long",
    ]
    first = page.locator("tbody tr").first.inner_text()
    assert re.search(r"0\.8725 ± 0\.0\d+\s+0\.8755$", first.strip()), (
        first
    )  # 10 paragraphs, and 2: too few for an interval
    page = view("zh-en/map?order=worst", ".map tbody tr")
    assert page.locator(".map thead a").count() == 100
    page.click(".map thead a >> nth=0")
    page.wait_for_selector(".hypotheses")


def test_every_page_shows_the_same_p(view: Callable[..., Any]) -> None:
    page = view("zh-en")
    (difference,) = (text for text in page.locator(".notes li").all_inner_texts() if "alpha vs. beta" in text)
    p = re.search(r"p adjusted (= |≤ |< )(0\.\d+)", difference)
    assert p
    shown = p[1].replace("= ", "") + p[2]
    pairs = view("zh-en/pairs", ".pairs tbody tr")
    assert pairs.locator(".pairs tbody tr >> nth=0 >> td >> nth=1").inner_text() == f"+0.0700\n{shown}"
    assert f"p adjusted {p[1]}{p[2]} (" in view("zh-en/compare/alpha/beta", ".pair").inner_text(".summary")


def test_parts_say_what_their_intervals_come_from_and_scroll_in_sight(view: Callable[..., Any]) -> None:
    page = view("zh-en/parts", ".board tbody tr", viewport={"width": 760, "height": 900})
    assert (
        "leaving out one paragraph at a time: a part with fewer than 8 paragraphs has none"
        in page.inner_text("main")
    )
    wide = page.locator(".parts .wide")
    assert wide.evaluate(
        "e => e.scrollWidth > e.clientWidth && getComputedStyle(e).backgroundImage !== 'none'"
    )


def test_the_first_view_is_small(written: Path) -> None:
    """What a browser reads before it draws the board."""
    files = [
        *(path for path in written.parent.iterdir() if path.is_file()),
        written.parent / "data" / "site.js",
    ]
    assert sum(path.stat().st_size for path in files) < 200_000


def test_what_a_view_shows_can_be_saved(view: Callable[..., Any]) -> None:
    for name, button in (("", "CSV"), ("/pairs", "CSV"), ("/parts", "CSV"), ("/map", "JSONL")):
        page = view(f"zh-en{name}", ".save")
        with page.expect_download() as saved:
            page.click(f".save:has-text('{button}')")
        text = Path(saved.value.path()).read_text("utf-8")
        assert saved.value.suggested_filename.startswith("laws.zh-en.")
        assert "alpha" in text
        if button == "JSONL":
            assert json.loads(text.splitlines()[0])["id"] == "0-p1-s0"


def test_the_foot_says_how_to_cite_and_to_check(view: Callable[..., Any]) -> None:
    foot = view("zh-en").inner_text("#foot")
    assert f"set {SET.sha256[:12]}" in foot
    assert "bench verify" in foot
    assert (
        "bench score NAME=FILE --reference laws; send the folder of the run, in runs/laws/ to the publisher"
        in foot
    )
    assert "leaderboard.csv" in foot


def test_axe_finds_no_violation_of_wcag(chromium: Any, written: Path) -> None:
    """WCAG 2.2 AA, light and dark. Without the policy, because axe is a script of another origin."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is missing: pip install -e '.[dev]'."
    ).Axe()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    names = (
        "",
        "/segments",
        "/segments/0-p1-s7",
        "/compare/alpha/beta",
        "/pairs",
        "/parts",
        "/map",
        "/systems/alpha",
    )
    for scheme in ("light", "dark"):
        context = chromium.new_context(
            bypass_csp=True, color_scheme=scheme, viewport={"width": 1280, "height": 900}
        )
        page = context.new_page()
        for name in names:
            page.goto(f"{written.as_uri()}#/zh-en{name}")
            page.wait_for_selector("h1")
            page.wait_for_timeout(150)
            found = axe.run(page, options={"runOnly": rules}).response["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == [], name
        context.close()


def test_every_word_is_there_in_both_languages(view: Callable[..., Any]) -> None:
    keys = view("zh-en").evaluate("Object.entries(WORDS).map(([, words]) => Object.keys(words).sort())")
    assert keys[0] == keys[1]


@pytest.mark.slow
def test_hostile_texts_stay_texts(view: Callable[..., Any]) -> None:
    shown = NASTY.replace("\u202e", "U+202E").replace("\u2069", "U+2069")
    page = view("zh-en/segments/0-p1-s1", ".hypotheses tbody tr")
    gamma = page.locator(".hypotheses tbody tr", has_text="gamma")
    assert gamma.locator(".text").text_content() == shown
    assert gamma.locator(".invisible").all_inner_texts() == ["U+202E", "U+2069"]
    page.keyboard.press("k")
    settle(page, "document.querySelector('h1').innerText.startsWith('0-p1-s0')")
    assert gamma.locator(".warning").text_content() == f"error: {shown}"
    for name in (
        "segments/0-p1-s5",
        "segments?search=%3C%2Fscript",
        "compare/gamma/alpha?order=document",
        "systems/gamma",
        "?columns=size",
    ):
        page = view(f"zh-en/{name}")
        settle(
            page,
            "document.body.textContent.includes('<script>document.title') || "
            "document.querySelector('.list tbody tr')",
        )
        assert page.title() != "run"
    page = view(f"zh-en/segments/{NASTY.replace('/', '%2F').replace(' ', '%20')}")
    assert "There is no such page" in page.inner_text("h1")


@pytest.mark.slow
def test_a_huge_text_is_shown_to_its_beginning_and_then_whole(view: Callable[..., Any]) -> None:
    page = view("zh-en/segments/0-p1-s2", ".hypotheses tbody tr")
    text = page.locator(".hypotheses tbody tr", has_text="gamma").locator(".text")
    assert 1000 < len(text.text_content()) < 2000
    text.locator("button", has_text="Show all 100,000 characters").click()
    assert text.text_content() == HUGE


def test_a_file_that_is_missing_is_named(chromium: Any, written: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(written.parent, tmp_path / "site"))
    (copy / "data" / "zh-en" / "hypotheses-0.js").unlink()
    page = chromium.new_page()
    page.goto(f"{(copy / 'index.html').as_uri()}#/zh-en/segments/0-p1-s2")
    page.wait_for_selector("[role=alert]")
    assert "data/zh-en/hypotheses-0.js is missing" in page.inner_text("[role=alert]")
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "",
        "segments",
        "segments/0-p1-s2",
        "compare/gamma/alpha?order=document",
        "systems/alpha",
        "pairs",
        "parts",
        "map",
    ],
)
def test_nothing_is_cut_off_on_a_narrow_screen(view: Callable[..., Any], name: str) -> None:
    page = view(f"zh-en/{name}", viewport={"width": 390, "height": 844})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_policy_lets_no_other_script_run(chromium: Any, written: Path) -> None:
    page = chromium.new_page()
    page.goto(written.as_uri())
    page.wait_for_selector("h1")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'run'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='document.title=1'>");
        }"""
    )
    assert SET.title in page.title()
    page.close()


def test_only_what_a_view_needs_is_loaded(view: Callable[..., Any]) -> None:
    page = view("zh-en")
    loaded = "[...dataRequests.keys()].sort()"
    assert page.evaluate(loaded) == ["site"]
    page.goto(page.url.split("#")[0] + "#/zh-en/segments/7-p1-s77")
    page.wait_for_selector(".hypotheses tbody tr")
    names = ["diffs-1", "hypotheses-1", "score-comet", "score-ter", "segments"]
    assert page.evaluate(loaded) == ["site", *(f"zh-en/{name}" for name in names)]
