"""The sentences of a board's notes in English and Chinese. bench.boards.text chooses and fills them."""

from __future__ import annotations

from bench.languages import LANGUAGE_NAMES, Language

Sentences = dict[str, str]

LANGUAGE_NAMES_IN: dict[Language, dict[Language, str]] = {
    "en": LANGUAGE_NAMES,
    "zh": {"zh": "中文", "en": "英文"},
}

SENTENCES: dict[Language, Sentences] = {
    "en": {
        "set": "{title}: {segments} segments, set hash {sha256}.",
        "set of one": "{title}: 1 segment, set hash {sha256}.",
        "written": "The document was written in {original}: the {source} source is {kind}.",
        "original": "the original text",
        "official translation": "itself the official translation",
        "translation": "itself a translation",
        "mixed": "Part of the text was written in Chinese and part in English: "
        "some of the source is itself a translation.",
        "unknown": "It is not known which language was written first: "
        "the source may itself be a translation.",
        "sorted": "Sorted by {metric}.",
        "interval": "± is half the width of the 95 % bootstrap confidence interval.",
        "no interval": "One segment gives no confidence interval.",
        "ranks": "The rank is in parentheses. Systems form clusters, as small as possible: every system of a "
        "cluster is significantly better than every system of the lower clusters (paired {test} test, {draws}, "
        "Holm-corrected over all pairs, α = {level}). All systems of a cluster have the same rank: one plus the "
        "number of systems in higher clusters.",
        "no ranks": "Rows are sorted, not ranked: a rank needs a paired test.",
        "randomisation": "approximate-randomisation",
        "randomisation draws": "{count} trials over {unit}s",
        "bootstrap": "bootstrap",
        "bootstrap draws": "{count} resamples of {unit}s",
        "segment": "segment",
        "paragraph": "paragraph",
        "power": "Minimum detectable difference on this set (80 % power, median pair): {metrics}. "
        "Smaller true differences may go undetected.",
        "flags": "The flags column counts flags; one hypothesis may have several. "
        "Flagged hypotheses are kept and scored as they are.",
        "seen": "† Possible contamination: the checkpoint was not released before the text ({published}), so the "
        "text and its translation may be in its training data.",
        "cut": "{metric} reads at most the number of tokens that its signature gives as max; "
        "the end of {count} of {all} hypotheses was not scored.",
        "unscored": "{metric} has no score for {count} of {all} hypotheses; they do not count in its value.",
        "gap": "{metric} is not available: {reason}",
        "differences": "score of the upper row minus score of the lower row, with the 95 % bootstrap confidence "
        "interval of this pair alone; p adjusted: Holm-corrected over all pairs",
        "difference": "{upper} vs. {lower}: {metric} {difference} {interval}, p adjusted {p}",
        "agreement": "human agreement {share} %",
        "agreement source": "human agreement: share of system pairs with such a difference "
        "on which human judgements agree with the metric (Kocmi et al. 2024, arXiv 2401.06760)",
        "between sentences": " ",
        "between clauses": "; ",
        "between items": ", ",
    },
    "zh": {
        "set": "{title}：{segments} 个句段，参考集哈希 {sha256}。",
        "set of one": "{title}：1 个句段，参考集哈希 {sha256}。",
        "written": "文档以{original}撰写：{source}源文{kind}。",
        "original": "即为原文",
        "official translation": "本身就是官方译文",
        "translation": "本身就是译文",
        "mixed": "文本一部分以中文撰写，一部分以英文撰写：部分源文本身就是译文。",
        "unknown": "不清楚先有哪种语言的文本：源文本身可能是译文。",
        "sorted": "按 {metric} 排序。",
        "interval": "± 为 95 % 自助法（bootstrap）置信区间宽度的一半。",
        "no interval": "只有一个句段，无法给出置信区间。",
        "ranks": "括号内为名次。各系统分成尽可能小的组：每组中的每个系统都显著优于其下各组中的每个系统"
        "（{test}检验，{draws}，对所有系统对作 Holm 校正，α = {level}）。"
        "同组系统名次相同，即其上各组的系统总数加一。",
        "no ranks": "仅排序，不分名次：名次须由配对检验得出。",
        "randomisation": "配对近似随机化",
        "randomisation draws": "以{unit}为单位，{count} 次随机试验",
        "bootstrap": "配对自助法",
        "bootstrap draws": "以{unit}为单位，重采样 {count} 次",
        "segment": "句段",
        "paragraph": "段落",
        "power": "本参考集的最小可检测差异（检验功效 80 %，取各系统对的中位数）：{metrics}。"
        "更小的真实差异可能检测不到。",
        "flags": "“异常”一栏为异常标记的数目，一条译文可有多个标记。带标记的译文保留在内，并按实际输出计分。",
        "seen": "† 可能存在数据污染：模型的发布不早于文本（{published}），其训练数据可能包含该文本及其译文。",
        "cut": "{metric} 最多读取其签名中 max 所示数目的词元；"
        "{all} 条译文中，有 {count} 条的末尾未参与评分。",
        "unscored": "{metric} 未能为 {all} 条译文中的 {count} 条给出分数；这些译文不计入总分。",
        "gap": "{metric} 不可用：{reason}",
        "differences": "上一行的分数减去下一行的分数，方括号内为仅就该系统对而言的 95 % 自助法置信区间；"
        "校正后 p 值对所有系统对作 Holm 校正",
        "difference": "{upper} vs. {lower}：{metric} {difference} {interval}，校正后 p {p}",
        "agreement": "人工评判一致率 {share} %",
        "agreement source": "人工评判一致率：差异达到此大小的系统对中，人工评判与该指标结论一致的比例"
        "（Kocmi 等，2024，arXiv 2401.06760）",
        "between sentences": "",
        "between clauses": "；",
        "between items": "、",
    },
}
