"""What a line looks like on its own: a finished sentence, a heading, an unfinished line, a note."""

from __future__ import annotations

import re

from bench.languages import Language
from bench.references.script import to_simplified
from bench.references.segmentation.numbering import find_numbering
from bench.references.segmentation.pieces import FUNCTION_WORDS

CLOSING_MARKS = ")）]】」』》〉”’\"'"
"""Brackets and quotation marks that may follow the end of a sentence."""
_SENTENCE_END = re.compile(
    rf"[.!?。！？…:：;；]['’]?[{re.escape(CLOSING_MARKS)}]*\s*(\[\d+\]|[①-⑳*¹²³⁴-⁹]+)?\s*$"
    r"|[;,] (and|or)$|[；;](及|或|和|以及|或者)$"
)
_TAIL = 80
"""Characters in which a sentence end shows. No search may run through a line of megabytes."""
_NOTE = re.compile(
    r"^\s*(\d{1,2}\s+(?=[A-Z见参])|[*†‡¹²³⁴-⁹]|\[\d+\]|(?:编者|译者)?注[：:释]|[Nn]otes?\s*[.:：]|[①-⑳])"
)
_ABBREVIATION = re.compile(r"\b(?:[A-Z]\.)+|\b(?:No|Mr|Mrs|Ms|Dr|St|vs)\.")
_SENTENCE_BREAK = re.compile(r"[a-z)][.;]\s[A-Z]")


def is_finished(text: str) -> bool:
    """Whether a text stops where a sentence, a clause or a list item can end."""
    return bool(_SENTENCE_END.search(text.rstrip()[-_TAIL:]))


def breaks_off(text: str) -> bool:
    """Whether an English line stops where no sentence can end."""
    return text.endswith("-") or _last_word(text) in FUNCTION_WORDS


def is_note(text: str) -> bool:
    """Whether a line begins as a footnote does: "* Note: …", "注：…", "[1] …"."""
    return bool(_NOTE.match(to_simplified(text[:_TAIL])))


def has_sentence_break(text: str) -> bool:
    """Whether an English sentence ends within the text and another begins."""
    return bool(_SENTENCE_BREAK.search(_ABBREVIATION.sub("", text)))


def looks_like_heading(text: str, language: Language) -> bool:
    """Whether a text without an end mark can be a line of its own: a title, a heading, a date."""
    if language == "zh":
        return len(text) <= 40 and not re.search("[，,。；;]", text)
    words = re.findall(r"[A-Za-z][\w'’-]*", text)
    if (
        not words
        or len(text) > 160
        or re.search(r"[.;!?]\s", _ABBREVIATION.sub("", re.sub(r"^\S+\s", "", text)))
        or text.endswith(",")
    ):
        return False
    if words[-1].lower() in FUNCTION_WORDS or not (words[0][0].isupper() or find_numbering(text, "en")):
        return False
    content_words = [word for word in words if word.lower() not in FUNCTION_WORDS]
    capitalized = sum(word[0].isupper() for word in content_words)
    return bool(capitalized >= 0.6 * len(content_words))


def is_heading(text: str, language: Language) -> bool:
    """Whether a complete block is a heading (or a title, a date …) and not a sentence."""
    if is_finished(text) or text.endswith((",", "，", "-")):
        return False
    numbering = find_numbering(text, language)
    content = text[numbering.text_start :] if numbering else text
    if language == "zh":
        return len(content) <= (60 if numbering else 40) and not re.search("[。；;]", content)
    if (
        len(content) > 200
        or re.search(r"[a-z)][.;!?]\s", _ABBREVIATION.sub("", content))
        or _last_word(content) in FUNCTION_WORDS
    ):
        return False
    return looks_like_heading(text, "en") or len(content.split()) <= (15 if numbering else 8)


def _last_word(text: str) -> str:
    """The last English word in lower case; "" if a bracket or quotation ends the text."""
    match = re.search(r"([A-Za-z]+)\W*$", text[-_TAIL:])
    return match.group(1).lower() if match and not text.endswith((")", '"', "”")) else ""
