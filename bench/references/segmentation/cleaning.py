"""Cleans the text of a sentence for scoring: white space, punctuation and hyphenation; no word is changed."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable

from bench.languages import COMPATIBILITY_IDEOGRAPHS, DOCUMENT_HAN, RADICALS, Language
from bench.references.segmentation.sentences import is_chinese_stop

_PREFIXES = frozenset(
    "non self well long high low co ex dual multi anti cross half semi so all post pre".split()
)
"""Words before a hyphen that belongs to the word ("non-proliferation"), even if it is at a line end."""
_LINE_END_HYPHEN = re.compile(r"(?<![\w-])([\w-]*\w)-\n\s*(\w[\w-]*)")
_PDF_FORMS = re.compile(rf"[{RADICALS}{COMPATIBILITY_IDEOGRAPHS}\ufb00-\ufb06]")
"""Radicals (⼀), compatibility ideographs and ligatures (ﬁ), which PDF fonts give for plain characters."""

_PRIVATE = re.compile("[\ue000-\uf8ff]")
"""Characters without a meaning of their own: bullets of symbol fonts."""
_RUN_IN_HEADING = re.compile(
    rf"([{DOCUMENT_HAN}、（）“”「」]{{2,16}})[ \u3000]+((?:(?![{DOCUMENT_HAN}] +[{DOCUMENT_HAN}]).)*[。；！？：])",
    re.DOTALL,
)

_TO_FULL_WIDTH = str.maketrans(",;:?!()", "，；：？！（）")
_TO_HALF_WIDTH = {ord(character) + 0xFEE0: character for character in string.digits + string.ascii_letters}
_HALF_WIDTH_MARK = re.compile("[,;:?!().]")
_FULL_WIDTH = rf"[{DOCUMENT_HAN}，。；：？！、（）《》“”‘’…—·％【】「」『』]"
"""A Han character or a Chinese punctuation mark."""
_NEXT_TO_FULL_WIDTH = re.compile(_FULL_WIDTH)
_SPACE_AT_FULL_WIDTH = re.compile(rf"(?<={_FULL_WIDTH})\s+|\s+(?={_FULL_WIDTH})")


def clean_text(text: str, language: Language, document_words: Iterable[str] = ()) -> str:
    """The text as it is scored.

    `document_words` are the words of the document in lower case. They decide whether a hyphen at a line end
    belongs to the word.
    """
    text = text.replace("\u200b", "").replace("\ufeff", "").replace("\u00ad\n", "").replace("\u00ad", "")
    text = _PDF_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    text = _PRIVATE.sub("", text)
    return _clean_chinese(text) if language == "zh" else _clean_english(text, frozenset(document_words))


def clean_paragraph_start(text: str) -> str:
    """The first Chinese sentence of a numbered paragraph, as it is scored: the space after a run-in heading stays
    (期限 本许可的期限规定于第六条。)."""
    match = _RUN_IN_HEADING.fullmatch(text.strip())
    return " ".join(clean_text(part, "zh") for part in match.groups()) if match else clean_text(text, "zh")


def _clean_english(text: str, document_words: frozenset[str]) -> str:
    def join(match: re.Match[str]) -> str:
        first, second = match.groups()
        joined, hyphenated = first + second, f"{first}-{second}"
        keeps_hyphen = (
            hyphenated.lower() in document_words
            or (joined.lower() not in document_words and first.lower() in _PREFIXES)
            or second[0].isupper()
        )
        return hyphenated if keeps_hyphen else joined

    return " ".join(_LINE_END_HYPHEN.sub(join, text).split())


def _clean_chinese(text: str) -> str:
    text = _SPACE_AT_FULL_WIDTH.sub("", " ".join(text.translate(_TO_HALF_WIDTH).split()))
    text = re.sub(r"(?<=\d)．(?=\d)", ".", text)
    text = _widen_brackets(_widen_marks(text))
    text = text.replace("......", "……")
    text = _curl_quotes(text, '"', "“”")
    if not re.search(r"[A-Za-z]'[A-Za-z]", text):
        text = _curl_quotes(text, "'", "‘’")
    return _SPACE_AT_FULL_WIDTH.sub("", text)


def _widen_marks(text: str) -> str:
    """Make punctuation marks full-width next to Chinese text."""
    characters = list(text)
    for _ in range(2):
        # A mark next to one that has just been widened is widened too: "),"  after 条约(NPT),
        for match in _HALF_WIDTH_MARK.finditer(text):
            i, mark = match.start(), match.group()
            before, after = "".join(characters[max(i - 1, 0) : i]), "".join(characters[i + 1 : i + 2])
            if mark == ".":
                if characters[i] == "." and is_chinese_stop(before + mark + after, len(before)):
                    characters[i] = "。"
            elif _NEXT_TO_FULL_WIDTH.search(before + after):
                characters[i] = mark.translate(_TO_FULL_WIDTH)
    return "".join(characters)


def _widen_brackets(text: str) -> str:
    """Make both brackets of a pair full-width if one of them is."""
    open_offsets: list[int] = []
    characters = list(text)
    for i, character in enumerate(characters):
        if character in "(（":
            open_offsets.append(i)
        elif character in ")）" and open_offsets:
            opening = open_offsets.pop()
            if characters[opening] == "（" or character == "）":
                characters[opening], characters[i] = "（", "）"
    return "".join(characters)


def _curl_quotes(text: str, straight: str, curled: str) -> str:
    """Replace straight quotation marks alternately by an opening and a closing one, if their number is
    even."""
    if text.count(straight) % 2:
        return text
    parts = text.split(straight)
    marks = [curled[i % 2] for i in range(len(parts) - 1)]
    return "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))
