"""A board as terminal output, Markdown, CSV, JSON and LaTeX. All text from outside is escaped."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from rich.cells import cell_len

from bench import escaping
from bench.boards import columns as board_columns
from bench.boards.notes import differences, explain_differences, notes
from bench.boards.rows import Board, Row
from bench.boards.sentences import SENTENCES
from bench.boards.summary import sentences as summary_sentences
from bench.boards.text import cells, header, may_have_seen, signatures, title
from bench.core import Score
from bench.languages import LANGUAGE_NAMES, Language

if TYPE_CHECKING:
    from rich.console import RenderableType

JSON_FORMAT = 3
"""The version of leaderboard.json. Before format 3, ranks were numbers of clusters, segments were the units of all
tests, and intervals were bootstrapped."""


_PADDING = 2  # cells before a column
_NAME = 12  # cells that a name gets at least


def terminal(
    board: Board, width: int, columns: Sequence[str] = (), language: Language = "en"
) -> RenderableType:
    """For a rich console that is wide enough for all columns.

    `width`: cells of a line of the terminal. `columns`: which to show (bench.boards.columns); by default few, and
    fewer on a narrow terminal. Names are shortened, never broken.
    """
    from rich.console import Group
    from rich.constrain import Constrain

    shown = list(columns) or board_columns.narrow(board)
    widths = [max(map(_width, column)) + _PADDING for column in _by_column(board, shown, language)[1:]]
    fitting = shown if columns else board_columns.fitting(shown, widths, width)
    room = max(_NAME, width - sum(size for name, size in zip(shown, widths, strict=True) if name in fitting))
    say = SENTENCES[language]
    heads = zip(shown, header(board, shown, language)[1:], strict=True)
    hidden = say["between items"].join(head for name, head in heads if name not in fitting)
    before = [
        escaping.plain(title(board, language), "bold"),
        *_paragraph(board, language),
    ]
    after = [
        *(escaping.plain(f"Missing: {system}: {reason}", "red") for system, reason in board.missing.items()),
        *([escaping.plain(say["hidden"].format(columns=hidden), "dim")] if hidden else []),
        *(escaping.plain(note, "dim") for note in notes(board, language)),
    ]
    table = _terminal_table(board, fitting, room, language)
    return Group(
        *(Constrain(text, width) for text in before),
        "",
        table,
        "",
        *(Constrain(text, width) for text in after),
    )


def _paragraph(board: Board, language: Language) -> Iterator[RenderableType]:
    """The summary; what a reader must know first is bold."""
    if said := summary_sentences(board, language):
        first, *others = said
        separator = SENTENCES[language]["between sentences"]
        yield escaping.plain(first, "bold").append_text(
            escaping.plain("".join(separator + text for text in others), "not bold")
        )


def _by_column(board: Board, columns: Sequence[str], language: Language) -> list[list[str]]:
    """A cell with several flags has a line for each."""
    rows = [header(board, columns, language), *(cells(row, board, columns, language) for row in board.rows)]
    by_column = [[escaping.terminal(text) for text in column] for column in zip(*rows, strict=True)]
    for name, column in zip(columns, by_column[1:], strict=True):
        if name == "flags":
            column[:] = [text.replace(", ", ",\n").replace("、", "、\n") for text in column]
    return by_column


def _width(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _terminal_table(board: Board, columns: Sequence[str], room: int, language: Language) -> RenderableType:
    """`room`: cells for a name."""
    from rich.box import Box
    from rich.table import Table
    from rich.text import Text

    lines = Box("    \n    \n ── \n    \n ┈┈ \n    \n    \n    \n")
    table = Table(box=lines, padding=0, pad_edge=False, show_edge=False)
    (head, *names), *others = _by_column(board, columns, language)
    table.add_column(Text(head), no_wrap=True)
    for column, (head, *_) in zip(columns, others, strict=True):
        justify: Literal["left", "right"] = "right" if _is_number(column, board) else "left"
        table.add_column(Text(" " + head), no_wrap=True, justify=justify)
    ends, ranked = set(board.cluster_ends), 0
    short = board_columns.shortened(names, room)
    for number, (row, name) in enumerate(zip(board.rows, short, strict=True), 1):
        ranked += board.primary in row.ranks
        ends_cluster = board.primary in row.ranks and ranked in ends
        texts = (Text(column[number].replace("\n", "\n ")) for column in others)
        padded = [Text(" ").append(text) for text in texts]
        table.add_row(Text(name), *padded, style="dim" if row.control else None, end_section=ends_cluster)
    return table


def _is_number(column: str, board: Board) -> bool:
    return column in board.metrics or column in ("rank", "speed")


# Markdown


def markdown(boards: Sequence[Board]) -> str:
    return "\n".join([f"# {escaping.markdown(boards[0].reference.title)}", "", *complete_tables(boards)])


def complete_tables(boards: Sequence[Board], folder: str = "") -> list[str]:
    """The lines of `markdown` without its title.

    `folder`: where the leaderboards are, as seen from the page that shows these lines ("results/x/").
    """
    lines = []
    for board in boards:
        lines += [f"## {title(board)}", ""]
        lines += _markdown_table(board, folder, len(board.rows), board_columns.wide(board))
        if sentences := differences(board):
            explanation = escaping.markdown(explain_differences())
            lines += [f"- Differences between neighbours ({explanation}):"]
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
    lines = []
    for board in boards:
        lines += [f"### {title(board)}", ""]
        lines += [*_markdown_table(board, folder, count, board_columns.narrow(board)), ""]
    return lines


def _markdown_table(board: Board, folder: str, count: int, columns: Sequence[str]) -> list[str]:
    said = [escaping.markdown(sentence) for sentence in summary_sentences(board)]
    rulers = ["---", *("---:" if _is_number(column, board) else "---" for column in columns)]
    lines = [" ".join([f"**{said[0]}**", *said[1:]]), ""] if said else []
    lines += [
        _markdown_row([escaping.markdown(head) for head in header(board, columns)]),
        _markdown_row(rulers),
    ]
    for row in board.rows[:count]:
        name, *others = (escaping.markdown(text) for text in cells(row, board, columns))
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

_METRIC_COLUMNS = ("", "_low", "_high", "_rank_best", "_rank_worst")


def csv_text(boards: Sequence[Board]) -> str:
    """One line per system and direction; five columns per metric: score, ends of its 95 % confidence interval, best
    and worst rank."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    metrics = boards[0].metrics
    metric_heads = [f"{metric}{suffix}" for metric in metrics for suffix in _METRIC_COLUMNS]
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
                numbers += row.ranks.get(metric, ("", ""))
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
                "summary": {language: summary_sentences(board, language) for language in LANGUAGE_NAMES},
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
        **({"best": score.best} if score.best is not None else {}),
        **({"unscored": len(score.unscored)} if score.unscored else {}),
    }


# LaTeX


def latex(boards: Sequence[Board]) -> str:
    """One table per direction. It needs \\usepackage{booktabs}, and a font with Chinese if a name has Chinese
    in it."""
    lines = []
    for board in boards:
        columns = ["rank", *(column for column in board_columns.wide(board) if column in board.metrics)]
        caption = f"{board.reference.title}, {title(board)}. {' '.join(notes(board))}"
        rows = [header(board, columns), *(cells(row, board, columns) for row in board.rows)]
        head, *body = (" & ".join(map(escaping.latex, texts)) + r" \\" for texts in rows)
        lines += [
            r"\begin{table}",
            rf"\caption{{{escaping.latex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
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
