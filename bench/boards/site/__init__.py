"""The site of a reference set: its boards, and the way from a score down to each translation. Static files,
no network.

index.html is a single page with hash routes. Its data are scripts that call `data(name, value)`, because a
browser lets a page that was opened from a file load scripts, but not read files. Each is loaded when a view
needs it. `data.py` describes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import escape

from bench.boards.rows import Board
from bench.boards.site.data import data_files
from bench.files import write_text

_STATIC = Path(__file__).parent / "static"
_PAGE = "index.html"
_TITLE = "<title>bitext-bench</title>"


def write_site(folder: Path, boards: Sequence[Board]) -> Path:
    """Write the site of the boards' reference set into `folder`, and delete files of an earlier site. Returns
    index.html.

    Raises BenchError if a run's hypotheses were changed after the run.
    """
    # A name that begins with a dot is a file that another process is writing.
    old_files = {path for path in folder.rglob("[!.]*") if path.is_file()}
    new_files = set()
    for name, text in [*data_files(boards), *_static_files(boards[0].reference.title)]:
        _write(folder / name, text)
        new_files.add(folder / name)
    for path in old_files - new_files:
        path.unlink(missing_ok=True)
    return folder / _PAGE


def _static_files(title: str) -> Iterator[tuple[str, str]]:
    """Names and contents; index.html comes last, so that a page that opens is complete."""
    for path in sorted(_STATIC.iterdir(), key=lambda path: path.name == _PAGE):
        text = path.read_text("utf-8")
        yield (
            path.name,
            text.replace(_TITLE, f"<title>{escape(title)}</title>") if path.name == _PAGE else text,
        )


def _write(path: Path, text: str) -> None:
    """An unchanged file keeps its time, which synchronising and browser caches rely on."""
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)
