"""Source text -> segments and what was left out, in memory: extract, split, align, apply overrides,
number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core import AlignedBy, Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language, fits_script
from bench.progress import watch
from bench.references.alignment.align import Group, align, rate_pairs
from bench.references.alignment.anchors import merge_walls, shared_anchors
from bench.references.alignment.decisions import apply_overrides, find_gaps, insert_decided
from bench.references.alignment.definitions import is_definition, pair_definitions
from bench.references.alignment.edits import apply_edits
from bench.references.alignment.evidence import Embed
from bench.references.alignment.ids import SegmentNumberer
from bench.references.alignment.lexicon import Renderings
from bench.references.alignment.order import out_of_order, sentence_position
from bench.references.alignment.turns import mark_turns
from bench.references.overrides import FILE, Overrides
from bench.references.reading.read import SourceText
from bench.references.segmentation.blocks import Block
from bench.references.segmentation.extract import LeaveOut, LeftOut, extract
from bench.references.segmentation.items import Item, find_cut_item, split_blocks
from bench.references.segmentation.pieces import split_lines

# Reasons in left_out.jsonl.
_CUT = "the source stops in the middle of this sentence"
_COUNTERPART_CUT = "its counterpart is cut off"
_WRONG_SCRIPT = "one of the two sides is hardly in its language's script"
_UNLIKELY = "it hardly translates what stands at its place in the other language"
_OUT_OF_ORDER = "its order in the source is not certain"
_NO_COUNTERPART = "no counterpart in the other language"

_MIN_CONFIDENCE = 0.05
"""Of a pair that rules made. In the gold the lowest one is 0.14. In twenty real documents, nearly all of the 35 below
this were headings, rows or definitions without a counterpart."""

Items = dict[Language, list[Item]]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """Segments and left-out text. Every item of the source is in exactly one of the two."""

    segments: list[Segment]
    left_out: list[LeftOut]
    unlikely: int = 0
    """Pairs that were left out because they hardly translate each other."""


def build_segments(
    source: SourceText,
    overrides: Overrides | None = None,
    lexicon: Renderings | None = None,
    embed: Embed | None = None,
) -> BuildResult:
    """Run all stages of the pipeline.

    `lexicon` is added to the embedded one; `embed` adds sentence embeddings to the evidence. Raises
    BenchError if one language is missing or an override names a sentence or line that does not exist.
    """
    overrides = overrides or Overrides()
    items, left_out = _split_source(source, overrides)
    items = apply_edits(items, overrides)
    cut = [] if source.aligned else [item for side in items.values() if (item := find_cut_item(side))]
    if len(cut) == 2:  # two halves of one pair, whose lengths would only mislead the aligner
        for item in cut:
            items[item.language].remove(item)
            left_out.append(_left_out(item, _CUT))
    all_items = {language: list(side) for language, side in items.items()}
    decided = apply_overrides(items, overrides)
    left_out += [_left_out(item, f"{FILE}: {reason}") for item, reason in decided.unpaired]
    definitions, in_order = list[Group](), decided.items
    if not source.aligned and not decided.walls:  # walls are points among all items
        definitions, in_order = pair_definitions(decided.items, lexicon)
    zh, en = in_order["zh"], in_order["en"]
    walls = merge_walls(decided.walls, shared_anchors(in_order, left_out))
    aligned_by: AlignedBy = "source" if source.aligned else "rules"
    if source.aligned:
        groups = _pair_lines(zh, en, lexicon, embed)
    else:
        gaps = find_gaps(all_items, in_order)
        groups = list(watch("align", align(zh, en, lexicon, embed, walls, gaps), len(zh), "sentences"))
    ordered = insert_decided([(group, aligned_by) for group in groups], definitions, aligned_by)
    ordered = insert_decided(ordered, decided.groups)
    title = next((group.zh[0].text for group, _ in ordered if group.zh and group.en), "")
    numberer = SegmentNumberer(title, "both" in source.texts and _share_numbers(zh, en))
    segments, unlikely = list[Segment](), 0
    for group, group_aligned_by in ordered:
        numberer.enter(group.zh, group.en)
        group_items = (*group.zh, *group.en)
        is_cut = any(item is cut_item for item in group_items for cut_item in cut)
        if group.zh and group.en and not is_cut:
            segment = numberer.make_segment(group, group_aligned_by)
            if not all(fits_script(segment.text(language), language) for language in LANGUAGE_NAMES):
                left_out += [_left_out(item, _WRONG_SCRIPT) for item in group_items]
            elif (
                group_aligned_by == "rules"
                and segment.confidence < _MIN_CONFIDENCE
                and not is_definition(segment)
            ):
                left_out += [_left_out(item, _UNLIKELY) for item in group_items]
                unlikely += 1
            else:
                segments.append(segment)
            continue
        for item in group_items:
            if any(item is cut_item for cut_item in cut):
                reason = _CUT
            else:
                reason = _COUNTERPART_CUT if is_cut else _NO_COUNTERPART
            left_out.append(_left_out(item, reason))
    crossing = {index for language in LANGUAGE_NAMES for index in out_of_order(segments, language)}
    used = {
        (language, name)
        for index in crossing
        for language in LANGUAGE_NAMES
        for name in segments[index].sentences(language)
    }
    left_out += [
        _left_out(item, _OUT_OF_ORDER)
        for language in LANGUAGE_NAMES
        for item in all_items[language]
        if (language, item.name) in used
    ]
    kept = [segment for index, segment in enumerate(segments) if index not in crossing]
    return BuildResult(kept, sorted(left_out, key=_sort_key), unlikely)


def source_items(source: SourceText) -> Items:
    """The headings and sentences of both languages, before they are aligned.

    Raises BenchError if one language is missing.
    """
    return _split_source(source, Overrides())[0]


def _share_numbers(zh: Sequence[Item], en: Sequence[Item]) -> bool:
    """Whether the numbers of a document are nearly all in one language, for the paragraphs of both."""
    counts = sorted(sum(bool(item.path) for item in side) for side in (zh, en))
    return counts[0] <= 0.1 * counts[1]


def _split_source(source: SourceText, overrides: Overrides) -> tuple[Items, list[LeftOut]]:
    """The items of both languages, and the lines that are not running text.

    Raises BenchError if a language is missing, or a line to leave out has no text.
    """
    leave_out = {key: f"{FILE}: {reason}" for key, reason in overrides.leave_out.items()}
    blocks, left_out = (
        _table_blocks(source, leave_out) if source.aligned else extract(source.texts, leave_out)
    )
    lines = {(side, line) for item in left_out for side in (item.side, "both") for line in item.lines}
    is_bilingual = "both" in source.texts
    for side, line in leave_out:
        if (side, line) not in lines or (side == "both" and not is_bilingual):
            advice = "the number" if is_bilingual else "the number, and name its side: zh or en"
            raise BenchError(f"{FILE} leaves out line {line}, where there is no text: correct {advice}.")
    items = {language: split_blocks(blocks[language], split=not source.aligned) for language in blocks}
    if is_bilingual:
        items = mark_turns(items)
    for language, name in LANGUAGE_NAMES.items():
        if not items[language]:
            raise BenchError(f"The source has no {name} text: pass a source with both languages.")
    return items, left_out


def _table_blocks(
    source: SourceText, leave_out: LeaveOut
) -> tuple[dict[Language, list[Block]], list[LeftOut]]:
    """The blocks of a source that is already aligned: each line is one."""
    blocks: dict[Language, list[Block]] = {"zh": [], "en": []}
    left_out = []
    for language, own_blocks in blocks.items():
        for piece in split_lines(source.texts[language], language):
            if reason := leave_out.get((language, piece.line)):
                left_out.append(LeftOut(language, piece.text, (piece.line,), reason))
            else:
                own_blocks.append(Block(language, piece.text, (0,), (piece.line,)))
    return blocks, left_out


def _pair_lines(
    chinese: Sequence[Item], english: Sequence[Item], lexicon: Renderings | None, embed: Embed | None
) -> list[Group]:
    """Groups of line n with line n; an item whose counterpart is missing is alone in its group."""
    zh = {item.lines[0]: item for item in chinese}
    en = {item.lines[0]: item for item in english}
    both = sorted(zh.keys() & en.keys())
    confidences = rate_pairs([zh[n] for n in both], [en[n] for n in both], lexicon, embed)
    groups = {n: Group((zh[n],), (en[n],), value) for n, value in zip(both, confidences, strict=True)}
    groups |= {n: Group((zh[n],), (), 1.0) for n in zh.keys() - en.keys()}
    groups |= {n: Group((), (en[n],), 1.0) for n in en.keys() - zh.keys()}
    return [groups[n] for n in sorted(groups)]


def _left_out(item: Item, reason: str) -> LeftOut:
    return LeftOut(item.language, item.raw, item.lines, reason, item.name)


def _sort_key(item: LeftOut) -> tuple[int, int, str, Language]:
    """First line, number of the sentence on it, part of the sentence, language."""
    _, ordinal, part = sentence_position(item.sentence) if item.sentence else (0, 0, "")
    return item.lines[0], ordinal, part, item.side
