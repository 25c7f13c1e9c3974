"""COMET (embedded): a COMET regression model from the package registry, without the Hugging Face Hub.

The encoder is multilingual-e5-small (bench.checkpoints.e5). The trained parameters (trained.safetensors, 4 %
of its size) are in this folder: low-rank updates of the upper layers (Hu et al. 2021, LoRA: W + B A), their
biases and norms, the layer mix and the estimator. The top-level folder `training` made them. Both are
combined once into a checkpoint of COMET's own class RegressionMetric, which `comet-score --model` reads as
well. README.md in this folder is the model card.

This module has the functions of bench.scorers.comet_checkpoint.Checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.checkpoints import e5
from bench.checkpoints.cache import build_cached, cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint
from bench.core import Weights, digest
from bench.scorers.comet_checkpoint import silent

if TYPE_CHECKING:
    import torch

TRAINED = Path(__file__).with_name("trained.safetensors")
"""The trained parameters."""
_VERSION = 1  # increase it when the same files, combined below, give other scores

HPARAMS: dict[str, Any] = {
    "class_identifier": "regression_metric",
    "encoder_model": "XLM-RoBERTa",
    "pool": "avg",
    "layer": "mix",
    "layer_transformation": "softmax",
    "layer_norm": False,
    "hidden_sizes": [768, 256],
    "activations": "Tanh",
    "final_activation": None,
    "dropout": 0.1,
    "nr_frozen_epochs": 0,
    "keep_embeddings_frozen": True,
    "load_pretrained_weights": False,
    "local_files_only": True,
}
"""COMET's hyperparameters (hparams.yaml), without `pretrained_model`."""


def needs() -> tuple[Weights]:
    """The files that the checkpoint is built from, besides those in this folder."""
    return (e5.PAYLOAD,)


def folder(encoder: Weights = e5.PAYLOAD, trained: Path = TRAINED) -> Path:
    """The checkpoint in COMET's own layout, built once in the user's cache: 480 MB.

    It contains hparams.yaml, checkpoints/model.ckpt, and encoder/ with the encoder's config and tokenizer.
    Raises BenchError if the encoder cannot be fetched.
    """
    name = f"comet-embedded-{identity(encoder, trained).removeprefix('sha256:')[:16]}"
    message = "Building the COMET (embedded) checkpoint once for fast loading (up to half a minute) …"
    return build_cached(name, lambda folder: _build(resolve(encoder), trained, folder, name), message)


def identity(encoder: Weights = e5.PAYLOAD, trained: Path = TRAINED) -> str:
    """The digest that identifies the checkpoint. Does not build it."""
    trained_sha256 = hashlib.sha256(trained.read_bytes()).hexdigest()
    return f"sha256:{digest([fingerprint(encoder), trained_sha256, _VERSION])}"


def untrained(payload: e5.Payload, encoder: Path) -> Any:
    """The untrained model: the encoder's weights and a new estimator. `encoder`: see `save_encoder`."""
    import torch
    from comet.models import RegressionMetric

    arguments = {key: value for key, value in HPARAMS.items() if key != "class_identifier"}
    model = RegressionMetric(**arguments, pretrained_model=str(encoder))
    xlm_roberta = model.encoder.model
    shapes = {name: tuple(tensor.shape) for name, tensor in xlm_roberta.state_dict().items()}
    positions = "embeddings.position_embeddings.weight"
    shapes[positions] = (payload.positions, payload.width)
    weights = {name: torch.tensor(array) for name, array in e5.encoder_weights(payload, shapes).items()}
    # XLM-R counts positions from the padding token's id + 1, BERT from 0
    unused = payload.special["pad"] + 1
    weights[positions] = torch.cat([torch.zeros(unused, payload.width), weights[positions]])
    xlm_roberta.load_state_dict(weights)
    return model.eval()


def save_encoder(payload: e5.Payload, target: Path) -> None:
    """Save the encoder's config, as an XLM-R, and its tokenizer: all that COMET needs of an encoder."""
    from transformers import XLMRobertaConfig

    XLMRobertaConfig(
        vocab_size=payload.embeddings,
        hidden_size=payload.width,
        num_hidden_layers=payload.layers,
        num_attention_heads=payload.heads,
        intermediate_size=payload.feed_forward,
        max_position_embeddings=payload.positions + payload.special["pad"] + 1,
        type_vocab_size=payload.token_types,
        layer_norm_eps=payload.epsilon,
        pad_token_id=payload.special["pad"],
        bos_token_id=payload.special["bos"],
        eos_token_id=payload.special["eos"],
    ).save_pretrained(target)
    e5.save_tokenizer(payload, target)


def apply_trained(model: Any, trained: Mapping[str, torch.Tensor]) -> None:
    """Put the trained parameters into an untrained model, in place.

    `trained`: name of a parameter -> its value; or, for a low-rank update of the parameter, its name with
    ".A" [rank, in] and with ".B" [out, rank].
    """
    import torch

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in trained.items():
            if name.endswith(".A"):
                base = name.removesuffix(".A")
                parameters[base] += trained[f"{base}.B"].float() @ tensor.float()
            elif not name.endswith(".B"):
                parameters[name].copy_(tensor)


@silent()  # transformers warns of a wrong split pattern, which this tokenizer does not have
def _build(payload_file: Path, trained: Path, target: Path, name: str) -> None:
    import pytorch_lightning
    import torch
    import yaml
    from safetensors.torch import load_file

    payload = e5.read(payload_file)
    (target / "encoder").mkdir()
    (target / "checkpoints").mkdir()
    save_encoder(payload, target / "encoder")
    model = untrained(payload, target / "encoder")
    apply_trained(model, load_file(trained))
    # the final path, which comet-score reads from the checkpoint: `target` is renamed to it
    hparams = {**HPARAMS, "pretrained_model": str(cache_dir() / "converted" / name / "encoder")}
    (target / "hparams.yaml").write_text(yaml.safe_dump(hparams), encoding="utf-8")
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": hparams,
        "pytorch-lightning_version": pytorch_lightning.__version__,
    }
    torch.save(checkpoint, target / "checkpoints" / "model.ckpt")
