"""A system that ran elsewhere: its outputs are read from a file, matched by segment id, and never cleaned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import references
from bench.core import Adapter, Output, Source
from bench.errors import BenchError
from bench.languages import Direction


class Hypotheses(Adapter):
    """Outputs from `path`: .jsonl ({"id", "text"} a line), .tsv (id, tab, text), anything else plain lines.

    "{direction}" in `path` stands for zh-en or en-zh. Plain lines stand in the order of the reference set, one for each
    of its segments (the layout of WMT); every format must cover the set exactly. Only .jsonl can hold a text with line
    breaks, as the document view has them.
    """

    def __init__(
        self, path: str, reference: str, granularity: str = "sentence", *, direction: Direction
    ) -> None:
        super().__init__(direction)
        self.path = Path(path.replace("{direction}", direction)).expanduser()
        self.reference = reference
        self.granularity = granularity
        if not self.path.is_file():
            raise BenchError(f"There is no hypotheses file {self.path}: set system.adapter.path to one.")

    def identity(self) -> dict[str, object]:
        return {
            "adapter": "hypotheses",
            "version": 1,
            "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
        }

    def load(self) -> None:
        self.texts = self._read()

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for source in sources:
            yield source.id, Output(text=self.texts[source.id])

    def facts(self) -> dict[str, str]:
        return {"device": "none"}  # it ran elsewhere

    def _read(self) -> dict[str, str]:
        reference = references.load(self.reference, self.granularity)
        ids = [segment.id for segment in reference.segments]
        try:
            text = self.path.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BenchError(
                f"{self.path} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8."
            ) from None
        lines = text.removesuffix("\n").split(
            "\n"
        )  # not splitlines: U+2028 and its like may stand inside a hypothesis
        lines = [line.removesuffix("\r") for line in lines]
        if self.path.suffix not in (".jsonl", ".tsv"):
            if len(lines) != len(ids):
                raise BenchError(
                    f"{self.path} has {len(lines)} lines, but {reference.id} has {len(ids)} segments: "
                    "give one line for each, in the order of `bench references export`, or .jsonl with ids."
                )
            return dict(zip(ids, lines, strict=True))
        read = _from_jsonl if self.path.suffix == ".jsonl" else _from_tsv
        texts = read(self.path, lines)
        missing = [id for id in ids if id not in texts]
        unknown = sorted(set(texts) - set(ids))
        if missing or unknown:
            wrong = (
                f"lacks {len(missing)} segments (first: {missing[0]})"
                if missing
                else f"has ids that are not in the set (first: {unknown[0]})"
            )
            raise BenchError(
                f"{self.path} {wrong} of {reference.id}: give every segment of the set once, by its id."
            )
        return texts


def _from_jsonl(path: Path, lines: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            id, text = record["id"], record["text"]
        except (ValueError, KeyError, TypeError):
            raise BenchError(f'{path}, line {number}: wanted {{"id": …, "text": …}} as JSON.') from None
        _add(texts, id, text, f"{path}, line {number}")
    return texts


def _from_tsv(path: Path, lines: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        row = line.split("\t")  # no CSV quoting: a quotation mark in a hypothesis is a quotation mark
        if len(row) != 2:
            raise BenchError(
                f"{path}, line {number}: wanted an id, one tab and the text, found {len(row)} columns."
            )
        _add(texts, row[0], row[1], f"{path}, line {number}")
    return texts


def _add(texts: dict[str, str], id: object, text: object, where: str) -> None:
    if not isinstance(id, str) or not isinstance(text, str):
        raise BenchError(f"{where}: id and text must both be text.")
    if id in texts:
        raise BenchError(f"{where}: the id {id} stands in the file twice.")
    texts[id] = text
