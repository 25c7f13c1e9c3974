"""Encoder-decoder models through transformers: OPUS-MT, NLLB-200, M2M-100, mBART-50, MADLAD-400, T5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bench.adapters._engines import engine_version
from bench.adapters._families import Beams, Settings, SourceTokenizer
from bench.adapters._requests import Limits
from bench.checkpoints.loading import Dtype, device, folder, load_model, refuse_pickles, torch_facts
from bench.checkpoints.weights import WeightsConfig, fingerprint, parse_weights
from bench.core import Adapter, Output, Source, Unit, Weights
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction, Language

if TYPE_CHECKING:
    import torch

_Token = Annotated[int, Meta(ge=0)]
_NgramSize = Annotated[int, Meta(ge=0, le=1000)]


class _Published(msgspec.Struct, omit_defaults=True):
    """What decoding takes from a checkpoint's generation config besides beams and length penalty.

    Everything else (stop strings, assistants, times, code) is ignored.
    """

    bad_words_ids: list[list[_Token]] | None = None
    begin_suppress_tokens: list[_Token] | None = None
    bos_token_id: _Token | None = None
    decoder_start_token_id: _Token | None = None
    early_stopping: bool | Literal["never"] | None = None
    encoder_no_repeat_ngram_size: _NgramSize | None = None
    eos_token_id: _Token | list[_Token] | None = None
    no_repeat_ngram_size: _NgramSize | None = None
    pad_token_id: _Token | None = None
    renormalize_logits: bool | None = None
    repetition_penalty: Annotated[float, Meta(gt=0, le=100)] | None = None
    suppress_tokens: list[_Token] | None = None


_TOKEN_SETTINGS = {
    name for name in _Published.__struct_fields__ if "token" in name or name.endswith("words_ids")
}
TOO_LONG = Output("", truncated=True)
"""For a source that is longer than the encoder. A translation of its beginning would pass for one of all of
it."""


@dataclass(frozen=True, slots=True)
class TokenizedSource:
    id: str
    ids: list[int]
    """The encoder's input, as token ids."""
    limit: int
    """Maximum number of tokens of the translation."""


class Seq2Seq(Adapter):
    """`checkpoint`: see bench.checkpoints.weights.parse_weights (a folder, hub-id@revision, or a list of
    sources), or one for each direction under the keys zh-en and en-zh. `pickled`: also read
    pytorch_model.bin, with torch's weights-only unpickler. `codes`, `prefix`, `beams`, `length_penalty`: see
    bench.adapters._families.Settings. `limits`: see bench.adapters._requests.Limits.
    """

    _packages: tuple[str, ...] = ("transformers",)
    """The packages that decide outputs."""

    def __init__(
        self,
        checkpoint: WeightsConfig,
        dtype: Dtype = "float32",
        pickled: bool = False,
        codes: Mapping[Language, str] | None = None,
        prefix: str | None = None,
        beams: Beams | None = None,
        length_penalty: Annotated[float, Meta(ge=-100, le=100)] | None = None,
        *,
        direction: Direction,
        **limits: Annotated[Any, Limits],
    ) -> None:
        super().__init__(direction)
        self.weights = parse_weights(_checkpoint_for(direction, checkpoint), pickled)
        self.dtype: str = dtype
        self.settings = Settings(codes or {}, prefix, beams, length_penalty, Limits(**limits))

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "seq2seq",
            "version": 1,
            **engine_version(*self._packages),
            "checkpoint": fingerprint(self.weights),
            "dtype": self.dtype,
            "decoding": self.settings.identity(),
        }

    def facts(self) -> dict[str, Any]:
        return torch_facts(self.dtype)

    def needs(self) -> tuple[Weights]:
        return (self.weights,)

    def prepare(self) -> None:
        self._folder()

    def load(self) -> None:
        path = self._folder()
        self._tokenizer = SourceTokenizer(path, self.settings, self.direction)
        self._load_engine(path)

    def batch_cost(self, unit: Unit) -> int:
        (source,) = unit
        return (len(self._tokenizer.ids(source)) + self._tokenizer.limit(source)) * self._tokenizer.beams

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        fitting = []
        for source in sources:
            ids = self._tokenizer.ids(source)
            if self._tokenizer.fits(ids):
                fitting.append(TokenizedSource(source.id, ids, self._tokenizer.limit(source)))
            else:
                yield source.id, TOO_LONG
        if not fitting:
            return
        forced = self._tokenizer.forced
        for tokenized, output in self._generate(fitting, forced):
            tokens = output[len(forced) :]
            end = next((i for i, token in enumerate(tokens) if token in self._tokenizer.ends), len(tokens))
            tokens = tokens[: min(end, tokenized.limit)]
            text, truncated = self._tokenizer.text(tokens), len(tokens) == tokenized.limit
            yield tokenized.id, Output(text, "", len(tokenized.ids), len(tokens), truncated=truncated)

    def _folder(self) -> Path:
        path = folder(self.weights)
        refuse_pickles(path, self.weights.pickled)
        return path

    # The engine. bench.adapters.ctranslate2 overrides both methods.

    def _load_engine(self, path: Path) -> None:
        self._model = load_model(path, "AutoModelForSeq2SeqLM", self.dtype, device(), self.weights.pickled)
        generation_config = self._model.generation_config
        try:
            published = msgspec.convert(generation_config.to_dict(), _Published)
        except msgspec.ValidationError as error:
            raise BenchError(
                f"The generation config in {path} is damaged ({error}): use another checkpoint."
            ) from None
        settings = msgspec.to_builtins(published)
        largest = self._model.config.vocab_size
        for name in settings:
            if name in _TOKEN_SETTINGS and any(id >= largest for id in _ids(settings[name])):
                raise BenchError(
                    f"The generation config in {path} has {name} outside the vocabulary: use another checkpoint."
                )
        self._model.generation_config = type(generation_config)(**settings)

    def _generate(
        self, sources: Sequence[TokenizedSource], forced: list[int]
    ) -> Iterator[tuple[TokenizedSource, list[int]]]:
        """Yield each source with the output: `forced`, the translation, perhaps its end and padding."""
        import torch

        ids, mask = _padded([source.ids for source in sources], self._tokenizer.tokenizer.pad_token_id or 0)
        limits = torch.tensor([source.limit + len(forced) for source in sources])
        with torch.inference_mode():
            outputs = self._model.generate(
                input_ids=ids.to(device()),
                attention_mask=mask.to(device()),
                num_beams=self._tokenizer.beams,
                length_penalty=self._tokenizer.length_penalty,
                do_sample=False,
                max_new_tokens=int(limits.max()) + 1,  # never reached: each row has its own limit
                stopping_criteria=[_RowLimits(limits.to(device()))],
                # mBART and Marian would force an end on rows that reach the limit of the batch, and on no
                # others.
                forced_eos_token_id=None,
                **({"forced_bos_token_id": forced[0]} if forced else {}),
            )
        # The first token of each output is the decoder's start token.
        yield from zip(sources, outputs[:, 1:].tolist(), strict=True)


class _RowLimits:
    """A stopping criterion that ends each row at its own limit, whatever the limits of its neighbours."""

    def __init__(self, limits: torch.Tensor) -> None:
        self.limits = limits

    def __call__(self, ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        """`ids`: (rows x beams, length); the beams of a row are neighbours."""
        limits = self.limits.repeat_interleave(len(ids) // len(self.limits))
        return ids.shape[1] - 1 >= limits


def _ids(value: int | list[Any]) -> Iterator[int]:
    """The token ids in a value of a generation config."""
    if isinstance(value, list):
        for item in value:
            yield from _ids(item)
    else:
        yield value


def _padded(rows: Sequence[list[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (rows, longest row)."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([row + [padding] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def _checkpoint_for(direction: Direction, checkpoint: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    if isinstance(checkpoint, str) or not set(checkpoint) & set(DIRECTIONS):
        return checkpoint
    if set(checkpoint) - set(DIRECTIONS) or direction not in checkpoint:
        raise BenchError(
            f"system.adapter.checkpoint has {', '.join(map(str, checkpoint))}, but the direction is "
            f"{direction}: give one checkpoint for both directions, or one under each of zh-en and en-zh."
        )
    chosen: str | Mapping[str, Any] = checkpoint[direction]
    return chosen
