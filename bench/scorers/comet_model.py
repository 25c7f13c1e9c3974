"""COMET models at work: many samples become judgements, and nothing is computed twice.

A model that encodes texts by themselves (wmt22-comet-da, comet-embedded) encodes each distinct text once, and its own `forward`
takes the vectors from a table; one that encodes them joined (CometKiwi, XCOMET) runs its own `predict_step` on each distinct
sample. Both sort by length and fill batches by tokens. No arithmetic is ours: equality with `predict` is tested.

In float16 the last bits of a score depend on its batch, and are the third digit. So float16 goes batch by batch as `comet-score`
does, and shares nothing: it gives that command's numbers, to the bit, and costs as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from bench import progress
from bench.core import Span
from bench.scorers.comet_cache import Cache, Judgement, Sample
from bench.scorers.comet_checkpoint import Found, load

if TYPE_CHECKING:
    import torch

Batch = Sequence[int]
"""Numbers of samples."""
Judged = Iterator[dict[int, Judgement]]
"""Judgements by the number of their sample, as batches are finished."""

_BATCH = 16  # of comet-score
_ESTIMATED = 4096  # rows that an estimator takes at once: its widest layer is 50 MB then


@dataclass(frozen=True)
class Work:
    found: Found
    precision: str
    batch_tokens: int
    """Of one batch, padding included."""
    cache: Cache
    samples: Sequence[Sample]


def devices() -> list[str]:
    """All GPUs, else the CPU."""
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]


def batch_tokens(device: str) -> int:
    """As many as are fast there. On a CPU 4096 take 1.6 times as long as 1024 (e5-small): they leave its cache."""
    return 1024 if device.startswith("cpu") else 8192


def judge(
    work: Work, shares: Sequence[Sequence[Batch]], devices: Sequence[str], label: str
) -> list[Judgement]:
    """What COMET says of each sample. `shares`: what each device does (`by_source`, `as_comet_score`); with more than one
    device, each has a process of its own."""
    judged: dict[int, Judgement] = {}
    with progress.bar(label, total=len(work.samples), unit="samples") as advance:
        if len(shares) == 1:
            judged = _judge(work, shares[0], devices[0], advance)
        else:
            with ProcessPoolExecutor(len(shares), get_context("spawn")) as pool:
                running = [
                    pool.submit(_judge, work, share, device)
                    for share, device in zip(shares, devices, strict=False)
                ]
                for done in as_completed(running):
                    judged |= done.result()
                    advance(len(done.result()))
    return [judged[number] for number in range(len(work.samples))]


def by_source(samples: Sequence[Sample], count: int) -> list[list[Batch]]:
    """A share for each of `count` devices: all samples of its sources, so that no text is encoded in two places."""
    sources = sorted({source for source, _, _ in samples}, key=lambda text: (len(text), text))
    part = {source: number % count for number, source in enumerate(sources)}
    shares: list[list[int]] = [[] for _ in range(count)]
    for number, (source, _, _) in enumerate(samples):
        shares[part[source]].append(number)
    return [[share] for share in shares if share]


def as_comet_score(systems: Sequence[Sequence[Sample]], count: int) -> list[list[Batch]]:
    """The batches of `comet-score`, in shares for `count` devices: those of each system, in the order of its sources' lengths."""
    import numpy as np

    found, begin = [], 0
    for samples in systems:
        order = begin + np.argsort([len(source) for source, _, _ in samples])
        found += [order[first : first + _BATCH].tolist() for first in range(0, len(order), _BATCH)]
        begin += len(samples)
    return [share for number in range(count) if (share := found[number::count])]


def _judge(
    work: Work, share: Sequence[Batch], device: str, advance: Callable[[int], None] = lambda _: None
) -> dict[int, Judgement]:
    import torch

    judged: dict[int, Judgement] = {}
    with torch.inference_mode():
        model = load(work.found, work.precision, device)
        lengths, cut = _measured(model, work)
        if work.precision == "float16":
            steps = _predicted(model, work, share, cut, device)
        elif work.found.separate:
            steps = _estimated(model, work, share[0], cut, device)
        else:
            filled = _filled([lengths[number] for number in share[0]], work.batch_tokens)
            batches = [[share[0][row] for row in rows] for rows in filled]
            steps = _predicted(model, work, batches, cut, device)
        for some in steps:
            if work.precision != "float16":
                work.cache.keep_judgements({work.samples[number]: each for number, each in some.items()})
            judged |= some
            advance(len(some))
    return judged


def _filled(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of `lengths`, longest first, so that what does not fit into memory fails at once: rows times the longest is at
    most `batch_tokens`, or there is one row."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    begin = 0
    while begin < len(order):
        rows = max(1, batch_tokens // lengths[order[begin]])
        yield order[begin : begin + rows]
        begin += rows


def _measured(model: Any, work: Work) -> tuple[list[int], list[bool]]:
    """Of each sample, the tokens that the encoder reads at once, the special ones included, and whether something is cut."""
    encoder = model.encoder
    texts = list(dict.fromkeys(text for sample in work.samples for text in _texts(sample, work.found)))
    length_of = dict(zip(texts, _lengths(model, texts), strict=True))
    lengths, cut = [], []
    for sample in work.samples:
        each = [length_of[text] for text in _texts(sample, work.found)]
        joined = 2 + sum(length - 2 for length in each) + encoder.size_separator * (len(each) - 1)
        lengths.append(max(each) if work.found.separate else joined)
        cut.append(max(each) > encoder.max_positions - 2 or lengths[-1] > encoder.max_positions)
    return [min(length, encoder.max_positions) for length in lengths], cut


def _lengths(model: Any, texts: list[str]) -> list[int]:
    return [len(ids) for ids in model.encoder.tokenizer(texts, verbose=False)["input_ids"]] if texts else []


def _texts(sample: Sample, found: Found) -> tuple[str, ...]:
    return sample if found.reads_reference else sample[:2]


def _to(inputs: Any, device: str) -> dict[str, Any]:
    return {name: value.to(device) if hasattr(value, "to") else value for name, value in inputs.items()}


# --- each text by itself ---


def _estimated(model: Any, work: Work, numbers: Batch, cut: Sequence[bool], device: str) -> Judged:
    import torch

    samples = [work.samples[number] for number in numbers]
    texts = list(dict.fromkeys(text for sample in samples for text in _texts(sample, work.found)))
    vectors = _vectors(model, work, texts, device)
    row_of = {text: row for row, text in enumerate(texts)}
    # the model's own forward, which takes rows of the table for what it believes to be tokens
    model.get_sentence_embedding = lambda rows, *_: vectors[rows]
    for begin in range(0, len(samples), _ESTIMATED):
        inputs: dict[str, Any] = {}
        columns = zip(*samples[begin : begin + _ESTIMATED], strict=True)
        for place, column in zip(("src", "mt", "ref"), columns, strict=True):
            if place != "ref" or work.found.reads_reference:
                inputs[f"{place}_input_ids"] = torch.tensor([row_of[text] for text in column])
                inputs[f"{place}_attention_mask"] = None
        scores = model(**inputs).score.tolist()
        some = numbers[begin : begin + _ESTIMATED]
        yield {
            number: Judgement(score, cut[number], _kind(device))
            for number, score in zip(some, scores, strict=True)
        }


def _vectors(model: Any, work: Work, texts: Sequence[str], device: str) -> torch.Tensor:
    """[texts, width]: what the model's encoder and pooling make of each; those that are in the cache are not made again."""
    import torch

    width, longest = model.encoder.output_units, model.encoder.max_positions - 2
    vectors = torch.empty(len(texts), width, device=device)
    known = work.cache.vectors(texts, width)
    unknown = []
    for row, text in enumerate(texts):
        if text in known:
            vectors[row] = torch.from_numpy(known[text].copy())
        else:
            unknown.append(row)
    lengths = _lengths(model, [texts[row] for row in unknown])
    for some in _filled([min(length, longest) for length in lengths], work.batch_tokens):
        rows = [unknown[index] for index in some]
        inputs = _to(model.encoder.prepare_sample([texts[row] for row in rows]), device)
        vectors[rows] = model.get_sentence_embedding(inputs["input_ids"], inputs["attention_mask"])
        work.cache.keep_vectors({texts[row]: vectors[row].cpu().numpy() for row in rows})
    return vectors


# --- whole samples ---


def _predicted(model: Any, work: Work, batches: Sequence[Batch], cut: Sequence[bool], device: str) -> Judged:
    names = ("src", "mt", "ref") if work.found.reads_reference else ("src", "mt")
    for numbers in batches:
        samples = [dict(zip(names, work.samples[number], strict=False)) for number in numbers]
        inputs = model.prepare_sample(samples, stage="predict")
        joined = isinstance(inputs, tuple)
        prediction = model.predict_step(
            tuple(_to(each, device) for each in inputs) if joined else _to(inputs, device)
        )
        spans = prediction.get("metadata", {}).get("error_spans") or [[]] * len(numbers)
        yield {
            number: Judgement(score, cut[number], _kind(device), tuple(_spans(found)))
            for number, score, found in zip(numbers, prediction["scores"].tolist(), spans, strict=True)
        }


def _spans(found: Iterable[dict[str, Any]]) -> Iterator[Span]:
    """Without those of the special tokens, which have no characters."""
    for span in found:
        if span["start"] < span["end"]:
            yield Span(span["start"], span["end"], span["severity"], span["confidence"])


def _kind(device: str) -> str:
    return device.partition(":")[0]
