"""The board from a store that this test writes: order, missing scores, failures, escaping; and a full disk."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import references
from bench.boards import columns, formats, notes, text
from bench.boards.rows import Board, Columns, build_board
from bench.core import Score, Task
from bench.errors import BenchError
from bench.files import write_text
from bench.store import Run, Store
from bench.store.failures import write_failure
from bench.store.journal import Journal, finished_hypotheses
from tests.helpers.stored import hypothesis, store_run

REFERENCE = references.load("china-export-controls-2021")
TASK = Task(REFERENCE, "zh-en")
HOSTILE = "<script>alert(1)</script> | `x` [a](b)\nnew line"


def write(
    root: Path, system: str, chrf: float | None, ter: float = 50, sha256: str = REFERENCE.sha256
) -> Run:
    store = Store(root)
    run = store_run(
        store,
        TASK,
        system,
        system={"name": system, "size": HOSTILE.replace("\n", " ")},
        reference={"id": REFERENCE.id, "sha256": sha256},
    )
    if chrf is not None:
        scores = {
            "chrf": Score("chrF", chrf, (chrf - 1, chrf + 1), "chrF|sig", (chrf,) * len(TASK.ids)),
            "ter": Score("TER", ter, None, "TER|sig", (ter,) * len(TASK.ids), higher_is_better=False),
        }
        for metric, score in scores.items():
            store.write_score(run, metric, "scorer", score)
    return run


def board(root: Path, primary: str = "chrf", *requested: str) -> Board:
    return build_board(Store(root), TASK, Columns(["chrf", "ter"], primary), requested)


def test_order_and_missing_scores(tmp_path: Path) -> None:
    write(tmp_path, "middle", 30, ter=20)
    write(tmp_path, "unscored", None)
    write(tmp_path, "best", 40, ter=60)
    assert [row.system for row in board(tmp_path).rows] == ["best", "middle", "unscored"]
    assert [row.system for row in board(tmp_path, "ter").rows] == [
        "middle",
        "best",
        "unscored",
    ]  # lower is better
    cells = text.cells(board(tmp_path).rows[-1], board(tmp_path), ["rank", "chrf", "ter"])
    assert cells == ["unscored", "–", "–", "–"]  # missing is never zero
    assert (
        formats.csv_text([board(tmp_path)])
        .splitlines()[-1]
        .startswith(f"{REFERENCE.id},zh-en,unscored,False,,,,,")
    )
    assert (
        json.loads(formats.json_text([board(tmp_path)]))["directions"]["zh-en"]["rows"][-1]["scores"]["chrf"]
        is None
    )


def test_a_run_of_another_version_of_the_set_has_no_row(tmp_path: Path) -> None:
    write(tmp_path, "old", 99, sha256="f" * 64)
    assert board(tmp_path).rows == []
    assert board(tmp_path, "chrf", "old-01234567").missing == {"old-01234567": "has not run"}


@pytest.mark.parametrize(
    ("original", "outside", "said"),
    [
        ("zh", False, "The document was written in Chinese: the Chinese source is the original text."),
        (
            "en",
            False,
            "The document was written in English: the Chinese source is itself the official translation.",
        ),
        ("en", True, "The document was written in English: the Chinese source is itself a translation."),
        (
            "mixed",
            True,
            "Part of the text was written in Chinese and part in English: some of the source is itself a translation.",
        ),
        (
            "unknown",
            True,
            "It is not known which language was written first: the source may itself be a translation.",
        ),
    ],
)
def test_what_is_known_of_the_original(tmp_path: Path, original: Any, outside: bool, said: str) -> None:
    reference = replace(REFERENCE, original_language=original, outside=outside, published="")
    note = notes.notes(build_board(Store(tmp_path), Task(reference, "zh-en"), Columns(["chrf"], "chrf")))[0]
    assert note == f"{reference.title}: 39 segments, set hash {reference.sha256[:12]}. {said}"


def test_a_score_of_other_hypotheses_is_not_shown(tmp_path: Path) -> None:
    run = write(tmp_path, "it", 30)
    store_run(Store(tmp_path), TASK, run.system, [hypothesis(id, "changed") for id in TASK.ids])
    assert board(tmp_path).rows[0].scores["chrf"] is None


def test_what_a_scorer_says_of_its_scores(tmp_path: Path) -> None:
    """Its decimals, what it did not read to the end, and that it could not be had."""
    run = write(tmp_path, "it", None)
    remarks = ((0, "cut"), (1, "copied"))
    values = (0.8,) * len(TASK.ids)
    score = Score("COMET", 0.81234, (0.8, 0.82), "COMET|sig", values, decimals=3, remarks=remarks)
    Store(tmp_path).write_score(run, "comet", "scorer", score)
    columns = Columns(["comet", "xcomet"], "comet", {"xcomet": HOSTILE})
    found = build_board(Store(tmp_path), TASK, columns)
    assert text.cells(found.rows[0], found, ["comet", "xcomet"])[1:] == ["0.812 ± 0.010", "–"]
    said = notes.notes(found)
    assert any("the end of 1 of 39 hypotheses was not scored" in note for note in said)
    assert f"xcomet is not available: {HOSTILE}." in said
    assert "<script>" not in formats.markdown([found]).replace("\\<script\\>", "")
    record = json.loads(formats.json_text([found]))["directions"]["zh-en"]
    assert record["gaps"] == {"xcomet": HOSTILE}
    assert record["rows"][0]["scores"]["comet"]["remarks"] == {"cut": 1, "copied": 1}
    assert "segments" not in record["rows"][0]["scores"]["comet"]


def test_what_came_from_outside_is_escaped(tmp_path: Path) -> None:
    run = write(tmp_path, "it", 30)
    write_failure(run.folder.with_name("gone-01234567"), HOSTILE)
    markdown = formats.markdown([board(tmp_path, "chrf", "gone-01234567")])
    assert "<script>" not in markdown.replace("\\<script\\>", "")
    row = next(line for line in markdown.splitlines() if line.startswith("| [it]"))
    assert row.replace("\\|", "").count("|") == len(columns.wide(board(tmp_path))) + 2
    assert formats.terminal(board(tmp_path, "chrf", "gone-01234567"), width=80)


def test_damaged_files_are_sentences(tmp_path: Path) -> None:
    run = write(tmp_path, "it", 30)
    (run.folder / "hypotheses.jsonl").write_text('{"id": "x"}\n')
    with pytest.raises(BenchError, match=r"hypotheses\.jsonl was changed"):
        run.hypotheses()
    with pytest.raises(BenchError, match=r"hypotheses\.jsonl, line 1"):
        finished_hypotheses(run.folder)
    (run.folder / "run.json").write_text("{")
    with pytest.raises(BenchError, match=r"run\.json is not JSON"):
        board(tmp_path)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk cannot be mounted here: root is needed")
    try:
        write_text(disk / "kept.json", "{}")
        with Journal(disk / "run", "one") as journal:
            journal.add([hypothesis("first")])
        with pytest.raises(BenchError, match="is full"):
            write_text(disk / "kept.json", "x" * 200_000)
        with pytest.raises(BenchError, match="is full"), Journal(disk / "run", "two") as journal:
            journal.add([hypothesis("second", "x" * 200_000)])
        with Journal(disk / "run", "three") as journal:
            journal.add([hypothesis("third")])
        assert (disk / "kept.json").read_text() == "{}"
        assert [h.key for h in finished_hypotheses(disk / "run")] == ["key-first", "key-third"]
        assert sorted(p.name for p in disk.iterdir()) == ["kept.json", "run"]
    finally:
        subprocess.run(["umount", str(disk)], check=False)
