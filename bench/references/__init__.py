"""Reference sets. `load` reads any of them: a set built here, parallel files, or a test set of sacrebleu.

The stages that build a set from an official text are sub-packages: reading, segmentation, alignment, review.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from bench.core import ReferenceSet
from bench.errors import BenchError
from bench.references import outside, views
from bench.references.set_folder import BUILT, REBUILD, read_document, read_segments
from bench.resources import data_dir


def load(name_or_path: str | Path, granularity: str = "sentence") -> ReferenceSet:
    """The validated reference set; `load(result.origin, result.granularity)` gives it again.

    `name_or_path` is the name of a folder in references/ (of the working directory or of the package), the
    path of a set's folder, the PREFIX of the parallel files PREFIX.zh and PREFIX.en, FILE.jsonl in WMT's JSON Lines,
    or sacrebleu:SET/PAIR.
    `granularity` is "sentence", "paragraph" or "document" (see views.py).

    Raises BenchError, with file and line, at the first fault.
    """
    folder = _folder(name_or_path)
    reference = (
        _load_folder(folder, _origin(folder, name_or_path))
        if folder
        else outside.load(str(name_or_path), known_names())
    )
    if reference is None:
        raise BenchError(
            f"No reference set {str(name_or_path)!r}: give {_known_sets()}; for a set that was aligned "
            "elsewhere, give the PREFIX of the files PREFIX.zh and PREFIX.en, or sacrebleu:wmt22/zh-en."
        )
    return views.view(reference, granularity)


def find(name_or_path: str | Path) -> Path:
    """The folder of a reference set that was built here. Raises BenchError if there is none."""
    folder = _folder(name_or_path)
    if folder is None:
        raise BenchError(f"No reference set {str(name_or_path)!r} was built here: give {_known_sets()}.")
    return folder


def _load_folder(folder: Path, origin: str) -> ReferenceSet:
    if (folder / BUILT).is_file():
        raise BenchError(f"Building {folder} was interrupted or still runs: {REBUILD} --out {folder}.")
    document = read_document(folder / "document.yaml")
    return ReferenceSet(
        id=document.id,
        title=f"{document.title.en} ({document.title.zh})",
        original_language=document.original_language,
        published="" if document.published == "unknown" else document.published,
        licence=document.licence,
        segments=read_segments(folder),
        origin=origin,
        variety=document.variety or "",
    )


def _collections() -> tuple[Path, Path]:
    """The folders that hold sets by name."""
    return Path("references"), data_dir("references")


def _folder(name_or_path: str | Path) -> Path | None:
    folders = (Path(name_or_path), *(collection / name_or_path for collection in _collections()))
    with suppress(OSError):  # the name may be too long for a file
        return next((folder for folder in folders if (folder / "segments.jsonl").is_file()), None)
    return None


def _origin(folder: Path, name_or_path: str | Path) -> str:
    """The name of the set's folder if it is in references/ and loads this set, else the path as given."""
    path = folder.resolve()
    in_collection = path.parent in [collection.resolve() for collection in _collections()]
    by_name = _folder(path.name) if in_collection else None
    return path.name if by_name and by_name.resolve() == path else str(name_or_path)


def known_names() -> list[str]:
    """The names of the sets in references/, of the working directory and of the package."""
    folders = {path.parent for folder in _collections() for path in folder.glob("*/segments.jsonl")}
    return sorted({folder.name for folder in folders})


def _known_sets() -> str:
    return " or ".join([*known_names(), "the path of a set's folder"])
