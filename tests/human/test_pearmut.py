"""A campaign in Pearmut's own server and a real browser, and back onto the board."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from bench.human import campaign as campaigns
from bench.store import Store
from tests.helpers.command import invoke
from tests.helpers.peers import pearmut, pearmut_server
from tests.human.texts import CAMPAIGN, A, prepare

pytestmark = pytest.mark.slow


def annotate(page: Any, scores: dict[str, int]) -> list[str]:
    """Give every translation on the page its score, mark an error in each of a's, and send the page.

    `scores`: by system, or by the name of a check's text. Returns the texts of a as they are shown.
    """
    page.wait_for_selector(".output_candidate")
    texts = []
    for candidate in page.locator(".output_candidate").all():
        name = candidate.get_attribute("data-model")
        system = name if name.startswith("check") else name.rsplit("-", 1)[0]
        if system == "a":
            texts.append(candidate.locator(".output_tgt").inner_text())
            characters = candidate.locator(".tgt_char:not(.special_token)")
            characters.nth(0).click()
            characters.nth(6).click()
            page.locator(".span_toolbox_parent:visible .error_major").last.click()
        candidate.locator("input[type=range]").fill(str(scores[system]))
    old = page.query_selector(".output_candidate")
    page.click("#button_next")
    old.wait_for_element_state("hidden")
    return texts


def test_a_campaign_is_annotated_in_a_browser_and_comes_back(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    told = invoke("human", "export", "--direction", "zh-en", "--annotators", "2", "--each", "2")
    assert told.exit_code == 0, told.output
    assert "2 systems, 3 segments, 2 attention checks" in told.stdout
    added = pearmut(tmp_path, "add", "campaign.json", "--url", "SERVER")
    links = [line.split("SERVER/")[1] for line in added.splitlines() if "annotate?" in line]
    assert len(links) == 2
    with pearmut_server(tmp_path) as address:
        for number, link in enumerate(links):
            page = chromium.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
            page.goto(f"{address}/{quote(link, safe='?=&')}")
            scores = {"a": 40 + 10 * number, "b": 80, "check-intact": 90, "check-damaged": 10}
            texts = annotate(page, scores) + annotate(page, scores)  # three segments, and an attention check
            assert texts[1].startswith(A[1].replace("<", "＜"))  # it is shown, not run
            page.get_by_text("All done").wait_for()
            assert page.title() != "run"
            assert faults == []
            page.close()
        with urlopen(f"{address}/download-annotations?campaign_id={CAMPAIGN}") as answer:
            (tmp_path / "annotations.json").write_bytes(answer.read())

    done = invoke("human", "import", "campaign.json", "annotations.json", "--judgements", "judged.csv.gz")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("1 of 1 attention checks passed.") == 2
    assert "human (ESA) 80.0" in done.stdout
    assert "human (ESA) 45.0" in done.stdout
    assert "same order 100% on 6 translations" in done.stdout
    board = json.loads((tmp_path / "runs/news/leaderboard.json").read_text("utf-8"))["directions"]["zh-en"]
    values = {row["name"]: row["scores"]["human-esa"]["value"] for row in board["rows"]}
    assert values == {"a": 45.0, "b": 80.0}
    assert "human (ESA)" in invoke("board").stdout

    # The errors are where they were marked, also behind characters of two UTF-16 units.
    store = Store("runs")
    (run,) = (
        run
        for folder in store.run_folders("news", "zh-en")
        if (run := store.run(folder)) and run.system == "a"
    )
    score = store.score(run, "human-esa")
    assert score
    assert [
        {A[index][span.start : span.end] for span in spans} for index, spans in enumerate(score.spans)
    ] == [{"Article"}, {A[1][:7]}, {A[2][:6]}]
    assert {span.severity for spans in score.spans for span in spans} == {"major"}
    with gzip.open("judged.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["system"].rsplit("-", 1)[0], float(row["score"])) for row in rows} == {
        ("a", 45.0),
        ("b", 80.0),
    }
    told = invoke("meta-evaluate", "judged.csv.gz")
    assert told.exit_code == 0, told.output
    assert "systems (1 pair)" in told.stdout


def test_pearmut_accepts_an_mqm_campaign_with_marked_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, "bleu,chrf,facts")
    words = ["--direction", "zh-en", "--protocol", "mqm", "--prefill", "facts", "--first", "facts"]
    told = invoke("human", "export", *words)
    assert told.exit_code == 0, told.output
    items = campaigns.read(Path("campaign.json")).items
    assert any(item.error_spans for item in items.values())
    assert "annotate?" in pearmut(tmp_path, "add", "campaign.json")
