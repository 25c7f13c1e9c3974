"""What the cells of a board's table say, as plain text. bench.boards.formats writes them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.boards import faults
from bench.boards.columns import counted_metric
from bench.boards.rows import Board, Row
from bench.boards.sentences import LANGUAGE_NAMES_IN, SENTENCES
from bench.core import Score
from bench.languages import Language

MISSING = "–"
POSSIBLY_SEEN = "†"


def title(board: Board, language: Language = "en") -> str:
    names, task = LANGUAGE_NAMES_IN[language], board.task
    return f"{names[task.source_language]} → {names[task.target_language]}"


def header(board: Board, columns: Sequence[str], language: Language = "en") -> list[str]:
    """The heads of the systems' names and of `columns` (bench.boards.columns)."""
    return [SENTENCES[language]["system"], *(_head(board, column, language) for column in columns)]


def _head(board: Board, column: str, language: Language) -> str:
    say = SENTENCES[language]
    if column not in board.metrics and (metric := counted_metric(column)):
        return say["faults"].format(metric=say[f"metric {metric}"])
    if column not in board.metrics:
        return say[column]
    score = any_score(board, column)
    return f"{say.get(f'metric {score.metric}', score.metric)} {score.arrow}" if score else column


def cells(row: Row, board: Board, columns: Sequence[str], language: Language = "en") -> list[str]:
    """One row, parallel to `header`."""
    control = SENTENCES[language]["control"]
    mark = f" ({control})" if row.control else f" {POSSIBLY_SEEN}" if may_have_seen(row, board) else ""
    return [row.system + mark, *(_cell(row, board, column, language) for column in columns)]


def _cell(row: Row, board: Board, column: str, language: Language) -> str:
    say = SENTENCES[language]
    if column in board.metrics:
        score = row.scores[column]
        return "".join(score_text(score)) if score else MISSING
    if metric := counted_metric(column):
        counts = faults.counts(row.scores.get(metric), metric).items()
        named = (say["fault count"].format(fault=say[f"fault {sort}"], count=count) for sort, count in counts)
        return say["between items"].join(named) or "0"
    if column == "rank":
        return rank_text(row.ranks.get(board.primary))
    if column == "flags":
        flags = (f"{count} {say.get(f'flag {flag}', flag)}" for flag, count in row.run.flags.items())
        return say["between items"].join(flags) or "0"
    if column == "speed":
        speed = speed_of(row)
        return f"{speed:.1f}" if speed else MISSING
    values = {"size": row.run.system.size, "licence": row.run.system.licence, "device": device_of(row)}
    return values[column] or MISSING


def rank_text(ranks: tuple[int, int] | None) -> str:
    """ "3" or "1–4"; a dash for a control, and without tests."""
    if ranks is None:
        return MISSING
    best, worst = ranks
    return str(best) if best == worst else f"{best}–{worst}"


def may_have_seen(row: Row, board: Board) -> bool | None:
    """Whether the text was public when the checkpoint was released; None if one of the dates is unknown."""
    released, published = row.run.system.released or "", board.reference.published
    if row.control or not released or not published:
        return None
    precision = min(len(released), len(published))
    return released[:precision] >= published[:precision]


def speed_of(row: Row) -> float | None:
    """Segments per second. None for a control, and for hypotheses that were read from a file: the time says
    nothing about a translation."""
    from_file = row.run.adapter.get("adapter") == "hypotheses"
    return None if row.control or from_file else row.run.work.segments_per_second


def device_of(row: Row) -> str | None:
    """Where the system ran; None for hypotheses that were read from a file."""
    device = row.run.work.device
    return None if device == "none" else device


def score_text(score: Score) -> tuple[str, str]:
    """A score and half the width of its interval: ("56.3", " ± 4.4"). An interval that reaches the end of the scale is
    shown itself: ("85.0", " [34, 100]"). The second is "" if there is no interval."""
    value = f"{score.value:.{score.decimals}f}"
    if not score.interval:
        return value, ""
    low, high = score.interval
    if score.is_share and abs(low + high - 2 * score.value) > 1e-6:
        places = max(0, score.decimals - 1)
        return value, f" [{low:.{places}f}, {high:.{places}f}]"
    return value, f" ± {(high - low) / 2:.{score.decimals}f}"


def signatures(board: Board) -> dict[str, str]:
    """Metric label -> its exact settings; the same for every row of a board."""
    scores = [score for row in board.rows for score in row.scores.values() if score]
    return {score.metric: score.signature for score in scores}


def label(board: Board, metric: str) -> str:
    """The column heading of a metric; its id if no system has a score."""
    score = any_score(board, metric)
    return score.metric if score else metric


def decimals(board: Board, metric: str) -> int:
    score = any_score(board, metric)
    return score.decimals if score else 1


def any_score(board: Board, metric: str) -> Score | None:
    return next((score for row in board.rows if (score := row.scores[metric])), None)
