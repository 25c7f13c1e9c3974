"""MetricX's regression model: mT5 whose decoder takes one step; the logit of one token is the score.

As defined by the authors (google-research/metricx, metricx23/models.py and metricx24/models.py, Apache-2.0): a
decoder input of one padding token, the logit of <extra_id_10>, limited to 0 to 25. The checkpoints are those of
transformers' MT5ForConditionalGeneration under another name, so its own class computes everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.checkpoints.loading import load_model, load_tokenizer

SCORE_TOKEN = 250_089
"""<extra_id_10> in mT5's vocabulary."""
WORST = 25.0


class Model:
    """`checkpoint`, `tokenizer`: folders. `pickled`: also read weights from *.bin, which older checkpoints have."""

    def __init__(self, checkpoint: Path, tokenizer: Path, dtype: str, device: str, pickled: bool) -> None:
        self._model = load_model(checkpoint, "MT5ForConditionalGeneration", dtype, device, pickled)
        # mT5's folder has only a sentencepiece model, which COMET's old protobuf keeps transformers from converting.
        converted = (tokenizer / "tokenizer.json").is_file()
        self._tokenizer = load_tokenizer(tokenizer, use_fast=converted)
        self.device = device

    def tokens(self, text: str, most: int) -> tuple[list[int], bool]:
        """The ids that the model reads, without the end token, and whether the text was cut."""
        ids = self._tokenizer(text).input_ids
        # As the authors' code: cut with the end token in place, then drop the last id.
        return self._tokenizer(text, max_length=most, truncation=True).input_ids[:-1], len(ids) > most

    def scores(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """From 0 (perfect) to 25. The rows are computed together; padding is masked."""
        import torch

        longest = max(map(len, rows))
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros(len(rows), longest, dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        with torch.inference_mode():
            logits: Any = self._model(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                decoder_input_ids=torch.zeros(len(rows), 1, dtype=torch.long, device=self.device),
            ).logits
            values: list[float] = logits[:, 0, SCORE_TOKEN].float().clamp(0, WORST).tolist()
        return values


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of `lengths`, longest first; rows times the longest is at most `batch_tokens`, or there is one row."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    while order:
        size = max(1, batch_tokens // max(1, lengths[order[0]]))
        yield order[:size]
        del order[:size]
