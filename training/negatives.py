"""Artificial faults that a metric must notice, for English, Chinese and German.

Each rule changes one thing and leaves the rest of the text as it was, so that the two texts differ only in
the fault. A rule returns None if the text has nothing that it can change. `rng` chooses between the possible
changes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from bench.languages import HAN

Rule = Callable[[str, random.Random], str | None]

_EXCHANGEABLE: dict[str, list[list[str]]] = {
    "date": [
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
        "January February March April June July August September October November December".split(),
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),
        "星期一 星期二 星期三 星期四 星期五 星期六 星期日".split(),
        "周一 周二 周三 周四 周五 周六 周日".split(),
        "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月".split(),
        "yesterday today tomorrow".split(),
        "昨天 今天 明天".split(),
        "last|this|next".split("|"),
        "去年 今年 明年".split(),
        "morning afternoon evening".split(),
        "上午 下午 晚上".split(),
    ],
    "number": [
        "two three four five six seven eight nine ten twelve twenty thirty forty fifty".split(),
        "hundred thousand million billion trillion".split(),
        "first second third fourth fifth sixth seventh".split(),
        "zwei drei vier fünf sechs sieben acht neun zehn".split(),
        "两个 三个 四个 五个 六个 七个".split(),
        "第一 第二 第三 第四 第五 第六".split(),
        "百万 千万 亿".split(),
        "half|a third|a quarter".split("|"),
    ],
    "name": [
        (
            "China|the United States|Japan|Germany|France|Russia|India|Brazil|Canada|Australia|Britain|"
            "Iran|South Korea"
        ).split("|"),
        (
            "Chinese American Japanese German French Russian Indian Brazilian Canadian Australian British"
        ).split(),
        "Beijing Washington Tokyo Berlin Paris Moscow London Shanghai Sydney".split(),
        "中国 美国 日本 德国 法国 俄罗斯 印度 巴西 加拿大 澳大利亚 英国 韩国".split(),
        "北京 华盛顿 东京 柏林 巴黎 莫斯科 伦敦 上海 悉尼".split(),
        "Asia Europe Africa".split(),
        "亚洲 欧洲 非洲".split(),
    ],
    "opposite": [
        pair.split("|")
        for pair in (
            "increase|decrease increased|decreased increasing|decreasing more|less higher|lower high|low "
            "before|after above|below import|export imports|exports imported|exported win|lose won|lost "
            "rise|fall rose|fell up|down good|bad better|worse best|worst large|small larger|smaller "
            "always|never everyone|nobody all|none many|few allow|prohibit allowed|prohibited "
            "strengthen|weaken strengthened|weakened begin|end began|ended start|stop old|new early|late "
            "open|close opened|closed accept|reject accepted|rejected support|oppose supported|opposed "
            "positive|negative success|failure legal|illegal possible|impossible man|woman he|she his|her "
            "buy|sell bought|sold with|without most|least must|may shall|may hot|cold long|short "
            "inside|outside love|hate first|last"
        ).split()
    ]
    + [
        pair.split("|")
        for pair in (
            "增加|减少 提高|降低 上升|下降 增长|下滑 进口|出口 之前|之后 以上|以下 允许|禁止 加强|削弱 "
            "开始|结束 支持|反对 接受|拒绝 成功|失败 积极|消极 合法|非法 可能|不可能 他|她 男|女 买|卖 "
            "最大|最小 最高|最低 更多|更少 必须|可以 应当|可以 好|坏 新|旧 早|晚 所有|没有 总是|从不 "
            "打开|关闭 胜利|失败 大型|小型 完善|破坏 维护|损害 促进|阻碍 首次|再次 喜欢|讨厌"
        ).split()
    ],
}
"""Kind of fault -> lists of words; a word is replaced by another word of its list."""

_NAMES = (
    "Peterson,Li Ming,Garcia,Wang Fang,Oslo,Microsoft,Harrison,Toyota,Nairobi,Schmidt,Zhao Wei,Lisbon,Kim,"
    "Novak,Apple,Chen Hao,Ontario,Greenpeace,Ramirez,Dublin"
).split(",")
"""Names that replace a name inside a sentence."""


def _exchange(kind: str) -> Rule:
    """The rule that replaces one word by another word of its list in `_EXCHANGEABLE[kind]`."""

    def rule(text: str, rng: random.Random) -> str | None:
        options = []
        for words in _EXCHANGEABLE[kind]:
            for word in words:
                pattern = (
                    re.escape(word)
                    if HAN.search(word)
                    else rf"(?<![A-Za-zÀ-ÿ]){re.escape(word)}(?![A-Za-zÀ-ÿ])"
                )
                replacements = [w for w in words if w != word]
                options += [(match, replacements) for match in re.finditer(pattern, text)]
        if not options:
            return None
        match, replacements = rng.choice(options)
        return text[: match.start()] + rng.choice(replacements) + text[match.end() :]

    return rule


def digits(text: str, rng: random.Random) -> str | None:
    """Change one number, mostly in one digit."""
    matches = list(re.finditer(r"\d+", text))
    if not matches:
        return None
    match = rng.choice(matches)
    old = match[0]
    while True:
        index = rng.randrange(len(old))
        new = old[:index] + str(rng.randrange(10)) + old[index + 1 :]
        if len(old) > 1 and rng.random() < 0.3:
            new = str(int(old) * rng.choice([2, 3, 10]) + rng.randrange(3))
        if new != old and not (len(new) > 1 and new[0] == "0" and old[0] != "0"):
            return text[: match.start()] + new + text[match.end() :]


def capitals(text: str, rng: random.Random) -> str | None:
    """Replace a capitalised name inside a sentence by another one."""
    matches = list(re.finditer(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*", text))
    if not matches:
        return None
    match = rng.choice(matches)
    name = rng.choice(_NAMES)
    return None if name in text else text[: match.start()] + name + text[match.end() :]


_NEGATIONS = [
    (r"\b(is|are|was|were|will|would|can|could|should|must|has|have|had|do|does|did|may) not\b", r"\1"),
    (r"\b(is|are|was|were|would|could|should|has|have|had|do|does|did)n't\b", r"\1"),
    (r"\bcan't\b|\bcannot\b", "can"),
    (r"\bwon't\b", "will"),
    (r"\bno longer\b", "still"),
    (r"\bno\b", "some"),
    (r"\bnever\b", "often"),
    (r"\bwithout\b", "with"),
    (r"\bkeine?n?\b", "eine"),
    (r"\bnicht ", ""),
    (r"不得|不能|不可", "可以"),
    (r"不再", "仍然"),
    (r"没有", "有"),
    (r"从不|从未", "经常"),
    (r"不(?=[是会应该要想需知])", ""),
    (r"未(?=[经能曾])", "已"),
    (r"无法", "能够"),
]
_AFFIRMATIONS = [
    (
        r"\b(is|are|was|were|will|would|can|could|should|must|may)\b(?! not|n't)",
        r"\1 not",
    ),
    (r"(?<!不)(?<!只)(是|会|能|应|可以|必须|要求|同意|支持)", r"不\1"),
]


def negation(text: str, rng: random.Random) -> str | None:
    """Remove a negation; if the text has none, add one."""
    for substitutions in (_NEGATIONS, _AFFIRMATIONS):
        matching = [(pattern, new) for pattern, new in substitutions if re.search(pattern, text)]
        if matching:
            pattern, new = rng.choice(matching)
            match = rng.choice(list(re.finditer(pattern, text)))
            return text[: match.start()] + match.expand(new) + text[match.end() :]
    return None


def omission(text: str, rng: random.Random) -> str | None:
    """Drop a clause; if that would leave too little or too much, drop some words instead."""
    clauses = re.findall(r"[^,，、；;:：]+[,，、；;:：]?\s*", text)
    if len(clauses) > 1:
        dropped = rng.randrange(len(clauses))
        rest = "".join(clauses[:dropped] + clauses[dropped + 1 :])
        if len(text) * 0.2 < len(rest) < len(text) * 0.9:
            return rest
    words = list(text) if HAN.search(text) else re.findall(r"\S+\s*", text)
    if len(words) < 6:
        return None
    begin = rng.randrange(1, len(words) * 2 // 3)
    size = max(2, round(len(words) * rng.uniform(0.2, 0.4)))
    return "".join(words[:begin] + words[begin + size :])


def shuffled(text: str, rng: random.Random) -> str | None:
    """Shuffle the words, or pairs of Han characters."""
    is_chinese = bool(HAN.search(text))
    words = re.findall(r"[\u4e00-\u9fff]{2}|.", text) if is_chinese else text.split()
    if len(words) < 5:
        return None
    rng.shuffle(words)
    return ("" if is_chinese else " ").join(words)


def repeated(text: str, rng: random.Random) -> str | None:
    """Repeat the end several times, as small models do."""
    end = text[-rng.randrange(6, 30) :]
    return text + end * rng.randrange(3, 8)


RULES: dict[str, Sequence[Rule]] = {
    "number": (digits, _exchange("number")),
    "date": (_exchange("date"),),
    "name": (_exchange("name"), capitals),
    "negation": (negation,),
    "opposite": (_exchange("opposite"),),
    "omission": (omission,),
    "shuffled": (shuffled,),
    "repeated": (repeated,),
}
"""Kind of fault -> the rules that make it."""


def make_faults(text: str, rng: random.Random) -> list[tuple[str, str]]:
    """(kind, faulty text) for each kind of fault that fits the text."""
    faults = []
    for kind, rules in RULES.items():
        for rule in rng.sample(rules, len(rules)):
            faulty = rule(text, rng)
            if faulty and faulty != text:
                faults.append((kind, faulty))
                break
    return faults
