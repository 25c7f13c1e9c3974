"""Paired tests and ranks, against sacrebleu's command and functions, R and scipy. Calibration and power are
simulated.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sacrebleu.metrics
import scipy.stats

from bench import references
from bench.core import Score, Test
from bench.errors import BenchError
from bench.languages import Direction, Language, sides
from bench.references.parallel import parallel_task
from bench.references.views import groups
from bench.scorers.sacre import _AGGREGATIONS as AGGREGATIONS
from bench.scorers.sacre import _SETTINGS, Sacre
from bench.scoring import formulas
from bench.scoring.compare import Comparisons, cluster_ends, compare, holm, linear, rank_ranges, resampling
from bench.scoring.compare.agreement import agreement
from bench.scoring.units import Units, statistics, units
from tests import simulations
from tests.helpers.sacrebleu_command import OPTIONS, run_sacrebleu

SET = references.load("china-export-controls-2021")
PARTIAL = Path("not written")
FLAGS: dict[Test, str] = {"bootstrap": "--paired-bs", "randomisation": "--paired-ar"}


def expected(language: Language) -> list[str]:
    return [segment.text(language)[:90] for segment in SET.segments]


def worse(texts: Sequence[str], language: Language, rate: float, seed: int) -> list[str]:
    """Each word, or Chinese character, left out with a probability of `rate`."""
    rng = np.random.default_rng(seed)
    between = "" if language == "zh" else " "
    parts = [list(text) if language == "zh" else text.split() for text in texts]
    return [between.join(part for part in some if rng.random() > rate) for some in parts]


@cache
def systems(language: Language) -> dict[str, list[str]]:
    """Two that are hard to distinguish, and a third."""
    texts = expected(language)
    rates = {"good": 0.12, "other": 0.14, "bad": 0.2}
    return {name: worse(texts, language, rate, seed) for seed, (name, rate) in enumerate(rates.items())}


@cache
def scored(metric: str, direction: Direction) -> dict[str, Score]:
    target = sides(direction)[1]
    task = parallel_task("test", direction, expected(target), expected(target))
    return Sacre(metric).score(task, systems(target), PARTIAL)


def means(**values: Sequence[float]) -> dict[str, Score]:
    """Scores of a metric that is the mean of its segments, as COMET is."""
    return {
        name: Score("COMET", float(np.mean(its)), None, "COMET|sig", tuple(map(float, its)))
        for name, its in values.items()
    }


def bleu(statistics: np.ndarray) -> Score:
    """[segment, statistic] -> the score that they give."""
    value = float(formulas.bleu(statistics.sum(axis=0).astype(float)))
    whole = tuple(tuple(map(int, row)) for row in statistics)
    segments = (0.0,) * len(whole)
    return Score("BLEU", value, None, "BLEU|sig", segments, statistics=whole, aggregation="bleu")


def p(comparisons: Comparisons, a: str, b: str) -> float:
    return next(pair.p_sacrebleu for pair in comparisons.pairs if {pair.a, pair.b} == {a, b})


@pytest.mark.parametrize("metric", ["BLEU", "chrF", "chrF++", "TER"])
def test_formulas_are_sacrebleus_own_arithmetic(metric: str) -> None:
    name, settings = _SETTINGS[metric]
    theirs = getattr(sacrebleu.metrics, name)(**settings["en"])
    size = len(scored(metric, "zh-en")["good"].statistics[0])
    rng = np.random.default_rng(1)
    # of all sizes, often without one of the counts, and sometimes without any
    sums = rng.integers(0, 10 ** rng.integers(1, 6, size=(3000, 1)), size=(3000, size))
    sums[rng.random(sums.shape) < 0.06] = 0
    sums[::7] = 0
    ours = formulas.FORMULAS[AGGREGATIONS[metric]](sums.T.astype(float))
    wanted = [theirs._compute_score_from_stats([int(n) for n in row]).score for row in sums]
    assert ours == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert len(set(wanted)) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("test", ["bootstrap", "randomisation"])
@pytest.mark.parametrize(
    ("metric", "direction"),
    [(m, d) for m in ("BLEU", "chrF", "chrF++", "TER") for d in ("zh-en", "en-zh")],
)
def test_p_values_are_the_commands(tmp_path: Path, test: Test, metric: str, direction: Direction) -> None:
    target = sides(direction)[1]
    for name, lines in {"reference": expected(target), **systems(target)}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    words = ["reference", "-i", *systems(target), FLAGS[test], f"{FLAGS[test]}-n", "500", "-f", "json"]
    _, *theirs = json.loads(run_sacrebleu(tmp_path, *words, *OPTIONS[metric, target]))
    ours = compare(scored(metric, direction), test, trials=500)
    found = {name: p(ours, "good", name) for name in ("other", "bad")}
    (key,) = set(theirs[0]) - {"system"}
    assert found == pytest.approx({each["system"]: each[key]["p_value"] for each in theirs}, abs=1e-12)
    assert 0.01 < found["other"] < 0.99


def test_numbers_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    both: list[Test] = ["bootstrap", "randomisation"]
    at_once = [compare(scored("BLEU", "zh-en"), test) for test in both]
    monkeypatch.setattr(resampling, "_BLOCK", 5000)
    monkeypatch.setattr(resampling, "_CHUNK", 1)
    assert [compare(scored("BLEU", "zh-en"), test) for test in both] == at_once


@pytest.mark.parametrize("metric", ["BLEU", "chrF"])
def test_an_approximation_counts_as_the_formula_does(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    few = np.stack([statistics(score) for score in scored(metric, "zh-en").values()])
    many = few[:, :, rng.integers(few.shape[2], size=600)]  # so that swaps change little
    formula, used = formulas.FORMULAS[scored(metric, "zh-en")["good"].aggregation], list[int]()
    exactly = resampling.randomisation_p(many, formula, 6000, 1)
    count = linear.count
    monkeypatch.setattr(resampling, "_SLOW", 0)
    monkeypatch.setattr(resampling, "_ROWS", 2000)
    monkeypatch.setattr(linear, "_MOST_UNDECIDED", 0.5)
    monkeypatch.setattr(linear, "count", lambda *given: (used.append(1), count(*given))[1])
    approximately = resampling.randomisation_p(many, formula, 6000, 1)
    assert used, "the formula decided all"
    assert np.array_equal(exactly, approximately)


def test_means_as_scipy_finds_them() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(0.8, 0.1, 12)
    b = a - rng.normal(0.03, 0.08, 12)
    ours = compare(means(a=a, b=b), trials=40_000)
    exact = scipy.stats.permutation_test(
        (a, b), lambda x, y: x.mean() - y.mean(), permutation_type="samples", n_resamples=np.inf
    )
    assert ours.pairs[0].p_sacrebleu == pytest.approx(exact.pvalue, abs=0.01)
    assert 0.05 < exact.pvalue < 0.5
    assert ours.pairs[0].difference == pytest.approx(a.mean() - b.mean())
    student = scipy.stats.t.interval(0.95, 11, loc=np.mean(a - b), scale=scipy.stats.sem(a - b))
    assert ours.pairs[0].interval == pytest.approx(student, abs=0.002)


def test_a_share_is_of_all_occurrences() -> None:
    """`terms`: a segment with many terms counts for more, as in the score."""
    hits, of = np.array([[9, 1, 0, 3], [1, 0, 0, 1]]), np.array([10, 1, 0, 4])
    scores = {
        name: Score(
            "terms",
            100 * its.sum() / of.sum(),
            None,
            "s",
            (0.0,) * 4,
            statistics=tuple(zip(its, of, strict=True)),
            aggregation="ratio",
        )
        for name, its in zip("ab", hits, strict=True)
    }
    made = compare(scores)
    assert made.missing == ()
    assert made.pairs[0].difference == pytest.approx(100 * 11 / 15)


def test_better_first_where_a_lower_score_is_better() -> None:
    made = compare(scored("TER", "zh-en"))
    assert list(made.ranks) == ["good", "other", "bad"]
    assert {(pair.a, pair.b) for pair in made.pairs} == {("good", "other"), ("good", "bad"), ("other", "bad")}
    assert all(pair.difference < 0 for pair in made.pairs)
    assert made.ranks == {"good": (1, 2), "other": (1, 3), "bad": (2, 3)}


@pytest.mark.parametrize("test", ["bootstrap", "randomisation"])
def test_equal_systems(test: Test) -> None:
    good = scored("BLEU", "zh-en")["good"]
    made = compare({"one": good, "two": good}, test)
    assert (made.pairs[0].p_sacrebleu, made.pairs[0].p_adjusted, made.pairs[0].agreement) == (1, 1, None)
    assert made.ranks == {"one": (1, 2), "two": (1, 2)}


def test_systems_that_differ_in_one_segment_are_not_distinguished() -> None:
    """Every swap gives the same difference; sacrebleu, which counts larger ones, prints p = 1 / (trials +
    1).
    """
    good = scored("BLEU", "zh-en")["good"]
    first = (
        good.statistics[0][0],
        good.statistics[0][1],
        *(n - 1 for n in good.statistics[0][2:6]),
        *good.statistics[0][6:],
    )
    almost = bleu(np.array([first, *good.statistics[1:]]))
    made = compare({"good": replace(good, signature=almost.signature), "almost": almost})
    assert made.pairs[0].difference > 0
    assert (made.pairs[0].p_sacrebleu, made.pairs[0].p_adjusted) == (1, 1)


def test_few_units_that_differ_give_no_small_p() -> None:
    """Two units that differ have the observed difference in half of all trials; sacrebleu prints p = 0.0001."""
    better, worse = [1.0] * 20, [0.0, 0.0, *[1.0] * 18]
    scores = {
        name: Score("m", float(np.mean(values)), None, "m", tuple(values))
        for name, values in (("a", better), ("b", worse))
    }
    (pair,) = compare(scores).pairs
    assert pair.p_sacrebleu == pytest.approx(0.5, abs=0.02)
    assert pair.p_adjusted == pair.p_sacrebleu


def test_holm() -> None:
    """R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")"""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]


def test_ties_count() -> None:
    """TER's edits are whole numbers, and many swaps give the same difference again."""
    made = compare(scored("TER", "en-zh"))
    assert (
        p(made, "good", "other")
        < next(pair.p_adjusted for pair in made.pairs if (pair.a, pair.b) == ("good", "other")) - 0.01
    )


def test_the_bootstraps_p_is_doubled_and_corrected() -> None:
    made = compare(scored("BLEU", "zh-en"), "bootstrap")
    assert [pair.p_adjusted for pair in made.pairs] == pytest.approx(
        holm([min(1, 2 * pair.p_sacrebleu) for pair in made.pairs])
    )


def test_rank_ranges() -> None:
    assert rank_ranges("abc", {("a", "b"), ("a", "c"), ("b", "c")}) == {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
    # a chain: c is worse than a, but b cannot be distinguished from either
    assert rank_ranges("abc", {("a", "c")}) == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}
    # WMT 2023: the fourth of four is worse than the first two
    assert rank_ranges("abcd", {("a", "d"), ("b", "d")}) == {
        "a": (1, 3),
        "b": (1, 3),
        "c": (1, 4),
        "d": (3, 4),
    }
    # what is not ranked does not count
    assert rank_ranges("ab", {("a", "control"), ("control", "b")}) == {"a": (1, 2), "b": (1, 2)}


def test_clusters_end_where_all_above_are_better_than_all_below() -> None:
    assert cluster_ends("abc", {("a", "b"), ("a", "c"), ("b", "c")}) == [1, 2]
    assert cluster_ends("abcd", {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}) == [2]
    assert cluster_ends("abc", {("a", "c")}) == []
    assert cluster_ends("abc", {("b", "c")}) == []


def test_controls_are_compared_and_not_ranked() -> None:
    made = compare(scored("chrF", "en-zh"), controls=["other"])
    assert list(made.ranks) == ["good", "bad"]
    assert len(made.pairs) == 3


def test_paragraphs_as_units() -> None:
    """A set in which each segment occurs four times is no more evidence than one in which it occurs once."""
    once = {name: np.array(score.statistics) for name, score in scored("BLEU", "zh-en").items()}
    alone = compare({name: bleu(counts) for name, counts in once.items()})
    four = {name: bleu(np.repeat(counts, 4, axis=0)) for name, counts in once.items()}
    paragraphs = Units("paragraph", tuple(place // 4 for place in range(4 * len(SET.segments))))
    together = compare(four, units=paragraphs)
    assert (together.unit, together.units) == ("paragraph", 39)
    assert p(together, "good", "other") == p(alone, "good", "other")
    apart = compare(four)
    assert (apart.unit, apart.units) == ("segment", 156)
    assert p(apart, "good", "other") < p(alone, "good", "other") / 2


def test_paragraphs_of_a_set() -> None:
    made = compare(scored("chrF", "en-zh"), units=units(SET))
    assert (made.unit, made.units) == ("paragraph", len(groups(SET, "paragraph")))
    assert made.ranks["bad"] == (3, 3)


def test_a_single_segment() -> None:
    made = compare(means(a=[0.9], b=[0.1]))
    assert (made.pairs, made.ranks, made.minimum_detectable_difference) == ((), {}, None)


def test_a_single_system() -> None:
    made = compare(means(a=[0.9, 0.8]))
    assert (made.pairs, made.ranks, made.minimum_detectable_difference) == ((), {"a": (1, 1)}, None)


def test_missing_scores_are_left_out_and_named() -> None:
    scores = scored("BLEU", "zh-en")
    older = replace(scores["bad"], statistics=())
    made = compare({**scores, "bad": older, "none": None})
    assert made.missing == ("bad", "none")
    assert set(made.ranks) == {"good", "other"}
    assert compare({"none": None}).missing == ("none",)


def test_unscored_segments_carry_no_weight() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.8, 0.1, 60), rng.normal(0.7, 0.1, 60)
    scores = means(a=a, b=b)
    some = [None if index % 3 == 0 else float(value) for index, value in enumerate(b)]
    scored_values = [value for value in some if value is not None]
    partly = replace(scores["b"], value=float(np.mean(scored_values)), segments=tuple(some))
    made = compare({"a": scores["a"], "b": partly})
    assert made.missing == ()
    (pair,) = made.pairs
    assert pair.difference == pytest.approx(a.mean() - np.mean(scored_values))
    assert pair.significant


@pytest.mark.parametrize("test", ["bootstrap", "randomisation"])
def test_few_scored_segments(test: Test) -> None:
    """39 segments, 3 of them scored: a resample misses all three in 4 % of cases."""
    values = (0.9, 0.8, 0.7, *[None] * 36)
    a = Score("judge", 0.8, None, "judge|sig", values)
    b = replace(a, value=0.5, segments=(0.6, 0.5, 0.4, *[None] * 36))
    made = compare({"a": a, "b": b}, test)
    (pair,) = made.pairs
    assert pair.interval
    assert np.isfinite([*pair.interval, pair.minimum_detectable_difference, pair.p_adjusted]).all()
    assert pair.difference == pytest.approx(0.3)
    assert not pair.significant or test == "bootstrap"


@pytest.mark.filterwarnings("error")
def test_a_system_without_a_scored_segment_is_missing() -> None:
    scores = means(a=[0.9, 0.8, 0.7], b=[0.1, 0.3, 0.2])
    unscored = replace(scores["b"], value=float("nan"), segments=(None, None, None))
    made = compare({**scores, "none": unscored})
    assert made.missing == ("none",)
    assert set(made.ranks) == {"a", "b"}
    assert compare({"none": unscored}).missing == ("none",)


def test_scores_that_cannot_be_compared() -> None:
    scores = means(a=[0.9, 0.8], b=[0.1, 0.3])
    device = {name: replace(s, signature=f"COMET|sig|device:{name}|version:2") for name, s in scores.items()}
    assert len(compare(device).pairs) == 1
    other = {**scores, "b": replace(scores["b"], signature="COMET|other")}
    with pytest.raises(BenchError, match="different ways"):
        compare(other)


def test_many_systems_need_many_draws() -> None:
    """If every difference is large, all must be found significant."""
    many = means(**{f"s{n:02}": np.full(30, n / 10) + np.arange(30) / 1000 for n in range(25)})
    with pytest.raises(BenchError, match=r"With 1000 resamples .* set compare.trials to at least 12000"):
        compare(many, "bootstrap", trials=1000)
    with pytest.raises(BenchError, match=r"With 1000 trials .* set compare.trials to at least 6000"):
        compare(many, "randomisation", trials=1000)
    for test in FLAGS:
        made = compare(many, test)
        assert list(made.ranks.values()) == [(rank, rank) for rank in range(1, 26)]


def test_an_unknown_test() -> None:
    with pytest.raises(BenchError, match="test=bootstrap"):
        compare({}, "t-test")  # type: ignore[arg-type]


COMET = "COMET|checkpoint:Unbabel/wmt22-comet-da@2760a223|precision:float32"


@pytest.mark.parametrize(
    ("metric", "signature", "differences"),
    [
        ("BLEU", "BLEU|", {0.65: 1.06, 0.70: 1.39, 0.75: 1.79, 0.80: 2.34, 0.85: 3.35}),
        ("chrF", "chrF|", {0.65: 0.76, 0.70: 1.00, 0.75: 1.28, 0.80: 1.63, 0.85: 2.12, 0.90: 3.05}),
        (
            "wmt22",
            COMET,
            {0.65: 0.0026, 0.70: 0.0035, 0.75: 0.0045, 0.80: 0.0056, 0.85: 0.0071, 0.90: 0.0094},
        ),
    ],
)
def test_agreement_is_the_papers_table(metric: str, signature: str, differences: dict[float, float]) -> None:
    """Table of thresholds in Kocmi et al. 2024."""
    for share, difference in differences.items():
        assert agreement(metric, signature, difference) == pytest.approx(share, abs=0.004)
        assert agreement(metric, signature, -difference) == agreement(metric, signature, difference)


def test_agreement_is_known_of_no_other_metric() -> None:
    assert agreement("COMET (embedded)", "COMET (embedded)|checkpoint:sha256:00|precision:float32", 1) is None
    assert agreement("chrF++", "chrF++|", 1) is None
    assert agreement("TER", "TER|", 1) is None


def test_agreement_is_given_for_significant_differences_only() -> None:
    made = compare(scored("BLEU", "zh-en"))
    assert {pair.agreement is not None for pair in made.pairs if pair.significant} == {True}
    assert {pair.agreement for pair in made.pairs if not pair.significant} == {None}


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 6])
@pytest.mark.parametrize("test", ["bootstrap", "randomisation"])
def test_calibration(test: Test, copies: int) -> None:
    """A/A test: the outputs of two systems are dealt to two halves, at random in each segment, so that the
    halves differ by chance only.

    At a level of 5 % the test calls 5 % of 2,000 such pairs different: randomisation on 39 segments and on
    234, the bootstrap only on many segments (234: 5.3 %, 39: 7.3 %). By sacrebleu's p-value it would be 11
    and 12 %.
    """
    texts = expected("en") * copies
    dealt = {name: worse(texts, "en", 0.15, seed) for seed, name in enumerate("ab")}
    scores = Sacre("BLEU").score(parallel_task("test", "zh-en", texts, texts), dealt, PARTIAL)
    one, two = (np.array(scores[name].statistics) for name in "ab")
    called = printed = 0
    for trial in range(2000):
        swap = np.random.default_rng(trial).integers(2, size=(len(texts), 1), dtype=bool)
        halves = {"a": bleu(np.where(swap, one, two)), "b": bleu(np.where(swap, two, one))}
        (pair,) = compare(halves, test, trials=999, seed=trial + 1).pairs
        called += pair.significant
        printed += pair.p_sacrebleu < 0.05
    low, high = scipy.stats.binom.interval(0.9999, 2000, 0.05)
    few = (test, copies) == ("bootstrap", 1)
    assert (high if few else low) < called < (2000 * 0.1 if few else high)
    assert (printed > 2000 * 0.09) == (test == "bootstrap")


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["BLEU", "chrF"])
def test_documents_as_units_hold_the_level(metric: str) -> None:
    """Equal systems, documents that are easy for one or the other (tests/simulations.py)."""
    assert simulations.false_positives(metric, "document", sets=400, seed=1) <= 0.07
    assert simulations.false_positives(metric, "segment", sets=100, seed=1) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_the_minimum_detectable_difference_is_detected(count: int) -> None:
    """On sets where one system is better than all others by the minimum detectable difference, that is found
    in 80 % of the sets, and in more if Holm's correction meets several such pairs.
    """
    rng = np.random.default_rng(5)
    found = []
    for trial in range(200):
        noise = rng.normal(0.5, 0.1, size=(count, 400))
        noise -= noise.mean(axis=1, keepdims=True)
        values = noise + rng.normal(0, 0.1 / 400**0.5, size=(count, 1))
        said = compare(means(**{f"s{n}": row for n, row in enumerate(noise)}), trials=999)
        values[0] += said.minimum_detectable_difference
        made = compare(means(**{f"s{n}": row for n, row in enumerate(values)}), trials=999, seed=trial + 1)
        found += [pair.significant for pair in made.pairs if "s0" in (pair.a, pair.b)]
    low, high = scipy.stats.binom.interval(0.9999, 200, 0.8)
    assert low < sum(found) / (count - 1)
    assert count > 2 or sum(found) < high


def test_a_best_value_that_is_neither_high_nor_low() -> None:
    """Ratios of lengths: systems are ordered and tested by their distance from 1, as all 2^n swaps say."""
    rng = np.random.default_rng(3)
    ratios = {
        name: rng.normal(mean, 0.1, 10) for name, mean in (("long", 1.5), ("right", 1.02), ("short", 0.9))
    }
    scores: dict[str, Score | None] = {
        name: Score("length", float(values.mean()), None, "length", tuple(values.tolist()), best=1.0)
        for name, values in ratios.items()
    }
    result = compare(scores)
    assert list(dict.fromkeys(pair.a for pair in result.pairs)) == ["right", "short"]
    assert result.ranks["right"][0] == 1
    assert result.ranks["right"][0] < result.ranks["long"][0]
    exact = []
    for pair in result.pairs:
        a, b = ratios[pair.a], ratios[pair.b]
        distance = abs(b.mean() - 1) - abs(a.mean() - 1)
        assert pair.difference == pytest.approx(distance)
        assert pair.interval
        assert pair.interval[0] < distance < pair.interval[1]
        swapped = [
            np.abs(np.where(swap, b, a).mean() - 1) - np.abs(np.where(swap, a, b).mean() - 1)
            for swap in itertools.product([False, True], repeat=10)
        ]
        exact.append(float(np.mean(np.abs(swapped) >= abs(distance) - 1e-12)))
    assert [pair.p_adjusted for pair in result.pairs] == pytest.approx(holm(exact), abs=0.02)
