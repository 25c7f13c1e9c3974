"""Public aligners beside ours: they get our sentences, and their pairs are counted as ours are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.references.alignment.evaluate import evaluate_peer
from bench.references.alignment.peers import aligned_pairs, gale_church, vecalign
from tests.helpers.command import invoke
from tests.helpers.sets import GOLD, two

ZH = ["和平持久。", "贸易增长，两国的投资和就业也随之增长，对双方都有利。", "法治。"]
EN = [
    "Peace lasts.",
    "Trade grows in both countries and all regions.",
    "So do investment and employment, which benefits the two sides.",
    "Rule of law.",
]


def test_the_pairs_of_another_aligner_are_counted_on_our_sentences(tmp_path: Path) -> None:
    def one_to_one(zh: Sequence[str], en: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        return [([n], [n]) for n in range(min(len(zh), len(en)))]

    assert aligned_pairs(two("一、和平。\n\n法治。", "1. Peace.\n\nLaw."), one_to_one) == [
        ("一、 和平。", "1. Peace."),
        ("法治。", "Law."),
    ]
    result = evaluate_peer(GOLD / "public" / "cc0-hant.gold.tsv", one_to_one)
    assert (result.gold, result.aligned) == (29, 29)
    assert result.correct == 2  # the third Chinese sentence is half of an English one


def test_gale_and_church() -> None:
    pytest.importorskip("galechurch")
    assert gale_church(ZH, EN) == [([0], [0]), ([1], [1, 2]), ([2], [3])]


def test_vecalign() -> None:
    pytest.importorskip("sentweave")
    themes = [("和平", "Peace"), ("贸易", "Trade"), ("投资", "investment"), ("法治", "law")]

    def embed(texts: Sequence[str]) -> np.ndarray:
        """One dimension per theme, and a little noise that is the same every time."""
        noise = np.random.default_rng(1).normal(0, 0.01, (len(texts), 8))
        vectors = np.zeros((len(texts), 8))
        for row, text in enumerate(texts):
            vectors[row, :4] = [any(word in text for word in theme) for theme in themes]
        vectors += noise
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert vecalign(embed)(ZH * 4, EN * 4)[:3] == [([0], [0]), ([1], [1, 2]), ([2], [3])]


def test_evaluate_prints_the_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    gold = GOLD / "public" / "cc0-hant.gold.tsv"
    monkeypatch.setitem(sys.modules, "galechurch", None)
    refused = invoke("references", "evaluate", "--peers", gold)
    assert refused.exit_code == 2
    assert "pip install 'bitext-bench[aligners]', or omit --peers" in " ".join(refused.output.split())
    monkeypatch.undo()
    pytest.importorskip("galechurch")
    printed = invoke("references", "evaluate", "--peers", gold).output
    assert printed.count("1.000") == 8  # precision, recall, and F1 of both, for the document and for all
    assert "of which 0 are wrong; 0 are wrong in all" in " ".join(printed.split())
