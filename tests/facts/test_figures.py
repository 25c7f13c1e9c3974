"""The figures of docs/metrics.md: pairs of official sentences, with one fact changed."""

from __future__ import annotations

import pytest

from bench.languages import DIRECTIONS, Direction
from tests.facts.figures import measure


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_changed_fact_is_noticed_and_a_reference_is_not_accused(direction: Direction) -> None:
    figures = measure(direction)
    assert sum(figures.expected.values()) > 1800
    assert figures.reference_faults == 0
    for kind, changed in figures.changed.items():
        assert figures.noticed[kind] >= (0.9 if kind == "name" else 1) * changed, kind
