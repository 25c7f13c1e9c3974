"""Source text -> blocks (paragraphs, headings) of each language, every character with its place in the source.

A *piece* is what one line holds in one language. Pieces that are no text of the document (page numbers, running
headers) are set apart; the rest is joined to blocks across line ends and across pages of the other language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.core import Language
from bench.references.numbering import numbering

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u2e80-\u2fdf〇"
_FULL = r"\u3000-\u3006\u3008-\u303f\uff01-\uff65“”‘’…—"
_CLOSERS = "”’\"')）]】」』》〉"
_ENDED = re.compile(
    rf"[.!?。！？…:：;；]['’]?[{re.escape(_CLOSERS)}]*\s*(\[\d+\]|[①-⑳*])?\s*$|[;,] (and|or)$"
)
_FUNCTION_WORDS = frozenset(
    "a an the of in on at to for from by with and or nor but as that which who its their his her this these is are "
    "was were be been has have had will shall may must can not into between under than all".split()
)
_NOTE = re.compile(r"^\s*([*†‡]|\[\d+\]|注[：:释]|[Nn]otes?\s*[.:：]|[①-⑳])")
_PAGE_NUMBER = re.compile(
    r"^\s*(?:[-—–·|/\s]*(\d{1,3})[-—–·|\s]*(?:(?:/|of)\s*\d{1,3})?|[Pp]age\s+(\d+)(?:\s+of\s+\d+)?|第\s*(\d+)\s*页.*)\s*$"
)
_SPEECH = {
    "en": re.compile(r"^(Remarks|Statement|(Keynote )?Speech|Address|Message|Toast)\b.*\bby\b"),
    "zh": re.compile(r"^(?!在|—).*在.*上的(主旨)?(致辞|讲话|发言|演讲|声明)$"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """What one source line holds in one language."""

    language: Language
    text: str
    line: int
    """From 1."""
    column: int
    """Of its first character, from 0."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading. Parts from different lines are joined by a line break."""

    language: Language
    text: str
    places: tuple[tuple[int, int], ...]
    """Line and column of each character of `text`; those of an inserted line break are those of the next character."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    side: Language
    text: str
    lines: tuple[int, ...]
    reason: str
    sentence: str = ""
    """Its name where it was a sentence of the text and found no counterpart."""


def extract(
    source: str,
    titles: Mapping[Language, str] | None = None,
    leave_out: Mapping[int, str] | None = None,
) -> tuple[dict[Language, list[Block]], list[LeftOut]]:
    """The blocks of each language in reading order, and what is no text of the document.

    `titles` are those of the document: a running header that repeats the title does not take the title with it.
    `leave_out` maps line numbers to reasons, for what no rule can know.
    """
    pieces = pieces_of(source)
    dropped: dict[Piece, str] = {p: (leave_out or {})[p.line] for p in pieces if p.line in (leave_out or {})}
    for find in (_page_numbers, lambda rest: _running(rest, titles or {}), _foreign_titles):
        dropped.update(find([p for p in pieces if p not in dropped]))
    blocks: dict[Language, list[Block]] = {}
    for language in ("zh", "en"):
        blocks[language] = _blocks(pieces, dropped, language)
    left = [LeftOut(p.language, p.text, (p.line,), reason) for p, reason in dropped.items()]
    return blocks, sorted(left, key=lambda item: item.lines)


def pieces_of(source: str) -> list[Piece]:
    """Each line in its language; a line that holds both halves of a pair is split at the change of script."""
    pieces: list[Piece] = []
    neutral: list[int] = []  # numbers and ornaments: they belong to the language of the page they stand on
    for number, line in enumerate(source.split("\n"), 1):
        start = 0
        for part in _split_scripts(line):
            text = part.strip()
            if text:
                column = start + part.index(text)
                han, latin = len(re.findall(f"[{HAN}]", text)), len(re.findall(r"[^\W\d_]", text))
                # A Han character weighs about as much text as four letters.
                language: Language = "zh" if 4 * han > latin - han else "en"
                if not latin:
                    neutral.append(len(pieces))
                pieces.append(Piece(language, text, number, column))
            start += len(part)
    for index in neutral:
        near = [p for i, p in enumerate(pieces) if i not in neutral]
        before = [p for p in near if p.line <= pieces[index].line]
        if near:
            piece = pieces[index]
            side = (before[-1] if before else near[0]).language
            pieces[index] = Piece(side, piece.text, piece.line, piece.column)
    return pieces


def _split_scripts(line: str) -> list[str]:
    """[line], or its two halves where one is English and the other Chinese throughout.

    Both halves must look whole: an English sentence that ends in one Chinese word (…known as 和为贵) and a Chinese
    one with an acronym or digits in it stay together.
    """
    for first, second in ((HAN, "A-Za-z"), ("A-Za-z", HAN)):
        found = re.match(
            rf"^([^{second}]*[{first}][^{second}]*?)([\s/|·—–-]+)([^{first}]*[{second}][^{first}]*)$", line
        )
        if not found:
            continue
        one, gap, two = found.groups()
        english, chinese = (one, two) if first == "A-Za-z" else (two, one)
        english, chinese = english.strip(), chinese.strip()
        words = re.findall(r"[A-Za-z][\w'’-]*", english)
        whole = (
            len(re.findall(f"[{HAN}]", chinese)) >= 2
            and any(len(w) > 3 and not w.isupper() for w in words)
            and words[-1].lower() not in _FUNCTION_WORDS
            and words[0][0].isupper()
            and bool(re.search(r"[.!?]$", english)) == bool(re.search(r"[。！？.!?]$", chinese))
            and 1 < sum(map(len, words)) / len(re.findall(f"[{HAN}]", chinese)) < 10
        )
        if whole:
            return [one + gap, two]
    return [line]


def _page_numbers(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """Lines of nothing but a number, if the numbers rise through the document as pages do."""
    found = [(p, int(next(g for g in m.groups() if g))) for p in pieces if (m := _PAGE_NUMBER.match(p.text))]
    values = [number for _, number in found]
    rising = all(a <= b for a, b in pairwise(values))
    return {p: "page number" for p, _ in found} if rising else {}


def _running(pieces: Sequence[Piece], titles: Mapping[Language, str]) -> dict[Piece, str]:
    """Headers and footers: the same short line at page edges, three times or more (two, where it cuts a sentence)."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        bare = _bare(piece.text)
        if len(piece.text) <= 150 and bare and not re.search(r"[。；;]$", piece.text):
            groups[piece.language, bare].append(index)
    same = {index: key for key, indexes in groups.items() for index in indexes}
    dropped: dict[Piece, str] = {}
    for indexes in groups.values():
        numbered = numbering(pieces[indexes[0]].text, pieces[indexes[0]].language)
        if len(indexes) < 2 or (numbered and numbered.number):
            continue
        edges = sum(_at_edge(pieces, i, same, {k for k, v in groups.items() if len(v) >= 3}) for i in indexes)
        cuts = any(_cuts(pieces, i) for i in indexes)
        if (len(indexes) >= 3 and edges >= len(indexes) - 1) or cuts:
            keep = _is_title(pieces, indexes[0], titles)
            dropped.update({pieces[i]: "running header or footer" for i in indexes[keep:]})
    return dropped


def _is_title(pieces: Sequence[Piece], index: int, titles: Mapping[Language, str]) -> bool:
    """Whether this is the title itself, which later pages repeat as their header.

    Where the title is not known, it is what stands first in its language and carries no page number.
    """
    piece = pieces[index]
    if titles:
        return _bare(piece.text) == _bare(titles.get(piece.language, ""))
    first = next(p for p in pieces if p.language == piece.language)
    return piece == first and not re.search(r"\d\s*$", piece.text)


def _bare(text: str) -> str:
    """What stays the same in a header from page to page."""
    return re.sub(r"[\W\d_]+", "", text).casefold()


def _at_edge(
    pieces: Sequence[Piece], index: int, same: Mapping[int, object], repeated: Iterable[object]
) -> bool:
    """Whether a page begins or ends here: the other language, another repeated line or the text's end is beside it."""
    for beside in (index - 1, index + 1):
        if not 0 <= beside < len(pieces):
            return True
        if pieces[beside].language != pieces[index].language or same.get(beside) in repeated:
            return True
    return False


def _cuts(pieces: Sequence[Piece], index: int) -> bool:
    """Whether the line stands in the middle of a sentence of its own language."""
    same = [p for p in pieces if p.language == pieces[index].language]
    at = same.index(pieces[index])
    if not 0 < at < len(same) - 1:
        return False
    before, after = same[at - 1].text, same[at + 1].text
    if pieces[index].language == "en":
        return not _ENDED.search(before) and not _headinglike(before, "en") and after[0].islower()
    return not _ENDED.search(before) and not _headinglike(before, "zh") and not _headinglike(after, "zh")


def _foreign_titles(pieces: Sequence[Piece]) -> dict[Piece, str]:
    """The title of a speech by someone, in both languages, between the cover's title and the title page's.

    The narrowest rule that is sound: a subtitle (——在…上的讲话) names no speaker of its own and an issuing body or a
    date is no speech, so both stay. Anything wider has to be said by hand (`leave_out` in document.yaml).
    """
    found: dict[Language, list[Piece]] = {"zh": [], "en": []}
    for language, hits in found.items():
        front: list[Piece] = []
        for piece in pieces:
            if piece.language == language:
                if _ENDED.search(piece.text):
                    break
                front.append(piece)
        texts = [p.text for p in front]
        if texts and texts[0] in texts[1:]:
            between = front[1 : texts.index(texts[0], 1)]
            hits += [p for p in between if _SPEECH[language].search(p.text) and texts.count(p.text) == 1]
    if len(found["zh"]) != len(found["en"]):
        return {}
    return {p: "header of another document" for hits in found.values() for p in hits}


def _headinglike(text: str, language: Language) -> bool:
    """Whether a block without an end mark can be a whole line of its own: a title, a heading, a date."""
    if language == "zh":
        return len(text) <= 40 and not re.search("[，,。；;]", text)
    words = re.findall(r"[A-Za-z][\w'’-]*", text)
    if (
        not words
        or len(text) > 160
        or re.search(r"[.;!?]\s", re.sub(r"^\S+\s", "", text))
        or text.endswith(",")
    ):
        return False
    if words[-1].lower() in _FUNCTION_WORDS or not (words[0][0].isupper() or numbering(text, "en")):
        return False
    content = [w for w in words if w.lower() not in _FUNCTION_WORDS]
    return sum(w[0].isupper() for w in content) >= 0.6 * len(content)


def is_heading(text: str, language: Language) -> bool:
    """Whether a whole block is a heading (or a title, a date …) and not a sentence."""
    if _ENDED.search(text) or text.endswith((",", "，", "-")):
        return False
    found = numbering(text, language)
    rest = text[found.rest :] if found else text
    if language == "zh":
        return len(rest) <= (60 if found else 40) and not re.search("[。；;]", rest)
    if len(rest) > 200 or re.search(r"[a-z)][.;!?]\s", rest) or _last_word(rest) in _FUNCTION_WORDS:
        return False
    return _headinglike(text, "en") or len(rest.split()) <= (15 if found else 8)


def _blocks(pieces: Sequence[Piece], dropped: Mapping[Piece, str], language: Language) -> list[Block]:
    """Joins pieces that a line end or a page end has cut."""
    groups: list[list[Piece]] = []
    width = _wrap_width(pieces, language)
    open_at: int | None = None  # a block that waits behind the notes at the foot of its page
    fresh = True  # a page of this language has just begun
    for piece in pieces:
        if piece in dropped or piece.language != language:
            fresh = True
            continue
        if open_at is not None and fresh and open_at < len(groups) - 1:
            if _continues(groups[open_at], piece, language, True, width):
                groups[open_at].append(piece)
                open_at, fresh = None, False
                continue
            open_at = None
        if groups and _continues(groups[-1], piece, language, fresh, width):
            groups[-1].append(piece)
        else:
            if not (groups and _NOTE.match(piece.text) and not fresh):
                open_at = len(groups)
            groups.append([piece])
        fresh = False
    return [_block(group, language) for group in groups]


def _block(group: Sequence[Piece], language: Language) -> Block:
    text, places = "", []
    for piece in group:
        if text:
            text += "\n"
            places.append((piece.line, piece.column))
        text += piece.text
        places += [(piece.line, piece.column + i) for i in range(len(piece.text))]
    return Block(language, text, tuple(places))


def _wrap_width(pieces: Sequence[Piece], language: Language) -> int:
    """How wide the lines of running text are; 0 where each paragraph is one line."""
    lines = {p.line for p in pieces if p.language == language}
    tight = sorted(len(p.text) for p in pieces if p.language == language and {p.line - 1, p.line + 1} & lines)
    width = tight[int(0.9 * (len(tight) - 1))] if tight else 0
    return width if width <= (60 if language == "zh" else 130) else 0


def _continues(group: Sequence[Piece], piece: Piece, language: Language, new_page: bool, width: int) -> bool:
    """Whether `piece` goes on where `group` stopped."""
    last = group[-1]
    text = "\n".join(p.text for p in group)
    tight = piece.line == last.line + 1
    full = bool(width) and len(last.text) >= 0.75 * width
    number = numbering(piece.text, language)
    own = numbering(text, language)
    if own and not own.rest and not (number and number.number):
        return (
            not new_page or not is_heading(piece.text, language) or tight
        )  # "Article 1" on a line of its own
    if (number and number.number) or (_NOTE.match(piece.text) and not (tight and full)):
        return False
    if (
        tight and full and (piece.column <= last.column + 1 or not _ENDED.search(text))
    ):  # else: a new, indented one
        return True
    if _ENDED.search(text):
        return False
    if not new_page and text.endswith((",", "，")) and not piece.text[0].islower():
        return False  # the clauses of a treaty's preamble, a salutation
    if language == "en":
        if piece.text[0].islower() or text.endswith("-") or _last_word(text) in _FUNCTION_WORDS:
            return True
        if own and own.number and is_heading(text, "en"):
            return tight and _headinglike(piece.text, "en") and bool(width)
        if text.endswith(",") and len(text.split()) <= 8:  # a salutation: "Dear friends,"
            return False
        return not _headinglike(text, "en") and (new_page or not is_heading(text, "en"))
    if own and own.number and is_heading(text, "zh"):
        return new_page and (len(text) > 40 or len(re.findall("[，,]", text)) > 1)
    if re.match(r"[，、。；：！？）》”’」』】]", piece.text):
        return True
    return not _headinglike(text, "zh")


def _last_word(text: str) -> str:
    found = re.search(r"([A-Za-z]+)\W*$", text)
    return found.group(1).lower() if found and not text.endswith((")", '"', "”")) else ""
