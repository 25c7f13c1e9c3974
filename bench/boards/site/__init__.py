"""The site of a reference set: its boards, and the way from a score down to each translation. Static files,
no network.

index.html is a single page with hash routes. Its data are scripts that call `data(name, value)`, because a
browser lets a page that was opened from a file load scripts, but not read files. Each is loaded when a view
needs it. `data.py` describes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import escape

from bench.boards.rows import Board
from bench.boards.site.data import data_files
from bench.errors import BenchError
from bench.files import disk_errors, write_text
from bench.records import NO_HEAD, SiteHead

_STATIC = Path(__file__).parent / "static"
_PAGE = "index.html"
_TITLE = "<title>bitext-bench</title>"


def write_site(folder: Path, boards: Sequence[Board], head: SiteHead = NO_HEAD) -> Path:
    """Write the site of the boards' reference set into `folder`, and delete files of an earlier site. Returns
    index.html.

    Links in the folder are deleted, never followed. Raises BenchError if the folder itself is a link, or a
    run's hypotheses were changed after the run.
    """
    if folder.is_symlink():
        raise BenchError(f"{folder} is a link: delete the link and run again.")
    with disk_errors(folder):
        old_files = _files_without_links(folder)
        new_files = set()
        for name, text in site_files(boards, head):
            _write(folder / name, text, folder)
            new_files.add(folder / name)
        for path in old_files - new_files:
            path.unlink(missing_ok=True)
    return folder / _PAGE


def site_files(boards: Sequence[Board], head: SiteHead) -> list[tuple[str, str]]:
    """Names and contents of all files of the site."""
    return [*data_files(boards, head), *_static_files(boards[0].reference.title)]


def _files_without_links(folder: Path) -> set[Path]:
    """Delete all links below a folder. Returns the files there, except those that are being written: their
    names begin with a dot."""
    files = set()
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent, name) for name in [*folders, *names]):
            if path.is_symlink():
                path.unlink(missing_ok=True)
        files |= {Path(parent, name) for name in names if not name.startswith(".")}
    return files


def _static_files(title: str) -> Iterator[tuple[str, str]]:
    """Names and contents; index.html comes last, so that a page that opens is complete."""
    for path in sorted(_STATIC.iterdir(), key=lambda path: path.name == _PAGE):
        text = path.read_text("utf-8")
        yield (
            path.name,
            text.replace(_TITLE, f"<title>{escape(title)}</title>") if path.name == _PAGE else text,
        )


def _write(path: Path, text: str, folder: Path) -> None:
    """An unchanged file keeps its time, which synchronising and browser caches rely on."""
    data = text.encode(errors="replace")
    if not path.is_file() or path.stat().st_size != len(data) or path.read_bytes() != data:
        write_text(path, text, inside=folder)
