"""A source of two languages -> segments.jsonl, left_out.jsonl and segments.sha256.

The hash has a file of its own, in the format of sha256sum: `sha256sum -c segments.sha256` proves a set without this
package, and document.yaml stays a file that only people write.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import cedict
from bench.core import BenchError, Language, Segment
from bench.references import read_document
from bench.references.align import Group, align
from bench.references.extract import LeftOut, extract
from bench.references.split import Item, cut_end, items, merged

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
_CUT = "the source stops in the middle of this sentence"
_ENDS = re.compile(r"[.!?。！？…;；:：,，][”’\"')）]*$")


def build(source: Path, out: Path, lexicon: Path | None = None) -> None:
    """Writes the reference set of `source` into the folder `out`; twice gives the same bytes.

    Reads title and leave_out from `out`/document.yaml where that is there. `lexicon` is a copy of CC-CEDICT. Raises
    BenchError where a file cannot be read or one of the two languages is missing.
    """
    data = _bytes(source)
    about = read_document(out / "document.yaml") if (out / "document.yaml").is_file() else {}
    words = cedict.load(lexicon) if lexicon else None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{source}:{data[: error.start].count(10) + 1}: not UTF-8; convert the file."
        ) from None
    segments, left_out = segments_of(text, about, words)
    rows = _jsonl([asdict(segment) for segment in segments])
    files = {
        "segments.jsonl": rows,
        "left_out.jsonl": _jsonl([asdict(item) for item in left_out]),
        "segments.sha256": f"{hashlib.sha256(rows).hexdigest()}  segments.jsonl\n".encode(),
    }
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "source.txt").is_file() or not source.samefile(out / "source.txt"):
        files["source.txt"] = data  # the folder is complete by itself
    for name, content in files.items():
        (out / f".{name}.new").write_bytes(content)
    for name in files:
        os.replace(out / f".{name}.new", out / name)


def segments_of(
    text: str, about: Mapping[str, Any], lexicon: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[list[Segment], list[LeftOut]]:
    """The whole pipeline in memory. `about` may hold `title` and `leave_out`, as document.yaml does."""
    titles: dict[Language, str] = about.get("title") or {}
    by_hand = {line: entry["reason"] for entry in about.get("leave_out") or [] for line in entry["lines"]}
    blocks, left_out = extract(text, titles, by_hand)
    sides: dict[Language, list[Item]] = {language: items(found) for language, found in blocks.items()}
    for language, name in (("zh", "Chinese"), ("en", "English")):
        if not sides[language]:  # type: ignore[index]
            raise BenchError(f"The source holds no {name} text: give an extraction that has both languages.")
    cut = [last for side in sides.values() if (last := cut_end(side))]
    if len(cut) == 2:  # halves of one pair; their odd lengths would only mislead the alignment
        for last in cut:
            sides[last.language].remove(last)
            left_out.append(_left(last, _CUT))
    segments, groups = [], align(sides["zh"], sides["en"], lexicon)
    place = _Place(titles, groups)
    for zh, en in groups:
        place.enter(zh, en)
        broken = any(item is last for item in (*zh, *en) for last in cut)
        if zh and en and not broken:
            segments.append(place.segment(zh, en))
            continue
        for item in (*zh, *en):
            reason = "its counterpart is cut off" if broken else "no counterpart in the other language"
            if any(item is last for last in cut):
                reason = _CUT
            left_out.append(_left(item, reason))
    return segments, sorted(left_out, key=lambda item: (item.lines, item.side))


class _Place:
    """Where in the document the reader is; gives each segment its section, paragraph and id."""

    def __init__(self, titles: Mapping[Language, str], groups: Sequence[Group]):
        first = next((zh[0].text for zh, en in groups if zh and en), "")
        self._titles = {*titles.values()} or {first}
        self._section, self._prefix, self._front = "front", "", True
        self._paragraphs: dict[str, list[int]] = {"front": []}
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

    def segment(self, zh: Sequence[Item], en: Sequence[Item]) -> Segment:
        one, two = merged(zh), merged(en)
        heading = one.heading and (not self._front or bool({one.text, two.text} & self._titles))
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
            if zh[0].block not in blocks:
                blocks.append(zh[0].block)
            paragraph = blocks.index(zh[0].block) + 1
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
            confidence=1.0,
            aligned_by="rules",
        )

    def _open(self, section: str) -> None:
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        unique = section
        while unique in self._paragraphs:  # two lists in one article both begin with （一）
            unique = section + next(letters, f"x{len(self._paragraphs)}")
        self._section, self._front = unique, False
        self._paragraphs[unique] = []


def _is_name(text: str, names: str) -> bool:
    return re.sub(r"\s", "", text).casefold() in {name.replace(" ", "") for name in names.split("|")}


def _left(item: Item, reason: str) -> LeftOut:
    return LeftOut(item.language, item.raw, item.lines, reason, item.name)


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"Cannot read {path} ({error.strerror}): give the path of the source text."
        ) from None
