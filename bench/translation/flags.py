"""What is wrong with a hypothesis, decided from its text, its source and what the adapter reports.

A flag never removes a segment and never changes a score. The board shows the counts. docs/answers.md defines each
flag and states how often it is raised on human translations.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from bench.answers import finish as finish_reasons
from bench.answers.language import Variety, has_own_words, is_foreign, is_other_variety
from bench.answers.refusals import is_refusal
from bench.core import Flag, Output
from bench.languages import Direction, sides

_LOOP_WINDOW = 2_000  # characters from the end: loops are at the end, and the search is quadratic
_LOOP = re.compile(r"(.{2,80}?)\1{3,}", re.DOTALL)  # the same 2 to 80 characters at least four times in a row
_MIN_LOOP = 24  # characters: "no, no, no, no" is not a loop

_LENGTH_BASE = 10
_LENGTH_RATIOS: dict[Direction, tuple[float, float]] = {"zh-en": (0.8, 6.0), "en-zh": (0.18, 1.6)}
"""(characters of the text + 10) / (characters of the source + 10), without spaces: the lowest and the highest
ratio that is not flagged. Set so that fewer than 1 in 1,000 human translations is (docs/answers.md)."""

_UNKNOWN_TOKEN = re.compile(r"<unk>|\[UNK\]|<\|unk\|>|⁇|\ufffd")
_PLACEHOLDER = re.compile(
    r"(?:nan|null|none|nil|undefined|n/?a|value|ref|todo|tbd|blank|empty|mask|sic|untranslatable"
    r"|not applicable"
    r"|none (?:provided|given|available)|error|parse[_ ]?error|not available|unavailable"
    r"|no (?:text|content|output|answer|translation)s?|(?:http[ :]*)?[45]\d\d"
    r"|(?:no )?translat\w*(?: (?:is |was )?(?:not )?(?:available|unavailable|found|failed|error"
    r"|missing|here|text|pending))?"
    r"|insert translation(?: here)?|(?:暂?无|没有|此处无?|未找到|缺少)(?:翻译|译文|内容)|(?:翻译"
    r"|译文)(?:结果)?(?:失败|缺失|错误|出错|为空)?"
    r"|空|无|错误|待译|待翻译|未翻译|(?:请求|服务器|网络|系统|内部)+(?:失败|错误|异常|超时))",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"[\[(（【<{](?:error|failed|failure|exception|parse[_ ]error|错误|失败)[^\n]{0,200}[\])）】>}]"
    r"|(?:error|exception|traceback|错误)\s*[:：][^\n]{0,200}|(?:http )?(?:error )?[45]\d\d [^\n]{0,80}"
    r"|[^\n]{0,40}(?:internal server error|too many requests|bad gateway|gateway time-?out"
    r"|service unavailable|request timed out"
    r"|rate limit exceeded)[^\n]{0,40}",
    re.IGNORECASE,
)
_ABOUT_NOTHING = re.compile(
    r"\b(?:nan|null|none|nil|undefined|n/?a|todo|tbd|errors?|no|not|empty|blank|value|servers?"
    r"|requests?)\b|translat|译"
    r"|无|没有|不适用|空|未|待|错误|误|零|异常|故障|失败|值|[45]\d\d",
    re.IGNORECASE,
)
_BRACKETS = " \t\n[](){}<>（）【】「」.。…!！\"'*_-—#"

_MIN_CONSTANT = 3  # segments
_CONSTANT_LETTERS = 40
_EQUAL_LETTERS: dict[str, int] = {"en": 60, "zh": 20}
"""Shorter texts may well equal the reference by chance."""


def flags(
    output: Output,
    source: str,
    direction: Direction,
    *,
    variety: Variety = "simplified",
    reference: str = "",
) -> tuple[Flag, ...]:
    """All flags of one output that follow from its own segment, in a fixed order.

    An error stands alone. A flag that explains why a text is no translation (empty, copied, placeholder,
    wrong-language) excludes those after it in this list. A text has no flag about its length if another flag
    explains it.
    """
    if output.error:
        return ("error",)
    text = output.text.strip()
    target_language = sides(direction)[1]
    result: list[Flag] = []
    if not text:
        result.append("empty")
    elif is_copied(text, source, direction):
        result.append("copied")
    elif _is_placeholder(text, source):
        result.append("placeholder")
    elif is_foreign(text, target_language):
        result.append("wrong-language")
    elif target_language == "zh" and is_other_variety(text, variety):
        result.append("wrong-variety")
    if output.truncated or finish_reasons.is_truncated(output.finish):
        result.append("truncated")
    if output.prompt_cut:
        result.append("prompt-cut")
    if finish_reasons.is_unknown(output.finish):
        result.append("unknown-finish")
    if output.refused or finish_reasons.is_refused(output.finish) or is_refusal(text, source):
        result.append("refused")
    if _loops(text) and not _loops(source):
        result.append("repeating")
    if _UNKNOWN_TOKEN.search(text) and not _UNKNOWN_TOKEN.search(source):
        result.append("unknown-token")
    if not set(result) - {"wrong-variety", "unknown-token"} and not output.unclear:
        ratio = (_length(text) + _LENGTH_BASE) / (_length(source) + _LENGTH_BASE)
        lowest, highest = _LENGTH_RATIOS[direction]
        if ratio < lowest:
            result.append("too-short")
        elif ratio > highest:
            result.append("too-long")
    if (
        reference
        and len(_letters(text)) >= _EQUAL_LETTERS[target_language]
        and _letters(text) == _letters(reference)
    ):
        result.append("equals-reference")
    if output.unclear:
        result.append("unclear-answer")
    return tuple(result)


def constant(texts: Sequence[str], sources: Sequence[str]) -> set[int]:
    """The indexes of the texts of a run that say the same for different sources (flag `constant`).

    The same: equal letters and digits, or equal first 40 of them. Different: none of the sources shares the
    first half of its letters with another one. At least three sources.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        letters = _letters(text)
        if letters:
            groups[letters[:_CONSTANT_LETTERS]].append(index)
    result = set()
    for indexes in groups.values():
        beginnings = {_beginning(sources[index]) for index in indexes}
        if len(beginnings) >= _MIN_CONSTANT:
            result.update(indexes)
    return result


def _beginning(text: str) -> str:
    letters = _letters(text)
    return letters[: max(1, min(_CONSTANT_LETTERS, len(letters)) // 2)]


def is_copied(text: str, source: str, direction: Direction) -> bool:
    """Whether a text has the letters and digits of the source, which has words of its own language."""
    return _letters(text) == _letters(source) and has_own_words(source, sides(direction)[0])


def _is_placeholder(text: str, source: str) -> bool:
    """Whether a text only says that there is no text, or has no letters, and the source is not like that."""
    if not _letters(text):
        return bool(_letters(source))
    stripped = text.strip(_BRACKETS).replace("_", " ")
    is_form = _PLACEHOLDER.fullmatch(stripped) or _ERROR.fullmatch(text)
    return bool(is_form) and not _ABOUT_NOTHING.search(source)


def _length(text: str) -> int:
    return len("".join(text.split()))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _loops(text: str) -> bool:
    longest = max(_LOOP.finditer(text[-_LOOP_WINDOW:]), key=lambda match: len(match[0]), default=None)
    return longest is not None and len(longest[0]) >= _MIN_LOOP
