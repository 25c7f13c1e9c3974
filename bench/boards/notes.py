"""What a reader needs to know to read a board correctly, and its differences in words; in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil

from bench.boards.columns import HUMAN_METRICS
from bench.boards.families import same_family
from bench.boards.reliability import reliability
from bench.boards.rows import Board
from bench.boards.sentences import LANGUAGE_NAMES_IN, SENTENCES, Sentences
from bench.boards.text import any_score, decimals, label, may_have_seen, score_text
from bench.core import Score
from bench.languages import Language
from bench.scoring.compare import LEVEL, Comparison, Comparisons
from bench.scoring.units import FEW, units

_MAX_DIFFERENCES = 20  # neighbours whose difference is stated


def notes(board: Board, language: Language = "en") -> list[str]:
    """One note per item."""
    say = SENTENCES[language]
    reference, count = board.reference, len(board.reference.segments)
    name = f"{reference.title}, {reference.published}" if reference.published else reference.title
    about_set = say["set" if count > 1 else "set of one"].format(
        title=name, segments=count, sha256=reference.sha256[:12]
    )
    order = say["sorted"].format(metric=label(board, board.primary))
    seen = any(may_have_seen(row, board) for row in board.rows)
    return [
        say["between sentences"].join([about_set, _origin(board, language)]),
        say["between sentences"].join([order, _interval(board, say), _ranks(board, say)]),
        *_few_units(board, say),
        *_power(board, say),
        *_thin(board, say),
        say["about flags"],
        *([say["seen"].format(published=reference.published)] if seen else []),
        *_variants(board, say),
        *_metric_remarks(board, say),
        *reliability(board, say),
        *_coverage(board, say),
        *(
            say["gap"].format(metric=label(board, metric), reason=_fact(reason))
            for metric, reason in board.gaps.items()
            if metric in board.metrics
        ),
    ]


def _fact(reason: str) -> str:
    """What is the case, without the advice that follows it: `bench run` has said that already."""
    fact = reason.partition(": ")[0]
    return fact if fact.endswith((".", "。")) else f"{fact}."


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


def _interval(board: Board, say: Sentences) -> str:
    chosen = units(board.reference)
    if chosen.count < 2:
        return say["no interval"]
    scores = [score for row in board.rows for score in row.scores.values() if score]
    clipped = [say["clipped"]] if any(score_text(score)[1].startswith(" [") for score in scores) else []
    has_end = any(score.is_share and not score.interval and score.value in (0, 100) for score in scores)
    at_ends = [say["no share interval"]] if has_end else []
    interval = say["interval"].format(units=_count(chosen.count, chosen.name, say))
    return say["between sentences"].join([interval, *clipped, *at_ends])


def _count(count: int, unit: str, say: Sentences) -> str:
    return say[unit if count == 1 else f"{unit}s"].format(count=f"{count:,}")


def _ranks(board: Board, say: Sentences) -> str:
    tests = board.comparisons.get(board.primary)
    if not tests or not tests.ranks:
        return say["no ranks"]
    if not tests.pairs:
        return say["one system"]
    ends = ", ".join(map(str, board.cluster_ends))
    clusters = say["clusters"].format(ends=ends) if ends else ""
    controls = say["controls"] if any(row.control for row in board.rows) else ""
    several = len(tests.pairs) > 1
    correction = say["corrected" if several else "one pair"].format(pairs=f"{len(tests.pairs):,}")
    ranks = say["ranks"].format(
        test=say[tests.test], draws=_draws(tests, say), correction=correction, level=LEVEL
    )
    return say["between sentences"].join(filter(None, [ranks, clusters, controls]))


def describe_test(tests: Comparisons) -> str:
    """ "paired approximate-randomisation test (10,000 trials over 23 paragraphs)" """
    say = SENTENCES["en"]
    return f"paired {say[tests.test]} test ({_draws(tests, say)})"


def _draws(tests: Comparisons, say: Sentences) -> str:
    return say[f"{tests.test} draws"].format(
        count=f"{tests.trials:,}", units=_count(tests.units, tests.unit, say)
    )


def _few_units(board: Board, say: Sentences) -> Iterator[str]:
    tests = board.comparisons.get(board.primary)
    if tests and tests.units < FEW:
        yield say["few units"].format(units=_count(tests.units, tests.unit, say))


def _power(board: Board, say: Sentences) -> Iterator[str]:
    """The differences that the tests would find."""
    detectable = [
        f"{label(board, metric)} {tests.minimum_detectable_difference:.{decimals(board, metric)}f}"
        for metric in board.metrics
        if (tests := board.comparisons.get(metric))
        and tests.minimum_detectable_difference
        and not thin(board, metric)
    ]
    if detectable:
        yield say["power"].format(metrics=say["between items"].join(detectable))


def thin(board: Board, metric: str) -> tuple[int, int] | None:
    """How many cases and units a share rests on, if they are too few for an interval; else None. Of a board that
    keeps statistics."""
    score = any_score(board, metric)
    if not score or not score.is_share or not score.statistics:
        return None
    chosen = units(board.reference)
    places = [place for place, (_, total) in enumerate(score.statistics) if total]
    count = len({chosen.index[place] for place in places})
    cases = round(sum(total for _, total in score.statistics))
    return (cases, count) if count < FEW and count < chosen.count else None


def _thin(board: Board, say: Sentences) -> Iterator[str]:
    for metric in board.metrics:
        if counts := thin(board, metric):
            cases = say.get(f"{metric} count", say["other count"]).format(count=f"{counts[0]:,}")
            unit = _count(counts[1], units(board.reference).name, say)
            yield say["thin"].format(metric=label(board, metric), count=cases, units=unit)


def _metric_remarks(board: Board, say: Sentences) -> Iterator[str]:
    """What a reader must know about single metrics."""
    if "chrfpp" in board.metrics and board.task.target_language == "zh":
        yield say["chrF++ into Chinese"]
    if "comet-embedded" in board.metrics and any_score(board, "comet-embedded"):
        yield say["COMET (embedded)"]
    for metric in board.metrics:
        score = next((score for row in board.rows if (score := row.scores[metric])), None)
        if metric in HUMAN_METRICS and score:
            yield _people(score, say)
        yield from _judge(board, metric, say)


def _people(score: Score, say: Sentences) -> str:
    """Who judged what, and how far they agree: bench.human.scores writes it into the signature."""
    parts = dict(part.partition(":")[::2] for part in score.signature.split("|"))
    texts = {name: parts.get(name, "?") for name in ("annotators", "judgements", "sample", "agreement")}
    return say["people"].format(metric=score.metric, **texts)


def _variants(board: Board, say: Sentences) -> Iterator[str]:
    """The scores that cleaning the answers, or typography alone, changes by more than half the width of their
    interval."""
    for variant, sentence in (("raw", "cleaned"), ("folded", "typography")):
        for metric in board.metrics:
            changed = []
            for row in board.rows:
                other, score = row.scores.get(f"{metric}-{variant}"), row.scores[metric]
                if other and score and score.interval:
                    low, high = score.interval
                    if abs(score.value - other.value) > (high - low) / 2:
                        values = (
                            [score.value, other.value] if variant == "folded" else [other.value, score.value]
                        )
                        before, after = (f"{value:.{score.decimals}f}" for value in values)
                        changed.append(
                            say["changed row"].format(system=row.system, before=before, after=after)
                        )
            if changed:
                rows = say["between items"].join(changed)
                yield say[sentence].format(metric=label(board, metric), rows=rows)


def _judge(board: Board, metric: str, say: Sentences) -> Iterator[str]:
    """Which language model judged, and which systems are of its family."""
    judged = [(row, score.judging) for row in board.rows if (score := row.scores[metric]) and score.judging]
    for model in dict.fromkeys(judging.model for _, judging in judged):
        yield say["judge"].format(metric=label(board, metric), model=model)
        related = [
            row.system for row, judging in judged if judging.model == model and same_family(judging, row.run)
        ]
        if related:
            systems = say["between items"].join(related)
            yield say["judge of the family"].format(metric=label(board, metric), systems=systems)


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
    """What the tests by the primary metric say about neighbours on the board, controls included."""
    tests = board.comparisons.get(board.primary)
    pairs = {(pair.a, pair.b): pair for pair in tests.pairs} if tests else {}
    neighbours = [pairs[labels] for labels in pairwise(row.label for row in board.rows) if labels in pairs]
    return [_difference(pair, board, tests, language) for pair in neighbours[:_MAX_DIFFERENCES] if tests]


def explain_differences(language: Language = "en") -> str:
    """What the numbers in `differences` are."""
    return SENTENCES[language]["differences"]


def _difference(pair: Comparison, board: Board, tests: Comparisons, language: Language) -> str:
    say, names = SENTENCES[language], {row.label: row.system for row in board.rows}
    metric, places = label(board, board.primary), decimals(board, board.primary)
    low, high = pair.interval or (pair.difference, pair.difference)
    difference = say["difference"].format(
        upper=names[pair.a],
        lower=names[pair.b],
        metric=metric,
        difference=f"{pair.difference:+.{places}f}",
        interval=f"[{low:.{places}f}, {high:.{places}f}]",
        p=p_value(pair, tests),
    )
    return say["between clauses"].join(filter(None, [difference, effect(pair, board, language)]))


def effect(pair: Comparison, board: Board, language: Language) -> str:
    """A difference in words: what judges made of such a one, or which one the test would have found."""
    say = SENTENCES[language]
    metric, places = label(board, board.primary), decimals(board, board.primary)
    controls = {row.label for row in board.rows if row.control}
    if pair.significant:
        if not pair.agreement or controls & {pair.a, pair.b}:
            return say["significant"]
        return say["agreement"].format(metric=metric, share=f"{100 * pair.agreement:.0f}")
    if not pair.minimum_detectable_difference:
        return say["not significant"]
    return say["not significant, power"].format(
        metric=metric, detectable=f"{pair.minimum_detectable_difference:.{places}f}"
    )


def p_value(pair: Comparison, tests: Comparisons, at_most: bool = False) -> str:
    """The adjusted p as every table and page shows it: "= 0.005"; "≤ 0.006" if no trial was as extreme, so that
    more trials could give less. `at_most`: of several pairs, of which this one has the largest: "≤ 0.005"."""
    if pair.p_adjusted < 0.001:
        return "< 0.001"
    if at_most or pair.p_sacrebleu * (tests.trials + 1) < 1.5:
        return f"≤ {ceil(1000 * pair.p_adjusted - 1e-9) / 1000:.3f}"
    return f"= {pair.p_adjusted:.3f}"


def p_alone(pair: Comparison) -> str:
    """The unadjusted p as every table and page shows it."""
    return "< 0.001" if pair.p_sacrebleu < 0.001 else f"= {pair.p_sacrebleu:.3f}"
