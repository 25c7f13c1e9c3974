"""The shipped checkpoint on hand-written translations: degenerate texts score far lower, and faults cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.languages import Direction
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from tests.helpers.faults import CASES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_degenerate_texts_and_faults_score_lower(direction: Direction) -> None:
    scorer = scorers(compose(["metric=[comet-embedded]"]))["comet-embedded"]
    cases = [case for case in CASES if case.direction == direction]
    rows = []
    for number, case in enumerate(cases):
        unrelated = cases[(number + 3) % len(cases)].good
        degenerate = {"empty": "", "copied": case.source, "unrelated": unrelated}
        for kind, text in {"good": case.good, **degenerate, **case.faulty}.items():
            rows.append((number, kind, case.source, text, case.reference))
    _, _, sources, texts, references = map(list, zip(*rows, strict=True))
    task = parallel_task("test", direction, sources, references)
    values = scorer.score(task, {"all": texts}, Path("not written"))["all"].segments
    scores: dict[tuple[int, str], float] = {}
    for (number, kind, *_), value in zip(rows, values, strict=True):
        assert value is not None
        scores[number, kind] = value
    good = [scores[number, "good"] for number in range(len(cases))]
    degenerate_scores = [
        score for (_, kind), score in scores.items() if kind in ("empty", "copied", "unrelated")
    ]
    assert max(degenerate_scores) < min(good) - 0.2
    losses = {
        (number, kind): good[number] - scores[number, kind]
        for number, case in enumerate(cases)
        for kind in case.faulty
    }
    assert all(loss > 0 for loss in losses.values()), losses
    assert sum(loss > 0.02 for loss in losses.values()) >= 0.85 * len(losses), losses
    large = [loss for (_, kind), loss in losses.items() if kind in ("negation", "omission")]
    assert all(loss > 0.04 for loss in large), losses
