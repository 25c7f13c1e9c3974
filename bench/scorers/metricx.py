"""MetricX-23 and MetricX-24 (Juraska et al. 2023, 2024): a predicted MQM error score, from 0 (perfect) to 25.

MetricX-24 is one model for both: with the reference, or without it (QE). The score of a system is the mean of its
segments, as in the authors' evaluation. Lower is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from bench import limits, progress
from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.loading import Dtype, device, require_models
from bench.checkpoints.weights import WeightsConfig, fingerprint, parse_weights
from bench.core import Score, Scorer, Task, Weights, digest
from bench.records import Line
from bench.scorers import predictions
from bench.scorers.comet_cache import Cache, Prediction, Sample
from bench.scorers.metricx_model import Model, batches

Generation = Literal["23", "24"]
TOKENIZER_FILES = ("*.json", "*.txt", "*.model")


class MetricX(Scorer):
    """`name`: the column heading. `checkpoint`, `tokenizer`: see bench.checkpoints.weights.parse_weights.
    `generation`: 23 or 24, which decides how the texts are joined. `reads_reference`: False for QE; of MetricX-23 the
    checkpoint must suit it. `max_tokens`: the end of longer inputs is not read. `pickled`: also read *.bin.
    `required`: see bench.core.Scorer.
    """

    tolerance = 1e-3
    """The order of sums differs between devices; values go up to 25."""

    def __init__(
        self,
        name: Line,
        checkpoint: WeightsConfig,
        tokenizer: WeightsConfig,
        generation: Generation = "24",
        reads_reference: bool = True,
        precision: Dtype = "float32",
        max_tokens: Annotated[int, Meta(ge=2, le=limits.NEW_TOKENS)] = 1536,
        batch_tokens: Annotated[int, Meta(ge=1, le=limits.BATCH_TOKENS)] = 4096,
        pickled: bool = False,
        required: bool = True,
    ) -> None:
        self.name, self.generation, self.reads_reference = name, generation, reads_reference
        self.precision, self.max_tokens, self.batch_tokens = precision, max_tokens, batch_tokens
        self.pickled, self.required = pickled, required
        self.checkpoint, self.tokenizer = checkpoint, tokenizer

    @cached_property
    def _weights(self) -> Weights:
        # transformers reads the safetensors if there are some.
        patterns = ("*.safetensors", "*.bin", "*.json") if self.pickled else ("*.safetensors", "*.json")
        return parse_weights(self.checkpoint, pickled=self.pickled, files=patterns)

    @cached_property
    def _tokenizer(self) -> Weights:
        return parse_weights(self.tokenizer, files=TOKENIZER_FILES)

    def identity(self) -> dict[str, Any]:
        return {**self._prediction_identity(), "name": self.name}

    def _prediction_identity(self) -> dict[str, Any]:
        """Everything that the prediction for a sample depends on."""
        return {
            "scorer": "metricx",
            "version": 1,
            "checkpoint": fingerprint(self._weights),
            "tokenizer": fingerprint(self._tokenizer),
            "generation": self.generation,
            "reference": self.reads_reference,
            "precision": self.precision,
            "max_tokens": self.max_tokens,
        }

    def needs(self) -> list[Weights]:
        return [self._weights, self._tokenizer]

    def prepare(self) -> None:
        require_models()
        resolve(self._weights)
        resolve(self._tokenizer)

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: finished work is in the user's cache, where other tasks find it too."""
        samples = predictions.samples(task, systems, self.reads_reference)
        known = self._predictions(dict.fromkeys(sample for each in samples.values() for sample in each))
        return {system: self._score([known[sample] for sample in each]) for system, each in samples.items()}

    def _predictions(self, wanted: Mapping[Sample, None]) -> dict[Sample, Prediction]:
        cache = Cache(cache_dir() / "metricx" / f"{digest(self._prediction_identity())[:16]}.sqlite")
        known = cache.predictions(wanted)
        missing = [sample for sample in wanted if sample not in known]
        if not missing:
            return known
        require_models()
        model = Model(
            resolve(self._weights), resolve(self._tokenizer), self.precision, device(), self.pickled
        )
        inputs = [model.tokens(self.input(sample), self.max_tokens) for sample in missing]
        with progress.bar(self.name, total=len(missing), unit="samples") as advance:
            for batch in batches([len(ids) for ids, _ in inputs], self.batch_tokens):
                values = model.scores([inputs[index][0] for index in batch])
                made = {
                    missing[index]: Prediction(value, inputs[index][1], model.device)
                    for index, value in zip(batch, values, strict=True)
                }
                cache.keep_predictions(made)
                known |= made
                advance(len(batch))
        return known

    def input(self, sample: Sample) -> str:
        """How the authors join the texts of a sample."""
        source, hypothesis, reference = sample
        if self.generation == "24":
            end = f" reference: {reference}" if self.reads_reference else ""
            return f"source: {source} candidate: {hypothesis}{end}"
        other = f"reference: {reference}" if self.reads_reference else f"source: {source}"
        return f"candidate: {hypothesis} {other}"

    def _score(self, known: Sequence[Prediction]) -> Score:
        identity = self._prediction_identity()
        signature = (
            f"{self.name}|checkpoint:{identity['checkpoint']}|reference:{'yes' if self.reads_reference else 'no'}"
            f"|precision:{self.precision}|device:{predictions.devices(known)}|max:{self.max_tokens}"
            f"|transformers:{version('transformers')}|version:1"
        )
        return predictions.mean_score(
            self.name,
            known,
            signature,
            "set precision=float32 or precision=bfloat16 (mT5 exceeds float16)",
            decimals=2,
            higher_is_better=False,
            remarks=[(index, "cut") for index, prediction in enumerate(known) if prediction.cut],
        )
