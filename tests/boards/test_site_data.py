"""The site as files: a pure function of the store, whose data keep every text as it is."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import references, store
from bench.boards import site
from bench.boards.rows import build_board
from bench.boards.site.data import PART
from bench.core import Hypothesis
from bench.errors import BenchError
from bench.languages import DIRECTIONS
from tests.helpers.site_store import COUNT, METRICS, SET, fill, said


def value(path: Path) -> Any:
    """What a script of data hands over."""
    name, text = re.fullmatch(r'data\("([^"]+)",(.*)\);\n', path.read_text("utf-8")).groups()  # type: ignore[union-attr]
    assert path.parts[-len(name.split("/")) :] == (*name.split("/")[:-1], name.split("/")[-1] + ".js")
    return json.loads(text)


def test_the_same_store_gives_the_same_bytes_and_nothing_is_written_twice(tmp_path: Path) -> None:
    boards = fill(tmp_path)
    folder = site.write(tmp_path, boards).parent
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    (folder / "data" / "zh-en" / "part-99.js").write_text("of an earlier site")
    site.write(tmp_path, boards)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")} == first
    assert len(list((folder / "data" / "zh-en").glob("part-*.js"))) == -(-COUNT // PART)


def test_data_hold_every_text_as_it_is_and_nothing_that_ends_a_script(tmp_path: Path) -> None:
    written = site.write(tmp_path, fill(tmp_path))
    boards = value(written.parent / "data" / "site.js")["boards"]
    for direction in DIRECTIONS:
        folder = written.parent / "data" / direction
        parts = [row for n in range(-(-COUNT // PART)) for row in value(folder / f"part-{n}.js")]
        assert {row["system"] for row in boards[direction]["rows"]} == {"alpha", "beta", "gamma", "parrot"}
        for n, row in enumerate(boards[direction]["rows"]):
            texts = [said(row["system"], place, direction).text for place in range(COUNT)]
            assert [part["texts"][n] for part in parts] == texts
    for path in written.parent.rglob("data/**/*.js"):
        assert not re.search("[<>&\u2028\u2029]", path.read_text("utf-8")), path


def test_texts_that_were_changed_after_the_run_are_not_shown(tmp_path: Path) -> None:
    boards = fill(tmp_path)
    path = tmp_path / SET.id / boards[0].rows[0].folder / "hypotheses.jsonl"
    path.write_bytes(path.read_bytes().replace(b"stipulates", b"guarantees", 1))
    with pytest.raises(BenchError, match="was changed after the run"):
        site.write(tmp_path, boards)


def test_half_of_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    """JSON can say it, UTF-8 cannot."""
    boards = fill(tmp_path)
    folder = tmp_path / SET.id / boards[0].rows[0].folder
    path, run = folder / "hypotheses.jsonl", folder / "run.json"
    first, rest = path.read_text("utf-8").split("\n", 1)
    path.write_text(json.dumps({**json.loads(first), "text": "half \ud83d of one"}) + "\n" + rest, "utf-8")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    run.write_text(json.dumps({**json.loads(run.read_text("utf-8")), "hypotheses_sha256": sha256}), "utf-8")
    board = build_board(tmp_path, SET, "zh-en", METRICS, "comet")
    data = site.write(tmp_path, [board]).parent / "data" / "zh-en"
    place = [row.system for row in board.rows].index(boards[0].rows[0].system)
    assert value(data / "part-0.js")[0]["texts"][place] == "half \ud83d of one"


def test_official_terms_of_the_set_are_told_for_each_system(tmp_path: Path) -> None:
    of = references.load("china-export-controls-2021")
    for system, text in (("official", "en"), ("mute", None)):
        folder = store.run_folder(tmp_path, of.id, "zh-en", system, "0123456789abcdef")
        hypotheses = [Hypothesis(s.id, s.id, s.en if text else "…", "", (), "") for s in of.segments]
        store.write_run(folder, hypotheses, {
            "system": {"name": system}, "reference": {"id": of.id, "sha256": of.sha256}, "identity": "0123456789abcdef",
            "flags": {}, "work": {"segments_per_second": 1, "device": "cpu"}})  # fmt: skip
    board = build_board(tmp_path, of, "zh-en", ["chrf"], "chrf")
    data = site.write(tmp_path, [board]).parent / "data" / "zh-en"
    terms, rows = value(data / "segments.js")["terms"], value(data / "part-0.js")
    place = [s.id for s in of.segments].index("1.1-p1-s2")
    assert [row.system for row in board.rows] == ["mute", "official"]
    assert {terms[term][0][0]: hits for term, hits in rows[place]["terms"]} == dict.fromkeys(
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
