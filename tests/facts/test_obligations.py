"""Cases written by hand, official sentences with one word changed, and scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.facts.obligations import expected_statements, faults, find
from bench.languages import DIRECTIONS, Direction, Language, sides
from bench.references.parallel import parallel_task
from bench.scorers.obligations import Obligations
from tests.facts.figures import measure_cases, measure_obligations, obligation_cases

SET = "china-export-controls-2021"
PARTIAL = Path("not written")


def test_no_reference_of_the_cases_is_accused() -> None:
    for source, reference, target, fault, _ in obligation_cases():
        statements = expected_statements(source, reference, target)
        assert statements or not fault, source
        assert list(faults(statements, reference, reference, target)) == [], reference


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_accusations_are_right(direction: Direction) -> None:
    decisions = measure_cases(sides(direction)[1])
    assert decisions.cases >= 150
    assert decisions.precision >= 0.95, decisions.wrong
    assert decisions.cases - len(decisions.wrong) >= 0.98 * decisions.cases, decisions.wrong


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("供应链、适应、相应、应对、应用、应急、反应", "zh"),
        ("可持续、可能、可靠、认可、许可", "zh"),
        ("不得已、须知", "zh"),
        ("不可避免、不可分割、不可再生资源、不可抗力", "zh"),
        ("取得设备、获得经费、方可进口、可再生能源、可持续、认可", "zh"),
        ("on May 5 and in the month of May", "en"),
    ],
)
def test_parts_of_other_words_say_nothing(text: str, language: Language) -> None:
    assert find(text, language) == []


def test_bu_gai_is_a_prohibition_unless_it_asks() -> None:
    assert [(said.modality, said.text) for said in find("企业不该逃税，也不应该作假。", "zh")] == [
        ("prohibition", "不该"),
        ("prohibition", "不应该"),
    ]
    assert find("你该不该去？不该有的错误。", "zh") == []
    source, reference = "Companies may enter.", "企业可以进入。"
    expected = expected_statements(source, reference, "zh")
    assert list(faults(expected, reference, "企业不该进入。", "zh")) == [("reversed", "permission")]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_changed_statement_is_noticed_and_a_reference_is_not_accused(direction: Direction) -> None:
    figures = measure_obligations(direction)
    assert figures.reference_faults == 0
    assert sum(figures.changed.values()) > 100
    assert figures.noticed["prohibition"] == figures.changed["prohibition"] > 20
    assert sum(figures.noticed.values()) >= 0.98 * sum(figures.changed.values())


def test_scores() -> None:
    sources = ["不得出口，应当申报。", "本法自公布之日起施行。"]
    official = ["It shall not be exported and must be declared.", "This Law takes effect today."]
    task = parallel_task("test", "zh-en", sources, official)
    texts = ["It may be exported and must be declared.", "This Law applies."]
    scores = Obligations(SET).score(task, {"it": texts, "official": official}, PARTIAL)
    assert scores["official"].value == 100
    assert scores["it"].statistics == ((1, 2), (0, 0))
    assert scores["it"].remarks == ((0, "reversed prohibition: shall not"), (1, "no obligation"))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_white_paper(direction: Direction) -> None:
    Obligations(SET).prepare()
    task = Task(references.load(SET), direction)
    systems = {"official": task.references, "nothing": [""] * len(task.ids)}
    scores = Obligations(SET).score(task, systems, PARTIAL)
    assert (scores["official"].value, scores["nothing"].value) == (100, 0)


def test_a_set_without_obligations_is_one_sentence(tmp_path: Path) -> None:
    for language, text in (("zh", "法治。\n"), ("en", "Rule of law.\n")):
        (tmp_path / f"news.{language}").write_text(text, "utf-8")
    with pytest.raises(BenchError, match="leave obligations out of the metrics"):
        Obligations(str(tmp_path / "news")).prepare()
