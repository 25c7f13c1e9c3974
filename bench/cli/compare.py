"""`bench compare`: two systems in the terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.errors import BenchError
from bench.languages import DIRECTIONS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from bench import store
    from bench.boards.pairwise import Line, Shown
    from bench.core import ReferenceSet, Score
    from bench.scoring.compare import Comparison

_LONGEST = 400  # characters of a text that are shown
_SETTING = 80  # and of a setting
_HASH = re.compile(r"\b[0-9a-f]{40,}\b")
_COLOURS = {"A": "cyan", "B": "magenta"}


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--store",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs",
    show_default=True,
    help="Where the runs are.",
)
@click.option("--reference", help="The reference set; needed where the store has several.")
@click.option("--direction", type=click.Choice(DIRECTIONS), help="Both by default.")
@click.option("--metric", help="Chooses the segments; by default the one that the boards are sorted by.")
@click.option(
    "--segments",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="So many where A is better, and as many where B is.",
)
def compare(
    a: str,
    b: str,
    root: Path,
    reference: str | None,
    direction: str | None,
    metric: str | None,
    segments: int,
) -> None:
    """What parts two systems: scores with their tests, settings, and the segments that show it.

    A and B are runs: a system's name, the folder of a run or that folder's name, or how one of these names begins. Nothing
    is written.

    \b
      bench compare qwen2.5-coder-0.5b-instruct gemma-3-270m   two systems, both directions
      bench compare mine-3f2a mine-91cc --segments 5           two settings under one name; more segments
      bench compare mine base --direction zh-en --metric ter   one direction; segments by TER
      bench compare gemma copy --store results                 published runs
    """
    from rich.console import Console

    from bench.boards import pairwise
    from bench.commands import pages

    ids = pages.sets(root)
    if reference is None and len(ids) != 1:
        raise BenchError(
            f"{root} holds the boards of {len(ids)} reference sets ({', '.join(ids) or 'run something first'}): "
            "name one by --reference, or another store by --store."
        )
    set_ = pages.reference_of(reference or ids[0])
    metrics, primary = pages.columns(root, set_.id)
    wanted = [each for each in DIRECTIONS if direction in (None, each)]
    pairs = pairwise.pairs(root, set_, wanted, a, b)
    lines = {each: pairwise.lines(root, set_, each, *pair, metrics) for each, pair in pairs.items()}
    _check([line for of in lines.values() for line in of], root, metric)

    told: list[RenderableType] = []
    last: list[tuple[str, str, str]] = []
    for each, (one, other) in pairs.items():
        told += [*_title(set_, each, one, other), "", *_scores(lines[each])]
        if (differ := pairwise.settings(one, other)) and differ != last:
            told += ["", _settings(differ)]
        last = differ
        by = next((line for line in lines[each] if line.metric == (metric or primary)), None)
        if by and by.a and by.b:
            told += ["", *_segments(pairwise.segments(set_, each, one, other, by), by.a, segments)]
        if link := pairwise.link(root, set_, each, one, other, metric if metric != primary else None):
            told += ["", f"All segments: {link}"]
        told.append("")
    told += [_dim(f"{each}: one of the two has no run.") for each in wanted if each not in pairs]
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    for part in told:
        console.print(part, soft_wrap=isinstance(part, str))  # an address stays in one piece


def _check(lines: Sequence[Line], root: Path, metric: str | None) -> None:
    """Raises BenchError where there is nothing to tell."""
    if not lines:
        raise BenchError(
            f"Neither of the two is scored: score what the store holds by `bench run store={root} 'stages=[score]'`."
        )
    both = dict.fromkeys(line.metric for line in lines if line.a and line.b)
    if metric and metric not in both:
        raise BenchError(
            f"{metric} has not scored both: choose segments by a metric that has ({', '.join(both) or 'none yet'})."
        )


def _title(reference: ReferenceSet, direction: str, a: store.Run, b: store.Run) -> Iterator[RenderableType]:
    from rich.text import Text

    segments = len(reference.segments)
    yield Text(f"{direction}, {segments} segment{'s' * (segments > 1)} of {reference.id}", style="bold")
    grid = _grid(3)
    for side, run in (("A", a), ("B", b)):
        flags = ", ".join(f"{count} {flag}" for flag, count in run.record["flags"].items())
        grid.add_row(Text(side, style=_COLOURS[side]), _plain(run.label), _dim(flags or "no flags"))
    yield grid


def _scores(lines: Sequence[Line]) -> Iterator[RenderableType]:
    """A table, and what must be known to read it."""
    from rich.text import Text

    from bench.boards.text import MISSING

    if not lines:
        yield _dim("Neither of the two is scored in this direction.")
        return
    tests = [line.tests for line in lines if line.tests]
    of = max((len(each.pairs) for each in tests), default=0)
    corrected = [f"of {of}\npairs"] if of > 1 else []
    table = _table()
    for head in ("metric", "A", "B", "B − A", "95 %", "p", *corrected, "shows\nfrom", "verdict"):
        table.add_column(head, justify="left" if head in ("metric", "verdict") else "right")
    for line in lines:
        d, test = line.known.decimals, line.tested
        cells = [_plain(f"{line.known.metric} {'↑' if line.known.higher_is_better else '↓'}")]
        for side, score in (("A", line.a), ("B", line.b)):
            style = "bold" if side == line.better else ""
            cells.append(Text(f"{score.value:.{d}f}" if score else MISSING, style=style))
        if line.a and line.b and line.interval and test:
            low, high = line.interval
            cells += [
                Text(f"{line.b.value - line.a.value:+.{d}f}"),
                Text(f"[{low:+.{d}f}, {high:+.{d}f}]"),
                *(Text(_p(p)) for p in ((test.p, test.p_holm) if corrected else (test.p_holm,))),
                Text(f"{test.detectable:.{d}f}" if test.detectable else MISSING),
                _verdict(line, test),
            ]
        else:
            why = "not tested" if line.a and line.b else f"{'B' if line.a else 'A'} is not scored"
            cells += [*(Text(MISSING) for _ in range(len(table.columns) - 4)), Text(why)]
        table.add_row(*cells)
    yield table
    yield from map(_dim, _notes(lines, of))


def _verdict(line: Line, test: Comparison) -> Text:
    from rich.text import Text

    from bench.scoring.compare import LEVEL

    if test.significant:
        return Text(f"{line.better} is better", style="green")
    return Text(f"perhaps {line.better}" if test.p < LEVEL else "not told apart")


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _notes(lines: Sequence[Line], of: int) -> Iterator[str]:
    from bench.scoring.compare import LEVEL

    tested = [(line.known.metric, line.tested, line.tests) for line in lines if line.tested and line.tests]
    if not tested:
        return
    how = dict.fromkeys(
        f"paired {tests.test} test of these two, {tests.resamples:,} resamples of {tests.unit}s"
        for *_, tests in tested
    )
    yield f"p: {' or '.join(how)}."
    if of > 1:
        perhaps = any(test.p < LEVEL and not test.significant for _, test, _ in tested)
        yield f"of {of} pairs: corrected for all of the board (Holm). The verdict goes by it" + (
            "; perhaps: by p alone." if perhaps else "."
        )
    if apart := [metric for metric, _, tests in tested if len(tests.pairs) < of]:
        yield f"By {', '.join(apart)} no board has compared them: there the verdict goes by p."
    yield "shows from: so large a difference would be found on 80 % of sets like this one."
    people = [f"{test.agreement:.0%} ({metric})" for metric, test, _ in tested if test.agreement]
    if people:
        yield f"People agree with such a difference in {', '.join(people)}: Kocmi et al. 2024, arXiv 2401.06760."


def _settings(differ: Sequence[tuple[str, str, str]]) -> Table:
    from bench.boards.pairwise import cut

    table = _table()
    for head in ("setting", "A", "B"):
        table.add_column(head, overflow="fold")
    for key, *values in differ:
        one, other = (_HASH.sub(lambda found: found[0][:12], value) for value in values)
        table.add_row(*map(_plain, (key, *cut(one, other, _SETTING))))
    return table


def _segments(shown: Sequence[Shown], score: Score, most: int) -> Iterator[RenderableType]:
    """`shown`: where B gains most first; `score`: of the metric, of either."""
    from rich.text import Text

    better, worse = [s for s in shown if s.gain > 0], [s for s in reversed(shown) if s.gain < 0]
    same = sum(s.a.text == s.b.text for s in shown)
    counts = f"A better {len(worse)}, B better {len(better)}, even {len(shown) - len(worse) - len(better)}"
    yield _plain(f"Segments by {score.metric}: {counts}; the same translation {same}.")
    for side, part in (("A", worse), ("B", better)):
        if part[:most]:
            yield ""
            yield Text.assemble("Where ", (side, _COLOURS[side]), " gains most", style="bold")
        for segment in part[:most]:
            yield _plain(segment.id)
            yield _segment(segment, score.decimals)


def _segment(segment: Shown, decimals: int) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    from bench.boards.pairwise import cut

    grid = _grid(2)
    for name, text in (("source", segment.source), ("reference", segment.reference)):
        grid.add_row(_dim(name), _plain(cut(text, "", _LONGEST)[0]))
    texts = cut(segment.a.text, segment.b.text, _LONGEST)
    for n, side in enumerate("AB"):
        flags = _plain(", ".join(segment.remarks[n]))
        flags.stylize("yellow")
        grid.add_row(
            Text(f"{side} {segment.scores[n]:.{decimals}f}", style=_COLOURS[side]),
            Text("  ").join([_marked(texts[n], texts[1 - n], _COLOURS[side]), flags]),
        )
    return Padding(grid, (0, 0, 0, 2))


def _marked(text: str, other: str, colour: str) -> Text:
    """What the other system did not write is underlined."""
    from rich.text import Text

    from bench.boards.pairwise import marked

    if not text:
        return _dim("(empty)")
    made = Text()
    for piece, only in marked(text, other):
        made.append(_plain(piece).plain, style=f"underline {colour}" if only else "")
    return made


def _plain(text: str) -> Text:
    """On one line; what would steer the terminal or turn its direction is shown as its number."""
    from rich.text import Text

    steering = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return Text(
        "".join(
            "⏎" if c == "\n" else f"<{ord(c):04X}>" if unicodedata.category(c) in steering else c
            for c in text
        )
    )


def _dim(text: str) -> Text:
    made = _plain(text)
    made.stylize("dim")
    return made


def _grid(columns: int) -> Table:
    """Texts are folded: Chinese has no spaces, and would be left out from the end of the line on."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        grid.add_column(overflow="fold")
    return grid


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
