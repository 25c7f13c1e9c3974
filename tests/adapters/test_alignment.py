"""Files whose lines belong to other segments, or that are not the output of a system."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bench import references
from bench.adapters._alignment import shifted_lines
from bench.adapters.hypotheses import Hypotheses
from bench.core import Task
from bench.errors import BenchError
from bench.languages import Direction

SET = "china-export-controls-2021"
RESULTS = Path(__file__).parents[2] / "results"


def outputs(direction: Direction) -> dict[str, list[str]]:
    """The hypotheses of small models that are published here."""
    runs = {}
    for path in sorted((RESULTS / SET / direction).glob("*/hypotheses.jsonl")):
        runs[path.parent.name] = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
    return runs


def load(path: Path, texts: list[str], direction: Direction) -> None:
    path.write_text("".join(text.replace("\n", " ") + "\n" for text in texts), "utf-8")
    Hypotheses(str(path), SET, direction=direction).load()


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_real_outputs_are_not_shifted(direction: Direction) -> None:
    """Not even those of models that translate badly, of a dictionary, and in a random order."""
    task = Task(references.load(SET), direction)
    for name, texts in outputs(direction).items():
        assert shifted_lines(texts, task) == "", name
        random.Random(0).shuffle(texts)
        assert shifted_lines(texts, task) == "", name


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
@pytest.mark.parametrize(("line", "lost"), [(10, 1), (10, 2), (20, 3), (1, 1)])
def test_a_lost_line_is_found(tmp_path: Path, direction: Direction, line: int, lost: int) -> None:
    for name, texts in outputs(direction).items():
        if not name.startswith("qwen2.5-coder-1.5b"):
            continue
        path = tmp_path / f"{name}.txt"
        load(path, texts, direction)
        shifted = [*texts[: line - 1], *texts[line - 1 + lost :], *[""] * lost]
        with pytest.raises(
            BenchError, match=rf"{name}.txt: from line \d+ to line \d+ .* {lost} lines? lost near line"
        ) as error:
            load(path, shifted, direction)
        found = int(str(error.value).partition("near line ")[2].partition(";")[0])
        assert abs(found - line) <= 4, (name, error.value)
        added = [*texts[: line - 1], *["x"] * lost, *texts[line - 1 :]][: len(texts)]
        with pytest.raises(BenchError, match=f"{lost} lines? added near line"):
            load(path, added, direction)


def test_a_file_with_ids_is_only_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = Task(references.load(SET), "zh-en")
    texts = list(task.references)
    shifted = [*texts[9:], *texts[:9]]
    rows = [
        json.dumps({"id": id, "text": text}) + "\n"
        for id, text in zip(task.ids, [*texts[1:], ""], strict=True)
    ]
    (tmp_path / "out.jsonl").write_text("".join(rows))
    Hypotheses(str(tmp_path / "out.jsonl"), SET, direction="zh-en").load()
    assert "1 line lost near line 2" in " ".join(capsys.readouterr().err.split())
    assert shifted_lines(shifted, task) == ""  # too far


@pytest.mark.parametrize("name", ["reference", "source"])
def test_the_wrong_file_is_named_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    task = Task(references.load(SET), "en-zh")
    load(tmp_path / "out.txt", list(task.references if name == "reference" else task.sources), "en-zh")
    assert f"equal the {name}: is it the {name}'s file?" in " ".join(capsys.readouterr().err.split())
