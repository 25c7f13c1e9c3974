"""Finds facts in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from bench.facts.mention import (
    Date,
    Mention,
    Name,
    Number,
    Quantity,
    Reading,
    Section,
    Text,
    mention,
    read_numbers,
)
from bench.facts.sections import ZH_LABELS
from bench.references.segmentation.numbers import (
    MAX_QUANTITY_LENGTH,
    parse_chinese_quantity,
    parse_number,
)

_SAME_LENGTH = str.maketrans(
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {
        ord(old): new
        for old, new in zip(
            "萬億兩點號條項節編圓歐鎊餘個\u3000\xa0", "万亿两点号条项节编元欧镑余个  ", strict=True
        )
    }
)
_FINANCIAL = str.maketrans("壹贰貳叁參肆伍陆陸柒捌玖拾佰仟", "一二二三三四五六六七八九十百千")
_FINANCIAL_RUN = re.compile("[壹贰貳叁參肆伍陆陸柒捌玖拾佰仟零万亿]{2,}")

_H = "〇○零一二两三四五六七八九十百千万亿"
_NUMERAL = rf"(?:\d{{1,{MAX_QUANTITY_LENGTH}}}|[{_H}]{{1,{MAX_QUANTITY_LENGTH}}})"
_U = "(?:[十百万亿]|千(?![瓦米克伏卡赫焦帕]))"  # 千瓦 is a unit: kilowatt
_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,9}(?!\d)(?:\.\d{1,20})?|\d{1,30}(?:\.\d{1,20})?)"
_QUANTITY = (
    rf"{_DIGITS}(?: ?[余多]?(?:{_U}[零\d.]{{0,10}}){{1,6}})?"
    rf"|(?:[〇○零一二两三四五六七八九]|{_U}){{1,30}}(?:点[〇零一二三四五六七八九]{{1,9}})?[余多]?[万亿]{{0,2}}"
)
_YEAR = r"(?:\d{4}|[〇○零一二三四五六七八九]{4})"
_SMALL = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"

_DATES = re.compile(
    rf"(?:({_YEAR}) ?年)(?: ?({_SMALL}) ?月(?!份额))?(?: ?({_SMALL}) ?[日号])?"
    rf"|({_SMALL}) ?月(?: ?({_SMALL}) ?[日号])?|(?<![\d/])({_SMALL}) ?[日号](?![内本])"
    r"|(?<![\d./-])(\d{4})([-/.])(\d{1,2})\8(\d{1,2})(?![\d./-])"
    r"|(?<![\d./-])(\d{4})[-/](\d{2})(?![\d./-]| ?年)"  # 2021-12
)
_PLANS = re.compile(
    "十[一二三四]五(?=[”’」』]?(?:规划|计划|时期|期间|开局|以来|末|纲要|收官|实现|$))|(?<=[“「『])十[一二三四]五(?=[”」』])"
)
_DECADES = re.compile(
    rf"(?:({_NUMERAL}|上) ?世纪 ?)?(?:([二三四五六七八九\d])(?:0 ?)?[、至到-]?)?([二三四五六七八九]十|\d0) ?年代"
)
_YEAR_RANGE = re.compile(rf"({_YEAR})(?= ?(?:[-–—~至到]|——) ?{_YEAR} ?年)")
_SECTIONS = re.compile(
    rf"第 ?({_NUMERAL}(?: ?[、和及至到—-] ?第? ?{_NUMERAL}){{0,9}}) ?(条|款|项|目|章|节|分编|编|部分)"
    rf"|(附件|附录|附表|专栏|表|图) ?({_NUMERAL}|[IVX]{{1,5}}|[A-Z](?![A-Za-z]))(?![\d.万亿年月日个])"
)
_ITEMS = re.compile(
    rf"\(({_NUMERAL}|[a-zA-Z]|[ivx]{{1,5}})\)|([①-⑳])|(?:^|(?<=\n))\s*({_SMALL})(?:、|\.(?!\d))"
)
_PERCENT = re.compile(
    rf"({_QUANTITY}) ?(?:%|％|个百分点)|百分之({_QUANTITY})|({_SMALL})成(?![为员立果长功本就绩都])"
)
_FRACTIONS = re.compile(
    rf"({_SMALL}|百|千|万)分之({_QUANTITY})|(?<![\d./])(\d{{1,3}})/(\d{{1,4}})(?![\d./]|[十百千万亿])"
)
PER_MILLE = re.compile(r"(\d{1,30}(?:\.\d{1,20})?) ?(?:‰|per (?:thousand|mille?)\b)")
_HALF = re.compile("一半|半数")
_CURRENCIES = {
    "美元": "USD", "美金": "USD", "欧元": "EUR", "英镑": "GBP", "日元": "JPY", "港元": "HKD", "港币": "HKD",
    "人民币": "CNY", "元人民币": "CNY", "卢布": "RUB", "韩元": "KRW", "澳元": "AUD", "加元": "CAD", "元": "CNY",
    "瑞士法郎": "CHF", "新加坡元": "SGD", "卢比": "INR",
}  # fmt: skip
_SIGNS = {
    "US$": "USD",
    "USD": "USD",
    "HK$": "HKD",
    "$": "$",
    "€": "EUR",
    "£": "GBP",
    "¥": "CNY",
    "人民币": "CNY",
}
_NUMBERS = re.compile(
    rf"({'|'.join(map(re.escape, _SIGNS))})? ?({_QUANTITY})[余多]? ?"
    rf"({'|'.join(sorted(_CURRENCIES, key=len, reverse=True))})?"
)
_SCALE = re.compile(r"\d ?[余多]?([十百千万亿]+)$|([万亿]+)$")
_COUNTED = re.compile(
    r"[年月日天条章节个项部名次届国种类大位家件份款人岁周时秒倍级省市县区号期层座台辆架艘公里米吨元是]|中全会|平方|分钟|小时|\s*[,.]"
)
_COUNTS = re.compile(r"\s?[例人个名家万亿元米吨公件台套部场次条辆份亩户所座只天位点多余]")
_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_WEAK = re.compile("[双俩两半首单唯]|世纪|[中正]午")
_WEAK_VALUES = {"双": 2, "俩": 2, "两": 2, "首": 1, "单": 1, "唯": 1, "世纪": 100, "中午": 12, "正午": 12}


def fold(text: str) -> str:
    """The text with simplified numerals and labels in half width. Every character keeps its offset."""
    text = text.translate(_SAME_LENGTH)
    return _FINANCIAL_RUN.sub(lambda match: match[0].translate(_FINANCIAL), text)


def find(rest: Text) -> list[Mention]:
    """The facts of a folded text, except names."""
    mentions = rest.take(_DECADES, _decade)
    mentions += rest.take(_PLANS, lambda m: mention(m, Quantity(Fraction(int(parse_number(m[0][:2]) or 0)))))
    mentions += rest.take(_YEAR_RANGE, lambda m: mention(m, *_year(int(parse_number(m[1]) or 0))))
    mentions += _inherit(rest.take(_DATES, _date), rest.text)
    mentions += rest.take(_SECTIONS, _section)
    mentions += rest.take(_ITEMS, _item)
    numbers: list[Number] = []
    rest.take(_PERCENT, lambda m: _keep(numbers, m, m[1] or m[2] or m[3], "%", 10 if m[3] else 1))
    mentions += rest.take(_FRACTIONS, _fraction)
    mentions += rest.take(PER_MILLE, per_mille)
    mentions += rest.take(_HALF, lambda m: mention(m, Quantity(Fraction(1, 2))))
    rest.take(
        _NUMBERS,
        lambda m: _keep(numbers, m, m[2], _CURRENCIES.get(m[3] or "", "") or _SIGNS.get(m[1] or "", "")),
    )
    mentions += read_numbers(numbers, rest.text)
    mentions += rest.take(_WEAK, _weak)
    return mentions


def _keep(
    numbers: list[Number], match: re.Match[str], text: str, unit: str, factor: int = 1
) -> tuple[()] | None:
    """Add a number to `numbers`."""
    plain = re.sub("[余多 ]", "", text)
    value = parse_chinese_quantity(plain)
    if value is None:
        return None
    scale = 1
    if found := _SCALE.search(text):
        for character in found[1] or found[2]:
            scale *= _SCALES[character]
    # A lone numeral counts only before a measure word or after 第: 一切 and 三角 are not quantities.
    lone = (len(plain) == 1 and not plain.isdigit()) or not re.search(r"[〇○零一二两三四五六七八九\d]", plain)
    before = match.string[match.start() - 1 : match.start()]
    # 十多 is vague, and 万一 means "in case".
    weak = (
        (plain == "十" and plain != text)
        or plain == "万一"
        or (
            lone
            and not unit
            and not (before == "第" or (_COUNTED.match(match.string, match.end()) and len(plain) == 1))
        )
    )
    readings: tuple[Reading, ...] = ()
    is_counted = _COUNTS.match(match.string, match.end())
    if plain.isdigit() and len(plain) == 4 and not unit and 1000 <= value <= 2100 and not is_counted:
        readings = (Date(int(value)),)
    numbers.append(
        Number(
            mention(match, *readings, weak=weak or (before in ("数", "几") and lone)),
            value * factor,
            scale,
            unit,
        )
    )
    return ()


def _year(year: int) -> tuple[Reading, ...]:
    return (Date(year), Quantity(Fraction(year)))


def _date(match: re.Match[str]) -> Mention | None:
    year, month, day, month2, day2, day3, iso_year, _, iso_month, iso_day, year2, month3 = match.groups()
    numbers = [
        parse_number(text) or 0 if text else 0
        for text in (
            year or iso_year or year2,
            month or month2 or iso_month or month3,
            day or day2 or day3 or iso_day,
        )
    ]
    if numbers[1] > 12 or (month3 and not numbers[1]) or numbers[2] > 31:
        return None
    readings: list[Reading] = [Date(*numbers)]
    if sum(map(bool, numbers)) == 1:
        readings.append(Quantity(Fraction(sum(numbers))))
    return mention(match, *readings)


_UNTIL = re.compile(r"\s?(?:[-–—~～至到和、]|——)\s?")


def _inherit(dates: list[Mention], text: str) -> list[Mention]:
    """7月25日至31日: 31 is a day of July. A date in a range or list takes what it does not say from the one
    before it."""
    complete: list[Mention] = []
    for date in dates:
        previous = complete[-1].readings[0] if complete else None
        own = date.readings[0]
        if (
            isinstance(previous, Date)
            and isinstance(own, Date)
            and not own.year
            and _UNTIL.fullmatch(text[complete[-1].end : date.start])
        ):
            inherited = Date(previous.year, own.month or previous.month, own.day)
            date = replace(date, readings=(inherited, *date.readings))
        complete.append(date)
    return complete


def _decade(match: re.Match[str]) -> list[Mention]:
    """六七十年代 mentions two decades."""
    century = (parse_number(match[1]) or 20) if match[1] else 20
    decades = [10 * (parse_number(match[2]) or 0)] if match[2] else []
    decades.append(parse_number(match[3]) or 0)
    return [mention(match, Quantity(Fraction((century - 1) * 100 + years), "decade")) for years in decades]


def _section(match: re.Match[str]) -> list[Mention] | None:
    labels = ZH_LABELS[match[2] or match[3]]
    mentions = []
    group = 1 if match[1] else 4
    for part in re.finditer(rf"{_NUMERAL}|[IVX]+", match[group]):
        number = parse_number(part[0])
        if number is None:
            return None
        readings: list[Reading] = [Section(label, number) for label in labels]
        readings.append(Quantity(Fraction(number)))
        start = match.start() if len(match[group]) == len(part[0]) else match.start(group) + part.start()
        end = match.end() if len(match[group]) == len(part[0]) else match.start(group) + part.end()
        mentions.append(Mention(tuple(readings), match.string[start:end], start, end))
    return mentions


def _item(match: re.Match[str]) -> Mention | None:
    return mention(match, *item_readings(match[1] or match[2] or match[3]))


def item_readings(text: str) -> Iterator[Reading]:
    """The numbers that an enumerator may mean: (i) is 1 or 9."""
    numbers = {parse_number(text)}
    if len(text) == 1 and text.isascii() and text.isalpha():
        numbers.add(ord(text.lower()) - ord("a") + 1)
    for number in sorted(number for number in numbers if number is not None):
        yield Section("item", number)
        if not text.isalpha() or not text.isascii():
            yield Quantity(Fraction(number))


def _fraction(match: re.Match[str]) -> Mention | None:
    below = parse_chinese_quantity(match[1] or match[4])
    above = parse_chinese_quantity(match[2] or match[3])
    if not below or above is None:
        return None
    if match[1]:
        return mention(match, Quantity(above / below))
    return slashed(match, match[3], match[4])


def per_mille(match: re.Match[str]) -> Mention:
    return mention(match, Quantity(Fraction(match[1]) / 1000))


def slashed(match: re.Match[str], above: str, below: str) -> Mention | None:
    """1/3 is a fraction, 58/4 the number of a resolution."""
    if not int(below):
        return None
    quotient = Quantity(Fraction(int(above), int(below)))
    if int(above) < int(below):
        return mention(match, quotient)
    return mention(match, Name(f"{int(above)}/{int(below)}"), quotient)


def _weak(match: re.Match[str]) -> Mention:
    value = _WEAK_VALUES.get(match[0])
    return mention(match, Quantity(Fraction(1, 2) if value is None else Fraction(value)), weak=True)
