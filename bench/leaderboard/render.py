"""One board, four forms: terminal, Markdown, CSV, JSON. Everything that came from outside is escaped."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.core import LANGUAGE_NAMES, Score, sides
from bench.leaderboard.board import Board, Row

if TYPE_CHECKING:
    from rich.console import RenderableType

MISSING = "–"


def title(board: Board) -> str:
    source, target = sides(board.direction)
    return f"{LANGUAGE_NAMES[source]} → {LANGUAGE_NAMES[target]}"


def notes(board: Board) -> list[str]:
    """What a reader must know to read the table rightly."""
    reference, count = board.reference, len(board.reference.segments)
    name = f"{reference.title}, {reference.published}" if reference.published else reference.title
    interval = "± is half of the 95 % bootstrap interval" if count > 1 else "one segment gives no interval"
    return [
        f"{name}: {count} segment{'s' * (count > 1)}, set {reference.sha256[:12]}. {_origin(board)}",
        f"Sorted by {_label(board, board.primary)}; {interval}. Sorted is not ranked: a rank needs a paired test.",
        "Segments without a usable translation stay in and are scored as they are; they are counted under flags.",
    ]


def _origin(board: Board) -> str:
    """Whether the source was written or translated, as far as that is known."""
    original = board.reference.original_language
    if original == "unknown":
        return "It is not known which side was written first: the source may itself be a translation."
    if original == "mixed":
        return "Written partly in either language: part of the source is itself a translation."
    translation = "a translation" if board.reference.outside else "the official translation"
    side = "the original" if sides(board.direction)[0] == original else f"itself {translation}"
    return f"Written in {LANGUAGE_NAMES[original]}: the source is {side}."


def header(board: Board) -> list[str]:
    arrows = {True: "↑", False: "↓"}
    heads = []
    for metric in board.metrics:
        score = next((s for row in board.rows if (s := row.scores[metric])), None)
        heads.append(f"{_label(board, metric)} {arrows[score.higher_is_better]}" if score else metric)
    return ["system", *heads, "flags", "size", "seg/s", "device"]


def cells(row: Row, board: Board) -> list[str]:
    """One row as text, parallel to `header`."""
    flags = ", ".join(f"{count} {flag}" for flag, count in row.run["flags"].items())
    speed = row.run["work"]["segments_per_second"]
    control = " (control)" if row.control else ""
    return [
        row.system + control,
        *(_score(row.scores[metric]) for metric in board.metrics),
        flags or "0",
        str(row.run["system"].get("size") or MISSING),
        f"{speed:.1f}" if speed and not row.control else MISSING,
        str(row.run["work"]["device"]),
    ]


def signatures(board: Board) -> dict[str, str]:
    """Metric label -> how exactly it was computed; the same for every row of a board."""
    scores = [score for row in board.rows for score in row.scores.values() if score]
    return {score.metric: score.signature for score in scores}


def terminal(board: Board) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title(board), title_justify="left", title_style="bold")
    for i, head in enumerate(header(board)):
        table.add_column(
            head,
            justify="left" if i == 0 or head in ("flags", "size", "device") else "right",
            overflow="fold",
        )
    for row in board.rows:
        table.add_row(*(Text(cell) for cell in cells(row, board)), style="dim" if row.control else None)
    missing = [Text(f"Missing: {system}: {reason}", style="red") for system, reason in board.missing.items()]
    return Group(table, *missing, *(Text(note, style="dim") for note in notes(board)))


def markdown(boards: Sequence[Board]) -> str:
    parts = [f"# {_md(boards[0].reference.title)}", ""]
    for board in boards:
        head = header(board)
        parts += [f"## {title(board)}", "", _md_row(head)]
        parts += [
            _md_row(
                ["---" if i == 0 else "---:" if i <= len(board.metrics) else "---" for i in range(len(head))]
            )
        ]
        for row in board.rows:
            name, *rest = map(_md, cells(row, board))
            parts.append(_md_row([f"[{name}]({row.folder}/hypotheses.jsonl)", *rest]))
        parts += ["", *(f"- {_md(note)}" for note in notes(board))]
        parts += [f"- Missing: {_md(system)}: {_md(reason)}" for system, reason in board.missing.items()]
        parts += [f"- {metric}: `{signature}`" for metric, signature in signatures(board).items()]
        parts += [""]
    return "\n".join(parts)


def csv_text(boards: Sequence[Board]) -> str:
    """Wide: one line a system and direction; for each metric its score and the ends of its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = boards[0].metrics
    fixed = ["reference", "direction", "system", "control"]
    writer.writerow(
        [
            *fixed,
            *(f"{m}{end}" for m in metrics for end in ("", "_low", "_high")),
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
            flags = " ".join(f"{flag}={count}" for flag, count in row.run["flags"].items())
            run = [board.reference.id, board.direction, row.system, row.control]
            writer.writerow([*run, *numbers, flags, row.run["identity"], row.run["hypotheses_sha256"]])
    return out.getvalue()


def json_text(boards: Sequence[Board]) -> str:
    """Everything a table shows and what it was computed from; per-segment scores stay in the runs."""
    reference = {k: v for k, v in asdict(boards[0].reference).items() if k != "segments"}
    record = {"reference": {**reference, "segments": len(boards[0].reference.segments)}, "directions": {}}
    for board in boards:
        record["directions"][board.direction] = {
            "sorted_by": board.primary,
            "rows": [_json_row(row) for row in board.rows],
            "missing": dict(board.missing),
        }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _json_row(row: Row) -> dict[str, Any]:
    run = {key: value for key, value in row.run.items() if key not in ("reference", "direction", "format")}
    scores = {
        m: {k: v for k, v in asdict(s).items() if k != "segments"} if s else None
        for m, s in row.scores.items()
    }
    return {"name": row.system, "folder": row.folder, "scores": scores, **run}


def _label(board: Board, metric: str) -> str:
    return next((s.metric for row in board.rows if (s := row.scores[metric])), metric)


def _score(score: Score | None) -> str:
    if score is None:
        return MISSING
    if score.interval is None:
        return f"{score.value:.1f}"
    low, high = score.interval
    return f"{score.value:.1f} ± {(high - low) / 2:.1f}"


def _md(text: str) -> str:
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def _md_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
