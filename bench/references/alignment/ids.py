"""Where in the document a group stands: its section, its paragraph, and the id that follows from both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bench.core import AlignedBy, Segment
from bench.references.alignment.align import Group
from bench.references.segmentation.split import Item, merged

_NAMED = {
    "contents": "contents|table of contents|目录",
    "preamble": "preamble|前言|序言|序",
    "preface": "preface",
    "foreword": "foreword",
    "introduction": "introduction|引言|导言",
    "conclusion": "conclusion|concluding remarks|结束语|结语|结论",
    "afterword": "afterword|后记",
    "notes": "notes|注释",
}
"""Sections that go by a name in place of a number. 前言 is preface or foreword too: the English name decides."""
_ENDS = re.compile(r"[.!?。！？…;；:：,，][”’\"')）]*$")


class Place:
    """Where in the document the reader is; gives each segment its section, paragraph and id."""

    def __init__(self, title: str):
        self._title = title
        self._section, self._prefix, self._front = "front", "", True
        self._paragraphs: dict[str, dict[int, int]] = {"front": {}}
        self._sentences: Counter[tuple[str, int]] = Counter()
        self._headings: Counter[str] = Counter()

    def enter(self, zh: Sequence[Item], en: Sequence[Item]) -> None:
        """Opens the section that begins with this group, if one does."""
        both = [*zh[:1], *en[:1]]
        path = next((item.path for item in both if item.path), ())
        names = [
            n
            for i in reversed(both)
            if i.heading and not i.path
            for n, p in _NAMED.items()
            if _is_name(i.text, p)
        ]
        if path:
            section = ".".join(path)
            if self._prefix and self._prefix + section in self._paragraphs:
                self._prefix = ""  # the table of contents is over: the numbers begin again
            self._open(self._prefix + section)
        elif names:
            if names[0] == "contents" or self._prefix + names[0] in self._paragraphs:
                self._prefix = ""
            self._open(self._prefix + names[0])
            if names[0] == "contents":
                self._prefix = "contents."
        elif self._front and any(_ENDS.search(item.text) for item in both):
            self._open("body")

    def segment(self, group: Group, aligned_by: AlignedBy) -> Segment:
        zh, en = group.zh, group.en
        one, two = merged(zh), merged(en)
        heading = one.heading and (not self._front or one.text == self._title)
        own = heading and (bool(one.path or two.path) or not self._paragraphs[self._section])
        paragraph = 0
        if self._front and heading:
            self._headings["front"] += 1
            name = f"front-h{self._headings['front']}"
        elif own and not self._headings[self._section]:
            self._headings[self._section] += 1
            name = f"{self._section}-h"
        else:
            blocks = self._paragraphs[self._section]
            paragraph = blocks.setdefault(zh[0].block, len(blocks) + 1)
            self._sentences[self._section, paragraph] += 1
            last = f"s{self._sentences[self._section, paragraph]}" if not heading else "h"
            name = f"{self._section}-p{paragraph}-{last}"
        return Segment(
            id=name,
            kind="heading" if heading else "sentence",
            section=self._section,
            paragraph=paragraph,
            zh=one.text,
            en=two.text,
            alignment=f"{len(zh)}-{len(en)}",
            zh_number=one.number,
            en_number=two.number,
            zh_raw=one.raw,
            en_raw=two.raw,
            zh_lines=one.lines,
            en_lines=two.lines,
            zh_sentences=tuple(item.name for item in zh),
            en_sentences=tuple(item.name for item in en),
            confidence=group.confidence,
            aligned_by=aligned_by,
        )

    def _open(self, section: str) -> None:
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        unique = section
        while unique in self._paragraphs:  # two lists in one article both begin with （一）
            unique = section + next(letters, f"x{len(self._paragraphs)}")
        self._section, self._front = unique, False
        self._paragraphs[unique] = {}


def _is_name(text: str, names: str) -> bool:
    return re.sub(r"\s", "", text).casefold() in {name.replace(" ", "") for name in names.split("|")}
