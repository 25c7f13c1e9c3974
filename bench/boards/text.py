"""What a board says, as plain text: the cells of its table, and the notes that a reader needs.
bench.boards.formats writes both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from bench.boards.rows import Board, Row
from bench.boards.sentences import LANGUAGE_NAMES_IN, SENTENCES, Sentences
from bench.core import Score
from bench.languages import LANGUAGE_NAMES, Language
from bench.scoring.compare import LEVEL, Comparison, Comparisons

MISSING = "–"
POSSIBLY_SEEN = "†"


def title(board: Board) -> str:
    task = board.task
    return f"{LANGUAGE_NAMES[task.source_language]} → {LANGUAGE_NAMES[task.target_language]}"


# Notes


def notes(board: Board, language: Language = "en") -> list[str]:
    """What a reader needs to know to read the table correctly, one note per item."""
    say = SENTENCES[language]
    reference, count = board.reference, len(board.reference.segments)
    name = f"{reference.title}, {reference.published}" if reference.published else reference.title
    about_set = say["set" if count > 1 else "set of one"].format(
        title=name, segments=count, sha256=reference.sha256[:12]
    )
    order = say["sorted"].format(metric=label(board, board.primary))
    interval = say["interval" if count > 1 else "no interval"]
    return [
        say["between sentences"].join([about_set, _origin(board, language)]),
        say["between sentences"].join([order, interval, _ranks(board, say)]),
        *_power(board, say),
        say["flags"],
        *([say["seen"].format(published=reference.published)] if _any_seen(board) else []),
        *_coverage(board, say),
        *(
            say["gap"].format(metric=label(board, metric), reason=reason)
            for metric, reason in board.gaps.items()
            if metric in board.metrics
        ),
    ]


def _origin(board: Board, language: Language) -> str:
    """Whether the source was written or translated, where it is known."""
    say, names = SENTENCES[language], LANGUAGE_NAMES_IN[language]
    original, source = board.reference.original_language, board.task.source_language
    if original == "mixed" or original == "unknown":
        return say[original]
    kind = "translation" if board.reference.outside else "official translation"
    return say["written"].format(
        original=names[original],
        source=names[source],
        kind=say["original" if source == original else kind],
    )


def _ranks(board: Board, say: Sentences) -> str:
    tests = board.comparisons.get(board.primary)
    if not tests or not tests.ranks:
        return say["no ranks"]
    return say["ranks"].format(test=say[tests.test], draws=_draws(tests, say), level=LEVEL)


def describe_test(tests: Comparisons) -> str:
    """ "paired approximate-randomisation test (10,000 trials over segments)" """
    say = SENTENCES["en"]
    return f"paired {say[tests.test]} test ({_draws(tests, say)})"


def _draws(tests: Comparisons, say: Sentences) -> str:
    return say[f"{tests.test} draws"].format(count=f"{tests.resamples:,}", unit=say[tests.unit])


def _power(board: Board, say: Sentences) -> Iterator[str]:
    """The differences that the tests could have detected."""
    detectable = [
        f"{label(board, metric)} {tests.minimum_detectable_difference:.{_decimals(board, metric)}f}"
        for metric in board.metrics
        if (tests := board.comparisons.get(metric)) and tests.minimum_detectable_difference
    ]
    if detectable:
        yield say["power"].format(metrics=say["between items"].join(detectable))


def _any_seen(board: Board) -> bool:
    return any(may_have_seen(row, board) for row in board.rows)


def may_have_seen(row: Row, board: Board) -> bool | None:
    """Whether the text was public when the checkpoint was released; None if one of the dates is unknown."""
    released, published = row.run.system.released or "", board.reference.published
    if row.control or not released or not published:
        return None
    precision = min(len(released), len(published))
    return released[:precision] >= published[:precision]


def _coverage(board: Board, say: Sentences) -> Iterator[str]:
    """For each metric, how many hypotheses were not scored to their end, or not at all."""
    for metric in board.metrics:
        scores = [score for row in board.rows if (score := row.scores[metric])]
        counts = {
            "cut": sum(remark == "cut" for score in scores for _, remark in score.remarks),
            "unscored": sum(len(score.unscored) for score in scores),
        }
        hypotheses = sum(len(score.segments) for score in scores)
        for problem, count in counts.items():
            if count:
                yield say[problem].format(metric=label(board, metric), count=count, all=hypotheses)


# Differences between neighbours


def differences(board: Board, language: Language = "en") -> list[str]:
    """Every significant difference by the primary metric between neighbours on the board."""
    return [_difference(pair, board, SENTENCES[language]) for pair in _significant_neighbours(board)]


def explain_differences(board: Board, language: Language = "en") -> str:
    """What the numbers in `differences` are."""
    say = SENTENCES[language]
    judged = any(pair.agreement for pair in _significant_neighbours(board))
    sources = [say["agreement source"]] if judged else []
    return say["between clauses"].join([say["differences"], *sources])


def _significant_neighbours(board: Board) -> list[Comparison]:
    tests = board.comparisons.get(board.primary)
    neighbours = set(pairwise(row.label for row in board.rows))
    return (
        [pair for pair in tests.pairs if pair.significant and (pair.a, pair.b) in neighbours] if tests else []
    )


def _difference(pair: Comparison, board: Board, say: Sentences) -> str:
    names = {row.label: row.system for row in board.rows}
    decimals = _decimals(board, board.primary)
    low, high = pair.interval
    difference = say["difference"].format(
        upper=names[pair.a],
        lower=names[pair.b],
        metric=label(board, board.primary),
        difference=f"{pair.difference:+.{decimals}f}",
        interval=f"[{low:.{decimals}f}, {high:.{decimals}f}]",
        p=p_value(pair.p_adjusted),
    )
    agreement = say["agreement"].format(share=f"{100 * pair.agreement:.0f}") if pair.agreement else ""
    return say["between clauses"].join(filter(None, [difference, agreement]))


def p_value(value: float) -> str:
    """ "= 0.005" or "< 0.001" """
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


# The table


def narrow(board: Board) -> Board:
    """The board with at most three metrics: the primary one with its ranks, then BLEU and a COMET model if it
    has them."""
    preferred = [
        *(metric for metric in board.metrics if metric == "bleu"),
        *(metric for metric in board.metrics if metric.startswith("comet")),
    ]
    metrics = [board.primary, *(metric for metric in preferred if metric != board.primary)][:3]
    rows = [
        replace(row, ranks={metric: rank for metric, rank in row.ranks.items() if metric == board.primary})
        for row in board.rows
    ]
    return replace(board, columns=replace(board.columns, metrics=metrics), rows=rows)


def header(board: Board) -> list[str]:
    arrows = {True: "↑", False: "↓"}
    heads = []
    for metric in board.metrics:
        score = _any_score(board, metric)
        heads.append(f"{score.metric} {arrows[score.higher_is_better]}" if score else metric)
    return ["system", *heads, "flags", "size", "licence", "seg/s", "device"]


def cells(row: Row, board: Board) -> list[str]:
    """One row as text, parallel to `header`."""
    flags = ", ".join(f"{count} {flag}" for flag, count in row.run.flags.items())
    speed = speed_of(row)
    mark = " (control)" if row.control else f" {POSSIBLY_SEEN}" if may_have_seen(row, board) else ""
    return [
        row.system + mark,
        *(_score(row.scores[metric], row.ranks.get(metric)) for metric in board.metrics),
        flags or "0",
        row.run.system.size or MISSING,
        row.run.system.licence or MISSING,
        f"{speed:.1f}" if speed else MISSING,
        device_of(row) or MISSING,
    ]


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
    """A score and half the width of its interval: ("56.3", " ± 4.4"); the second is "" if there is no
    interval."""
    low, high = score.interval or (0.0, 0.0)
    half = f" ± {(high - low) / 2:.{score.decimals}f}" if score.interval else ""
    return f"{score.value:.{score.decimals}f}", half


def signatures(board: Board) -> dict[str, str]:
    """Metric label -> its exact settings; the same for every row of a board."""
    scores = [score for row in board.rows for score in row.scores.values() if score]
    return {score.metric: score.signature for score in scores}


def label(board: Board, metric: str) -> str:
    """The column heading of a metric; its id if no system has a score."""
    score = _any_score(board, metric)
    return score.metric if score else metric


def _decimals(board: Board, metric: str) -> int:
    score = _any_score(board, metric)
    return score.decimals if score else 1


def _any_score(board: Board, metric: str) -> Score | None:
    return next((score for row in board.rows if (score := row.scores[metric])), None)


def _score(score: Score | None, rank: int | None) -> str:
    if score is None:
        return MISSING
    return "".join(score_text(score)) + (f" ({rank})" if rank else "")
