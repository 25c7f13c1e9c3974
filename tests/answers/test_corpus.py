"""The corpus: no translation is damaged, no wrapper is scored, every unusable answer has its flags."""

from __future__ import annotations

import pytest

from tests.answers import figures
from tests.answers.corpus import GROUPS, cases


@pytest.mark.parametrize("group", GROUPS)
def test_corpus(group: str) -> None:
    results = [figures.result(case) for case in cases(group)]
    assert [(r.case.id, r.text, r.flags) for r in results if not r.is_right] == []


def test_the_corpus_is_well_formed() -> None:
    """Every case has its own id, says where its form is known from, and keeps a text that is in the answer."""
    all_cases = [case for group in GROUPS for case in cases(group)]
    assert len({case.id for case in all_cases}) == len(all_cases) >= 400
    assert {case.direction for case in all_cases} == {"zh-en", "en-zh"}
    for case in all_cases:
        assert case.form, case.id
        assert case.flags == sorted(set(case.flags)), case.id
        letters = "".join(filter(str.isalnum, case.text))
        decoded = case.raw.encode().decode("unicode_escape") if "\\u" in case.raw else case.raw
        assert letters in "".join(filter(str.isalnum, decoded)) or "\n" in case.text, case.id


def test_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    figures.main([])
    out = capsys.readouterr().out
    assert "Translations damaged: 0 of" in out
    assert "Wrappers left: 0 of" in out
    assert "| `wrong-variety` |" in out
