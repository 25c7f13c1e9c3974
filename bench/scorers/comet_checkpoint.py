"""A COMET checkpoint on disk, and how COMET's own loader makes a model of it.

<folder>/hparams.yaml
<folder>/checkpoints/model.ckpt

The checkpoint holds all weights, but of its encoder only the name (`pretrained_model`: a hub id or a folder).
The encoder's config and tokenizer are separate files with a revision of their own. Nothing in this module
uses the network: bench.checkpoints.fetching fetches files.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.checkpoints.fetching import resolve
from bench.checkpoints.loading import configs
from bench.checkpoints.safety import model_parameters, refuse_oversized, refuse_unsafe
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Weights, digest
from bench.errors import BenchError
from bench.files import read_bytes

CHECKPOINT_FILES = ("hparams.yaml", "checkpoints/model.ckpt")
ENCODER_FILES = ("*.json", "*.txt", "*.model")
"""Config and tokenizer: the weights are in the checkpoint."""

_ENCODE_SEPARATELY = {"regression_metric", "referenceless_regression_metric"}
"""Classes that encode source, hypothesis and reference separately; the others encode them joined."""


class Checkpoint(Protocol):
    """Where a checkpoint is, and what identifies it. A module with these functions is one
    (bench.scorers.comet_embedded).
    """

    def needs(self) -> Sequence[Weights]:
        """The files that it is read or made from."""
        ...

    def folder(self) -> Path:
        """The checkpoint's folder, or the .ckpt file in it; fetched or made if necessary."""
        ...

    def identity(self) -> str:
        """What identifies the bytes, without fetching or making them."""
        ...


@dataclass(frozen=True)
class ConfiguredCheckpoint:
    """A checkpoint that a config names."""

    weights: Weights

    def needs(self) -> Sequence[Weights]:
        return (self.weights,)

    def folder(self) -> Path:
        return resolve(self.weights)

    def identity(self) -> str:
        """The hub's commit, or the digest of all files that a local checkpoint is read from, including its
        encoder's.
        """
        (source, *_) = self.weights.sources
        if "path" not in source or self.weights.sha256:
            return fingerprint(self.weights)
        files = find_files(resolve(self.weights), None, encoder_needed=False)
        paths = [files.weights, files.hparams_file, *([files.encoder] if files.encoder else [])]
        return f"sha256:{digest([fingerprint(parse_weights(str(path))) for path in paths])}"


@dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint's files on this machine, and what they say about the model without loading it."""

    weights: Path
    """checkpoints/model.ckpt"""
    hparams_file: Path
    encoder: Path | None
    """The folder with the encoder's config and tokenizer."""
    hparams: dict[str, Any]
    """The content of hparams.yaml."""

    @property
    def encodes_separately(self) -> bool:
        """True if each text is encoded on its own, False if source, hypothesis and reference are joined."""
        return self.hparams["class_identifier"] in _ENCODE_SEPARATELY

    @property
    def reads_reference(self) -> bool:
        if self.hparams["class_identifier"] == "referenceless_regression_metric":
            return False
        return "ref" in (self.hparams.get("input_segments") or ["ref"])

    @property
    def max_tokens(self) -> int:
        """The number of tokens that the encoder reads, including special tokens: of one text, or of the
        joined texts.

        As in comet.encoders.base.Encoder (`prepare_sample`, `concat_sequences`).
        """
        assert self.encoder
        config = json.loads((self.encoder / "config.json").read_text("utf-8"))
        positions = int(config["max_position_embeddings"]) - 2
        return positions - 2 if self.encodes_separately else positions


def find_files(path: Path, encoder: Path | None, encoder_needed: bool = True) -> CheckpointFiles:
    """The files of a checkpoint. Raises BenchError if one is missing or damaged.

    `path`: the checkpoint's folder or .ckpt file. `encoder`: the folder of its encoder; None for the one that
    the checkpoint names, or the folder "encoder" beside hparams.yaml.
    """
    import yaml

    weights = path if path.is_file() else path / "checkpoints" / "model.ckpt"
    hparams_file = weights.parents[1] / "hparams.yaml"
    for needed in (weights, hparams_file):
        if not needed.is_file():
            raise BenchError(
                f"The COMET checkpoint {path} lacks {needed}: give a folder with hparams.yaml and "
                "checkpoints/model.ckpt."
            )
    try:
        hparams = dict(yaml.safe_load(read_bytes(hparams_file, advice="get the checkpoint again")))
        encoder_name = hparams["pretrained_model"]
        hparams["class_identifier"]
    except (yaml.YAMLError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise BenchError(
            f"{hparams_file} is not a file that COMET writes ({reason}): get the checkpoint again."
        ) from None
    if not encoder:
        beside = (hparams_file.parent / str(encoder_name)).absolute()  # an absolute path stays as it is
        candidates = (beside, hparams_file.parent / "encoder")
        encoder = next((folder for folder in candidates if folder.is_dir()), None)
    if encoder_needed and not (encoder and (encoder / "config.json").is_file()):
        raise BenchError(
            f"{hparams_file} names the encoder {encoder_name}, whose config and tokenizer are missing: "
            "set encoder to its folder, or to its hub id with a pinned revision, org/name@<commit>."
        )
    if encoder and encoder_needed:
        refuse_unsafe(encoder)
    return CheckpointFiles(weights, hparams_file, encoder, hparams)


def read_checkpoint(files: CheckpointFiles) -> dict[str, Any]:
    """The content of the .ckpt file, with tensors that are read when they are used.

    Raises BenchError unless torch's weights-only unpickler reads all of it: a full unpickler would run code
    in the file.
    """
    import torch

    try:
        return dict(torch.load(files.weights, map_location="cpu", weights_only=True, mmap=True))
    except Exception as error:  # torch has many ways to refuse a file
        lines = str(error).splitlines() or [""]
        reason = next((line for line in lines if "global" in line.lower()), lines[0])
        raise BenchError(
            f"{files.weights} is damaged or contains more than weights ({' '.join(reason.split())[:200]}): "
            "get it from its publisher, or, if you trust it, load it yourself and save its state_dict "
            "and hyper_parameters again."
        ) from None


def load_model(files: CheckpointFiles, precision: str, device: str) -> Any:
    """The model, ready to score.

    `precision`: "float32"; "float16" for the complete model in half precision, as in `comet-score`;
    "bfloat16" for torch's autocast in the encoder, while pooling and estimator stay in float32.
    """
    import torch
    import yaml

    content = read_checkpoint(files)
    # COMET takes the hyperparameters from the checkpoint instead of hparams.yaml. They differ only in the
    # encoder's path …
    settings = {
        **files.hparams,
        **content.get("hyper_parameters", {}),
        "pretrained_model": str(files.encoder),
        "class_identifier": files.hparams["class_identifier"],
    }
    # … and in this value, by which COMET's loader recognises checkpoints with its bug #244.
    if files.hparams.get("layer_transformation") == "sparsemax_patch":
        settings["layer_transformation"] = "sparsemax_patch"
    # lightning imports and calls what such a key names, unless it is recent
    if private := [key for key in settings if str(key).startswith("_")]:
        raise BenchError(f"{files.weights} asks for code ({str(private[0])[:80]}): use another checkpoint.")
    _refuse_sizes(files, settings)
    with tempfile.TemporaryDirectory() as folder, silent(), _loading_errors(files):
        from comet import load_from_checkpoint
        from transformers.modeling_utils import no_init_weights

        (Path(folder) / "checkpoints").mkdir()
        link = Path(folder) / "checkpoints" / "model.ckpt"
        link.symlink_to(files.weights.resolve())
        (Path(folder) / "hparams.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        with no_init_weights():  # random weights would take longer than reading those that replace them
            model = load_from_checkpoint(str(link), reload_hparams=True, local_files_only=True)
    # COMET's loader does not report missing weights.
    if gaps := {name for name, _ in model.named_parameters()} - content["state_dict"].keys():
        raise BenchError(
            f"{files.weights} lacks {len(gaps)} of its model's weights ({min(gaps)} …): get it again."
        )
    model.eval().requires_grad_(False)
    if precision == "float16":
        model.half()
    if precision == "bfloat16":
        # COMET has no setting for it, and pooling must stay outside: so this instance's encoder gets another
        # forward.
        autocast = torch.autocast(device.partition(":")[0], torch.bfloat16)
        model.encoder.forward = autocast(model.encoder.forward)
    return model.to(device)


def _refuse_sizes(files: CheckpointFiles, settings: Mapping[str, Any]) -> None:
    """Raise BenchError if the encoder or the layers above it are larger than the checkpoint's weights."""
    import transformers

    assert files.encoder
    parameters = model_parameters(transformers.AutoModel, configs(files.encoder)[0])
    sizes = settings.get("hidden_sizes")
    for size in sizes if isinstance(sizes, list) else [sizes]:
        parameters += size if isinstance(size, int) else 0
    refuse_oversized(parameters, files.weights.stat().st_size, str(files.weights))


@contextmanager
def _loading_errors(files: CheckpointFiles) -> Iterator[None]:
    """Turn every error of the libraries into a BenchError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BenchError(f"COMET cannot be imported ({error}): pip install 'bitext-bench[comet]'.") from None
    except BenchError:
        raise
    except Exception as error:  # files that do not belong together make the libraries fail in many ways
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BenchError(
            f"The COMET checkpoint {files.weights} cannot be loaded ({reason}): get it again."
        ) from error


@contextmanager
def silent() -> Iterator[None]:
    """Suppress logs and warnings of libraries: importing comet logs every library, and lightning
    advertises.
    """
    import transformers

    transformers.logging.set_verbosity_error()
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.handlers[:], root.level = handlers, level
