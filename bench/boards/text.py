"""What a board says, as plain text: the cells of its table and what a reader must know. bench.boards.formats writes it down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bench.boards.rows import Board, Row
from bench.core import Score
from bench.languages import LANGUAGE_NAMES, sides

MISSING = "–"
SEEN = "†"


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
        f"Sorted by {_label(board, board.primary)}; {interval}. {_ranked(board)}",
        *_power(board),
        "Segments without a usable translation stay in and are scored as they are; they are counted under flags.",
        *_seen(board),
        *_remarks(board),
        *(f"{_label(board, metric)} is not there: {reason}" for metric, reason in board.gaps.items()),
    ]


def _ranked(board: Board) -> str:
    tested = board.comparisons.get(board.primary)
    if not tested or not tested.ranks:
        return "Sorted is not ranked: a rank needs a paired test."
    return (
        f"In brackets the rank: systems share one where the paired {tested.test} test ({tested.resamples:,} resamples of "
        f"{tested.unit}s, Holm-corrected for all pairs, 5 %) cannot part them."
    )


def _power(board: Board) -> Iterator[str]:
    """What the tests could have found."""
    found = [
        f"{_label(board, metric)} {tested.detectable:.{_decimals(board, metric)}f}"
        for metric, tested in board.comparisons.items()
        if tested.detectable
    ]
    units = next((tested.units for tested in board.comparisons.values()), 0)
    if found:
        small = "This set is small: differences" if units < _SMALL else "Differences"
        yield f"{small} below about {', '.join(found)} would mostly not be found (80 % power, the middle pair)."


_SMALL = 500
"""Segments below which a board says that it is small: 1 BLEU is then found in far fewer than half of all cases (Card et al.
2020, who have 75 % on 2,000)."""


def _seen(board: Board) -> Iterator[str]:
    if any(may_have_seen(row, board) for row in board.rows):
        yield (
            f"{SEEN} The checkpoint was released after the text was published ({board.reference.published}): it may have been "
            "trained on it, translation and all."
        )


def may_have_seen(row: Row, board: Board) -> bool | None:
    """Whether the text was public when the checkpoint was released, as far as both dates are known."""
    released, published = str(row.run["system"].get("released") or ""), board.reference.published
    if row.control or not released or not published:
        return None
    precision = min(len(released), len(published))
    return released[:precision] >= published[:precision]


def differences(board: Board) -> list[str]:
    """Of the primary metric, every significant difference between neighbours on the board, and how often people agree with a
    difference of that size."""
    tested = board.comparisons.get(board.primary)
    names = {row.label: row.system for row in board.rows}
    order = list(names)
    neighbours = set(pairwise(order))
    found = []
    for pair in tested.pairs if tested else ():
        if pair.significant and (pair.a, pair.b) in neighbours:
            decimals = _decimals(board, board.primary)
            low, high = pair.interval
            people = (
                f"; people agree with such a difference in {pair.agreement:.0%}" if pair.agreement else ""
            )
            found.append(
                f"{names[pair.a]} over {names[pair.b]}: {pair.difference:+.{decimals}f} "
                f"[{low:.{decimals}f}, {high:.{decimals}f}], p {_p(pair.p_holm)}{people}"
            )
    return found


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _remarks(board: Board) -> Iterator[str]:
    """How many segments were not judged to their end, for each metric that says so. What is empty or copied is under flags."""
    for metric in board.metrics:
        scores = [score for row in board.rows if (score := row.scores[metric])]
        cut = sum(remark == "cut" for score in scores for _, remark in score.remarks)
        if cut:
            of = sum(len(score.segments) for score in scores)
            yield (
                f"{_label(board, metric)} reads no more tokens than its signature says under max: of {cut} of {of} segments "
                "the end was not judged."
            )


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
    return ["system", *heads, "flags", "size", "licence", "seg/s", "device"]


def cells(row: Row, board: Board) -> list[str]:
    """One row as text, parallel to `header`."""
    flags = ", ".join(f"{count} {flag}" for flag, count in row.run["flags"].items())
    speed = row.run["work"]["segments_per_second"]
    mark = " (control)" if row.control else f" {SEEN}" if may_have_seen(row, board) else ""
    return [
        row.system + mark,
        *(_score(row.scores[metric], row.ranks.get(metric)) for metric in board.metrics),
        flags or "0",
        str(row.run["system"].get("size") or MISSING),
        str(row.run["system"].get("licence") or MISSING),
        f"{speed:.1f}" if speed and not row.control else MISSING,
        str(row.run["work"]["device"]),
    ]


def signatures(board: Board) -> dict[str, str]:
    """Metric label -> how exactly it was computed; the same for every row of a board."""
    scores = [score for row in board.rows for score in row.scores.values() if score]
    return {score.metric: score.signature for score in scores}


def _label(board: Board, metric: str) -> str:
    return next((s.metric for row in board.rows if (s := row.scores[metric])), metric)


def _decimals(board: Board, metric: str) -> int:
    return next((s.decimals for row in board.rows if (s := row.scores[metric])), 1)


def _score(score: Score | None, rank: int | None) -> str:
    if score is None:
        return MISSING
    low, high = score.interval or (0.0, 0.0)
    half = f" ± {(high - low) / 2:.{score.decimals}f}" if score.interval else ""
    return f"{score.value:.{score.decimals}f}{half}" + (f" ({rank})" if rank else "")
