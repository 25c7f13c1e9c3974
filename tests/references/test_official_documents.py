"""What real laws, treaties and reports do: kinds of numbers, scripts, languages and layouts, in invented texts."""

from __future__ import annotations

import pytest

from bench.references.alignment.pipeline import BuildResult, build_segments
from bench.references.reading.read import SourceText
from bench.references.script import to_simplified
from bench.references.segmentation.foreign import FOREIGN
from bench.references.segmentation.numbering import Outline, find_numbering


def built(zh: str, en: str = "") -> BuildResult:
    """`zh` holds both languages if there is no `en`."""
    texts = {"zh": zh, "en": en} if en else {"both": zh}
    return build_segments(SourceText(texts, False, ()))  # type: ignore[arg-type]


def pairs(result: BuildResult) -> list[tuple[str, str]]:
    return [(segment.zh, segment.en) for segment in result.segments]


@pytest.mark.parametrize(
    ("language", "text", "number", "path"),
    [
        ("zh", "第三條　機關", "第三條", "3"),
        ("zh", "第 3 節 總則", "第 3 節", "3"),
        ("zh", "第十二編", "第十二編", "12"),
        ("zh", "第 12-3 條", "第 12-3 條", "12-3"),
        ("zh", "第十二條之三　機關", "第十二條之三", "12-3"),
        ("en", "Article 12-3 The Board", "Article 12-3", "12-3"),
        ("en", "Section 12A The Board", "Section 12A", "12-A"),
        ("zh", "第12A條　機關", "第12A條", "12-A"),
        ("zh", "第十條*", "第十條*", "10"),
        ("en", "Part Three Appeals", "Part Three", "3"),
        ("zh", "㈣犬只", "㈣", "4"),
        ("zh", "⑵犬只", "⑵", "2"),
        ("zh", "⒊犬只", "⒊", "3"),
        ("zh", "Ⅳ. 犬只", "Ⅳ.", "4"),
        ("zh", "五　公園", "五", "5"),
        ("zh", "（c）犬只", "（c）", "3"),
        ("zh", "c. 犬只", "c.", "3"),
        ("zh", "B) 犬只", "B)", "2"),
        ("en", "c. dogs", "c.", "3"),
        ("en", "ii) dogs", "ii)", "2"),
        ("en", "（2）Dogs", "（2）", "2"),
        ("zh", "2.3 犬只", "2.3", "2.3"),
        ("zh", "2.3.4犬只", "2.3.4", "2.3.4"),
        ("en", "2.3.4. dogs", "2.3.4.", "2.3.4"),
        ("en", "2.3 Dogs", "2.3", "2.3"),
        ("en", "§ 7.2 Dogs", "§ 7.2", "7.2"),
        ("zh", "第IVA部　犬隻", "第IVA部", "4-A"),
        ("en", "Part IVA Dogs", "Part IVA", "4-A"),
        ("zh", "第十二條-A", "第十二條-A", "12-A"),
        ("zh", "第六条之二", "第六条之二", "6-2"),
        ("en", "Article 6bis Dogs", "Article 6bis", "6-2"),
        ("en", "Article 6 bis", "Article 6 bis", "6-2"),
        ("zh", "第5.2条 犬只", "第5.2条", "5-2"),
        ("en", "Rule 5.2 Dogs", "Rule 5.2", "5-2"),
        ("zh", "貳、犬隻", "貳、", "2"),
        ("zh", "乙、犬隻", "乙、", "2"),
        ("zh", "二．犬只", "二．", "2"),
        ("zh", "二 犬只", "二", "2"),
        ("zh", "〔二〕犬隻", "〔二〕", "2"),
        ("zh", "第二项　犬只", "第二项", "2"),
        ("zh", "附錄B　犬隻", "附錄B", "annex2"),
        ("en", "Appendix B Dogs", "Appendix B", "annex2"),
        ("en", "Annex 1A Dogs", "Annex 1A", "annex1-A"),
        ("en", "Attachment 2: Dogs", "Attachment 2:", "annex2"),
        ("zh", "5A. 犬隻", "5A.", "5-A"),
        ("en", "5A. Dogs", "5A.", "5-A"),
        ("zh", "(2A) 犬隻", "(2A)", "2-A"),
        ("en", "(2A) Dogs", "(2A)", "2-A"),
        ("zh", "(ba) 犬隻", "(ba)", "2-a"),
        ("en", "(ba) dogs", "(ba)", "2-a"),
        ("en", "(b)(i) dogs", "(b)", "2"),
        ("zh", "(II) 犬隻", "(II)", "2"),
        ("en", "(II) dogs", "(II)", "2"),
        ("zh", "B.3 犬只", "B.3", "2.3"),
        ("en", "B.3 Dogs", "B.3", "2.3"),
        ("en", "5(2) Dogs", "5(2)", "5.2"),
        ("en", "Art. 5 Dogs", "Art. 5", "5"),
        ("en", "Clause 5 Dogs", "Clause 5", "5"),
        ("en", "3.Dogs", "3.", "3"),
        ("en", "(3)dogs", "(3)", "3"),
        ("en", "③ dogs", "③", "3"),
        ("en", "3 - Dogs", "3 -", "3"),
        ("en", "2.3 - dogs", "2.3 -", "2.3"),
        ("zh", "3 - 犬只", "3 -", "3"),
        ("zh", "3，犬只", "3，", "3"),
        ("en", "3.dogs may", "3.", "3"),
        ("en", "3)Dogs", "3)", "3"),
        ("en", "Chapter Ⅲ Dogs", "Chapter Ⅲ", "3"),
        ("zh", "第Ⅲ章 犬只", "第Ⅲ章", "3"),
        ("zh", "第3分部——犬隻", "第3分部——", "3"),
    ],
)
def test_numbers(language: str, text: str, number: str, path: str) -> None:
    numbering = find_numbering(text, language)  # type: ignore[arg-type]
    assert numbering is not None
    assert (numbering.number, ".".join(Outline().enter(numbering))) == (number, path)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "2.5万人"),
        ("zh", "三农问题"),
        ("en", "2.5 million people"),
        ("en", "1 Scope"),
        ("zh", "1 范围"),
        ("en", "is"),
        ("en", "I know"),
        ("en", "other"),
        ("zh", "甲、乙双方应当合作。"),
        ("zh", "5G、人工智能等技术"),
        ("zh", "第二项规定的费用"),
        ("zh", "一切国家"),
        ("en", "Article 5 applies to dogs"),
        ("en", "Section 3 provides that"),
        ("en", "Part of the costs"),
        ("en", "A.D. 1900 was"),
        ("en", "U.S. ships"),
        ("en", "(s)he may"),
        ("en", "Article 1-1 added, Article 3 amended"),
        ("en", "3 - 5 dogs"),
        ("zh", "3，000只"),
        ("zh", "第三条——第五条适用于犬只"),
    ],
)
def test_no_numbers(language: str, text: str) -> None:
    assert find_numbering(text, language) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("bullet", ["§", "o", "Ø", "\uf0b7", "\uf0a7", "•"])
def test_bullets_of_word_are_no_text(bullet: str) -> None:
    result = built(
        f"组织须：\n\n{bullet} 保留记录；\n\n分配时间。",
        f"It shall:\n\nKeep records;\n\n{bullet} Allocate time.",
    )
    assert pairs(result) == [
        ("组织须：", "It shall:"),
        ("保留记录；", "Keep records;"),
        ("分配时间。", "Allocate time."),
    ]


def test_bare_numbers_count_where_there_are_decimal_ones() -> None:
    result = built("1 范围\n\n1.1 总则\n\n2 术语", "1 Scope\n\n1.1 General\n\n2 Terms")
    assert [(s.zh_number, s.zh, s.en_number, s.en, s.section) for s in result.segments] == [
        ("1", "范围", "1", "Scope", "1"),
        ("1.1", "总则", "1.1", "General", "1.1"),
        ("2", "术语", "2", "Terms", "2"),
    ]


def test_a_number_is_apart_on_both_sides_or_on_neither() -> None:
    result = built(
        "各国应当合作。\n\n各国应当遵守公约。",
        "1. States shall cooperate.\n\n2. States shall observe the Convention.",
    )
    assert [(s.zh_number, s.en_number) for s in result.segments] == [("", ""), ("", "")]
    assert result.segments[0].en == "1. States shall cooperate."


def test_traditional_chinese_is_aligned_as_simplified_is_and_kept() -> None:
    assert to_simplified("第十四條 款項 abc") == "第十四条 款项 abc"
    zh = "第十四條　「委員會」負責防務。\n\n第十五條　駐軍費用由中央負擔。"
    en = "Article 14 The “Commission” is responsible for defence.\n\nArticle 15 The central authorities bear the expenditure."
    (first, second) = built(zh, en).segments
    assert (first.zh_number, first.zh) == ("第十四條", "「委員會」負責防務。")
    assert (second.zh_number, second.en_number) == ("第十五條", "Article 15")
    simplified = built(to_simplified(zh), en).segments
    assert [s.confidence for s in simplified] == [first.confidence, second.confidence]


def test_a_third_language_is_left_out() -> None:
    french = [
        "Le présent contrat régit le programme.",
        "La personne possède le logiciel.",
        "Chacun peut copier ce texte.",
    ]
    english = [
        "This contract governs the program.",
        "The person owns the software.",
        "Everyone may copy this text.",
    ]
    chinese = ["本合同适用于程序。", "此人拥有软件。", "任何人可以复制本文。"]
    result = built("\n\n".join(text for row in zip(french, english, chinese, strict=True) for text in row))
    assert pairs(result) == list(zip(chinese, english, strict=True))
    assert [(entry.text, entry.reason) for entry in result.left_out] == [(text, FOREIGN) for text in french]


def test_a_third_language_parts_no_article_from_its_number() -> None:
    result = built(
        "Article 4\n\n第四条\n\nLes États coopèrent entre eux conformément à la Charte.\n\n"
        "States shall cooperate in accordance with the Charter.\n\n各国应当依照宪章合作。\n\n"
        "Tout différend est réglé par la négociation.\n\nAny dispute shall be settled by negotiation.\n\n任何争端应以谈判解决。"
    )
    assert [(s.zh_number, s.en_number, s.en[:6]) for s in result.segments] == [
        ("第四条", "Article 4", "States"),
        ("", "", "Any di"),
    ]


def test_addresses_do_not_tell_the_language() -> None:
    result = built("第三版\n\n2021年5月 https://example.org/licences/permissive/third-edition\n\n您可以使用本软件。\n\n"
                   "Third Edition\n\nMay 2021 https://example.org/licences/permissive/third-edition\n\nYou may use the software.")  # fmt: skip
    assert [en[:8] for _, en in pairs(result)] == ["Third Ed", "May 2021", "You may "]


@pytest.mark.parametrize("end", ["https://example.org/a", "(www.example.org)", "office@example.org"])
def test_a_last_sentence_may_end_in_an_address(end: str) -> None:
    result = built(
        f"请遵守本准则。\n\n本准则改编自各方去年共同通过的公约，该公约的第二版及其说明载于 {end}",
        f"Please follow this code.\n\nThis code is adapted from the covenant, see {end}",
    )
    assert len(result.segments) == 2


def test_the_space_after_a_run_in_heading_stays() -> None:
    result = built(
        "5. 费用 费用由双方分担。\n\n6. 费用由双方共同分担。",
        "5. Costs. The parties share the costs.\n\n6. The parties share the costs.",
    )
    assert [zh for zh, _ in pairs(result)] == ["费用 费用由双方分担。", "费用由双方共同分担。"]
