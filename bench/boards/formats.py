"""One board, five forms: terminal, Markdown, CSV, JSON, LaTeX. Everything that came from outside is escaped."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal

from bench.boards.rows import Board, Row
from bench.boards.text import cells, differences, header, may_have_seen, notes, signatures, title
from bench.core import Score

if TYPE_CHECKING:
    from rich.console import RenderableType


def terminal(board: Board) -> RenderableType:
    """For rich. Sizes and licences are left out: a terminal is narrow."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title(board), title_justify="left", title_style="bold")
    heads = header(board)
    shown = [i for i, head in enumerate(heads) if head not in ("size", "licence")]
    for i in shown:
        table.add_column(heads[i], justify=_side(i, heads, board), overflow="fold")
    for row in board.rows:
        line = cells(row, board)
        table.add_row(*(Text(line[i]) for i in shown), style="dim" if row.control else None)
    missing = [Text(f"Missing: {system}: {reason}", style="red") for system, reason in board.missing.items()]
    return Group(table, *missing, *(Text(note, style="dim") for note in notes(board)))


def _side(column: int, heads: Sequence[str], board: Board) -> Literal["left", "right"]:
    """Numbers stand to the right."""
    return "right" if 0 < column <= len(board.metrics) or heads[column] == "seg/s" else "left"


def markdown(boards: Sequence[Board]) -> str:
    return "\n".join([f"# {_md(boards[0].reference.title)}", "", *whole(boards)])


def whole(boards: Sequence[Board], where: str = "") -> list[str]:
    """The lines of `markdown` without its title, for a page from which the leaderboard's own folder is `where` ("results/x/")."""
    parts = []
    for board in boards:
        parts += _table(board, where, len(board.rows))
        if told := differences(board):
            parts += ["- Differences between neighbours, 95 % interval, p corrected for all pairs:"]
            parts += [f"  - {_md(line)}" for line in told]
        parts += [f"- {metric}: `{signature}`" for metric, signature in signatures(board).items()]
        parts += [""]
    return parts


def head(boards: Sequence[Board], where: str, most: int) -> list[str]:
    """The lines of each table's first `most` rows and what must be known to read them."""
    return [line for board in boards for line in [*_table(board, where, most), ""]]


def _table(board: Board, where: str, most: int) -> list[str]:
    heads = header(board)
    sides = ("---:" if _side(i, heads, board) == "right" else "---" for i in range(len(heads)))
    parts = [f"## {title(board)}", "", _md_row(heads), _md_row(list(sides))]
    for row in board.rows[:most]:
        name, *rest = map(_md, cells(row, board))
        parts.append(_md_row([f"[{name}]({where}{row.folder}/hypotheses.jsonl)", *rest]))
    parts += ["", *(f"- {_md(note)}" for note in notes(board))]
    if len(board.rows) > most:
        parts += [f"- Shown are the first {most} of {len(board.rows)} systems."]
    return parts + [f"- Missing: {_md(system)}: {_md(reason)}" for system, reason in board.missing.items()]


def csv_text(boards: Sequence[Board]) -> str:
    """Wide: one line a system and direction; for each metric its score, the ends of its interval and the rank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = boards[0].metrics
    fixed = ["reference", "direction", "system", "control"]
    writer.writerow(
        [
            *fixed,
            *(f"{m}{end}" for m in metrics for end in ("", "_low", "_high", "_rank")),
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
            flags = " ".join(f"{flag}={count}" for flag, count in row.run["flags"].items())
            run = [board.reference.id, board.direction, row.system, row.control]
            writer.writerow([*run, *numbers, flags, row.run["identity"], row.run["hypotheses_sha256"]])
    return out.getvalue()


def json_text(boards: Sequence[Board]) -> str:
    """Everything a table shows and what it was computed from; what scorers say of single segments stays in the runs."""
    reference = {k: v for k, v in asdict(boards[0].reference).items() if k != "segments"}
    record = {"reference": {**reference, "segments": len(boards[0].reference.segments)}, "directions": {}}
    for board in boards:
        record["directions"][board.direction] = {
            "sorted_by": board.primary,
            "rows": [_json_row(row, board) for row in board.rows],
            "comparisons": {metric: asdict(tested) for metric, tested in board.comparisons.items()},
            "missing": dict(board.missing),
            "gaps": dict(board.gaps),
        }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _json_row(row: Row, board: Board) -> dict[str, Any]:
    run = {key: value for key, value in row.run.items() if key not in ("reference", "direction", "format")}
    scores = {metric: _json_score(score) if score else None for metric, score in row.scores.items()}
    ranks, seen = dict(row.ranks), may_have_seen(row, board)
    return {
        "name": row.system,
        "folder": row.folder,
        "scores": scores,
        "ranks": ranks,
        "may_have_seen": seen,
        **run,
    }


def latex(boards: Sequence[Board]) -> str:
    """A table a direction, for booktabs: \\usepackage{booktabs}, and a font with Chinese where a name needs one."""
    parts = []
    for board in boards:
        heads = header(board)
        shown = range(len(board.metrics) + 1)
        parts += [
            r"\begin{table}",
            rf"\caption{{{_tex(board.reference.title)}, {_tex(title(board))}. {_tex(' '.join(notes(board)))}}}",
            rf"\begin{{tabular}}{{l{'r' * len(board.metrics)}}}",
            r"\toprule",
            " & ".join(_tex(heads[i]) for i in shown) + r" \\",
            r"\midrule",
            *(" & ".join(_tex(cells(row, board)[i]) for i in shown) + r" \\" for row in board.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(parts)


_TEX = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"$\dagger$",
    "\n": " ",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _json_score(score: Score) -> dict[str, Any]:
    by_segment = ("segments", "statistics", "spans", "remarks")
    kept = {f.name: getattr(score, f.name) for f in fields(score) if f.name not in by_segment}
    return {**kept, "remarks": dict(Counter(remark for _, remark in score.remarks))}


def _md(text: str) -> str:
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def _md_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
