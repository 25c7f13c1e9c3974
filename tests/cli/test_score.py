"""`bench score`: somebody's own files, from the command to the board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import references
from tests.helpers.command import invoke

ID = "china-export-controls-2021"
SET = references.load(ID)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the official translations and worse ones as outputs."""
    monkeypatch.chdir(tmp_path)
    en, zh = [s.en for s in SET.segments], [s.zh for s in SET.segments]
    Path("out.zh-en.txt").write_text("".join(f"{text}\n" for text in en))
    rows = [{"seg_id": s.id, "mt": s.en.replace("the", "a")} for s in reversed(SET.segments)]
    Path("b.zh-en.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("chinese.txt").write_text("".join(f"{text}\n" for text in zh))
    return tmp_path


def board(direction: str, set_id: str = ID) -> dict[str, dict[str, float]]:
    """Name of a row -> metric -> value."""
    boards = json.loads(Path("runs", set_id, "leaderboard.json").read_text())["directions"]
    rows = boards[direction]["rows"] if direction in boards else []
    return {
        row["name"]: {metric: score["value"] for metric, score in row["scores"].items() if score}
        for row in rows
    }


def test_two_files_are_compared(folder: Path) -> None:
    result = invoke("score", "ours=out.zh-en.txt", "theirs=b.zh-en.jsonl")
    assert result.exit_code == 0, result.output
    assert "out.zh-en.txt: ours, zh-en (by its name)." in result.stderr
    scores = board("zh-en")
    assert scores["ours"]["bleu"] == pytest.approx(100)
    assert 50 < scores["theirs"]["bleu"] < 99
    assert not board("en-zh")
    assert "significantly" in Path("runs", ID, "leaderboard.md").read_text()


def test_many_systems_in_one_run_with_the_name_in_the_path(folder: Path) -> None:
    Path("a.zh-en.txt").write_bytes(Path("out.zh-en.txt").read_bytes().replace(b"the", b"a"))
    path = "system.adapter.path=${system.name}.{direction}.txt"
    result = invoke(
        "run", "-q", "system=hypotheses", "system.name=a,out", path, "direction=zh-en", "metric=chrf"
    )
    assert result.exit_code == 0, result.output
    scores = board("zh-en")
    assert scores["out"]["chrf"] == pytest.approx(100) != scores["a"]["chrf"]


def test_the_text_gives_the_direction_that_no_name_gives() -> None:
    result = invoke("score", "chinese.txt", "out.zh-en.txt")
    assert result.exit_code == 0, result.output
    assert "chinese.txt: chinese, en-zh (by its text, which is Chinese)." in result.stderr
    assert board("en-zh").keys() == {"chinese"}
    assert board("zh-en").keys() == {"out"}


def test_a_file_in_the_wrong_language_is_refused() -> None:
    Path("copy.zh-en.txt").write_text(Path("chinese.txt").read_text())
    result = invoke("score", "copy.zh-en.txt")
    assert result.exit_code == 2
    assert "called zh-en, but its text is Chinese" in result.stderr
    assert not Path("runs").exists()


def test_an_exported_set_gets_a_folder_of_its_own() -> None:
    assert invoke("references", "export", ID, "--out", ".").exit_code == 0
    invoke("score", "ours=out.zh-en.txt")
    result = invoke("score", "theirs=b.zh-en.jsonl", "--reference", ID + ".en")
    assert result.exit_code == 0, result.output
    assert board("zh-en").keys() == {"ours"}
    assert board("zh-en", f"{ID}.parallel").keys() == {"theirs"}


def test_a_quick_look_by_one_metric_keeps_the_columns_of_the_board() -> None:
    invoke("score", "ours=out.zh-en.txt", "theirs=b.zh-en.jsonl")
    result = invoke("score", "ours=out.zh-en.txt", "--metric", "chrfpp")
    assert result.exit_code == 0, result.output
    assert list(board("zh-en")["ours"]) == ["bleu", "chrf", "chrfpp"]
    assert list(board("zh-en")["theirs"]) == ["bleu", "chrf", "chrfpp"]


def test_one_direction_leaves_the_other_as_it_is() -> None:
    invoke("score", "chinese.txt", "out.zh-en.txt", "--metric", "bleu")
    result = invoke("score", "out.zh-en.txt", "--metric", "bleu,chrf")
    assert result.exit_code == 0, result.output
    assert list(board("zh-en")["out"]) == ["bleu", "chrf"]
    assert list(board("en-zh")["chinese"]) == ["bleu"]


def test_two_versions_of_a_file_are_told_apart() -> None:
    for beams in (1, 4):
        Path(f"{beams}.zh-en.txt").write_text("".join(f"{s.en} {beams}\n" for s in SET.segments))
        invoke("score", f"ours={beams}.zh-en.txt")
    names = board("zh-en")
    assert len(names) == 2
    assert set(names) == {"ours · file=1.zh-en.txt", "ours · file=4.zh-en.txt"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing.txt"], "There is no file nothing.txt"),
        (["a b=chinese.txt"], "'a b' cannot name a system"),
        (["ours=out.zh-en.txt", "ours=b.zh-en.jsonl"], "are both ours zh-en"),
        (["chinese.txt", "--metric", "bleu;rm"], "is not a list of metrics"),
        (["chinese.txt", "--metric", "blue"], "There is no metric 'blue'"),
        (["chinese.txt", "--reference", "nothing"], "No reference set 'nothing'"),
    ],
)
def test_mistakes(arguments: list[str], problem: str) -> None:
    result = invoke("score", "-q", *arguments)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("runs").exists()


def test_one_file_is_not_scored_as_the_outputs_of_both_directions() -> None:
    """`bench run` without direction= runs both; 36 of 39 hypotheses would be in the wrong language."""
    run = ["run", "system=hypotheses", "system.name=ours", "metric=[chrf]"]
    result = invoke(*run, "system.adapter.path=out.zh-en.txt")
    assert result.exit_code == 2
    assert "give its own, as in direction=zh-en" in result.stderr
    assert not Path("runs").exists()
    Path("chinese.txt").rename("out.en-zh.txt")
    result = invoke(*run, "system.adapter.path=out.{direction}.txt")
    assert result.exit_code == 0
    assert board("en-zh") == {"ours": {"chrf": 100.0}}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("short.zh-en.txt", "One line.\n", "has 1 lines, but"),
        ("blank.zh-en.txt", None, "blank.zh-en.txt, line 40 is empty, after the last segment: remove it."),
        (
            "heads.zh-en.tsv",
            "Seg ID\tMT Output\n",
            "line 1 looks like the names of columns: name them id and text",
        ),
        ("three.zh-en.tsv", "id\tsource\tmine\na\tb\tc\n", "a line with the columns id and text"),
        ("twice.zh-en.tsv", "a\tOne.\na\tTwo.\n", "or name the columns in a first line"),
    ],
)
def test_a_file_that_does_not_fit_is_one_sentence_and_leaves_nothing(
    name: str, content: str | None, words: str
) -> None:
    if name.startswith("heads"):
        content = f"{content}" + "".join(f"{s.id}\t{s.en}\n" for s in SET.segments)
    Path(name).write_text(content or Path("out.zh-en.txt").read_text() + "\n")
    result = invoke("score", f"ours={name}", "theirs=b.zh-en.jsonl")
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("Error: ") == 1
    assert not Path("runs").exists()


def test_a_table_whose_columns_have_other_names_for_the_same() -> None:
    Path("t.zh-en.tsv").write_text("Seg ID\tMT\n" + "".join(f"{s.id}\t{s.en}\n" for s in SET.segments))
    assert invoke("score", "ours=t.zh-en.tsv", "--metric", "chrf").exit_code == 0
    assert board("zh-en") == {"ours": {"chrf": 100.0}}


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        ("metric=ter", "metric is an option here: write --metric ter."),
        ("+metric=ter", "+metric is an option here: write --metric ter."),
        ("reference=x", "reference is an option here: write --reference x."),
        ("--metric=chrff", "There is no metric 'chrff': use chrf"),
        ("nope=", "nope= names no file: write NAME=PATH"),
    ],
)
def test_slips_are_named(slip: str, words: str) -> None:
    result = invoke("score", "ours=out.zh-en.txt", slip)
    assert result.exit_code == 2
    assert words in result.stderr


def test_the_board_names_the_command_that_compares(folder: Path) -> None:
    result = invoke("score", "ours=out.zh-en.txt", "theirs=b.zh-en.jsonl")
    (line,) = [line for line in result.stdout.splitlines() if "bench compare" in line]
    command = line.partition("bench compare ")[2].split()
    assert invoke("compare", *command).exit_code == 0


def test_runs_of_another_version_of_the_set_are_named(folder: Path) -> None:
    for name in ("zh", "en"):
        Path(f"news.{name}").write_text("".join(f"{getattr(s, name)}\n" for s in SET.segments[:9]))
    Path("a.zh-en.txt").write_text(Path("news.en").read_text())
    assert invoke("score", "a.zh-en.txt", "--reference", "news").exit_code == 0
    Path("news.zh").write_text(Path("news.zh").read_text().replace("出口", "进口"))
    Path("b.zh-en.txt").write_text(Path("news.en").read_text().replace("the", "a"))
    result = invoke("score", "b.zh-en.txt", "--reference", "news")
    assert result.exit_code == 0
    assert "made from another version of news: a-" in result.stderr
