"""Blocks -> items (headings and sentences), and the cleaning of their text for scoring.

Why not a library. Measured on the table in tests/test_references.py: pysbd 0.3.4 cuts "para. 4",
"Items 1. and 2." and every Chinese quotation of two sentences, and tears the closing quote off (“为什么？ | ”); syntok
1.4.4 knows no Chinese, cuts English quotations and gives tokens back where we need exact positions. The rules below get
the whole table right and are short enough to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.languages import Language
from bench.progress import watch
from bench.references.segmentation.blocks import Block, is_heading
from bench.references.segmentation.numbering import Outline, numbering
from bench.references.segmentation.pieces import HAN

_OPEN = {"(": ")", "（": "）", "[": "]", "《": "》", "【": "】", "「": "」", "『": "』", "“": "”", "‘": "’"}
_REFERENCE = re.compile(r"\[\d{1,3}\]|[¹²³⁴-⁹]+")
"""To a note, behind the end of a sentence."""
_NUMBERED = re.compile(r"\b(?:Annex|Appendix|Part|Chapter|Title|Section|Article|Schedule|Category) [A-Z]$")
_NOTE_MARKS = "①②③④⑤⑥⑦⑧⑨⑩¹²³⁴⁵⁶⁷⁸⁹"
_MARKS = re.compile("[" + re.escape("".join((*_OPEN, *_OPEN.values()))) + "]")
_POINTS = re.compile('[.!?。！？…"' + re.escape("".join(_OPEN)) + "]")
_SPACE = re.compile(r"\s*")
_CLOSERS = ")）]】」』》”’\"'"
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof gen col st no nos art arts para paras sec ch vol pp p fig ed eds rev cf vs etc al e.g i.e "
    "approx dept est inc ltd co corp jr sr messrs h.e jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_STARTERS = frozenset(
    "the this these those it its in on at as for to all both each no a an we they he she china however moreover "
    "therefore but and if when while since under with such any".split()
)
"""A word after "U.S." or "etc." that begins a sentence rather than goes on with a name."""


@dataclass(frozen=True, slots=True)
class Item:
    """A heading or a sentence of one language."""

    language: Language
    heading: bool
    number: str
    path: tuple[str, ...]
    """The outline's path where the item carries a number of its own, else ()."""
    block: int
    """Index of its block among those of its language."""
    start: int
    """Where it begins in the block; 0 is the block's first item."""
    raw: str
    lines: tuple[int, ...]
    text: str
    """Cleaned, without the number."""
    name: str
    """Unique in its language: "L37s2" is the second item that begins on source line 37."""


def items(blocks: Sequence[Block], whole: bool = False) -> list[Item]:
    """All headings and sentences of one language, in reading order; blocks as they are, where they are `whole`."""
    outline = Outline()
    found: list[Item] = []
    on_line: Counter[int] = Counter()
    words = frozenset(
        w.lower() for b in blocks for w in re.findall(r"\w+(?:-+\w+)*", b.text.replace("-\n", " "))
    )
    for index, block in enumerate(watch("split", blocks, len(blocks), "paragraphs")):
        path: tuple[str, ...] = ()
        offset = 0
        while number := numbering(block.text[offset : offset + 40], block.language):  # Article 1 / 1. / (a)
            path = outline.enter(number) if number.value else path
            offset += number.rest
            if not number.rest:
                break
        heading = is_heading(block.text, block.language)
        spans = (
            [(offset, len(block.text))] if heading or whole else sentences(block.text, block.language, offset)
        )
        for position, (start, end) in enumerate(spans):
            first = position == 0
            text = clean(block.text[start:end], block.language, words)
            at = 0 if first else start
            raw = block.text[at:end].strip()
            at = block.text.index(raw, at)
            lines = block.lines_of(at, at + len(raw))
            own = clean(block.text[:offset].strip(), block.language) if first else ""
            on_line[lines[0]] += 1
            name = f"L{lines[0]}s{on_line[lines[0]]}"
            found.append(
                Item(block.language, heading, own, path if first else (), index, at, raw, lines, text, name)
            )
    return found


def cut_end(found: Sequence[Item]) -> Item | None:
    """The last item, where the source stops in the middle of a sentence."""
    if not found or found[-1].heading:
        return None
    return None if re.search(rf"[.!?。！？…;；][{re.escape(_CLOSERS)}]*$", found[-1].text) else found[-1]


def merged(parts: Sequence[Item]) -> Item:
    """Neighbouring items as one."""
    first = parts[0]
    raw, lines, text = first.raw, list(first.lines), first.text
    joiner = "" if first.language == "zh" else " "
    for before, item in pairwise(parts):
        same = item.lines[0] == before.lines[-1]
        gap = (" " if item.language == "en" else "") if same else "\n"
        raw += gap + item.raw
        lines += item.lines[1:] if same else item.lines
        # Only the number that a segment begins with is kept apart; one in the middle stays where it is.
        text += joiner + (item.number + joiner if item.number else "") + item.text
    return replace(first, raw=raw, lines=tuple(lines), text=text)


def sentences(text: str, language: Language, start: int = 0) -> list[tuple[int, int]]:
    """Start and end of each sentence. Quotations within a sentence, titles and parentheses are kept whole."""
    marks = "。！？!?…" if language == "zh" else ".!?…"
    spans: list[tuple[int, int]] = []
    closing = _enclosed(text)
    index = begin = start
    while found := _POINTS.search(text, index):
        index, char = found.start(), found.group()
        end = index + 1
        if index in closing and (closing[index][1] or index > begin):
            whole = index == begin  # (A sentence in brackets.)
            index = closing[index][0]  # jump to the closing mark
            if text[index - 1] not in marks + "." or (text[index] in ")）]》】" and not whole):
                index += 1
                continue
            end, ends = index + 1, True
        else:
            ends = char in marks or (language == "zh" and char == "." and _is_stop(text, index))
            more = marks + _CLOSERS + (_NOTE_MARKS if language == "en" else "")
            while ends and end < len(text) and text[end] in more and not _opens(text, end, closing):
                end += 1
        if ends and (reference := _REFERENCE.match(text, end)):
            end = reference.end()
        if ends and _may_end(text, begin, index, end, language):
            spans.append((begin, end))
            begin = end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        index = end
    if text[begin:].strip():
        spans.append((begin, len(text.rstrip())))
    return spans


def _is_stop(text: str, index: int) -> bool:
    """Whether a half-width point in Chinese text stands for 。: behind Han or a closing mark, not within a number."""
    after = text[index + 1 : index + 2]
    return bool(re.match(rf"[{HAN}％%{re.escape(_CLOSERS)}]", text[index - 1 : index])) and not re.match(
        "[A-Za-z0-9.]", after
    )


def _enclosed(text: str) -> dict[int, tuple[int, bool]]:
    """Where parentheses and quotations open -> where they close, and whether they are never cut (parentheses)."""
    spans: dict[int, tuple[int, bool]] = {}
    open_at: dict[str, list[int]] = {closing: [] for closing in _OPEN.values()}
    for found in _MARKS.finditer(text):
        index, char = found.start(), found.group()
        if char in _OPEN:
            open_at[_OPEN[char]].append(index)
        elif open_at[char] and not _apostrophe(text, index):
            spans[open_at[char].pop()] = (index, char not in "”’」』")
    straight = [found.start() for found in re.finditer('"', text)]
    if len(straight) % 2 == 0:
        spans |= {a: (b, False) for a, b in zip(straight[::2], straight[1::2], strict=True)}
    return spans


def _apostrophe(text: str, index: int) -> bool:
    return text[index] == "’" and text[index - 1 : index].isalpha() and text[index + 1 : index + 2].isalpha()


def _opens(text: str, index: int, closing: Container[int]) -> bool:
    """Whether a straight quote opens a quotation rather than closes one."""
    return text[index] == '"' and index in closing


def _may_end(text: str, begin: int, index: int, end: int, language: Language) -> bool:
    following = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    after = text[following : following + 60]
    if not after:
        return True
    if language == "zh":
        return not re.match(r"[，,、；;：:。.）)》]", after)
    if following == end or re.match(r"[a-z,;:)–—-]", after):
        return False
    if text[index] != ".":
        return True
    word = re.search(r"([\w.&-]+)$", text[max(begin, index - 60) : index])
    last = word.group(1) if word else ""
    next_word = re.match(r"[\"“‘'(\[]*([\w'-]*)", after)
    follows = next_word.group(1) if next_word else ""
    if re.fullmatch(r"([A-Za-z]\.)+[A-Za-z]", last) or last.lower() in (
        "etc",
        "al",
        "inc",
        "ltd",
        "co",
        "corp",
    ):
        return follows.lower() in _STARTERS and last.lower() not in ("e.g", "i.e", "h.e")
    if re.fullmatch(r"[A-Z]", last) and _NUMBERED.search(text[max(begin, index - 20) : index]):
        return True  # Annex I. The rest
    if (
        re.fullmatch(r"[A-Z]", last) or last.lower() in _ABBREVIATIONS
    ):  # "no." as an answer needs a capital after it
        return last in ("no", "p") and follows[:1].isupper()
    # "Items 1. and 2." is caught by the small letter; a sentence may well end in a number.
    return not (last.isdigit() and text[begin:index].strip() == last)


def clean(text: str, language: Language, words: Iterable[str] = ()) -> str:
    """The text as it is scored: spaces and punctuation in order, nothing else touched.

    `words` are those of the document: they decide whether a hyphen at a line end belongs to the word.
    """
    text = text.replace("\u200b", "").replace("\ufeff", "").replace("\u00ad\n", "").replace("\u00ad", "")
    # PDF fonts give radicals (⼀), compatibility ideographs and ligatures (ﬁ) for the plain characters.
    text = re.sub(
        r"[\u2e80-\u2fdf\uf900-\ufaff\ufb00-\ufb06]", lambda m: unicodedata.normalize("NFKC", m.group()), text
    )
    return _clean_zh(text) if language == "zh" else _clean_en(text, frozenset(words))


def _clean_en(text: str, words: frozenset[str]) -> str:
    def joined(match: re.Match[str]) -> str:
        one, two = match.groups()
        whole, hyphened = (one + two).lower(), f"{one}-{two}".lower()
        keep = hyphened in words or (whole not in words and one.lower() in _PREFIXES) or two[0].isupper()
        return f"{one}-{two}" if keep else one + two

    return " ".join(re.sub(r"(?<![\w-])([\w-]*\w)-\n\s*(\w[\w-]*)", joined, text).split())


_PREFIXES = frozenset(
    "non self well long high low co ex dual multi anti cross half semi so all post pre".split()
)

_WIDE = str.maketrans(",;:?!()", "，；：？！（）")
_NARROW = {c: c - 0xFEE0 for c in map(ord, "０１２３４５６７８９")} | {
    c: c - 0xFEE0 for first in "Ａａ" for c in range(ord(first), ord(first) + 26)
}
_HALF = re.compile("[,;:?!().]")


def _clean_zh(text: str) -> str:
    text = _SPACED.sub("", " ".join(text.translate(_NARROW).split()))
    text = re.sub(r"(?<=\d)．(?=\d)", ".", text)
    chars = list(text)
    for _ in range(2):
        # A mark beside one that has just become wide becomes wide itself: )， after 条约(NPT),
        for found in _HALF.finditer(text):
            i, c = found.start(), found.group()
            if c != ".":
                if _NEAR.search("".join(chars[max(i - 1, 0) : i] + chars[i + 1 : i + 2])):
                    chars[i] = c.translate(_WIDE)
            elif chars[i] == "." and _is_stop("".join(chars[max(i - 1, 0) : i + 2]), min(i, 1)):
                chars[i] = "。"
    text = _pair_brackets("".join(chars))
    text = text.translate(str.maketrans("「」『』", "“”‘’")).replace("......", "……")
    if text.count('"') % 2 == 0:
        parts = text.split('"')
        text = "".join(p + ("" if i == len(parts) - 1 else "“”"[i % 2]) for i, p in enumerate(parts))
    text = re.sub(rf"(?<={_BESIDE})'|'(?={_BESIDE})", "'", text)
    if text.count("'") % 2 == 0 and not re.search(r"[A-Za-z]'[A-Za-z]", text):
        parts = text.split("'")
        text = "".join(p + ("" if i == len(parts) - 1 else "‘’"[i % 2]) for i, p in enumerate(parts))
    return _SPACED.sub("", text)


_BESIDE = rf"[{HAN}，。；：？！、（）《》“”‘’…—·％【】「」『』]"
_NEAR = re.compile(_BESIDE)
_SPACED = re.compile(rf"(?<={_BESIDE})\s+|\s+(?={_BESIDE})")


def _pair_brackets(text: str) -> str:
    """Both of a pair are wide if one is."""
    stack: list[int] = []
    chars = list(text)
    for i, c in enumerate(chars):
        if c in "(（":
            stack.append(i)
        elif c in ")）" and stack and (chars[(j := stack.pop())] == "（" or c == "）"):
            chars[j], chars[i] = "（", "）"
    return "".join(chars)
