"""A reviewer's changes to sentences, before they are aligned: split one, correct a character."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase

from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references.overrides import FILE, Correction, Overrides, Split
from bench.references.segmentation.items import Item

_OPENING = "([（【《〈「『“‘[{"
_LAST_LETTER = "z"
_MAX_POSSIBLE = 1000
"""Texts that corrections of one segment may lead to."""


def apply_edits(items: Mapping[Language, Sequence[Item]], overrides: Overrides) -> dict[Language, list[Item]]:
    """The items with the splits and corrections of overrides.yaml.

    The second part of L37s2 is called L37s2b, the third L37s2c. Raises BenchError if a sentence does not exist, or
    its text does not contain the given text exactly once.
    """
    edited = {language: list(side) for language, side in items.items()}
    for split in overrides.splits:
        side = edited[split.language]
        # A part, L37s2b, has no name of its own yet: its text tells it from the others.
        whole = split._replace(sentence=split.sentence.rstrip(ascii_lowercase))
        index = _find(side, whole, split.after)
        side[index : index + 1] = _split(side[index], split)
    for language, side in edited.items():
        edited[language] = _renamed(side)
    for correction in overrides.corrections:
        if letters(correction.new) and not letters(correction.old):
            raise BenchError(
                f"{FILE} corrects {correction.old!r} in {correction.sentence}: give the letters beside it as well."
            )
        side = edited[correction.language]
        index = _find(side, correction, correction.old)
        text = side[index].text.replace(correction.old, correction.new, 1)
        if not letters(text):
            raise BenchError(
                f"{FILE} deletes all of {correction.sentence}: list it in `alone`, which leaves it out of the set."
            )
        side[index] = replace(side[index], text=" ".join(text.split()))
    return edited


def _find(side: Sequence[Item], edit: Split | Correction, text: str) -> int:
    """The index of the sentence, or of the part of it that has the text."""
    named = [index for index, item in enumerate(side) if item.name == edit.sentence]
    if not named:
        raise BenchError(
            f"{FILE} names the {LANGUAGE_NAMES[edit.language]} sentence {edit.sentence}, which is not in the source: "
            "look up its name with `bench references review` and correct it."
        )
    counts = [side[index].text.count(text) for index in named]
    if sum(counts) != 1:
        raise BenchError(
            f"{FILE}: {edit.sentence} contains {text[:40]!r} {'more than once' if sum(counts) else 'nowhere'}: "
            "give text that it contains once."
        )
    return named[counts.index(1)]


def _split(item: Item, split: Split) -> list[Item]:
    end = item.text.index(split.after) + len(split.after)
    head, tail = item.text[:end].strip(), item.text[end:].strip()
    if not letters(head) or not letters(tail):
        raise BenchError(
            f"{FILE} splits {item.name} where it begins or ends: give the text before the cut, from within it."
        )
    cut = _raw_offset(item.raw, len(letters(item.number + head)))
    first = item.raw[:cut].rstrip()
    second = item.raw[cut:].lstrip()
    offset = len(item.raw) - len(second)
    lines = item.lines[: first.count("\n") + 1], item.lines[item.raw.count("\n", 0, offset) :]
    return [
        replace(item, raw=first, lines=lines[0], text=head),
        replace(item, raw=second, lines=lines[1], text=tail, number="", path=(), start=item.start + offset),
    ]


def _raw_offset(raw: str, count: int) -> int:
    """The offset behind the first `count` letters and digits of the raw text, and the marks that close there."""
    found = offset = 0
    while found < count and offset < len(raw):
        found += len(letters(raw[offset]))
        offset += 1
    while offset < len(raw) and not (
        raw[offset].isspace() or raw[offset] in _OPENING or letters(raw[offset])
    ):
        offset += 1
    return offset


def _renamed(side: Sequence[Item]) -> list[Item]:
    """The items with a letter behind the name of each further part of a sentence."""
    renamed: list[Item] = []
    name, letter = "", "a"
    for item in side:
        letter = chr(ord(letter) + 1) if item.name == name else "a"
        if letter > _LAST_LETTER:
            raise BenchError(f"{FILE} splits {item.name} into more than 26 parts: leave some out.")
        name = item.name
        renamed.append(item if letter == "a" else replace(item, name=f"{name}{letter}"))
    return renamed


def letters(text: str) -> str:
    """The letters and digits of a text, in their plain forms."""
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())


def corrected_letters(raw: str, corrections: Sequence[Correction]) -> set[str]:
    """What the letters and digits of a raw text may be after the corrections of its sentences."""
    possible = {letters(raw)}
    for correction in corrections:
        old, new = letters(correction.old), letters(correction.new)
        possible = {
            text[:start] + new + text[start + len(old) :]
            for text in possible
            for start in range(len(text) - len(old) + 1)
            if text.startswith(old, start)
        }
        if len(possible) > _MAX_POSSIBLE:
            return set()
    return possible
