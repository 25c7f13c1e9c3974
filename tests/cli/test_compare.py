"""`bench compare`, on real runs of the two controls."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import Result

from bench import references
from bench.boards import pairwise
from bench.boards.pairwise import MetricLine, Pair
from bench.core import Hypothesis, Task
from bench.languages import DIRECTIONS, Direction
from bench.scoring.compare import compare
from bench.scoring.compare.stage import stored_comparisons
from bench.scoring.units import units
from bench.store import Run, Store
from bench.store.run import write_run
from tests.helpers.command import invoke

ID = "china-export-controls-2021"
SET = references.load(ID)
TASKS = {direction: Task(SET, direction) for direction in DIRECTIONS}
TASK = TASKS["zh-en"]
METRICS = ["bleu", "chrf", "ter"]


def printed(result: Result) -> str:
    return " ".join(result.output.split())


def run_bench(root: Path) -> Result:
    return invoke("run", "-q", f"store={root}", "system=copy,dictionary", f"metric=[{','.join(METRICS)}]")


@pytest.fixture(scope="module")
def finished_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a copy and a dictionary in both directions."""
    root = tmp_path_factory.mktemp("runs")
    result = run_bench(root)
    assert result.exit_code == 0, result.output
    page = root / ID / "site" / "index.html"
    assert result.output.replace("\n", " ").endswith(f" Open in a browser: {page} "), "it ends with the site"
    assert page.is_file()
    return root


@pytest.fixture
def root(finished_runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_runs, tmp_path / "runs"))


def run_of(root: Path, system: str, direction: Direction = "zh-en") -> Run:
    (run,) = [run for run in Store(root).runs(TASKS[direction]) if run.system == system]
    return run


def lines_of(root: Path, a: Run, b: Run, *metrics: str) -> list[MetricLine]:
    return pairwise.metric_lines(Store(root), Pair(TASK, a, b), metrics)


def with_texts(root: Path, name: str, text: Callable[[int, Hypothesis], str], **changed: object) -> Run:
    """A run like the dictionary's, except for its name and texts; scored, compared, on board and site."""
    run = run_of(root, "dictionary")
    hypotheses = [replace(h, text=text(place, h)) for place, h in enumerate(run.hypotheses())]
    folder = run.folder.with_name(f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:8]}")
    system = {**run.document["system"], "name": name}
    write_run(folder, hypotheses, {**run.document, **changed, "system": system})
    assert run_bench(root).exit_code == 0
    return run_of(root, name)


@pytest.mark.slow
def test_scores_and_tests_are_those_of_the_board(root: Path) -> None:
    result = invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert result.exit_code == 0, result.output
    a, b = run_of(root, "copy"), run_of(root, "dictionary")
    lines = lines_of(root, a, b, *METRICS)
    board = stored_comparisons(Store(root), TASK, METRICS)
    assert [(line.metric, line.test) for line in lines] == [(m, c.pairs[0]) for m, c in board.items()]
    rows = {
        row.split()[0]: " ".join(row.split())
        for row in result.output.splitlines()
        if re.match(r"\S+ [↑↓]", row)
    }
    for line in lines:
        assert line.score_a
        assert line.score_b
        assert line.test
        low, high = (
            line.test.interval if line.test.a == b.label else [-end for end in line.test.interval[::-1]]
        )
        difference = line.score_b.value - line.score_a.value
        assert low < difference < high
        row = rows[line.score_a.metric]
        assert f" {line.score_a.value:.1f} " in row
        assert f" {difference:+.1f} [{low:+.1f}, {high:+.1f}] " in row
        assert row.endswith("B better" if line.test.significant else "no significant difference")
    assert "ter" in [line.metric for line in lines if line.test and not line.test.significant]
    assert lines[1].test
    assert "Human judges" not in printed(result), "they were not asked to compare anything with a control"
    assert "paired approximate-randomisation test (10,000 trials over 23 paragraphs)" in printed(result)


@pytest.mark.slow
def test_of_a_lower_better_metric_the_interval_is_of_b_minus_a_too(root: Path) -> None:
    """TER of the reference itself is 0: b is better by all of a's."""
    a = run_of(root, "dictionary")
    b = with_texts(root, "perfect", lambda place, _: SET.segments[place].en)
    forth, back = (lines_of(root, *runs, "ter")[0] for runs in ((a, b), (b, a)))
    assert forth.interval
    assert forth.interval[1] < 0
    assert back.interval == (-forth.interval[1], -forth.interval[0])
    assert (forth.better, back.better) == ("B", "A")
    shown = pairwise.segment_pairs(Pair(TASK, a, b), forth)
    assert min(segment.gain for segment in shown) >= 0


@pytest.mark.slow
def test_p_alone_and_corrected_for_the_board(root: Path) -> None:
    """With a third system on the board the test is corrected for three pairs; the plain p stays the same."""
    a, b = run_of(root, "copy"), run_of(root, "dictionary")
    (alone,) = lines_of(root, a, b, "ter")
    with_texts(root, "perfect", lambda place, _: SET.segments[place].en)
    (line,) = lines_of(root, a, b, "ter")
    assert alone.test
    assert line.test
    assert line.tests
    assert (line.test.p_sacrebleu, len(line.tests.pairs)) == (alone.test.p_sacrebleu, 3)
    output = invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en").output
    assert re.search(rf"TER ↓ .* {line.test.p_sacrebleu:.3f} +{line.test.p_adjusted:.3f} ", output)
    assert re.search(r"p adjusted.*\(3 pairs\)", output, re.DOTALL)
    assert "Holm-corrected over all pairs of the board" in output


@pytest.mark.slow
def test_the_verdict_follows_p_adjusted(root: Path) -> None:
    """A p alone below the level does not make a system better, but it is shown."""
    path = root / ID / "zh-en" / "comparisons" / "ter.json"
    record = json.loads(path.read_text())
    record["pairs"][0] |= {"p_sacrebleu": 0.006, "p_adjusted": 0.21, "significant": False}
    path.write_text(json.dumps(record))
    text = printed(invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en"))
    assert re.search(r"TER ↓ .* no significant difference \(p alone 0\.006\)", text)
    assert (
        "p: unadjusted, as sacrebleu prints it if segments are the units; for a pair chosen before"
        in " ".join(text.split())
    )
    assert (
        "p adjusted: ties count as extreme, Holm-corrected over this pair alone; decide by this one" in text
    )
    assert "Overlapping ± of two systems is not a test." in text


@pytest.mark.slow
def test_the_bootstrap_of_sacrebleu_counts_one_tail(root: Path) -> None:
    for metric in METRICS:
        path = root / ID / "zh-en" / "comparisons" / f"{metric}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"test": "bootstrap"}))
    result = invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert "p adjusted: two-sided (sacrebleu's bootstrap counts one tail), ties count" in printed(result)


@pytest.mark.slow
def test_a_pair_that_no_board_has_is_tested_now(root: Path) -> None:
    """Nor is a board's test of use that was of other scores."""
    a, b = run_of(root, "copy"), run_of(root, "dictionary")
    scores = {run.label: Store(root).score(run, "chrf") for run in (a, b)}
    path = root / ID / "zh-en" / "comparisons" / "chrf.json"
    record = json.loads(path.read_text())
    record["pairs"][0] |= {"difference": 1.0, "p_sacrebleu": 0.9, "p_adjusted": 0.9}
    path.write_text(json.dumps(record))
    (stale,) = lines_of(root, a, b, "chrf")
    path.unlink()
    (line,) = lines_of(root, a, b, "chrf")
    assert stale.test == line.test == compare(scores, units=units(SET)).pairs[0]


@pytest.mark.slow
def test_the_segments_that_show_it(root: Path) -> None:
    """Where B has the reference itself it gains most, and where it says nothing A does."""
    texts = {3: SET.segments[3].en, 4: SET.segments[4].en, 7: ""}
    a = run_of(root, "dictionary")
    b = with_texts(root, "better", lambda place, h: texts.get(place, h.text))
    result = invoke("compare", "dictionary", "better", "--store", root, "--segments", 3)
    assert result.exit_code == 0, result.output
    assert (
        "Segments by chrF: A better in 1, B better in 2, tied in 36; identical translations in 36."
        in printed(result)
    )
    assert "en-zh: only one of the two has a run." in result.output
    ids = [segment.id for segment in SET.segments]
    shown = [line.strip() for line in result.output.splitlines() if line.strip() in ids]
    assert shown[0] == ids[7]
    assert sorted(shown[1:]) == sorted(ids[3:5])
    first = result.output[result.output.index(ids[7]) :]
    assert re.search(r"B 0\.0 +\(empty\)", first)
    score = Store(root).score(a, "chrf")
    assert score
    assert f"A {score.segments[7]:.1f} " in first
    assert b.label in result.output


@pytest.mark.slow
def test_remarks_of_a_segment(root: Path) -> None:
    """Flags of the hypothesis, and what the scorer says of its score."""
    a, b = run_of(root, "copy"), run_of(root, "dictionary")
    score = Store(root).score(b, "chrf")
    assert score
    Store(root).write_score(b, "chrf", "other", replace(score, remarks=((2, "cut"),)))
    (line,) = lines_of(root, a, b, "chrf")
    by_id = {segment.id: segment for segment in pairwise.segment_pairs(Pair(TASK, a, b), line)}
    assert by_id[SET.segments[2].id].remarks == (("copied",), ("cut",))
    result = invoke("compare", "copy", "dictionary", "--store", root)
    assert "39 copied" in printed(result)


@pytest.mark.slow
def test_the_link_leads_to_the_two_on_the_site(root: Path) -> None:
    """By the names that the site has for them: a system's, unless two of its settings are there."""

    def names(*arguments: str) -> list[str]:
        output = invoke("compare", *arguments, "--store", root, "--direction", "zh-en").output
        (address,) = re.findall(r"All segments: file://(\S+)", output)
        page, _, rest = address.partition("#/zh-en/compare/")
        assert unquote(page) == str(root / ID / "site" / "index.html")
        return [unquote(part) for part in rest.split("/")]

    def on_the_site() -> set[str]:
        site = (root / ID / "site" / "data" / "site.js").read_text("utf-8")
        board = json.loads(site[site.index(",") + 1 : site.rindex(")")])["boards"]["zh-en"]
        return {row["system"] for row in board["rows"]}

    assert names("copy", "dictionary") == ["copy", "dictionary"]
    assert names("copy", "dictionary", "--metric", "ter") == ["copy", "dictionary?metric=ter"]
    run = run_of(root, "copy")
    shutil.copytree(run.folder, run.folder.with_name("copy-other"))
    run_bench(root)
    assert set(names("copy-other", run.label)) == {"copy-other", run.label} < on_the_site()


@pytest.mark.slow
def test_settings_that_differ(root: Path) -> None:
    a = run_of(root, "dictionary")
    changed = {
        "adapter": {**a.record.adapter, "decoding": {"beams": 4}, "stop": ""},
        "config": {"checkpoint": {"file": "b.gguf", "sources": ["x"]}},
    }
    b = with_texts(root, "other", lambda _, h: h.text, **changed)
    assert pairwise.differing_settings(Pair(TASK, a, b)) == [
        ("checkpoint name", "–", "b.gguf"),
        ("decoding.beams", "–", "4"),
        ("stop", "–", '""'),
    ]
    assert "decoding.beams – 4" in printed(invoke("compare", a.label, b.label, "--store", root))


@pytest.mark.slow
def test_the_same_texts(root: Path) -> None:
    with_texts(root, "twin", lambda _, h: h.text)
    result = invoke("compare", "dictionary", "twin", "--store", root)
    assert result.exit_code == 0, result.output
    assert "A better in 0, B better in 0, tied in 39; identical translations in 39." in printed(result)
    assert re.search(r"chrF ↑ .* \+0\.0 .* 1\.000 .* no significant difference", result.output)


@pytest.mark.slow
def test_scores_that_are_missing(root: Path) -> None:
    a, b = run_of(root, "copy"), run_of(root, "dictionary")
    (b.folder / "scores" / "bleu.json").unlink()
    words = ("copy", "dictionary", "--store", root, "--direction", "zh-en")
    result = invoke("compare", *words)
    assert re.search(r"BLEU ↑ +\S+ +–.* B has no score", result.output)
    assert "bleu has not scored both runs" in printed(invoke("compare", *words, "--metric", "bleu"))
    for path in [*a.folder.glob("scores/*"), *b.folder.glob("scores/*")]:
        path.unlink()
    result = invoke("compare", *words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert f"`bench run store={root} 'stages=[score]'`" in result.output


@pytest.mark.slow
def test_names(root: Path) -> None:
    label = run_of(root, "copy").label
    for name in ("copy", "cop", label, root / ID / "zh-en" / label, f"{root}/{ID}/zh-en/{label}/"):
        result = invoke("compare", name, "dictionary", "--store", root)
        assert (result.exit_code, label in result.output) == (0, True), result.output
    # In one direction only there are two: it is not passed over in silence.
    shutil.copytree(
        root / ID / "en-zh" / run_of(root, "copy", "en-zh").label, root / ID / "en-zh" / "copy-other"
    )
    for words, sentence in (
        (
            ("nobody", "dictionary"),
            "is called 'nobody' (zh-en, en-zh): use one of copy, dictionary, or choose another store",
        ),
        ((f"elsewhere/{label}", "dictionary"), f"is called 'elsewhere/{label}'"),
        (("copy", "dictionary"), "'copy' fits several runs (en-zh): use one of copy-"),
        (("copy-other", label), "have no direction in common"),
        ((label, "copy", "--direction", "zh-en"), f"are the same run, {label}: name two runs."),
        (("dictionary", label, "--metric", "meteor"), "meteor has not scored both runs"),
        (("copy", "dictionary", "--reference", "other"), "No reference set 'other'"),
    ):
        result = invoke("compare", *words, "--store", root)
        assert result.exit_code == 2
        assert sentence in printed(result)
    assert "0 reference sets" in printed(invoke("compare", "a", "b", "--store", root / "none"))


@pytest.mark.slow
def test_runs_that_are_not_what_was_scored(root: Path) -> None:
    """Of another version of the set, or changed by hand."""
    run = run_of(root, "dictionary")
    hypotheses = run.hypotheses()
    path = run.folder / "hypotheses.jsonl"
    path.write_text(path.read_text("utf-8").replace('"text": "', '"text": "Not '), "utf-8")
    assert "was changed after the run" in printed(invoke("compare", "copy", "dictionary", "--store", root))
    outdated = {**run.document, "reference": {"id": ID, "sha256": "0" * 64}}
    write_run(run.folder, hypotheses, outdated)
    result = invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert f"No run in {root} on this version of {ID} is called 'dictionary'" in printed(result)


@pytest.mark.slow
def test_texts_cannot_steer_the_terminal(root: Path) -> None:
    hostile = "[red]x[/red] :smile: \x1b[31mred \u202eback \x07"
    with_texts(root, "hostile", lambda n, _: hostile + " long" * 3_000 * (n == 3))
    result = invoke("compare", "copy", "hostile", "--store", root, "--segments", len(SET.segments))
    assert result.exit_code == 0, result.output
    assert "[red]x[/red] :smile: <001B>[31mred <202E>back <0007>" in printed(result)
    assert not {"\x1b", "\u202e", "\x07"} & set(result.output)
    assert result.output.count(" long") < 100


@pytest.mark.slow
def test_texts_are_shown_to_their_end(root: Path) -> None:
    """Chinese too, which has no spaces to break a line at."""
    words = ("copy", "dictionary", "--direction", "en-zh", "--segments", len(SET.segments))
    output = "".join(invoke("compare", *words, "--store", root).output.split())
    long = [s.zh for s in SET.segments if 60 < len(s.zh) < 400 and s.id + "source" in output]
    assert long, "wider than a line of 120 columns"
    for text in long:
        assert "".join(text.split()) in output


@pytest.mark.slow
def test_nothing_is_written(root: Path) -> None:
    def files() -> dict[str, float]:
        return {str(path): path.stat().st_mtime for path in root.rglob("*")}

    files_before = files()
    invoke("compare", "copy", "dictionary", "--store", root)
    assert files() == files_before


def test_a_long_text_is_cut_where_it_differs() -> None:
    one, other = ("same " * 200 + end + " tail" * 200 for end in ("left", "right"))
    assert all(
        end in text
        for end, text in zip(("left", "right"), pairwise.shorten_both(one, other, 60), strict=True)
    )
    assert max(map(len, pairwise.shorten_both(one, other, 60))) == 62
    assert pairwise.shorten_both("short", "texts", 60) == ("short", "texts")


def test_markdown_shows_what_the_terminal_shows(root: Path) -> None:
    """Rendered as GitHub does: the same numbers, and texts that stay texts."""
    from markdown_it import MarkdownIt

    result = invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en", "--markdown")
    assert result.exit_code == 0, result.output
    html = MarkdownIt("commonmark").enable("table").render(result.output)
    terminal = printed(invoke("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en"))
    heads, first = (re.findall(f"<{tag}[^>]*>(.*?)</{tag}>", html) for tag in ("th", "td"))
    assert heads[:4] == ["metric", "A", "B", "B − A"]
    for number in first[1:5]:
        assert number in terminal
    assert "<strong>Largest gains of B</strong>" in html
    assert "p adjusted &lt; 0.05" in html
