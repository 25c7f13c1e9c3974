"""COMET through unbabel-comet's own models and loader (Rei et al. 2020, 2022; CometKiwi: Rei et al. 2022; XCOMET: Guerreiro et al.
2024): regression, reference-free, and with error spans.

Equal to the `comet-score` command at the same precision (it halves the model: precision=float16). The score of a system is the
mean of its segments', as there. Its 95 % interval is the percentile bootstrap over segments (Koehn 2004).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from bench.checkpoints.cache import cache_dir
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Output, Score, Scorer, Task, Weights, digest
from bench.errors import BenchError
from bench.languages import Direction
from bench.scorers.comet_cache import Cache, Judgement, Sample
from bench.scorers.comet_checkpoint import (
    CHECKPOINT_FILES,
    ENCODER_FILES,
    Checkpoint,
    Found,
    Pinned,
    check,
    find,
)
from bench.translation.flags import flags

SEED = 12345
_PRECISIONS = ("float32", "float16", "bfloat16")
_INSTALL = "pip install 'bitext-bench[comet]'"


class Comet(Scorer):
    """`name`: the column's head. `checkpoint`: a folder as COMET saves one, its .ckpt file, a hub id with its commit
    (org/name@<commit>), a list of sources (bench.checkpoints.weights.Weights), or what has the functions of
    bench.scorers.comet_checkpoint.Checkpoint. `encoder`: the folder or hub id of the encoder's config and tokenizer; not
    needed where the checkpoint names a folder that is there. `precision`: float32, float16 or bfloat16
    (bench.scorers.comet_checkpoint.load). `batch_tokens`: of one batch; what suits the device, unless it is given.
    `devices`: all GPUs or else the CPU, unless they are named: [cuda:0, cuda:2]. `required`: see bench.core.Scorer.
    `resamples`: of the bootstrap.
    """

    tolerance = 1e-4

    def __init__(
        self,
        name: str,
        checkpoint: str | Mapping[str, Any] | Checkpoint,
        encoder: str | Mapping[str, Any] | None = None,
        precision: str = "float32",
        batch_tokens: int | None = None,
        devices: Sequence[str] = (),
        required: bool = True,
        resamples: int = 1000,
    ) -> None:
        if precision not in _PRECISIONS:
            raise BenchError(
                f"{name} cannot be computed in {precision!r}: use one of {', '.join(_PRECISIONS)}."
            )
        self.name = name
        self.required = required
        self.precision = precision
        self.batch_tokens = batch_tokens
        self.devices = devices
        self.resamples = resamples
        self._checkpoint_config, self._encoder_config = checkpoint, encoder

    # what is not here is an error of preparing and not of building: it may be required or not

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        config = self._checkpoint_config
        if isinstance(config, (str, Mapping)):
            return Pinned(parse_weights(config, files=CHECKPOINT_FILES))
        return config

    @cached_property
    def _encoder(self) -> Weights | None:
        return parse_weights(self._encoder_config, files=ENCODER_FILES) if self._encoder_config else None

    def identity(self) -> dict[str, Any]:
        return {**self._computed(), "name": self.name, "resamples": self.resamples, "seed": SEED}

    def _computed(self) -> dict[str, Any]:
        """All that the scores of single samples depend on. Not the device: in float32 it changes the sixth digit."""
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
        self._computed()
        if not find_spec("pkg_resources"):
            raise BenchError(f"{self.name} needs setuptools before 81: pip install 'setuptools<81'.")
        check(self._found())

    def _found(self) -> Found:
        try:
            encoder = resolve(self._encoder) if self._encoder else None
            return find(self._checkpoint.folder(), encoder)
        except BenchError as error:
            raise BenchError(f"{str(error).rstrip('.')}{self._advice()}") from None

    def _advice(self) -> str:
        """How to fetch what comes from a hub."""
        commands = []
        for config, files in (
            (self._checkpoint_config, CHECKPOINT_FILES),
            (self._encoder_config, ENCODER_FILES),
        ):
            pinned = re.fullmatch(r"([\w.-]+/[\w.-]+)@(\w+)", config) if isinstance(config, str) else None
            if pinned:
                words = ["hf", "download", pinned[1], "--revision", pinned[2], "--include", *files]
                commands.append(shlex.join(words))
        if not commands:
            return "."
        return f"; where there is a network, `{' && '.join(commands)}` fetches what {self.name} needs."

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        found = self._found()
        read = task.references if found.reads_reference else [""] * len(task.ids)
        samples = {
            name: list(zip(task.sources, hypotheses, read, strict=True))
            for name, hypotheses in systems.items()
        }
        judged = self._judged(found, samples)
        return {
            name: self._score(task.direction, some, judged[name], found) for name, some in samples.items()
        }

    def _judged(self, found: Found, systems: Mapping[str, Sequence[Sample]]) -> dict[str, list[Judgement]]:
        cache = Cache(cache_dir() / "comet" / f"{digest(self._computed())[:16]}.sqlite")
        every = [sample for samples in systems.values() for sample in samples]
        if self.precision == "float16":
            rest = iter(self._judge(found, cache, every, list(systems.values())))
            return {name: list(islice(rest, len(samples))) for name, samples in systems.items()}
        known = cache.judgements(dict.fromkeys(every))
        missing = [sample for sample in dict.fromkeys(every) if sample not in known]
        if missing:
            known |= zip(missing, self._judge(found, cache, missing), strict=True)
        return {name: [known[sample] for sample in samples] for name, samples in systems.items()}

    def _judge(
        self,
        found: Found,
        cache: Cache,
        samples: Sequence[Sample],
        systems: Sequence[Sequence[Sample]] = (),
    ) -> list[Judgement]:
        """`systems`: where their batches are to be those of `comet-score`."""
        from bench.scorers import comet_model  # it loads the model: not where all is known

        devices = self.devices or comet_model.devices()
        batch_tokens = self.batch_tokens or comet_model.batch_tokens(devices[0])
        work = comet_model.Work(found, self.precision, batch_tokens, cache, samples)
        if systems:
            shares = comet_model.as_comet_score(systems, len(devices))
        else:
            shares = comet_model.by_source(samples, len(devices))
        return comet_model.judge(work, shares, devices, self.name)

    def _score(
        self,
        direction: Direction,
        samples: Sequence[Sample],
        judgements: Sequence[Judgement],
        found: Found,
    ) -> Score:
        values = [judgement.value for judgement in judgements]
        remarks: list[tuple[int, str]] = []
        for index, ((source, hypothesis, _), judgement) in enumerate(zip(samples, judgements, strict=True)):
            said = flags(Output(hypothesis), source, direction)
            remarks += [(index, remark) for remark in ("empty", "copied") if remark in said]
            remarks += [(index, "cut")] if judgement.cut else []
        spans = tuple(judgement.spans for judgement in judgements)
        return Score(
            metric=self.name,
            value=sum(values) / len(values),
            interval=_interval(values, self.resamples),
            signature=self._signature(found, judgements),
            segments=tuple(values),
            decimals=3,
            remarks=tuple(remarks),
            spans=spans if any(spans) else (),
        )

    def _signature(self, found: Found, judgements: Sequence[Judgement]) -> str:
        computed = self._computed()
        encoder = f"|encoder:{computed['encoder']}" if computed["encoder"] else ""
        return (
            f"{self.name}|checkpoint:{computed['checkpoint']}{encoder}|precision:{self.precision}"
            f"|device:{'+'.join(sorted({judgement.device for judgement in judgements}))}|max:{found.longest}"
            f"|bs:{self.resamples}|seed:{SEED}|version:{computed['unbabel-comet']}"
        )


def _interval(values: Sequence[float], resamples: int) -> tuple[float, float] | None:
    """The middle 95 % of the means of `resamples` resamples; none of a single segment."""
    import numpy as np

    if len(values) < 2:
        return None
    chosen = np.random.default_rng(SEED).integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(np.asarray(values)[chosen].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
