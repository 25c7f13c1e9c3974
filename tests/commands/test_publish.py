"""`bench publish` and `bench verify`, on real runs of the two controls."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import Result

from bench import references
from bench.commands import transaction
from bench.core import Scorer, Task
from bench.errors import BenchError
from bench.scoring.driver import score
from bench.store import Store
from bench.store.run import read_run, write_run
from tests.helpers.command import invoke, process_arguments

ID = "china-export-controls-2021"
PAGE = "# Results\n\n<!-- board: here -->\n<!-- /board -->\n\nWhat they say.\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with results of `copy` and a run of `dictionary` that is not published yet."""
    folder = tmp_path_factory.mktemp("project")
    for page in (folder / "README.md", folder / "results" / "README.md"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(PAGE)
    for name, system in (("results", "copy"), ("runs", "dictionary")):
        words = ["run", "-q", f"store={folder / name}", f"system={system}", "metric=[bleu,chrf]"]
        assert invoke(*words).exit_code == 0
    assert invoke("publish", "--into", folder / "results").exit_code == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project"))


def runs(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"{ID}/*/{pattern}/run.json"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def told(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


def test_runs_are_copied_and_everything_shows_them(project: Path) -> None:
    results, before = project / "results", files(project / "runs")
    result = invoke("publish", "--into", results, *runs(project / "runs"))
    assert result.exit_code == 0, result.output
    assert files(project / "runs") == before
    assert invoke("verify", project / "runs").exit_code == 0
    assert len(runs(results, "dictionary-*")) == 2
    for path in (results / "README.md", project / "README.md", results / ID / "leaderboard.md"):
        assert path.read_text().count("[dictionary (control)]") == 2
        for link in [part.split(")")[0] for part in path.read_text().split("](")[1:]]:
            assert (path.parent / link).is_file(), "a click on a page of published results leads to a file"
    assert "What they say." in (results / "README.md").read_text()
    assert "dictionary" in (results / ID / "site" / "data" / "zh-en" / "runs.js").read_text()
    verified = invoke("verify", results)
    assert verified.exit_code == 0, verified.output
    assert "4 runs, 8 scores" in verified.output
    assert not list(results.glob(".publishing*"))


def test_one_character_of_one_hypothesis(project: Path) -> None:
    folder = runs(project / "results")[0]
    path = folder / "hypotheses.jsonl"
    path.write_text(path.read_text().replace("Export", "Expert", 1))
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert f"{folder.parent.name}, {folder.name}" in told(result)
    assert "hypotheses are not those that run.json was written for" in told(result)


def test_a_better_translation_with_its_hash_but_not_its_scores(project: Path) -> None:
    """Who writes the hash anew, and says the scores were of these texts, is found by scoring."""
    segments = references.load(ID).segments
    (folder,) = [path for path in runs(project / "results") if path.parent.name == "zh-en"]
    run = read_run(folder)
    assert run is not None
    pairs = zip(run.hypotheses(), segments, strict=True)
    hypotheses = [replace(hypothesis, text=segment.en) for hypothesis, segment in pairs]
    scores = {path: json.loads(path.read_text()) for path in (folder / "scores").glob("*.json")}
    write_run(folder, hypotheses, run.document)
    for path, record in scores.items():
        new = sha256((folder / "hypotheses.jsonl").read_bytes()).hexdigest()
        path.write_text(json.dumps({**record, "hypotheses_sha256": new}))
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert f"zh-en, {folder.name}" in told(result)
    assert "chrf: published 0.0" in told(result)
    assert "recomputed 100.000" in told(result)


def test_a_cell_of_a_table_and_a_file_too_many(project: Path) -> None:
    results = project / "results"
    board = results / ID / "leaderboard.md"
    board.write_text(board.read_text().replace("39 copied", "38 copied", 1))
    (results / ID / "zh-en" / "notes.txt").write_text("mine")
    page = project / "README.md"
    page.write_text(page.read_text().replace("39 segments", "40 segments", 1))
    result = invoke("verify", results)
    assert result.exit_code == 2
    for words in ("leaderboard.md line", "38 copied", "notes.txt belongs to no run", "40 segments"):
        assert words in told(result)
    assert "; 3 differences." in result.output


def test_a_row_of_the_json_board_is_named(project: Path) -> None:
    board = project / "results" / ID / "leaderboard.json"
    record = json.loads(board.read_text())
    row = record["directions"]["en-zh"]["rows"][0]
    row["scores"]["chrf"]["value"] += 1
    board.write_text(json.dumps(record))
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert f"the row {row['folder']} does not follow from its run" in told(result)


def test_what_is_refused_leaves_everything_as_it_was(project: Path) -> None:
    results = project / "results"
    first, second = runs(project / "runs")
    hypotheses = second / "hypotheses.jsonl"
    whole = hypotheses.read_bytes()
    hypotheses.write_bytes(whole.replace(b"a", b"b", 1))
    before = files(project)
    for given, words in (
        ([first, second], "cannot be published (its hypotheses are not those"),
        ([project / "runs"], "is not a complete run"),
        ([*runs(results)[:1]], "is published already"),
    ):
        result = invoke("publish", "--into", results, *given)
        assert result.exit_code == 2
        assert words in told(result)
        assert files(project) == before


def test_nothing_is_published_onto_what_does_not_verify(project: Path) -> None:
    results = project / "results"
    path = runs(results)[0] / "hypotheses.jsonl"
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    before = files(project)
    result = invoke("publish", "--into", results, *runs(project / "runs"))
    assert result.exit_code == 2
    assert "does not verify" in told(result)
    assert files(project) == before


def test_a_folder_without_results(tmp_path: Path) -> None:
    assert "has no leaderboards" in told(invoke("verify", tmp_path))
    assert invoke("verify", tmp_path).exit_code == 2
    assert "Nothing is published" in told(invoke("publish", "--into", tmp_path))
    assert invoke("publish", "--into", tmp_path / "new", tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == [], "a refused run leaves no empty folder behind"


def test_only_the_last_digits_may_be_other_ones() -> None:
    from bench.commands.differences import _nearly_equal_bytes

    assert _nearly_equal_bytes(b'{"p": 0.12345678901234, "n": 39}', b'{"p": 0.12345678901239, "n": 39}')
    assert not _nearly_equal_bytes(b'{"p": 0.12345678, "n": 39}', b'{"p": 0.12345679, "n": 39}')
    assert not _nearly_equal_bytes(b"39 copied", b"38 copied")
    assert not _nearly_equal_bytes(b"4.5 (1)", b"4.5 (2)")


@pytest.mark.slow
def test_two_at_once_lose_nothing(project: Path) -> None:
    """One waits for the other; every run is published."""
    names = {path.name for path in runs(project / "runs")}
    processes = [
        subprocess.Popen(
            **process_arguments(project, "publish", "--into", project / "results", run),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for run in runs(project / "runs")
    ]
    assert [process.wait(300) for process in processes] == [0, 0]
    assert names <= {path.name for path in runs(project / "results")}
    assert invoke("verify", project / "results").exit_code == 0


def remove_format(project: Path) -> Path:
    """Make the boards of `project` look like those of an older version."""
    leaderboard = project / "results" / ID / "leaderboard.json"
    leaderboard.write_text(leaderboard.read_text().replace(' "format": 3,\n', ' "format": 2,\n', 1))
    return leaderboard


def test_boards_of_an_older_format_verify_by_their_scores(project: Path) -> None:
    remove_format(project)
    result = invoke("verify", project / "results")
    assert result.exit_code == 0, result.output
    assert "These boards are of an older format" in told(result)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"published": "2021-12"', '"published": "2025-12"'),
        ('"copied": 39', '"copied": 38'),
        ('"value": 0.', '"value": 9.'),
    ],
)
def test_an_older_format_exempts_neither_scores_nor_runs(project: Path, old: str, new: str) -> None:
    path = remove_format(project)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert "; 1 difference." in result.output


def test_every_field_of_a_score_is_compared(project: Path) -> None:
    """A score file that calls lower values better would turn the ranking around."""
    for path in (project / "results").rglob("scores/chrf.json"):
        path.write_text(path.read_text().replace('"higher_is_better": true', '"higher_is_better": false'))
    assert invoke("publish", "--into", project / "results").exit_code == 0
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert "its higher_is_better are not those that are recomputed" in told(result)


@pytest.mark.slow
def test_publishing_again_after_an_interruption(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided, but a page cannot be written: others are told so, and the same call completes it."""
    new = runs(project / "runs")
    with monkeypatch.context() as patch:

        def full_disk(*_: object) -> None:
            raise BenchError("The disk is full.")

        patch.setattr("bench.commands.transaction.write_text", full_disk)
        assert invoke("publish", "--into", project / "results", *new).exit_code == 2
    assert runs(project / "runs") == new
    for command in (("verify", project / "results"), ("compare", "a", "b", "--store", project / "results")):
        result = invoke(*command)
        assert result.exit_code == 2
        assert f"complete it by `bench publish --into {project / 'results'}`" in told(result)
    assert invoke("publish", "--into", project / "results", *new).exit_code == 0
    assert len(runs(project / "results", "dictionary-*")) == 2
    assert invoke("verify", project / "results").exit_code == 0


def test_publishing_what_is_published(project: Path) -> None:
    """A command that is repeated because nobody knows whether it was interrupted."""
    new = runs(project / "runs")
    for _ in range(2):
        assert invoke("publish", "--into", project / "results", *new).exit_code == 0
    assert len(runs(project / "results", "dictionary-*")) == 2


@pytest.mark.parametrize("plan", ["commit", "commit.json"])
def test_a_forged_transaction_removes_nothing(project: Path, plan: str) -> None:
    """Somebody's results name a folder of the user, and even hold the same run."""
    results, (mine, other) = project / "results", runs(project / "runs")
    shutil.copytree(mine, results / mine.relative_to(project / "runs"))
    documents = project / "documents"
    documents.mkdir()
    (documents / "letter.txt").write_text("mine")
    forged = results / ".publishing-forged"
    (forged / "new").mkdir(parents=True)
    named = [str(mine), str(other), str(documents), "relative", "/", "\0"]
    (forged / plan).write_text(json.dumps({"runs": named}))
    before = files(project / "runs") | files(documents)
    result = invoke("publish", "--into", results)
    assert result.exit_code == 0, result.output
    assert files(project / "runs") | files(documents) == before
    assert not forged.exists()


def test_a_forged_transaction_writes_nothing_outside(project: Path) -> None:
    results, outside = project / "results", project / "outside"
    outside.mkdir()
    forged = results / ".publishing-forged"
    for place, name in (("link", "zh-en"), (".git", "hooks")):
        (forged / "new" / place / name).mkdir(parents=True)
        (forged / "new" / place / name / "file").write_text("theirs")
    (forged / "commit.json").write_text('{"runs": []}')
    (results / "link").symlink_to(outside)
    result = invoke("publish", "--into", results)
    assert result.exit_code == 2
    assert str(results) in told(result)
    assert list(outside.iterdir()) == []
    assert not (results / ".git").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"runs": 1}', '{"runs": ["a"]}'])
def test_leftovers_never_block(project: Path, content: str) -> None:
    results = project / "results"
    for name in ("commit", "commit.json", "other"):
        leftover = results / f".publishing-{name}"
        (leftover / "new").mkdir(parents=True)
        (leftover / name).write_text(content)
    (results / ".publishing-link").symlink_to(project / "runs")
    before = files(project / "runs")
    result = invoke("publish", "--into", results)
    assert result.exit_code == 0, result.output
    assert files(project / "runs") == before
    assert [path.name for path in results.glob(".publishing*")] == [".publishing-link"]
    assert invoke("verify", results).exit_code == 0


def test_locks_of_other_sets_are_not_waited_for(project: Path) -> None:
    """A stranger's folder has thousands of them, and an interrupted transaction."""
    results = project / "results"
    (results / ".publishing-x" / "new" / ID).mkdir(parents=True)
    (results / f".boards-{ID}.lock").touch()  # as a killed process leaves it: it is taken over
    locks = [results / f".boards-s{n}.lock" for n in range(5_000)]
    for lock in locks:
        lock.touch()
    result = invoke("publish", "--into", results)
    assert result.exit_code == 0, result.output
    assert all(lock.exists() for lock in locks)
    assert not (results / f".boards-{ID}.lock").exists()


def test_locks_of_many_sets_are_not_waited_for_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "PATIENCE", 4.0)  # less than for one unsigned lock
    store = Store(tmp_path)
    for n in range(1_000):
        store.boards_lock(f"s{n}").touch()
    with (
        pytest.raises(BenchError, match="has many locks: delete"),
        transaction.boards_leases(store, [f"s{n}" for n in range(1_000)]),
    ):
        pass


def test_many_leftovers_are_refused(project: Path) -> None:
    for n in range(21):
        (project / "results" / f".publishing-{n}").mkdir()
    for words in (["publish", "--into"], ["verify"]):
        result = invoke(*words, project / "results")
        assert result.exit_code == 2
        assert "21 folders .publishing-*: 20 are the limit" in told(result)


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_published(project: Path) -> None:
    page = project / "results" / "README.md"
    page.write_text("<!-- board -->\n<!-- /board -->\n" * 11)
    before = files(project)
    result = invoke("publish", "--into", project / "results", *runs(project / "runs"))
    assert result.exit_code == 2
    assert "more than 10 marks" in told(result)
    assert files(project) == before


def test_links_in_a_site_are_not_followed(project: Path) -> None:
    """Somebody's site folder points into the user's folders."""
    results, mine = project / "results", project / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("mine")
    site = results / ID / "site"
    (site / "folder").symlink_to(mine)
    (site / "style.css").unlink()
    (site / "style.css").symlink_to(mine / "letter.txt")
    assert invoke("publish", "--into", results).exit_code == 0
    assert (mine / "letter.txt").read_text() == "mine"
    assert not (site / "folder").exists()
    assert not (site / "style.css").is_symlink()
    shutil.rmtree(site)
    site.symlink_to(mine)
    result = invoke("publish", "--into", results)
    assert result.exit_code == 2
    assert "is a link" in told(result)
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]


def test_a_run_that_is_deleted_while_bench_run_reads_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is scored and compared without it."""
    gone = runs(project / "runs", "dictionary-*")[0]
    begun = []

    def begin(store: Store, task: Task, scorers: Mapping[str, Scorer]) -> None:
        if not begun:
            begun.extend(run for run in store.current_runs(task) if run.folder == gone)
            gone.rename(project / "elsewhere")  # its run.json is read, its hypotheses are not
            begun[0].hypotheses()
        score(store, task, scorers)

    monkeypatch.setattr("bench.commands.run.score", begin)
    direction = gone.parent.name
    words = [
        "run",
        "-q",
        f"store={project / 'runs'}",
        "system=copy",
        "metric=[chrf]",
        f"direction={direction}",
    ]
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    rows = json.loads((project / "runs" / ID / "leaderboard.json").read_text())["directions"][direction][
        "rows"
    ]
    assert [row["name"] for row in rows] == ["copy"]


@pytest.mark.slow
def test_publishing_while_both_stores_are_written(project: Path) -> None:
    """`bench run` writes into the results and into the store of the runs; nothing is lost, and in the end the
    published boards are of all published runs."""
    results, new = project / "results", runs(project / "runs")
    commands = [
        ("run", "-q", f"store={results}", "system=dictionary", "metric=[bleu,chrf]", "direction=zh-en"),
        ("run", "-q", f"store={project / 'runs'}", "system=copy", "metric=[bleu,chrf]"),
        ("publish", "--into", results, *[run for run in new if run.parent.name == "en-zh"]),
        ("publish", "--into", results),
    ]
    processes = [
        subprocess.Popen(
            **process_arguments(project, *command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for command in commands
    ]
    for process in processes:
        output, _ = process.communicate(timeout=400)
        assert process.returncode == 0, output
    assert len(runs(results)) == 4
    assert len(runs(project / "runs")) == 4
    assert invoke("publish", "--into", results).exit_code == 0
    verified = invoke("verify", results)
    assert verified.exit_code == 0, verified.output


def test_title_introduction_and_logo_are_kept(project: Path) -> None:
    results = project / "results"
    (project / "about.txt").write_text("What this is.\n\nWhom to ask.\n")
    (project / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    head = ["--title", "MT for laws", "--intro", project / "about.txt", "--logo", project / "logo.svg"]
    assert invoke("publish", "--into", results, *head).exit_code == 0
    new = runs(project / "runs")[0]
    assert invoke("publish", "--into", results, new, "--pages", project / "pages").exit_code == 0
    for path in (results / ID / "site" / "data" / "site.js", project / "pages" / f"{ID}.html"):
        text = path.read_text()
        assert '"title":"MT for laws","introduction":["What this is.","Whom to ask."]' in text
        assert '"logo":"data:image/svg+xml;base64,' in text
    assert invoke("verify", results).exit_code == 0
    assert invoke("publish", "--into", results, "--title", "").exit_code == 0
    assert (
        '"title":"","introduction":["What this is."'
        in (results / ID / "site" / "data" / "site.js").read_text()
    )


@pytest.mark.parametrize(
    ("option", "content", "words"),
    [
        ("--logo", b"<html>", "is not a PNG, JPEG, WebP or SVG"),
        ("--logo", b"\x89PNG\r\n\x1a\n" + bytes(300_000), "larger than"),
        ("--intro", b"a" * 6_000, "has more than 5,000 characters"),
        ("--intro", b"\xff\xfe\xfa", "UTF-8"),
        ("--title", b"a\nb", "must be one line"),
        ("--title", b"a" * 200, "must be one line"),
    ],
)
def test_a_head_that_is_refused(project: Path, option: str, content: bytes, words: str) -> None:
    before = files(project / "results")
    path = project / "given"
    path.write_bytes(content)
    value = content.decode() if option == "--title" else path
    result = invoke("publish", "--into", project / "results", option, value)
    assert result.exit_code == 2
    assert words in told(result)
    assert files(project / "results") == before


@pytest.mark.parametrize(
    "logo", ["javascript:alert(1)", "https://example.org/logo.png", "data:text/html;base64,AA=="]
)
def test_a_logo_of_a_stranger_is_a_picture_or_refused(project: Path, logo: str) -> None:
    (project / "results" / "site.json").write_text(json.dumps({"logo": logo}))
    result = invoke("verify", project / "results")
    assert result.exit_code == 2
    assert "site.json is damaged" in told(result)


def test_the_readme_of_another_store_is_left_alone(project: Path) -> None:
    """A store beside results/ is published by itself: the page above shows results/."""
    before = (project / "README.md").read_text()
    assert "](results/" in before
    assert invoke("publish", "--into", project / "runs").exit_code == 0
    assert (project / "README.md").read_text() == before


def test_a_metric_of_one_direction_only(project: Path) -> None:
    """The board of the other direction shows it as missing; that is no difference."""
    store = project / "runs"
    assert (
        invoke("run", "-q", f"store={store}", "system=copy", "metric=[chrfpp]", "direction=en-zh").exit_code
        == 0
    )
    result = invoke("verify", store)
    assert result.exit_code == 0, result.output
    assert "zh-en: 1 run has no score of chrfpp; the board shows it as missing." in told(result)
    (path,) = store.glob(f"{ID}/zh-en/*/scores/chrf.json")
    path.unlink()
    assert invoke("verify", store).exit_code == 2
