"""index.html of a store: all sets and directions on one page, each with the first sentence of its board. Directions
are listed one by one and never averaged.

It is made from the leaderboards alone, which may be somebody else's: all their text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench import escaping
from bench.boards.sentences import LANGUAGE_NAMES_IN
from bench.boards.site.single import content_hash
from bench.errors import BenchError
from bench.files import remove_abandoned, write_text
from bench.languages import LANGUAGE_NAMES, sides
from bench.store import Store

PAGE = "index.html"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_index(store: Store) -> Path:
    """Write the page. Several processes may do so at once: the last one has seen all boards."""
    path, text = store.root / PAGE, index_text(store)
    remove_abandoned(path)
    if not path.is_file() or path.is_symlink() or path.read_bytes() != text.encode():
        write_text(path, text, inside=store.root)
    return path


def index_text(store: Store) -> str:
    style, _, _ = _TEMPLATES.loader.get_source(_TEMPLATES, "index_page.css")  # type: ignore[union-attr]
    return _TEMPLATES.get_template("index_page.html.j2").render(
        title=escaping.terminal(store.site_head().title or "bitext-bench"),
        sets=list(_sets(store)),
        style=style,
        style_hash=content_hash(style),
    )


def _sets(store: Store) -> Iterator[dict[str, Any]]:
    for set_id in store.set_ids():
        try:
            leaderboard = store.leaderboard(set_id)
        except BenchError:  # its message names a folder of this machine
            fault = "Its leaderboard.json is damaged: bench publish or bench run writes it again."
            yield {"id": set_id, "title": set_id, "facts": "", "boards": [], "fault": fault}
            continue
        if leaderboard is None:
            continue
        about = leaderboard.reference
        facts = [about.published, f"{about.segments:,} segments" if about.segments else "", set_id]
        yield {
            "id": set_id,
            "title": escaping.terminal(about.title or set_id),
            "facts": " · ".join(escaping.terminal(fact) for fact in facts if fact),
            "fault": "",
            "boards": [
                {
                    "direction": direction,
                    "name": {
                        language: " → ".join(LANGUAGE_NAMES_IN[language][side] for side in sides(direction))
                        for language in LANGUAGE_NAMES
                    },
                    "systems": len(board.rows),
                    "verdict": {
                        language: escaping.terminal(board.summary.get(language, [""])[0])
                        for language in LANGUAGE_NAMES
                        if board.summary.get(language)
                    },
                }
                for direction, board in leaderboard.directions.items()
            ],
        }
