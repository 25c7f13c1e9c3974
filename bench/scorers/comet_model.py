"""Runs COMET models over many samples, without computing anything twice.

A model that encodes texts separately (wmt22-comet-da, comet-embedded) encodes each distinct text once, and
its own `forward` reads the vectors from a table. A model that encodes them joined (CometKiwi, XCOMET) runs
its own `predict_step` on each distinct sample. Both sort by length and fill batches by tokens. All arithmetic
is COMET's; tests compare the results with COMET's `predict`.

In float16 the last bits of a score depend on its batch, and they reach the third digit. So float16 uses the
batches of `comet-score` and shares nothing: it gives exactly that command's numbers, and takes as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bench import device_memory, progress
from bench.core import Span
from bench.errors import BenchError
from bench.resources import isolated_workers
from bench.scorers.comet_cache import Cache, Prediction, Sample
from bench.scorers.comet_checkpoint import CheckpointFiles, load_model

if TYPE_CHECKING:
    import torch

R = TypeVar("R")
Batch = Sequence[int]
"""Indices of samples."""
Share = Sequence[Batch]
"""The batches that one device computes."""
Predictions = Iterator[dict[int, Prediction]]
"""Predictions by the index of their sample, batch by batch as they are finished."""

_COMET_SCORE_BATCH = 16
"""The default batch size of `comet-score`."""
_ESTIMATOR_BATCH = 4096
"""Samples that an estimator takes at once: its widest layer takes 50 MB."""


@dataclass(frozen=True)
class Work:
    """What is to be predicted, and with which model."""

    files: CheckpointFiles
    precision: str
    batch_tokens: int
    """Tokens per batch, including padding."""
    cache: Cache
    samples: Sequence[Sample]


def available_devices() -> list[str]:
    """All GPUs, or else the CPU."""
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]


def default_batch_tokens(device: str) -> int:
    """A batch size that is fast on the device. On a CPU 4096 take 1.6 times as long as 1024 (e5-small): they
    exceed its cache.
    """
    return 1024 if device.startswith("cpu") else 8192


def predict(work: Work, shares: Sequence[Share], devices: Sequence[str], label: str) -> list[Prediction]:
    """COMET's output for each sample of `work`.

    `shares`: one per device (`shares_by_source`, `comet_score_shares`). If there are several, each runs in
    its own process. `label`: for the progress bar.
    """
    predictions: dict[int, Prediction] = {}
    with progress.bar(label, total=len(work.samples), unit="samples") as advance:
        if len(shares) == 1:
            predictions = _predict_share(work, shares[0], devices[0], advance)
        else:
            device_memory.make_room()  # an adapter may have used a GPU that a process is to use now
            with isolated_workers(), ProcessPoolExecutor(len(shares), get_context("spawn")) as pool:
                futures = [
                    pool.submit(_predict_share, work, share, device)
                    for share, device in zip(shares, devices, strict=False)
                ]
                for future in as_completed(futures):
                    predictions |= future.result()
                    advance(len(future.result()))
    return [predictions[index] for index in range(len(work.samples))]


def shares_by_source(samples: Sequence[Sample], devices: int) -> list[Share]:
    """A share for each device, as one batch that is still to be divided. It has all samples of its sources,
    so that no text is encoded on two devices.
    """
    sources = sorted({source for source, _, _ in samples}, key=lambda text: (len(text), text))
    device_of = {source: number % devices for number, source in enumerate(sources)}
    batches: list[list[int]] = [[] for _ in range(devices)]
    for index, (source, _, _) in enumerate(samples):
        batches[device_of[source]].append(index)
    return [[batch] for batch in batches if batch]


def comet_score_shares(systems: Sequence[Sequence[Sample]], devices: int) -> list[Share]:
    """A share for each device, with the batches of `comet-score`: those of each system, in the order of its
    sources' lengths. The samples of all systems are numbered one after the other.
    """
    import numpy as np

    batches: list[Batch] = []
    begin = 0
    for samples in systems:
        order = begin + np.argsort([len(source) for source, _, _ in samples])
        steps = range(0, len(order), _COMET_SCORE_BATCH)
        batches += [order[first : first + _COMET_SCORE_BATCH].tolist() for first in steps]
        begin += len(samples)
    return [share for number in range(devices) if (share := batches[number::devices])]


def _predict_share(
    work: Work, share: Share, device: str, advance: Callable[[int], None] = lambda _: None
) -> dict[int, Prediction]:
    import torch

    predictions: dict[int, Prediction] = {}
    with torch.inference_mode():
        device_memory.make_room()
        model = load_model(work.files, work.precision, device)
        lengths, cut = _measure(model, work)
        if work.precision == "float16":
            steps = _predict_joined(model, work, share, cut, device)
        elif work.files.encodes_separately:
            steps = _predict_separate(model, work, share[0], cut, device)
        else:
            rows = _fill_batches([lengths[index] for index in share[0]], work.batch_tokens)
            batches = [[share[0][row] for row in batch] for batch in rows]
            steps = _predict_joined(model, work, batches, cut, device)
        for step in steps:
            if work.precision != "float16":
                work.cache.keep_predictions({work.samples[index]: item for index, item in step.items()})
            predictions |= step
            advance(len(step))
    return predictions


def _fill_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of `lengths`, longest first, so that a batch that does not fit into memory fails at once.

    The number of rows times the longest is at most `batch_tokens`, or there is one row.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    begin = 0
    while begin < len(order):
        rows = max(1, batch_tokens // lengths[order[begin]])
        yield order[begin : begin + rows]
        begin += rows


def _measure(model: Any, work: Work) -> tuple[list[int], list[bool]]:
    """For each sample: the tokens that the encoder reads at once, including special tokens, and whether a
    text is cut.
    """
    encoder = model.encoder
    texts = list(dict.fromkeys(text for sample in work.samples for text in _texts(sample, work.files)))
    length_of = dict(zip(texts, _token_counts(model, texts), strict=True))
    lengths, cut = [], []
    for sample in work.samples:
        counts = [length_of[text] for text in _texts(sample, work.files)]
        joined = 2 + sum(count - 2 for count in counts) + encoder.size_separator * (len(counts) - 1)
        lengths.append(max(counts) if work.files.encodes_separately else joined)
        cut.append(max(counts) > encoder.max_positions - 2 or lengths[-1] > encoder.max_positions)
    return [min(length, encoder.max_positions) for length in lengths], cut


def _token_counts(model: Any, texts: list[str]) -> list[int]:
    return [len(ids) for ids in model.encoder.tokenizer(texts, verbose=False)["input_ids"]] if texts else []


def _texts(sample: Sample, files: CheckpointFiles) -> tuple[str, ...]:
    return sample if files.reads_reference else sample[:2]


def _to_device(inputs: Any, device: str) -> dict[str, Any]:
    return {name: value.to(device) if hasattr(value, "to") else value for name, value in inputs.items()}


def _predict_separate(
    model: Any, work: Work, indices: Batch, cut: Sequence[bool], device: str
) -> Predictions:
    """For a model that encodes each text on its own."""
    import torch

    samples = [work.samples[index] for index in indices]
    texts = list(dict.fromkeys(text for sample in samples for text in _texts(sample, work.files)))
    vectors = _encode(model, work, texts, device)
    row_of = {text: row for row, text in enumerate(texts)}
    # The model's own `forward` combines the vectors. It calls this public method for each text, and gets a
    # row of the table for a row number that it takes for token ids. (`estimate` would take vectors, but of a
    # model without reference it is the wrong one: ReferencelessRegression inherits it.)
    model.get_sentence_embedding = lambda rows, *_: vectors[rows]
    for begin in range(0, len(samples), _ESTIMATOR_BATCH):
        inputs: dict[str, Any] = {}
        columns = zip(*samples[begin : begin + _ESTIMATOR_BATCH], strict=True)
        for name, column in zip(("src", "mt", "ref"), columns, strict=True):
            if name != "ref" or work.files.reads_reference:
                inputs[f"{name}_input_ids"] = torch.tensor([row_of[text] for text in column])
                inputs[f"{name}_attention_mask"] = None
        scores = model(**inputs).score.tolist()
        batch = indices[begin : begin + _ESTIMATOR_BATCH]
        yield {
            index: Prediction(score, cut[index], _kind(device))
            for index, score in zip(batch, scores, strict=True)
        }


def _encode(model: Any, work: Work, texts: Sequence[str], device: str) -> torch.Tensor:
    """[text, width]: the model's encoder and pooling for each text. Vectors in the cache are not computed
    again.
    """
    import torch

    width, max_tokens = model.encoder.output_units, model.encoder.max_positions - 2
    vectors = torch.empty(len(texts), width, device=device)
    known = work.cache.vectors(texts, width)
    unknown = []
    for row, text in enumerate(texts):
        if text in known:
            vectors[row] = torch.from_numpy(known[text].copy())
        else:
            unknown.append(row)
    lengths = _token_counts(model, [texts[row] for row in unknown])

    def embed(rows: Batch) -> torch.Tensor:
        inputs = _to_device(model.encoder.prepare_sample([texts[row] for row in rows]), device)
        embedded: torch.Tensor = model.get_sentence_embedding(inputs["input_ids"], inputs["attention_mask"])
        return embedded

    batches = _fill_batches([min(length, max_tokens) for length in lengths], work.batch_tokens)
    for rows, embedded in _halved([[unknown[index] for index in batch] for batch in batches], embed):
        vectors[rows] = embedded
        work.cache.keep_vectors({texts[row]: vectors[row].cpu().numpy() for row in rows})
    return vectors


def _halved(batches: Iterable[Batch], compute: Callable[[Batch], R]) -> Iterator[tuple[list[int], R]]:
    """Each batch with what `compute` makes of it; a batch that does not fit into memory in halves. One sample that does
    not fit raises the error."""
    waiting = [list(batch) for batch in batches]
    waiting.reverse()
    while waiting:
        batch = waiting.pop()
        try:
            result = compute(batch)
        except Exception as error:
            if len(batch) == 1 or not device_memory.is_out_of_memory(error):
                raise
        else:
            yield batch, result
            continue
        device_memory.free()  # here, where the error and the tensors that its frames hold are gone
        middle = (len(batch) + 1) // 2
        progress.say(f"Out of memory at batch size {len(batch)}; retrying with {middle}.", warning=True)
        waiting += [batch[middle:], batch[:middle]]


def _predict_joined(
    model: Any, work: Work, batches: Iterable[Batch], cut: Sequence[bool], device: str
) -> Predictions:
    """For a model that encodes the texts of a sample joined; in float16 for every model."""
    names = ("src", "mt", "ref") if work.files.reads_reference else ("src", "mt")

    def run(batch: Batch) -> Any:
        samples = [dict(zip(names, work.samples[index], strict=False)) for index in batch]
        inputs = model.prepare_sample(samples, stage="predict")
        if isinstance(inputs, tuple):
            return model.predict_step(tuple(_to_device(item, device) for item in inputs))
        return model.predict_step(_to_device(inputs, device))

    # In float16 a smaller batch would give other numbers than `comet-score`.
    outputs = (
        ((batch, run(batch)) for batch in batches) if work.precision == "float16" else _halved(batches, run)
    )
    for batch, output in outputs:
        spans = output.get("metadata", {}).get("error_spans") or [[]] * len(batch)
        yield {
            index: Prediction(score, cut[index], _kind(device), tuple(_spans(items, work.files)))
            for index, score, items in zip(batch, output["scores"].tolist(), spans, strict=True)
        }


def _spans(items: Iterable[dict[str, Any]], files: CheckpointFiles) -> Iterator[Span]:
    """Without the spans of special tokens, which have no characters. Raises BenchError for an unknown
    severity.
    """
    for item in items:
        if item["start"] < item["end"]:
            try:
                yield msgspec.convert(item, Span)
            except msgspec.ValidationError as error:
                raise BenchError(
                    f"{files.weights} marks errors that cannot be stored ({error}): use a checkpoint whose "
                    "error_labels are minor, major and critical."
                ) from None


def _kind(device: str) -> str:
    return device.partition(":")[0]
