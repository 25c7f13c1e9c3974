"""The site: the boards, and the way from a score down to each translation. Static, of the store alone, without a network.

index.html is a single page with hash routes. What it shows comes in as scripts that call `data(name, value)`: a browser that
opened a page from a file lets it read nothing else. They are loaded as they are needed (`data.py` has their form).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import escape

from bench import store
from bench.boards.rows import Board
from bench.boards.site.data import files

_STATIC = Path(__file__).parent / "static"
_TITLE = "<title>bitext-bench</title>"


def write(root: Path, boards: Sequence[Board]) -> Path:
    """The site of one reference set; gives index.html's path. What an earlier site had and this one has not goes.

    Raises BenchError where a run's hypotheses are not those that were written.
    """
    folder = store.site_folder(root, boards[0].reference.id)
    # Names with a dot in front are files that another process is writing.
    there = {path for path in folder.rglob("[!.]*") if path.is_file()}
    for name, text in files(root, boards):
        there.discard(_write(folder / name, text))
    for path in sorted(_STATIC.iterdir(), key=lambda path: path.name == "index.html"):  # it comes last
        text = path.read_text("utf-8")
        if path.name == "index.html":
            text = text.replace(_TITLE, f"<title>{escape(boards[0].reference.title)}</title>")
        there.discard(_write(folder / path.name, text))
    for path in there:
        path.unlink(missing_ok=True)
    return folder / "index.html"


def _write(path: Path, text: str) -> Path:
    """What is the same already stays as it is, its time as well: syncing and browsers' caches go by it."""
    if not path.is_file() or path.read_bytes() != text.encode():
        store.write(path, text)
    return path
