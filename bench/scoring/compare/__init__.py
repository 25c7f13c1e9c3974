"""Which differences between systems are more than chance: intervals, paired tests, ranks. Pure functions of Scores.

One code path for all metrics: what is resampled are sufficient statistics (Score.statistics); those of a metric that is the
mean of its segments are their scores, each counting one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isclose
from statistics import NormalDist, median
from typing import Literal

import numpy as np

from bench.core import Score
from bench.errors import BenchError
from bench.scoring.compare import resampling
from bench.scoring.compare.agreement import agreement
from bench.scoring.compare.resampling import Array, Form

Test = Literal["randomisation", "bootstrap"]

SEED = 12345  # sacrebleu's own default
LEVEL = 0.05
"""The chance that any of a board's systems are called different where all are equal."""
POWER = 0.8

_RESAMPLES: dict[Test, int] = {"randomisation": 10_000, "bootstrap": 1_000}  # sacrebleu's own defaults
_INTERVAL = 1_000
"""Bootstrap resamples that intervals come from, as those of the scorers do."""
_TAILS: dict[Test, int] = {"randomisation": 1, "bootstrap": 2}
"""How many times the smallest p-value of a test is 1 / (resamples + 1): see resampling.bootstrap_p."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems by one metric."""

    a: str
    """The one with the better score."""
    b: str
    difference: float
    """a's score minus b's, in the metric's own points: negative where a lower score is better."""
    interval: tuple[float, float]
    """95 % of the difference, for this pair by itself."""
    p: float
    """What sacrebleu prints for these two systems with the same resamples and seed; but 1 for equal ones."""
    p_holm: float
    """To be relied on: of a two-sided test that counts ties, corrected for all pairs (bench.scoring.compare.resampling says more)."""
    significant: bool
    agreement: float | None
    """How often people agree with a difference of this size, 0 to 1 (bench.scoring.compare.agreement). None where it is not
    significant, or not known for the metric."""
    detectable: float
    """The smallest difference that would have been found between these two: see `compare`."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All systems of one direction by one metric."""

    metric: str
    test: Test
    resamples: int
    seed: int
    unit: Literal["segment", "paragraph"]
    units: int
    """How many there are to resample. With a single one nothing can be said: no intervals, pairs or ranks."""
    intervals: Mapping[str, tuple[float, float]]
    """System -> 95 % of its score, as sacrebleu gives it."""
    pairs: tuple[Comparison, ...]
    """Every two systems, the best first."""
    ranks: Mapping[str, int]
    """System -> rank, the best first: see `ranks`."""
    detectable: float | None
    """Of the middle one (median) of all pairs."""
    missing: tuple[str, ...]
    """Systems without a score, or whose statistics do not give it (they are of an older scorer): left out."""


def compare(
    scores: Mapping[str, Score | None],
    test: Test = "randomisation",
    resamples: int | None = None,
    seed: int = SEED,
    paragraphs: Sequence[Hashable] | None = None,
) -> Comparisons:
    """`scores`: system -> its score by one metric on one set. `resamples`: of the test; by default sacrebleu's number, or what
    so many pairs need. `paragraphs`: of each segment, to which it belongs; they are then resampled as wholes, since segments
    of one paragraph are not independent.

    "randomisation" (Riezler and Maxwell 2005) is the default: they find that the bootstrap calls differences significant too
    easily, as sacrebleu's manual repeats. So it is: of equal systems on 39 segments it calls 7 % different where 5 % are
    allowed (tests/test_compare.py), and randomisation 5 % on sets of any size. "bootstrap" is Koehn's (2004) test.

    `detectable`: on 80 % of sets like this one, so large a true difference would be found significant. It is the standard
    error of the difference times the sum of two quantiles of the normal distribution: of 80 %, and of the first and hardest
    level of Holm's correction (Bloom 1995, “Minimum detectable effects”; why to tell it: Card et al. 2020, arXiv 2010.06595).

    The time grows with the fourth power of the systems: pairs with their square, and with the pairs what `_enough` asks for.

    Raises BenchError where scores were computed in different ways, and where no difference could be significant because
    `resamples` are too few.
    """
    if test not in _TAILS:
        raise BenchError(f"Unknown test {test!r}: use test=randomisation or test=bootstrap.")
    used, form = _usable(scores)
    statistics = _by_unit([_counts(score) for score in used.values()], paragraphs)
    units = statistics.shape[2]
    several = units > 1
    tested = len(used) * (len(used) - 1) // 2 if several else 0
    resamples = _enough(test, resamples, tested)
    metric = next((score.metric for score in used.values()), "")

    intervals: dict[str, tuple[float, float]] = {}
    pairs: list[Comparison] = []
    if several:
        drawn = max(_INTERVAL, resamples if test == "bootstrap" else 0)
        resampled = resampling.bootstrap(statistics, form, drawn, seed)
        if test == "bootstrap":
            printed, p = resampling.bootstrap_p(form(statistics.sum(axis=2).T), resampled[:, :resamples])
        else:
            label = f"testing {tested:,} pairs of systems by {metric}"
            printed, p = resampling.randomisation_p(statistics, form, resamples, seed, label)
        resampled = resampled[:, :_INTERVAL]
        intervals = {name: _interval(values) for name, values in zip(used, resampled, strict=True)}
        pairs = _pairs(used, printed, p, resampled)
    return Comparisons(
        metric=metric,
        test=test,
        resamples=resamples,
        seed=seed,
        unit="segment" if paragraphs is None else "paragraph",
        units=units,
        intervals=intervals,
        pairs=tuple(pairs),
        ranks=ranks(list(used), {(pair.a, pair.b) for pair in pairs if pair.significant}) if several else {},
        detectable=median(pair.detectable for pair in pairs) if pairs else None,
        missing=tuple(name for name in scores if name not in used),
    )


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: p-values, in their order, that may be held against one level together."""
    corrected, least = [0.0] * len(p), 0.0
    for step, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        least = max(least, min(1.0, (len(p) - step) * p[index]))
        corrected[index] = least
    return corrected


def ranks(systems: Sequence[str], parted: Collection[tuple[str, str]]) -> dict[str, int]:
    """`systems`: the best first; `parted`: (better, worse), where the test can part them.

    Systems share a rank as they share a cluster in the findings of WMT since Bojar et al. 2013: every one of a cluster is
    significantly better than every one of the clusters below. A rank is one more than the number of systems in the clusters
    above. That the test cannot part two systems is not transitive: where it cannot part A from B nor B from C, all three
    share a rank, even if A is significantly better than C. So no rank says what a pair does not bear out.
    """
    found: dict[str, int] = {}
    rank = 1
    for place, system in enumerate(systems):
        if all((above, below) in parted for above in systems[:place] for below in systems[place:]):
            rank = place + 1
        found[system] = rank
    return found


def _usable(scores: Mapping[str, Score | None]) -> tuple[dict[str, Score], Form]:
    """The scores that can be tested, the best first, and the form of their metric."""
    there = {name: score for name, score in scores.items() if score}
    ways = {(score.metric, _signature(score), len(score.segments)) for score in there.values()}
    if len(ways) > 1:
        raise BenchError(
            f"The scores of {', '.join(sorted(there))} were computed in different ways: score them again with `bench run`."
        )
    metric = next((metric for metric, *_ in ways), "")
    counted = metric in resampling.FORMS or any(score.statistics for score in there.values())
    form = resampling.FORMS.get(metric) or (resampling.percentage if counted else resampling.mean)
    usable = {
        name: score
        for name, score in there.items()
        if bool(score.statistics) == counted
        and isclose(form(_counts(score).sum(axis=1)), score.value, rel_tol=1e-6, abs_tol=1e-6)
    }
    sign = {True: -1, False: 1}
    best = sorted(usable.items(), key=lambda item: (sign[item[1].higher_is_better] * item[1].value, item[0]))
    return dict(best), form


def _signature(score: Score) -> str:
    """Without the device, on which only the last digits depend."""
    return re.sub(r"\|device:[^|]*", "", score.signature)


def _counts(score: Score) -> Array:
    """[statistic, segment]"""
    return np.array(score.statistics or [(value, 1) for value in score.segments], dtype=float).T


def _by_unit(counts: Sequence[Array], paragraphs: Sequence[Hashable] | None) -> Array:
    """[system, statistic, unit]: summed over the segments of each paragraph, where these are the units."""
    if not counts:
        return np.zeros((0, 0, 0))
    statistics = np.stack(counts)
    if paragraphs is None:
        return statistics
    places = {paragraph: place for place, paragraph in enumerate(dict.fromkeys(paragraphs))}
    summed = np.zeros((len(places), *statistics.shape[:2]))
    np.add.at(summed, [places[paragraph] for paragraph in paragraphs], np.moveaxis(statistics, 2, 0))
    return np.moveaxis(summed, 0, 2)


def _enough(test: Test, resamples: int | None, pairs: int) -> int:
    """How many resamples to draw. The smallest p-value that a test can give is 1 / (resamples + 1), and Holm's correction
    first asks for one below LEVEL / pairs."""
    least = round(_TAILS[test] * pairs / LEVEL)
    if resamples is None:
        return max(_RESAMPLES[test], 2 * least)
    if resamples < least:
        raise BenchError(
            f"With {resamples} resamples no difference between so many systems can be significant: use at least {least}, or leave their number out."
        )
    return resamples


def _pairs(used: Mapping[str, Score], printed: Array, p: Array, resampled: Array) -> list[Comparison]:
    """`printed`, `p`: [system, system], see bench.scoring.compare.resampling; `resampled`: [system, resample]."""
    systems, places = list(used.items()), list(combinations(range(len(used)), 2))
    corrected = holm([float(p[place]) for place in places])
    normal = NormalDist()
    found = []
    for (a, b), p_holm in zip(places, corrected, strict=True):
        (better, score), (worse, other) = systems[a], systems[b]
        difference, differences = score.value - other.value, resampled[a] - resampled[b]
        errors = normal.inv_cdf(1 - LEVEL / len(places) / 2) + normal.inv_cdf(POWER)
        significant = p_holm < LEVEL
        found.append(
            Comparison(
                a=better,
                b=worse,
                difference=difference,
                interval=_interval(differences),
                p=float(printed[a, b]),
                p_holm=p_holm,
                significant=significant,
                agreement=agreement(score.metric, score.signature, difference) if significant else None,
                detectable=errors * float(differences.std()),
            )
        )
    return found


def _interval(values: Array) -> tuple[float, float]:
    """95 %, as sacrebleu.significance.estimate_ci: the mean ± half of what lies between the 2.5th and 97.5th percentile."""
    cut, ordered = len(values) // 40, np.sort(values)
    middle, half = values.mean(), (ordered[-cut - 1] - ordered[cut]) / 2
    return float(middle - half), float(middle + half)
