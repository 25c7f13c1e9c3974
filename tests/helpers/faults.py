"""Translations by hand, good and with one fault each. None is from the texts that COMET (embedded) learned
from, and none of the faults was made by its rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    direction: str
    source: str
    reference: str
    good: str
    """A translation in other words than the reference's."""
    faulty: dict[str, str]
    """Kind of fault -> `good` with it."""


CASES = [
    Case(
        "zh-en",
        "该法自2020年12月1日起施行。",
        "The law came into force on December 1, 2020.",
        "This law has been in effect since December 1, 2020.",
        {
            "number": "This law has been in effect since December 1, 2012.",
            "date": "This law has been in effect since September 1, 2020.",
            "negation": "This law has not been in effect since December 1, 2020.",
        },
    ),
    Case(
        "zh-en",
        "中国一贯主张和平利用核能，反对核武器扩散。",
        "China has always advocated the peaceful use of nuclear energy and opposed the proliferation of nuclear weapons.",
        "China consistently calls for nuclear energy to be used peacefully and is against the spread of nuclear weapons.",
        {
            "name": "Japan consistently calls for nuclear energy to be used peacefully and is against the spread of nuclear weapons.",
            "omission": "China consistently calls for nuclear energy to be used peacefully.",
            "negation": "China consistently calls for nuclear energy to be used peacefully and is not against the spread of nuclear weapons.",
        },
    ),
    Case(
        "zh-en",
        "星期三，商务部部长王文涛在北京会见了德国经济部长。",
        "On Wednesday, Commerce Minister Wang Wentao met with the German economy minister in Beijing.",
        "Minister of Commerce Wang Wentao received Germany's minister for economic affairs in Beijing on Wednesday.",
        {
            "date": "Minister of Commerce Wang Wentao received Germany's minister for economic affairs in Beijing on Friday.",
            "name": "Minister of Commerce Wang Wentao received France's minister for economic affairs in Beijing on Wednesday.",
            "place": "Minister of Commerce Wang Wentao received Germany's minister for economic affairs in Geneva on Wednesday.",
        },
    ),
    Case(
        "zh-en",
        "出口经营者不得在未取得许可证的情况下出口管制物项。",
        "Export operators shall not export controlled items without a license.",
        "Exporters may not export items under control unless they hold a licence.",
        {
            "negation": "Exporters may export items under control even if they hold no licence.",
            "opposite": "Importers may not import items under control unless they hold a licence.",
            "omission": "Exporters may not export items.",
        },
    ),
    Case(
        "zh-en",
        "今年上半年，全市出口额增长了12.5%，达到340亿元。",
        "In the first half of this year, the city's exports grew by 12.5% to 34 billion yuan.",
        "The city's exports rose 12.5 percent in the first six months of this year, reaching 34 billion yuan.",
        {
            "number": "The city's exports rose 21.5 percent in the first six months of this year, reaching 34 billion yuan.",
            "opposite": "The city's exports fell 12.5 percent in the first six months of this year, reaching 34 billion yuan.",
            "omission": "The city's exports rose 12.5 percent.",
        },
    ),
    Case(
        "zh-en",
        "专家们认为，这项技术不会威胁人类的安全，但需要更多的监督。",
        "Experts believe the technology will not threaten human safety but needs more oversight.",
        "According to experts, this technology does not endanger people's safety, though more supervision is required.",
        {
            "negation": "According to experts, this technology endangers people's safety, though more supervision is required.",
            "opposite": "According to experts, this technology does not endanger people's safety, though less supervision is required.",
            "omission": "According to experts, this technology does not endanger people's safety.",
        },
    ),
    Case(
        "zh-en",
        "会议于下午三点开始，共有27个国家的代表参加。",
        "The meeting began at three in the afternoon and was attended by representatives of 27 countries.",
        "The conference started at 3 p.m., with delegates from 27 countries taking part.",
        {
            "number": "The conference started at 3 p.m., with delegates from 72 countries taking part.",
            "opposite": "The conference ended at 3 p.m., with delegates from 27 countries taking part.",
            "omission": "The conference started at 3 p.m.",
        },
    ),
    Case(
        "zh-en",
        "他没有告诉母亲自己已经辞职了。",
        "He did not tell his mother that he had quit his job.",
        "He hasn't told his mother that he has already resigned.",
        {
            "negation": "He has told his mother that he has already resigned.",
            "name": "He hasn't told his sister that he has already resigned.",
        },
    ),
    Case(
        "en-zh",
        "The law came into force on December 1, 2020.",
        "该法自2020年12月1日起施行。",
        "这部法律从2020年12月1日开始生效。",
        {
            "number": "这部法律从2012年12月1日开始生效。",
            "date": "这部法律从2020年9月1日开始生效。",
            "negation": "这部法律从2020年12月1日开始不再生效。",
        },
    ),
    Case(
        "en-zh",
        "China has always advocated the peaceful use of nuclear energy and opposed the proliferation of nuclear weapons.",
        "中国一贯主张和平利用核能，反对核武器扩散。",
        "中国历来倡导以和平方式使用核能，并反对扩散核武器。",
        {
            "name": "印度历来倡导以和平方式使用核能，并反对扩散核武器。",
            "omission": "中国历来倡导以和平方式使用核能。",
            "negation": "中国历来倡导以和平方式使用核能，并不反对扩散核武器。",
        },
    ),
    Case(
        "en-zh",
        "On Wednesday, Commerce Minister Wang Wentao met with the German economy minister in Beijing.",
        "星期三，商务部部长王文涛在北京会见了德国经济部长。",
        "周三，商务部长王文涛在北京与德国经济部长会面。",
        {
            "date": "周五，商务部长王文涛在北京与德国经济部长会面。",
            "name": "周三，商务部长王文涛在北京与法国经济部长会面。",
            "place": "周三，商务部长王文涛在日内瓦与德国经济部长会面。",
        },
    ),
    Case(
        "en-zh",
        "Export operators shall not export controlled items without a license.",
        "出口经营者不得在未取得许可证的情况下出口管制物项。",
        "没有许可证，出口商不得出口受管制的物品。",
        {
            "negation": "没有许可证，出口商也可以出口受管制的物品。",
            "opposite": "没有许可证，进口商不得进口受管制的物品。",
            "omission": "出口商不得出口物品。",
        },
    ),
    Case(
        "en-zh",
        "In the first half of this year, the city's exports grew by 12.5% to 34 billion yuan.",
        "今年上半年，全市出口额增长了12.5%，达到340亿元。",
        "今年前六个月，该市出口增长12.5%，达340亿元。",
        {
            "number": "今年前六个月，该市出口增长21.5%，达340亿元。",
            "opposite": "今年前六个月，该市出口下降12.5%，达340亿元。",
            "omission": "今年前六个月，该市出口增长12.5%。",
        },
    ),
    Case(
        "en-zh",
        "Experts believe the technology will not threaten human safety but needs more oversight.",
        "专家们认为，这项技术不会威胁人类的安全，但需要更多的监督。",
        "专家相信该技术不会危及人的安全，但是需要加强监管。",
        {
            "negation": "专家相信该技术会危及人的安全，但是需要加强监管。",
            "opposite": "专家相信该技术不会危及人的安全，但是需要放松监管。",
            "omission": "专家相信该技术不会危及人的安全。",
        },
    ),
    Case(
        "en-zh",
        "The meeting began at three in the afternoon and was attended by representatives of 27 countries.",
        "会议于下午三点开始，共有27个国家的代表参加。",
        "会议在下午三点召开，来自27个国家的代表出席。",
        {
            "number": "会议在下午三点召开，来自72个国家的代表出席。",
            "date": "会议在上午九点召开，来自27个国家的代表出席。",
            "omission": "会议在下午三点召开。",
        },
    ),
    Case(
        "en-zh",
        "He did not tell his mother that he had quit his job.",
        "他没有告诉母亲自己已经辞职了。",
        "他还没跟妈妈说他辞了工作。",
        {
            "negation": "他已经跟妈妈说他辞了工作。",
            "name": "他还没跟姐姐说他辞了工作。",
        },
    ),
]
