"""Scores of facts: by hand, on the white paper, and through `bench score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from bench.scorers.facts import Facts
from tests.helpers.command import bench
from tests.helpers.sets import WHITE_PAPER

SET = "china-export-controls-2021"
PARTIAL = Path("not written")
SOURCES = [
    "第四十八条 2021年12月1日起施行。",
    "增长百分之五点二，达90亿美元。",
    "本法自公布之日起施行。",
    "共有二十一个国家。",
]
REFERENCES = [
    "Article 48 This Law shall come into force on December 1, 2021.",
    "It grew by 5.2 percent to US$9 billion.",
    "This Law takes effect on the date of promulgation.",
    "There are twenty-one countries.",
]
TASK = parallel_task("test", "zh-en", SOURCES, REFERENCES)


def test_scores_by_hand() -> None:
    texts = [
        "Article 84 This Law shall come into force on 1 December of the year 2021.",
        "It increased by 5.2% to 9 billion yuan in 1999.",
        "This Law applies from its date of promulgation.",
        "There are many countries.",
    ]
    score = Facts(SET).score(TASK, {"it": texts, "official": REFERENCES}, PARTIAL)["it"]
    assert score.statistics == ((1, 2), (1, 2), (0, 0), (0, 1))
    assert score.value == pytest.approx(100 * 2 / 5)
    assert score.segments == (50.0, 50.0, 100.0, 0.0)
    assert score.remarks == (
        (0, "wrong section: Article 84 instead of Article 48"),
        (1, "wrong amount: 9 billion yuan instead of US$9 billion"),
        (1, "invented date: 1999"),
        (2, "no fact"),
        (3, "missing number: twenty-one"),
    )
    marked = [[text[s.start : s.end] for s in spans] for text, spans in zip(texts, score.spans, strict=True)]
    assert marked == [["Article 84"], ["9 billion yuan", "1999"], [], []]
    json.dumps([score.value, score.statistics, score.segments], allow_nan=False)


def test_into_chinese() -> None:
    task = parallel_task("test", "en-zh", REFERENCES, SOURCES)
    texts = [
        "第48条 本法于二〇二一年十二月一日生效。",
        "增长5.2%，达到9亿美元。",
        "本法自颁布之日起生效。",
        "共有21国。",
    ]
    score = Facts(SET).score(task, {"it": texts}, PARTIAL)["it"]
    assert score.statistics == ((2, 2), (1, 2), (0, 0), (1, 1))
    assert score.remarks == ((1, "wrong amount: 9亿美元 instead of 90亿美元"), (2, "no fact"))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("granularity", ["sentence", "paragraph", "document"])
def test_the_official_translation_has_all_facts(direction: Direction, granularity: str) -> None:
    task = Task(references.load(SET, granularity), direction)
    systems = {"official": task.references, "nothing": [""] * len(task.ids)}
    scores = Facts(SET, granularity).score(task, systems, PARTIAL)
    assert (scores["official"].value, scores["nothing"].value) == (100.0, 0.0)
    assert {remark for _, remark in scores["official"].remarks} <= {"no fact"}


def test_names_of_the_set_s_terms_are_facts_and_count_once() -> None:
    task = Task(references.load(SET), "zh-en")
    texts = list(task.references)
    place = task.ids.index("1.2-p1-s3")
    texts[place] = texts[place].replace("the Export Control Law", "a law")
    score = Facts(SET).score(task, {"it": texts}, PARTIAL)["it"]
    assert [remark for index, remark in score.remarks if index == place] == [
        "missing name: Export Control Law"
    ]
    hits, total = score.statistics[place]
    assert total - hits == 1


def test_a_hypothesis_that_is_all_numbers_has_few_remarks() -> None:
    texts = [" ".join(map(str, range(3000, 9000))), "", "", ""]
    score = Facts(SET).score(TASK, {"it": texts}, PARTIAL)["it"]
    remarks = [remark for index, remark in score.remarks if index == 0]
    assert len(remarks) == 21
    assert remarks[-1].endswith("more faults")
    assert max(map(len, remarks)) < 200


def test_a_set_without_facts_is_one_sentence(tmp_path: Path) -> None:
    for language, text in (("zh", "法治。\n"), ("en", "Rule of law.\n")):
        (tmp_path / f"news.{language}").write_text(text, "utf-8")
    with pytest.raises(BenchError, match="has a number, date or name on both sides: leave facts out"):
        Facts(str(tmp_path / "news")).prepare()


def test_the_yaml_hands_the_run_s_own_set_on() -> None:
    (scorer,) = scorers(
        compose(["metric=[facts]", f"reference={WHITE_PAPER}", "granularity=paragraph"])
    ).values()
    assert isinstance(scorer, Facts)
    assert (scorer.reference, scorer.granularity, scorer.required) == (str(WHITE_PAPER), "paragraph", False)


def test_a_board_and_a_comparison(tmp_path: Path) -> None:
    for name, lines in (("set.zh", SOURCES), ("set.en", REFERENCES), ("good.zh-en.txt", REFERENCES)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    bad = [line.replace("48", "84").replace("9 billion", "9 million") for line in REFERENCES]
    (tmp_path / "bad.zh-en.txt").write_text("".join(f"{line}\n" for line in bad), "utf-8")
    arguments = ["good=good.zh-en.txt", "bad=bad.zh-en.txt", "--reference", "set", "--metric", "facts", "-q"]
    board = bench(tmp_path, "score", *arguments).stdout
    assert "facts ↑" in board
    shown = bench(tmp_path, "compare", "good", "bad").stdout
    assert "Article 84 instead of Article 48" in " ".join(shown.split())
