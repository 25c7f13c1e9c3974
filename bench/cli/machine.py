"""`bench prefetch` and `bench doctor`: what a machine needs before a run, most of all one without a network."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.commands.doctor.finding import Finding
    from bench.commands.prefetch import Row

_CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own system/, suite/, metric/ or prompt/ yaml files.",
)
_OVERRIDES = click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
_STATES = {"failed": "bold red", "gap": "yellow", "needs nothing": "dim"}
_VERDICTS = {"ok": "green", "not here": "dim", "warning": "yellow", "missing": "bold red"}


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The one folder for everything: the program's cache, the hub's, sacrebleu's.  [default: each where it is]",
)
@_CONFIG_DIR
@_OVERRIDES
def prefetch(quiet: bool, into: Path | None, config_dir: Path | None, overrides: tuple[str, ...]) -> None:
    """Fetch and convert all that a run needs, so that it needs no network.

    OVERRIDES are those of `bench run`. Everything is fetched that can be; exit code 2 where something could not.
    FOLDER/prefetch.json says what is there.

    \b
      bench prefetch --into /shared/bench                                       the embedded default
      bench prefetch --into /shared/bench system=nllb-200-3.3b 'metric=[chrf,comet]'
      bench prefetch --into /shared/bench system=copy reference=sacrebleu:wmt22/zh-en
    """
    from rich.console import Console

    from bench.commands import prefetch as fetching

    if into:
        fetching.into(into)
    rows = fetching.prefetch(_words(overrides, config_dir, quiet))
    Console(width=None if sys.stdout.isatty() else 160).print(_rows(rows))
    click.echo(f"Written: {fetching.cache_dir() / fetching.MANIFEST}")
    *folders, offline = (f"{name}={shlex.quote(value)}" for name, value in fetching.environment().items())
    click.echo(f"On nodes without a network:\n  export {' '.join(folders)}\n  export {offline}")
    for row in rows:
        if row.reason:
            click.echo(f"{row.state}: {row.what}: {row.reason}", err=True)
    if any(row.state == "failed" for row in rows):
        sys.exit(2)


@click.command(context_settings={"ignore_unknown_options": True})
@_CONFIG_DIR
@_OVERRIDES
def doctor(config_dir: Path | None, overrides: tuple[str, ...]) -> None:
    """What this machine can run, and for what is missing the command that mends it.

    OVERRIDES are those of `bench run`: then each system and metric is looked at, too, and exit code 2 says that not all of
    them can run. Nothing is fetched, and no value of a key is shown.

    \b
      bench doctor                                        the machine
      bench doctor suite=offline                          and whether it can run a suite
      bench doctor system=hunyuan-mt-7b 'metric=[comet]'
      bench doctor system=openai system.name=gpt system.adapter.model=gpt-4.1-mini
    """
    from rich.console import Console

    from bench.commands.doctor import examine

    asked = _words(overrides, config_dir) if overrides else None
    findings = examine(asked)
    Console(width=None if sys.stdout.isatty() else 160).print(_findings(findings))
    for line in _mended(findings):
        click.echo(line)
    if any(finding.verdict == "missing" for finding in findings):
        sys.exit(2)


def _words(overrides: tuple[str, ...], config_dir: Path | None, quiet: bool = False) -> list[str]:
    words = [*overrides, *(["quiet=true"] if quiet else [])]
    return [*words, *([f"hydra.searchpath=[file://{config_dir.resolve()}]"] if config_dir else [])]


def _rows(rows: list[Row]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_footer=True)
    for head, justify, footer in (
        ("what", "left", "together"),
        ("for", "left", ""),
        ("from", "left", ""),
        ("pinned", "left", ""),
        ("size", "right", amount(sum(row.bytes for row in rows))),
        ("state", "left", ""),
    ):
        table.add_column(head, footer=footer, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        pinned = " ".join(word[:12] for word in row.pinned.split())
        cells = [
            row.what,
            ", ".join(row.wanted_by),
            row.source,
            pinned,
            amount(row.bytes) if row.bytes else "",
        ]
        table.add_row(*map(Text, cells), Text(row.state, style=_STATES.get(row.state, "green")))
    return table


def _findings(findings: list[Finding]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for head in ("check", "found", "verdict"):
        table.add_column(head, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict, style=_VERDICTS[finding.verdict])
        table.add_row(Text(finding.check), Text(finding.found), verdict)
    return table


def _mended(findings: list[Finding]) -> Iterator[str]:
    """Each command once, behind all that it is for; what is missing comes first."""
    for verdict in reversed(_VERDICTS):
        those: dict[str, list[str]] = {}
        for finding in findings:
            for mend in finding.mend.splitlines() if finding.verdict == verdict else ():
                those.setdefault(mend, []).append(finding.check)
        for mend, checks in those.items():
            yield f"{verdict}: {', '.join(checks)}\n  {mend}"


def amount(bytes: int) -> str:
    """ "2.3 GB", "70 MB", "4 kB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if bytes >= unit:
            number = bytes / unit
            return f"{number:.1f} {name}" if number < 100 else f"{number:.0f} {name}"
    return f"{bytes / 1000:.0f} kB"
