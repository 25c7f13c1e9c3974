"""The sentences of a board's summary in English and Chinese. bench.boards.summary chooses and fills them."""

from __future__ import annotations

from bench.boards.sentences import Sentences
from bench.languages import Language

SUMMARY: dict[Language, Sentences] = {
    "en": {
        "set": "{source} to {target}, {systems} systems on {segments} segments of {title}.",
        "set, one system": "{source} to {target}, one system on {segments} segments of {title}.",
        "best": "{system} has the best {metric}: {score}.",
        "score": "{system} scores {score} by {metric}.",
        "nothing found": "The tests do not show that it is better than any other ({others}).",
        "not separated": "The tests do not show that it is better than {others}.",
        "better than all": "It is significantly better than every other system, {gap}.",
        "better than some": "It is significantly better than the other {count}, {gap}.",
        "gap": "by {difference} {metric} over {system}, the next of them (p adjusted {p})",
        "agreement": "; in other WMT data, human judges agreed with such a difference for about {share} % of "
        "system pairs on average, on some sets for far fewer",
        "power": "A true difference of {detectable} {metric} would be found on four of five such sets; "
        "smaller ones are often missed, so “not shown” does not mean “equal”.",
        "not better than a control": "Not significantly better than a trivial control: {systems}.",
        "better than the controls": "Every system is significantly better than the trivial controls.",
        "no tests": "No tests were made: the order may be chance.",
        "flags, one system": "Outputs with problems (see flags): {count} in {worst}.",
        "flags": "Outputs with problems (see flags): in {systems} of the systems, most in {worst} ({count}).",
        "seen": "{count} of the systems may have seen this text in training (†).",
        "seen by all": "All systems may have seen this text in training (†).",
        "one text": "This says nothing about other texts.",
        "more": " and {count} more",
        "and": " and ",
        "between items": ", ",
        "between sentences": " ",
    },
    "zh": {
        "set": "{source}译{target}，{systems} 个系统，测试文本为《{title}》的 {segments} 个句段。",
        "set, one system": "{source}译{target}，1 个系统，测试文本为《{title}》的 {segments} 个句段。",
        "best": "{system} 的 {metric} 最好：{score}。",
        "score": "{system} 的 {metric} 为 {score}。",
        "nothing found": "检验未能表明它优于任何其他系统（{others}）。",
        "not separated": "检验未能表明它优于{others}。",
        "better than all": "它显著优于其他所有系统：{gap}。",
        "better than some": "它显著优于其余 {count} 个系统：{gap}。",
        "gap": "与其中最接近的 {system} 相差 {difference} {metric}（校正后 p {p}）",
        "agreement": "；在其他 WMT 数据中，对于这样大小的差异，平均约有 {share} % 的系统对人工评判与之一致，"
        "在有的测试集上则少得多",
        "power": "真实差异若为 {detectable} {metric}，在五个这样的参考集中约有四个能检测到；"
        "更小的差异常常检测不到，因此“未能表明”不等于“相同”。",
        "not better than a control": "未显著优于简单对照系统（照抄源文、逐词词典等）的系统：{systems}。",
        "better than the controls": "所有系统都显著优于简单对照系统。",
        "no tests": "未作检验：排序可能出于偶然。",
        "flags, one system": "{worst} 有 {count} 个输出有问题（见异常标记）。",
        "flags": "{systems} 个系统的输出有问题（见异常标记），最多的是 {worst}（{count} 个）。",
        "seen": "其中 {count} 个系统在训练中可能见过该文本（†）。",
        "seen by all": "所有系统在训练中都可能见过该文本（†）。",
        "one text": "以上结论不适用于其他文本。",
        "more": "等另外 {count} 个系统",
        "and": "和",
        "between items": "、",
        "between sentences": "",
    },
}
