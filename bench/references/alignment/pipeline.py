"""Source text -> segments and what was left out, in memory: extract, split, align, override, number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.core import AlignedBy, Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, Side
from bench.progress import watch
from bench.references.alignment.align import Group, align, rated
from bench.references.alignment.evidence import Embed
from bench.references.alignment.ids import Place
from bench.references.reading.read import SourceText
from bench.references.review.overrides import FILE, Overrides
from bench.references.segmentation.blocks import Block
from bench.references.segmentation.extract import LeftOut, extract
from bench.references.segmentation.pieces import in_script, pieces_of
from bench.references.segmentation.split import Item, cut_end, items

_NEAR = 0.1
"""Of the document: pairs of a reviewer whose sides lie further apart say nothing of what stands between."""
_CUT = "the source stops in the middle of this sentence"
_CUT_TOO = "its counterpart is cut off"
_SCRIPT = "one of the two sides is hardly in its language's script"
_ALONE = "no counterpart in the other language"

Sides = dict[Language, list[Item]]
Lexicon = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Built:
    """Every item of the source stands in exactly one of the two."""

    segments: list[Segment]
    left_out: list[LeftOut]


def segments_of(
    source: SourceText,
    overrides: Overrides | None = None,
    lexicon: Lexicon | None = None,
    embed: Embed | None = None,
) -> Built:
    """The whole way in memory.

    Raises BenchError where one language is missing or an override names a sentence that is not there.
    """
    overrides = overrides or Overrides()
    sides, left_out = _items(source, overrides)
    cut = [] if source.aligned else [last for side in sides.values() if (last := cut_end(side))]
    if len(cut) == 2:  # halves of one pair; their odd lengths would only mislead the alignment
        for last in cut:
            sides[last.language].remove(last)
            left_out.append(_left(last, _CUT))
    decided, walls = _decided(sides, overrides, left_out)
    by_rules: Iterable[Group]
    if source.aligned:
        by_rules = _lines(sides, lexicon, embed)
    else:
        found = align(sides["zh"], sides["en"], lexicon, embed, walls)
        by_rules = watch("align", found, len(sides["zh"]), "sentences")
    aligned_by: AlignedBy = "source" if source.aligned else "rules"
    groups = _in_order([(group, aligned_by) for group in by_rules], decided)
    place = Place(next((group.zh[0].text for group, _ in groups if group.zh and group.en), ""))
    segments = []
    for group, who in groups:
        place.enter(group.zh, group.en)
        broken = any(item is last for item in (*group.zh, *group.en) for last in cut)
        if group.zh and group.en and not broken:
            segment = place.segment(group, who)
            if all(in_script(segment.text(language), language) for language in LANGUAGE_NAMES):
                segments.append(segment)
            else:
                left_out += [_left(item, _SCRIPT) for item in (*group.zh, *group.en)]
            continue
        for item in (*group.zh, *group.en):
            reason = _CUT if any(item is last for last in cut) else _CUT_TOO if broken else _ALONE
            left_out.append(_left(item, reason))
    return Built(segments, sorted(left_out, key=_where))


def _items(source: SourceText, overrides: Overrides) -> tuple[Sides, list[LeftOut]]:
    by_hand = {(side, line): f"{FILE}: {why}" for (side, line), why in overrides.leave_out.items()}
    blocks, left_out = _cells(source, by_hand) if source.aligned else extract(source.texts, by_hand)
    held = {(where, line) for item in left_out for where in (item.side, "both") for line in item.lines}
    for where, line in by_hand:
        if (where, line) not in held or (where == "both" and "both" not in source.texts):
            which = "the number" if "both" in source.texts else "the number, and name its side: zh or en"
            raise BenchError(f"{FILE} leaves out line {line}, where there is no text: correct {which}.")
    sides = {language: items(found, whole=source.aligned) for language, found in blocks.items()}
    for language, name in LANGUAGE_NAMES.items():
        if not sides[language]:
            raise BenchError(f"The source holds no {name} text: give one that has both languages.")
    return sides, left_out


def _cells(
    source: SourceText, by_hand: Mapping[tuple[Side, int], str]
) -> tuple[dict[Language, list[Block]], list[LeftOut]]:
    """Each line of a source that is aligned already is a block of its own."""
    blocks: dict[Language, list[Block]] = {"zh": [], "en": []}
    left_out = []
    for language, found in blocks.items():
        for piece in pieces_of(source.texts[language], language):
            if reason := by_hand.get((language, piece.line)):
                left_out.append(LeftOut(language, piece.text, (piece.line,), reason))
            else:
                found.append(Block(language, piece.text, (0,), (piece.line,)))
    return blocks, left_out


def _lines(sides: Sides, lexicon: Lexicon | None, embed: Embed | None) -> list[Group]:
    """Line n with line n; a line whose other half is empty or taken is alone."""
    zh = {item.lines[0]: item for item in sides["zh"]}
    en = {item.lines[0]: item for item in sides["en"]}
    both = sorted(zh.keys() & en.keys())
    sure = rated([zh[n] for n in both], [en[n] for n in both], lexicon, embed)
    groups = {n: Group((zh[n],), (en[n],), value) for n, value in zip(both, sure, strict=True)}
    groups |= {n: Group((zh[n],), (), 1.0) for n in zh.keys() - en.keys()}
    groups |= {n: Group((), (en[n],), 1.0) for n in en.keys() - zh.keys()}
    return [groups[n] for n in sorted(groups)]


def _decided(
    sides: Sides, overrides: Overrides, left_out: list[LeftOut]
) -> tuple[list[Group], list[tuple[int, int]]]:
    """Takes out of `sides` what a reviewer has decided: groups, and the walls they leave in what is still to be aligned."""
    named = {language: {item.name: item for item in side} for language, side in sides.items()}

    def item_of(language: Language, name: str) -> Item:
        if name not in named[language]:
            raise BenchError(
                f"{FILE} names the {LANGUAGE_NAMES[language]} sentence {name}, which is not in the source: "
                "look its name up with `bench references review` and correct it."
            )
        return named[language][name]

    alone = {(lang, name): item_of(lang, name) for lang, name in overrides.alone}
    left_out += [_left(item, f"{FILE}: {overrides.alone[key]}") for key, item in alone.items()]
    groups = [
        Group(
            tuple(sorted((item_of("zh", name) for name in pair.zh), key=_position)),
            tuple(sorted((item_of("en", name) for name in pair.en), key=_position)),
            1.0,
        )
        for pair in overrides.pairs
    ]
    order = {id(item): n for side in sides.values() for n, item in enumerate(side)}
    for joined in (half for group in groups for half in (group.zh, group.en)):
        if order[id(joined[-1])] - order[id(joined[0])] != len(joined) - 1:
            raise BenchError(
                f"{FILE} joins {joined[0].name} and {joined[-1].name}, between which other sentences stand: "
                "pair neighbours only."
            )
    taken = {id(item) for group in groups for item in (*group.zh, *group.en)}
    taken |= {id(item) for item in alone.values()}
    before: dict[int, int] = {}  # how many items that are still to be aligned stand before each
    for language, side in sides.items():
        count = 0
        for item in side:
            before[id(item)] = count
            count += id(item) not in taken
        sides[language] = [item for item in side if id(item) not in taken]
    walls: list[tuple[int, int]] = []
    for group in sorted(groups, key=lambda group: _position(group.zh[0])):
        wall = (before[id(group.zh[0])], before[id(group.en[0])])
        zh, en = (max(len(side), 1) for side in sides.values())
        near = abs(wall[0] / zh - wall[1] / en) <= max(_NEAR, 4 / min(zh, en))
        if near and (
            not walls or wall[1] >= walls[-1][1]
        ):  # a pair from far apart or across another is no wall
            walls.append(wall)
    return groups, walls


def _in_order(
    by_rules: Sequence[tuple[Group, AlignedBy]], decided: Sequence[Group]
) -> list[tuple[Group, AlignedBy]]:
    """In the order of the Chinese text."""
    waiting = sorted(decided, key=lambda group: _position(group.zh[0]), reverse=True)
    ordered: list[tuple[Group, AlignedBy]] = []
    for group, who in by_rules:
        while waiting and group.zh and _position(waiting[-1].zh[0]) < _position(group.zh[0]):
            ordered.append((waiting.pop(), "override"))
        ordered.append((group, who))
    return [*ordered, *((group, "override") for group in reversed(waiting))]


def _where(item: LeftOut) -> tuple[int, int, Language]:
    return item.lines[0], int(item.sentence.partition("s")[2] or 0), item.side


def _position(item: Item) -> tuple[int, int]:
    return item.block, item.start


def _left(item: Item, reason: str) -> LeftOut:
    return LeftOut(item.language, item.raw, item.lines, reason, item.name)
