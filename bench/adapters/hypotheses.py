"""A system that ran elsewhere: its outputs are read from a file, matched by segment id, and never cleaned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from bench import limits, references
from bench.core import Adapter, Granularity, Output, Source
from bench.errors import BenchError
from bench.files import decode_text, read_bytes
from bench.languages import Direction


class _Line(msgspec.Struct):
    id: str
    text: str


class Hypotheses(Adapter):
    """Outputs from `path`: .jsonl (one object with id and text per line), .tsv (id, tab, text), or else plain
    lines.

    "{direction}" in `path` is replaced by zh-en or en-zh. Plain lines are in the order of the reference set,
    one per segment (the layout of WMT). Every format must cover the set exactly. Only .jsonl can hold texts
    with line breaks, as the document view has them.
    """

    def __init__(
        self,
        path: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PATH_CHARACTERS)],
        reference: str,
        granularity: Granularity = "sentence",
        *,
        direction: Direction,
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
            "sha256": hashlib.sha256(_read_bytes(self.path)).hexdigest(),
        }

    def load(self) -> None:
        reference = references.load(self.reference, self.granularity)
        self.texts = _read(self.path, [segment.id for segment in reference.segments], reference.id)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for source in sources:
            yield source.id, Output(text=self.texts[source.id])

    def facts(self) -> dict[str, str]:
        return {"device": "none"}  # it ran elsewhere


def _read(path: Path, ids: Sequence[str], set_id: str) -> dict[str, str]:
    """Segment id -> text. Raises BenchError unless the file has exactly one text for each of `ids`."""
    content = decode_text(_read_bytes(path), path, encoding="utf-8-sig", advice="save it as UTF-8")
    # Not splitlines(): a hypothesis may contain U+2028 and similar characters.
    lines = [line.removesuffix("\r") for line in content.removesuffix("\n").split("\n")]
    if path.suffix not in (".jsonl", ".tsv"):
        if len(lines) != len(ids):
            raise BenchError(
                f"{path} has {len(lines)} lines, but {set_id} has {len(ids)} segments: "
                "write one line per segment, in the order of `bench references export`, or .jsonl with ids."
            )
        return dict(zip(ids, lines, strict=True))
    parse = _parse_json if path.suffix == ".jsonl" else _parse_tsv
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        parsed = parse(line, f"{path}, line {number}")
        if parsed.id in texts:
            raise BenchError(
                f"{path}, line {number}: the id {parsed.id} appears twice; remove one of the lines."
            )
        texts[parsed.id] = parsed.text
    missing = [id for id in ids if id not in texts]
    unknown = sorted(set(texts) - set(ids))
    if missing or unknown:
        problem = (
            f"lacks {len(missing)} segments (first: {missing[0]})"
            if missing
            else f"has ids that are not in the set (first: {unknown[0]})"
        )
        raise BenchError(f"{path} {problem} of {set_id}: list every segment of the set once, by its id.")
    return texts


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, limits.TABLE_BYTES, advice="set system.adapter.path to a text file")
    except FileNotFoundError:
        raise BenchError(f"There is no hypotheses file {path}: set system.adapter.path to one.") from None


def _parse_json(line: str, place: str) -> _Line:
    try:
        return msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise BenchError(
            f'{place}: expected a JSON object {{"id": "…", "text": "…"}} ({error}): correct the line.'
        ) from None


def _parse_tsv(line: str, place: str) -> _Line:
    cells = line.split("\t")  # no CSV quoting: quotation marks belong to the hypothesis
    if len(cells) != 2:
        raise BenchError(f"{place}: expected an id, one tab and the text, but found {len(cells)} columns.")
    return _Line(*cells)
