"""`bench meta-evaluate`: the command and its tables, for a terminal and in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.commands.meta_evaluate import Figure, Row, Table

_ALWAYS = ("chrf", "bleu")


@click.command("meta-evaluate")
@click.option("--markdown", is_flag=True, help="Print Markdown, for a model card.")
@click.argument("words", nargs=-1, required=True, metavar="FILE... [metric=NAME,...]", type=click.UNPROCESSED)
def meta_evaluate(markdown: bool, words: tuple[str, ...]) -> None:
    """How far metrics can be trusted: their scores against human judgements, beside chrF's and BLEU's.

    FILE is CSV, plain or gzipped, with one row a judged translation: columns lp (zh-en or en-zh), system, seg, doc (may be
    left out), src, mt, ref, score (higher is better). metric= takes names of configs/metric/; other overrides set what
    they can set in `bench run`.

    \b
    tau-b, Pearson  over all judgements at once (Kendall 1945); this also rewards knowing which source is hard
    within          mean tau-b over the systems of one segment: which of them translated this sentence better. A segment
                    with equal judgements is left out; one with equal metric scores counts as 0; other ties are tau-b's
                    (Deutsch et al. 2023, "Ties Matter")
    systems         share of the pairs of systems that the metric orders as people do (Kocmi et al. 2021, "To Ship or Not
                    to Ship"), by the score of the whole; pairs that people hold equal are left out

    In brackets the 95 % interval: percentiles of 1000 resamples of segments, seed 12345. A resample's score of a system is
    the mean of its segment scores.

    \b
      bench meta-evaluate judgements.zh-en.csv.gz
      bench meta-evaluate *.csv.gz metric=comet-embedded,ter
      bench meta-evaluate --markdown heldout.zh-en.csv metric=comet metric.comet.checkpoint=/models/mine.ckpt
    """
    from rich.console import Console

    from bench import progress
    from bench.commands.meta_evaluate import meta_evaluate as measure
    from bench.errors import BenchError
    from bench.launching.compose import compose, friendly_errors, scorers
    from bench.scoring import judgements

    given = [word for word in words if "=" in word and not Path(word).is_file()]
    files = [Path(word) for word in words if word not in given]
    if not files:
        raise BenchError("No judgements are named: give one or more CSV files.")
    names = [word.removeprefix("metric=").strip("[]") for word in given if word.startswith("metric=")]
    asked = dict.fromkeys(name for name in ",".join([*names, *_ALWAYS]).split(",") if name)
    overrides = [word for word in given if not word.startswith("metric=")]
    with friendly_errors():
        config = compose([f"metric=[{','.join(asked)}]", *overrides])
    progress.configure(quiet=config.quiet)
    tables = measure({str(path): judgements.read(path) for path in files}, scorers(config))
    if markdown:
        click.echo("\n\n".join(map(_markdown, tables)))
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables:
        console.print(_terminal(table))


def _terminal(table: Table) -> RenderableType:
    from rich.console import Group
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(title=Text(_title(table)), title_justify="left", title_style="bold")
    for i, head in enumerate(_heads(table)):
        drawn.add_column(head, justify="right" if i else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(Text, _cells(row)))
    notes = [*_apart(table), *(f"{row.metric}: {row.signature}" for row in table.rows)]
    return Group(drawn, *(Text(note, style="dim") for note in notes), "")


def _markdown(table: Table) -> str:
    rule = ["---", *["---:"] * (len(_heads(table)) - 1)]
    lines = [_heads(table), rule, *map(_cells, table.rows)]
    parts = [f"**{_title(table)}**", "", *(f"| {' | '.join(cells)} |" for cells in lines), ""]
    notes = [*_apart(table), *(f"{row.metric}: `{row.signature}`" for row in table.rows)]
    return "\n".join([*parts, *(f"- {note}" for note in notes)])


def _title(table: Table) -> str:
    counts = (
        _count(table.judgements, "judgement"),
        _count(table.segments, "segment"),
        _count(table.systems, "system"),
    )
    return f"{Path(table.name).name}, {table.direction}: {', '.join(counts)}"


def _heads(table: Table) -> list[str]:
    within, systems = _count(table.ordered, "segment"), _count(table.pairs, "pair")
    return ["metric", "tau-b", "Pearson", f"within ({within})", f"systems ({systems})"]


def _cells(row: Row) -> list[str]:
    return [row.metric, *map(_figure, (row.pooled, row.pearson, row.within, row.systems))]


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    interval = " [{:.3f}, {:.3f}]".format(*figure.interval) if figure.interval else ""
    return f"{figure.value:.3f}{interval}"


def _apart(table: Table) -> list[str]:
    pairs = _count(table.apart, "pair")
    return [f"Not compared, because judged on different segments: {pairs} of systems."] if table.apart else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
