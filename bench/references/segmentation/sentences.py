"""Text of one block -> sentences.

Why not a library? Measured on the table in tests/references/test_split.py: pysbd 0.3.4 splits "para. 4",
"Items 1. and 2." and every Chinese quotation of two sentences, and separates the closing quotation mark
(“为什么？ | ”); syntok 1.4.4 does not support Chinese, splits English quotations and returns tokens where
exact positions are needed. The rules below get the entire table right and are short enough to read.
"""

from __future__ import annotations

import re
from collections.abc import Container

from bench.languages import DOCUMENT_HAN, Language
from bench.references.segmentation.line_shapes import CLOSING_MARKS

Span = tuple[int, int]
"""Offset of the first character, and offset after the last one."""

_CLOSING = {
    "(": ")",
    "（": "）",
    "[": "]",
    "《": "》",
    "【": "】",
    "「": "」",
    "『": "』",
    "“": "”",
    "‘": "’",
}
"""Opening mark -> closing mark."""
_BRACKET_MARK = re.compile("[" + re.escape("".join((*_CLOSING, *_CLOSING.values()))) + "]")
_END_MARKS: dict[Language, str] = {"zh": "。！？!?…", "en": ".!?…"}
_STOP = re.compile('[.!?。！？…"' + re.escape("".join(_CLOSING)) + "]")
"""Characters at which the search for a sentence end stops: end marks and opening marks."""
_BEFORE_CHINESE_STOP = re.compile(rf"[{DOCUMENT_HAN}％%{re.escape(CLOSING_MARKS)}]")
_FOOTNOTE_REFERENCE = re.compile(r"\[\d{1,3}\]|[¹²³⁴-⁹]+")
"""After the end of a sentence."""
_FOOTNOTE_MARKS = "①②③④⑤⑥⑦⑧⑨⑩¹²³⁴⁵⁶⁷⁸⁹"
_SPACE = re.compile(r"\s*")
_LETTERED = re.compile(r"\b(?:Annex|Appendix|Part|Chapter|Title|Section|Article|Schedule|Category) [A-Z]$")
"""The end of a sentence that ends in "Annex I"."""
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof gen col st no nos art arts para paras sec ch vol pp p fig ed eds rev cf vs etc al e.g "
    "i.e approx dept est inc ltd co corp jr sr messrs h.e jan feb mar apr jun jul aug sep sept oct nov "
    "dec".split()
)
_LIST_NUMBER = re.compile(r"\d+(\.\d+)*|[A-Za-z]|[ivx]+|[IVX]+")
"""1. 1.2.1. a. iv. on its own is not a sentence."""
_FINAL_ABBREVIATIONS = ("etc", "al", "inc", "ltd", "co", "corp")
"""Abbreviations that may be the last word of a sentence."""
_STARTERS = frozenset(
    "the this these those it its in on at as for to all both each no a an we they he she china however "
    "moreover therefore but and if when while since under with such any".split()
)
"""A word after "U.S." or "etc." that begins a sentence, rather than continues a name."""


def split_sentences(text: str, language: Language, start: int = 0) -> list[Span]:
    """The sentences of text[start:] in order, as offsets in `text`.

    Quotations within a sentence, titles and parentheses are never split. Linear in the length of the text.
    """
    end_marks = _END_MARKS[language]
    spans: list[Span] = []
    brackets = _match_brackets(text)
    index = begin = start
    while stop := _STOP.search(text, index):
        index, mark = stop.start(), stop.group()
        end = index + 1
        if index in brackets and (brackets[index][1] or index > begin):
            is_entire_sentence = index == begin  # (A sentence in brackets.)
            index = brackets[index][0]  # jump to the closing mark
            if text[index - 1] not in end_marks + "." or (
                text[index] in ")）]》】" and not is_entire_sentence
            ):
                index += 1
                continue
            end, is_end = index + 1, True
        else:
            is_end = mark in end_marks or (language == "zh" and mark == "." and is_chinese_stop(text, index))
            trailing = end_marks + CLOSING_MARKS + (_FOOTNOTE_MARKS if language == "en" else "")
            while (
                is_end and end < len(text) and text[end] in trailing and not _opens_quote(text, end, brackets)
            ):
                end += 1
        if is_end and (reference := _FOOTNOTE_REFERENCE.match(text, end)):
            end = reference.end()
        if is_end and _may_end(text, begin, index, end, language):
            spans.append((begin, end))
            begin = end = _skip_space(text, end)
        index = end
    if text[begin:].strip():
        spans.append((begin, len(text.rstrip())))
    return spans


def is_chinese_stop(text: str, index: int) -> bool:
    """Whether the half-width point text[index] in a Chinese text is used as 。

    It is one after a Han character, a percent sign or a closing mark, unless it is within a number or a Latin
    word.
    """
    is_after_han = _BEFORE_CHINESE_STOP.match(text[index - 1 : index])
    return bool(is_after_han) and not re.match("[A-Za-z0-9.]", text[index + 1 : index + 2])


def _match_brackets(text: str) -> dict[int, tuple[int, bool]]:
    """Offset of an opening mark -> offset of its closing mark, and True for parentheses, which are never
    split."""
    brackets: dict[int, tuple[int, bool]] = {}
    open_offsets: dict[str, list[int]] = {closing: [] for closing in _CLOSING.values()}
    for match in _BRACKET_MARK.finditer(text):
        index, mark = match.start(), match.group()
        if mark in _CLOSING:
            open_offsets[_CLOSING[mark]].append(index)
        elif open_offsets[mark] and not _is_apostrophe(text, index):
            brackets[open_offsets[mark].pop()] = (index, mark not in "”’」』")
    straight = [match.start() for match in re.finditer('"', text)]
    if len(straight) % 2 == 0:
        brackets |= {a: (b, False) for a, b in zip(straight[::2], straight[1::2], strict=True)}
    return brackets


def _is_apostrophe(text: str, index: int) -> bool:
    return text[index] == "’" and text[index - 1 : index].isalpha() and text[index + 1 : index + 2].isalpha()


def _opens_quote(text: str, index: int, brackets: Container[int]) -> bool:
    """Whether a straight quotation mark opens a quotation."""
    return text[index] == '"' and index in brackets


def _skip_space(text: str, index: int) -> int:
    """The offset of the first character from `index` on that is not white space."""
    space = _SPACE.match(text, index)
    return space.end() if space else index


def _may_end(text: str, begin: int, index: int, end: int, language: Language) -> bool:
    """Whether a sentence that began at `begin` can end at `end`, after the end mark text[index]."""
    following = _skip_space(text, end)
    after = text[following : following + 60]
    if not after:
        return True
    if language == "zh":
        return not re.match(r"[，,、；;：:。.）)》]", after)
    if following == end or re.match(r"[a-z,;:)–—-]", after):
        return False
    if text[index] != ".":
        return True
    match = re.search(r"([\w.&-]+)$", text[max(begin, index - 60) : index])
    word = match.group(1) if match else ""
    match = re.match(r"[\"“‘'(\[]*([\w'-]*)", after)
    next_word = match.group(1) if match else ""
    if re.fullmatch(r"([A-Za-z]\.)+[A-Za-z]", word) or word.lower() in _FINAL_ABBREVIATIONS:
        return next_word.lower() in _STARTERS and word.lower() not in ("e.g", "i.e", "h.e")
    if re.fullmatch(r"[A-Z]", word) and _LETTERED.search(text[max(begin, index - 20) : index]):
        return True  # Annex I. The rest
    if re.fullmatch(r"[A-Z]", word) or word.lower() in _ABBREVIATIONS:
        return word in ("no", "p") and next_word[:1].isupper()  # the answer "no." needs a capital after it
    # "Items 1. and 2." is recognised by the small letter; a sentence may well end in a number.
    return not (_LIST_NUMBER.fullmatch(word) and text[begin:index].strip() == word)
