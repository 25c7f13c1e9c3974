"""COMET with unbabel-comet's own models and loader: regression, reference-free, and with error spans.

Rei et al. 2020, 2022; CometKiwi: Rei et al. 2022; XCOMET: Guerreiro et al. 2024. The numbers equal those of
the `comet-score` command at the same precision (it halves the model: precision=float16). As there, the score
of a system is the mean of its segment scores. Its 95 % interval is the percentile bootstrap over segments
(Koehn 2004).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, get_args

from msgspec import Meta

from bench import limits
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.loading import Dtype
from bench.checkpoints.weights import WeightsConfig, fingerprint, parse_weights
from bench.core import Output, Score, Scorer, Task, Weights, digest
from bench.errors import BenchError
from bench.scorers import comet_embedded, predictions
from bench.scorers.comet_cache import Cache, Prediction, Sample
from bench.scorers.comet_checkpoint import (
    CHECKPOINT_FILES,
    ENCODER_FILES,
    Checkpoint,
    CheckpointFiles,
    ConfiguredCheckpoint,
    find_files,
    read_checkpoint,
)
from bench.translation.flags import flags

_INSTALL = "pip install 'bitext-bench[comet]'"


@dataclass(eq=False)
class Comet(Scorer):
    """A COMET checkpoint as a metric. A checkpoint that is missing is an error of `prepare`, not of creating
    the scorer.
    """

    name: str
    """The column heading."""
    checkpoint: WeightsConfig
    """A folder as COMET saves one, its .ckpt file, a hub id with its commit (org/name@<commit>), a list of
    sources (bench.checkpoints.weights), or "embedded" for bench.scorers.comet_embedded.
    """
    encoder: WeightsConfig | None = None
    """The folder or hub id of the encoder's config and tokenizer. Not needed if the checkpoint names an
    existing folder.
    """
    precision: Dtype = "float32"
    """float32, float16 or bfloat16: see bench.scorers.comet_checkpoint.load_model."""
    batch_tokens: Annotated[int, Meta(ge=1, le=limits.BATCH_TOKENS)] | None = None
    """Tokens per batch; None for a number that suits the device. It changes only the speed."""
    devices: Annotated[Sequence[str], Meta(max_length=limits.DEVICES)] = ()
    """For example [cuda:0, cuda:2]; by default all GPUs, or else the CPU."""
    required: bool = True

    tolerance = 1e-4

    def __post_init__(self) -> None:
        if self.precision not in get_args(Dtype):
            raise BenchError(
                f"{self.name} cannot be computed in {self.precision!r}: use one of {', '.join(get_args(Dtype))}."
            )

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        if self.checkpoint == "embedded":
            return comet_embedded
        return ConfiguredCheckpoint(parse_weights(self.checkpoint, files=CHECKPOINT_FILES))

    @cached_property
    def _encoder(self) -> Weights | None:
        return parse_weights(self.encoder, files=ENCODER_FILES) if self.encoder else None

    def identity(self) -> dict[str, Any]:
        return {**self._prediction_identity(), "name": self.name}

    def _prediction_identity(self) -> dict[str, Any]:
        """Everything that the prediction for a sample depends on. Not the device: in float32 it changes the
        sixth digit.
        """
        try:
            library = version("unbabel-comet")
        except PackageNotFoundError:
            raise BenchError(f"{self.name} needs unbabel-comet: {_INSTALL}.") from None
        return {
            "scorer": "comet",
            "version": 1,
            "unbabel-comet": library,
            "checkpoint": self._checkpoint.identity(),
            "encoder": fingerprint(self._encoder) if self._encoder else "",
            "precision": self.precision,
        }

    def needs(self) -> list[Weights]:
        return [*self._checkpoint.needs(), *([self._encoder] if self._encoder else [])]

    def prepare(self) -> None:
        self._prediction_identity()
        if not find_spec("pkg_resources"):
            raise BenchError(f"{self.name} needs setuptools before 81: pip install 'setuptools<81'.")
        read_checkpoint(self._files())

    def _files(self) -> CheckpointFiles:
        try:
            encoder = resolve(self._encoder) if self._encoder else None
            return find_files(self._checkpoint.folder(), encoder)
        except BenchError as error:
            raise BenchError(f"{str(error).rstrip('.')}{self._download_advice()}") from None

    def _download_advice(self) -> str:
        """The end of an error message: how to download the files that a hub has."""
        commands = []
        for config, files in ((self.checkpoint, CHECKPOINT_FILES), (self.encoder, ENCODER_FILES)):
            pinned = re.fullmatch(r"([\w.-]+/[\w.-]+)@(\w+)", config) if isinstance(config, str) else None
            if pinned:
                command = ["hf", "download", pinned[1], "--revision", pinned[2], "--include", *files]
                commands.append(shlex.join(command))
        if not commands:
            return "."
        return (
            f"; on a machine with network access, `{' && '.join(commands)}` downloads what {self.name} needs."
        )

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: finished work is in the user's cache, where other tasks find it too."""
        files = self._files()
        samples = predictions.samples(task, systems, files.reads_reference)
        known = self._predict_systems(files, samples)
        return {system: self._score(task, samples[system], known[system], files) for system in systems}

    def _predict_systems(
        self, files: CheckpointFiles, systems: Mapping[str, Sequence[Sample]]
    ) -> dict[str, list[Prediction]]:
        cache = Cache(cache_dir() / "comet" / f"{digest(self._prediction_identity())[:16]}.sqlite")
        all_samples = [sample for samples in systems.values() for sample in samples]
        if self.precision == "float16":
            remaining = iter(self._predict(files, cache, all_samples, list(systems.values())))
            return {system: list(islice(remaining, len(samples))) for system, samples in systems.items()}
        distinct = list(dict.fromkeys(all_samples))
        known = cache.predictions(distinct)
        missing = [sample for sample in distinct if sample not in known]
        if missing:
            known |= zip(missing, self._predict(files, cache, missing), strict=True)
        return {system: [known[sample] for sample in samples] for system, samples in systems.items()}

    def _predict(
        self,
        files: CheckpointFiles,
        cache: Cache,
        samples: Sequence[Sample],
        systems: Sequence[Sequence[Sample]] = (),
    ) -> list[Prediction]:
        """`systems`: the same samples by system, if the batches must be those of `comet-score`."""
        from bench.scorers import (
            comet_model,
        )  # not imported if all predictions are known, since it needs torch

        devices = self.devices or comet_model.available_devices()
        batch_tokens = self.batch_tokens or comet_model.default_batch_tokens(devices[0])
        work = comet_model.Work(files, self.precision, batch_tokens, cache, samples)
        if systems:
            shares = comet_model.comet_score_shares(systems, len(devices))
        else:
            shares = comet_model.shares_by_source(samples, len(devices))
        return comet_model.predict(work, shares, devices, self.name)

    def _score(
        self, task: Task, samples: Sequence[Sample], known: Sequence[Prediction], files: CheckpointFiles
    ) -> Score:
        remarks: list[tuple[int, str]] = []
        for index, ((source, hypothesis, _), prediction) in enumerate(zip(samples, known, strict=True)):
            raised = flags(Output(hypothesis), source, task.direction)
            remarks += [(index, remark) for remark in ("empty", "copied") if remark in raised]
            remarks += [(index, "cut")] if prediction.cut else []
        advice = "set precision=float32, or use another checkpoint"
        return predictions.mean_score(
            self.name, known, self._signature(files, known), advice, remarks=remarks
        )

    def _signature(self, files: CheckpointFiles, known: Sequence[Prediction]) -> str:
        identity = self._prediction_identity()
        encoder = f"|encoder:{identity['encoder']}" if identity["encoder"] else ""
        return (
            f"{self.name}|checkpoint:{identity['checkpoint']}{encoder}|precision:{self.precision}"
            f"|device:{predictions.devices(known)}|max:{files.max_tokens}"
            f"|version:{identity['unbabel-comet']}"
        )
