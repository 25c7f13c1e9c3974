"""What texts mention: written by hand, and read back from what other libraries write."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction

import cn2an
import pytest
from num2words import num2words

from bench.facts import find
from bench.facts.mention import Date, Mention, Name, Quantity, Reading, Section, join, says
from bench.languages import Language
from bench.references.segmentation.numbers import parse_chinese_quantity


def number(value: float | str, unit: str = "") -> Quantity:
    return Quantity(Fraction(value), unit)


def strong(text: str, language: Language) -> list[Mention]:
    return [mention for mention in find(text, language) if not mention.weak]


SAME: list[tuple[str, str, Reading]] = [
    ("90亿", "9 billion", number(9_000_000_000)),
    ("一万五千亿", "1.5 trillion", number(1_500_000_000_000)),
    ("一亿二千万", "one hundred and twenty million", number(120_000_000)),
    ("1亿2000万", "120 million", number(120_000_000)),
    ("7.7亿", "770,000,000", number(770_000_000)),
    ("一万人", "10 000 people", number(10_000)),
    ("二百五十万", "two and a half million", number(2_500_000)),
    ("五十万", "half a million", number(500_000)),
    ("百分之五点二", "5.2 per cent", number("5.2", "%")),
    ("５．２％", "5.2%", number("5.2", "%")),
    ("三成", "thirty percent", number(30, "%")),
    ("下降2个百分点", "down 2 percentage points", number(2, "%")),
    ("5%至10%", "5 to 10 percent", number(5, "%")),
    ("三分之一", "one third", number("1/3")),
    ("三分之二", "two-thirds", number("2/3")),
    ("四分之三", "three quarters", number("3/4")),
    ("千分之三", "3 per thousand", number("3/1000")),
    ("3‰", "0.3 percent", number("3/1000")),
    ("半数以上", "more than half", number("1/2")),
    ("七国集团", "the G7", Name("g7")),
    ("世界卫生组织", "WHO", Name("who")),
    ("三中全会", "the third plenum", number(3)),
    ("90亿美元", "US$9 billion", number(9_000_000_000, "USD")),
    ("1000亿至2000亿美元", "USD 100bn-200bn", number(100_000_000_000, "USD")),
    ("人民币壹佰贰拾万元整", "RMB 1.2 million", number(1_200_000, "CNY")),
    ("7.5万亿元", "RMB7.5 trillion", number(7_500_000_000_000, "CNY")),
    ("一千欧元", "1000 euros", number(1000, "EUR")),
    ("二十一届", "the twenty-first session", number(21)),
    ("第75届", "the 75th session", number(75)),
    ("十多年来，三千五百人", "3,500 people", number(3500)),
    ("13.22亿千瓦", "1.322 billion watts", number(1_322_000_000)),
    ("“十四五”规划", "the 14th Five-Year Plan", number(14)),
    ("二〇二一年十二月", "December 2021", Date(2021, 12)),
    ("2021年12月1日", "December 1, 2021", Date(2021, 12, 1)),
    ("2021年12月1日", "1 December 2021", Date(2021, 12, 1)),
    ("2021年12月1日", "Dec. 1st, 2021", Date(2021, 12, 1)),
    ("2021年12月1日", "2021-12-01", Date(2021, 12, 1)),
    ("2021年12月", "2021-12", Date(2021, 12)),
    ("2021-12", "December 2021", Date(2021, 12)),
    ("2010年至2012年", "2010-12", Date(2012)),
    ("2001年11月10日", "this tenth day of November two thousand and one", Date(2001, 11, 10)),
    ("一九六八年七月一日", "the first day of July, one thousand nine hundred and sixty-eight", Date(1968, 7, 1)),
    ("7月25日至31日", "from 25 to 31 July", Date(0, 7, 31)),
    ("2011-2020年", "2011-2020", Date(2011)),
    ("25日", "on the 25th", Date(0, 0, 25)),
    ("20世纪90年代", "the 1990s", number(1990, "decade")),
    ("上世纪六七十年代", "the sixties", number(1960, "decade")),
    ("第四十八条", "Article 48", Section("article", 48)),
    ("第三条至第六条", "Articles 3 to 6", Section("article", 6)),
    ("第四、五条", "Articles 4 and 5", Section("article", 4)),
    ("第二款第（三）项", "paragraph 2 (c)", Section("item", 3)),
    ("第五条第一款", "the first paragraph of Article 5", Section("paragraph", 1)),
    ("第一章", "Chapter I", Section("chapter", 1)),
    ("附件二", "Annex II", Section("annex", 2)),
    ("（三）货物", "(c) goods", Section("item", 3)),
    ("三、货物", "3. Goods", Section("item", 3)),
    ("第58/4号决议", "resolution 58/4", Name("58/4")),
    ("美国", "the U.S.", Name("美国")),
    ("南非", "a South African doctor", Name("南非")),
    ("巴西", "Brazilians", Name("巴西")),
    ("联合国安理会", "the UN Security Council", Name("安理会")),
    ("加入WTO", "joined the WTO", Name("wto")),
    ("加入WTO", "joined the World Trade Organization", Name("wto")),
    ("新冠肺炎（COVID-19）", "Covid-19", Name("covid19")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zh", "en", "fact"), SAME, ids=lambda value: value if isinstance(value, str) else ""
)
def test_both_languages_say_it(zh: str, en: str, fact: Reading) -> None:
    assert says(find(zh, "zh"), fact), find(zh, "zh")
    assert says(find(en, "en"), fact), find(en, "en")


DIFFERENT: list[tuple[str, Language, Reading]] = [
    ("90亿美元", "zh", number(9_000_000_000, "CNY")),
    ("9 million", "en", number(9_000_000_000)),
    ("5.2", "en", number("5.2", "%")),
    ("第四十八款", "zh", Section("article", 48)),
    ("Article 84", "en", Section("article", 48)),
    ("December 1, 2020", "en", Date(2021, 12, 1)),
    ("December 2021", "en", Date(2021, 12, 1)),
    ("2020-21", "en", Date(2020, 12)),
    ("2010-12年", "zh", Date(2010, 12)),
    ("COVID-19", "en", number(19)),
    ("G20", "en", number(20)),
    ("US$5", "en", Name("美国")),
    ("let us go", "en", Name("美国")),
    ("You may go", "en", Date(0, 5)),
    ("the Party shall", "en", Section("part", 25)),
    ("一切", "zh", number(2)),
]


@pytest.mark.parametrize(("text", "language", "fact"), DIFFERENT)
def test_something_else_is_said(text: str, language: Language, fact: Reading) -> None:
    assert not says(find(text, language), fact)


@pytest.mark.parametrize("text", ["一切", "千方百计", "十分", "万一", "三角", "统一"])
def test_numerals_in_words_are_not_expected(text: str) -> None:
    assert strong(text, "zh") == []


@pytest.mark.parametrize("text", ["both sides", "a decade", "half a day", "a pair", "twice"])
def test_words_that_may_render_a_number_are_not_expected(text: str) -> None:
    assert [m for m in strong(text, "en") if isinstance(m.readings[0], Quantity)] == []


def test_chinese_numerals_that_cn2an_writes() -> None:
    generator = random.Random(1)
    for _ in range(2000):
        value = generator.randrange(10 ** generator.randrange(1, 16))
        assert parse_chinese_quantity(cn2an.an2cn(value, "low")) == value
        upper = cn2an.an2cn(max(value, 10), "up")
        assert says(find(f"共{upper}元", "zh"), number(max(value, 10), "CNY")), upper


def test_english_words_that_num2words_writes() -> None:
    generator = random.Random(2)
    for _ in range(2000):
        value = generator.randrange(2, 10 ** generator.randrange(1, 15) + 2)
        cardinal, ordinal = num2words(value), num2words(value, to="ordinal")
        assert says(find(cardinal, "en"), number(value)), cardinal
        assert says(find(ordinal, "en"), number(value)), ordinal


def test_dates_that_the_standard_library_writes() -> None:
    generator = random.Random(3)
    for _ in range(500):
        day = date(1900, 1, 1) + timedelta(days=generator.randrange(70_000))
        expected = Date(day.year, day.month, day.day)
        for form in ("%B %d, %Y", "%d %B %Y", "%b %d %Y", "%Y-%m-%d", "the %dth of %B %Y"):
            assert says(find(day.strftime(form), "en"), expected), day.strftime(form)
        for form in ("%Y年%m月%d日", "%Y-%m-%d", "%Y 年 %m 月 %d 日"):
            assert says(find(day.strftime(form), "zh"), expected), day.strftime(form)
        numerals = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))
        text = f"{numerals}年{cn2an.an2cn(day.month)}月{cn2an.an2cn(day.day)}日"
        assert says(find(text, "zh"), expected), text


def test_what_two_readings_share() -> None:
    assert join(Date(2021, 12, 1), Date(0, 12, 1)) == Date(0, 12, 1)
    assert join(Date(2021, 12), Date(2020, 12)) is None
    assert join(number(5, "%"), number(5)) == number(5)
    assert join(number(5, "USD"), number(5, "$")) == number(5, "$")
    assert join(number(50, "%"), number("1/2")) == number("1/2")
    assert join(number(1990, "decade"), number(1990)) is None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_offsets_are_those_of_the_text(language: Language) -> None:
    text = "第４８条，二〇二一年，壹佰元。" if language == "zh" else "Article 48, “December 2021”, US$100."
    for mention in find(text, language):
        assert 0 <= mention.start < mention.end <= len(text)
        if language == "en":
            assert text[mention.start : mention.end].strip() == mention.text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("separator", [", ", "-"])
def test_a_long_list_of_numbers_takes_as_long_as_it_is(separator: str, language: Language) -> None:
    """Each number looks at its neighbours only; with all readings of all others this would never end."""
    mentions = find(separator.join(str(number) for number in range(3000, 5000)) + " US$", language)
    assert len(mentions) >= 2000
    assert max(len(mention.readings) for mention in mentions) <= 4
