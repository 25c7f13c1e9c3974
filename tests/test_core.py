"""The extension points, the hash of a set, and the cards of systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bench import references
from bench.core import Adapter, Output, Scorer, Source, Task, digest, units
from bench.errors import BenchError
from bench.languages import script_share, sides

SET = references.load("china-export-controls-2021")


def test_an_adapter_without_identity_cannot_be_created() -> None:
    class Forgetful(Adapter):
        def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
            yield from ()

    with pytest.raises(TypeError, match="identity"):
        Forgetful("zh-en")  # type: ignore[abstract]


def test_a_scorer_without_score_cannot_be_created() -> None:
    class Forgetful(Scorer):
        def identity(self) -> Mapping[str, Any]:
            return {}

    with pytest.raises(TypeError, match="score"):
        Forgetful()  # type: ignore[abstract]


def test_a_task_is_a_set_in_one_direction() -> None:
    task, reverse = Task(SET, "zh-en"), Task(SET, "en-zh")
    assert (task.source_language, task.target_language) == ("zh", "en")
    assert task.ids == reverse.ids == tuple(segment.id for segment in SET.segments)
    assert task.sources == reverse.references == tuple(segment.zh for segment in SET.segments)
    assert task.references == reverse.sources == tuple(segment.en for segment in SET.segments)


def test_an_unknown_direction_is_one_sentence() -> None:
    with pytest.raises(BenchError, match="Unknown direction 'zh-fr'"):
        sides("zh-fr")


def test_the_hash_of_a_set_depends_on_ids_and_texts_only() -> None:
    first, *rest = SET.segments
    renamed = replace(SET, title="Another title", origin="elsewhere", licence="unknown")
    assert renamed.sha256 == SET.sha256
    assert replace(SET, segments=(replace(first, section="9"), *rest)).sha256 == SET.sha256
    assert replace(SET, segments=(replace(first, en=first.en + "."), *rest)).sha256 != SET.sha256
    assert replace(SET, segments=(replace(first, id="other"), *rest)).sha256 != SET.sha256


def test_units_group_neighbours_of_a_block() -> None:
    a, b, c = Source("a", "一"), Source("b", "二", block="x"), Source("c", "三", block="x")
    assert units([a, b, c]) == [(a,), (b, c)]


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": "中"}) == digest({"b": "中", "a": 1})
    assert digest({"a": 1}) != digest({"a": 1.0}), "whole numbers and decimals are different values"


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [("出口管制", "zh", 1.0), ("出口管制", "en", 0.0), ("WTO 成员", "zh", 2 / 3), ("2021-12", "en", 1.0)],
)
def test_the_share_of_a_script(text: str, language: Any, share: float) -> None:
    assert script_share(text, language) == pytest.approx(share)
