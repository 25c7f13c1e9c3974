"""Answers that say that there will be no translation, in English and in Chinese."""

from __future__ import annotations

import re

_READ = 400  # characters from the beginning of an answer

_INABILITY = (
    r"\b(?:cannot|can['’]?t|unable|not|won['’]?t|don['’]?t|refus\w*|declin\w*|lacks?)\b|beyond"
    r"|无法|不能|不便|没法|没有办法|没办法|未能|不会|拒绝|不愿|不可|不允许|缺乏"
)
"""What a source has whose translation says that somebody cannot or will not do something."""

_FORMS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(answer, re.IGNORECASE), re.compile(source, re.IGNORECASE))
    for answer, source in (
        # An assistant that cannot, will not or must not. The source must not have such a speaker.
        (
            r"\b(?:i|we)(?:['’]m| am| are)?\s+(?:(?:just|really|afraid|sorry|but|that|i|currently"
            r"|therefore|also|must|have|to|will"
            r"|respectfully|do)\W+){0,5}(?:cannot|can['’]?t|can not|am not able to|not able to"
            r"|unable to|won['’]?t(?: be able to)?"
            r"|will not|not going to|decline(?: to)?|refuse to|do not feel comfortable"
            r"|don['’]t feel comfortable)\s+"
            r"(?:\w+\s+){0,3}?(?:help|assist|translat\w*|provid\w*|fulfil\w*|comply|answer|process"
            r"|generat\w*|engage|continue"
            r"|respond|discuss|complete|produce|offer)\b",
            _INABILITY,
        ),
        (
            r"(?:我|本模型|本助手|系统|助手|AI)(?:们)?[^。！？!?\n]{0,14}(?:无法|不能|不便|没法"
            r"|没有办法|没办法|未能|还没有?学习|不会|拒绝)"
            r"[^。！？!?\n]{0,14}(?:翻译|提供|协助|帮助|帮您|帮你|回答|满足|处理|完成|给到|给出|生成"
            r"|继续|讨论|回应|执行|响应)",
            _INABILITY,
        ),
        (
            r"\b(?:i|we)(?:['’]m| am| are|['’]ve| have)?\s+(?:not (?:comfortable|allowed|permitted"
            r"|sure what)|(?:do not|don['’]t|not)"
            r" have the (?:ability|capability)|going to have to|(?:have|need) to decline|must decline"
            r"|lack the)\b",
            _INABILITY,
        ),
        (r"超出了?(?:我|本)[^。\n]{0,8}(?:能力|范围|权限)", r"beyond|exceed|scope|超出"),
        (r"\bhow (?:can|may) i (?:help|assist)\b|有什么(?:可以|能|需要)?[^。\n]{0,4}帮", r"help|assist|帮"),
        (r"(?:不予|无法)显示", r"display|show|显示"),
        # What the speaker is.
        (
            r"\bas an? (?:ai|artificial intelligence|(?:large )?language model"
            r"|assistant)\b(?! \w+ (?:body|power|law))"
            r"|\bi(?:['’]m| am) (?:just |only )?an? (?:ai|(?:large )?language model|assistant)\b",
            r"\bai\b|artificial|language model|assistant|AI|人工智能|语言模型|大模型|助手|助理",
        ),
        (
            r"(?:作为|我是)(?:一个|一名|一款|一种)?(?:AI|人工智能|(?:大型?)?语言模型|大模型|智能助手)",
            r"\bai\b|artificial|language model|assistant|AI|人工智能|语言模型|大模型|助手",
        ),
        # There is nothing to translate.
        (
            r"\b(?:please|could you|can you)\s+(?:\w+\s+){0,2}?(?:provide|share|send|paste"
            r"|give)\b[^.\n]{0,40}"
            r"\b(?:text|sentence|passage|content|document|paragraph)s?\b[^.\n]{0,40}translat",
            r"translat|译",
        ),
        (
            r"\b(?:have not|haven['’]t|did not|didn['’]t)\s+(?:\w+\s+){0,2}?(?:provided?|included?"
            r"|shared?|given?|pasted?)\b",
            r"provid|includ|shar|giv|提供|包括|给",
        ),
        (r"请(?:您|你)?(?:先)?(?:提供|输入|给出|发送|粘贴)[^。\n]{0,12}(?:翻译|文本|内容|原文)",
         r"provid|submit|send|input|提供"),
        (r"(?:没有|未|尚未)(?:提供|输入|给出|附上)[^。\n]{0,10}(?:翻译|文本|内容|原文)", r"provid"
        r"|submit|input|提供"),
        (
            r"\bno (?:\w+ )?(?:text|content|source|input|sentence)s? (?:was|were|is"
            r"|has been) (?:provided|given|included|supplied)\b"
            r"|\bthe (?:text|message|input|content)[^.\n]{0,30}(?:is|was|appears to be|seems) (?:empty"
            r"|blank|missing|incomplete)\b",
            r"provid|submit|empty|blank|missing|complete|提供|提交|空|缺|完整",
        ),
        (
            r"\byour (?:message|request|input|prompt|query|question)\b|\b(?:would"
            r"|['’]d) (?:you )?like me to\b|请问(?:您|你)",
            r"\byou|您|你|贵",
        ),
        # Rules of a provider.
        (
            r"\b(?:violat\w+|against)\b[^.\n]{0,30}\b(?:our|the|my|content|usage|safety"
            r"|community)\b[^.\n]{0,20}"
            r"(?:polic|guideline|terms of)|\bflagged as\b|\bcontent (?:policy|filter)\b",
            r"violat|polic|guideline|flag|filter|违|政策|准则|过滤",
        ),
        (
            r"(?:敏感|违规|违法|不当)[^。\n]{0,12}(?:无法|不能|修改|重试|拒绝|不予)|换个?(?:一个)?话题",
            r"sensitiv|illegal|unlawful|topic|敏感|违规|违法|话题",
        ),
    )
)  # fmt: skip


def is_refusal(text: str, source: str) -> bool:
    """Whether a text has a form of refusal whose words the source has no reason for."""
    beginning = text[:_READ].replace("\n", " ")
    return any(form.search(beginning) and not about.search(source) for form, about in _FORMS)
