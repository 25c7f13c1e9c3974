"""What a command prints, as Markdown: to be pasted into an issue, a mail or a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.escaping import markdown


def as_markdown(sections: Iterable[RenderableType]) -> str:
    """Texts, tables and grids of rich; a grid, which has no heads, becomes a list."""
    return "\n\n".join(filter(None, map(_section, sections))) + "\n"


def _section(section: RenderableType) -> str:
    if isinstance(section, Padding):
        return _section(section.renderable)
    if not isinstance(section, Table):
        text = _text(section)
        return f"**{text}**" if isinstance(section, Text) and "bold" in str(section.style) else text
    columns = [list(map(_text, column.cells)) for column in section.columns]
    rows = list(zip(*columns, strict=True))
    if not section.show_header:
        return "\n".join(f"- {': '.join(filter(None, row))}" for row in rows)
    heads = [_text(column.header) for column in section.columns]
    rule = ["---:" if column.justify == "right" else "---" for column in section.columns]
    return "\n".join(map(_row, [heads, rule, *rows]))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(content: RenderableType) -> str:
    """On one line."""
    text = content.plain if isinstance(content, Text) else str(content)
    return markdown(" ".join(text.split()))
