"""`bench jobs`, `bench cancel` and `bench work`: jobs on other machines, and taking part in a run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.cli.completion import complete_override
from bench.cli.options import STORE
from bench.cli.printing import echo
from bench.escaping import plain


@click.command(short_help="List the Slurm jobs of a store that have not ended.")
@STORE
def jobs(root: Path) -> None:
    """List the Slurm jobs of a store that have not ended: state, what each makes, and its log.

    \b
      bench jobs
      bench jobs --store /shared/runs
    """
    from rich.console import Console
    from rich.table import Table

    from bench.commands.jobs import unfinished_jobs

    table = Table("job", "state", "makes", "log", box=None, pad_edge=False, header_style="dim")
    for job in unfinished_jobs(root):
        table.add_row(*map(plain, (job.id, job.state, job.makes, str(job.log))))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else 200).print(table)
    else:
        echo(f"No job of {root} is queued or running.")


@click.command(short_help="Cancel the Slurm jobs of a store.")
@STORE
def cancel(root: Path) -> None:
    """Cancel all Slurm jobs of a store that have not ended. What they have translated is kept.

    \b
      bench cancel
    """
    from bench.commands.jobs import cancel_jobs

    echo(f"{cancel_jobs(root)} cancelled. `bench run` resumes what they were doing.")


@click.command(
    context_settings={"ignore_unknown_options": True},
    short_help="Translate the next free part of a run, until none is left.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option("--once", is_flag=True, help="Stop after one part: for schedulers that start one job per part.")
@click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own system/, suite/, metric/ or prompt/ yaml files.",
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_override)
def work(quiet: bool, once: bool, config_dir: Path | None, overrides: tuple[str, ...]) -> None:
    """Take the next part of a run that nobody works on, translate it, and go on until none is left.

    Start it on as many machines as you like, with the same OVERRIDES (those of `bench run`) and one store that they
    share. A part is one system in one direction, or one shard of it. Afterwards `bench run` with the same OVERRIDES
    scores and writes the boards. The exit code is 2 if something could not be translated.

    \b
      bench work suite=gpu store=/shared/runs
      bench work suite=gpu store=/shared/runs shards=8
      bench work --once suite=gpu store=/shared/runs       one part
    """
    from bench.commands.work import work as take_part

    options = ["quiet=true"] if quiet else []
    if config_dir:
        from bench.launching.compose import config_dir_override

        options.append(config_dir_override(config_dir))
    result = take_part([*overrides, *options], once=once)
    echo(f"{len(result.done)} parts translated here; {result.elsewhere} are being translated elsewhere.")
    for name, reason in result.failed.items():
        echo(f"{name}: {reason}", err=True)
    if result.failed:
        sys.exit(2)
