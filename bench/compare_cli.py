"""`bench compare`: two systems in the terminal."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.core import DIRECTIONS, BenchError, ReferenceSet

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bench import store
    from bench.core import Direction
    from bench.differences import Line, Shown

_LONGEST = 400  # characters of a text that are shown


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--store", "root", type=click.Path(file_okay=False, path_type=Path), default="runs", show_default=True
)
@click.option("--reference", help="The reference set; needed where the store has several.")
@click.option("--direction", type=click.Choice(DIRECTIONS), help="Both by default.")
@click.option(
    "--metric", help="By which segments are chosen; by default the one that the boards are sorted by."
)
@click.option(
    "--segments", default=2, show_default=True, help="So many where B is better, and as many where A is."
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

    A and B are runs: a folder, its name, a system's name, or how one of them begins.

    \b
      bench compare qwen2.5-coder-0.5b-instruct gemma-3-270m
      bench compare mine-3f2a mine-91cc --direction zh-en --segments 5
      bench compare gemma-3-270m copy --store results --metric comet-embedded
    """
    from rich.console import Console

    from bench import differences, published

    ids = published.sets(root)
    if reference is None and len(ids) != 1:
        raise BenchError(
            f"{root} holds the boards of {len(ids)} reference sets ({', '.join(ids) or 'run something first'}): "
            "name one by --reference, or another store by --store."
        )
    set_ = published.reference_of(reference or ids[0])
    metrics, primary = published.columns(root, set_.id)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    wanted = [d for d in DIRECTIONS if direction in (None, d)]
    asked = differences.pairs(root, set_.id, wanted, a, b)
    for each, (one, other) in asked.items():
        found = differences.lines(root, set_, each, one, other, metrics)
        _metrics(console, set_, each, one, other, found)
        if each == next(iter(asked)):
            _settings(console, one, other)
        _segments(
            console,
            differences.segments(set_, each, one, other, metric or primary),
            segments,
            metric or primary,
        )
        site = root / set_.id / "site" / "index.html"
        if site.is_file():
            console.print(f"All of them: {site}#/{each}/compare/{one.label}/{other.label}", soft_wrap=True)
        console.print()


def _metrics(
    console: Console,
    reference: ReferenceSet,
    direction: Direction,
    a: store.Run,
    b: store.Run,
    found: Sequence[Line],
) -> None:
    from rich.table import Table
    from rich.text import Text

    from bench.leaderboard.render import MISSING

    if not found:
        raise BenchError(
            f"Neither {a.label} nor {b.label} is scored: bench run with this store scores what it holds."
        )
    table = Table(
        title=f"{direction}, {len(reference.segments)} segments: A {a.label}, B {b.label}",
        title_justify="left",
        title_style="bold",
    )
    for head in ("metric", "A", "B", "B − A", "95 %", "p"):
        table.add_column(head, justify="left" if head == "metric" else "right")
    table.add_column("what the test says")
    for line in found:
        known = line.a or line.b
        assert known
        d, arrow = known.decimals, "↑" if known.higher_is_better else "↓"
        scores = [f"{score.value:.{d}f}" if score else MISSING for score in (line.a, line.b)]
        cells = [MISSING, MISSING, MISSING, "not compared: a score is missing"]
        if test := line.tested:
            turned = 1 if test.a == b.label else -1
            low, high = sorted(turned * end for end in test.interval)
            p = "< 0.001" if test.p_holm < 0.001 else f"{test.p_holm:.3f}"
            cells = [
                f"{turned * test.difference:+.{d}f}",
                f"{low:+.{d}f} … {high:+.{d}f}",
                p,
                _verdict(line, b, d),
            ]
        style = "bold" if line.tested and line.tested.significant else None
        table.add_row(Text(f"{known.metric} {arrow}"), *scores, *map(Text, cells), style=style)
    console.print(table)
    corrected = max(line.of for line in found)
    notes = [f"p is corrected for all {corrected} pairs of the board."] if corrected > 1 else []
    if any(line.tested and line.tested.agreement for line in found):
        notes.append("How often people agree: Kocmi et al. 2024, by the size of the difference.")
    for note in notes:
        console.print(note, style="dim")


def _verdict(line: Line, b: store.Run, decimals: int) -> str:
    test = line.tested
    assert test
    if not test.significant:
        return f"not told apart; this set shows {test.detectable:.{decimals}f} or more"
    people = f"; people agree in {test.agreement:.0%}" if test.agreement else ""
    return f"{'B' if test.a == b.label else 'A'} is better{people}"


def _settings(console: Console, a: store.Run, b: store.Run) -> None:
    from rich.table import Table
    from rich.text import Text

    from bench.differences import settings

    table = Table("what differs", "A", "B", title="Settings", title_justify="left", title_style="bold")
    for key, one, other in settings(a, b):
        table.add_row(Text(key), *(Text(_plain(value, 160)) for value in (one, other)))
    if table.row_count:
        console.print(table)


def _segments(console: Console, shown: Sequence[Shown], most: int, metric: str) -> None:
    from rich.table import Table
    from rich.text import Text

    better, worse = sum(s.gain > 0 for s in shown), sum(s.gain < 0 for s in shown)
    same = sum(s.a == s.b for s in shown)
    console.print(
        f"By {metric} B is better on {better} segments, A on {worse}, {len(shown) - better - worse} are even; "
        f"{same} translations are the same."
    )
    best = [s for s in shown[:most] if s.gain > 0]
    worst = [s for s in reversed(shown[-most:] if most else []) if s.gain < 0]
    for title, part in (("B gains most", best), ("A gains most", worst)):
        for number, segment in enumerate(part):
            if number == 0:
                console.print(f"\n{title}", style="bold")
            console.print(Text(segment.id, style="dim"))
            grid = Table.grid(padding=(0, 2))
            for name, text in (("source", segment.source), ("reference", segment.reference)):
                grid.add_row(Text(name, style="dim"), Text(_plain(text)))
            for name, text, other, score, flags in (
                ("A", segment.a, segment.b, segment.scores[0], segment.flags[0]),
                ("B", segment.b, segment.a, segment.scores[1], segment.flags[1]),
            ):
                told = f"  [{', '.join(flags)}]" if flags else ""
                grid.add_row(
                    Text(f"{name} {score:.3g}", style="cyan"),
                    _marked(text, other) + Text(told, style="yellow"),
                )
            console.print(grid)


def _marked(text: str, other: str) -> Text:
    """What the other system did not write is underlined."""
    from rich.text import Text

    from bench.differences import marked

    if not text:
        return Text("(empty)", style="dim")
    made = Text()
    for piece, only in marked(text[:_LONGEST], other[:_LONGEST]):
        made.append(_plain(piece), style="underline green" if only else "")
    return made + Text("…") if len(text) > _LONGEST else made


def _plain(text: str, longest: int = _LONGEST) -> str:
    """On one line; what would steer the terminal or turn its direction is shown as its number."""
    cut = text[:longest] + "…" * (len(text) > longest)
    steering = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return "".join(
        "⏎" if c == "\n" else f"<{ord(c):04X}>" if unicodedata.category(c) in steering else c for c in cut
    )
