"""A board in one paragraph, for people who read nothing else. It claims only what the tests support."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import limits
from bench.boards import faults
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
    return SUMMARY[language]["between sentences"].join(sentences(board, language))


def sentences(board: Board, language: Language = "en") -> list[str]:
    """The sentences of `summary`. The first says which system is best, by how much, and whether that is real."""
    say = SUMMARY[language]
    rows = [row for row in board.rows if row.scores.get(board.primary) and not row.control]
    if not rows:
        return []
    tests = board.comparisons.get(board.primary)
    tests = tests if tests and tests.pairs else None
    said = [_best(board, rows, tests, say), _set(board, language)]
    if tests:
        said += [*_agreement(rows, tests, say), *_power(board, rows, tests, say)]
        said += _controls(board, rows, tests, say)
    return [*said, *_prohibitions(board, rows, say), *_problems(board, rows, say), say["one text"]]


def _set(board: Board, language: Language) -> str:
    say, names, reference = SUMMARY[language], LANGUAGE_NAMES_IN[language], board.reference
    count = len(reference.segments)
    return say["set"].format(
        source=names[board.task.source_language],
        target=names[board.task.target_language],
        segments=say["segment" if count == 1 else "segments"].format(count=f"{count:,}"),
        title=reference.title,
    )


def _best(board: Board, rows: Sequence[Row], tests: Comparisons | None, say: Sentences) -> str:
    score = rows[0].scores[board.primary]
    assert score
    return say["best" if len(rows) > 1 else "score"].format(
        system=rows[0].system,
        systems=len(rows),
        metric=score.metric,
        score="".join(score_text(score)),
        verdict=_verdict(board, rows, tests, say),
    )


def _verdict(board: Board, rows: Sequence[Row], tests: Comparisons | None, say: Sentences) -> str:
    """How the best system differs from the others."""
    if tests is None:
        return say["no tests"]
    pairs = _pairs_of_best(rows, tests)
    worse = [pair for pair in pairs.values() if pair.significant]
    if not worse:
        return say["nothing found"]
    equal = [row for row in rows if row.label in pairs and not pairs[row.label].significant]
    verdict = (
        "better than some" if equal else "better than all" if len(worse) > 1 else "better than the other"
    )
    return say[verdict].format(
        count=len(worse),
        all=len(pairs),
        difference=_nonzero(min(abs(pair.difference) for pair in worse), decimals(board, board.primary)),
        metric=label(board, board.primary),
        p=p_value(max(worse, key=lambda pair: pair.p_adjusted), tests, at_most=len(worse) > 1),
        others=_names(equal, say) if equal else "",
    )


def _pairs_of_best(rows: Sequence[Row], tests: Comparisons) -> dict[str, Comparison]:
    """Label of another system, no control -> its test against the best one."""
    labels = {row.label for row in rows}
    return {pair.b: pair for pair in tests.pairs if pair.a == rows[0].label and pair.b in labels}


def _agreement(rows: Sequence[Row], tests: Comparisons, say: Sentences) -> Iterator[str]:
    """What people made of the smallest lead that is significant."""
    worse = [pair for pair in _pairs_of_best(rows, tests).values() if pair.significant]
    nearest = min(worse, key=lambda pair: abs(pair.difference), default=None)
    if nearest and nearest.agreement:
        yield say["agreement"].format(share=f"{100 * nearest.agreement:.0f}")


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
    named = [c for c in controls if any((row.label, c.label) not in better for row in failing)] or controls
    yield say["not better than controls" if failing else "better than controls"].format(
        controls=_names(named, say),
        explanation=say["control" if len(named) == 1 else "controls"],
        systems=_names(failing, say) if failing else "",
    )


def _prohibitions(board: Board, rows: Sequence[Row], say: Sentences) -> Iterator[str]:
    """Who has lost or reversed what must not be done: the gravest error of all."""
    scores = {row.system: score for row in rows if (score := row.scores.get("obligations"))}
    counts = {system: faults.grave(score) for system, score in scores.items()}
    losing = [system for system, count in counts.items() if count]
    if losing:
        worst = max(losing, key=lambda system: counts[system])
        yield say["prohibitions" if len(losing) > 1 else "prohibitions, one system"].format(
            systems=len(losing), worst=worst, count=counts[worst]
        )


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
