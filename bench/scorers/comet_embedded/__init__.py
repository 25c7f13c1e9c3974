"""COMET (embedded): a COMET regression model for machines that reach a package registry and no model hub.

The encoder is multilingual-e5-small (bench.checkpoints.e5). What bench/training taught it lies beside this file and is 4 % of it: low-rank
updates of the upper layers (Hu et al. 2021, LoRA: W + B A), their biases and norms, the mix of layers and the estimator. Both are
put together, once, as a checkpoint of COMET's own class RegressionMetric, which `comet-score --model` reads as well.
README.md here is the model card.
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
_VERSION = 1  # count up when what is made of the same files below gives other scores

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


def needs() -> tuple[Weights]:
    """What the checkpoint is made from, besides what lies here."""
    return (e5.PAYLOAD,)


def folder(encoder: Weights = e5.PAYLOAD, trained: Path = TRAINED) -> Path:
    """The checkpoint as COMET saves one (hparams.yaml, checkpoints/model.ckpt, 480 MB) and encoder/ with the config and the
    tokenizer, made once in the user's cache. Raises BenchError where the encoder cannot be fetched."""
    name = f"comet-embedded-{identity(encoder, trained).removeprefix('sha256:')[:16]}"
    sentence = "Putting COMET (embedded) together once, to load fast from now on (half a minute at most) …"
    return build_cached(name, lambda target: _make(resolve(encoder), trained, target, name), sentence)


def identity(encoder: Weights = e5.PAYLOAD, trained: Path = TRAINED) -> str:
    """What identifies the checkpoint, without making it."""
    return (
        f"sha256:{digest([fingerprint(encoder), hashlib.sha256(trained.read_bytes()).hexdigest(), _VERSION])}"
    )


def untrained(payload: e5.Payload, encoder: Path) -> Any:
    """RegressionMetric with the encoder's weights and a new estimator. `encoder`: what `save_encoder` wrote."""
    import torch
    from comet.models import RegressionMetric

    made = {key: value for key, value in HPARAMS.items() if key != "class_identifier"}
    model = RegressionMetric(**made, pretrained_model=str(encoder))
    inner = model.encoder.model
    shapes = {name: tuple(tensor.shape) for name, tensor in inner.state_dict().items()}
    positions = "embeddings.position_embeddings.weight"
    shapes[positions] = (payload.positions, payload.width)
    weights = {name: torch.tensor(array) for name, array in e5.encoder_weights(payload, shapes).items()}
    # XLM-R counts positions from the padding token's id + 1, BERT from 0
    unused = payload.special["pad"] + 1
    weights[positions] = torch.cat([torch.zeros(unused, payload.width), weights[positions]])
    inner.load_state_dict(weights)
    return model.eval()


def save_encoder(payload: e5.Payload, target: Path) -> None:
    """Config and tokenizer of the encoder as an XLM-R, which is all that COMET reads beside a checkpoint."""
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


def teach(model: Any, trained: Mapping[str, torch.Tensor]) -> None:
    """Puts what was trained into an untrained model: names of its parameters, or those and ".A" [rank, in], ".B" [out, rank]."""
    import torch

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in trained.items():
            if name.endswith(".A"):
                base = name.removesuffix(".A")
                parameters[base] += trained[f"{base}.B"].float() @ tensor.float()
            elif not name.endswith(".B"):
                parameters[name].copy_(tensor)


@silent()  # transformers warns of a pattern in the tokenizer that is not there
def _make(payload_file: Path, trained: Path, target: Path, name: str) -> None:
    import pytorch_lightning
    import torch
    import yaml
    from safetensors.torch import load_file

    payload = e5.read(payload_file)
    (target / "encoder").mkdir()
    (target / "checkpoints").mkdir()
    save_encoder(payload, target / "encoder")
    model = untrained(payload, target / "encoder")
    teach(model, load_file(trained))
    # where it will lie once it is whole: comet-score reads this from the checkpoint
    hparams = {**HPARAMS, "pretrained_model": str(cache_dir() / "converted" / name / "encoder")}
    (target / "hparams.yaml").write_text(yaml.safe_dump(hparams), encoding="utf-8")
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": hparams,
        "pytorch-lightning_version": pytorch_lightning.__version__,
    }
    torch.save(checkpoint, target / "checkpoints" / "model.ckpt")
