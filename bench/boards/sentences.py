"""The sentences of a board's notes in English and Chinese. bench.boards.notes chooses and fills them."""

from __future__ import annotations

from bench.languages import LANGUAGE_NAMES, Language

Sentences = dict[str, str]

LANGUAGE_NAMES_IN: dict[Language, dict[Language, str]] = {
    "en": LANGUAGE_NAMES,
    "zh": {"zh": "中文", "en": "英文"},
}

SENTENCES: dict[Language, Sentences] = {
    "en": {
        "system": "system",
        "rank": "rank",
        "flags": "flags",
        "size": "size",
        "licence": "licence",
        "speed": "seg/s",
        "device": "device",
        "control": "control",
        "hidden": "Not shown, for lack of room: {columns}.",
        "flag empty": "empty",
        "flag copied": "copied",
        "flag placeholder": "placeholder",
        "flag wrong-language": "wrong-language",
        "flag wrong-variety": "wrong-variety",
        "flag truncated": "truncated",
        "flag prompt-cut": "prompt-cut",
        "flag unknown-finish": "unknown-finish",
        "flag refused": "refused",
        "flag repeating": "repeating",
        "flag unknown-token": "unknown-token",
        "flag too-short": "too-short",
        "flag too-long": "too-long",
        "flag constant": "constant",
        "flag equals-reference": "equals-reference",
        "flag unclear-answer": "unclear-answer",
        "flag error": "error",
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
        "interval": "± is half the width of the 95 % confidence interval (jackknife over {units}).",
        "no interval": "One segment gives no confidence interval.",
        "ranks": "The rank is a range: at best one plus the number of systems that are significantly better, at "
        "worst the number of systems minus those that are significantly worse (paired {test} test, {draws}, "
        "Holm-corrected over all {pairs} pairs, α = {level}).",
        "clusters": "Groups end after rank {ends}: every system above is significantly better than all below.",
        "controls": "Controls have no rank: they are there to hold systems against.",
        "one system": "There is one system, and nothing to test it against.",
        "no ranks": "Rows are sorted, not ranked: a rank needs a paired test.",
        "randomisation": "approximate-randomisation",
        "randomisation draws": "{count} trials over {units}",
        "bootstrap": "bootstrap",
        "bootstrap draws": "{count} resamples of {units}",
        "segment": "{count} segment",
        "segments": "{count} segments",
        "paragraph": "{count} paragraph",
        "paragraphs": "{count} paragraphs",
        "section": "{count} section",
        "sections": "{count} sections",
        "document": "{count} document",
        "documents": "{count} documents",
        "few units": "There are only {units}: intervals are wide, and hardly any difference can be significant.",
        "power": "A true difference of {metrics} would be found on four of five such sets (median pair, "
        "Holm-corrected); smaller ones are often missed.",
        "about flags": "The flags column counts flags; one hypothesis may have several. "
        "Flagged hypotheses are kept and scored as they are.",
        "seen": "† Possible contamination: the checkpoint was not released before the text ({published}), so the "
        "text and its translation may be in its training data.",
        "cut": "{metric} reads at most the number of tokens that its signature gives as max; "
        "the end of {count} of {all} hypotheses was not scored.",
        "unscored": "{metric} has no score for {count} of {all} hypotheses; they do not count in its value.",
        "cleaned": "Cleaning the answers changed {metric} by more than half the width of the interval: {rows}.",
        "typography": "Width of characters and quotation marks alone change {metric} by more than half the width of "
        "the interval. Without these differences: {rows}.",
        "changed row": "{system} from {before} to {after}",
        "chrF++ into Chinese": "chrF++ counts words at spaces. Into Chinese it changes with the spaces between "
        "Chinese and Latin script: prefer chrF.",
        "COMET (embedded)": "COMET (embedded) is a small model of this project, not wmt22-comet-da. It does not order "
        "systems reliably (model card).",
        "people": "{metric}: {annotators} annotators, {judgements} judgements of translations; sample: {sample}; "
        "agreement of annotators: {agreement}.",
        "judge": "{metric} is the judgement of a language model, {model}. Asked again, it may judge otherwise.",
        "judge of the family": "The judge of {metric} is of the same family of models as {systems}, and may prefer "
        "their translations.",
        "gap": "{metric} is not available: {reason}",
        "differences": "score of the upper row minus score of the lower row, with the 95 % confidence interval of this "
        "pair alone; p adjusted: Holm-corrected over all pairs. Human judges: in WMT data that the systems here "
        "are not part of, the average share of system pairs with such a difference that judges ordered in the "
        "same way (Kocmi et al. 2024, arXiv 2401.06760). On a single set it may be much lower "
        "(docs/metrics.md)",
        "difference": "{upper} vs. {lower}: {metric} {difference} {interval}, p adjusted {p}",
        "significant": "significant",
        "agreement": "significant; human judges agreed with that much more {metric} in about {share} % of pairs",
        "not significant": "not significant",
        "not significant, power": "not significant; four of five such sets would show a true difference of "
        "{detectable} {metric}",
        "between sentences": " ",
        "between clauses": "; ",
        "between items": ", ",
    },
    "zh": {
        "system": "系统",
        "rank": "名次",
        "flags": "异常",
        "size": "规模",
        "licence": "许可证",
        "speed": "句段/秒",
        "device": "设备",
        "control": "对照",
        "hidden": "因宽度不足未显示：{columns}。",
        "flag empty": "空译文",
        "flag copied": "照抄源文",
        "flag placeholder": "占位文字",
        "flag wrong-language": "语言错误",
        "flag wrong-variety": "繁简错误",
        "flag truncated": "截断",
        "flag prompt-cut": "提示被截",
        "flag unknown-finish": "结束原因不明",
        "flag refused": "拒译",
        "flag repeating": "重复",
        "flag unknown-token": "未知词元",
        "flag too-short": "过短",
        "flag too-long": "过长",
        "flag constant": "输出雷同",
        "flag equals-reference": "与参考相同",
        "flag unclear-answer": "答案不明",
        "flag error": "出错",
        "set": "{title}：{segments} 个句段，参考集哈希 {sha256}。",
        "set of one": "{title}：1 个句段，参考集哈希 {sha256}。",
        "written": "文档以{original}撰写：{source}源文{kind}。",
        "original": "即为原文",
        "official translation": "本身就是官方译文",
        "translation": "本身就是译文",
        "mixed": "文本一部分以中文撰写，一部分以英文撰写：部分源文本身就是译文。",
        "unknown": "不清楚先有哪种语言的文本：源文本身可能是译文。",
        "sorted": "按 {metric} 排序。",
        "interval": "± 为 95 % 置信区间宽度的一半（以{units}为单位的刀切法）。",
        "no interval": "只有一个句段，无法给出置信区间。",
        "ranks": "名次为一个范围：最好为显著更优的系统数加一，最差为系统总数减去显著更差的系统数"
        "（{test}检验，{draws}，对全部 {pairs} 个系统对作 Holm 校正，α = {level}）。",
        "clusters": "第 {ends} 名之后分组：其上的每个系统都显著优于其下的所有系统。",
        "controls": "对照系统不排名次，仅供比较。",
        "one system": "只有一个系统，没有可比较的对象。",
        "no ranks": "仅排序，不分名次：名次须由配对检验得出。",
        "randomisation": "配对近似随机化",
        "randomisation draws": "以{units}为单位，{count} 次随机试验",
        "bootstrap": "配对自助法",
        "bootstrap draws": "以{units}为单位，重采样 {count} 次",
        "segment": "{count} 个句段",
        "segments": "{count} 个句段",
        "paragraph": "{count} 个段落",
        "paragraphs": "{count} 个段落",
        "section": "{count} 个章节",
        "sections": "{count} 个章节",
        "document": "{count} 篇文档",
        "documents": "{count} 篇文档",
        "few units": "只有{units}：置信区间很宽，几乎没有差异能够显著。",
        "power": "真实差异若为 {metrics}，在五个这样的参考集中约有四个能检测到（取各系统对的中位数，经 Holm 校正）；"
        "更小的差异常常检测不到。",
        "about flags": "“异常”一栏为异常标记的数目，一条译文可有多个标记。带标记的译文保留在内，并按实际输出计分。",
        "seen": "† 可能存在数据污染：模型的发布不早于文本（{published}），其训练数据可能包含该文本及其译文。",
        "cut": "{metric} 最多读取其签名中 max 所示数目的词元；"
        "{all} 条译文中，有 {count} 条的末尾未参与评分。",
        "unscored": "{metric} 未能为 {all} 条译文中的 {count} 条给出分数；这些译文不计入总分。",
        "chrF++ into Chinese": "chrF++ 以空格分词。译入中文时，中文与拉丁字母之间的空格会改变其分数：请优先看 chrF。",
        "cleaned": "清理模型回答后，{metric} 的变化超过置信区间宽度的一半：{rows}。",
        "typography": "仅全角半角与引号的差异就使 {metric} 的变化超过置信区间宽度的一半。消除这些差异后：{rows}。",
        "changed row": "{system} 由 {before} 变为 {after}",
        "COMET (embedded)": "COMET (embedded) 是本项目的小模型，并非 wmt22-comet-da。它不能可靠地排列各系统"
        "（见模型说明）。",
        "people": "{metric}：{annotators} 名标注者，{judgements} 条译文评判；样本：{sample}；"
        "标注者一致性：{agreement}。",
        "judge": "{metric} 是语言模型 {model} 的评判，再次评判时结果可能不同。",
        "judge of the family": "{metric} 的评判模型与 {systems} 属于同一模型系列，可能偏向其译文。",
        "gap": "{metric} 不可用：{reason}",
        "differences": "上一行的分数减去下一行的分数，方括号内为仅就该系统对而言的 95 % 置信区间；"
        "校正后 p 值对所有系统对作 Holm 校正。人工评判：在不含本榜系统的 WMT 数据中，差异达到此大小的系统对里"
        "人工评判与该指标结论一致的平均比例（Kocmi 等，2024，arXiv 2401.06760）；在单个测试集上可能低得多"
        "（见 docs/metrics.md）",
        "difference": "{upper} vs. {lower}：{metric} {difference} {interval}，校正后 p {p}",
        "significant": "显著",
        "agreement": "显著；{metric} 高出这么多时，约 {share} % 的系统对人工评判与之一致",
        "not significant": "不显著",
        "not significant, power": "不显著；真实差异若为 {detectable} {metric}，五个这样的参考集中约有四个能检测到",
        "between sentences": "",
        "between clauses": "；",
        "between items": "、",
    },
}
