"""What a model says around a translation: a preamble, the source once more, remarks at the end.

All of it is about translating. A source that is itself about translations, notes or questions to the reader
may have such lines in its translation: then nothing is removed.
"""

from __future__ import annotations

import re

from bench.answers.refusals import is_refusal
from bench.answers.wrappers import NOTHING, Removal
from bench.languages import HAN, LATIN_WORD, Language

# Preambles

_ABOUT_TRANSLATION = re.compile(r"translat|翻译|译文|译本|中译|英译|译成|译为|译如下", re.IGNORECASE)
_LANGUAGE_LABELS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"(?:in )?(?:english|eng?|英文|英语)(?: (?:version|text))?", re.IGNORECASE),
    "zh": re.compile(
        r"(?:in )?(?:(?:simplified )?chinese|zh|中文|汉语|简体中文)(?: (?:version|text))?", re.IGNORECASE
    ),
}
_ABOUT_LANGUAGE: dict[Language, re.Pattern[str]] = {
    "en": re.compile("english|英", re.IGNORECASE),
    "zh": re.compile("chinese|中文|汉语|华语|华文", re.IGNORECASE),
}
_ANSWER_LABEL = re.compile(
    r"(?:the )?(?:final |correct )?(?:answer|output)(?: is)?|target(?: text)?|results?|response|assistant|ai|translator"
    r"|答案|输出|结果|译|助手",
    re.IGNORECASE,
)
_ABOUT_ANSWERS = re.compile(
    "answer|repl|respon|output|assist|translator|\\bai\\b|答|复|产|输出|助|译|智能", re.IGNORECASE
)
_OPENING = re.compile(
    r"""(?:sure|certainly|of\ course|okay|ok|absolutely|here|below|the|this|my|an?|english|chinese|final
        |translat\w*|it|in|i|you|we|please\ find
        |好的|好，|当然|没问题|可以|以下|下面|如下|译文|翻译|中文|英文|简体|这|该|最终|您|你|根据|将|“|")""",
    re.IGNORECASE | re.VERBOSE,
)
_ACKNOWLEDGEMENT = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|okay|ok|absolutely|no problem|好的|好|当然|没问题|可以"
    r"|收到|明白了?)"
    r"[\s!！。.,，:：~]*",
    re.IGNORECASE,
)
_ACKNOWLEDGED = re.compile(
    r"\b(?:sure|certainly|of course|ok|okay|absolutely|naturally|good|well|all ?right|alright|right"
    r"|yes|yeah"
    r"|come on)\b|当然|自然|固然|诚然|好|可以|没问题|肯定|确",
    re.IGNORECASE,
)
_PRESENTATION = re.compile(
    r"(?:(?:sure|certainly|of course|okay|ok)\b[^\n:：]{0,40}|here(?:['’]s| is| are| it is"
    r"| you go)\b[^\n:：]{0,80}"
    r"|(?:below is|the following is)\b[^\n:：]{0,80}|(?:好的|当然|没问题)[^\n:：]{0,40}|(?:以下是"
    r"|下面是)[^\n:：]{0,40})[:：]",
    re.IGNORECASE,
)
_PRESENTS = re.compile(r"(?:here|below|following|the following|this is|以下|下面|这是)", re.IGNORECASE)
_MARKUP = " \t*_#>【】[]()-=~\"'“”"
_MAX_LABEL = 200  # characters
_GUARD = 500
"""Characters at the beginning (or the end) of the source that a preamble (or a remark) could be translated from."""


def preamble(text: str, source: str, target: Language) -> Removal:
    """The text after a line, or a label with a colon, that says that a translation follows."""
    first, _, rest = text.partition("\n")
    line = first.strip(_MARKUP)
    if not line and rest.strip():  # a ruler
        return (
            Removal(rest, "preamble")
            if len(set(first.strip())) == 1 and not source.startswith(first[:1])
            else NOTHING
        )
    if is_refusal(first, source):  # what follows is no translation
        return NOTHING
    beginning = source[:_GUARD]
    if rest.strip() and len(line) <= _MAX_LABEL:
        bare = line.rstrip(":： \t*_")
        is_label = line.endswith((":", "：")) or first.lstrip()[:1] in "#【*"
        is_announcement = is_label or len(bare.split()) <= 4 or bool(_PRESENTS.match(line))
        if is_announcement and _announces(bare, beginning, target):
            return Removal(rest, "preamble")
        if "\n" not in source:
            if _ACKNOWLEDGEMENT.fullmatch(line) and not _ACKNOWLEDGED.search(source):
                return Removal(rest, "preamble")
            if _PRESENTATION.fullmatch(line) and not re.search("[:：]", source):
                return Removal(rest, "preamble")
    bracket = _BRACKET_LABEL.match(text)
    if bracket and text[bracket.end() :].strip() and _announces(bracket[1], beginning, target):
        return Removal(text[bracket.end() :], "preamble")
    if final := _final_translation(text, beginning):
        return Removal(final, "preamble")
    label, colon, rest = _label(text)
    if colon and rest.strip() and _announces(label.strip(_MARKUP), beginning, target):
        return Removal(rest.lstrip(" \t*_"), "preamble")
    acknowledgement = re.match(r"[^\n!！.。,，<{`]{1,12}[!！.。,，]?\s*(?=<|```|\{)", text)
    if acknowledgement and _ACKNOWLEDGEMENT.fullmatch(acknowledgement[0]) and source[:1] not in "<`{":
        return Removal(text[acknowledgement.end() :], "preamble")
    return NOTHING


_FINAL_LABEL = re.compile(
    r"^[\s*#_>-]*(?:(?:my |the )?(?:final |polished |revised )?(?:english "
    r"|chinese )?translation(?: is)?|final (?:answer|version)"
    r"|(?:最终|英文|中文)?(?:译文|翻译)|最终版本?|翻译结果)\s*[*_]*\s*[:：][*_]*",
    re.IGNORECASE | re.MULTILINE,
)


def _final_translation(text: str, source: str) -> str:
    """What follows the only line that begins with "Final translation:" or the like, after thoughts without tags;
    "" if there is none."""
    labels = list(_FINAL_LABEL.finditer(text))
    if len(labels) != 1 or not text[: labels[0].start()].strip() or _ABOUT_TRANSLATION.search(source):
        return ""
    return text[labels[0].end() :].strip()


_BRACKET_LABEL = re.compile(r"[【\[(（]([^【】\[\]()（）\n]{1,40})[】\])）]")


def _label(text: str) -> tuple[str, str, str]:
    colon = re.search("[:：]", text[:_MAX_LABEL].partition("\n")[0])
    return (text[: colon.start()], colon[0], text[colon.end() :]) if colon else (text, "", "")


def _announces(label: str, source: str, target: Language) -> bool:
    """Whether a label says that a translation follows, and the source says nothing like it."""
    label = label.strip()
    if _LANGUAGE_LABELS[target].fullmatch(label):
        return not _ABOUT_LANGUAGE[target].search(source)
    if _ANSWER_LABEL.fullmatch(label):
        return not _ABOUT_ANSWERS.search(source) and not re.search("[:：]", source)
    return (
        bool(_ABOUT_TRANSLATION.search(label))
        and bool(_OPENING.match(label))
        and not _ABOUT_TRANSLATION.search(source)
    )


# The source once more

_ECHO_LABEL = re.compile(
    r"[\W_]*(?:chinese|english|source(?: text)?|original(?: text)?|原文|中文|英文|源文)[\s*_]*[:：]",
    re.IGNORECASE,
)
_AFTER_ECHO = re.compile(
    r"""[^\w\n<（(]*?(?:\n|→|=>|->|⇒|\t|\|{1,3}|\s*(?:(?:can\ be\ |is\ )?translate[sd]?\ (?:to|as|into)|means)\b
        |(?:可以)?翻?译[为成]
        |的(?:英文|中文)?(?:翻译|译文)(?:是|为)?|的意思是)[\s:：]*""",
    re.VERBOSE,
)


def echo(text: str, source: str, target: Language) -> Removal:
    """The text after (or before) the source, which the model has repeated on a line of its own."""
    letters = _letters(source)
    if cells := _last_row(text):  # a table of source and translation
        others = [cell for cell in cells if _letters(cell) != letters]
        if len(cells) == 2 and len(others) == 1 and "|" not in source:
            return Removal(others[0], "echo")
    own_script = HAN if target == "en" else LATIN_WORD
    if not own_script.search(source):  # a number is the same in both languages
        return NOTHING
    label = _ECHO_LABEL.match(text)
    for start in dict.fromkeys((label.end() if label else 0, 0)):
        end = _end_of(letters, text, start)
        after = _AFTER_ECHO.match(text, end) if end else None
        if after and re.search(r"\w", text[after.end() :]):
            return Removal(text[after.end() :], "echo")
    before, _, last = text.rpartition("\n")
    label = _ECHO_LABEL.match(last)
    if (
        re.search(r"\w", before)
        and _letters(last[label.end() if label else 0 :]) == letters
        and "\n" not in source
    ):
        return Removal(before, "echo")
    return NOTHING


def _last_row(text: str) -> list[str]:
    """The cells of the last row, if the text is a Markdown table."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or not all(line.startswith("|") for line in lines):
        return []
    return [cell.strip() for cell in lines[-1].strip("|").split("|")]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _end_of(letters: str, text: str, start: int) -> int:
    """Where the letters of the source end in `text`, if it begins with them; else 0."""
    position = 0
    for index in range(start, len(text)):
        for character in _letters(text[index]):
            if position == len(letters) or character != letters[position]:
                return 0
            position += 1
        if position == len(letters):
            return index + 1
    return 0


# Remarks

_STARTS = r"^[\s*_#>(（\[【\-—]*"
_REMARKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(_STARTS + start, re.IGNORECASE), re.compile(source, re.IGNORECASE))
    for start, source in (
        (
            r"(?:please\s+note\b|(?:translat\w+['’]?s?\s+)?(?:notes?|remarks?|comments?)\b(?:\s+(?:on"
            r"|about|that)\b|[^\n:：]{0,40}[:：*])"
            r"|explanations?\b|(?:key\s+)?(?:points?|terms?|breakdown|changes|vocabulary"
            r"|glossary)\b[^\n]{0,30}[:：*)]"
            r"|(?:译者?)?注(?:释|解)?[:：*]|注意[，,:：]|(?:翻译)?(?:说明|备注|解释|解析)[:：*])",
            r"note|remark|comment|explan|interpret|term|point|注|说明|备注|释|解|术语|要点|请",
        ),
        (
            r"(?:this|the|my|in this|in the|above)\s+(?:\w+\s+)?translat\w+|(?:literal|alternative"
            r"|back)\w*\s+translat\w+"
            r"|i(?:['’]ve| have)?\s+(?:\w+\s+)?translated|(?:以上|这|该)[^\n，。]{0,6}(?:翻译|译文)"
            r"|翻译(?:思路|要点|过程)",
            r"translat|译",
        ),
        (
            r"(?:hanyu )?(?:pinyin|romani[sz]ation|pronunciation|transliteration)\b[^\n]{0,20}[:：*]"
            r"|(?:汉语)?拼音[:：]",
            r"pinyin|roman|pronounc|transliter|拼音|读音|发音",
        ),
        # The next turn of a conversation, or the next of the examples that the prompt has shown.
        (
            r"(?:human|user|assistant|system|用户|助手)[\s*]*[:：]|(?:chinese|source|original|中文"
            r"|原文)[\s*]*[:：]",
            r"human|user|assist|system|chinese|source|origin|用户|助|中文|原文|来源|人",
        ),
        (r"(?:关键|主要|专业)?(?:术语|词汇|要点)[^\n]{0,10}[:：*]", r"term|key|vocab|point|术语|词汇"
        r"|要点|关键"),
        (
            r"(?:please\s+)?let me know\b|(?:please\s+)?feel free\b|if you (?:need|have|would|want"
            r"|['’]d)\b|i hope\b"
            r"|hope (?:this|it|that)\b|would you like\b|is there anything\b|do you (?:need|want)\b"
            r"|happy to\b"
            r"|希望(?:这|对|能|以上|我的)|(?:如果|若|如)[^\n]{0,40}(?:告诉|告知|联系|提出|随时)"
            r"|请(?:告诉我|随时|问)|需要我",
            r"hope|contact|question|inform|tell|know|free|help|希望|帮助|联系|问题|告知|告诉|随时|期待",
        ),
    )
)  # fmt: skip
_PARENTHESIS = re.compile(
    r"\s*[(（\[【]\s*(?:note|translator['’]s note|translation note|注|译注|译者注"
    r"|说明)\s*[:：][^()（）\[\]【】\n]*[)）\]】]$",
    re.IGNORECASE,
)
_ABOUT_NOTES = _REMARKS[0][1]
_RULER = re.compile(r"[\s*_=—-]*")


def is_remark(line: str, source: str) -> bool:
    """Whether a line talks about the translation, or to the reader, as the source does not."""
    return any(start.match(line) and not about.search(source) for start, about in _REMARKS)


def remark(text: str, source: str, target: Language) -> Removal:
    """The text before the first line that talks about the translation, or to the reader.

    As many lines as the source has stay in any case.
    """
    if not _ABOUT_NOTES.search(source) and (note := _PARENTHESIS.search(text)):
        return Removal(text[: note.start()], "remark")
    lines = text.split("\n")
    ending = source[-_GUARD:]
    kept = 0
    if len(lines) > 1 and _RULER.fullmatch(lines[-1]) and not _RULER.fullmatch(source.rpartition("\n")[2]):
        return Removal("\n".join(lines[:-1]), "remark")
    for number, line in enumerate(lines):
        if kept > source.count("\n") and is_remark(line, ending):
            while number and _RULER.fullmatch(lines[number - 1]):
                number -= 1
            return Removal("\n".join(lines[:number]), "remark")
        kept += bool(line.strip())
    return NOTHING


_INLINE_NOTE = re.compile(r"[.。!！;；]\s*(?:note|译?注)\s*[:：]", re.IGNORECASE)
_SPOKEN = re.compile(
    r"(?:sure|certainly|of course|okay|ok|absolutely)\s*[,!:.]|(?:好的|当然|没问题)\s*[，,！!：:。]",
    re.IGNORECASE,
)


def is_unclear(text: str, source: str) -> bool:
    """Whether a text may hold more than the translation: more lines than the source, an opening like an
    acknowledgement or a presentation, or a note, none of which the source has."""
    lines = sum(1 for line in text.split("\n") if line.strip())
    source_lines = sum(1 for line in source.split("\n") if line.strip())
    if lines > max(1, 2 * source_lines if source_lines > 1 else 1):
        return True
    if _SPOKEN.match(text) and not _ACKNOWLEDGED.search(source):
        return True
    if (
        (found := _PRESENTATION.match(text))
        and text[found.end() :].strip()
        and not re.search("[:：]", source)
    ):
        return True
    return bool(_INLINE_NOTE.search(text)) and not _ABOUT_NOTES.search(source)
