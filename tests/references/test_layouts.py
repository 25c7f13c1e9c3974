"""Layouts of real documents, in invented texts: lines in turn, titles over several lines, lists, contents tables."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

import pytest

from bench.references.alignment.order import out_of_order
from bench.references.segmentation.extract import extract
from bench.references.segmentation.page_furniture import find_page_furniture
from bench.references.segmentation.pieces import split_lines
from tests.references.test_official_documents import built, pairs


def test_a_notice_with_lines_in_turn() -> None:
    zh_en = built(
        "申請費用\nFees\n\n申請人須於三十日內向辦事處繳付全部費用，\n否則申請無效\n"
        "Applicants pay all fees to the office within\nthirty days\n"
        "辦事處會發出收據\nThe office issues\nReceipts\n費用不退還\nFees are not refunded\n"
    )
    assert pairs(zh_en)[-2:] == [
        ("辦事處會發出收據", "The office issues Receipts"),
        ("費用不退還", "Fees are not refunded"),
    ]


def test_a_title_over_several_lines() -> None:
    zh = "市政府\n關於渡輪安全及\n檢驗費用的決定\n（2019年5月3日通過）\n\n渡輪應每年檢驗。"
    en = (
        "Decision of the Municipal Government\non the Safety of Ferries\nand the Fees for Inspection\n"
        "(Adopted on 3 May 2019)\n\nFerries shall be inspected every year."
    )
    assert pairs(built(zh, en))[0] == (
        "市政府關於渡輪安全及檢驗費用的決定",
        "Decision of the Municipal Government on the Safety of Ferries and the Fees for Inspection",
    )


def test_rows_of_a_list_without_gaps_stay_apart() -> None:
    result = built(
        "清单如下：\n\n成品油\n化肥\n天然橡胶",
        "The list is as follows:\n\nProcessed oil\nFertilizers\nNatural rubber",
    )
    assert [zh for zh, _ in pairs(result)] == ["清单如下：", "成品油", "化肥", "天然橡胶"]


def test_items_in_turn_that_end_in_commas() -> None:
    result = built(
        "委员会包括：\nThe Commission includes:\n\n部长，\na minister,\n\n法官三人，\nthree judges,\n\n秘书。\na secretary.\n\n"
        "委员会每年开会。\nThe Commission meets every year."
    )
    assert ("法官三人，", "three judges,") in pairs(result)
    assert len(result.segments) == 5


def test_a_term_above_its_definition() -> None:
    result = built(
        "2.1 “软件”\n指程序。\n\n2.2 “作者”\n指写程序的人。",
        "2.1. “Software”\nmeans a program.\n\n2.2. “Author”\nmeans a person who writes programs.",
    )
    assert [zh for zh, _ in pairs(result)] == ["“软件”", "指程序。", "“作者”", "指写程序的人。"]


def test_a_number_a_term_and_its_definition_on_a_line_each() -> None:
    result = built(
        "2.1\n渡轮\n用于运送车辆的船舶\n\n2.2\n乘客\n乘坐渡轮的人\n\n2.3\n船长\n指挥渡轮的人",
        "2.1\nferry\nvessel that carries vehicles\n\n2.2\npassenger\nperson who travels on a ferry\n\n"
        "2.3\nmaster\nperson in command of a ferry",
    )
    assert pairs(result)[2:4] == [("乘客", "passenger"), ("乘坐渡轮的人", "person who travels on a ferry")]


def test_long_lines_of_a_contents_table_do_not_hide_that_paragraphs_are_wrapped() -> None:
    contents = "".join(f"3.{n} 渡轮的检验{'.' * 90}{n + 1}\n" for n in range(1, 9))
    text = f"目录\n\n{contents}\n渡轮公司应当每年对全部渡轮进行检验，检验的结果应当在每年\n年底以前公布。\n"
    zh = extract({"zh": text})[0]["zh"]
    assert zh[-1].text.count("\n") == 1


def test_lines_of_a_contents_table_are_left_out() -> None:
    text = "Table of Contents\n\nScope . . . . . . . B1\nTerms …………… 2\nAnnex A\t12\nAnnex B\t15\n\nIn 2020\n\nThe plan ends... 3 ships sailed."
    dropped = find_page_furniture(split_lines(text, "en"))
    assert {piece.line for piece, reason in dropped.items() if reason == "line of a table of contents"} == {
        1,
        3,
        4,
        5,
        6,
    }


def test_a_wrapped_notice_above_paragraphs_that_are_not_wrapped() -> None:
    notice = (
        "中華民國九十年十一月十四日渡輪字第 9000223510 號令制定公布全文二\n十條；並自公布日施行\n"
        "中華民國九十五年一月十六日港務處院字第 0910080314 號令發布自九十\n五年四月一日施行\n"
        "中華民國一百年八月二十四日港務處院字第 1110184307 號公告第三條所列\n屬港務處之事項改由渡輪處管轄\n"
    )
    articles = "".join(
        f"\n第 {n} 條\n渡輪公司應每年檢驗全部渡輪，並公布其結果，檢驗人員應於檢驗後三十日內向港務處提出書面報告。\n一、渡輪。\n"
        for n in range(1, 9)
    )
    zh = extract({"zh": f"渡輪法\n\n{notice}{articles}"})[0]["zh"]
    assert [len(block.lines) for block in zh[1:4]] == [2, 2, 2]


def test_rows_in_two_languages_are_not_joined() -> None:
    rows = (
        "本公约各缔约国， The Parties to this Convention,\n"
        "考虑到渡轮在海上运输历史上的重要地位以及各国人民之间的友好往来， "
        "Considering the important place of ferries in the history of sea transport and friendly exchanges,\n"
        "认识到必须每年检验渡轮并且公布检验的结果以保护乘客的生命和财产， "
        "Recognizing that ferries must be inspected every year to protect the lives and property of passengers,\n"
        "确信各国应当合作以便统一检验的标准并且降低检验的费用， "
        "Convinced that States should cooperate to harmonize the standards of inspection and reduce its costs,\n"
        "议定如下。 Have agreed as follows.\n"
    )
    assert [zh[:2] for zh, _ in pairs(built(rows))] == ["本公", "考虑", "认识", "确信", "议定"]


def test_both_languages_on_a_numbered_line() -> None:
    result = built(
        "3. Termination终止\n\nThe licence ends at once.\n\n许可立即终止。\n\n"
        "4) You must give notice (1) in writing and (2) in time. 您必须(1)书面(2)及时通知。\n\nMicrosoft公司提供软件。\n\nThe company provides software."
    )
    texts = pairs(result)
    assert ("终止", "Termination") in texts
    assert ("您必须（1）书面（2）及时通知。", "You must give notice (1) in writing and (2) in time.") in texts


def test_a_number_on_a_line_of_its_own_belongs_to_what_follows() -> None:
    pieces = split_lines("作品\n\n(c)\n\n其他权利\n\nThe work\n\n2.1\n\nOther rights", None)
    assert [piece.language for piece in pieces] == ["zh", "zh", "zh", "en", "en", "en"]


def test_a_bracket_over_a_line_end_in_a_narrow_column() -> None:
    result = built(
        "许可材料（Licensed\nMaterial）可以复制。\n\n公众应当遵守。",
        "Licensed Material may be copied.\n\nThe public shall comply.",
    )
    assert [zh for zh, _ in pairs(result)] == ["许可材料（Licensed Material）可以复制。", "公众应当遵守。"]


def test_definitions_in_each_languages_order() -> None:
    zh = "在本部中——\n\n“人”(person)包括法团；\n\n土地 (land) 包括水域；\n\n合約 (contract) 指書面合約；"
    en = "In this Part—\n\ncontract (合約) means a written contract;\n\n“land” (土地) includes water;\n\nperson (人) includes a corporation;"
    result = built(zh, en)
    assert [(s.zh[:2], s.en[:9]) for s in result.segments] == [
        ("在本", "In this P"),
        ("“人", "person (人"),
        ("土地", "“land” (土"),
        ("合約", "contract "),
    ]
    assert not list(out_of_order(result.segments, "en"))


def test_definitions_with_items_in_each_languages_order() -> None:
    zh = (
        "在本部中——\n人 (person)——\n(a) 包括法团；及\n(b) 不包括政府；\n第1类水域 (Type 1 waters) 指海港；\n"
        "合约 (contract)——\n(a) 指书面合约；但\n(b) 不包括租约；"
    )
    en = (
        "In this Part—\ncontract (合约)—\n(a) means a written contract; but\n(b) does not include a lease;\nperson (人)—\n"
        "(a) includes a corporation; and\n(b) does not include the Government;\nType 1 waters (第1类水域) means the harbour;"
    )
    result = built(f"{zh}\n\n{en}")
    assert pairs(result) == [
        ("在本部中——", "In this Part—"),
        ("人（person）——", "person (人)—"),
        ("包括法团；及", "includes a corporation; and"),
        ("不包括政府；", "does not include the Government;"),
        ("第1类水域（Type 1 waters）指海港；", "Type 1 waters (第1类水域) means the harbour;"),
        ("合约（contract）——", "contract (合约)—"),
        ("指书面合约；但", "means a written contract; but"),
        ("不包括租约；", "does not include a lease;"),
    ]
    assert not list(out_of_order(result.segments, "en"))


@pytest.mark.parametrize(
    ("header", "heads"),
    [
        ("Ferries Ordinance\n\nPart {}\nSection {}", ("Part", "Section")),
        (
            "Ferries Ordinance\nof the Northern Harbour\nSchedule 2—Part {}\n\nSection {}",
            ("Schedule", "Section"),
        ),
    ],
    ids=["below one line", "below two lines"],
)
def test_heads_that_change_from_page_to_page(header: str, heads: tuple[str, str]) -> None:
    page = f"\f{header}\n\n({{}}) The owner shall {{}} the ferry every year.\n"
    text = "".join(
        page.format(n // 2 + 1, n, n, verb)
        for n, verb in enumerate(("inspect", "repair", "clean", "paint"), 1)
    )
    dropped = find_page_furniture(split_lines(text, "en"))
    assert sum(piece.text.startswith(heads) for piece in dropped) == 8


def test_an_indented_item_has_narrower_lines_than_the_text() -> None:
    text = (
        "港口的渡輪公司應當在每年一月以前向港務處提交報告，並應在\n報告中列明各項檢驗的日期和結果，以及檢驗人員的姓名和職\n"
        "位，有關報告須附有下列資料——\n(i) 公司在過去一年內檢驗渡輪的次\n數以及每次檢驗的費用和所發現的\n問題；及\n"
        "(ii) 渡輪的名稱、編號、\n噸位和長度。\n"
    )
    zh = extract({"zh": text})[0]["zh"]
    assert [len(block.lines) for block in zh] == [3, 3, 2]


def test_paragraphs_in_turn_are_paired_with_their_neighbour() -> None:
    rows = [("移动{}。", "The {} is moved. It is moved to the left side of the sheet.")] * 6
    names = [
        ("顶线", "head"),
        ("底线", "foot"),
        ("边框", "edge"),
        ("竖栏", "column"),
        ("横栏", "row"),
        ("画框", "frame"),
    ]
    texts = [(zh.format(a), en.format(b)) for (zh, en), (a, b) in zip(rows, names, strict=True)]
    result = built("\n\n".join(f"{en}\n\n{zh}" for zh, en in texts))
    assert pairs(result) == texts


def test_segments_that_cross_in_the_source_are_left_out() -> None:
    zh = "iv © 协会 2020 – 详情请访问 www.bridges.org\n本文以 Open Licence （OP-BY-4.0）许可证授权。\n  标准 2.1 – 行业标准\n  以钢材形式交付；"
    en = "To ensure a list of parts of the supplied bridge used to\nunderstand the obligations\n3.2 Compliance\n  § Supplied in steel;"
    result = built(zh, en)
    assert not [index for language in ("zh", "en") for index in out_of_order(result.segments, language)]  # type: ignore[arg-type]


def test_cells_that_begin_with_a_small_letter_stay_apart() -> None:
    result = built(
        "费用如下。\n\n船型\n\n小型渡轮\n\n大型渡轮\n\n渡轮应当每年检验。",
        "The fees are as follows.\n\nType\n\nsmall ferry\n\nlarge ferry\n\nFerries shall be inspected every year.",
    )
    assert pairs(result)[1:4] == [("船型", "Type"), ("小型渡轮", "small ferry"), ("大型渡轮", "large ferry")]


CONTENTS = ("一、渡轮的发展", "二、渡轮的安全", "结束语")
BODY = "\n\n".join(f"{title}\n\n渡轮是重要的交通工具。" for title in CONTENTS)


@pytest.mark.parametrize(
    "entries",
    [[f"{title} {page}" for page, title in enumerate(CONTENTS, 3)], [f"{title}\t{page}" for page, title in enumerate(CONTENTS, 3)]],
    ids=["spaces", "tabs"],
)  # fmt: skip
def test_lines_below_the_title_of_the_contents_that_come_again_as_headings(entries: list[str]) -> None:
    text = "\n".join(["白皮书", "", "目　录", "", *entries, "", BODY])
    dropped = find_page_furniture(split_lines(text, "zh"))
    assert {piece.text for piece in dropped} == {"目　录", *entries}
    assert {piece.line for piece in dropped} == {3, 5, 6, 7}


def test_headings_without_page_numbers_stay_below_that_title() -> None:
    assert not find_page_furniture(split_lines("\n".join(["目录", *CONTENTS, "", BODY]), "zh"))
    text = "目录\n\n一、渡轮\n\n渡轮应当安全。\n\n二、乘客\n\n乘客应当购票。"
    assert not find_page_furniture(split_lines(text, "zh"))


@pytest.mark.parametrize("gap", [" / ", "\t", "    ", " | ", "／"])
def test_both_languages_on_one_line(gap: str) -> None:
    rows = [("渡轮条例", "Ferry Regulations"), ("渡轮应当安全。", "Ferries shall be safe."), ("船长负责。", "The master is responsible.")]  # fmt: skip
    result = built("\n\n".join(gap.join(row) for row in rows))
    assert pairs(result) == rows
    assert {entry.text for entry in result.left_out} == ({gap.strip()} if gap.strip() else set())


def test_two_columns_of_plain_text() -> None:
    en = (
        "The Parties shall cooperate in the protection of the river and its tributaries. Each Party inspects its "
        "ferries every year. The Joint Commission meets twice a year in one of the capitals."
    )
    zh = "双方应当合作保护河流及其支流。各方每年检查本国的渡轮。联合委员会每年在一方首都举行两次会议。"
    left, right = textwrap.wrap(en, 40), textwrap.wrap(zh, 18)
    rows = zip_longest(left, right, fillvalue="")
    result = built("\n".join(f"{first:48}{second}".rstrip() for first, second in rows))
    assert pairs(result) == [
        (f"{a}。", f"{b}.") for a, b in zip(zh.split("。"), en.rstrip(".").split(". "), strict=False)
    ]


def test_names_in_another_script_do_not_part_a_line() -> None:
    text = "第一条　渡轮应当安全。国际海事组织    (IMO) 的规则适用。\n\nArticle 1 Ferries shall be safe. The rules of the IMO apply."
    assert pairs(built(text))[1] == ("国际海事组织（IMO）的规则适用。", "The rules of the IMO apply.")


@pytest.mark.parametrize(
    "line", ["双方应当合作。The Parties shall cooperate.", "The Parties shall cooperate.双方应当合作。"]
)
def test_two_sentences_that_touch(line: str) -> None:
    assert pairs(built(line)) == [("双方应当合作。", "The Parties shall cooperate.")]
