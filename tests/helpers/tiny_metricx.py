"""A tiny random MetricX checkpoint of the true architecture: mT5 without tied embeddings, with mT5's vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

VOCABULARY = 250_112


def checkpoint(folder: Path, seed: int = 24) -> Path:
    """Its weights follow from the seed, on every machine."""
    import torch
    from transformers import MT5Config, MT5ForConditionalGeneration

    config = MT5Config(
        vocab_size=VOCABULARY,
        d_model=8,
        d_kv=4,
        d_ff=16,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        architectures=["MT5ForRegression"],
    )
    model = MT5ForConditionalGeneration(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            values = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(values * (6 if name == "lm_head.weight" else 1))
    model.config.architectures = ["MT5ForRegression"]
    model.save_pretrained(folder)
    return folder


def tokenizer(folder: Path) -> Path:
    """The files of mT5's own folder: a sentencepiece model, without a tokenizer.json."""
    import sentencepiece
    from transformers import MT5Config

    from tests.helpers import tiny

    folder.mkdir()
    corpus = folder.with_name("corpus.txt")
    corpus.write_text("\n".join(tiny.texts()), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "spiece"),
        vocab_size=900,
        character_coverage=1.0,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    settings = {
        **special,
        "additional_special_tokens": None,
        "extra_ids": 0,
        "tokenizer_class": "T5Tokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    MT5Config().save_pretrained(folder)
    return folder
