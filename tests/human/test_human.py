"""Campaigns and annotations without Pearmut: samples, offsets, wrong and hostile files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.human import campaign as campaigns
from bench.human.campaign import DAMAGED, INTACT, Item, MarkedSpan, characters, marked, shown
from bench.human.sampling import disagreement, sample
from bench.store import Store
from tests.helpers.command import invoke
from tests.human.texts import CAMPAIGN, A, prepare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign for two annotators, of the store runs/."""
    folder = tmp_path_factory.mktemp("human")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prepare(folder)
        done = invoke("human", "export", "--direction", "zh-en", "--annotators", "2", "--each", "2")
        assert done.exit_code == 0, done.output
    return folder


def entries(
    folder: Path, value: Callable[[int, str], float] = lambda annotator, name: {"b": 80.0}.get(name[0], 40.0)
) -> list[dict[str, Any]]:
    """What Pearmut would log if all pages were annotated. `value`: annotator, system -> score."""
    campaign = json.loads((folder / "campaign.json").read_text("utf-8"))
    checks = {"check-intact": 90.0, "check-damaged": 10.0}
    return [
        {
            "user_id": f"annotator {number}",
            "item_i": place,
            "annotation": [
                {
                    name: {
                        "score": checks[name] if name in checks else value(number, name),
                        "error_spans": [],
                    }
                    for name in item["tgt"]
                }
                for item in page
            ],
            "item": page,
        }
        for number, task in enumerate(campaign["data"])
        for place, page in enumerate(task)
    ]


def imported(folder: Path, lines: list[Any], monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.chdir(folder)
    Path("log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return invoke("human", "import", "campaign.json", "log.jsonl", *words)


def value_of(folder: Path, system: str, metric: str = "human-esa") -> Any:
    store = Store(folder / "runs")
    runs = [run for path in store.run_folders("news", "zh-en") if (run := store.run(path))]
    return next(store.score(run, metric) for run in runs if run.system == system)


def test_agreement_is_that_of_krippendorff(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import krippendorff

    given = {(0, "a"): 40.0, (1, "a"): 60.0, (0, "b"): 80.0, (1, "b"): 90.0}
    done = imported(folder, entries(folder, lambda n, name: given[n, name[0]]), monkeypatch)
    assert done.exit_code == 0, done.output
    table = np.array([[given[n, name] for name in "ab" for _ in range(3)] for n in (0, 1)])
    alpha = krippendorff.alpha(reliability_data=table, level_of_measurement="interval")
    assert f"Agreement of annotators: alpha {alpha:.2f}, same order 100% on 6 translations." in done.stdout
    assert value_of(folder, "a").value == 50
    assert value_of(folder, "b").value == 85
    notes = Path("runs/news/leaderboard.md").read_text("utf-8")
    assert f"alpha {alpha:.2f}" in notes
    assert "2 annotators" in notes


def test_the_last_answer_counts_and_a_reset_forgets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = entries(folder)
    reset = {"user_id": "annotator 1", "annotation": "__RESET__"}
    again = [e for e in entries(folder, lambda n, name: 70.0) if e["user_id"] == "annotator 0"]
    done = imported(folder, [*first, reset, *again], monkeypatch)
    assert done.exit_code == 0, done.output
    assert value_of(folder, "a").value == value_of(folder, "b").value == 70
    assert "annotator 1" not in done.stdout
    assert "Agreement of annotators: not measured." in done.stdout


def test_who_fails_the_checks_does_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = entries(folder, lambda n, name: 20.0 if n else 60.0)
    for line in lines:
        for answers in line["annotation"]:
            if line["user_id"] == "annotator 1" and "check-intact" in answers:
                answers["check-intact"]["score"] = 5.0
    done = imported(folder, lines, monkeypatch)
    assert "annotator 1: 0 of 1 attention checks passed. Left out." in done.stdout
    assert value_of(folder, "a").value == 60
    done = imported(folder, [line for line in lines if line["user_id"] == "annotator 1"], monkeypatch)
    assert done.exit_code == 2
    assert "no judgements that count" in done.stderr


def test_what_nobody_judged_has_no_value(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = entries(folder)
    for line in lines:
        for item, answers in zip(line["item"], line["annotation"], strict=True):
            if item["item_id"] == "s0002":
                for answer in answers.values():
                    answer["score"] = None
    done = imported(folder, lines, monkeypatch, "--judgements", "judged.csv")
    assert done.exit_code == 0, done.output
    score = value_of(folder, "a")
    assert [value is None for value in score.segments] == [False, True, False]
    assert score.unscored == ((1, "not judged"),)
    assert len(Path("judged.csv").read_text("utf-8").splitlines()) == 1 + 2 * 2


@pytest.mark.slow
def test_boards_keep_the_column_and_publish_takes_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    imported(copy, entries(copy), monkeypatch)
    done = invoke("score", "c=b.zh-en.txt", "--reference", "news", "-q")
    assert done.exit_code == 0, done.output
    boards = json.loads(Path("runs/news/leaderboard.json").read_text("utf-8"))["directions"]["zh-en"]
    values = {row["name"]: row["scores"]["human-esa"] for row in boards["rows"]}
    assert values["c"] is None
    assert values["b"]["value"] == 80
    runs = sorted(Path("runs/news/zh-en").glob("*/run.json"))
    done = invoke("publish", "--into", "published", *(path.parent for path in runs))
    assert done.exit_code == 0, done.output
    published = json.loads(Path("published/news/leaderboard.json").read_text("utf-8"))["directions"]["zh-en"]
    assert {row["name"]: bool(row["scores"]["human-esa"]) for row in published["rows"]} == {
        "a": True,
        "b": True,
        "c": False,
    }
    done = invoke("verify", "published")
    assert done.exit_code == 0, done.output


# Files from anybody


def change(path: str, value: Any) -> Callable[[list[Any]], list[Any]]:
    """Set a value in the first entry of a page of the set."""

    def changed(lines: list[Any]) -> list[Any]:
        target: Any = next(line for line in lines if len(line["item"]) > 1)
        *keys, last = [int(key) if key.isdigit() else key for key in path.split("/")]
        for key in keys:
            target = target[next(iter(target)) if key == "*" else key]
        target[next(iter(target)) if last == "*" else last] = value
        return lines

    return changed


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (change("annotation/0/*/score", 101), "Expected `float` <= 100"),
        (change("annotation/0/*/score", "80"), "Expected `float | null`"),
        (change("annotation/0/*/error_spans", [{"start_i": 0, "end_i": 10**6}]), "is not in its text"),
        (change("annotation/0/*/error_spans", [{"start_i": -1, "end_i": 0}]), "Expected `int` >= 0"),
        (change("annotation/0/*/error_spans", [{"start_i": 5, "end_i": 1}]), "is not in its text"),
        (change("annotation/0/*/error_spans", [{"start_i": 0, "end_i": 1}] * 1001), "of length <= 1000"),
        (change("annotation/0/*/error_spans", [{"start_i": 0, "end_i": 1, "category": "\x1b[31m"}]), "matching regex"),
        (change("item/0/item_id", "s9999"), "the campaign has no item 's9999'"),
        (change("item/0/tgt/*", "another text"), "are not those of the campaign"),
        (change("annotation/0/nobody", {"score": 1}), "has no translation of 'nobody'"),
        (change("annotation", [{}]), "it has 1 annotations of 3 items"),
        (change("user_id", "x" * 500), "of length <= 128"),
        (lambda lines: [], "has no annotations"),
        (lambda lines: [[1, 2]], "entry 1: Expected `object`"),
        (lambda lines: [{"other": lines}], f"has no annotations of {CAMPAIGN}"),
    ],
)  # fmt: skip
def test_damaged_annotations(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[list[Any]], list[Any]], sentence: str
) -> None:
    before = (folder / "runs/news/leaderboard.json").read_bytes()
    done = imported(folder, damage(entries(folder)), monkeypatch)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.output
    assert (folder / "runs/news/leaderboard.json").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: text[:-20], "is not a campaign of bitext-bench"),
        (lambda text: text.replace('"set": "news"', '"set": "../news"'), "'../news' is not a name"),
        (lambda text: text.replace("Article 1 controls", "Article 1 improves"), "is not that of the run"),
        (lambda text: text.replace('"hypotheses_sha256": {\n   "a-', '"hypotheses_sha256": {\n   "z-'), "does not have z-"),
        (lambda text: text.replace('"set_sha256": "', '"set_sha256": "0')[:], "is not a campaign"),
    ],
)  # fmt: skip
def test_damaged_campaigns(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[str], str], sentence: str
) -> None:
    monkeypatch.chdir(folder)
    text = Path("campaign.json").read_text("utf-8")
    damaged = damage(text)
    assert damaged != text
    Path("damaged.json").write_text(damaged, encoding="utf-8")
    Path("log.jsonl").write_text("\n".join(map(json.dumps, entries(folder))), encoding="utf-8")
    done = invoke("human", "import", "damaged.json", "log.jsonl")
    assert done.exit_code == 2
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--annotators", "1", "--each", "2"], "--each 2 of --annotators 1 is not possible"),
        (["--first", "facts"], "needs scores of facts or obligations"),
        (["--prefill", "comet"], "has no scores of comet"),
        (["nobody"], "0 runs of zh-en in runs are called 'nobody'"),
        (["--reference", "laws"], "has no boards of laws"),
    ],
)
def test_mistakes(folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str) -> None:
    monkeypatch.chdir(folder)
    done = invoke("human", "export", "--direction", "zh-en", "-o", "new.json", *words)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert not Path("new.json").exists()


# Samples and offsets


def test_the_same_seed_gives_the_same_campaign(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = [
        "human",
        "export",
        "--direction",
        "zh-en",
        "--annotators",
        "2",
        "--each",
        "2",
        "-o",
        "again.json",
    ]
    invoke(*words, "--seed", "12345")
    assert Path("again.json").read_bytes() == Path("campaign.json").read_bytes()
    invoke(*words, "--seed", "3")
    assert Path("again.json").read_bytes() != Path("campaign.json").read_bytes()


def test_samples() -> None:
    pages = [(0, 1), (2,), (3, 4), (5,)]
    values = [0, 3, 1, 2, 0, 9]
    assert sample(pages, 3, "facts", values, 1) == (
        [(5,), (0, 1)],
        "3 of 6 segments, where most facts are lost, not a random sample",
    )
    assert sample(pages, None, None, values, 1) == (pages, "all segments")
    taken, how = sample(pages, 3, None, values, 7)
    assert taken == sorted(taken)
    assert how == f"{sum(map(len, taken))} of 6 segments, random, seed 7"
    assert len({str(sample(pages, 3, None, values, seed)[0]) for seed in range(9)}) > 1


def test_metrics_disagree_where_each_prefers_another_system() -> None:
    from tests.helpers.scores import score

    scores = {
        "chrf": [score([1, 1, 5]), score([2, 1, 1])],
        "ter": [score([1, 1, 5], higher_is_better=False), score([2, 2, 1], higher_is_better=False)],
    }
    assert disagreement(scores) == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("text", ["plain text", "😀 a 𠮷 b", *A])
def test_offsets_survive(text: str) -> None:
    assert len(shown(text)) == len(text)
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            span = marked(text, start, end, "minor", None)
            assert span
            units = shown(text).encode("utf-16-le")[2 * span.start_i : 2 * span.end_i + 2]
            assert units.decode("utf-16-le") == shown(text)[start:end]
            assert characters(text, span) == (start, end)
    length = len(text.encode("utf-16-le")) // 2
    assert characters(text, MarkedSpan(length, length)) is None


def test_a_half_of_a_surrogate_pair_marks_the_whole_character() -> None:
    assert characters("a😀b", MarkedSpan(2, 2)) == (1, 2)


def test_texts_that_a_page_would_run_are_shown() -> None:
    assert shown("a < b") == "a < b"
    assert shown("<img src=x>") == "＜img src=x>"
    assert shown("hidden <b>bold</b>") == "hidden ＜b>bold＜/b>"


def test_a_campaign_has_no_seed_for_passwords(folder: Path) -> None:
    """Pearmut draws its passwords from the seed of a campaign."""
    info = json.loads((folder / "campaign.json").read_text("utf-8"))["info"]
    assert "seed" not in info
    assert info["shuffle"] is False
    assert campaigns.read(folder / "campaign.json").bitext_bench.seed == 12345


def test_a_segment_may_be_called_like_a_check() -> None:
    assert not Item("check/1", "x", {"a": "y", "b": "z"}).is_check
    assert Item("check/1", "x", {DAMAGED: "y", INTACT: "z"}).is_check
