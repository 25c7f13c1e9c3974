"""The sentences of a board's summary in English and Chinese. bench.boards.summary chooses and fills them."""

from __future__ import annotations

from bench.boards.sentences import Sentences
from bench.languages import Language

SUMMARY: dict[Language, Sentences] = {
    "en": {
        "best": "{system} has the best {metric} of {systems} systems, {score}{verdict}.",
        "score": "{system} scores {score} by {metric}.",
        "nothing found": ", but the tests do not show that it is better than any other",
        "better than the other": ": significantly better than the other, by {difference} {metric} (p adjusted {p})",
        "better than all": ": significantly better than every other, by {difference} {metric} or more (p adjusted {p})",
        "better than some": ": significantly better than {count} of the other {all}, by {difference} {metric} or more "
        "(p adjusted {p}), but not shown to be better than {others}",
        "no tests": "; no tests were made, so that the order may be chance",
        "set": "Tested: {source} to {target}, {segments} of {title}.",
        "agreement": "In WMT's human evaluations of other systems, people agreed with such a lead in about {share} % "
        "of pairs, on some test sets in far fewer.",
        "power": "A true difference of {detectable} {metric} would be found on four of five such sets; "
        "smaller ones are often missed, so “not shown” does not mean “equal”.",
        "not better than controls": "Not significantly better than {controls} ({explanation}): {systems}.",
        "better than controls": "Every system is significantly better than {controls} ({explanation}).",
        "control": "a control without a translation model",
        "controls": "controls without a translation model",
        "prohibitions": "Prohibitions lost or reversed: in {systems} of the systems, up to {count} ({worst}).",
        "prohibitions, one system": "Prohibitions lost or reversed: {count} in {worst}.",
        "flags, one system": "Outputs with problems (see flags): {count} in {worst}.",
        "flags": "Outputs with problems (see flags): in {systems} of the systems, most in {worst} ({count}).",
        "seen": "{count} of the systems may have seen this text in training (†).",
        "seen by all": "All systems may have seen this text in training (†).",
        "one text": "This says nothing about other texts.",
        "segment": "1 segment",
        "segments": "{count} segments",
        "more": " and {count} more",
        "and": " and ",
        "between items": ", ",
        "between sentences": " ",
    },
    "zh": {
        "best": "{systems} 个系统中，{system} 的 {metric} 最好，为 {score}{verdict}。",
        "score": "{system} 的 {metric} 为 {score}。",
        "nothing found": "，但检验未能表明它优于任何其他系统",
        "better than the other": "：显著优于另一个系统，领先 {difference} {metric}（校正后 p {p}）",
        "better than all": "：显著优于其他所有系统，至少领先 {difference} {metric}（校正后 p {p}）",
        "better than some": "：显著优于其余 {all} 个系统中的 {count} 个，至少领先 {difference} {metric}"
        "（校正后 p {p}），但未能表明优于 {others}",
        "no tests": "；未作检验，排序可能出于偶然",
        "set": "测试：{source}译{target}，《{title}》的 {segments}。",
        "agreement": "在 WMT 对其他系统的人工评测中，对于这样大小的领先，平均约有 {share} % 的系统对人工评判与之一致，"
        "在有的测试集上则少得多。",
        "power": "真实差异若为 {detectable} {metric}，在五个这样的参考集中约有四个能检测到；"
        "更小的差异常常检测不到，因此“未能表明”不等于“相同”。",
        "not better than controls": "未显著优于 {controls}（{explanation}）的系统：{systems}。",
        "better than controls": "所有系统都显著优于 {controls}（{explanation}）。",
        "control": "不含翻译模型的对照系统",
        "controls": "不含翻译模型的对照系统",
        "prohibitions": "有 {systems} 个系统丢失或颠倒了禁止性规定，最多 {count} 处（{worst}）。",
        "prohibitions, one system": "{worst} 丢失或颠倒了 {count} 处禁止性规定。",
        "flags, one system": "{worst} 有 {count} 个输出有问题（见异常标记）。",
        "flags": "{systems} 个系统的输出有问题（见异常标记），最多的是 {worst}（{count} 个）。",
        "seen": "其中 {count} 个系统在训练中可能见过该文本（†）。",
        "seen by all": "所有系统在训练中都可能见过该文本（†）。",
        "one text": "以上结论不适用于其他文本。",
        "segment": "1 个句段",
        "segments": "{count} 个句段",
        "more": "等另外 {count} 个系统",
        "and": " 和 ",
        "between items": "、",
        "between sentences": "",
    },
}
