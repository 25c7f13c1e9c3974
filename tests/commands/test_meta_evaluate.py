"""The figures, against sums by hand, scipy, a naive count of pairs and theory; the files; the command with
real scorers.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from scipy.stats import kendalltau, pearsonr

from bench.commands.meta_evaluate import Row, Table, agreement, meta_evaluate, pearson, pooled, within
from bench.core import Score, Scorer, Task
from bench.errors import BenchError
from bench.scorers.sacre import Sacre
from bench.scoring import judgements
from bench.scoring.judgements import Judgement
from tests.helpers.command import invoke

NAN = math.nan


class Told(Scorer):
    """A scorer that reads its scores from the hypotheses, so that a test can say what they are."""

    def identity(self) -> Mapping[str, str]:
        return {}

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        given = {system: tuple(map(float, texts)) for system, texts in systems.items()}
        return {system: Score("told", sum(s) / len(s), None, "told", s) for system, s in given.items()}


def told(human: Sequence[Sequence[float]], metric: Sequence[Sequence[float]]) -> Table:
    """Segments x systems of each; nan where a system was not judged."""
    (table,) = meta_evaluate(
        {"file": [
            Judgement("zh-en", f"system {c}", str(r), "", f"source {r}", str(metric[r][c]), "", score)
            for r, row in enumerate(human)
            for c, score in enumerate(row)
            if not math.isnan(score)
        ]},
        {"told": Told()},
    )  # fmt: skip
    return table


def row(table: Table) -> Row:
    return table.rows[0]


def naive_tau_b(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall 1945, pair by pair."""
    right = x_parts = y_parts = 0
    for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2):
        right += ((a > c) - (a < c)) * ((b > d) - (b < d))
        x_parts += a != c
        y_parts += b != d
    return right / math.sqrt(x_parts * y_parts)


# Figures.


def test_pooled_figures_are_those_of_scipy_and_of_counting() -> None:
    rng = np.random.default_rng(1)
    human = rng.integers(0, 6, size=(30, 4)).astype(float)  # many ties
    metric = np.round(human + rng.normal(scale=3, size=human.shape))
    human[rng.random(human.shape) < 0.2] = NAN
    there = ~np.isnan(human)
    h, m = human[there], metric[there]
    assert pooled(human, metric) == pytest.approx(naive_tau_b(h.tolist(), m.tolist()), abs=1e-12)
    assert pooled(human, metric) == pytest.approx(kendalltau(h, m).statistic, abs=1e-12)
    assert pearson(human, metric) == pytest.approx(pearsonr(h, m).statistic, abs=1e-12)


def test_within_by_hand() -> None:
    human = np.array([[1, 2, 3], [1, 2, 3], [1, 1, 3], [2, 2, 2], [1, 2, 3], [1, NAN, NAN], [NAN, 1, 2]])
    metric = np.array([[5, 6, 7], [5, 5, 7], [7, 6, 5], [1, 2, 3], [4, 4, 4], [1, NAN, NAN], [NAN, 6, 5]])
    expected = [
        1,  # three pairs right
        2 / math.sqrt(3 * 2),  # two right, one tied by the metric
        -2 / math.sqrt(2 * 3),  # two wrong, one tied by the judges
        NAN,  # equal judgements
        0,  # different judgements, equal metric scores
        NAN,  # one system alone
        -1,  # of the two that were judged
    ]
    assert within(human, metric).tolist() == pytest.approx(expected, nan_ok=True)
    table = told(human.tolist(), metric.tolist())
    assert table.ordered_segments == 5
    assert row(table).within.value == pytest.approx(np.nanmean(expected))


def test_system_accuracy_by_hand() -> None:
    human, metric = np.array([3.0, 2.0, 2.0, 1.0]), np.array([30.0, 10.0, 20.0, 10.0])
    pairs = list(combinations(range(4), 2))
    # Right: 0-1, 0-2, 0-3, 2-3. Wrong: 1-3, with equal metric scores. Left out: 1-2, with equal judgements.
    assert agreement(human, metric, pairs) == 4 / 5
    assert math.isnan(agreement(human, metric, [(1, 2)]))
    assert math.isnan(agreement(human, metric, []))


def test_means_that_differ_by_rounding_are_equal() -> None:
    """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in floating point."""
    assert sum([0.1, 0.2, 0.3]) != sum([0.3, 0.2, 0.1])
    table = told([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]], [[1, 2], [1, 2], [1, 2]])
    assert (table.pairs, row(table).systems) == (0, None)


def test_a_constant_metric_scores_zero() -> None:
    table = told([[1, 2], [3, 4]], [[7, 7], [7, 7]])
    figures = (row(table).pooled, row(table).pearson, row(table).within, row(table).systems)
    assert [figure.value for figure in figures if figure] == [0, 0, 0, 0]


def test_one_system_has_no_order() -> None:
    table = told([[1], [2], [3]], [[1], [3], [2]])
    assert (table.ordered_segments, table.pairs) == (0, 0)
    assert row(table).within is row(table).systems is None
    assert row(table).pooled.value == pytest.approx(1 / 3)


# Intervals.


def test_interval_is_fishers() -> None:
    """Pearson's r of 1000 independent pairs: atanh(r) ± 1.96 / sqrt(n - 3)."""
    rng = np.random.default_rng(2)
    human = rng.normal(size=1000)
    metric = 0.6 * human + 0.8 * rng.normal(size=1000)
    figure = row(told(human[:, None].tolist(), metric[:, None].tolist())).pearson
    assert figure
    assert figure.interval
    half = 1.96 / math.sqrt(997)
    expected = [math.tanh(math.atanh(figure.value) + end) for end in (-half, half)]
    assert list(figure.interval) == pytest.approx(expected, abs=0.008)


@pytest.mark.slow
def test_a_segment_is_drawn_with_all_its_judgements() -> None:
    """Four systems with the same judgements are no more evidence than one."""
    rng = np.random.default_rng(3)
    human, metric = rng.normal(size=(40, 1)), rng.normal(size=(40, 1))
    one, four = (
        told(human.tolist(), metric.tolist()),
        told((human + [0] * 4).tolist(), (metric + [0] * 4).tolist()),
    )
    assert row(four).pearson.interval == pytest.approx(row(one).pearson.interval)


@pytest.mark.slow
def test_system_interval_shows_how_sure_the_order_is() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(200, 3))
    far, near = noise + np.array([0, 1, 2]), noise + np.array([0, 0.01, 0.02])
    sure, unsure = (row(told(human.tolist(), far.tolist())).systems for human in (far, near))
    assert sure
    assert sure.interval == (1, 1)
    assert unsure
    assert unsure.interval
    assert unsure.interval[1] - unsure.interval[0] >= 1 / 3


def test_a_single_segment_has_no_interval() -> None:
    figures = row(told([[1, 2, 3]], [[1, 3, 2]]))
    for figure in (figures.pooled, figures.pearson, figures.within, figures.systems):
        assert figure
        assert figure.interval is None


def test_an_unscored_translation_is_left_out() -> None:
    human = np.array([[1.0, 2], [2, 1], [3, 4]])
    metric = np.array([[1.0, 2], [NAN, 5], [5, 6]])
    assert pooled(human, metric) == pytest.approx(naive_tau_b([1, 2, 1, 3, 4], [1, 2, 5, 5, 6]))
    assert np.isnan(within(human, metric)).tolist() == [False, True, False]


# What the scorers are given.


def test_systems_that_were_judged_on_different_segments_are_not_compared() -> None:
    human = [[1, 2, NAN], [2, 3, NAN], [1, 4, NAN], [NAN, NAN, 9], [NAN, NAN, 8]]
    table = told(human, human)
    assert (table.pairs, table.incomparable_pairs, table.judgements, table.segments) == (1, 2, 8, 5)
    assert row(table).systems.value == row(table).pooled.value == 1


@pytest.mark.slow
def test_every_judgement_is_scored_against_its_own_reference() -> None:
    """As if the reference is a post-edit of the system's own output."""
    texts = ["the cat sat", "a dog ran off", "it rained"]
    rows = [
        Judgement("zh-en", system, str(i), "", f"{i}", text, text if good else text[::-1], float(good))
        for i, text in enumerate(texts)
        for system, good in (("good", True), ("bad", False))
    ]
    (table,) = meta_evaluate({"file": rows}, {"chrf": Sacre("chrF")})
    assert row(table).within.value == row(table).systems.value == 1
    assert (table.pairs, table.incomparable_pairs) == (1, 0)


@pytest.mark.slow
def test_a_lower_ter_is_better() -> None:
    good, bad = "The State protects the rights of exporters.", "State right protecting the"
    rows = [
        Judgement("zh-en", system, str(i), "", "源", text, good, score)
        for i in range(2)
        for system, text, score in (("good", good, -1.0), ("bad", bad, -5.0))
    ]
    (table,) = meta_evaluate({"file": rows}, {"ter": Sacre("TER")})
    found = row(table)
    assert found.metric == "TER"
    assert [f.value for f in (found.pooled, found.pearson, found.within, found.systems) if f] == [1] * 4


# Files.

HEAD = "lp,system,seg,src,mt,ref,score\n"
GOOD = "zh-en,a,1,你好,hi,hello,-1\n"


@pytest.mark.parametrize("name", ["j.csv", "j.csv.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    first = Judgement(
        "zh-en", "a, b", "1", "doc", "“你好”\n世界", 'he said "hi"', "hello,\r\nworld", 0.1 + 0.2
    )
    written = [first, replace(first, system="c", hypothesis="", score=-25.0), replace(first, document="2")]
    judgements.write(tmp_path / name, written)
    assert judgements.read(tmp_path / name) == written
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b"lp")


def test_other_columns_in_another_order(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text(
        "\ufeffscore,n,ref,mt,src,doc,seg,system,lp\r\n3.5,1,r,m,s,d,7,x,en-zh\r\n", encoding="utf-8"
    )
    assert judgements.read(path) == [Judgement("en-zh", "x", "7", "d", "s", "m", "r", 3.5)]


def test_parts_of_a_file_that_number_their_segments_alike(tmp_path: Path) -> None:
    """MLQE-PE's train and dev both begin at 0."""
    path = tmp_path / "j.csv"
    path.write_text(HEAD + "".join(f"en-zh,{s},0,{src},m,r,1\n" for s in "ab" for src in ("one", "two")))
    read = judgements.read(path)
    assert [j.segment for j in read] == ["0", "0#2", "0", "0#2"]
    judgements.write(path, read)
    assert judgements.read(path) == read


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "line 1: the columns lp, system, seg"),
        ("lp,system,seg,src,mt,ref\n", "line 1: the columns score are missing"),
        (HEAD, "holds no judgements"),
        (HEAD + GOOD + "zh-en,b,1,你好,hi,hello,good\n", "line 3: the score 'good' is not a number"),
        (HEAD + "zh-en,b,1,你好,hi,hello,\n", "line 2: the score '' is not a number"),
        (HEAD + "zh-en,b,1,你好,hi,hello,nan\n", "line 2: the score 'nan' is not a number"),
        (HEAD + GOOD + "zh-en,b,1,你好,hi, there,hello,1\n", "line 3: 8 cells, but the first line names 7"),
        (HEAD + GOOD + "zh-en,b,1,再见,bye,hello,1\n", "line 3: segment 1 of b has another source"),
        (HEAD + GOOD + GOOD, "line 3: segment 1 of a is judged a second time"),
        (HEAD + GOOD + 'zh-en,b,1,"你好"x,hi,hello,1\n', "line 3: not valid CSV"),
        ((HEAD + GOOD).encode("gb18030"), "line 2: not UTF-8"),
        (gzip.compress((HEAD + GOOD).encode(), mtime=0)[:-9], "truncated or damaged"),
    ],
)  # fmt: skip
def test_damaged_files_of_judgements(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    path = tmp_path / "j.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BenchError, match=re.escape(sentence)) as caught:
        judgements.read(path)
    assert str(path) in str(caught.value)


# The command.


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three systems on eight segments, worse and worse."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(8):
        words = [f"word{n}" for n in rng.integers(0, 50, size=8)]
        for system, kept in (("best", 7), ("middle", 5), ("worst", 3)):
            mt, score = " ".join(words[:kept]), float(kept + rng.integers(-2, 3))
            rows.append(Judgement("zh-en", system, str(i), "d", f"源{i}", mt, " ".join(words), score))
    judgements.write(tmp_path / "three.csv.gz", rows)
    return tmp_path / "three.csv.gz"


def printed(*words: str | Path) -> str:
    result = invoke("meta-evaluate", *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_command(file: Path) -> None:
    rows = judgements.read(file)
    scores = [sacrebleu.sentence_chrf(j.hypothesis, [j.reference]).score for j in rows]
    human = [j.score for j in rows]
    of_segment = [slice(i, i + 3) for i in range(0, len(rows), 3)]
    taus = [kendalltau(human[s], scores[s]).statistic for s in of_segment if len(set(human[s])) > 1]
    expected = [
        kendalltau(human, scores).statistic,
        pearsonr(human, scores).statistic,
        float(np.mean(taus)),
        1.0,
    ]

    out = printed(file, "--markdown", "metric=chrfpp")
    assert "three.csv.gz, zh-en: 24 judgements, 8 segments, 3 systems" in out
    assert (
        f"| metric | tau-b | Pearson | within ({len(taus)} segments) | acc_eq | systems (3 pairs) | soft |"
        in out
    )
    cells = [line.strip("|").split(" | ") for line in out.splitlines() if line.startswith("|")]
    lines = {name.strip(): figures for name, *figures in cells[2:]}
    assert list(lines) == ["chrF++", "chrF", "BLEU"]
    cells = [lines["chrF"][column] for column in (0, 1, 2, 4)]
    found = [re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", cell.strip()) for cell in cells]
    for match, value in zip(found, expected, strict=True):
        assert match
        shown, low, high = map(float, match.groups())
        assert shown == pytest.approx(value, abs=5e-4)
        assert low <= shown <= high
    assert "- chrF++: `chrF++|nrefs:1|case:mixed|" in out


@pytest.mark.slow
def test_terminal_shows_the_same_figures(file: Path) -> None:
    figures = re.compile(r"-?\d\.\d{3}")
    out = printed(file)
    assert figures.findall(out) == figures.findall(printed(file, "--markdown"))
    assert len(figures.findall(out)) == 2 * 6 * 3


@pytest.mark.slow
def test_each_direction_has_a_table(file: Path) -> None:
    rows = judgements.read(file)
    judgements.write(file, [*rows, *(replace(j, pair="en-zh") for j in rows)])
    out = printed(file, "--markdown")
    assert [line for line in out.splitlines() if line.startswith("**")] == [
        f"**three.csv.gz, {direction}: 24 judgements, 8 segments, 3 systems**"
        for direction in ("zh-en", "en-zh")
    ]
    assert "tok:13a" in out
    assert "tok:zh" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["metric=chrf"], "No judgements were given"),
        (["missing.csv"], "There is no missing.csv"),
        (["FILE", "metric=meteor"], "There is no metric 'meteor': use ter, or one of"),
        (["GERMAN"], "holds judgements of 'en-de'"),
    ],
)
def test_mistakes_on_the_command_line(file: Path, words: list[str], sentence: str) -> None:
    german = file.with_name("german.csv")
    judgements.write(german, [replace(j, pair="en-de") for j in judgements.read(file)])
    names = {"FILE": str(file), "GERMAN": str(german)}
    result = invoke("meta-evaluate", *(names.get(word, word) for word in words))
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
