"""Pieces -> blocks: paragraphs and headings, joined where a line end or a page end has cut them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from bench.languages import Language
from bench.references.segmentation.numbering import numbering
from bench.references.segmentation.pieces import FUNCTION_WORDS, Piece

ORNAMENT = "ornament"
CLOSERS = "”’\"')）]】」』》〉"
_ENDED = re.compile(
    rf"[.!?。！？…:：;；]['’]?[{re.escape(CLOSERS)}]*\s*(\[\d+\]|[①-⑳*¹²³⁴-⁹]+)?\s*$|[;,] (and|or)$"
)
_TAIL = 80  # characters in which an end shows: no search may run through a line of megabytes
_NOTE = re.compile(
    r"^\s*(\d{1,2}\s+(?=[A-Z见参])|[*†‡¹²³⁴-⁹]|\[\d+\]|(?:编者|译者)?注[：:释]|[Nn]otes?\s*[.:：]|[①-⑳])"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading. Parts from different lines are joined by a line break."""

    language: Language
    text: str
    starts: tuple[int, ...]
    """Where each part begins in the text."""
    lines: tuple[int, ...]
    """The source line of each part."""

    def lines_of(self, start: int, end: int) -> tuple[int, ...]:
        """The source lines that hold text[start:end]."""
        return self.lines[bisect_right(self.starts, start) - 1 : bisect_right(self.starts, end - 1)]


_SENTENCES = re.compile(r"[a-z)][.;]\s[A-Z]")
_ABBREVIATED = re.compile(r"\b(?:[A-Z]\.)+|\b(?:No|Mr|Mrs|Ms|Dr|St|vs)\.")


def ended(text: str) -> bool:
    """Whether a text stops where a sentence, a clause or a list item can."""
    return bool(_ENDED.search(text.rstrip()[-_TAIL:]))


def headinglike(text: str, language: Language) -> bool:
    """Whether a block without an end mark can be a whole line of its own: a title, a heading, a date."""
    if language == "zh":
        return len(text) <= 40 and not re.search("[，,。；;]", text)
    words = re.findall(r"[A-Za-z][\w'’-]*", text)
    if (
        not words
        or len(text) > 160
        or re.search(r"[.;!?]\s", _ABBREVIATED.sub("", re.sub(r"^\S+\s", "", text)))
        or text.endswith(",")
    ):
        return False
    if words[-1].lower() in FUNCTION_WORDS or not (words[0][0].isupper() or numbering(text, "en")):
        return False
    content = [w for w in words if w.lower() not in FUNCTION_WORDS]
    return sum(w[0].isupper() for w in content) >= 0.6 * len(content)


def is_heading(text: str, language: Language) -> bool:
    """Whether a whole block is a heading (or a title, a date …) and not a sentence."""
    if ended(text) or text.endswith((",", "，", "-")):
        return False
    found = numbering(text, language)
    rest = text[found.rest :] if found else text
    if language == "zh":
        return len(rest) <= (60 if found else 40) and not re.search("[。；;]", rest)
    if (
        len(rest) > 200
        or re.search(r"[a-z)][.;!?]\s", _ABBREVIATED.sub("", rest))
        or _last_word(rest) in FUNCTION_WORDS
    ):
        return False
    return headinglike(text, "en") or len(rest.split()) <= (15 if found else 8)


def blocks_of(pieces: Sequence[Piece], dropped: Mapping[Piece, str], language: Language) -> list[Block]:
    """Joins pieces that a line end or a page end has cut."""
    groups: list[list[Piece]] = []
    layout = _layout(pieces, language)
    current = 0  # the block that the last line went to
    waiting: int | None = (
        None  # one that stops in mid-sentence before notes, and goes on behind them on the next page
    )
    new_page, page, body = True, 0, False
    for piece in pieces:
        new_page = new_page or piece.page != page
        page = piece.page
        if piece in dropped or piece.language != language:
            if dropped.get(piece) != ORNAMENT:  # a rule parts the notes from the text of the same page
                new_page = new_page or piece in dropped or not layout.alternating
            continue
        if waiting is not None and new_page:
            if _ended(groups[-1][-1]) and _continues(groups[waiting], piece, True, body, layout):
                current = waiting
            waiting = None
        if groups and _continues(groups[current], piece, new_page, body, layout):
            groups[current].append(piece)
        else:
            if groups and not new_page and _cut(groups[current], piece):
                waiting = current
            current = len(groups)
            groups.append([piece])
        body = _ended(piece) or (body and not new_page)
        new_page = False
    return [_block(group, language) for group in groups]


def _block(group: Sequence[Piece], language: Language) -> Block:
    ends = accumulate(len(piece.text) + 1 for piece in group)
    return Block(
        language,
        "\n".join(piece.text for piece in group),
        starts=(0, *ends)[: len(group)],
        lines=tuple(piece.line for piece in group),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a document sets the text of one language."""

    width: int
    """Of the lines of running text; 0 where each paragraph is one line."""
    margin: int
    """The first column where many lines begin; first lines of paragraphs are set in."""
    alternating: bool
    """The languages change from paragraph to paragraph, so that a change is no page end."""


_WIDTHS = {"zh": (18, 60), "en": (50, 130)}
"""Of wrapped lines: shorter ones are the rows of a list."""


def _layout(pieces: Sequence[Piece], language: Language) -> _Layout:
    own = [p for p in pieces if p.language == language]
    followed = [a for a, b in pairwise(own) if b.line == a.line + 1]
    width, margin = 0, 0
    if followed:
        widths = sorted(len(p.text) for p in followed)
        width = widths[int(0.9 * (len(widths) - 1))]
        full = [p for p in followed if len(p.text) >= 0.75 * width]
        if (
            not _WIDTHS[language][0] <= width <= _WIDTHS[language][1]
            or sum(map(_ended, full)) > len(full) / 2
        ):
            width = 0
        columns = Counter(p.column for p in own)
        margin = min((c for c, n in columns.items() if n >= 0.1 * len(own)), default=0)
    return _Layout(width, margin, alternating(pieces))


def _ended(piece: Piece) -> bool:
    return ended(piece.text)


def _cut(group: Sequence[Piece], following: Piece) -> bool:
    """Whether a block stops in mid-sentence before what follows; a clause of a preamble may well end in a comma."""
    text, language = group[-1].text, group[-1].language
    number = numbering(group[0].text, language)
    if _ended(group[-1]) or text.endswith((",", "，")) or (number and not number.rest and len(group) == 1):
        return False
    if (language == "en" and _unfinished(text)) or not is_heading(text, language):
        return True
    # What looks like a numbered heading may be the first line of a paragraph, where a note stands in between.
    return (
        number is not None
        and len(text) - number.rest > _LONGEST_LAST_HEADING
        and bool(_NOTE.match(following.text))
    )


def alternating(pieces: Sequence[Piece]) -> bool:
    """Whether the languages change from paragraph to paragraph and not from page to page."""
    runs: list[list[int]] = []  # of paragraphs of one language: how long each is
    for before, piece in pairwise([None, *pieces]):
        assert piece
        if not before or before.language != piece.language:
            runs.append([0])
        elif piece.line > before.line + 1 or _ended(before):  # other lines without a gap are one paragraph
            runs[-1].append(0)
        runs[-1][-1] += len(piece.text)
    alone = sum(run[0] for run in runs if len(run) == 1)
    return len(runs) > 3 and alone > sum(map(sum, runs)) / 2


def _continues(group: Sequence[Piece], piece: Piece, new_page: bool, body: bool, layout: _Layout) -> bool:
    """Whether `piece` goes on where `group` stopped. `body`: there is running text on the page that `group` ends on."""
    last, language = group[-1], piece.language
    # Only how it begins and ends matters; a block may have thousands of lines.
    text = "\n".join(p.text for p in (group if len(group) <= 6 else [*group[:3], *group[-3:]]))
    tight = piece.line == last.line + 1 and not new_page
    full = bool(layout.width) and len(last.text) >= 0.75 * layout.width
    number, own = numbering(piece.text, language), numbering(text, language)
    stops = ended(text)
    if own and not own.rest:  # "Article 1" on a line of its own
        if number and number.number:
            return own.style == "article" and number.style not in STRUCTURE
        return not new_page or tight or not is_heading(piece.text, language)
    if _NOTE.match(piece.text) and not (tight and full):
        return False
    if language == "en" and not stops and _unfinished(text) and (not number or number.style in STRUCTURE):
        return True  # "set out in / Annex I."
    if number and number.number:
        return tight and full and not number.rest and number.style == "digit"  # "p. / 4."
    if stops:
        return tight and full and piece.column <= last.column + 1 and last.column <= layout.margin + 4
    if language == "en" and piece.text[0].islower():
        return True
    if language == "zh" and re.match(r"[，、。；：！？）》”’」』】]", piece.text):
        return True
    if not new_page:
        return tight and full and (_flush(group, piece, layout) or _goes_on(text, piece.text))
    heading = is_heading(text, language)
    wide = len(last.text) >= 0.9 * layout.width
    if full and (len(group) > 1 or wide) and _flush(group, piece, layout):
        return True
    if language == "en":
        # A clause of a preamble ends in a comma too, but it has no number and is no second sentence.
        running = bool(own) or bool(_SENTENCES.search(_ABBREVIATED.sub("", text)))
        return not heading and (running or not text.endswith(","))
    if own and own.number and heading:
        return body and len(text[own.rest :]) > _LONGEST_LAST_HEADING
    if text.endswith(("，", ",")):
        return body
    # A heading does not stand last on a page of running text.
    return not headinglike(text, "zh") or (body and not is_heading(piece.text, "zh"))


STRUCTURE = frozenset("part subpart chapter section article title clause annex".split())
"""Styles of numbers that carry a word of their own."""
_LONGEST_LAST_HEADING = 16
_INDENT = 10
"""Columns by which the first line of a paragraph may stand in."""


def _flush(group: Sequence[Piece], piece: Piece, layout: _Layout) -> bool:
    """Whether both are lines of running text: a centred line stands far from the margin."""
    last = group[-1]
    if len(group) == 1 and piece.column >= last.column > layout.margin + 1:
        return False  # two paragraphs that are set in alike
    first_line = layout.margin + _INDENT
    return piece.column <= min(layout.margin + 4, last.column + 1) and last.column <= first_line


def _goes_on(text: str, following: str) -> bool:
    """Whether the second line of a centred title or note belongs to the first."""
    open_bracket = any(text.count(a) > text.count(b) for a, b in ("()", "（）", "《》"))
    return open_bracket or (text.isupper() and following.isupper())


def _unfinished(text: str) -> bool:
    """Whether an English line stops where no sentence can."""
    return text.endswith("-") or _last_word(text) in FUNCTION_WORDS


def _last_word(text: str) -> str:
    found = re.search(r"([A-Za-z]+)\W*$", text[-_TAIL:])
    return found.group(1).lower() if found and not text.endswith((")", '"', "”")) else ""
