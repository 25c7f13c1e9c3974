"""A COMET checkpoint, as COMET saves one, becomes a model by COMET's own loader:

<folder>/hparams.yaml, <folder>/checkpoints/model.ckpt

It holds all weights, but of its encoder it knows no more than a name (`pretrained_model`: a hub id, or a folder): the
encoder's config and tokenizer come from elsewhere, at a revision of their own. Nothing here asks a network; what is fetched
is fetched by bench.checkpoints.fetching.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Weights, digest
from bench.errors import BenchError

CHECKPOINT_FILES = ("hparams.yaml", "checkpoints/model.ckpt")
ENCODER_FILES = ("*.json", "*.txt", "*.model")
"""Config and tokenizer: the weights are in the checkpoint."""

_SEPARATE = {"regression_metric", "referenceless_regression_metric"}
"""Classes that encode each text by itself; the others encode them joined."""


class Checkpoint(Protocol):
    """Where a checkpoint lies and what identifies it. A module with these functions is one (bench.scorers.comet_embedded)."""

    def needs(self) -> Sequence[Weights]:
        """What it is read or made from."""
        ...

    def folder(self) -> Path:
        """The folder, or the .ckpt file in it; fetched or made where it is not there yet."""
        ...

    def identity(self) -> str:
        """What identifies the bytes, without fetching or making them."""
        ...


@dataclass(frozen=True)
class Pinned:
    """A checkpoint that a config names: see bench.checkpoints.weights.Weights."""

    weights: Weights

    def needs(self) -> Sequence[Weights]:
        return (self.weights,)

    def folder(self) -> Path:
        return resolve(self.weights)

    def identity(self) -> str:
        """The hub's commit, or the digest of all that a local checkpoint is read from, its encoder's files among them."""
        (source, *_) = self.weights.sources
        if "path" not in source or self.weights.sha256:
            return fingerprint(self.weights)
        found = find(resolve(self.weights), None, encoder_needed=False)
        parts = [found.file, found.hparams, *([found.encoder] if found.encoder else [])]
        return f"sha256:{digest([fingerprint(parse_weights(str(part))) for part in parts])}"


@dataclass(frozen=True)
class Found:
    """A checkpoint's files on this machine, and what they say without being loaded."""

    file: Path
    hparams: Path
    encoder: Path | None
    """The folder with the encoder's config and tokenizer."""
    said: dict[str, Any]
    """What hparams.yaml holds."""

    @property
    def separate(self) -> bool:
        """Each text is encoded by itself."""
        return self.said["class_identifier"] in _SEPARATE

    @property
    def reads_reference(self) -> bool:
        if self.said["class_identifier"] == "referenceless_regression_metric":
            return False
        return "ref" in (self.said.get("input_segments") or ["ref"])

    @property
    def longest(self) -> int:
        """Tokens that the encoder reads, the special ones included: of one text, or of two or three joined. They are those of
        comet.encoders.base.Encoder (`prepare_sample`, `concat_sequences`)."""
        assert self.encoder
        config = json.loads((self.encoder / "config.json").read_text("utf-8"))
        positions = int(config["max_position_embeddings"]) - 2
        return positions - 2 if self.separate else positions


def find(path: Path, encoder: Path | None, encoder_needed: bool = True) -> Found:
    """`path`: a checkpoint's folder or .ckpt file; `encoder`: the folder of its encoder, where another is meant than the
    checkpoint names. Raises BenchError where a file is missing."""
    import yaml

    file = path if path.is_file() else path / "checkpoints" / "model.ckpt"
    hparams = file.parents[1] / "hparams.yaml"
    for needed in (file, hparams):
        if not needed.is_file():
            raise BenchError(
                f"The COMET checkpoint {path} lacks {needed}: name a folder with hparams.yaml and checkpoints/model.ckpt."
            )
    try:
        said = dict(yaml.safe_load(hparams.read_text("utf-8")))
        named = said["pretrained_model"]
        said["class_identifier"]
    except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise BenchError(
            f"{hparams} is not what COMET writes ({reason}): get the checkpoint again."
        ) from None
    if not encoder:
        beside = (hparams.parent / str(named)).absolute()  # an absolute path stays what it is
        encoder = next((each for each in (beside, hparams.parent / "encoder") if each.is_dir()), None)
    if encoder_needed and not (encoder and (encoder / "config.json").is_file()):
        raise BenchError(
            f"{hparams} names the encoder {named}, and its config and tokenizer are not there: "
            "set encoder to its folder, or to its hub id with a pinned revision, org/name@<commit>."
        )
    return Found(file, hparams, encoder, said)


def check(found: Found) -> dict[str, Any]:
    """What the checkpoint holds, its tensors not yet read. Raises BenchError unless torch's unpickler for weights reads all
    of it: a pickle runs whatever code it was given."""
    import torch

    try:
        return dict(torch.load(found.file, map_location="cpu", weights_only=True, mmap=True))
    except Exception as error:  # torch has many ways to refuse a file
        (reason, *_) = [line for line in str(error).splitlines() if "global" in line.lower()] or [
            str(error).partition("\n")[0]
        ]
        raise BenchError(
            f"{found.file} is more than weights or not whole ({' '.join(reason.split())[:200]}): get it from where it was "
            "published, or, where you trust it, load it there and save its state_dict and hyper_parameters again."
        ) from None


def load(found: Found, precision: str, device: str) -> Any:
    """The model, ready to score. `precision`: "float32"; "float16" is all of it in half precision, as `comet-score` does;
    "bfloat16" is torch's autocast in the encoder, while pooling and estimator stay in float32."""
    import torch
    import yaml

    held = check(found)
    # COMET takes the hyperparameters from the checkpoint, not from hparams.yaml; they differ in nothing but the encoder's place …
    settings = {**found.said, **held.get("hyper_parameters", {}), "pretrained_model": str(found.encoder)}
    settings["class_identifier"] = found.said["class_identifier"]
    if (
        found.said.get("layer_transformation") == "sparsemax_patch"
    ):  # … and in this, by which COMET's loader mends #244
        settings["layer_transformation"] = "sparsemax_patch"
    with tempfile.TemporaryDirectory() as room, silent(), _sentence(found):
        from comet import load_from_checkpoint
        from transformers.modeling_utils import no_init_weights

        (Path(room) / "checkpoints").mkdir()
        link = Path(room) / "checkpoints" / "model.ckpt"
        link.symlink_to(found.file.resolve())
        text = yaml.safe_dump(settings)
        (Path(room) / "hparams.yaml").write_text(text, encoding="utf-8")
        with no_init_weights():  # random ones would take longer than reading those that replace them
            model = load_from_checkpoint(str(link), reload_hparams=True, local_files_only=True)
    # the loader does not mind weights that are missing
    if gaps := {name for name, _ in model.named_parameters()} - held["state_dict"].keys():
        raise BenchError(
            f"{found.file} lacks {len(gaps)} of its model's weights ({min(gaps)} …): get it again."
        )
    model.eval().requires_grad_(False)
    if precision == "float16":
        model.half()
    if precision == "bfloat16":
        cast = torch.autocast(device.partition(":")[0], torch.bfloat16)
        model.encoder.forward = cast(model.encoder.forward)
    return model.to(device)


@contextmanager
def _sentence(found: Found) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise BenchError(f"COMET cannot be imported ({error}): pip install 'bitext-bench[comet]'.") from None
    except Exception as error:  # files that do not belong together make the libraries fail in many ways
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BenchError(f"The COMET checkpoint {found.file} cannot be loaded: {reason}") from error


@contextmanager
def silent() -> Iterator[None]:
    """Importing comet sends the log of every library to standard error, and lightning advertises there."""
    import transformers

    transformers.logging.set_verbosity_error()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        root.handlers[:], root.level = before
