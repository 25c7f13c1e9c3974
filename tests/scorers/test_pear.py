"""PEAR's own class on a tiny random checkpoint, against its own command's function."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.parallel import parallel_task
from bench.scorers.pear import Pear
from tests.helpers import command, tiny_comet

pear = pytest.importorskip("pear", reason="PEAR is not installed here: pip install 'bitext-bench[pear]'")
pytestmark = pytest.mark.slow

SOURCES = ["和平需要各国共同努力。", "出口管制应当公平合理。", "谢谢。"]
OFFICIAL = ["Peace needs all.", "Export control should be fair.", "Thank you."]
OTHER = ["Peace.", "Control is fair.", "Thanks a lot to all of you."]


def checkpoint(folder: Path) -> Path:
    """As the authors save one: lightning's file, with the hyperparameters that their class reads."""
    import pytorch_lightning
    import torch
    from pear.models.pairwise import PairwiseMetric

    settings = {
        "encoder_model": "XLM-RoBERTa",
        "pretrained_model": str(tiny_comet.encoder(folder / "encoder")),
        "load_pretrained_weights": False,
        "hidden_sizes": [8, 4],
        "final_init_std": 0.5,
    }
    torch.manual_seed(3)
    model = PairwiseMetric(**settings)
    trainer = pytorch_lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    (folder / "checkpoints").mkdir(parents=True)
    trainer.save_checkpoint(folder / "checkpoints" / "model.ckpt", weights_only=True)
    (folder / "hparams.yaml").write_text("class_identifier: pairwise_metric\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("pear"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))


def test_the_numbers_of_the_authors(folder: Path) -> None:
    model = pear.load_metric(folder / "checkpoints" / "model.ckpt", local_files_only=True)
    expected = pear.score_reference_anchored(model, SOURCES, OTHER, OFFICIAL, gpus=0, progress_bar=False)
    made = Pear("PEAR", str(folder), str(folder / "encoder"), batch_size=2)
    made.prepare()
    task = parallel_task("test", "zh-en", SOURCES, OFFICIAL)
    scores = made.score(task, {"other": OTHER, "official": OFFICIAL}, Path("not written"))
    assert scores["other"].segments == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) == 3
    assert any(abs(value) > 1e-3 for value in expected)
    assert made.score(task, {"other": OTHER}, Path("not written"))["other"] == scores["other"]


def test_two_translations_are_compared_in_both_orders(folder: Path) -> None:
    model = pear.load_metric(folder / "checkpoints" / "model.ckpt", local_files_only=True)
    both = pear.score_pairwise(model, SOURCES, OFFICIAL, OTHER, mode="both", gpus=0, progress_bar=False)
    expected = [(a - b) / 2 for a, b in zip(both["forward"], both["reverse"], strict=True)]
    made = Pear("PEAR", str(folder), str(folder / "encoder"), batch_size=2)
    task = parallel_task("test", "zh-en", SOURCES, ["not read", "", "x"])
    score = made.against(task, OTHER, OFFICIAL)
    assert score.segments == pytest.approx(expected, abs=1e-5)
    assert any(abs(value) > 1e-3 for value in expected)
    assert made.against(task, OFFICIAL, OTHER).segments == tuple(-value for value in score.segments)
    assert made.against(task, OTHER, OTHER).segments == (0, 0, 0)


def test_a_model_that_computes_no_number_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    import torch

    path = folder / "checkpoints" / "model.ckpt"
    content = torch.load(path, weights_only=True)
    content["state_dict"] = {name: torch.full_like(t, torch.inf) for name, t in content["state_dict"].items()}
    torch.save(content, tmp_path / "broken.ckpt")
    made = Pear("PEAR", str(tmp_path / "broken.ckpt"), str(folder / "encoder"))
    task = parallel_task("test", "zh-en", SOURCES, OFFICIAL)
    with pytest.raises(BenchError, match=r"PEAR computed no number for segment 1 of the set: use another"):
        made.score(task, {"other": OTHER}, Path("not written"))


def test_bench_compare_asks_about_two_systems(folder: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "runs")
    run = ["run", "-q", f"store={store}", "system=copy,dictionary", "direction=zh-en", "metric=[chrf]"]
    assert command.invoke(*run).exit_code == 0
    words = ["metric=pear", f"metric.pear.checkpoint={folder}", f"metric.pear.encoder={folder / 'encoder'}"]
    compared = ["--store", store, "--segments", "1"]
    there = command.invoke("compare", "copy", "dictionary", *words, *compared)
    back = command.invoke("compare", "dictionary", "copy", *words, *compared)
    assert there.exit_code == back.exit_code == 0, there.output + back.output
    rows = [
        re.search(
            r"PEAR \(A = 0\) ↑ +0\.000 +(-?)(0\.\d{3}) +([+-])\2 +\[\S+ \S+\] +(\S+ ?\S+) ", result.output
        )
        for result in (there, back)
    ]
    assert rows[0]
    assert rows[1]
    assert rows[0][2] == rows[1][2]
    assert rows[0][3] != rows[1][3]
    assert rows[0][4] == rows[1][4]
    assert "Segments by PEAR (A = 0): A better in" in there.output
    assert "by a model that reads both translations" in " ".join(there.output.split())
