"""Encoder-decoder models through transformers: OPUS-MT, NLLB-200, M2M-100, mBART-50, MADLAD-400, T5 (bench.adapters._families)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.adapters._families import Settings, SourceReader
from bench.adapters._requests import Limits
from bench.checkpoints.loading import device, folder, load_model, refuse_pickles, torch_facts
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Adapter, Output, Source, Unit, Weights
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction, Language

if TYPE_CHECKING:
    import torch

TOO_LONG = Output("", truncated=True)
"""Where the encoder has no positions for a source. A translation of its beginning would look like one of the whole."""


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    ids: list[int]
    limit: int


class Seq2Seq(Adapter):
    """`checkpoint`: see bench.checkpoints.weights.Weights (a folder, hub-id@revision, or a list of sources), or two of those under
    the keys zh-en and en-zh. `direction` chooses between the two.
    `pickled`: also read weights in pytorch_model.bin, by torch's unpickler that knows nothing but weights.
    `codes`, `prefix`, `beams`, `length_penalty`: see bench.adapters._families.Settings. `limits`: see bench.adapters._requests.Limits.
    """

    def __init__(
        self,
        checkpoint: str | Mapping[str, Any],
        dtype: str = "float32",
        pickled: bool = False,
        codes: Mapping[Language, str] | None = None,
        prefix: str | None = None,
        beams: int | None = None,
        length_penalty: float | None = None,
        *,
        direction: Direction,
        **limits: Any,
    ) -> None:
        super().__init__(direction)
        self.weights = parse_weights(_of_direction(checkpoint, direction), pickled)
        self.dtype = dtype
        self.settings = Settings(codes or {}, prefix, beams, length_penalty, Limits(**limits))

    def identity(self) -> dict[str, Any]:
        return {
            "adapter": "seq2seq",
            "version": 1,
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

    def _folder(self) -> Path:
        path = folder(self.weights)
        refuse_pickles(path, self.weights.pickled)
        return path

    def load(self) -> None:
        path = self._folder()
        self._reader = SourceReader(path, self.settings, self.direction)
        self._open(path)

    def batch_cost(self, unit: Unit) -> int:
        (source,) = unit
        tokens = len(self._reader.ids(source)) + self._reader.limit(source)
        return tokens * self._reader.beams

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        rows = []
        for source in sources:
            ids = self._reader.ids(source)
            if self._reader.fits(ids):
                rows.append(Row(source.id, ids, self._reader.limit(source)))
            else:
                yield source.id, TOO_LONG
        if not rows:
            return
        forced = self._reader.forced
        for row, found in self._decode(rows, forced):
            tokens = found[len(forced) :]
            end = next((i for i, token in enumerate(tokens) if token in self._reader.ends), len(tokens))
            tokens = tokens[: min(end, row.limit)]
            text = self._reader.text(tokens)
            yield row.id, Output(text, "", len(row.ids), len(tokens), truncated=len(tokens) == row.limit)

    # --- the engine; bench.adapters.ctranslate2 has another ---

    def _open(self, path: Path) -> None:
        self._model = load_model(path, "AutoModelForSeq2SeqLM", self.dtype, device(), self.weights.pickled)

    def _decode(self, rows: Sequence[Row], forced: list[int]) -> Iterator[tuple[Row, list[int]]]:
        """Each row and what the decoder wrote: `forced`, the translation, and perhaps its end and padding."""
        import torch

        ids, mask = _padded([row.ids for row in rows], self._reader.tokenizer.pad_token_id or 0)
        limits = torch.tensor([row.limit + len(forced) for row in rows])
        with torch.inference_mode():
            outputs = self._model.generate(
                input_ids=ids.to(device()),
                attention_mask=mask.to(device()),
                num_beams=self._reader.beams,
                length_penalty=self._reader.length_penalty,
                do_sample=False,
                max_new_tokens=int(limits.max()) + 1,  # never reached: each row has its own limit
                stopping_criteria=[_RowLimits(limits.to(device()))],
                # mBART and Marian force an end on rows that reach the batch's limit, and on no others
                forced_eos_token_id=None,
                **({"forced_bos_token_id": forced[0]} if forced else {}),
            )
        # the first token is the decoder's start
        yield from zip(rows, outputs[:, 1:].tolist(), strict=True)


class _RowLimits:
    """A stopping criterion: ends each row at its own limit, so that no output depends on the row's neighbours."""

    def __init__(self, limits: torch.Tensor) -> None:
        self.limits = limits

    def __call__(self, ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        """`ids`: (candidates, length), those of a row together; as many for each."""
        limits = self.limits.repeat_interleave(len(ids) // len(self.limits))
        return ids.shape[1] - 1 >= limits


def _padded(rows: Sequence[list[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, (rows, longest)."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([row + [padding] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def _of_direction(checkpoint: str | Mapping[str, Any], direction: Direction) -> str | Mapping[str, Any]:
    """The checkpoint of a direction, where there is one for each."""
    if isinstance(checkpoint, str) or not set(checkpoint) & set(DIRECTIONS):
        return checkpoint
    if set(checkpoint) - set(DIRECTIONS) or direction not in checkpoint:
        raise BenchError(
            f"The checkpoint has {', '.join(map(str, checkpoint))} and is asked for {direction}: "
            "give one checkpoint for both directions, or one under each of zh-en and en-zh."
        )
    chosen: str | Mapping[str, Any] = checkpoint[direction]
    return chosen
