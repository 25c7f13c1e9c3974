"""`bench list`, `bench show` and `bench rm`: what can be chosen, and what a store holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from bench.cli.options import STORE
from bench.errors import BenchError
from bench.escaping import plain, terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.commands.listing import Listing
    from bench.store import Run

_KINDS = ("systems", "metrics", "prompts", "suites", "sets", "runs")
_CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with yaml files of your own.",
)


class _Kind(click.Choice[str]):
    """Also in the singular, and as `bench references` calls sets."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        plural = value if value.endswith("s") else f"{value}s"
        return super().convert("sets" if plural == "references" else plural, param, ctx)


_SAMPLE = 3  # translations that are shown of a run


@click.command("list", short_help="List systems, metrics, prompts, suites, sets or runs.")
@click.argument("kind", type=_Kind(_KINDS), default="systems")
@STORE
@_CONFIG_DIR
def list_all(kind: str, root: Path, config_dir: Path | None) -> None:
    """List what can be chosen: systems, metrics, prompts, suites, reference sets; or the runs of a store.

    \b
      bench list                       systems: bench run system=NAME
      bench list metrics               bench run 'metric=[NAME,NAME]'
      bench list runs --store results  published runs
    """
    from bench.commands.listing import Kind, listing

    assert kind in get_args(Kind)
    _print([_table(listing(kind, root, config_dir))])  # type: ignore[arg-type]


@click.command(short_help="Show a run, or the yaml of a system or metric.")
@click.argument("name")
@STORE
@_CONFIG_DIR
def show(name: str, root: Path, config_dir: Path | None) -> None:
    """Show one run (settings, scores, cost, first translations), or the yaml of a system, metric, prompt or suite.

    NAME is a run's folder, its name or the beginning of it, a system's name, or the name of a yaml file.

    \b
      bench show mine                              the runs of a system in both directions
      bench show gemma-3-270m --store results      published runs
      bench show comet                             configs/metric/comet.yaml
    """
    from bench.commands.listing import find_runs, yaml_text

    problem = BenchError(
        f"There is no run and no yaml file {name!r}: `bench list` and `bench list runs` show the names."
    )
    try:
        runs = find_runs(root, name)
    except BenchError as error:  # of the store; it may be a yaml file
        runs, problem = [], error
    sections: list[RenderableType] = [section for run in runs for section in _run(run, root)]
    if not runs:
        for path, text in yaml_text(name, config_dir):
            sections += [plain(str(path), style="bold"), *map(plain, text.splitlines()), ""]
    if not sections:
        raise problem
    _print(sections)


@click.command(short_help="Delete runs.")
@click.argument("names", nargs=-1, required=True, metavar="RUN...")
@STORE
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(names: tuple[str, ...], root: Path, yes: bool) -> None:
    """Delete runs with their scores, and write the boards of their set again.

    RUN is a run's folder, its name, or the name of a system.

    \b
      bench rm mine-3f2a91cc           one run
      bench rm mine                    all runs of a system, after a question
    """
    from bench.commands.listing import find_runs, remove

    runs = {run.folder: run for name in names for run in _found(find_runs(root, name), name)}
    for folder in runs:
        click.echo(terminal(str(folder)))
    if not yes:
        try:
            click.confirm(f"Delete {len(runs)} run{'s' * (len(runs) > 1)}?", abort=True)
        except click.Abort:
            raise BenchError("Nothing was deleted: answer y, or add -y.") from None
    for path in remove(root, list(runs.values())):
        click.echo(f"Written: {terminal(str(path))}, with the other formats and the site beside it")


def _found(runs: list[Run], name: str) -> list[Run]:
    if not runs:
        raise BenchError(f"There is no run {name!r}: `bench list runs` shows their names.")
    return runs


def _run(run: Run, root: Path) -> Iterator[RenderableType]:
    from bench.boards.text import score_text
    from bench.store import Store

    store, record = Store(root), run.record
    yield plain(str(run.folder), style="bold")
    facts = {
        "set": record.reference.id,
        "direction": record.direction,
        "size": record.system.size,
        "licence": record.system.licence,
        "made": f"{record.made.get('at', '')}, {record.work.device}, {record.work.seconds:.0f} s",
        "cost": f"{cost:.4f} US dollars" if (cost := record.work.total_cost_usd) else None,
        "flags": ", ".join(f"{count} {flag}" for flag, count in record.flags.items()) or "none",
        **{f"adapter.{key}": value for key, value in sorted(record.adapter.items())},
    }
    yield _grid([(key, str(value)) for key, value in facts.items() if value is not None])
    scores = [score for metric in store.metrics(run) if (score := store.score(run, metric))]
    yield _grid([(score.metric, "".join(score_text(score)), score.signature) for score in scores])
    yield _grid([(h.id, h.text or "(empty)") for h in run.hypotheses()[:_SAMPLE]])
    yield ""


def _grid(rows: Sequence[Sequence[str]]) -> RenderableType:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for number in range(len(rows[0]) if rows else 0):
        grid.add_column(overflow="fold", style="dim" if number == 0 else "")
    for row in rows:
        grid.add_row(*map(plain, row))
    return grid


def _table(listing: Listing) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in listing.heads:
        table.add_column(head, overflow="fold")
    for row in listing.rows:
        table.add_row(*map(plain, row))
    return table


def _print(sections: Iterable[RenderableType]) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)
    for section in sections:
        console.print(section)
