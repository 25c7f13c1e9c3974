"""Expressions of obligation, prohibition, permission and exemption, as regular expressions."""

from __future__ import annotations

from typing import Literal

from bench.languages import Language

Modality = Literal["exemption", "prohibition", "obligation", "permission"]

_BE = r"(?:is|are|was|were|be|been|being)"
_NEGATION = r"(?:not|n['’]t| not| never| under no circumstances| in no case)"
STRICT: dict[Language, dict[Modality, str]] = {
    "zh": {
        "exemption": r"无须|无需|毋需|毋须|不必(?!要)|不需要|免予|可以?不(?!断|同|少|经|受|限)|没有义务|无义务",
        # 不可 is also a part of words: 不可避免, 不可分割, 不可抗力.
        "prohibition": r"不得(?!不|了|已|人心)|禁止|严禁|不准|不许|不允许|无权|切勿|请勿|不应[当该]?(?!有的)|不可以"
        r"|(?<!该)不该(?!有的)|不可(?=[将把对向在因由被自擅随任]|再行)",
        # 应 and 须 are also parts of words: 适应, 应对, 必须, 须知.
        "obligation": r"应当|必须|不得不|务必|有义务|有责任|(?<![必无急军内特])须(?!知)"
        r"|(?<![适供反相响对效答感呼回照顺接理策因])应(?![对用急邀有聘允变届付验声景激运酬和])",
        # 得 says it in treaties and in Taiwan and Hong Kong.
        "permission": r"可以(?!说|看|想)|有权|允许|准许"
        r"|(?<![不必取获使觉显值难懂所舍见赢博变记来免说做])得(?=[设随经由请就])"
        r"|(?<![不许认尚岂非无方才])可(?=[在根依按向将对由要提申就自请经作通给免予采授撤延委指规决书酌包另随于"
        r"凭据选享参进邀召设聘雇举拒退继代先直]|[持视](?![续化频])|再(?![生现利循]))|(?<=[均皆都亦也仍])可(?![能靠见行信])",
    },
    "en": {
        "exemption": r"need not|needn['’]t|not (?:be )?(?:required|obliged|obligated|necessary)|exempt(?:ed)? from"
        r"|(?:do|does|did)(?: not|n['’]t) (?:have|need) to|no (?:need|obligation)|may (?:choose |decide )?not to",
        "prohibition": rf"(?:shall|must|may|can|should){_NEGATION}(?! only)"
        r"|[Nn](?:o|either|one)\b(?:(?!, (?:but|and|however|while|whereas)\b)[^.;:]){1,120}?"
        r"\b(?:shall|may|must|can|should)|[Nn]othing in [^.;]{1,80} shall"
        r"|(?:prohibit|forbid|forbad|bann?|forbidd)(?:s|ing|ed|en|e)?|(?:barred|precluded|debarred) from"
        rf"|not {_BE}? ?(?:allowed|permitted|entitled)|(?:has|have) no right",
        "obligation": rf"shall|must|should|ought to|(?:has|have|had) to|(?:obligation|duty|responsibility) to"
        rf"|{_BE} (?:required|obliged|obligated|bound) to",
        "permission": rf"may(?! \d)|{_BE} (?:entitled|allowed|permitted|authori[sz]ed|free) to"
        r"|(?:has|have|had|the|a) right to|(?:entitles|allows|permits)",
    },
}
"""Expressions that say the class beyond doubt."""
LENIENT: dict[Language, dict[Modality, str]] = {
    "zh": {
        "exemption": "不|无|免|没",
        # Not the negation of a condition: 未经批准.
        "prohibition": "[勿禁莫无没免别防]|[未非](?!经)|不(?!经(?![商营]))|避免|杜绝|拒绝|停止"
        "|只有|方[可能]|才[可能]|仅[可能限]",
        "obligation": "不得不|不能不|应当|应该|必须|必需|务必|务须|义务|负责|责任|一定|理应|[须需宜请]|必(?![要然])"
        "|(?<![适供反相响对效答感呼回照顺接策因])应(?![对用急邀有聘允变届付验声景激运酬和])"
        "|(?<![主重概纲紧摘扼简必需])要(?![素点闻么求])",
        "permission": "允许|准许|许可|可能|[可能准许允权让得会]",
    },
    "en": {
        "exemption": r"not|no|n['’]t|without|exempt\w*|free|waiv\w*|unnecessary",
        "prohibition": r"not|no|none|never|nor|neither|cannot|n['’]t|nothing|nobody|nowhere|without|against|instead"
        r"|avoid\w*|refus\w*|refrain\w*|prohibit\w*|prohibition|forb\w*|ban\w*|illegal|unlawful|unable|fail\w*"
        r"|stop\w*|prevent\w*|free from|only|unless|solely|except|barred|oppos\w*|reject\w*"
        r"|rather than|impermissible|inadmissible",
        "obligation": r"shall|must|should|ought|have to|has to|had to|having to|need\w*|requir\w*|oblig\w*|duty|duties"
        r"|necess\w*|essential|imperative|will|would|is to|are to|be to|responsib\w*|bound|mandat\w*|compulsory"
        r"|vital|forced|no (?:other )?choice|supposed|expected|make sure|ensure|be sure"
        r"|let us|let['’]s|deserve\w*|want\w*|call\w* (?:on|upon|for)"
        r"|better|demand\w*|urge\w*|important|please|incumbent|undertake\w*",
        "permission": r"may|can|could|might|able|ability|allow\w*|permi\w*|right|rights|entitle\w*|authori\w*"
        r"|option\w*|possib\w*|free|let|enabl\w*|licen\w*|available|opportunit\w*|will|would|capab\w*|cannot",
    },
}
"""Expressions that may say the class: a hypothesis with enough of them is not accused."""
AVOIDANCE: dict[Language, str] = {
    "zh": "避免|防止|杜绝|停止|克制",
    "en": r"refrain|avoid|abstain|desist|prevent|cease",
}
"""Who must avoid something must not do it: an obligation that may be said as a prohibition."""
COORDINATION: dict[Language, str] = {"zh": "[、和与及并且或也亦]", "en": r"\b(?:and|or|nor)\b"}
"""What lets one expression govern several verbs: "may enter and leave"."""
