"""Hiding a key in what a server sends back, however the key is written there.

A server may repeat the key wrapped, escaped, encoded or cut. So only its ASCII letters and digits are compared,
in lower case, and a text with escapes is also searched as it reads when they are decoded. This is for servers
that quote requests, not against one that encrypts what it knows: that one has the key already.
"""

from __future__ import annotations

import base64
import functools
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

HIDDEN = "[key]"
_PART = 12  # letters and digits in a row that are a part of the key and no accident
_MIN_LETTERS = 8  # a key with fewer is only found as it is
_ROUNDS = 4  # of decoding: what is escaped is often escaped again

_LETTERS = re.compile(r"[A-Za-z0-9]+")
_ESCAPE = re.compile(
    r"\\u\{([0-9A-Fa-f]{1,5})\}|(?:\\|%)u([0-9A-Fa-f]{4})|\\U000([0-9A-Fa-f]{5})|(?:\\x|%|=)([0-9A-Fa-f]{2})"
    r"|\\([0-7]{3})|\\([nrtbfv0])|\\(.)"
)
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and cursor movements of a terminal
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # its titles and links
    r"|\x1b[ -/]*[0-~]"
    r"|<[^<>]*>"  # of HTML
)


def hide_key(text: str, key: str, *, prose: bool = False) -> str:
    """`text` with [key] for the key and for every long part of it. Where the key can only be read after
    decoding, the decoded text is returned.

    `prose`: words with spaces between them are left alone, even if they are also words of the key.
    """
    if not key:
        return text
    for _ in range(_ROUNDS):
        for form in _forms(text):
            hidden = _hide(form, key, prose)
            if hidden != form:
                text = hidden
                break
        else:
            return text
    return HIDDEN


def _forms(text: str) -> Iterator[str]:
    """The text as it is and as it reads when escapes are decoded, each with and without control sequences and
    tags."""
    for _ in range(_ROUNDS):
        yield text
        if (bare := _SEQUENCE.sub("", text)) != text:
            yield bare
        # NFKD: wide letters become ASCII, and accents separate from the letters under them
        decoded = unicodedata.normalize("NFKD", html.unescape(_ESCAPE.sub(_unescaped, text)))
        if decoded == text:
            return
        text = decoded


def _unescaped(match: re.Match[str]) -> str:
    *numbers, octal, control, character = match.groups()
    if number := next(filter(None, numbers), None):
        return chr(int(number, 16))
    if octal:
        return chr(int(octal, 8))
    return " " if control else str(character)


def _hide(text: str, key: str, prose: bool) -> str:
    """`text` with [key] for the key as it is, and for everything whose letters and digits are a part of it."""
    text = text.replace(key, HIDDEN)
    runs = list(_LETTERS.finditer(text))
    letters = "".join(run[0] for run in runs).lower()
    starts = [0, *accumulate(run.end() - run.start() for run in runs)]

    def position(letter: int) -> int:
        number = bisect_right(starts, letter) - 1
        return runs[number].start() + letter - starts[number]

    pieces, shown = [], 0
    for first, last in _matches(letters, key):
        start, end = position(first), position(last) + 1
        span = text[start:end]
        if prose and any(map(str.isspace, span)) and not any("0" <= c <= "9" for c in span):
            continue
        if end <= shown:
            continue
        pieces += [text[shown : max(start, shown)], HIDDEN]
        shown = end
    return "".join(pieces) + text[shown:]


def _matches(letters: str, key: str) -> list[tuple[int, int]]:
    """First and last index of every long part of a spelling of the key in `letters`, in their order."""
    found = []
    for spelling in _spellings(key):
        part = min(_PART, len(spelling))
        # Every match of `part` letters holds a whole block that begins at a multiple of `step`.
        block, step = part // 2, part - part // 2 + 1
        offsets: dict[str, list[int]] = {}
        for offset in range(len(spelling) - block + 1):
            offsets.setdefault(spelling[offset : offset + block], []).append(offset)
        done = 0
        for begin in range(0, len(letters) - block + 1, step):
            for offset in offsets.get(letters[begin : begin + block], ()) if begin >= done else ():
                first, last = begin, begin + block - 1
                shift = offset - begin
                while first > max(0, -shift) and letters[first - 1] == spelling[first - 1 + shift]:
                    first -= 1
                while (
                    last + 1 < len(letters)
                    and last + 1 + shift < len(spelling)
                    and letters[last + 1] == spelling[last + 1 + shift]
                ):
                    last += 1
                if last - first + 1 >= part:
                    found.append((first, last))
                    done = max(done, last + 1)
    return sorted(found)


@functools.lru_cache(maxsize=8)
def _spellings(key: str) -> tuple[str, ...]:
    """The letters and digits of the key itself, in base64 and in hexadecimal, all in lower case."""
    data = key.encode()
    spellings = [key, data.hex()]
    for before in range(3):  # base64 depends on how many bytes come before, by threes: "Bearer ", "user:"
        encoded = base64.b64encode(bytes(before) + data).decode()
        spellings.append(encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6])
    plain = ["".join(_LETTERS.findall(spelling)).lower() for spelling in spellings]
    return tuple(plain) if len(plain[0]) >= _MIN_LETTERS else ()
