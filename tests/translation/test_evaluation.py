"""Texts and flags follow from stored answers, without the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import answers, references
from bench.core import Hypothesis, Task
from bench.store import Store
from bench.store.run import read_run
from bench.translation.evaluation import evaluated, renew
from bench.translation.flags import constant
from tests.helpers.stored import store_run

SET = references.load("china-export-controls-2021")
TASK = Task(SET, "zh-en")
MODEL = {"adapter": "llm", "cleaning": 2, "prompt": {"stop": "\n"}}


def hypothesis(index: int, text: str, raw: str = "", **fields: object) -> Hypothesis:
    return Hypothesis(TASK.ids[index], "0" * 64, text, raw, fields.pop("flags", ()), "", **fields)  # type: ignore[arg-type]


def all_hypotheses(text: str, raw: str = "") -> list[Hypothesis]:
    return [hypothesis(index, text or TASK.references[index], raw) for index in range(len(TASK.ids))]


def test_answers_of_language_models_are_cleaned_and_others_are_not() -> None:
    old = all_hypotheses("")
    raw = f" {TASK.references[5]}\nChinese: next example"
    old[5] = hypothesis(5, "something else", raw)
    new = evaluated(TASK, MODEL, old)
    assert (new[5].text, new[5].raw) == (TASK.references[5], raw)
    old[5] = hypothesis(5, f"Translation: {TASK.references[5]}")
    assert evaluated(TASK, MODEL, old)[5].removed == ("preamble",)
    assert evaluated(TASK, {"adapter": "hypotheses"}, old)[5].text.startswith("Translation: ")


def test_what_only_the_engine_knew_stays() -> None:
    old = all_hypotheses("")
    old[5] = hypothesis(5, "Export controls are a", flags=("truncated",))
    old[6] = hypothesis(6, "", flags=("empty", "refused"))
    old[7] = hypothesis(7, "The status", flags=("prompt-cut",))
    new = evaluated(TASK, MODEL, old)
    assert [h.flags for h in new[5:8]] == [("truncated",), ("empty", "refused"), ("prompt-cut",)]
    assert [h.finish for h in new[5:8]] == ["length", "content_filter", ""]


def test_evaluating_twice_changes_nothing() -> None:
    old = all_hypotheses("", "")
    old[5] = hypothesis(5, "", "<think>\nSo</think>\n\nTranslation: Peace.")
    once = evaluated(TASK, MODEL, old)
    assert evaluated(TASK, MODEL, once) == once


def test_the_flags_of_a_whole_run() -> None:
    new = evaluated(TASK, MODEL, all_hypotheses("The same text for every source."))
    assert all("constant" in h.flags for h in new)
    new = evaluated(TASK, MODEL, all_hypotheses(""))
    long = [h.flags for h, reference in zip(new, TASK.references, strict=True) if len(reference) > 90]
    assert set(long) == {("equals-reference",)}
    assert not any("constant" in h.flags for h in new)  # the title is there twice


def test_constant_needs_different_sources() -> None:
    assert constant(["Same."] * 3, ["第一条", "委员会", "本法"]) == {0, 1, 2}
    assert constant(["Same."] * 3, ["第一条", "第一条", "本法"]) == set()
    assert constant(["(Applause)"] * 4, ["（掌声）", "（掌声）", "（鼓掌）", "（掌声）"]) == set()
    start = "The competent department of the State Council shall "
    assert constant([start + str(n) for n in range(4)], ["甲乙丙丁", "子丑寅卯", "天地玄黄", "宇宙洪荒"]) == {
        0,
        1,
        2,
        3,
    }


def test_a_run_of_an_older_version_is_evaluated_again(tmp_path: Path) -> None:
    old = all_hypotheses("")
    old[5] = hypothesis(5, "Here is the translation", f"Here is the translation:\n{TASK.references[5]}")
    run = store_run(Store(tmp_path), TASK, "mine", old, adapter={"cleaning": 2}, answers={"version": 2})
    assert not run.is_evaluated
    assert renew(run, TASK)
    new = read_run(run.folder)
    assert new is not None
    assert new.is_evaluated
    assert new.hypotheses()[5].text == TASK.references[5]
    assert new.record.answers.removed == {"preamble": 1}
    assert new.document["work"] == run.document["work"]
    assert json.loads((run.folder / "run.json").read_text())["answers"]["version"] == answers.VERSION
    assert not renew(new, TASK)


@pytest.mark.parametrize("stop", [7, None, ["x"]])
def test_a_strange_prompt_in_a_record(stop: object) -> None:
    assert evaluated(TASK, {"cleaning": 2, "prompt": {"stop": stop}}, all_hypotheses(""))
    assert evaluated(TASK, {"cleaning": 2, "prompt": "x"}, all_hypotheses(""))
