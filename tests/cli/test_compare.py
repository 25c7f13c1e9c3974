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
from click.testing import CliRunner, Result

from bench import references, store
from bench.boards import pairwise
from bench.cli import main
from bench.core import Hypothesis
from bench.languages import Direction
from bench.scoring.compare import compare
from bench.scoring.compare.stage import stored

ID = "china-export-controls-2021"
SET = references.load(ID)
METRICS = ["bleu", "chrf", "ter"]


def bench(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def told(result: Result) -> str:
    return " ".join(result.output.split())


def run_bench(root: Path) -> Result:
    return bench("run", "-q", f"store={root}", "system=copy,dictionary", f"metric=[{','.join(METRICS)}]")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a copy and a dictionary in both directions."""
    root = tmp_path_factory.mktemp("runs")
    result = run_bench(root)
    assert result.exit_code == 0, result.output
    page = root / ID / "site" / "index.html"
    assert result.output.replace("\n", " ").endswith(f" Open in a browser: {page} "), "it ends with the site"
    assert page.is_file()
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


def one_run(root: Path, system: str, direction: Direction = "zh-en") -> store.Run:
    (run,) = [run for run in store.runs(root, ID, direction) if run.system == system]
    return run


def with_texts(
    root: Path,
    name: str,
    text: Callable[[int, Hypothesis], str],
    direction: Direction = "zh-en",
    **changed: object,
) -> store.Run:
    """A run like the dictionary's, but for its name and texts; scored, compared and on the board and the site."""
    run = one_run(root, "dictionary", direction)
    hypotheses = [replace(h, text=text(place, h)) for place, h in enumerate(run.hypotheses())]
    folder = run.folder.with_name(f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:8]}")
    system = {**run.record["system"], "name": name}
    store.write_run(folder, hypotheses, {**run.record, **changed, "system": system})
    assert run_bench(root).exit_code == 0
    found = store.read_run(folder)
    assert found
    return found


def test_scores_and_tests_are_those_of_the_board(root: Path) -> None:
    result = bench("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert result.exit_code == 0, result.output
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    lines = pairwise.lines(root, SET, "zh-en", a, b, METRICS)
    board = stored(root, SET, "zh-en", METRICS)
    assert [(line.metric, line.tested) for line in lines] == [(m, c.pairs[0]) for m, c in board.items()]
    rows = {
        row.split()[0]: " ".join(row.split())
        for row in result.output.splitlines()
        if re.match(r"\S+ [↑↓]", row)
    }
    for line in lines:
        assert line.a
        assert line.b
        assert line.tested
        low, high = (
            sorted(line.tested.interval)
            if line.tested.a == b.label
            else [-e for e in line.tested.interval[::-1]]
        )
        difference = line.b.value - line.a.value
        assert low < difference < high
        row = rows[line.a.metric]
        assert f" {line.a.value:.1f} " in row
        assert f" {difference:+.1f} [{low:+.1f}, {high:+.1f}] " in row
        assert row.endswith("B is better" if line.tested.significant else "not told apart")
    assert "ter" in [line.metric for line in lines if line.tested and not line.tested.significant]
    assert f"{lines[1].tested.agreement:.0%} (chrF): Kocmi et al. 2024" in told(result)  # type: ignore[union-attr]


def test_of_a_lower_better_metric_the_interval_is_of_b_minus_a_too(root: Path) -> None:
    """TER of the reference itself is 0: b is better by all of a's."""
    a = one_run(root, "dictionary")
    b = with_texts(root, "perfect", lambda place, _: SET.segments[place].en)
    forth, back = (pairwise.lines(root, SET, "zh-en", *two, ["ter"])[0] for two in ((a, b), (b, a)))
    assert forth.interval
    assert forth.interval[1] < 0
    assert back.interval == (-forth.interval[1], -forth.interval[0])
    assert (forth.better, back.better) == ("B", "A")
    shown = pairwise.segments(SET, "zh-en", a, b, forth)
    assert min(segment.gain for segment in shown) >= 0


def test_p_alone_and_corrected_for_the_board(root: Path) -> None:
    """With a third system on the board the test of two is corrected for three pairs; p alone stays what it was."""
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    (alone,) = pairwise.lines(root, SET, "zh-en", a, b, ["ter"])
    with_texts(root, "perfect", lambda place, _: SET.segments[place].en)
    (line,) = pairwise.lines(root, SET, "zh-en", a, b, ["ter"])
    assert alone.tested
    assert line.tested
    assert line.tests
    assert (line.tested.p, len(line.tests.pairs)) == (alone.tested.p, 3)
    output = bench("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en").output
    assert re.search(rf"TER ↓ .* {line.tested.p:.3f} +{line.tested.p_holm:.3f} ", output)
    assert "of 3 pairs: corrected for all of the board (Holm)" in output


def test_a_pair_that_no_board_has_is_tested_now(root: Path) -> None:
    """Nor is a board's test of use that was of other scores."""
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    scores = {run.label: store.read_score(run, "chrf") for run in (a, b)}
    path = root / ID / "zh-en" / "comparisons" / "chrf.json"
    record = json.loads(path.read_text())
    record["pairs"][0] |= {"difference": 1.0, "p": 0.9, "p_holm": 0.9}
    path.write_text(json.dumps(record))
    (stale,) = pairwise.lines(root, SET, "zh-en", a, b, ["chrf"])
    path.unlink()
    (line,) = pairwise.lines(root, SET, "zh-en", a, b, ["chrf"])
    assert stale.tested == line.tested == compare(scores).pairs[0]


def test_the_segments_that_show_it(root: Path) -> None:
    """Where B has the reference itself it gains most, and where it says nothing A does."""
    said = {3: SET.segments[3].en, 4: SET.segments[4].en, 7: ""}
    a = one_run(root, "dictionary")
    b = with_texts(root, "better", lambda place, h: said.get(place, h.text))
    result = bench("compare", "dictionary", "better", "--store", root, "--segments", 3)
    assert result.exit_code == 0, result.output
    assert "Segments by chrF: A better 1, B better 2, even 36; the same translation 36." in told(result)
    assert "en-zh: one of the two has no run." in result.output
    ids = [segment.id for segment in SET.segments]
    shown = [line.strip() for line in result.output.splitlines() if line.strip() in ids]
    assert shown[0] == ids[7]
    assert sorted(shown[1:]) == sorted(ids[3:5])
    first = result.output[result.output.index(ids[7]) :]
    assert re.search(r"B 0\.0 +\(empty\)", first)
    score = store.read_score(a, "chrf")
    assert score
    assert f"A {score.segments[7]:.1f} " in first
    assert b.label in result.output


def test_remarks_of_a_segment(root: Path) -> None:
    """Flags of the hypothesis, and what the scorer says of its score."""
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    score = store.read_score(b, "chrf")
    assert score
    store.write_score(b, "chrf", "other", replace(score, remarks=((2, "cut"),)))
    (line,) = pairwise.lines(root, SET, "zh-en", a, b, ["chrf"])
    by_id = {segment.id: segment for segment in pairwise.segments(SET, "zh-en", a, b, line)}
    assert by_id[SET.segments[2].id].remarks == (("copied",), ("cut",))
    result = bench("compare", "copy", "dictionary", "--store", root)
    assert "39 copied" in told(result)


def test_the_link_leads_to_the_two_on_the_site(root: Path) -> None:
    """By the names that the site has for them: a system's, unless two of its settings are there."""

    def names(*words: str) -> list[str]:
        output = bench("compare", *words, "--store", root, "--direction", "zh-en").output
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
    run = one_run(root, "copy")
    shutil.copytree(run.folder, run.folder.with_name("copy-other"))
    run_bench(root)
    assert set(names("copy-other", run.label)) == {"copy-other", run.label} < on_the_site()


def test_settings_that_differ(root: Path) -> None:
    a = one_run(root, "dictionary")
    changed = {
        "adapter": {**a.record["adapter"], "decoding": {"beams": 4}, "stop": ""},
        "config": {"checkpoint": {"file": "b.gguf", "sources": ["x"]}},
    }
    b = with_texts(root, "other", lambda _, h: h.text, **changed)
    assert pairwise.settings(a, b) == [
        ("checkpoint's name", "–", "b.gguf"),
        ("decoding.beams", "–", "4"),
        ("stop", "–", '""'),
    ]
    assert "decoding.beams – 4" in told(bench("compare", a.label, b.label, "--store", root))


def test_the_same_texts(root: Path) -> None:
    with_texts(root, "twin", lambda _, h: h.text)
    result = bench("compare", "dictionary", "twin", "--store", root)
    assert result.exit_code == 0, result.output
    assert "A better 0, B better 0, even 39; the same translation 39." in told(result)
    assert re.search(r"chrF ↑ .* \+0\.0 .* 1\.000 .* not told apart", result.output)


def test_scores_that_are_missing(root: Path) -> None:
    a, b = one_run(root, "copy"), one_run(root, "dictionary")
    (b.folder / "scores" / "bleu.json").unlink()
    words = ("copy", "dictionary", "--store", root, "--direction", "zh-en")
    result = bench("compare", *words)
    assert re.search(r"BLEU ↑ +\S+ +–.* B is not scored", result.output)
    assert "bleu has not scored both" in told(bench("compare", *words, "--metric", "bleu"))
    for path in [*a.folder.glob("scores/*"), *b.folder.glob("scores/*")]:
        path.unlink()
    result = bench("compare", *words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert f"`bench run store={root} 'stages=[score]'`" in result.output


def test_names(root: Path) -> None:
    whole = one_run(root, "copy").label
    for name in ("copy", "cop", whole, root / ID / "zh-en" / whole, f"{root}/{ID}/zh-en/{whole}/"):
        result = bench("compare", name, "dictionary", "--store", root)
        assert (result.exit_code, whole in result.output) == (0, True), result.output
    # In one direction only there are two: it is not passed over in silence.
    shutil.copytree(
        root / ID / "en-zh" / one_run(root, "copy", "en-zh").label, root / ID / "en-zh" / "copy-other"
    )
    for words, sentence in (
        (
            ("nobody", "dictionary"),
            "is called 'nobody' (zh-en, en-zh): use one of copy, dictionary, or name another store",
        ),
        ((f"elsewhere/{whole}", "dictionary"), f"is called 'elsewhere/{whole}'"),
        (("copy", "dictionary"), "'copy' may be one of several runs (en-zh): say which, copy-"),
        (("copy-other", whole), "have no direction in common"),
        ((whole, "copy", "--direction", "zh-en"), f"are one run, {whole}: name two."),
        (("dictionary", whole, "--metric", "meteor"), "meteor has not scored both"),
        (("copy", "dictionary", "--reference", "other"), "No reference set 'other'"),
    ):
        result = bench("compare", *words, "--store", root)
        assert result.exit_code == 2
        assert sentence in told(result)
    assert "0 reference sets" in told(bench("compare", "a", "b", "--store", root / "none"))


def test_runs_that_are_not_what_was_scored(root: Path) -> None:
    """Of another version of the set, or changed by hand."""
    run = one_run(root, "dictionary")
    path = run.folder / "hypotheses.jsonl"
    path.write_text(path.read_text("utf-8").replace('"text": "', '"text": "Not '), "utf-8")
    assert "was changed after the run" in told(bench("compare", "copy", "dictionary", "--store", root))
    record = {**run.record, "reference": {"id": ID, "sha256": "0" * 64}}
    store.write_run(run.folder, run.hypotheses(), record)
    result = bench("compare", "copy", "dictionary", "--store", root, "--direction", "zh-en")
    assert f"No run of {root} on this version of {ID} is called 'dictionary'" in told(result)


def test_texts_cannot_steer_the_terminal(root: Path) -> None:
    hostile = "[red]x[/red] :smile: \x1b[31mred \u202eback \x07"
    with_texts(root, "hostile", lambda n, _: hostile + " long" * 3_000 * (n == 3), flags={"[b]\x1b": 1})
    result = bench("compare", "copy", "hostile", "--store", root, "--segments", len(SET.segments))
    assert result.exit_code == 0, result.output
    assert "[red]x[/red] :smile: <001B>[31mred <202E>back <0007>" in told(result)
    assert not {"\x1b", "\u202e", "\x07"} & set(result.output)
    assert result.output.count(" long") < 100
    assert "1 [b]<001B>" in result.output


def test_texts_are_shown_to_their_end(root: Path) -> None:
    """Chinese too, which has no spaces to break a line at."""
    words = ("copy", "dictionary", "--direction", "en-zh", "--segments", len(SET.segments))
    output = "".join(bench("compare", *words, "--store", root).output.split())
    long = [s.zh for s in SET.segments if 60 < len(s.zh) < 400 and s.id + "source" in output]
    assert long, "wider than a line of 120 columns"
    for text in long:
        assert "".join(text.split()) in output


def test_nothing_is_written(root: Path) -> None:
    def files() -> dict[str, float]:
        return {str(path): path.stat().st_mtime for path in root.rglob("*")}

    before = files()
    bench("compare", "copy", "dictionary", "--store", root)
    assert files() == before


def test_marked() -> None:
    """A space is marked only between two words that are: three spans here, not five."""
    assert pairwise.marked("出口管制", "出口控制") == [("出口", False), ("管", True), ("制", False)]
    assert pairwise.marked("a very good thing", "a bad thing") == [
        ("a ", False),
        ("very good", True),
        (" thing", False),
    ]
    assert pairwise.marked("yes", "") == [("yes", True)]
    assert pairwise.marked("", "x") == []


def test_a_long_text_is_cut_where_it_differs() -> None:
    one, other = ("same " * 200 + end + " tail" * 200 for end in ("left", "right"))
    assert all(end in text for end, text in zip(("left", "right"), pairwise.cut(one, other, 60), strict=True))
    assert max(map(len, pairwise.cut(one, other, 60))) == 62
    assert pairwise.cut("short", "texts", 60) == ("short", "texts")
