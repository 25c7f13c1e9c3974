"""Web pages and Markdown as sources."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.build import build
from bench.references.reading.anchors import keep_shared_anchors
from bench.references.reading.read import read
from bench.references.reading.web_page import read_markdown, read_page
from bench.references.review.check import check

PATH = Path("page.html")


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        ("<h1>A</h1><p>one\n<b>two</b> <a href=x>three</a>.", ["A", "one two three."]),
        ("<p>第一<br>第二<p>中\n文", ["第一\n第二", "中文"]),
        ("<ol start=3 type=a><li>x<li>y</ol>", ["c. x", "d. y"]),
        ("<ol><li>x<ol type=i><li>y</ol></ol><ul><li>z</ul>", ["1. x", "i. y", "• z"]),
        ("<ol><li value=7>x<li>y</ol>", ["7. x", "8. y"]),
        ("<nav>menu</nav><script>x=1</script><style>p{}</style><p hidden>h<p>text", ["text"]),
        ("<main><footer>f</footer></main><footer>g</footer>", ["f"]),
        ("<table><tr><td>甲<td>A</table>", ["甲", "A"]),
        ("<h2>Title<a href=#t>¶</a></h2><p>Text.<sup><a href=#n1>[1]</a></sup> m<sup>2</sup>", ["Title", "Text. m2"]),
        ("<p>one<br>two<br>\n<br>three", ["one\ntwo", "three"]),
        ('<p lang="fr">Les Parties</p><p lang="zh-Hant">甲<p xml:lang="en">A', ["甲", "A"]),
        ('<p><span lang="zh">甲。</span><span lang="en-GB">A.</span> B', ["甲。", "A.\nB"]),
        ("<p>a &amp; b&nbsp;c &#x4e2d;<!-- note -->", ["a & b c 中"]),
    ],
)  # fmt: skip
def test_page(page: str, blocks: list[str]) -> None:
    assert read_page(f"<html><body>{page}", PATH).strip().split("\n\n") == blocks


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("---\ntitle: x\n---\n# A {#a}\n\nb *c* `d` [e](https://x.org)", ["{#a}", "A", "b c d e"]),
        ('+++\nversion = "2"\n+++\n\n# A', ["A"]),
        ("A\n===\n1. x\n2. y\n   - z\n\n> q", ["A", "1. x", "2. y", "• z", "q"]),
        ("|a|b|\n|-|-|\n|c|d|", ["a", "b", "c", "d"]),
        (
            "**“注意”**是重点。\n\n![image](x.png)\n\n<!-- x -->\n\n***\n\n[r]: https://x.org",
            ["“注意”是重点。"],
        ),
        (
            "第一章 公园\n第一条 公园免费。\n犬只须系绳，\n并戴口罩。\n第二条 下列除外：\n（一）渡轮；",
            ["第一章 公园\n第一条 公园免费。\n犬只须系绳，并戴口罩。\n第二条 下列除外：\n（一）渡轮；"],
        ),
        (
            "Article 1 Parks\nare free,\n(a) but not ferries.",
            ["Article 1 Parks are free,\n(a) but not ferries."],
        ),
    ],
)
def test_markdown(text: str, blocks: list[str]) -> None:
    assert read_markdown(text, PATH).strip().split("\n\n") == blocks


def test_what_a_page_holds_beside_its_text_is_counted() -> None:
    page = (
        "<nav>Home</nav><p>text<sup><a href=#n>1</a></sup><p hidden>old</p><p lang=fr>Texte</p><footer>Imprint</footer>"
        "<script>x=1</script><table><tr><td>cell</table>"
    )
    counts: Counter[str] = Counter()
    assert read_page(page, PATH, counts) == "text\n\ncell\n"
    assert counts == {
        "navigation and forms": 11,
        "links to notes": 1,
        "hidden text": 3,
        "text in a third language": 5,
        "scripts and settings": 3,
    }


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("big5", "big5hkscs"), ("gb2312", "gb18030"), ("utf-8", "utf-8"), ("", "big5hkscs")],
)
def test_declared_encodings(tmp_path: Path, charset: str, codec: str) -> None:
    text = "第一條　本會的委員由市長聘任，任期三年，可以連任一次。這是為了大家的利益，不是為了個人。" * 3
    path = tmp_path / "a.html"
    meta = f'<meta charset="{charset}">' if charset else ""
    path.write_bytes(f"<html>{meta}<p>{text}".encode(codec))
    source = read([path])
    assert source.texts == {"both": text.replace("　", "　") + "\n"}
    assert (source.origin[0].format, source.origin[0].encoding) == ("html", codec)


def test_big5_text(tmp_path: Path) -> None:
    text = "第一條　本會的委員由市長聘任，任期三年，可以連任一次。這是為了大家的利益，不是為了個人。"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("big5hkscs"))
    assert (read([path]).texts, read([path]).origin[0].encoding) == ({"both": text}, "big5hkscs")


def test_hostile_pages(tmp_path: Path) -> None:
    """Deep, damaged and empty pages give text or one sentence."""
    assert read_page("<div>" * 100_000 + "end", PATH).strip() in ("", "end")
    items = read_page("<ol>" + "<li>x" * 100_000, PATH).split("\n\n")
    assert (len(items), items[-1]) == (100_000, "100000. x\n")
    for text in (" ", "\n", "中\n", "*", "[", "**a", "{#", "`", "> "):
        read_markdown(text * 3_000 + "end", PATH)
    assert read_page("<p>a<p>b</div></p><td>c</table>", PATH) == "a\n\nb\n\nc\n"
    path = tmp_path / "a.html"
    path.write_text("<html><body></body></html>")
    with pytest.raises(BenchError, match="nothing but white space"):
        read([path])


def test_ids_that_both_pages_have_are_evidence(tmp_path: Path) -> None:
    """Invented words: no lexicon knows that the second English paragraph has no counterpart."""
    zh, en = tmp_path / "a.html", tmp_path / "b.html"
    zh.write_text(
        '<h2 id="s1">一般条款</h2><p id="s1a">甲乙丙丁。</p><p id="s1b">戊己庚辛，子丑寅卯。</p><h2 id="s2">费用</h2><p id="zh1">各方承担费用。</p>',
        "utf-8",
    )
    en.write_text(
        '<h2 id="s1">General</h2><p id="s1a">Foo bar baz.</p><p>Qux quux corge grault garply waldo.</p>'
        '<p id="s1b">Fred plugh.</p><h2 id="s2">Costs</h2><p>Each Party bears costs.</p><p id="en1">',
        "utf-8",
    )
    out = tmp_path / "set"
    pairs = [(s.zh, s.en) for s in build([zh, en], "a", out).segments]
    assert ("戊己庚辛，子丑寅卯。", "Fred plugh.") in pairs
    assert "zh1" not in (out / "source.zh.txt").read_text("utf-8")
    assert check(out)["left out"] >= 9  # four ids in each language, and the paragraph without counterpart
    assert [(s.zh, s.en) for s in build([], "a", out).segments] == pairs  # from its own copy of the text


def test_a_line_that_only_looks_like_an_id_stays() -> None:
    text = read_page("<p id='x'>和平。</p><p>{#x}</p><pre>{#y}\n法治</pre><p>Use {#z} here.</p>", PATH)
    assert keep_shared_anchors([text]) == ["和平。\n\n{ #x}\n\n{ #y}\n法治\n\nUse {#z} here.\n"]


def test_a_markdown_heading_keeps_its_id_where_the_other_file_has_it_too(tmp_path: Path) -> None:
    zh, en = tmp_path / "a.md", tmp_path / "b.md"
    zh.write_text("## 费用 {#costs}\n\n各方承担费用。\n\n## 其他 {#zh}\n", "utf-8")
    en.write_text("## Costs {#costs}\n\nEach Party bears costs.\n\n## Other\n", "utf-8")
    assert read([zh, en]).texts == {
        "zh": "{#costs}\n\n费用\n\n各方承担费用。\n\n其他\n",
        "en": "{#costs}\n\nCosts\n\nEach Party bears costs.\n\nOther\n",
    }
    assert read([en]).texts["both"] == "Costs\n\nEach Party bears costs.\n\nOther\n"
