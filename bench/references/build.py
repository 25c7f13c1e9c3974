"""Source files -> the folder of a reference set.

The hash of segments.jsonl is in a file of its own, in the format of sha256sum: `sha256sum -c segments.sha256`
verifies a set without this package. Only people edit document.yaml and overrides.yaml; the first build writes
a document.yaml to start from.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import msgspec
import yaml

from bench import progress
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.files import decode_record, disk_errors, no_empty_folders, read_bytes, remove_abandoned, write_json
from bench.languages import Side
from bench.names import check_name
from bench.references import cedict, load, overrides
from bench.references.alignment.embed import load_embedder
from bench.references.alignment.pipeline import BuildResult, build_segments
from bench.references.reading.read import SourceText, read
from bench.references.review.check import faults, segment_faults
from bench.references.review.report import report
from bench.references.segmentation.extract import LeftOut
from bench.references.set_folder import BUILT, read_document
from bench.references.source_files import ALIGNED_FILE, TEXT_FILES, source_contents, source_paths
from bench.references.variety import script_tag
from bench.store.lock import exclusive_lease

_MIN_MEAN_CONFIDENCE = 0.15
"""Of all pairs. On the gold texts it is at least 0.64, on pairs of different gold texts at most 0.11."""
_MAX_SHOWN = 20
"""Source lines that an error lists."""
_SOURCES = {*TEXT_FILES.values(), ALIGNED_FILE}
_NAMES = {*_SOURCES, "segments.jsonl", "segments.sha256", "left_out.jsonl", "report.md", "document.yaml"}


def build(
    sources: Sequence[Path],
    id: str,
    out: Path,
    lexicon: Path | None = None,
    embeddings: str | None = None,
) -> ReferenceSet:
    """Build the reference set `id` in the folder `out`. The same input gives the same bytes.

    `sources` are one or two files (see reading/read.py), or none to rebuild the set in `out` from the copy of
    its source. Applies the reviewer's decisions in overrides.yaml of `out`. `lexicon` is the path of
    CC-CEDICT, and `embeddings` a sentence-embedding checkpoint; both improve the alignment.

    One process at a time builds a set, and all its files change or none: the next build completes one that was
    killed. Raises BenchError, and writes nothing, if a file cannot be read, a language is missing, or an
    override does not fit.
    """
    check_name(id, "--id")
    with _building(out):
        return _build(sources, id, out, lexicon, embeddings)


def _build(
    sources: Sequence[Path], id: str, out: Path, lexicon: Path | None, embeddings: str | None
) -> ReferenceSet:
    document = out / "document.yaml"
    if document.is_file() and (known_id := read_document(document).id) != id:
        raise BenchError(
            f"{document} has the id {known_id}; build with --id {known_id} or into another folder."
        )
    is_rebuilt = not sources
    if not (sources or (sources := source_paths(out))):
        raise BenchError(f"There is no set in {out} yet: name the files to build it from.")
    source = read(sources)
    contents = source_contents(source)
    is_set = (out / "segments.jsonl").is_file()
    foreign = [
        path
        for path in (out / name for name in contents)
        if not is_set and path.is_file() and not any(path.samefile(given) for given in sources)
    ]
    if foreign:
        raise BenchError(
            f"{foreign[0]} is not part of a set and would be overwritten: move it or choose another --out."
        )
    decisions = overrides.read(out)
    result = build_segments(
        source,
        decisions,
        cedict.load(lexicon) if lexicon else None,
        load_embedder(embeddings) if embeddings else None,
    )
    if not result.segments:
        raise BenchError(
            "No sentence has a counterpart in the other language: give both texts of one document."
        )
    pairs = len(result.segments) + result.unlikely
    mean = sum(segment.confidence for segment in result.segments) / pairs
    if mean < _MIN_MEAN_CONFIDENCE:
        progress.say(
            f"The two texts hardly translate each other (mean confidence {mean:.2f}): check that they are of one "
            "document.",
            warning=True,
        )
    _refuse_unproven(result, source, decisions, out)
    files = _Files(out)
    for name, text in contents.items():
        files.write(name, [text])
    digest = files.write("segments.jsonl", map(_row, result.segments))
    files.write("segments.sha256", [f"{digest}  segments.jsonl\n"])
    files.write("left_out.jsonl", map(_row, result.left_out))
    files.write("report.md", [report(id, source, result, decisions, lexicon, embeddings, is_rebuilt)])
    if not document.is_file():
        files.write(document.name, [_first_document(id, source, result.segments)])
    files.publish()
    return load(out)


def _refuse_unproven(
    result: BuildResult, source: SourceText, decisions: overrides.Overrides, out: Path
) -> None:
    """Raise BenchError if the set would be refused by its own check or loader: a fault of this program."""
    languages: tuple[Side, Side] = ("both", "both") if "both" in source.texts else ("zh", "en")
    texts = {side: text.split("\n") for side, text in source.texts.items()}
    zh, en = languages
    name = dict.fromkeys(texts, ALIGNED_FILE) if source.aligned else TEXT_FILES
    found = [
        *segment_faults(result.segments),
        *faults(
            result.segments,
            result.left_out,
            {"zh": texts[zh], "en": texts[en]},
            {"zh": name[zh], "en": name[en]},
            decisions.corrections,
        ),
    ]
    if not found:
        return
    lines = sorted({(fault.side, line) for fault in found for line in fault.lines})[:_MAX_SHOWN]
    entries = [
        "{lines: [" + ", ".join(str(line) for own, line in lines if own == side) + "]"
        + (f", side: {side}" if side != "both" else "") + ", reason: …}"
        for side in dict.fromkeys(own for own, _ in lines)
    ]  # fmt: skip
    more = f"; more faults: {len(found) - 1}" if len(found) > 1 else ""
    raise BenchError(
        f"{out} is unchanged, because the set would not hold its source exactly: {found[0].location}: "
        f"{found[0].problem}{more}. Leave these lines out in {out / overrides.FILE}, below leave_out, as "
        f"`- {' and - '.join(entries)}`, or correct them in the source, and build again."
    )


@contextmanager
def _building(out: Path) -> Iterator[None]:
    """Hold a set's folder exclusively, after a build that was killed there is completed or its files deleted."""
    with no_empty_folders(out), exclusive_lease(out / ".build.lock", f"{out}"):
        try:
            _complete(out)
            yield
        finally:
            if not (out / BUILT).is_file():
                for name in _NAMES:
                    _temporary(out, name).unlink(missing_ok=True)


class _Plan(msgspec.Struct, frozen=True):
    """What BUILT holds."""

    new: list[str]
    """Names of files that are complete under their temporary names."""
    obsolete: list[str]
    """Names of files of the set before that are deleted: the copy of another source."""


class _Files:
    """The files of a set's folder. They get temporary names until all are complete."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._names = folder, list[str]()
        self._is_rebuild = (folder / "segments.jsonl").is_file()

    def write(self, name: str, chunks: Iterable[str]) -> str:
        """Write a file under its temporary name. Returns the SHA-256 of its bytes."""
        path, hasher = _temporary(self._folder, name), hashlib.sha256()
        with disk_errors(path):
            path.unlink(missing_ok=True)
            with path.open("xb") as file:  # never through a link
                for chunk in chunks:
                    data = chunk.encode()
                    hasher.update(data)
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
        self._names.append(name)
        return hasher.hexdigest()

    def publish(self) -> None:
        """Give all files their names, and remove the copy of another source that an earlier build left."""
        obsolete = sorted(_SOURCES - {*self._names}) if self._is_rebuild else []
        write_json(self._folder / BUILT, {"new": self._names, "obsolete": obsolete})
        _complete(self._folder)


def _complete(folder: Path) -> None:
    """Let the files of a complete build appear. Every step can be repeated."""
    path = folder / BUILT
    remove_abandoned(path)
    try:
        plan = decode_record(read_bytes(path, inside=folder), path, _Plan)
    except FileNotFoundError:
        return
    with disk_errors(folder):
        for name in _NAMES & {*plan.new}:
            with suppress(FileNotFoundError):  # it has its name already
                os.replace(_temporary(folder, name), folder / name)
        for name in _SOURCES & {*plan.obsolete}:
            (folder / name).unlink(missing_ok=True)
        path.unlink()


def _temporary(folder: Path, name: str) -> Path:
    return folder / f".{name}.new"


def _row(record: Segment | LeftOut) -> str:
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def _first_document(id: str, source: SourceText, segments: Sequence[Segment]) -> str:
    """A document.yaml with what the source says about itself; the rest is "unknown"."""
    title = next((segment for segment in segments if segment.kind == "heading"), segments[0])
    script = script_tag(segment.zh for segment in segments)
    content = {
        "id": id,
        "title": {"zh": title.zh[:200], "en": title.en[:200]},
        "original_language": "unknown",
        "variety": source.variety if source.variety.startswith(script) else script,
        "published": "unknown",
        "origin": ", ".join(file.name for file in source.origin),
        "licence": "unknown",
    }
    comment = "# Made by the first build, for a person to complete; no later build touches it.\n"
    return comment + str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000))
