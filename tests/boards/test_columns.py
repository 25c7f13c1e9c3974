"""Tables in Markdown and on terminals of several widths. `python -m tests.boards.test_columns` writes the snapshots."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from bench.boards import columns, formats
from bench.boards.rows import Board, Columns, build_board
from bench.core import Score, Task
from bench.errors import BenchError
from bench.languages import Language
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.site_store import SET
from tests.helpers.stored import store_run

SNAPSHOTS = Path(__file__).parent / "snapshots"
WIDTHS = (80, 100, 120, 160)
METRICS = {
    "bleu": ("BLEU", 0.4, 1),
    "chrf": ("chrF", 1, 1),
    "terms": ("terms", 0.9, 1),
    "ter": ("TER", 1.1, 1),
    "comet-embedded": ("COMET (embedded)", 0.01, 3),
}
SYSTEMS = {
    "qwen2.5-coder-1.5b-instruct-int8-few-shot": 57.3,
    "qwen2.5-coder-1.5b-instruct-int8-beam-4": 57.0,
    "qwen2.5-coder-0.5b-instruct-int8-few-shot": 46.4,
    "翻译系统（甲）-qwen2.5-coder-0.5b-instruct-beam-4": 45.0,
    "dictionary": 30.0,
    "gemma-3-270m": 20.0,
}


def board(root: Path) -> Board:
    store, task = Store(root), Task(SET, "zh-en")
    rng = np.random.default_rng(2)
    for name, quality in SYSTEMS.items():
        card = {"control": True} if name == "dictionary" else {"size": "1.5B", "released": "2025"}
        flags = {"copied": 3, "wrong-language": 1} if name == "gemma-3-270m" else {}
        label = name if name.isascii() else "chinese"
        run = store_run(
            store,
            task,
            label,
            system={"name": label, "label": name, **card},
            flags=flags,
            work={"segments_per_second": 2.5},
        )
        noise = rng.normal(0, 6, size=len(task.ids))
        for metric, (head, factor, decimals) in METRICS.items():
            values = tuple((factor * (quality + noise - noise.mean())).tolist())
            value, half = float(np.mean(values)), 2 * factor
            score = Score(head, value, (value - half, value + half), head, values, decimals=decimals)
            store.write_score(run, metric, "scorer", score)
    compare_runs(store, task, list(METRICS), CompareSettings())
    return build_board(store, task, Columns(list(METRICS), "chrf"))


def printed(shown: Board, width: int, names: list[str] | None = None, language: Language = "en") -> str:
    """As `bench board` prints it into a file: no colour."""
    stream = io.StringIO()
    Console(file=stream, width=1000).print(formats.terminal(shown, width, names or [], language))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_snapshot(tmp_path: Path, width: int, language: Language) -> None:
    lines = printed(board(tmp_path), width, language=language)
    assert lines == (SNAPSHOTS / f"board-{language}-{width}.txt").read_text("utf-8")
    assert max(map(cell_len, lines.splitlines())) <= width
    assert "\x1b" not in lines


def test_all_columns_are_never_cut(tmp_path: Path) -> None:
    shown = board(tmp_path)
    lines = printed(shown, 80, columns.wide(shown))
    for text in ("TER", "licence", "seg/s", "0.573 ± 0.020", "1 wrong-language", "2.5"):
        assert text in lines


def test_columns_of_the_readers_choice(tmp_path: Path) -> None:
    shown = board(tmp_path)
    head = printed(shown, 100, columns.chosen(shown, ["ter", "size"]))
    assert any(line.split() == ["system", "TER", "↑", "size"] for line in head.split("\n"))
    with pytest.raises(BenchError, match="The board has no column 'comet': choose from rank,chrf,"):
        columns.chosen(shown, ["comet"])


def test_a_name_is_shortened_where_all_stay_different() -> None:
    names = ["qwen2.5-coder-1.5b-instruct-int8", "qwen2.5-coder-0.5b-instruct-int8", "copy"]
    short = columns.shortened(names, 20)
    assert len(set(short)) == 3
    assert all(cell_len(name) <= 20 for name in short)
    assert short[2] == "copy"
    assert columns.shortened(["翻译系统甲乙丙丁", "b"], 9) == ["翻译…丙丁", "b"]
    hopeless = ["a" * 30 + "x" + "b" * 30, "a" * 30 + "y" + "b" * 30]
    assert columns.shortened(hopeless, 6) == hopeless  # both would be "aa…bbb"


def test_the_narrow_table_in_markdown(tmp_path: Path) -> None:
    lines = formats.first_rows([board(tmp_path)], "results/laws/", 1)
    assert lines[0] == "### Chinese → English"
    assert lines[2].startswith(
        "**qwen2.5-coder-1.5b-instruct-int8-few-shot has the best chrF of 5 systems, 57.3 ± 2.0: "
    )
    assert lines[4] == "| system | rank | chrF ↑ | BLEU ↑ | COMET (embedded) ↑ | terms ↑ | flags |"
    assert lines[5] == "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    assert lines[6].startswith(
        "| [qwen2.5-coder-1.5b-instruct-int8-few-shot †](results/laws/zh-en/qwen2.5-coder-1.5b-instruct-int8-few-shot-"
    )
    assert lines[6].endswith("| 1–2 | 57.3 ± 2.0 | 22.9 ± 0.8 | 0.573 ± 0.020 | 51.6 ± 1.8 | 0 |")
    assert "- Top 1 of 6 systems." in lines
    complete = formats.complete_tables([board(tmp_path / "complete")])
    assert complete[4].count("|") == 1 + 2 + len(METRICS) + len(columns.FACTS)


def main() -> None:
    SNAPSHOTS.mkdir(exist_ok=True)
    languages: tuple[Language, ...] = ("en", "zh")
    with TemporaryDirectory() as folder:
        shown = board(Path(folder))
        for language in languages:
            for width in WIDTHS:
                text = printed(shown, width, language=language)
                (SNAPSHOTS / f"board-{language}-{width}.txt").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
