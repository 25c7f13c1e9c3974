"""The aligner: evidence (length, words, numbers, numbering), missing counterparts, confidence, walls, long
documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.languages import Language
from bench.references import cedict
from bench.references.alignment.align import Group, align, rate_pairs
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.read import read
from bench.references.segmentation.extract import extract
from bench.references.segmentation.items import Item, split_blocks
from tests.helpers.sets import DOCUMENTS, GOLD, both, built, gold, rows, sources, texts, two

Sides = tuple[list[Item], list[Item]]


def sides(document: str) -> Sides:
    blocks, _ = extract(read(sources(document)).texts)
    return split_blocks(blocks["zh"]), split_blocks(blocks["en"])


def names(groups: Sequence[Group]) -> list[tuple[list[str], list[str]]]:
    return [([i.name for i in group.zh], [i.name for i in group.en]) for group in groups]


# --- evidence for a pair ---


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        # Length alone: one sentence is cut in two on either side.
        (
            "甲乙丙丁戊己庚辛壬癸甲乙丙丁戊己庚辛壬癸。|子丑寅。",
            "Aa bbb cccc dddd eeee ffff. Gggg hhhh iiii jjjj kkkk.|Llll mmm.",
        ),
        # Words of the official register, against length.
        (
            "双方同意。|各国反对恐怖主义。",
            "The two sides have reached agreement on this.|All oppose terrorism.",
        ),
        # Numbers, however they are written.
        ("二〇二一年。|12亿元。|第三条。", "In 2021.|1.2 billion yuan.|Article 3."),
        # Names in Latin letters.
        (
            "加入WTO之后。|与ASEAN合作之后。",
            "After it became a member of the WTO.|After it worked with ASEAN.",
        ),
        # Numbering: the middle item has no counterpart.
        ("一、甲乙丙丁。|三、甲乙丙戊。", "I. Aaaa bbbb cccc dddd.|III. Aaaa bbbb cccc eeee."),
    ],
)
def test_pairs(zh: str, en: str) -> None:
    source = both("Preamble\n\n" + en.replace("|", "\n\n") + "\n\n前言\n\n" + zh.replace("|", "\n\n"))
    found = [
        (s.zh_number + s.zh, (s.en_number + " " + s.en).strip()) for s in build_segments(source).segments
    ]
    assert found[1:] == list(zip(zh.split("|"), en.split("|"), strict=True))


def test_a_dictionary_finds_what_length_cannot(tmp_path: Path) -> None:
    # By length the middle sentence may belong to either neighbour; only words decide.
    chinese = "前言\n\n蜜蜂采蜜酿蜜。鲸鱼游泳唱歌。"
    english = "Preamble\n\nBees like the bloom. They gather honey. Whales swim afar."
    source = f"{chinese}\n\n{english}"
    path = tmp_path / "cc-cedict.txt"
    path.write_text(
        "# comment\n蜜蜂 蜜蜂 [mi4 feng1] /bee/honeybee/\n採蜜 采蜜 [cai3 mi4] /to gather honey/\n"
        "鯨魚 鲸鱼 [jing1 yu2] /whale/\n游泳 游泳 [you2 yong3] /swimming/to swim/\n",
        "utf-8",
    )
    for words in ("They gather honey.", "They swim in herds."):
        text = source.replace("They gather honey.", words)
        segments = build_segments(both(text), lexicon=cedict.load(path)).segments
        first = "Bees like the bloom." + (" They gather honey." if "honey" in words else "")
        assert (segments[1].zh, segments[1].en) == ("蜜蜂采蜜酿蜜。", first)


@pytest.mark.parametrize("text", ["傳統 传统 chuan2 tong3 /tradition/", ""])
def test_dictionary_in_another_format_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dict.txt"
    path.write_text(f"# head\n{text}\n", "utf-8")
    with pytest.raises(BenchError, match=r"dict\.txt:2 is not an entry|no dictionary entries"):
        cedict.load(path)


def test_dictionary_joins_homographs(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("發 发 [fa1] /to send/to issue/\n髮 发 [fa4] /hair/\n", "utf-8")
    assert cedict.load(path) == {"发": ("to send", "to issue", "hair")}
    with pytest.raises(BenchError, match="give the path"):
        cedict.load(tmp_path / "none")


# --- missing counterparts ---

ARTICLES = [
    ("缔约双方应在边境地区开展贸易合作。", "The Parties shall cooperate in trade in the border areas."),
    ("各口岸每天开放二十四小时。", "Each port shall be open for 24 hours a day."),
    ("旅客应持有效护照入境。", "Passengers shall enter with valid passports."),
    ("双方应交换海关统计资料。", "The Parties shall exchange customs statistics."),
    ("任何一方均可书面通知终止本协定。", "Either Party may terminate this Agreement by notice in writing."),
]


def articles(side: int, without: int | None = None) -> str:
    label = ("第{}条　{}\n\n", "Article {} {}\n\n")[side]
    return "".join(
        label.format("一二三四五"[n] if side == 0 else n + 1, pair[side])
        for n, pair in enumerate(ARTICLES)
        if n != without
    )


@pytest.mark.parametrize("missing", range(5))
@pytest.mark.parametrize("side", [0, 1], ids=["zh", "en"])
def test_an_article_in_one_language_only(side: int, missing: int) -> None:
    """`missing` is the article that the other language does not have."""
    found = build_segments(
        two(articles(0, missing if side else None), articles(1, None if side else missing))
    )
    assert texts(found.segments) == [pair for n, pair in enumerate(ARTICLES) if n != missing]
    (left,) = found.left_out
    assert (left.side, left.reason) == (("zh", "en")[side], "no counterpart in the other language")
    assert left.text.endswith(ARTICLES[missing][side])


NOTES = [
    ("zh", "新华社北京3月2日电　双方签署协定，全文如下："),
    ("zh", "以上数据来源：国家统计局。"),
    ("en", "(Applause)"),
    ("en", "Note: The English text was revised on 20 March 2019."),
    ("en", "[Official stamp of the Ministry]"),
    ("zh", "【编者按：本文由本社译自俄文，略有删节。】"),
    ("zh", "（本译文仅供参考。）"),
    ("en", "Unofficial translation. The Russian text prevails."),
    ("en", "(Translated from the Russian.)"),
]


@pytest.mark.parametrize(("side", "note"), NOTES)
def test_a_note_in_one_language_only(side: Language, note: str) -> None:
    """At any position in the document."""
    for before in range(5):
        halves = {}
        for index, language in enumerate(("zh", "en")):
            parts = articles(index).split("\n\n")[:-1]
            halves[language] = "\n\n".join([*parts[:before], *[note] * (language == side), *parts[before:]])
        found = build_segments(two(halves["zh"], halves["en"]))
        assert texts(found.segments) == ARTICLES
        assert " ".join(left.text for left in found.left_out) == note
        assert {left.reason for left in found.left_out} == {"no counterpart in the other language"}


@pytest.mark.parametrize("side", ["zh", "en"])
def test_a_table_of_contents_in_one_language_only(side: str) -> None:
    chapters = [("总则", "General Provisions"), ("贸易", "Trade"), ("附则", "Supplementary Provisions")]
    heads = [(f"第{'一二三'[n]}章　{zh}", f"Chapter {n + 1} {en}") for n, (zh, en) in enumerate(chapters)]
    contents = (("目录", "Contents"), *heads)
    halves = []
    for index, language in enumerate(("zh", "en")):
        lines = [line[index] for line in contents] if language == side else []
        for head, article in zip(heads, ARTICLES, strict=False):
            lines += [head[index], article[index]]
        halves.append("\n\n".join(lines))
    found = build_segments(two(*halves))
    assert [s.zh for s in found.segments] == [
        text for (name, _), (article, _) in zip(chapters, ARTICLES, strict=False) for text in (name, article)
    ]
    assert [left.text for left in found.left_out] == [line[("zh", "en").index(side)] for line in contents]


def test_a_sentence_whose_counterpart_is_cut_is_left_out() -> None:
    english = "Preamble\n\nChina acts for peace in the world. Development needs security."
    chinese = "前言\n\n中国为世界和平而行动。发展需要安"
    found = built(f"{english}\n\n{chinese}")
    assert [s.en for s in found.segments] == ["Preamble", "China acts for peace in the world."]
    assert [(item.side, item.text, item.reason) for item in found.left_out] == [
        ("en", "Development needs security.", "its counterpart is cut off"),
        ("zh", "发展需要安", "the source stops in the middle of this sentence"),
    ]


def test_clauses_of_a_preamble_stay_apart_and_lone_article_numbers_join() -> None:
    english = (
        "The People's Republic of China and the Russian Federation,\n\n"
        "Based on their friendship,\n\nHave agreed:\n\n"
    )
    chinese = "中华人民共和国和俄罗斯联邦，\n\n基于两国友好，\n\n兹协议如下：\n\n"
    article = ("Article 1\n\nThe Parties cooperate.\n\n", "第一条\n\n双方合作。\n")
    found = built(english + article[0] + chinese + article[1])
    assert texts(found.segments)[1:3] == [
        ("基于两国友好，", "Based on their friendship,"),
        ("兹协议如下：", "Have agreed:"),
    ]
    last = found.segments[3]
    assert (last.id, last.zh_number, last.en_number) == ("1-p1-s1", "第一条", "Article 1")
    assert not found.left_out


def test_a_sentence_over_several_paragraphs_of_which_one_looks_like_a_heading() -> None:
    found = build_segments(
        two(
            "鉴于边境贸易的重要性，\n\n因此，缔约国会议，通过本议定书，作为各方贸易的共同准则；\n\n双方合作。",
            "Whereas trade in the border areas is important,\n\nAccordingly,\n\nThe Conference of the Parties\n\n"
            "Adopts this Protocol as a common standard for the trade of all Parties;\n\nThe Parties cooperate.",
        )
    )
    assert [s.alignment for s in found.segments] == ["1-1", "1-3", "1-1"]
    assert not found.left_out


@pytest.mark.parametrize("mark", ["[2] ", "Note: ", "Source: ", "Photo: "])
def test_a_note_is_not_a_part_of_the_paragraph_above_it(mark: str) -> None:
    """It has the year of the paragraph, and customs."""
    note = f"{mark}Customs Circular No. 31 of 2009."
    found = build_segments(
        two(
            "各口岸每天开放二十四小时。\n\n海关统计自2009年起实施，惠及近700万人。\n\n双方合作。",
            "Each port shall be open for 24 hours a day.\n\nThe customs statistics have been published since 2009. "
            f"They have served nearly 7 million people.\n\n{note}\n\nThe two sides cooperate.",
        )
    )
    assert [s.alignment for s in found.segments] == ["1-1", "1-2", "1-1"]
    assert [left.text for left in found.left_out] == [note]


def test_a_note_at_another_place_does_not_part_the_text_between() -> None:
    pairs = [
        ("看守不介入街坊的琐事。", "The wardens do not meddle in the small matters of the quarter."),
        ("看守遵从街坊的规矩。", "The wardens keep to the customs of the quarter."),
        ("看守的费用由行会负担。", "The expenditure for the wardens shall be borne by the guild."),
        ("行会任命行政长官。", "The guild shall appoint the chief executive."),
    ]
    zh, en = ([pair[side] for pair in pairs] for side in (0, 1))
    note = (
        "* 参阅2011年8月26日第十一届会议第二十二次通过的第十三号和第十九号决定（文件二十四）。",
        "* See Decisions No. 13 and No. 19, adopted at the Twenty Second meeting of the Eleventh session on "
        "26 August 2011 (Instrument 24).",
    )
    first, last = ARTICLES[0], ARTICLES[4]
    found = build_segments(
        two("\n\n".join([first[0], note[0], *zh, last[0]]), "\n\n".join([first[1], *en, note[1], last[1]]))
    )
    assert texts(found.segments) == [first, *pairs, last]
    assert {left.text for left in found.left_out} == set(note)


def test_the_last_row_of_a_list_is_not_cut() -> None:
    rows = (
        "本表列出关税减让。\n加入时 — 30%\n一年内 — 49%\n两年内 — 50%",
        "This table lists the tariff concessions.\nUpon accession - 30 per cent\nWithin one year - 49 per cent\n"
        "Within two years - 50 per cent",
    )
    assert [s.zh for s in build_segments(two(*rows)).segments][-1] == "两年内—50%"
    cut = tuple(text.rsplit("\n", 1)[0] for text in rows)
    found = build_segments(
        two(
            cut[0] + "\n\n各国应当在两",
            cut[1] + "\n\nThe Parties shall exchange customs statistics with each other within tw",
        )
    )
    assert [left.side for left in found.left_out] == ["en", "zh"]
    assert found.left_out[0].reason == "the source stops in the middle of this sentence"


# --- confidence ---


def confidences(shift: int) -> list[float]:
    """The confidence of gold pairs with each English side taken from `shift` lines further down."""
    found: list[float] = []
    for document in DOCUMENTS:
        pairs = gold(GOLD / f"{document}.gold.tsv")
        whole = rows([zh for zh, _ in pairs[: len(pairs) - shift]], [en for _, en in pairs[shift:]])
        found += [segment.confidence for segment in build_segments(whole).segments]
    return found


def share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)


def test_confidence_separates_pairs_from_neighbours() -> None:
    """Measured: 98.5 % of the true pairs are above 0.5. 84 % of the pairs shifted by one, which are often
    about the same thing, are below 0.5, and 95 % of those shifted by seven."""
    assert share([value > 0.5 for value in confidences(0)]) >= 0.97
    assert share([value < 0.5 for value in confidences(1)]) >= 0.8
    assert share([value < 0.5 for value in confidences(7)]) >= 0.9


def test_two_sentences_that_share_nothing_are_as_sure_as_the_pairs_around_them() -> None:
    proverb = ("孤帆远影。", "A lonely sail.")
    between = [*ARTICLES[:2], proverb, *ARTICLES[2:]]
    good = build_segments(rows([zh for zh, _ in between], [en for _, en in between])).segments
    assert 0.3 < good[2].confidence < 0.75 * min(good[1].confidence, good[3].confidence)
    shifted = [zh for zh, _ in ARTICLES[1:]]
    bad = build_segments(
        rows([*shifted[:2], proverb[0], *shifted[2:]], [en for _, en in between][: len(shifted) + 1])
    ).segments
    assert bad[2].confidence < 0.3


def test_unrelated_texts_have_low_confidence() -> None:
    for zh, en in [("food-security", "investment-law"), ("assembly-speech", "law-hyphenated")]:
        groups = align(sides(zh)[0], sides(en)[1])
        assert share([group.confidence < 0.5 for group in groups if group.zh and group.en]) >= 0.9


def test_rate_pairs() -> None:
    zh, en = (
        split_blocks(extract({side: text})[0][side])
        for side, text in (("zh", "双方同意。"), ("en", "Both agree."))
    )  # type: ignore[index, dict-item]
    assert rate_pairs([], []) == []
    assert len(rate_pairs(zh * 250, en * 250)) == 250
    assert all(0 <= value <= 1 for value in rate_pairs(zh * 3, en * 3))


# --- walls ---


@pytest.mark.parametrize("document", ["climate-white-paper", "treaty-facing"])
def test_no_group_crosses_a_wall(document: str) -> None:
    zh, en = sides(document)
    free = list(align(zh, en))
    ends = list(accumulate(((len(g.zh), len(g.en)) for g in free), lambda a, b: (a[0] + b[0], a[1] + b[1])))
    good = [ends[len(ends) // 4], ends[len(ends) // 2]]
    assert names(list(align(zh, en, walls=good))) == names(free)  # walls where the groups end change nothing
    wrong = [(good[0][0], good[0][1] + 3), (good[1][0] + 4, good[1][1])]
    at, reached = (0, 0), []
    for group in align(zh, en, walls=wrong):
        at = (at[0] + len(group.zh), at[1] + len(group.en))
        reached.append(at)
    assert set(wrong) <= set(reached)
    assert at == (len(zh), len(en))


def test_walls_at_the_edges_and_repeated() -> None:
    zh, en = sides("ocean-statement")
    end = (len(zh), len(en))
    assert names(list(align(zh, en, walls=[(0, 0), (0, 0), end, end]))) == names(list(align(zh, en)))
    alone = list(align(zh, en, walls=[(len(zh), 0)]))
    assert all(not group.zh or not group.en for group in alone)


# --- long documents ---


def joined(parts: Sequence[Sequence[Item]]) -> Iterator[Item]:
    """The items of several documents as the items of one document."""
    block = line = 0
    for number, part in enumerate(parts):
        for item in part:
            lines = tuple(n + line for n in item.lines)
            yield replace(item, block=item.block + block, lines=lines, name=f"{number}:{item.name}")
        block += part[-1].block + 1
        line += max(item.lines[-1] for item in part)


@pytest.mark.slow
def test_a_long_document_is_aligned_as_its_parts_are() -> None:
    order = [*DOCUMENTS, *reversed(DOCUMENTS), *DOCUMENTS[::2], *DOCUMENTS[1::2]]
    documents = {document: sides(document) for document in DOCUMENTS}
    zh, en = (list(joined([documents[document][side] for document in order])) for side in (0, 1))
    assert min(len(zh), len(en)) > 2500
    found = list(align(zh, en))
    assert [i.name for g in found for i in g.zh] == [i.name for i in zh]  # each once, in order
    assert [i.name for g in found for i in g.en] == [i.name for i in en]
    expected = set()
    for number, document in enumerate(order):
        for group in align(*documents[document]):
            expected.add(tuple(tuple(f"{number}:{i.name}" for i in side) for side in (group.zh, group.en)))
    ours = {(tuple(i.name for i in group.zh), tuple(i.name for i in group.en)) for group in found}
    assert len(ours - expected) <= 0.005 * len(ours), sorted(ours - expected)


@pytest.mark.parametrize(("zh_size", "en_size"), [(2400, 1100), (600, 2400), (1300, 5)])
def test_long_documents_of_unequal_size_lose_nothing(zh_size: int, en_size: int) -> None:
    zh, en = (
        split_blocks(extract({side: text * 60})[0][side])
        for side, text in (("zh", articles(0)), ("en", articles(1)))
    )  # type: ignore[index, dict-item]
    zh, en = (list(joined([part] * 10))[:size] for part, size in ((zh, zh_size), (en, en_size)))
    groups = list(align(zh, en))
    assert [i.name for g in groups for i in g.zh] == [i.name for i in zh]
    assert [i.name for g in groups for i in g.en] == [i.name for i in en]
