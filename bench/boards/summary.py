"""A board in one paragraph, for people who read nothing else. It claims only what the tests support."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import limits
from bench.boards.notes import p_value
from bench.boards.rows import Board, Row
from bench.boards.sentences import LANGUAGE_NAMES_IN, Sentences
from bench.boards.summary_sentences import SUMMARY
from bench.boards.text import decimals, label, may_have_seen, score_text
from bench.languages import Language
from bench.scoring.compare import Comparison, Comparisons

_MAX_NAMES = 3  # names that a sentence lists


def summary(board: Board, language: Language = "en") -> str:
    """ "" if no system has a score by the primary metric."""
    say = SUMMARY[language]
    rows = [row for row in board.rows if row.scores.get(board.primary) and not row.control]
    if not rows:
        return ""
    tests = board.comparisons.get(board.primary)
    sentences = [_set(board, rows, language), _best(board, rows, say)]
    if tests and tests.pairs:
        sentences += [*_others(board, rows, tests, say), *_power(board, rows, tests, say)]
        sentences += _controls(board, rows, tests, say)
    elif len(rows) > 1:
        sentences.append(say["no tests"])
    sentences += [*_problems(board, rows, say), say["one text"]]
    return say["between sentences"].join(sentences)


def _set(board: Board, rows: Sequence[Row], language: Language) -> str:
    say, names, reference = SUMMARY[language], LANGUAGE_NAMES_IN[language], board.reference
    return say["set" if len(rows) > 1 else "set, one system"].format(
        source=names[board.task.source_language],
        target=names[board.task.target_language],
        systems=len(rows),
        segments=f"{len(reference.segments):,}",
        title=reference.title,
    )


def _best(board: Board, rows: Sequence[Row], say: Sentences) -> str:
    score = rows[0].scores[board.primary]
    assert score
    return say["best" if len(rows) > 1 else "score"].format(
        system=rows[0].system, metric=score.metric, score="".join(score_text(score))
    )


def _others(board: Board, rows: Sequence[Row], tests: Comparisons, say: Sentences) -> Iterator[str]:
    """How the best system differs from the others."""
    pairs = {pair.b: pair for pair in tests.pairs if pair.a == rows[0].label}
    compared = [row for row in rows[1:] if row.label in pairs]
    equal = [row for row in compared if not pairs[row.label].significant]
    worse = [row for row in compared if pairs[row.label].significant]
    if not compared:
        return
    if not worse:
        yield say["nothing found"].format(others=_names(equal, say))
    elif not equal:
        yield say["better than all"].format(gap=_gap(board, pairs[worse[0].label], worse[0], tests, say))
    else:
        yield say["not separated"].format(others=_names(equal, say))
        yield say["better than some"].format(
            count=len(worse), gap=_gap(board, pairs[worse[0].label], worse[0], tests, say)
        )


def _gap(board: Board, pair: Comparison, row: Row, tests: Comparisons, say: Sentences) -> str:
    """By how much the best system is better than another one."""
    places = decimals(board, board.primary)
    gap = say["gap"].format(
        system=row.system,
        difference=_nonzero(abs(pair.difference), places),
        metric=label(board, board.primary),
        p=p_value(pair, tests),
    )
    agreement = say["agreement"].format(share=f"{100 * pair.agreement:.0f}") if pair.agreement else ""
    return gap + agreement


def _nonzero(value: float, places: int) -> str:
    """With as many more decimals as a small difference needs: nobody is better by 0.0."""
    while places < limits.DECIMALS and value and not float(f"{value:.{places}f}"):
        places += 1
    return f"{value:.{places}f}"


def _power(board: Board, rows: Sequence[Row], tests: Comparisons, say: Sentences) -> Iterator[str]:
    detectable = tests.minimum_detectable_difference
    if len(rows) > 1 and detectable:
        yield say["power"].format(
            metric=label(board, board.primary),
            detectable=_nonzero(detectable, decimals(board, board.primary)),
        )


def _controls(board: Board, rows: Sequence[Row], tests: Comparisons, say: Sentences) -> Iterator[str]:
    controls = [row for row in board.rows if row.control and row.scores.get(board.primary)]
    if not controls:
        return
    better = {(pair.a, pair.b) for pair in tests.pairs if pair.significant}
    failing = [row for row in rows if any((row.label, control.label) not in better for control in controls)]
    if failing:
        yield say["not better than a control"].format(systems=_names(failing, say))
    else:
        yield say["better than the controls"]


def _problems(board: Board, rows: Sequence[Row], say: Sentences) -> Iterator[str]:
    flagged = [row for row in rows if row.run.flags]
    if flagged:
        worst = max(flagged, key=lambda row: sum(row.run.flags.values()))
        count = sum(worst.run.flags.values())
        sentence = say["flags" if len(flagged) > 1 else "flags, one system"]
        yield sentence.format(systems=len(flagged), worst=worst.system, count=f"{count:,}")
    if seen := [row for row in rows if may_have_seen(row, board)]:
        yield say["seen by all" if len(seen) == len(rows) else "seen"].format(count=len(seen))


def _names(rows: Sequence[Row], say: Sentences) -> str:
    names = [row.system for row in rows]
    if len(names) > _MAX_NAMES + 1:
        rest = say["more"].format(count=len(names) - _MAX_NAMES)
        return say["between items"].join(names[:_MAX_NAMES]) + rest
    if len(names) > 1:
        return say["between items"].join(names[:-1]) + say["and"] + names[-1]
    return names[0]
