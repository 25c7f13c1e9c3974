"""Anchors of two web pages: ids that both pages have say where they are parallel.

A page is read with a line such as "{#article-5}" before each element with an id. Only the lines of ids that both pages
have once are kept; they are no text, and the alignment does not cross them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

ANCHOR = re.compile(r"\{#([\w.:-]{1,80})\}", re.ASCII)
_TEXT_LINE = re.compile(rf"^(\s*){ANCHOR.pattern}(?=\s*$)", re.MULTILINE | re.ASCII)
_LINE = re.compile(rf"^{ANCHOR.pattern}\n+", re.MULTILINE | re.ASCII)


def anchor_line(name: str | None) -> str:
    """The line for an element's id; "" if it has none that can be written."""
    line = f"{{#{name}}}"
    return line if name and ANCHOR.fullmatch(line) else ""


def without_anchor_lines(text: str) -> str:
    """The text of a page, in which a line such as "{#x}" is no anchor: a space makes it "{ #x}"."""
    return _TEXT_LINE.sub(r"\1{ #\2}", text)


def keep_shared_anchors(texts: Sequence[str]) -> list[str]:
    """The texts with the lines of anchors that all of them have exactly once, without the others."""
    counts = [Counter(_LINE.findall(text)) for text in texts]
    shared = (
        {name for name in counts[0] if all(count[name] == 1 for count in counts)} if len(texts) > 1 else set()
    )
    return [_LINE.sub(lambda match: match[0] if match[1] in shared else "", text) for text in texts]
