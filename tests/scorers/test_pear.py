"""PEAR's own class on a tiny random checkpoint, against its own command's function."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.references.parallel import parallel_task
from bench.scorers.pear import Pear
from tests.helpers import tiny_comet

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


def test_the_numbers_of_the_authors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    folder = checkpoint(tmp_path / "pear")
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
