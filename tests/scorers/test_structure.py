"""Structure of documents: each kind of part kept, merged, lost; and a real document."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.facts.structure import expected_parts, fates, parts
from bench.languages import DIRECTIONS, Direction, Language
from bench.references.parallel import parallel_task
from bench.scorers.structure import Structure
from tests.facts.structure_figures import measure_structure

SET = "china-export-controls-2021"
ZH = """出口管制法
第一章 总则
第一条 为了维护国家安全和利益，制定本法。
（一）两用物项；
（二）军品；
（三）核。
物项\t税率
钢铁\t5%
注：税率自公布之日起施行。
国家出口管制管理部门依照本法规定负责出口管制工作。"""
EN = """Export Control Law
Chapter I General Provisions
Article 1 This Law is formulated to safeguard national security and interests.
(1) dual-use items;
(2) military products;
(3) nuclear items.
Item\tRate
Steel\t5%
Note: The rates apply from the date of publication.
The departments in charge of export control shall be responsible for export control work in accordance with this Law."""
OTHER = """Law on the Control of Exports
Chapter One General Rules
Article 1. This Act is enacted in order to protect the security and interests of the nation.
(a) items for both uses;
(b) military goods;
(c) nuclear materials.
Goods | Tariff
Iron and steel | 5%
Note: These tariffs take effect on the day they are published.
National authorities responsible for controlling exports carry out this work under the provisions of this Law."""


def faults(hypothesis: str, source: str = ZH, reference: str = EN, target: Language = "en") -> list[str]:
    expected = expected_parts(source, reference, target)
    found = fates(expected, hypothesis, target)
    return [
        f"{fate} {part.kind}: {part.text}"
        for part, fate in zip(expected, found, strict=True)
        if fate != "kept"
    ]


def test_parts() -> None:
    kinds = [
        "heading",
        "heading",
        "item",
        "item",
        "item",
        "item",
        "cell",
        "cell",
        "cell",
        "cell",
        "note",
        "paragraph",
    ]
    assert [part.kind for part in parts(ZH, "zh")] == kinds
    assert [part.kind for part in parts(EN, "en")] == kinds


def test_another_wording_keeps_everything() -> None:
    assert faults(EN) == faults(OTHER) == []
    assert faults(ZH.replace("两用物项", "双重用途物项"), EN, ZH, "zh") == []
    assert faults(OTHER.replace("\n", "\n\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Law on the Control of Exports\n", "", ["lost heading: Export Control Law"]),
        (
            "General Rules\nArticle",
            "General Rules Article",
            [
                "merged heading: Chapter I General Provisions",
                "merged item: Article 1 This Law is formulated to safeguard national security and interests.",
            ],
        ),
        ("(a) items", "items", ["without number item: (1) dual-use items;"]),
        ("(b) military goods;\n", "", ["lost item: (2) military products;"]),
        ("Note: These tariffs take effect on the day they are published.\n", "", ["lost note: Note: The rates apply from the date of publication."]),
        ("Goods | Tariff\n", "", ["lost cell: Item", "lost cell: Rate"]),
    ],
)  # fmt: skip
def test_what_became_of_a_part(old: str, new: str, expected: list[str]) -> None:
    assert old in OTHER
    assert faults(OTHER.replace(old, new)) == expected


def test_a_text_in_one_line_and_no_text() -> None:
    merged = faults(EN.replace("\n", " ").replace("\t", " "))
    assert len(merged) == 12
    assert {fault.split()[0] for fault in merged} == {"merged"}
    assert {fault.split()[0] for fault in faults("")} == {"lost"}


def test_texts_that_are_not_divided_alike_expect_nothing() -> None:
    assert expected_parts(ZH, EN + "\nOne more line.", "en") == []
    assert expected_parts("一行。", "One line.", "en") == []


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_white_paper_as_a_document(direction: Direction) -> None:
    Structure(SET, "document").prepare()
    task = Task(references.load(SET, "document"), direction)
    lines = task.references[0].split("\n")
    joined = "\n".join([*lines[:5], " ".join(lines[5:7]), *lines[7:]])
    dropped = "\n".join(lines[:9] + lines[10:])
    systems = {"official": task.references, "joined": [joined], "dropped": [dropped], "nothing": [""]}
    scores = Structure(SET, "document").score(task, systems, Path("not written"))
    total = len(lines)
    assert scores["official"].value == 100
    assert scores["nothing"].value == 0
    assert scores["joined"].statistics == ((total - 2, total),)
    assert {remark.split()[0] for _, remark in scores["joined"].remarks} == {"merged"}
    assert scores["dropped"].statistics == ((total - 1, total),)
    assert [remark.split()[0] for _, remark in scores["dropped"].remarks] == ["lost"]


def test_a_long_document_takes_seconds() -> None:
    words = random.Random(1)
    lines = [
        " ".join(words.choices("law trade export item China rule state may".split(), k=12)) + "."
        for _ in range(600)
    ]
    task = parallel_task("test", "zh-en", ["\n".join("法。" for _ in lines)], ["\n".join(lines)])
    score = Structure("").score(task, {"x": ["\n".join(lines[:300] + lines[301:])]}, Path("not written"))["x"]
    assert score.statistics == ((599, 600),)


@pytest.mark.slow
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_changes_of_a_systems_output_are_noticed(direction: Direction) -> None:
    figures = measure_structure(direction)
    assert set(figures["nothing"]) == {"kept"}
    assert figures["merged"]["merged"] + figures["merged"]["noticed"] >= 21
    assert figures["lost"]["lost"] >= 19


def test_a_set_of_sentences_is_one_sentence() -> None:
    with pytest.raises(BenchError, match="use granularity=document"):
        Structure(SET).prepare()


def test_a_system_that_repeats_a_line_for_ever() -> None:
    """With all lines this would take minutes, and gigabytes for the spaces of a table."""
    expected = expected_parts(ZH, EN, "en")
    found = fates(expected, EN + "\n(1) dual-use items;" * 50_000 + "\n" + "a" + " " * 200_000 + "b", "en")
    assert found == ["kept"] * len(expected)
