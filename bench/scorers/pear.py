"""PEAR (Proietti et al. 2026), through its authors' package: how much better a translation is than the official one.

PEAR compares two translations of a source. As a metric the second one is always the official translation, as in the
authors' "reference-anchored" scoring: a segment has about 0 if it is as good as that, and less if it is worse. The
score of a system is the mean. `bench compare A B metric=pear` compares two systems with each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from bench import limits
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.loading import device
from bench.checkpoints.safety import load_errors, refuse_unsafe
from bench.checkpoints.weights import WeightsConfig, fingerprint, parse_weights
from bench.core import Score, Scorer, Task, Weights, digest
from bench.errors import BenchError
from bench.records import Line
from bench.scorers import predictions
from bench.scorers.comet_cache import Cache, Prediction, Sample
from bench.scorers.comet_checkpoint import CHECKPOINT_FILES, ENCODER_FILES, silent


class Pear(Scorer):
    """`name`: the column heading. `checkpoint`: a folder with hparams.yaml and checkpoints/model.ckpt, or a hub id with
    its commit. `encoder`: the folder or hub id of the encoder's config and tokenizer. `required`: see
    bench.core.Scorer.
    """

    tolerance = 1e-4

    def __init__(
        self,
        name: Line,
        checkpoint: WeightsConfig,
        encoder: WeightsConfig,
        batch_size: Annotated[int, Meta(ge=1, le=limits.CONCURRENCY)] = 8,
        required: bool = True,
    ) -> None:
        self.name, self.checkpoint, self.encoder = name, checkpoint, encoder
        self.batch_size, self.required = batch_size, required

    @cached_property
    def _weights(self) -> Weights:
        return parse_weights(self.checkpoint, files=CHECKPOINT_FILES)

    @cached_property
    def _encoder(self) -> Weights:
        return parse_weights(self.encoder, files=ENCODER_FILES)

    def identity(self) -> dict[str, Any]:
        return {**self._prediction_identity(), "name": self.name}

    def _prediction_identity(self) -> dict[str, Any]:
        try:
            library = version("pear-mt")
        except PackageNotFoundError:
            raise BenchError(f"{self.name} needs pear-mt: pip install 'bitext-bench[pear]'.") from None
        return {
            "scorer": "pear",
            "version": 1,
            "pear-mt": library,
            "checkpoint": fingerprint(self._weights),
            "encoder": fingerprint(self._encoder),
        }

    def needs(self) -> list[Weights]:
        return [self._weights, self._encoder]

    def prepare(self) -> None:
        self._prediction_identity()
        resolve(self._weights)
        resolve(self._encoder)

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: finished work is in the user's cache, where other tasks find it too."""
        samples = predictions.samples(task, systems)
        known = self._predictions([sample for each in samples.values() for sample in each])
        return {
            system: self._score(self.name, [known[sample] for sample in each], "reference")
            for system, each in samples.items()
        }

    def against(self, task: Task, a: Sequence[str], b: Sequence[str]) -> Score:
        """How much better the translations `b` are than `a`: 0 for equally good, more if `b` is better.

        Both are parallel to `task.sources`. A segment is the mean of both orders, since the model reads one
        translation after the other: exchanging `a` and `b` changes nothing but the sign.
        """
        pairs = list(zip(task.sources, b, a, strict=True))
        known = self._predictions([*pairs, *((source, first, second) for source, second, first in pairs)])
        found = [
            replace(
                known[source, new, old],
                value=(known[source, new, old].value - known[source, old, new].value) / 2,
            )
            for source, new, old in pairs
        ]
        return self._score(f"{self.name} (A = 0)", found, "other")

    def _predictions(self, wanted: Sequence[Sample]) -> dict[Sample, Prediction]:
        cache = Cache(cache_dir() / "pear" / f"{digest(self._prediction_identity())[:16]}.sqlite")
        known = cache.predictions(wanted)
        if missing := [sample for sample in dict.fromkeys(wanted) if sample not in known]:
            made = dict(zip(missing, self._predict(missing), strict=True))
            cache.keep_predictions(made)
            known |= made
        return known

    def _predict(self, samples: Sequence[Sample]) -> list[Prediction]:
        with silent():
            from pear import score_reference_anchored

            sources, hypotheses, references = (list(column) for column in zip(*samples, strict=True))
            values = score_reference_anchored(
                self._load(),
                sources,
                hypotheses,
                references,
                batch_size=self.batch_size,
                gpus=int(device() == "cuda"),
                progress_bar=False,
            )
        return [Prediction(value, False, device()) for value in values]

    def _load(self) -> Any:
        """The authors' own class. Its weights are read by torch's weights-only unpickler; its encoder's config and
        tokenizer come from our folder instead of the hub."""
        import torch
        from pear.models.pairwise import PairwiseMetric

        folder, encoder = resolve(self._weights), resolve(self._encoder)
        refuse_unsafe(encoder)
        path = folder if folder.is_file() else folder / "checkpoints" / "model.ckpt"
        with load_errors(path):
            return PairwiseMetric.load_from_checkpoint(
                path,
                map_location=torch.device("cpu"),
                weights_only=True,
                strict=False,
                load_pretrained_weights=False,
                local_files_only=True,
                pretrained_model=str(encoder),
                encoder_revision=None,
            ).eval()

    def _score(self, name: str, known: Sequence[Prediction], anchor: str) -> Score:
        identity = self._prediction_identity()
        signature = (
            f"{self.name}|checkpoint:{identity['checkpoint']}|encoder:{identity['encoder']}|anchor:{anchor}"
            f"|device:{predictions.devices(known)}|version:{identity['pear-mt']}"
        )
        return predictions.mean_score(name, known, signature, "use another checkpoint")
