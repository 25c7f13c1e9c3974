"""Training COMET (embedded): what is held out, which faults are made, where the loss moves scores."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench import references
from bench.scoring import judgements
from bench.scoring.judgements import Judgement
from training import data
from training.data import DEGENERATE, Candidate
from training.negatives import make_faults

SEGMENTS = references.load("china-export-controls-2021").segments


def files(folder: Path) -> Path:
    """Judgements of four systems, and of one system in each of two other pairs with the same sentences."""
    rows = [
        Judgement("zh-en", f"system {n}", str(s), f"doc {s // 4}", seg.zh, f"{seg.en} {n}", seg.en, -float(n))
        for s, seg in enumerate(SEGMENTS)
        for n in range(4)
    ]
    judgements.write(folder / "mqm-ted2021.zh-en.csv.gz", rows)
    turned = [
        Judgement("en-zh", "system", str(s), "", f"{seg.en} ", f"{seg.zh}!", seg.zh, float(s % 5))
        for s, seg in enumerate(SEGMENTS)
    ]
    judgements.write(folder / "mlqe-pe-train.en-zh.csv.gz", turned)
    other = [
        Judgement("en-de", "system", str(s), "", seg.en, f"Satz {s}.", f"Der Satz {s}.", -1.0 * (s % 3))
        for s, seg in enumerate(SEGMENTS)
    ]
    judgements.write(folder / "mqm-ted2021.en-de.csv.gz", other)
    return folder


def test_nothing_is_learned_from_what_is_held_out(tmp_path: Path) -> None:
    split = data.load(files(tmp_path))
    held_out = split.held_out["mqm-ted2021.zh-en"]
    assert 0.15 < len({row.segment for row in held_out}) / len(SEGMENTS) < 0.4
    held_out_texts = {text for row in held_out for text in (row.source, row.reference)}
    learned = {text for group in split.train for text in (group.source, group.reference)}
    chosen = {text for group in split.dev for text in (group.source, group.reference)}
    assert learned
    assert chosen
    assert not learned & held_out_texts
    assert not chosen & held_out_texts
    assert not learned & chosen
    documents = {row.document for row in held_out}
    assert all(int(row.document.split()[1]) == int(row.segment) // 4 for row in held_out)
    assert len(held_out) == 4 * sum(f"doc {s // 4}" in documents for s in range(len(SEGMENTS)))


def test_the_same_data_gives_the_same_faults(tmp_path: Path) -> None:
    first, second = (data.load(files(tmp_path)) for _ in range(2))
    assert first.train == second.train
    assert first.dev == second.dev


def test_a_fault_is_another_text_of_its_kind() -> None:
    en = (
        "In 2020, China did not export 12 million tons, "
        "and the United States strengthened its controls in June."
    )
    zh = "2020年，中国没有出口1200万吨，美国在五月加强了管制。"
    for text, kinds in (
        (en, {"number", "date", "name", "negation", "opposite", "omission", "shuffled", "repeated"}),
        (zh, {"number", "date", "name", "negation", "opposite", "omission", "shuffled", "repeated"}),
    ):
        faults = dict(make_faults(text, random.Random(1)))
        assert set(faults) == kinds
        assert text not in faults.values()
        assert len(set(faults.values())) == len(faults)
        assert len(faults["omission"]) < len(text) < len(faults["repeated"])
        assert sorted(faults["shuffled"].split()) == sorted(text.split()) or text is zh


@pytest.mark.slow
def test_where_the_loss_moves_scores() -> None:
    """Free scores end where the recipe says: in order, faults below, degenerate texts far below."""
    group = [
        Candidate("best", 1.0),
        Candidate("middle", 0.9),
        Candidate("worst", 0.8),
        Candidate("reference"),
        Candidate("best with a wrong number", fault="number", base=0),
        Candidate("", fault="empty"),
        Candidate("unrelated", fault="unrelated"),
    ]
    import torch

    from training.loss import DEVIATION, MEAN, group_loss

    hint = torch.tensor([1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    scores = torch.full((len(group),), MEAN, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.01)
    for _ in range(1500):
        optimizer.zero_grad()
        group_loss(scores, group, hint).backward()
        optimizer.step()
    best, middle, worst, reference, fault, empty, unrelated = ((scores.detach() - MEAN) / DEVIATION).tolist()
    assert reference > best > middle > worst > unrelated > empty
    assert best - fault > 1.0
    assert abs((best + middle + worst) / 3 - 0.9) < 0.3
    assert empty - DEGENERATE["empty"] < 0.5
    assert worst - unrelated > 1.9
