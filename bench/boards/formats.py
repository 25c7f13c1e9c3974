"""A board as terminal output, Markdown, CSV, JSON and LaTeX. All text from outside is escaped."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from bench import escaping
from bench.boards.rows import Board, Row
from bench.boards.text import (
    cells,
    differences,
    explain_differences,
    header,
    may_have_seen,
    narrow,
    notes,
    signatures,
    title,
)
from bench.core import Score

if TYPE_CHECKING:
    from rich.console import RenderableType

JSON_FORMAT = 2
"""The version of leaderboard.json. Format 1 had no such key and other names in its comparisons."""


def terminal(board: Board) -> RenderableType:
    """For rich. Without sizes and licences: a terminal is narrow."""
    from rich.console import Group
    from rich.table import Table

    table = Table(title=title(board), title_justify="left", title_style="bold")
    heads = header(board)
    columns = _columns(heads, hidden=("size", "licence"))
    for column in columns:
        table.add_column(
            escaping.plain(heads[column]), justify=_alignment(column, heads, board), overflow="fold"
        )
    for row in board.rows:
        texts = cells(row, board)
        table.add_row(
            *(escaping.plain(texts[column]) for column in columns), style="dim" if row.control else None
        )
    missing = [
        escaping.plain(f"Missing: {system}: {reason}", "red") for system, reason in board.missing.items()
    ]
    return Group(table, *missing, *(escaping.plain(note, "dim") for note in notes(board)))


def _columns(heads: Sequence[str], hidden: Collection[str]) -> list[int]:
    return [column for column, head in enumerate(heads) if head not in hidden]


def _alignment(column: int, heads: Sequence[str], board: Board) -> Literal["left", "right"]:
    is_number = 0 < column <= len(board.metrics) or heads[column] == "seg/s"
    return "right" if is_number else "left"


# Markdown


def markdown(boards: Sequence[Board]) -> str:
    return "\n".join([f"# {escaping.markdown(boards[0].reference.title)}", "", *complete_tables(boards)])


def complete_tables(boards: Sequence[Board], folder: str = "") -> list[str]:
    """The lines of `markdown` without its title.

    `folder`: where the leaderboards are, as seen from the page that shows these lines ("results/x/").
    """
    lines = []
    for board in boards:
        lines += [f"## {title(board)}", "", *_markdown_table(board, folder, len(board.rows))]
        if sentences := differences(board):
            explanation = escaping.markdown(explain_differences(board))
            lines += [f"- Significant differences between neighbours ({explanation}):"]
            lines += [f"  - {escaping.markdown(sentence)}" for sentence in sentences]
        lines += [
            f"- {escaping.markdown(metric)}: {escaping.markdown_code(signature)}"
            for metric, signature in signatures(board).items()
        ]
        lines += [""]
    return lines


def first_rows(boards: Sequence[Board], folder: str, count: int) -> list[str]:
    """The first `count` rows of each board, with few columns: for a section of a page that links to the full
    tables."""
    hidden = ("size", "licence", "seg/s", "device")
    lines = []
    for board in boards:
        lines += [f"### {title(board)}", "", *_markdown_table(narrow(board), folder, count, hidden), ""]
    return lines


def _markdown_table(board: Board, folder: str, count: int, hidden: Collection[str] = ()) -> list[str]:
    heads = header(board)
    columns = _columns(heads, hidden)
    rulers = ["---:" if _alignment(column, heads, board) == "right" else "---" for column in columns]
    lines = [
        _markdown_row([escaping.markdown(heads[column]) for column in columns]),
        _markdown_row(rulers),
    ]
    for row in board.rows[:count]:
        texts = cells(row, board)
        name, *others = (escaping.markdown(texts[column]) for column in columns)
        target = quote(f"{folder}{row.folder}/hypotheses.jsonl", safe="/+@=~", errors="replace")
        lines.append(_markdown_row([f"[{name}]({target})", *others]))
    lines += ["", *(f"- {escaping.markdown(note)}" for note in notes(board))]
    if len(board.rows) > count:
        lines += [f"- Top {count} of {len(board.rows)} systems."]
    missing = board.missing.items()
    return lines + [f"- Missing: {escaping.markdown(f'{system}: {reason}')}" for system, reason in missing]


def _markdown_row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


# CSV


def csv_text(boards: Sequence[Board]) -> str:
    """One line per system and direction; four columns per metric: score, ends of its 95 % bootstrap confidence
    interval, rank."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    metrics = boards[0].metrics
    metric_heads = [f"{metric}{suffix}" for metric in metrics for suffix in ("", "_low", "_high", "_rank")]
    writer.writerow(
        [
            "reference",
            "direction",
            "system",
            "control",
            *metric_heads,
            "flags",
            "identity",
            "hypotheses_sha256",
        ]
    )
    for board in boards:
        for row in board.rows:
            numbers: list[Any] = []
            for metric in metrics:
                score = row.scores[metric]
                numbers += [score.value, *(score.interval or ("", ""))] if score else ["", "", ""]
                numbers.append(row.ranks.get(metric, ""))
            flags = " ".join(f"{flag}={count}" for flag, count in row.run.flags.items())
            texts = (flags, row.run.identity, row.run.hypotheses_sha256)
            about = [escaping.csv_cell(board.reference.id), board.direction, escaping.csv_cell(row.system)]
            writer.writerow([*about, row.control, *numbers, *map(escaping.csv_cell, texts)])
    return stream.getvalue()


# JSON


def json_text(boards: Sequence[Board]) -> str:
    """Everything that the tables show, and what it was computed from. Values of single segments are in the
    runs."""
    reference = boards[0].reference
    # Not the origin: it may be a path of the machine that made the board. The runs record it.
    names = (field.name for field in fields(reference) if field.name not in ("segments", "origin"))
    about = {name: getattr(reference, name) for name in names}
    document = {
        "format": JSON_FORMAT,
        "reference": {**about, "segments": len(reference.segments)},
        "directions": {
            board.direction: {
                "sorted_by": board.primary,
                "rows": [_json_row(row, board) for row in board.rows],
                "comparisons": {metric: asdict(tests) for metric, tests in board.comparisons.items()},
                "missing": dict(board.missing),
                "gaps": dict(board.gaps),
            }
            for board in boards
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _json_row(row: Row, board: Board) -> dict[str, Any]:
    run = {
        key: value for key, value in row.document.items() if key not in ("reference", "direction", "format")
    }
    return {
        "name": row.system,
        "folder": row.folder,
        "scores": {metric: _json_score(score) if score else None for metric, score in row.scores.items()},
        "ranks": dict(row.ranks),
        "may_have_seen": may_have_seen(row, board),
        **run,
    }


_SCORE_FIELDS = ("metric", "value", "interval", "signature", "higher_is_better", "decimals")


def _json_score(score: Score) -> dict[str, Any]:
    return {
        **{name: getattr(score, name) for name in _SCORE_FIELDS},
        "remarks": dict(Counter(remark for _, remark in score.remarks)),
        **({"unscored": len(score.unscored)} if score.unscored else {}),
    }


# LaTeX


def latex(boards: Sequence[Board]) -> str:
    """One table per direction. It needs \\usepackage{booktabs}, and a font with Chinese if a name has Chinese
    in it."""
    lines = []
    for board in boards:
        columns = range(len(board.metrics) + 1)
        caption = f"{board.reference.title}, {title(board)}. {' '.join(notes(board))}"
        rows = [header(board), *(cells(row, board) for row in board.rows)]
        head, *body = (
            " & ".join(escaping.latex(texts[column]) for column in columns) + r" \\" for texts in rows
        )
        lines += [
            r"\begin{table}",
            rf"\caption{{{escaping.latex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(board.metrics)}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(lines)
