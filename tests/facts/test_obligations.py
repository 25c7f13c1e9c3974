"""Cases written by hand, official sentences with one word changed, and scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.facts.obligations import expected_statements, faults, find
from bench.languages import DIRECTIONS, Direction, Language
from bench.references.parallel import parallel_task
from bench.scorers.obligations import Obligations
from tests.facts.figures import measure_obligations, obligation_cases

SET = "china-export-controls-2021"
PARTIAL = Path("not written")


@pytest.mark.parametrize(("source", "reference", "target", "expected", "hypothesis"), obligation_cases())
def test_by_hand(source: str, reference: str, target: Language, expected: str, hypothesis: str) -> None:
    statements = expected_statements(source, reference, target)
    assert statements
    assert list(faults(statements, reference, reference, target)) == []
    found = [f"{fault} {modality}" for fault, modality in faults(statements, reference, hypothesis, target)]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("供应链、适应、相应、应对、应用、应急、反应", "zh"),
        ("可持续、可能、可靠、认可、许可", "zh"),
        ("不得已、须知", "zh"),
        ("on May 5 and in the month of May", "en"),
    ],
)
def test_parts_of_other_words_say_nothing(text: str, language: Language) -> None:
    assert find(text, language) == []


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
