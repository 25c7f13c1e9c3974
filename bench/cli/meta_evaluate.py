"""`bench meta-evaluate`: the command and its tables, for a terminal and in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench import escaping
from bench.escaping import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.commands.meta_evaluate import Figure, Row, Table

_BASELINES = ("chrf", "bleu")
"""Metrics that every table shows."""


@click.command("meta-evaluate", short_help="Correlate metrics with human judgements.")
@click.option("--markdown", is_flag=True, help="Print Markdown, for a model card.")
@click.argument("words", nargs=-1, required=True, metavar="FILE... [metric=NAME,...]", type=click.UNPROCESSED)
def meta_evaluate(markdown: bool, words: tuple[str, ...]) -> None:
    """Correlate metrics with human judgements. chrF and BLEU are always included.

    FILE is a CSV file, plain or gzipped, with one row per judged translation. Its columns are lp (zh-en or
    en-zh), system, seg, doc (optional), src, mt, ref and score (higher is better). metric= takes names of
    configs/metric/; other overrides work as in `bench run`.

    \b
    tau-b, Pearson  over all judgements at once (Kendall 1945). They also reward a metric for
                    knowing which source is hard.
    within          mean tau-b over the systems of one segment: which of them translated this
                    sentence better? A segment with equal judgements is left out, one with equal
                    metric scores counts as 0, and other ties are tau-b's.
    acc_eq          the same as pairwise accuracy, where judges and metric may call two
                    translations equal, with the threshold that suits the metric best (acc_eq*;
                    Deutsch et al. 2023, "Ties Matter").
    systems         share of the pairs of systems that the metric orders like the judgements
                    (Kocmi et al. 2021, "To Ship or Not to Ship"), by the metric's score of all
                    translations of a system. Pairs with equal mean judgements are left out.
    soft            soft pairwise accuracy (Thompson et al. 2024): 1 minus the mean difference of
                    the p-values that judges and metric give pairs of systems, by the means of
                    segment scores.

    acc_eq and soft are those of WMT's metrics tasks, equal to mt-metrics-eval's.

    Figures in brackets are 95 % percentile bootstrap intervals: 1000 resamples of segments (soft: 200), seed 12345. The
    intervals of two metrics are not a paired test: they may overlap even if one metric is significantly better.

    \b
      bench meta-evaluate judgements.zh-en.csv.gz
      bench meta-evaluate *.csv.gz metric=comet-embedded,ter
      bench meta-evaluate --markdown heldout.zh-en.csv metric=comet metric.comet.checkpoint=/models/mine.ckpt
    """
    from rich.console import Console

    from bench import progress
    from bench.commands import meta_evaluate as command
    from bench.errors import BenchError
    from bench.launching.compose import compose, scorers
    from bench.scoring import judgements

    overrides = [word for word in words if "=" in word and not Path(word).is_file()]
    files = [Path(word) for word in words if word not in overrides]
    if not files:
        raise BenchError("No judgements were given: name one or more CSV files.")
    metrics, settings = _split_overrides(overrides)
    config = compose([f"metric=[{','.join(metrics)}]", *settings])
    progress.configure(quiet=config.quiet)
    tables = command.meta_evaluate({str(path): judgements.read(path) for path in files}, scorers(config))
    if markdown:
        click.echo("\n\n".join(map(_markdown, tables)))  # its texts are escaped, and it has many lines
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    for table in tables:
        console.print(_terminal(table))


def _split_overrides(overrides: list[str]) -> tuple[list[str], list[str]]:
    """The metrics to show, each once, and the other overrides."""
    values = [text.removeprefix("metric=").strip("[]") for text in overrides if text.startswith("metric=")]
    metrics = [name for name in ",".join([*values, *_BASELINES]).split(",") if name]
    return list(dict.fromkeys(metrics)), [text for text in overrides if not text.startswith("metric=")]


def _terminal(table: Table) -> RenderableType:
    from rich.console import Group
    from rich.table import Table as RichTable

    grid = RichTable(title=plain(_title(table)), title_justify="left", title_style="bold")
    for index, heading in enumerate(_headings(table)):
        grid.add_column(heading, justify="right" if index else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*map(plain, _cells(row)))
    notes = [
        *_incomparable(table),
        *_promises(table),
        *(f"{row.metric}: {row.signature}" for row in table.rows),
    ]
    return Group(grid, *(plain(note, "dim") for note in notes), "")


def _markdown(table: Table) -> str:
    rule = ["---", *["---:"] * (len(_headings(table)) - 1)]
    body = ([escaping.markdown(metric), *figures] for metric, *figures in map(_cells, table.rows))
    lines = (f"| {' | '.join(cells)} |" for cells in (_headings(table), rule, *body))
    rows = [f"**{escaping.markdown(_title(table))}**", "", *lines, ""]
    signatures = (
        f"{escaping.markdown(row.metric)}: {escaping.markdown_code(row.signature)}" for row in table.rows
    )
    notes = [*map(escaping.markdown, [*_incomparable(table), *_promises(table)]), *signatures]
    return "\n".join([*rows, *(f"- {note}" for note in notes)])


def _title(table: Table) -> str:
    counts = (
        _count(table.judgements, "judgement"),
        _count(table.segments, "segment"),
        _count(table.systems, "system"),
    )
    return f"{Path(table.name).name}, {table.direction}: {', '.join(counts)}"


def _headings(table: Table) -> list[str]:
    within, systems = _count(table.ordered_segments, "segment"), _count(table.pairs, "pair")
    return ["metric", "tau-b", "Pearson", f"within ({within})", "acc_eq", f"systems ({systems})", "soft"]


def _cells(row: Row) -> list[str]:
    return [row.metric, *map(_figure, (row.pooled, row.pearson, row.within, row.ties, row.systems, row.soft))]


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    interval = " [{:.3f}, {:.3f}]".format(*figure.interval) if figure.interval else ""
    return f"{figure.value:.3f}{interval}"


def _incomparable(table: Table) -> list[str]:
    if not table.incomparable_pairs:
        return []
    pairs = _count(table.incomparable_pairs, "pair")
    return [f"Not compared, because they were judged on different segments: {pairs} of systems."]


def _promises(table: Table) -> list[str]:
    """How far the agreement with human judges that boards state holds for these systems."""
    return [
        f"{row.metric}: from the differences of these pairs, a board would say that human judges agree in "
        f"{row.promised:.0%} of them; here they agree in {row.systems.value:.0%}."
        for row in table.rows
        if row.promised is not None and row.systems
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
