"""Word differences: without them both texts are the same, and as long as possible."""

from __future__ import annotations

import random
import re

import pytest

from bench.boards import word_diff
from bench.boards.word_diff import diff, pieces


def marked(text: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    difference = diff(text, other)
    assert difference
    changes = difference.changes
    return pieces(text, [c[:2] for c in changes]), pieces(other, [c[2:] for c in changes])


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ("出口管制", "出口控制", [("出口", False), ("管", True), ("制", False)]),
        # One mark with the space between two changed words, not two marks.
        ("a very good thing", "a bad thing", [("a ", False), ("very good", True), (" thing", False)]),
        (
            "under the WTO体制",
            "under WTO体系",
            [("under ", False), ("the", True), (" WTO体", False), ("制", True)],
        ),
        ("yes", "", [("yes", True)]),
        ("", "x", []),
        ("two  spaces", "two spaces", [("two  spaces", False)]),
        ("don't", "don’t", [("don", False), ("'", True), ("t", False)]),
    ],
)
def test_words_and_chinese_characters(text: str, other: str, expected: list[tuple[str, bool]]) -> None:
    assert marked(text, other)[0] == expected


def longest_common(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        row = [0, *row[1:]] if not b else _next_row(row, x, b)
    return row[-1]


def _next_row(row: list[int], x: str, b: list[str]) -> list[int]:
    new = [0]
    for n, y in enumerate(b):
        new.append(row[n] + 1 if x == y else max(row[n + 1], new[n]))
    return new


def test_both_texts_are_the_same_without_their_changes() -> None:
    dice = random.Random(7)
    for _ in range(200):
        text, other = (
            "".join(dice.choices(["the ", "of ", "出", "口", "管", "😀", ", "], k=dice.randint(0, 30)))
            for _ in "ab"
        )
        kept, other_kept = (
            re.sub(r"\s", "", "".join(piece for piece, is_change in side if not is_change))
            for side in marked(text, other)
        )
        assert kept == other_kept
        difference = diff(text, other)
        assert difference
        words, other_words = (re.findall(r"[a-z]+|\S", side) for side in (text, other))
        common = longest_common(words, other_words)
        assert difference.common == (common / len(words) if words else 1.0)


def test_no_difference() -> None:
    assert diff("出口 control", "出口 control") == word_diff.Diff((), 1.0)


def test_texts_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert diff("long words " * 10_000, "a reference of a few words")
    monkeypatch.setattr(word_diff, "_MAX_CELLS", 11)
    assert diff("a b c", "d e f g") is None


def test_what_the_other_text_has_elsewhere() -> None:
    text, other = (
        "In 2021, the council adopted export controls.",
        "The council adopted export controls in 2021, too.",
    )
    moved = diff(text, other)
    assert moved
    assert [text[start:end] for start, end in moved.moved] == ["2021,"]
    assert [other[start:end] for start, end in moved.other_moved] == ["2021,"]
    chinese, order = "出口管制由国务院负责", "国务院负责出口管制"
    turned = diff(chinese, order)
    assert turned
    assert [chinese[start:end] for start, end in turned.moved] == ["出口管制"]
    assert not diff("the cat of the man", "a man of a cat").moved  # single short words are there by chance
