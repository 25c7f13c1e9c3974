"""Sections, paragraphs and ids: where in the document each segment is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bench.core import AlignedBy, Segment
from bench.references.alignment.align import Group
from bench.references.alignment.pair_numbers import match_numbers
from bench.references.script import to_simplified
from bench.references.segmentation.items import Item, merge_items

_NAMED_SECTIONS = {
    "contents": "contents|table of contents|目录",
    "preamble": "preamble|前言|序言|序",
    "preface": "preface",
    "foreword": "foreword",
    "introduction": "introduction|引言|导言",
    "conclusion": "conclusion|concluding remarks|结束语|结语|结论",
    "afterword": "afterword|后记",
    "notes": "notes|注释",
}
"""Sections that have a name instead of a number -> their headings. 前言 may also be preface or foreword: the
English heading decides."""
_FINISHED = re.compile(r"[.!?。！？…;；:：,，][”’\"')）]*$")


class SegmentNumberer:
    """Walks through the groups of a document and makes segments with their section, paragraph and id.

    `title` is the document's Chinese title. `shares_numbers`: the number of a paragraph stands once, in front of its
    text in one language. For each group in reading order call `enter`, then `make_segment`
    if the group becomes a segment.
    """

    def __init__(self, title: str, shares_numbers: bool = False):
        self._title, self._shares_numbers = title, shares_numbers
        self._section, self._prefix, self._is_front = "front", "", True
        self._paragraphs: dict[str, dict[int, int]] = {"front": {}}
        """Section -> index of a Chinese block -> number of the paragraph."""
        self._sentences: Counter[tuple[str, int]] = Counter()
        self._headings: Counter[str] = Counter()

    def enter(self, zh: Sequence[Item], en: Sequence[Item]) -> None:
        """Open the section that begins with this group, if one does."""
        first_items = [*zh[:1], *en[:1]]
        path = next((item.path for item in first_items if item.path), ())
        names = [
            name
            for item in reversed(first_items)
            if item.heading and not item.path
            for name, headings in _NAMED_SECTIONS.items()
            if _is_one_of(item.text, headings)
        ]
        if path:
            section = ".".join(path)
            if self._prefix and self._prefix + section in self._paragraphs:
                self._prefix = ""  # the table of contents is over: numbering starts again
            self._open(self._prefix + section)
        elif names:
            if names[0] == "contents" or self._prefix + names[0] in self._paragraphs:
                self._prefix = ""
            self._open(self._prefix + names[0])
            if names[0] == "contents":
                self._prefix = "contents."
        elif self._is_front and any(_FINISHED.search(item.text) for item in first_items):
            self._open("body")

    def make_segment(self, group: Group, aligned_by: AlignedBy) -> Segment:
        """The segment of a group with items on both sides."""
        zh, en = merge_items(group.zh), merge_items(group.en)
        if (
            aligned_by != "override" and not self._shares_numbers
        ):  # a reviewer may pair sentences whose numbers are in other pairs
            zh, en = match_numbers(zh, en)
        is_heading = zh.heading and (not self._is_front or zh.text == self._title)
        segment_id, paragraph = self._next_id(zh, is_heading, is_numbered=bool(zh.path or en.path))
        return Segment(
            id=segment_id,
            kind="heading" if is_heading else "sentence",
            section=self._section,
            paragraph=paragraph,
            zh=zh.text,
            en=en.text,
            alignment=f"{len(group.zh)}-{len(group.en)}",
            zh_number=zh.number,
            en_number=en.number,
            zh_raw=zh.raw,
            en_raw=en.raw,
            zh_lines=zh.lines,
            en_lines=en.lines,
            zh_sentences=tuple(item.name for item in group.zh),
            en_sentences=tuple(item.name for item in group.en),
            confidence=group.confidence,
            aligned_by=aligned_by,
        )

    def _next_id(self, zh: Item, is_heading: bool, is_numbered: bool) -> tuple[str, int]:
        """The id of the next segment, and its paragraph: 0 for the heading of a section and in the front
        matter."""
        is_section_heading = is_heading and (is_numbered or not self._paragraphs[self._section])
        if self._is_front and is_heading:
            self._headings["front"] += 1
            return f"front-h{self._headings['front']}", 0
        if is_section_heading and not self._headings[self._section]:
            self._headings[self._section] += 1
            return f"{self._section}-h", 0
        numbers = self._paragraphs[self._section]
        paragraph = numbers.setdefault(zh.block, len(numbers) + 1)
        self._sentences[self._section, paragraph] += 1
        suffix = "h" if is_heading else f"s{self._sentences[self._section, paragraph]}"
        return f"{self._section}-p{paragraph}-{suffix}", paragraph

    def _open(self, section: str) -> None:
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        unique = section
        while unique in self._paragraphs:  # two lists in one article both begin with （一）
            unique = section + next(letters, f"x{len(self._paragraphs)}")
        self._section, self._is_front = unique, False
        self._paragraphs[unique] = {}


def _is_one_of(text: str, headings: str) -> bool:
    """Whether a text is one of the headings, which are separated by |; case and white space do not matter."""
    return to_simplified(re.sub(r"\s", "", text)).casefold() in {
        heading.replace(" ", "") for heading in headings.split("|")
    }
