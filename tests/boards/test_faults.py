"""Facts and obligations on boards, in `bench compare`, in the site's data and on its pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.boards import columns, faults, notes, pairwise, text
from bench.boards.rows import Board
from bench.boards.site import write_site
from bench.boards.summary import summary
from bench.core import Score
from bench.store import Store
from tests.helpers.browser import Browser
from tests.helpers.facts_store import SET, fill


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def boards(root: Path) -> list[Board]:
    return fill(root)


def test_a_lost_prohibition_is_counted_first_and_in_the_summary(boards: list[Board]) -> None:
    for board in boards:
        faithful, careless = sorted(board.rows, key=lambda row: row.system, reverse=True)
        names = ["obligations-faults", "facts-faults"]
        assert set(names) < set(columns.wide(board))
        assert text.cells(faithful, board, names)[1:] == ["0", "0"]
        assert text.cells(careless, board, names)[1:] == ["reversed prohibition: 1", "wrong: 1, missing: 1"]
        assert text.cells(careless, board, names, "zh")[1:] == ["颠倒禁止：1", "错误：1、缺失：1"]
        assert "Prohibitions lost or reversed: 1 in careless." in summary(board)
        assert columns.narrow(board) == ["rank", "chrf", "facts", "obligations", "flags"]


def test_compare_names_what_only_one_of_them_has_lost_and_where(boards: list[Board], root: Path) -> None:
    store = Store(root)
    for task in (board.task for board in boards):
        (pair,) = pairwise.find_pairs(store, SET, [task.direction], "faithful", "careless").values()
        losses = pairwise.losses(store, pair)
        assert losses
        assert losses.a == ()
        assert [(task.ids[fault.place], fault.fault, fault.kind) for fault in losses.b] == [
            ("1-p3-s1", "reversed", "prohibition"),
            ("1-p5-s1", "wrong", "number"),
            ("1-p7-s1", "missing", "date"),
        ]


def test_remarks_that_are_no_faults_and_too_many_faults() -> None:
    remarks = (
        (0, "no fact"),
        (1, "missing name: a: b\nc"),
        (1, "7 more faults"),
        (2, "lost prohibition: must not"),
    )
    score = Score("facts", 50.0, None, "s", (1.0,) * 3, remarks=remarks)
    assert faults.counts(score, "facts") == {"missing": 1, "more": 7}
    assert [fault.text for fault in faults.of(score, "facts")] == ["a: b\nc"]
    assert faults.grave(score) == 1
    assert faults.of(score, "chrf") == []


def test_few_cases_have_no_interval_and_a_share_ends_at_100() -> None:
    assert text.score_text(Score("facts", 85.0, (34.2, 100.0), "s", (), aggregation="ratio")) == (
        "85.0",
        " [34, 100]",
    )
    assert text.score_text(Score("TER", 102.0, (90.0, 114.0), "s", (), False, aggregation="ratio")) == (
        "102.0",
        " ± 12.0",
    )


@pytest.mark.slow
def test_the_site_shows_what_is_wrong_and_where(chromium: Any, boards: list[Board], root: Path) -> None:
    index = write_site(root / "site", boards)
    browser = Browser(chromium)
    page = browser.open(f"{index.as_uri()}#/zh-en/faults", viewport={"width": 390, "height": 844})
    page.wait_for_selector(".lost tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    rows = [row.split("\n") for row in page.locator(".lost tbody tr").all_inner_texts()]
    assert "reversed prohibition: shall not" in " ".join(rows[0])
    assert "wrong number: 52 instead of 25" in " ".join(rows[1])
    assert page.locator(".lost tr.grave").count() == 1
    with page.expect_download() as saved:
        page.click(".save")
    assert "careless,1-p3-s1,obligations,reversed,prohibition" in Path(saved.value.path()).read_text("utf-8")
    page.click(".lost .row-link >> nth=1")
    page.wait_for_selector(".hypotheses .faults")
    assert page.inner_text(".faults") == "wrong number: 52 instead of 25"
    assert page.locator("mark.error").get_attribute("title") == "facts: wrong number"
    assert page.locator("main b").count() == 0  # the tag of the hypothesis stays text
    page.click("#language")
    page.wait_for_selector(".faults")
    assert page.inner_text(".faults") == "错误数字：52，应为25"
    browser.close()
    assert browser.faults == []


def test_leaderboards_have_the_summary_and_notes_name_what_is_thin(boards: list[Board], root: Path) -> None:
    from bench.boards.formats import json_text

    document = json.loads(json_text(boards))
    assert document["directions"]["zh-en"]["summary"]["en"][0].startswith(
        "faithful has the best chrF of 2 systems"
    )
    assert all(notes.thin(board, "obligations") is None for board in boards)
