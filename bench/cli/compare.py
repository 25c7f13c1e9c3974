"""`bench compare`: prints two systems side by side."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import STORE
from bench.errors import BenchError
from bench.escaping import plain, terminal
from bench.languages import DIRECTIONS, Direction

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from bench.boards.pairwise import Losses, MetricLine, Pair, SegmentPair
    from bench.core import Score
    from bench.scoring.compare import Comparison
    from bench.store import Store

_MAX_TEXT = 400  # characters of a text that are shown
_MAX_FAULTS = 10  # of one side that are shown
_MAX_SETTING = 80  # characters of a setting that are shown
_HASH = re.compile(r"\b[0-9a-f]{40,}\b")
_DIRECT = "{}: how much better B is than A, by a model that reads both translations; the mean of both orders."
_COLOURS = {"A": "cyan", "B": "magenta"}


@click.command(short_help="Compare two systems.")
@click.argument("a")
@click.argument("b")
@click.argument("overrides", nargs=-1, metavar="[metric=pear]")
@STORE
@click.option("--reference", help="Id of the reference set; required if the store has several.")
@click.option("--direction", type=click.Choice(DIRECTIONS), help="Default: both.")
@click.option(
    "--metric", help="Metric that chooses the segments. Default: the one that the boards are sorted by."
)
@click.option(
    "--segments",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Number of segments to show where A is better, and where B is better.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown, to be pasted into an issue or a page.")
def compare(
    a: str,
    b: str,
    overrides: tuple[str, ...],
    root: Path,
    reference: str | None,
    direction: Direction | None,
    metric: str | None,
    segments: int,
    markdown: bool,
) -> None:
    """Compare two systems: scores, significance tests, differing settings, and the segments that differ most.

    A and B are runs. Give a system's name, a run's folder, that folder's name, or the beginning of a name.
    Nothing is written. metric=pear compares the two translations of each segment with each other, without the
    official one; it needs the model.

    \b
      bench compare qwen2.5-coder-0.5b-instruct gemma-3-270m   two systems, both directions
      bench compare mine-3f2a mine-91cc --segments 5           two settings of one system; more segments
      bench compare mine base --direction zh-en --metric ter   one direction; segments chosen by TER
      bench compare gemma copy --store results                 published runs
      bench compare mine base --markdown > compare.md          for an issue or a page
      bench compare mine base metric=pear metric.pear.checkpoint=/models/pear
    """
    from rich.console import Console

    from bench.boards import pairwise
    from bench.cli.markdown import as_markdown
    from bench.commands.direct_comparison import direct_lines, direct_scorers
    from bench.commands.pages import load_reference, published_columns
    from bench.commands.transaction import check_complete
    from bench.store import Store

    store = Store(root)
    check_complete(root)
    set_ids = store.set_ids()
    if reference is None and len(set_ids) != 1:
        raise BenchError(
            f"{root} has boards of {len(set_ids)} reference sets "
            f"({', '.join(set_ids) or 'use bench run first'}): "
            "choose one with --reference, or another store with --store."
        )
    reference_set = load_reference(store, reference or set_ids[0])
    columns = published_columns(store, reference_set.id)
    scorers = direct_scorers(overrides)
    directions: list[Direction] = [direction] if direction else list(DIRECTIONS)
    pairs = pairwise.find_pairs(store, reference_set, directions, a, b)
    lines = {name: pairwise.metric_lines(store, pair, columns.metrics) for name, pair in pairs.items()}
    direct = {name: direct_lines(pair, scorers) for name, pair in pairs.items()}
    for name, compared in direct.items():
        lines[name] += compared
    _check([line for direction_lines in lines.values() for line in direction_lines], root, metric)

    sections: list[RenderableType] = []
    previous_settings: list[tuple[str, str, str]] = []
    for name, pair in pairs.items():
        sections += [*_title(pair), "", *_scores(pair, lines[name])]
        sections += [_dim(_DIRECT.format(line.any_score.metric)) for line in direct[name]]
        settings = pairwise.differing_settings(pair)
        if settings and settings != previous_settings:
            sections += ["", _settings(settings)]
        previous_settings = settings
        sections += [*_losses(pair, pairwise.losses(store, pair))]
        by = metric or next((line.metric for line in direct[name]), columns.primary)
        sections += [*_segments(pair, lines[name], by, segments)]
        if not markdown:  # the address is one of this machine
            sections += [*_link(store, pair, metric if metric != columns.primary else None), ""]
    one_sided = pairwise.one_sided(store, reference_set, directions, a, b)
    sections += [_dim(f"{name}: only one of the two has a run.") for name in one_sided]
    if markdown:
        click.echo(as_markdown(sections), nl=False)
        return
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    for section in sections:
        console.print(section, soft_wrap=isinstance(section, str))  # an address is not broken into lines


def _check(lines: Sequence[MetricLine], root: Path, metric: str | None) -> None:
    """Raises BenchError if there is nothing to show."""
    if not lines:
        raise BenchError(
            "Neither of the two runs has scores: compute them with "
            f"`bench run store={root} 'stages=[score]'`."
        )
    scored = dict.fromkeys(line.metric for line in lines if line.score_a and line.score_b)
    if metric and metric not in scored:
        raise BenchError(
            f"{metric} has not scored both runs: use --metric with one of {', '.join(scored) or 'none yet'}."
        )


def _title(pair: Pair) -> Iterator[RenderableType]:
    from rich.text import Text

    task, count = pair.task, len(pair.task.ids)
    yield plain(f"{task.direction}, {count} segment{'s' * (count > 1)} of {task.reference.id}", "bold")
    grid = _grid(3)
    for side, run in (("A", pair.a), ("B", pair.b)):
        flags = ", ".join(f"{count} {flag}" for flag, count in run.record.flags.items())
        grid.add_row(Text(side, style=_COLOURS[side]), plain(run.label), _dim(flags or "no flags"))
    yield grid


# Scores


def _scores(pair: Pair, lines: Sequence[MetricLine]) -> Iterator[RenderableType]:
    """A table, and notes that explain it."""
    if not lines:
        yield _dim("Neither of the two has scores in this direction.")
        return
    has_control = any(run.record.system.control for run in (pair.a, pair.b))
    family = max((len(line.tests.pairs) for line in lines if line.tests), default=0)
    adjusted = f"p adjusted\n({family} pairs)" if family > 1 else "p adjusted"
    heads = ["metric", "A", "B", "B − A", "95 % interval", "p", adjusted, "minimum\ndetectable", "verdict"]
    table = _table()
    for head in heads:
        table.add_column(head, justify="left" if head in ("metric", "verdict") else "right")
    for line in lines:
        table.add_row(*_score_cells(line, columns=len(heads)))
    yield table
    yield from map(_dim, _notes(lines, family, has_control))


def _score_cells(line: MetricLine, columns: int) -> list[Text]:
    from rich.text import Text

    from bench.boards.notes import p_value
    from bench.boards.text import MISSING

    decimals = line.any_score.decimals
    cells = [plain(f"{line.any_score.metric} {line.any_score.arrow}")]
    for side, score in (("A", line.score_a), ("B", line.score_b)):
        style = "bold" if side == line.better else ""
        cells.append(Text(f"{score.value:.{decimals}f}" if score else MISSING, style=style))
    if not (line.score_a and line.score_b and line.interval and line.test):
        reason = (
            "not tested" if line.score_a and line.score_b else f"{'B' if line.score_a else 'A'} has no score"
        )
        return [*cells, *(Text(MISSING) for _ in range(columns - len(cells) - 1)), Text(reason)]
    (low, high), test, detectable = line.interval, line.test, line.test.minimum_detectable_difference
    assert line.tests
    return [
        *cells,
        Text(
            f"{line.score_b.compared(line.score_b.value) - line.score_a.compared(line.score_a.value):+.{decimals}f}"
        ),
        Text(f"[{low:+.{decimals}f}, {high:+.{decimals}f}]"),
        Text(_p_value(test.p_sacrebleu)),
        Text(p_value(test, line.tests).removeprefix("= ")),
        Text(f"{detectable:.{decimals}f}" if detectable else MISSING),
        _verdict(line, test),
    ]


def _verdict(line: MetricLine, test: Comparison) -> Text:
    from rich.text import Text

    from bench.scoring.compare import LEVEL

    if test.significant:
        return Text(f"{line.better} better", style="green")
    alone = f"\n(p alone {_p_value(test.p_sacrebleu)})" if test.p_sacrebleu < LEVEL else ""
    return Text(f"no significant difference{alone}")


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _notes(lines: Sequence[MetricLine], family: int, has_control: bool) -> Iterator[str]:
    """`family`: the number of pairs that p-values are adjusted for. `has_control`: whether one of the two is a
    control, with which judges were not asked to compare anything."""
    from bench.boards.notes import describe_test
    from bench.scoring.compare import LEVEL

    tested = [(line.any_score.metric, line.test, line.tests) for line in lines if line.test and line.tests]
    if not tested:
        return
    tests = dict.fromkeys(describe_test(family_tests) for *_, family_tests in tested)
    yield f"Test of these two systems: {' or '.join(tests)}."
    yield (
        "p: unadjusted, as sacrebleu prints it if segments are the units; for a pair chosen before looking at the "
        "results."
    )
    has_bootstrap = any(family_tests.test == "bootstrap" for *_, family_tests in tested)
    two_sided = "two-sided (sacrebleu's bootstrap counts one tail), " if has_bootstrap else ""
    pairs = "all pairs of the board" if family > 1 else "this pair alone"
    yield (
        f"p adjusted: {two_sided}ties count as extreme, Holm-corrected over {pairs}; decide by this one: "
        f"a difference is significant if p adjusted < {LEVEL}."
    )
    yield (
        "The interval is the 95 % confidence interval of B − A, of this pair alone. "
        "Overlapping ± of two systems is not a test."
    )
    if alone := [metric for metric, _, family_tests in tested if len(family_tests.pairs) < family]:
        metrics = ", ".join(alone)
        yield f"The board has no test of these two by {metrics}: there the verdict is for this pair alone."
    yield (
        "Minimum detectable: a true difference of this size would be found on four of five such sets, and smaller "
        "ones less often. No significant difference does not mean that the two are equal."
    )
    if not has_control and (
        agreement := [f"{test.agreement:.0%} ({metric})" for metric, test, _ in tested if test.agreement]
    ):
        yield (
            "Human judges ordered system pairs with such a difference in the same way in "
            f"{', '.join(agreement)} of cases, on average over other WMT data (Kocmi et al. 2024, arXiv "
            "2401.06760). On a single set it may be much less."
        )


def _settings(settings: Sequence[tuple[str, str, str]]) -> Table:
    from bench.boards.pairwise import shorten_both

    table = _table()
    for head in ("setting", "A", "B"):
        table.add_column(head, overflow="fold")
    for key, *values in settings:
        a, b = (_HASH.sub(lambda match: match[0][:12], value) for value in values)
        table.add_row(*map(plain, (key, *shorten_both(a, b, _MAX_SETTING))))
    return table


# Facts and obligations


def _losses(pair: Pair, losses: Losses | None) -> Iterator[RenderableType]:
    """Which facts and statements only one of the two has lost, and where; lost prohibitions first."""
    from rich.text import Text

    if losses is None:
        return
    yield ""
    yield plain(
        f"Faults of facts and obligations: {len(losses.a)} only of A, {len(losses.b)} only of B, "
        f"{losses.common} of both."
    )
    grid = _grid(3)
    for side, found in (("A", losses.a), ("B", losses.b)):
        for fault in found[:_MAX_FAULTS]:
            remark = plain(fault.remark, "bold red" if fault.is_grave else "")
            grid.add_row(Text(side, style=_COLOURS[side]), plain(pair.task.ids[fault.place]), remark)
        if (more := len(found) - _MAX_FAULTS) > 0:
            grid.add_row(Text(side, style=_COLOURS[side]), _dim(f"and {more} more"), Text())
    if losses.a or losses.b:
        yield grid


# Segments


def _segments(pair: Pair, lines: Sequence[MetricLine], metric: str, count: int) -> Iterator[RenderableType]:
    """The `count` largest gains of each side by a metric; nothing if it has not scored both."""
    from rich.text import Text

    from bench.boards.pairwise import segment_pairs

    line = next((line for line in lines if line.metric == metric), None)
    if not line or not line.score_a or not line.score_b:
        return
    pairs = segment_pairs(pair, line)
    b_better = [segment for segment in pairs if segment.gain > 0]
    a_better = [segment for segment in reversed(pairs) if segment.gain < 0]
    identical = sum(a.text == b.text for a, b in (segment.hypotheses for segment in pairs))
    tied = len(pairs) - len(a_better) - len(b_better)
    yield ""
    yield plain(
        f"Segments by {line.any_score.metric}: A better in {len(a_better)}, B better in {len(b_better)}, "
        f"tied in {tied}; identical translations in {identical}."
    )
    for side, segments in (("A", a_better[:count]), ("B", b_better[:count])):
        if segments:
            yield ""
            yield Text.assemble("Largest gains of ", (side, _COLOURS[side]), style="bold")
        for segment in segments:
            yield plain(segment.id)
            yield _segment(segment, line.any_score)


def _segment(segment: SegmentPair, score: Score) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    from bench.boards.pairwise import shorten_both
    from bench.boards.word_diff import diff

    grid = _grid(2)
    for name, text in (("source", segment.source), ("reference", segment.reference)):
        grid.add_row(_dim(name), plain(shorten_both(text, "", _MAX_TEXT)[0]))
    texts = shorten_both(segment.hypotheses[0].text, segment.hypotheses[1].text, _MAX_TEXT)
    difference = diff(*texts)
    changes = difference.changes if difference else ()
    ranges = ([change[:2] for change in changes], [change[2:] for change in changes])
    for n, side in enumerate("AB"):
        flags = plain(", ".join(segment.remarks[n]), "yellow")
        grid.add_row(
            Text(f"{side} {segment.scores[n]:.{score.decimals}f}", style=_COLOURS[side]),
            Text("  ").join([_underlined(texts[n], ranges[n], _COLOURS[side]), flags]),
        )
    return Padding(grid, (0, 0, 0, 2))


def _underlined(text: str, ranges: Sequence[tuple[int, int]], colour: str) -> Text:
    """`ranges` (character offsets) are underlined."""
    from rich.text import Text

    from bench.boards.word_diff import pieces

    if not text:
        return _dim("(empty)")
    line = Text()
    for piece, is_underlined in pieces(text, ranges):
        line.append(terminal(piece), style=f"underline {colour}" if is_underlined else "")
    return line


def _link(store: Store, pair: Pair, metric: str | None) -> Iterator[RenderableType]:
    from bench.boards.pairwise import site_link

    if link := site_link(store, pair, metric):
        yield ""
        yield f"All segments: {terminal(link)}"


def _dim(text: str) -> Text:
    return plain(text, "dim")


def _grid(columns: int) -> Table:
    """Texts are folded: Chinese has no spaces, and rich would cut it at the end of the line."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        grid.add_column(overflow="fold")
    return grid


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
