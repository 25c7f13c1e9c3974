"""Scores of terms: by hand, on the white paper, on the hypotheses published for it, and through `bench
run`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench import progress, references
from bench.commands.run import run
from bench.core import Task
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction, Language, sides
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from bench.references.terms import read
from bench.resources import data_dir
from bench.scorers.terms import TermRow, Terms, table
from bench.scoring.units import interval, units
from tests.helpers.sets import WHITE_PAPER

SET = "china-export-controls-2021"
WHOLE = references.load(SET)
SEGMENTS = WHOLE.segments
PARTIAL = Path("not written")
TERMS = read(WHITE_PAPER)


def texts(language: Language) -> list[str]:
    return [segment.text(language) for segment in SEGMENTS]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_white_paper(direction: Direction) -> None:
    """Each term must be rendered where terms.tsv says; the official translation renders all, the copy
    nothing.
    """
    source, target = (texts(language) for language in sides(direction))
    systems = {"official": target, "copy": source}
    task = Task(WHOLE, direction)
    rows = table(TERMS, task, systems)
    assert [(row.term, [SEGMENTS[place].id for place in row.segments]) for row in rows] == [
        (term, list(term.segments)) for term in TERMS
    ]
    scores = Terms("terms", SET).score(task, systems, PARTIAL)
    assert (scores["official"].value, interval(scores["official"], units(WHOLE))) == (100.0, None)
    assert (scores["copy"].value, interval(scores["copy"], units(WHOLE))) == (0.0, None)
    rendered, occurrences = np.array(scores["official"].statistics).sum(axis=0)
    assert (rendered, occurrences) == (130, 130)
    consistent = Terms("term consistency", SET).score(task, systems, PARTIAL)
    assert consistent["copy"].value == 0.0
    variants = {form for row in rows for form in list(row.counts("official"))[1:] if len(row.segments) > 1}
    assert variants == VARIANTS[direction]
    assert consistent["official"].value == pytest.approx(100 * (76 - len(variants)) / 76)


VARIANTS: dict[Direction, set[str]] = {
    "zh-en": {
        "export control measures",
        "export control regime",
        "legal system for export controls",
        "international standard practice",
        "Security Council",
        "national security and interests",
    },
    "en-zh": {"国际上通行的做法", "管理体系", "法治化"},
}
"""Deviating forms of terms in the official translation. Each occurs once."""


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_table_agrees_with_the_scores_of_published_hypotheses(direction: Direction) -> None:
    task = Task(WHOLE, direction)
    systems = {}
    for path in sorted(
        (data_dir("references").parent / "results" / SET / direction).glob("*/hypotheses.jsonl")
    ):
        written = {h["id"]: h["text"] for h in map(json.loads, path.read_text("utf-8").splitlines())}
        systems[path.parent.name] = [written[segment.id] for segment in SEGMENTS]
    assert systems
    rows = table(TERMS, task, systems)
    for system, score in Terms("terms", SET).score(task, systems, PARTIAL).items():
        assert score.value == pytest.approx(100 * sum(row.rendered(system) for row in rows) / 130)
        ends = interval(score, units(WHOLE))
        assert (ends is None) == (score.value == 0)  # a share of 0 or 100 has none
        assert ends is None or ends[0] <= score.value <= ends[1]
        assert (score.value == 0) == system.startswith("copy-")
    for system, score in Terms("term consistency", SET).score(task, systems, PARTIAL).items():
        several = [row for row in rows if len(row.segments) > 1]
        most = sum(max(row.counts(system).values(), default=0) for row in several)
        assert score.value == pytest.approx(100 * most / sum(len(row.segments) for row in several))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The white paper's set, with three terms of its own."""
    copied = Path(shutil.copytree(WHITE_PAPER, tmp_path / "set"))
    write(
        copied,
        "出口管制\texport controls|export control measures",
        "联合国\tUnited Nations|UN",
        "法治\trule of law",
    )
    return copied


def write(folder: Path, *rows: str) -> None:
    lines = ["zh\ten\tsegments\tnote", *(f"{row}\t\t" for row in rows)]
    (folder / "terms.tsv").write_text("".join(f"{line}\n" for line in lines), "utf-8")


SOURCES = ["出口管制。", "出口管制与联合国。", "法治。", "前言。", "出口管制和出口管制。", "出口管制。"]
REFERENCES = [
    "Export controls.",
    "Export controls and the UN.",
    "Rule of law.",
    "Preamble.",
    "Export controls.",
    "They.",
]
TASK = parallel_task("test", "zh-en", SOURCES, REFERENCES)
SYSTEM_TEXTS = [
    "Export control.",
    "Export controls.",
    "The law rules.",
    "Preface.",
    "Export control measures.",
    "Them.",
]


def test_scores_by_hand(folder: Path) -> None:
    """出口管制 is wanted three times (its official translation in the last segment is “they”), the others
    once.
    """
    systems = {"it": SYSTEM_TEXTS}
    score = Terms("terms", str(folder)).score(TASK, systems, PARTIAL)["it"]
    assert score.statistics == ((1, 1), (1, 2), (0, 1), (0, 0), (1, 1), (0, 0))
    assert score.value == pytest.approx(100 * 3 / 5)
    assert score.segments == (100.0, 50.0, 0.0, 100.0, 100.0, 100.0)
    assert score.remarks == ((3, "no term"), (5, "no term"))
    assert (score.metric, score.higher_is_better) == ("terms", True)
    json.dumps([score.value, score.interval, score.statistics, score.segments], allow_nan=False)

    consistency = Terms("term consistency", str(folder)).score(TASK, systems, PARTIAL)["it"]
    assert consistency.statistics == ((1, 1), (1, 1), (0, 0), (0, 0), (0, 1), (0, 0))
    assert consistency.value == pytest.approx(100 * 2 / 3)


def test_an_occurrence_that_is_not_rendered_is_not_consistent(folder: Path) -> None:
    texts = ["Export curbs.", "Export curbs.", "", "", "Export controls.", ""]
    score = Terms("term consistency", str(folder)).score(TASK, {"it": texts}, PARTIAL)["it"]
    assert score.value == pytest.approx(100 / 3)


def test_the_table(folder: Path) -> None:
    row, un, law = table(read(folder), TASK, {"it": SYSTEM_TEXTS, "none": [""] * 6})
    controls, measures = ("export controls",), ("export control measures",)
    assert row == TermRow(
        read(folder)[0], (0, 1, 4), {"it": (controls, controls, measures), "none": ((), (), ())}
    )
    assert row.counts("it") == {"export controls": 2, "export control measures": 1}
    assert [r.rendered("it") for r in (row, un, law)] == [3, 0, 0]
    assert [r.rendered("none") for r in (row, un, law)] == [0, 0, 0]


def test_on_many_segments_the_interval_is_that_of_the_bootstrap(folder: Path) -> None:
    generator = np.random.default_rng(1)
    chosen = generator.integers(6, size=300)
    sources, expected = [SOURCES[i] for i in chosen], [REFERENCES[i] for i in chosen]
    given = [expected[i] if generator.random() < 0.6 else "" for i in range(300)]
    task = parallel_task("test", "zh-en", sources, expected)
    score = Terms("terms", str(folder)).score(task, {"it": given}, PARTIAL)["it"]
    theirs = stats.bootstrap(
        tuple(np.array(score.statistics).T),
        lambda hits, of, axis: 100 * hits.sum(axis=axis) / of.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=4000,
        random_state=2,
    ).confidence_interval
    assert interval(score, units(task.reference)) == pytest.approx((theirs.low, theirs.high), abs=0.6)


def test_a_single_segment_with_terms_has_no_interval(folder: Path) -> None:
    task = parallel_task("test", "zh-en", SOURCES[2:4], REFERENCES[2:4])
    score = Terms("terms", str(folder)).score(task, {"it": REFERENCES[2:4]}, PARTIAL)
    assert (score["it"].value, interval(score["it"], units(task.reference))) == (100.0, None)


def test_the_signature_and_the_identity_name_the_terms(folder: Path) -> None:
    scorer = Terms("terms", str(folder))
    signature = scorer.score(TASK, {"it": SYSTEM_TEXTS}, PARTIAL)["it"].signature
    sha256 = str(scorer.identity()["terms_sha256"])
    assert signature == f"terms|set:test@{TASK.reference.sha256[:12]}|terms:3@{sha256[:12]}|version:1"
    shutil.move(folder, folder.with_name("moved"))
    assert Terms("terms", str(folder.with_name("moved"))).identity() == scorer.identity() | {
        "terms_sha256": sha256
    }
    write(folder.with_name("moved"), "出口管制\texport controls")
    assert Terms("terms", str(folder.with_name("moved"))).identity()["terms_sha256"] != sha256
    assert Terms("term consistency", SET).identity() != Terms("terms", SET).identity()


def test_a_set_without_terms_is_one_sentence(tmp_path: Path) -> None:
    for language, text in (("zh", "出口管制。\n"), ("en", "Export controls.\n")):
        (tmp_path / f"news.{language}").write_text(text, "utf-8")
    scorer = Terms("terms", str(tmp_path / "news"), required=False)
    assert scorer.identity()["terms_sha256"] == ""
    with pytest.raises(
        BenchError,
        match=r"news has no terms\.tsv with its terms: leave terms out of the metrics, or add terms\.tsv to",
    ):
        scorer.prepare()


def test_no_term_with_two_occurrences_is_one_sentence() -> None:
    Terms("term consistency", SET, "paragraph").prepare()
    Terms("terms", SET, "document").prepare()
    with pytest.raises(BenchError, match="on both sides of two segments: leave term consistency out"):
        Terms("term consistency", SET, "document").prepare()


def test_a_wrong_terms_file_is_named(folder: Path) -> None:
    write(folder, "出口管制\t")
    with pytest.raises(BenchError, match=r"terms\.tsv:2: a form in column en is empty"):
        Terms("terms", str(folder)).prepare()
    with pytest.raises(BenchError, match="There is no term metric 'accuracy'"):
        Terms("accuracy", SET)


def test_the_yamls_hand_the_run_s_own_set_on() -> None:
    words = ["metric=[terms,terms-consistency]", f"reference={WHITE_PAPER}", "granularity=paragraph"]
    for scorer in scorers(compose(words)).values():
        assert isinstance(scorer, Terms)
        assert (scorer.reference, scorer.granularity, scorer.required) == (
            str(WHITE_PAPER),
            "paragraph",
            False,
        )


@pytest.mark.parametrize("granularity", ["sentence", "document"])
def test_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granularity: str) -> None:
    """At document granularity no term occurs in two segments: the board shows a gap and the reason."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        progress, "_quiet", True
    )  # put back afterwards: the run below sets it for the process
    view = references.load(SET, granularity).segments
    for direction in DIRECTIONS:
        lines = [{"id": s.id, "text": s.text(sides(direction)[1])} for s in view]
        (tmp_path / f"official.{direction}.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
        )
    words = ["system=hypotheses", "system.name=official", "system.adapter.path='official.{direction}.jsonl'"]
    boards, path = run(
        [*words, f"granularity={granularity}", "metric=[terms,terms-consistency]", "quiet=true"]
    )
    assert len(boards) == 2
    for board in boards:
        (row,) = board.rows
        score, consistency = row.scores["terms"], row.scores["terms-consistency"]
        assert score is not None
        assert score.value == 100.0
        assert (consistency is None) == (granularity == "document") == bool(board.gaps)
    assert ("terms-consistency is not available: No term of" in path.read_text("utf-8")) == (
        granularity == "document"
    )


def test_nothing_heavy_is_imported() -> None:
    heavy = "{'torch', 'transformers', 'comet', 'sacrebleu', 'numpy', 'scipy'}"
    check = f"sys.exit(str(heavy) if (heavy := {heavy} & set(sys.modules)) else 0)"
    code = f"import sys, bench.scorers.terms; {check}"
    subprocess.run([sys.executable, "-c", code], check=True)
