"""Source files -> the folder of a reference set.

The hash of segments.jsonl has a file of its own, in the format of sha256sum: `sha256sum -c segments.sha256` proves a set
without this package. document.yaml and overrides.yaml are files that only people write; build makes a first
document.yaml where there is none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import yaml

from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.references import ID, cedict, load, read_document
from bench.references.alignment.embed import embedder
from bench.references.alignment.pipeline import segments_of
from bench.references.reading.read import SourceText, read
from bench.references.review import overrides
from bench.references.review.report import report
from bench.references.segmentation.extract import LeftOut
from bench.references.set_folder import ALIGNED, SOURCES, source_files
from bench.references.set_folder import sources as built_from


def build(
    sources: Sequence[Path],
    name: str,
    out: Path,
    lexicon: Path | None = None,
    embeddings: str | None = None,
) -> ReferenceSet:
    """Writes the reference set `name` into the folder `out`; twice gives the same bytes.

    Applies the reviewer's decisions in `out`/overrides.yaml where there are any. `lexicon` is a copy of CC-CEDICT, `embeddings` a sentence-embedding checkpoint. Raises BenchError, and writes
    nothing, where a file cannot be read, one of the two languages is missing or an override does not fit.
    """
    if not ID.fullmatch(name):
        raise BenchError(f"--id {name!r} cannot be a folder: use letters, digits and ._- only.")
    document = out / "document.yaml"
    if document.is_file() and (known := read_document(document)["id"]) != name:
        raise BenchError(f"{document} says id: {known}; build with --id {known} or into another folder.")
    if not (sources or (sources := built_from(out))):
        raise BenchError(f"There is no set in {out} yet: name the files to build it from.")
    source = read(sources)
    theirs = [out / name for name in source_files(source) if (out / name).is_file()]
    if not (out / "segments.jsonl").is_file() and not all(
        any(p.samefile(s) for s in sources) for p in theirs
    ):
        raise BenchError(
            f"{theirs[0]} is not of a set and would be overwritten: move it, or choose another --out."
        )
    decisions = overrides.read(out)
    built = segments_of(
        source,
        decisions,
        cedict.load(lexicon) if lexicon else None,
        embedder(embeddings) if embeddings else None,
    )
    if not built.segments:
        raise BenchError(
            "No sentence has a counterpart in the other language: give both texts of one document."
        )
    with ExitStack() as unfinished:
        files = _Files(out, unfinished)
        for file, text in source_files(source).items():
            files.write(file, [text])
        digest = files.write("segments.jsonl", map(_row, built.segments))
        files.write("segments.sha256", [f"{digest}  segments.jsonl\n"])
        files.write("left_out.jsonl", map(_row, built.left_out))
        files.write("report.md", [report(name, source, built, decisions, lexicon, embeddings)])
        if not document.is_file():
            files.write(document.name, [_first_document(name, source, built.segments)])
        files.publish()
        unfinished.pop_all()
    return load(out)


class _Files:
    """Files of a folder that appear together: under temporary names until all are whole."""

    def __init__(self, folder: Path, unfinished: ExitStack):
        self._folder, self._unfinished, self._names = folder, unfinished, list[str]()
        self._again = (folder / "segments.jsonl").is_file()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BenchError(
                f"Cannot make the folder {folder} ({error.strerror}): choose another --out."
            ) from None

    def write(self, name: str, parts: Iterable[str]) -> str:
        """Gives the SHA-256 of what was written."""
        path, hashed = self._folder / f".{name}.new", hashlib.sha256()
        self._unfinished.callback(path.unlink, missing_ok=True)
        with path.open("wb") as file:
            for part in parts:
                data = part.encode()
                hashed.update(data)
                file.write(data)
        self._names.append(name)
        return hashed.hexdigest()

    def publish(self) -> None:
        for name in self._names:
            os.replace(self._folder / f".{name}.new", self._folder / name)
        for name in {*SOURCES.values(), ALIGNED} - {*self._names} if self._again else ():
            (self._folder / name).unlink(missing_ok=True)  # of an earlier build from other files


def _row(record: Segment | LeftOut) -> str:
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def _first_document(name: str, source: SourceText, segments: Sequence[Segment]) -> str:
    """What can be known without a person."""
    title = next((s for s in segments if s.kind == "heading"), segments[0])
    about = {
        "id": name,
        "title": {"zh": title.zh[:200], "en": title.en[:200]},
        "original_language": "unknown",
        "published": "unknown",
        "origin": ", ".join(file.name for file in source.origin),
        "licence": "unknown",
    }
    head = "# Made by the first build, for a person to complete; no later build touches it.\n"
    return head + yaml.safe_dump(about, allow_unicode=True, sort_keys=False, width=1000)
