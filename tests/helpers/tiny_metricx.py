"""A tiny random MetricX checkpoint of the true architecture: mT5 without tied embeddings, with mT5's vocabulary."""

from __future__ import annotations

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
    """A tokenizer that ends each text with </s>, as mT5's does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import MT5Config, PreTrainedTokenizerFast

    from tests.helpers import tiny

    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=600, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(tiny.texts(), trainer)
    made.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    MT5Config().save_pretrained(folder)  # as in mT5's own folder
    return folder
