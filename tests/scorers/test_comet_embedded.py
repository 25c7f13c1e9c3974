"""The shipped checkpoint on hand-written translations: good ones, ones with a fault, and non-translations."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.languages import Direction
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from tests.helpers.faults import CASES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_non_translations_score_far_below_and_faults_lower_the_score(direction: Direction) -> None:
    scorer = scorers(compose(["metric=[comet-embedded]"]))["comet-embedded"]
    cases = [case for case in CASES if case.direction == direction]
    texts = []
    for number, case in enumerate(cases):
        bad = {"empty": "", "copied": case.source, "unrelated": cases[(number + 3) % len(cases)].good}
        for kind, text in {"good": case.good, **bad, **case.faulty}.items():
            texts.append((number, kind, case.source, text, case.reference))
    _, _, sources, hypotheses, references = map(list, zip(*texts, strict=True))
    task = parallel_task("test", direction, sources, references)
    values = scorer.score(task, {"all": hypotheses}, Path("not written"))["all"].segments
    score_of = {(number, kind): value for (number, kind, *_), value in zip(texts, values, strict=True)}
    good = {number: score_of[number, "good"] for number in range(len(cases))}
    bad_scores = [value for (_, kind), value in score_of.items() if kind in ("empty", "copied", "unrelated")]
    assert max(bad_scores) < min(good.values()) - 0.2
    losses = {
        (number, kind): good[number] - score_of[number, kind]
        for number, case in enumerate(cases)
        for kind in case.faulty
    }
    assert all(loss > 0 for loss in losses.values()), losses
    assert sum(loss > 0.02 for loss in losses.values()) >= 0.85 * len(losses), losses
    assert all(loss > 0.04 for (_, kind), loss in losses.items() if kind in ("negation", "omission")), losses
