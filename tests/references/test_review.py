"""The review page: correct and inert as text; in Chromium, from clicks to the file that the build reads."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError
from bench.references import load
from bench.references.overrides import Correction, Overrides, Pair, Split, read
from bench.references.review.page import _find as find_text
from bench.references.review.page import page
from tests.helpers.browser import Browser
from tests.helpers.sets import WHITE_PAPER, edit

pytestmark = pytest.mark.slow

NASTY = """<script>document.title="run"</script><img src=x onerror='document.title="run"'></p></textarea>{{ 7*7 }}"""
DECIDED = """\
pairs:
  - {zh: [L95s2], en: [L81s2], reason: "the Treaty: </script><script>document.title='run'</script>"}
alone:
  - {zh: [L67s1], en: [L47s1], reason: each a note of its own}
leave_out:
  - {lines: [7], side: en, reason: header}
  - {lines: [9, 12], reason: header}
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The white paper with four doubtful segments."""
    folder = Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))
    for line in range(1, 40):
        edit(folder, line, lambda row: row.update(confidence=0.9))
    for line, confidence in ((6, 0.31), (13, 0.08), (22, 0.47), (39, 0.4)):
        edit(folder, line, lambda row, value=confidence: row.update(confidence=value))
    return folder


def article(text: str, name: str) -> str:
    """The row of a segment within the complete document."""
    return text[text.index(f'id="at-{name}"') :].partition("</article>")[0]


def marked(row: str) -> list[str]:
    return [unescape(text) for text in re.findall("<mark>(.*?)</mark>", row, re.DOTALL)]


# --- as text ------------------------------------------------------------------------------------------------


def test_head_says_what_the_set_holds(copy: Path) -> None:
    text = re.sub(r"<[^>]+>", "", page(copy, 0.45))
    for part in (
        "China&#39;s Export Controls",
        "中国的出口管制",
        "china-export-controls-2021",
        "39 segments",
    ):
        assert part in text
    assert re.search(r"1-1: 30\s+1-2: 9\s+4 left out\s+3 doubtful \(confidence below 0\.45\)", text)


def test_doubtful_pairs_come_first_and_worst_first(copy: Path) -> None:
    text = page(copy, 0.5)
    listed = ["preamble-p3-s4", "preamble-p1-s1", "2.1-p1-s2", "1.2-p1-s1"]
    assert re.findall('id="doubt-(.*?)"', text) == listed
    assert re.findall('id="at-(.*?)"', text) == [s.id for s in load(copy).segments]
    assert text.index("doubt-1.2-p1-s1") < text.index('id="at-front-h1"')
    for name in listed:
        assert f'href="#at-{name}"' in text[: text.index('id="document"')]
        assert f'href="#doubt-{name}"' in article(text, name)
    assert "No pair has a confidence below 0." in page(WHITE_PAPER, 0.0)
    assert page("china-export-controls-2021", 0.5) == page(WHITE_PAPER, 0.5)


def test_every_sentence_stands_by_its_name() -> None:
    text = page(WHITE_PAPER, 0.5)
    for segment in load(WHITE_PAPER).segments:
        row = article(text, segment.id)
        for side, names in (("zh", segment.zh_sentences), ("en", segment.en_sentences)):
            assert re.findall(rf'data-side="{side}" data-name="(.*?)"', row) == list(names)
        lang = re.findall(r'<p class="text" lang="(.*?)">(?:<span.*?</span> )?(.*?)</p>', row)
        assert [name for name, _ in lang] == ["zh-Hans-CN"] * int(segment.alignment[0]) + ["en"] * int(
            segment.alignment[2]
        )
        assert unescape("".join(t for name, t in lang if name != "en")) == segment.zh
        assert unescape(" ".join(t for name, t in lang if name == "en")) == segment.en


def test_sentences_that_cannot_be_cut_again_are_shown_as_one_with_all_names(copy: Path) -> None:
    edit(copy, 7, lambda row: row.update(en_sentences=["L25s1", "L25s8", "L25s9"], alignment="1-3"))
    row = article(page(copy, 0.5), "preamble-p2-s1")
    assert re.findall(r'data-side="en" data-name="(.*?)"', row) == ["L25s1", "L25s8", "L25s9"]
    assert row.count('class="text" lang="en"') == 1


def test_source_lines_are_shown_with_the_part_marked() -> None:
    text = page(WHITE_PAPER, 0.5)
    for segment in load(WHITE_PAPER).segments:
        lines = [*segment.zh_raw.split("\n"), *segment.en_raw.split("\n")]
        assert marked(article(text, segment.id)) == lines
    row = article(text, "preamble-p3-s4")
    assert re.findall(r'class="line"><b>(\d+)</b>', row) == ["35", "57", "27", "37"]
    assert re.search("…[^<]{160}<mark>中国从全球视角", row)


def test_the_same_words_are_marked_where_they_stand(copy: Path) -> None:
    source = (copy / "source.txt").read_text("utf-8").split("\n")
    source[66] = "各国同意。　各国同意。各国 同意。"
    (copy / "source.txt").write_text("\n".join(source), "utf-8")
    for line, raw in ((18, "各国同意。"), (19, "各国同意。"), (20, "各国同意。")):
        edit(copy, line, lambda row, raw=raw: row.update(zh=raw, zh_raw=raw))
    text = page(copy, 0.5)
    rows = [article(text, f"1.1-p1-s{n}").partition('lang="zh-Hans-CN">各国')[2] for n in (1, 2, 3)]
    assert [len(re.findall("(?<!>)各国", row.partition("<mark>")[0])) for row in rows] == [0, 0, 1]
    assert [re.findall("lang=\"zh-Hans-CN\">(.*?)</span>", article(text, f"1.1-p1-s{n}"))[-1] for n in (1, 2, 3)] == [
        "<mark>各国同意。</mark>　各国同意。各国 同意。",
        "各国同意。　<mark>各国同意。</mark>各国 同意。",
        "各国同意。　各国同意。<mark>各国 同意。</mark>",
    ]  # fmt: skip


def test_two_files_count_their_lines_by_themselves(copy: Path) -> None:
    text = (copy / "source.txt").read_text("utf-8")
    (copy / "source.txt").rename(copy / "source.en.txt")
    (copy / "source.zh.txt").write_text(text.replace("中国从全球视角", "中国　从全球视角"), "utf-8")
    assert marked(article(page(copy, 0.5), "preamble-p3-s4"))[0].startswith("中国　从全球视角")


def test_left_out_pieces_stand_in_place() -> None:
    text = page(WHITE_PAPER, 0.5)
    rows = re.findall(r'<article class="row (?:left|.*? id="at-(.*?)").*?</article>', text, re.DOTALL)
    names = [s.id for s in load(WHITE_PAPER).segments]
    assert rows == ["front-h1", "", *names[1:], ""]
    first, last = re.findall(r'<article class="row left".*?</article>', text, re.DOTALL)
    assert re.findall(r"line \d+", first) == ["line 9", "line 7"]
    assert first.index("王毅国务委员") < first.index("Remarks by State Councilor")
    assert first.count("header of another document") == 2
    assert re.findall('data-side="(.*?)" data-name="(.*?)"', last) == [("zh", "L103s3"), ("en", "L89s4")]
    assert last.count("the source stops in the middle of this sentence") == 2


def test_documents_are_text_and_nothing_else(copy: Path) -> None:
    nasty(copy)
    text = page(copy, 0.5)
    assert text.count("<script") == 2
    assert text.count("</script>") == 2
    assert text.count("<textarea") == text.count("</textarea>") == 1
    assert "<img" not in text
    assert "{{ 7*7 }}" in text
    assert not re.search(r"https?://|@import|url\(| src=(?!x)|<link|<iframe", text)


def nasty(folder: Path) -> None:
    """Markup wherever a set holds text."""
    (folder / "source.txt").write_text(
        (folder / "source.txt").read_text("utf-8").replace("出口管制是指对", NASTY + "出口管制是指对"),
        "utf-8",
    )
    edit(folder, 6, lambda row: row.update({k: NASTY + row[k] for k in ("zh", "en", "zh_raw", "en_raw")}))
    edit(folder, 8, lambda row: row.update(id='x" onclick="document.title=1', zh_number=NASTY))
    for name, old, new in (
        ("document.yaml", "zh: 中国", f"zh: |-\n    {NASTY}\n  #"),
        ("left_out.jsonl", "header of another", json.dumps(NASTY)[1:-1]),
        ("left_out.jsonl", '"王毅', '"' + json.dumps(NASTY)[1:-1]),
    ):
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), "utf-8")
    (folder / "overrides.yaml").write_text(DECIDED, "utf-8")


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan")])
def test_threshold_lies_between_0_and_1(threshold: float) -> None:
    with pytest.raises(BenchError, match="is not between 0 and 1; give one such as"):
        page(WHITE_PAPER, threshold)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("left_out.jsonl", '"side": "zh"', '"side": "fr"', r"left_out\.jsonl:2: Invalid enum value 'fr'"),
        ("left_out.jsonl", '"lines": [7]', '"lines": ["7"]', r"left_out\.jsonl:1: Expected `int`, got `str`"),
        (
            "left_out.jsonl",
            '"lines": [7]',
            '"lines": []',
            r"left_out\.jsonl:1: text and lines differ in their number of lines",
        ),
        (
            "left_out.jsonl",
            '"L103s3"',
            '"third"',
            r"left_out\.jsonl:4: 'third' is not the name of a sentence",
        ),
        ("left_out.jsonl", '"L103s3"', "null", r"left_out\.jsonl:4: Expected `str`, got `null`"),
        ("left_out.jsonl", '"reason"', '"why"', r"left_out\.jsonl:1: Object missing required field `reason`"),
        ("left_out.jsonl", "{", "", r"left_out\.jsonl:1: JSON is malformed"),
        ("overrides.yaml", "", "pairs: 3", r"overrides\.yaml:1: pairs is `3`"),
    ],
)
def test_broken_files_are_named(copy: Path, file: str, old: str, new: str, message: str) -> None:
    path = copy / file
    text = path.read_text("utf-8") if path.is_file() else ""
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BenchError, match=message):
        page(copy, 0.5)


def test_a_name_that_is_none_and_a_missing_source_are_named(copy: Path) -> None:
    edit(copy, 3, lambda row: row.update(zh_sentences=['L15s1"]']))
    with pytest.raises(BenchError, match=r"segments\.jsonl:3: .* is not the name of a sentence"):
        page(copy, 0.5)
    edit(copy, 3, lambda row: row.update(zh_sentences=["L15s1"]))
    (copy / "source.txt").unlink()
    with pytest.raises(BenchError, match=r"There is no .*source\.txt"):
        page(copy, 0.5)


# --- in a browser -------------------------------------------------------------------------------------------


@pytest.fixture
def view(chromium: Any, copy: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page of `copy` from a file. At the end nothing may have failed or used the network."""
    browser = Browser(chromium)

    def open_page(**options: Any) -> Any:
        (copy / "review.html").write_text(page(copy, 0.5), "utf-8")
        return browser.open((copy / "review.html").as_uri(), **options)

    yield open_page
    browser.close()
    assert not browser.faults
    assert all(url.startswith(("file:", "blob:")) for url in browser.requests)


def choose(opened: Any, *names: str) -> None:
    """Names such as "zh L35s4", clicked where they stand in the complete document."""
    for name in names:
        side, sentence = name.split()
        opened.click(f"[aria-labelledby=document] [data-side={side}][data-name={sentence}]")


def saved(opened: Any, folder: Path) -> Overrides:
    """What `read` makes of the downloaded file."""
    with opened.expect_download() as download:
        opened.click("#download")
    assert download.value.suggested_filename == "overrides.yaml"
    download.value.save_as(folder / "overrides.yaml")
    assert (folder / "overrides.yaml").read_text("utf-8") == opened.input_value("#yaml")
    return read(folder)


def test_clicks_become_a_file_that_build_reads(view: Callable[..., Any], copy: Path) -> None:
    opened = view()
    assert saved(opened, copy) == Overrides()
    choose(opened, "en L27s5", "zh L35s4", "en L27s4")
    assert opened.inner_text("#status") == "Selected: zh L35s4 = en L27s4, L27s5"
    assert opened.is_disabled("#alone")
    opened.fill("#reason", "the English cuts the sentence in two")
    opened.click("#pair")
    opened.fill("#reason", "cut")
    choose(opened, "zh L103s3", "zh L5s1", "zh L5s1")
    assert opened.is_disabled("#pair")
    opened.click("#alone")
    pair = Pair(("L35s4",), ("L27s4", "L27s5"), "the English cuts the sentence in two")
    assert saved(opened, copy) == Overrides((pair,), {("zh", "L103s3"): "cut"})
    assert opened.get_attribute("[data-side=zh][data-name=L103s3]", "data-decided") == "alone"
    again = view()
    assert again.inner_text("#count") == "2"
    choose(again, "zh L31s1", "en L23s1")
    again.click("#pair")
    assert saved(again, copy).pairs == (pair, Pair(("L31s1",), ("L23s1",), "reviewed"))


@pytest.mark.slow
def test_what_was_decided_stays_and_a_new_decision_replaces_it(view: Callable[..., Any], copy: Path) -> None:
    (copy / "overrides.yaml").write_text(DECIDED, "utf-8")
    before = read(copy)
    opened = view()
    assert saved(opened, copy) == before
    choose(opened, "zh L67s1", "en L81s2")
    opened.click("#pair")
    assert "Replaces the pair zh: [L95s2], en: [L81s2]." in opened.inner_text("#status")
    after = saved(opened, copy)
    assert after.pairs == (Pair(("L67s1",), ("L81s2",), "reviewed"),)
    assert after.alone == {("en", "L47s1"): "each a note of its own"}
    assert after.leave_out == before.leave_out
    opened.click("text=Remove >> nth=0")
    assert saved(opened, copy) == Overrides((), after.alone, after.leave_out)


@pytest.mark.slow
@pytest.mark.parametrize(
    "reason",
    [
        "a \"quoted\" 'reason': with # marks, {braces} & *stars",
        "- yes: no, \\n null ~ %x @y `z`",
        "中文，“引号” and 😀 \u2028\u200b\x7f\ufffe\x85 ends",
        "</script><script>document.title='run'</script>",
    ],
)
def test_any_reason_is_kept(view: Callable[..., Any], copy: Path, reason: str) -> None:
    opened = view()
    choose(opened, "en L3s1")
    opened.evaluate("text => document.getElementById('reason').value = text", reason)
    opened.click("#alone")
    kept = " ".join(re.sub("[\x7f\x85\u2028\ufffe]", " ", reason).split())
    assert saved(opened, copy).alone == {("en", "L3s1"): kept}
    assert saved(view(), copy).alone == {("en", "L3s1"): kept}


def test_a_reason_is_needed(view: Callable[..., Any]) -> None:
    opened = view()
    choose(opened, "en L3s1")
    opened.fill("#reason", " ")
    opened.click("#alone")
    assert opened.inner_text("#status") == "Enter a reason first."
    assert opened.evaluate("document.activeElement.id") == "reason"
    assert "alone" not in opened.input_value("#yaml")


def test_nothing_in_a_document_runs(view: Callable[..., Any], copy: Path) -> None:
    nasty(copy)
    opened = view()
    assert opened.title() == "Review: China's Export Controls"
    assert opened.locator("img, iframe, object, [onclick], [onerror], [style]").count() == 0
    assert opened.text_content("#at-preamble-p1-s1").count(NASTY) == 4
    choose(opened, "zh L31s1", "en L23s1")
    opened.click("#pair")
    assert saved(opened, copy).pairs[1] == Pair(("L31s1",), ("L23s1",), "reviewed")
    assert opened.title() == "Review: China's Export Controls"


def test_the_policy_lets_no_other_script_run(chromium: Any, copy: Path) -> None:
    (copy / "review.html").write_text(page(copy, 0.5), "utf-8")
    opened = chromium.new_page()
    opened.goto((copy / "review.html").as_uri())
    opened.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'run'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='document.title=1'>");
        }"""
    )
    assert opened.title() == "Review: China's Export Controls"
    opened.close()


@pytest.mark.slow
def test_the_keyboard_is_enough(view: Callable[..., Any], copy: Path) -> None:
    opened = view()
    for side, name in (("zh", "L35s4"), ("en", "L27s4")):
        opened.focus(f"#doubt-preamble-p3-s4 [data-side={side}][data-name={name}]")
        opened.keyboard.press("Space")
    opened.keyboard.press("p")
    opened.focus("#at-front-h1 [data-side=en]")
    opened.keyboard.press("Enter")
    opened.keyboard.press("Escape")
    assert opened.is_disabled("#clear")
    opened.keyboard.press("Enter")
    opened.keyboard.press("n")
    assert saved(opened, copy) == Overrides(
        (Pair(("L35s4",), ("L27s4",), "reviewed"),), {("en", "L3s1"): "reviewed"}
    )


def test_a_sentence_is_split_and_corrected_by_keyboard(view: Callable[..., Any], copy: Path) -> None:
    opened = view()
    opened.focus("#at-preamble-p1-s1 [data-side=zh]")
    opened.keyboard.press("Space")
    opened.keyboard.press("s")
    assert opened.inner_text("#status") == "Enter the words behind which the sentence is cut."
    opened.keyboard.type("没有的")
    opened.press("#text", "Tab")
    opened.keyboard.press("Enter")
    assert opened.inner_text("#status") == "The sentence does not contain these words once."
    words = opened.inner_text("#at-preamble-p1-s1 .text[lang^=zh]").strip()[3:8]
    opened.fill("#text", words)
    opened.click("#split")
    choose(opened, "en L3s1")
    opened.fill("#text", "Controls")
    opened.fill("#becomes", 'a "quoted" \\ word')
    opened.click("#correct")
    name = load(copy).segments[5].zh_sentences[0]
    expected = Overrides(
        splits=(Split("zh", name, words, "reviewed"),),
        corrections=(Correction("en", "L3s1", "Controls", 'a "quoted" \\ word', "reviewed"),),
    )
    assert saved(opened, copy) == expected
    assert saved(view(), copy) == expected


def test_a_doubtful_pair_is_confirmed_with_one_click(view: Callable[..., Any], copy: Path) -> None:
    opened = view()
    opened.click("#doubt-preamble-p1-s1 >> text=Confirm")
    assert saved(opened, copy).pairs == (Pair(("L31s1",), ("L23s1", "L23s2"), "reviewed"),)


@pytest.mark.slow
def test_copy_and_leaving(view: Callable[..., Any]) -> None:
    opened = view(permissions=["clipboard-read", "clipboard-write"])
    choose(opened, "en L3s1")
    opened.click("#alone")
    left = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert opened.evaluate(left)  # asked whether to go
    opened.click("#copy")
    opened.wait_for_function("document.getElementById('status').textContent === 'Copied.'")
    assert opened.evaluate("navigator.clipboard.readText()") == opened.input_value("#yaml")
    assert not opened.evaluate(left)


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_links_lead_to_their_rows_and_nothing_is_cut_off(view: Callable[..., Any], width: int) -> None:
    opened = view(viewport={"width": width, "height": 800})
    for link, target in (
        ("[id='doubt-1.2-p1-s1'] >> text=in context", "at-1.2-p1-s1"),
        ("[id='at-1.2-p1-s1'] >> text=doubtful", "doubt-1.2-p1-s1"),
        ("text=Decisions (", "yaml"),
    ):
        opened.click(link)
        opened.wait_for_function(
            "id => { const at = document.getElementById(id).getBoundingClientRect().top;"
            " return at >= 0 && at < innerHeight; }",
            arg=target,
        )
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_a_long_document_is_drawn_as_it_comes_into_sight(view: Callable[..., Any], copy: Path) -> None:
    rows = [json.loads(line) for line in (copy / "segments.jsonl").read_text("utf-8").splitlines()]
    last = {**rows[-1], "confidence": 0.5}
    more = [json.dumps({**last, "id": f"more-{n}"}, ensure_ascii=False) + "\n" for n in range(1200)]
    with (copy / "segments.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(more)
    edit(copy, len(rows) + 700, lambda row: row.update(confidence=0.1))
    opened = view(viewport={"width": 900, "height": 800})
    for target in ("at-more-699", "doubt-more-699", "yaml", "at-more-699"):
        opened.click(f"a[href='#{target}'] >> visible=true" if target != "yaml" else "text=Decisions (")
        opened.wait_for_function(
            "id => { const at = document.getElementById(id).getBoundingClientRect().top;"
            " return at >= 0 && at < innerHeight; }",
            arg=target,
        )


def test_a_line_of_one_letter_is_searched_at_once() -> None:
    """A regular expression would take hours."""
    assert find_text("a" * 200_000 + "b", "a " * 400_000, 0) is None
    assert find_text("a b\ufeffc", "x a\u3000bc y", 0) == (2, 6)
    assert find_text("a b", "ab ab", 1) == (3, 5)
    assert find_text(" ", "ab", 0) is None
