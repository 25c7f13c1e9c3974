"""Tiny real COMET checkpoints: comet's own classes on a two-layer XLM-R, saved by lightning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers import tiny

POSITIONS = 64
"""Tokens that the encoder reads of two or three joined texts; of a single text it reads two fewer."""

_SHARED: dict[str, Any] = {
    "encoder_model": "XLM-RoBERTa",
    "hidden_sizes": [32, 16],
    "layer_transformation": "sparsemax",
    "layer_norm": False,
    "nr_frozen_epochs": 0,
    "load_pretrained_weights": False,
}
_UNIFIED: dict[str, Any] = {"sent_layer": "mix", "word_layer": 2, "word_level_training": True}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "regression": ("RegressionMetric", {}),
    "referenceless": ("ReferencelessRegression", {}),
    "kiwi": (
        "UnifiedMetric",
        {**_UNIFIED, "input_segments": ["mt", "src"], "word_level_training": False},
    ),
    "unified": ("UnifiedMetric", {**_UNIFIED, "error_labels": ["minor", "major", "critical"]}),
    "xcomet": ("XCOMETMetric", {**_UNIFIED, "error_labels": ["minor", "major", "critical"]}),
}
"""Kind -> comet's class and the arguments of its `__init__`."""


def encoder(folder: Path) -> Path:
    """Write the config and the tokenizer of a tiny XLM-R, without weights, into `folder`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    # as XLM-R's, which ignores spaces around a text
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=600, special_tokens=[*special, "<mask>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(tiny.texts(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=POSITIONS + 2,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        initializer_range=0.5,
    ).save_pretrained(folder)
    return folder


def checkpoint(folder: Path, kind: str = "regression", pretrained: str = "") -> Path:
    """Write checkpoints/model.ckpt and hparams.yaml into `folder`, and the encoder's files into
    `folder`/encoder.

    `pretrained`: the encoder's name in the checkpoint, such as a hub id; by default its folder.
    """
    import comet.models
    import pytorch_lightning
    import torch
    from pytorch_lightning.core.saving import save_hparams_to_yaml

    encoder_folder = encoder(folder / "encoder")
    name, settings = KINDS[kind]
    torch.manual_seed(7)
    model = getattr(comet.models, name)(**_SHARED, **settings, pretrained_model=str(encoder_folder))
    with torch.no_grad():  # so that layers, texts and severities differ as in a trained model
        for parameter in model.layerwise_attention.parameters():
            parameter.add_(torch.rand_like(parameter))
        for head in (model.estimator, getattr(model, "hidden2tag", None)):
            for parameter in head.parameters() if head else ():
                parameter.mul_(4)
    if pretrained:
        model.hparams.pretrained_model = pretrained
    (folder / "checkpoints").mkdir()
    trainer = pytorch_lightning.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False
    )
    trainer.strategy.connect(model)
    trainer.save_checkpoint(folder / "checkpoints" / "model.ckpt")
    save_hparams_to_yaml(folder / "hparams.yaml", model.hparams)
    return folder
