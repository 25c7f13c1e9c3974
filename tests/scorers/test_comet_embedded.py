"""The shipped checkpoint on translations written by hand: what is none lies below every good one, and faults
cost.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.languages import Direction
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from tests.helpers.faults import CASES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_what_is_no_translation_is_far_below_and_faults_are_seen(direction: Direction) -> None:
    scorer = scorers(compose(["metric=[comet-embedded]"]))["comet-embedded"]
    cases = [case for case in CASES if case.direction == direction]
    tried = []
    for number, case in enumerate(cases):
        none = {"empty": "", "copied": case.source, "unrelated": cases[(number + 3) % len(cases)].good}
        for kind, text in {"good": case.good, **none, **case.faulty}.items():
            tried.append((number, kind, case.source, text, case.reference))
    _, _, sources, texts, references = map(list, zip(*tried, strict=True))
    task = parallel_task("test", direction, sources, references)
    values = scorer.score(task, {"all": texts}, Path("not written"))["all"].segments
    of = {(number, kind): value for (number, kind, *_), value in zip(tried, values, strict=True)}
    good = {number: of[number, "good"] for number in range(len(cases))}
    none = [value for (_, kind), value in of.items() if kind in ("empty", "copied", "unrelated")]
    assert max(none) < min(good.values()) - 0.2
    lost = {
        (number, kind): good[number] - of[number, kind]
        for number, case in enumerate(cases)
        for kind in case.faulty
    }
    assert all(loss > 0 for loss in lost.values()), lost
    assert sum(loss > 0.02 for loss in lost.values()) >= 0.85 * len(lost), lost
    assert all(loss > 0.04 for (_, kind), loss in lost.items() if kind in ("negation", "omission")), lost
