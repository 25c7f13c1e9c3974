"""The site as files: a pure function of its boards, whose data keep every text as it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import references
from bench.boards.rows import Columns, build_board
from bench.boards.site import data, write_site
from bench.boards.site.data import SEGMENTS_PER_FILE
from bench.core import Task
from bench.errors import BenchError
from bench.languages import DIRECTIONS
from bench.store import Store
from tests.helpers.site_store import COLUMNS, COUNT, SET, fill, hypothesis
from tests.helpers.stored import hypothesis as any_hypothesis
from tests.helpers.stored import store_run

FILES = -(-COUNT // SEGMENTS_PER_FILE)


def value(path: Path) -> Any:
    """The value that a data script passes to `data`."""
    match = re.fullmatch(r'data\("([^"]+)",(.*)\);\n', path.read_text("utf-8"))
    assert match
    name, text = match.groups()
    assert path.as_posix().endswith(f"data/{name}.js")
    return json.loads(text)


def write(root: Path) -> Path:
    """The folder of the site's data."""
    return write_site(root / "site", fill(root)).parent / "data"


def test_the_same_boards_give_the_same_bytes_and_unchanged_files_keep_their_time(tmp_path: Path) -> None:
    boards, folder = fill(tmp_path), tmp_path / "site"
    write_site(folder, boards)
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    (folder / "data" / "zh-en" / "hypotheses-99.js").write_text("of an earlier site")
    write_site(folder, boards)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")} == first
    assert len(list((folder / "data" / "zh-en").glob("hypotheses-*.js"))) == FILES


def test_data_hold_every_text_as_it_is_and_nothing_that_ends_a_script(tmp_path: Path) -> None:
    folder = write(tmp_path)
    boards = value(folder / "site.js")["boards"]
    for direction in DIRECTIONS:
        segments = [row for n in range(FILES) for row in value(folder / direction / f"hypotheses-{n}.js")]
        assert {row["system"] for row in boards[direction]["rows"]} == {"alpha", "beta", "gamma", "parrot"}
        for n, row in enumerate(boards[direction]["rows"]):
            texts = [hypothesis(row["system"], place, direction).text for place in range(COUNT)]
            assert [segment["texts"][n] for segment in segments] == texts
    for path in folder.rglob("*.js"):
        assert not re.search("[<>&\u2028\u2029]", path.read_text("utf-8")), path


def utf16(text: str, start: int, end: int) -> str:
    """`text.slice(start, end)` in JavaScript."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def test_differences_are_offsets_in_utf_16(tmp_path: Path) -> None:
    folder = write(tmp_path) / "zh-en"
    alpha, beta, *_ = value(folder / "diffs-0.js")[7]
    text, reference = hypothesis("alpha", 7, "zh-en").text, SET.segments[7].en
    [(start, end, reference_start, reference_end)] = alpha[0]
    assert utf16(text, start, end) == "😀 stipulates"
    assert utf16(reference, reference_start, reference_end) == "provides"
    assert beta == []
    assert value(folder / "diffs-0.js")[1][2] == "nothing in common"  # gamma's hostile text
    [(other_start, other_end, start, end)] = value(folder / "pair-diffs-0.js")[7][0][0][
        0
    ]  # alpha against beta
    assert (utf16(text, other_start, other_end), utf16(reference, start, end)) == (
        "😀 stipulates",
        "provides",
    )
    assert [len(opponents) for opponents in value(folder / "pair-diffs-0.js")[7]] == [3, 2, 1]


def test_differences_of_pairs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """11 systems x 39 segments have them, 40 systems x 2,000 segments do not."""
    assert 11 * 10 // 2 * 39 < data.MAX_PAIR_DIFFS < 40 * 39 // 2 * 2000
    monkeypatch.setattr(data, "MAX_PAIR_DIFFS", 6 * COUNT - 1)
    folder = write(tmp_path)
    assert value(folder / "site.js")["boards"]["zh-en"]["pair_diffs"] is False
    assert not list(folder.rglob("pair-diffs-*"))


def test_a_segment_without_a_score(tmp_path: Path) -> None:
    fill(tmp_path)
    store, task = Store(tmp_path), Task(SET, "zh-en")
    run = store.current_runs(task)[0]
    score = store.score(run, "comet")
    assert score
    segments = (None, *score.segments[1:])
    store.write_score(run, "comet", "scorer", replace(score, segments=segments, unscored=((0, "no answer"),)))
    board = build_board(store, task, COLUMNS)
    folder = write_site(tmp_path / "site", [board]).parent / "data"
    number = [row.label for row in board.rows].index(run.label)
    scores = value(folder / "zh-en" / "score-comet.js")[number]
    assert scores["values"][0] is None
    assert scores["remarks"]["no answer"] == [0]
    assert (
        "COMET has no score for 1 of 480 hypotheses; they do not count in its value."
        in (value(folder / "site.js")["boards"]["zh-en"]["notes"]["en"])
    )


def test_texts_that_were_changed_after_the_run_are_not_shown(tmp_path: Path) -> None:
    fill(tmp_path)
    board = build_board(Store(tmp_path), Task(SET, "zh-en"), COLUMNS)
    path = board.rows[0].stored_run.folder / "hypotheses.jsonl"
    path.write_bytes(path.read_bytes().replace(b"stipulates", b"guarantees", 1))
    with pytest.raises(BenchError, match="was changed after the run"):
        write_site(tmp_path / "site", [board])


def test_half_of_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    """JSON can say it, UTF-8 cannot."""
    name, text = data._script("x", "half \ud83d of one")
    (tmp_path / "data").mkdir()
    (tmp_path / name).write_text(text, "utf-8")
    assert value(tmp_path / name) == "half \ud83d of one"


def test_official_terms_of_the_set_for_each_system(tmp_path: Path) -> None:
    reference = references.load("china-export-controls-2021")
    store, task = Store(tmp_path), Task(reference, "zh-en")
    for system, texts in (("official", task.references), ("mute", ["…"] * len(task.ids))):
        hypotheses = [any_hypothesis(id, text) for id, text in zip(task.ids, texts, strict=True)]
        store_run(store, task, system, hypotheses)
    board = build_board(store, task, Columns(["chrf"], "chrf"))
    folder = write_site(tmp_path / "site", [board]).parent / "data" / "zh-en"
    terms, segments = value(folder / "segments.js")["terms"], value(folder / "hypotheses-0.js")
    place = task.ids.index("1.1-p1-s2")
    assert [row.system for row in board.rows] == ["mute", "official"]
    assert {terms[term][0][0]: hits for term, hits in segments[place]["terms"]} == dict.fromkeys(
        (
            "总体国家安全观",
            "统筹发展和安全",
            "传统安全",
            "非传统安全",
            "国家安全",
            "国家安全和利益",
            "出口管制体系",
        ),
        "01",
    )
