"""`bench verify` and `bench publish`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("results", type=_FOLDER, default="results")
def verify(results: Path) -> None:
    """Prove published results: every hash, every score from its hypotheses, every test, row and page.

    What differs is named, and the exit code is 2. RESULTS is a folder of published results, or any store.

    \b
      bench verify                 results/
      bench verify /data/runs      a store of your own
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bench.commands.verify import verify as check

    report = check(results)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if report.findings:
        table = Table("where", "what differs", title=f"{results} does not verify", title_justify="left")
        for finding in report.findings:
            table.add_row(Text(finding.where), Text(finding.what))
        console.print(table)
    checked = ", ".join(f"{count} {what}" for what, count in report.checked.items())
    verdict = f"{len(report.findings)} differ" if report.findings else "nothing differs"
    console.print(f"Recomputed: {checked}; {verdict}.", highlight=False)
    if report.findings:
        sys.exit(2)


@click.command()
@click.argument("runs", nargs=-1, type=_FOLDER, metavar="[RUN]...")
@click.option("--into", type=_FOLDER, default="results", show_default=True, help="The published results.")
def publish(runs: tuple[Path, ...], into: Path) -> None:
    """Move runs into the published results, and make boards, site and the boards in README.md anew.

    A RUN is the folder of a run. It is refused, and nothing is changed, where it does not verify. Without a RUN everything is
    made anew of what is published.

    \b
      bench publish runs/china-export-controls-2021/*/mine-*
      bench publish --into /srv/results runs/china-export-controls-2021/zh-en/mine-0123abcd
      bench publish
    """
    from bench.commands.publish import publish as move

    for path in move(runs, into):
        click.echo(f"Written: {path}, and all beside it")


__all__ = ["publish", "verify"]
