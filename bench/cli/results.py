"""`bench verify` and `bench publish`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.cli.printing import echo
from bench.escaping import plain

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_SHOWN = 100  # differences that are listed
_config_dir = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with metrics of your own in metric/, as in `bench run`. Their code is run.",
)


@click.command(short_help="Recompute and check published results.")
@click.argument("results", type=_FOLDER, default="results")
@_config_dir
def verify(results: Path, config_dir: Path | None) -> None:
    """Recompute and check published results: every score from its hypotheses, every test, table row and page.

    Differences are listed, and the exit code is 2. RESULTS is a folder of published results, or any store, from
    anybody: nothing in it is run, and only the metrics of this installation and of --config-dir are computed.

    \b
      bench verify                 results/
      bench verify /data/runs      a store of your own
    """
    from rich.console import Console
    from rich.table import Table

    from bench.commands.run_faults import DECLARED
    from bench.commands.verify import verify as verify_results

    report = verify_results(results, config_dir)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if report.findings:
        table = Table("place", "difference", title=plain(f"{results} does not verify"), title_justify="left")
        for finding in report.findings[:_SHOWN]:
            table.add_row(plain(finding.place), plain(finding.difference))
        console.print(table)
        if (more := len(report.findings) - _SHOWN) > 0:
            console.print(f"… and {more:,} more")
    for note in report.notes:
        console.print(plain(note, "dim"))
    checked = ", ".join(f"{count} {kind}" for kind, count in report.checked.items())
    count = len(report.findings)
    verdict = f"{count} difference{'s' * (count > 1)}" if count else "no differences"
    console.print(f"Recomputed: {checked}; {verdict}.", highlight=False)
    console.print(f"Declared by the publisher, not recomputed: {DECLARED}.", highlight=False)
    if report.findings:
        sys.exit(2)


@click.command(short_help="Add runs to the published results.")
@click.argument("runs", nargs=-1, type=_FOLDER, metavar="[RUN]...")
@click.option("--into", type=_FOLDER, default="results", show_default=True, help="The published results.")
@_config_dir
@click.option("--title", help="Heading of the site, instead of bitext-bench.")
@click.option("--intro", type=_FILE, help="Text file that is shown above the boards of the site.")
@click.option("--logo", type=_FILE, help="Picture for the head of the site: PNG, JPEG, WebP or SVG.")
@click.option(
    "--contact", help="Mail address or https:// page to which new systems are sent; in the foot of the site."
)
@click.option(
    "--pages", type=_FOLDER, help="Also write the site of each set as one file, FOLDER/SET.html, to mail."
)
def publish(
    runs: tuple[Path, ...],
    into: Path,
    config_dir: Path | None,
    title: str | None,
    intro: Path | None,
    logo: Path | None,
    contact: str | None,
    pages: Path | None,
) -> None:
    """Copy runs into the published results and regenerate boards, site and the tables in README.md.

    RUN is the folder of a run. If it does not verify, it is refused and nothing is changed. The store that it comes
    from is not changed either. Without a RUN, everything that is published is regenerated. Title, introduction,
    logo and contact are kept until they are given again.

    \b
      bench publish runs/china-export-controls-2021/*/mine-*
      bench publish --into /srv/results runs/china-export-controls-2021/zh-en/mine-0123abcd
      bench publish --title "MT for treaties" --intro about.txt --logo ministry.svg
      bench publish --into runs --pages .      your own store as one file
    """
    from bench.boards.site.head import contact_address, heading, introduction, logo_address
    from bench.commands.publish import publish as publish_runs
    from bench.commands.publish import write_single_pages

    head = {
        "title": heading(title) if title is not None else None,
        "introduction": introduction(intro) if intro else None,
        "logo": logo_address(logo) if logo else None,
        "contact": contact_address(contact) if contact else None,
    }
    given = {name: text for name, text in head.items() if text is not None}
    for path in publish_runs(runs, into, config_dir, given):
        echo(f"Written: {path}, with the other formats and the site beside it")
    for path in write_single_pages(into, pages) if pages else ():
        echo(f"Written: {path}")
