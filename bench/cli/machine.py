"""`bench prefetch` and `bench doctor`: what a machine needs before a run."""

from __future__ import annotations

import shlex
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bench.cli.printing import echo
from bench.escaping import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.commands.doctor.finding import Finding
    from bench.commands.prefetch import Item

_CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own system/, suite/, metric/ or prompt/ yaml files.",
)
_OVERRIDES = click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
_STATE_STYLES = {"failed": "bold red", "gap": "yellow", "needs nothing": "dim"}
_VERDICT_STYLES = {"ok": "green", "optional": "dim", "warning": "yellow", "missing": "bold red"}


@click.command(
    context_settings={"ignore_unknown_options": True},
    short_help="Fetch all that a run needs, for offline nodes.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="One folder for the caches of bench, the hub and sacrebleu.  [default: each in its usual place]",
)
@_CONFIG_DIR
@_OVERRIDES
def prefetch(quiet: bool, into: Path | None, config_dir: Path | None, overrides: tuple[str, ...]) -> None:
    """Fetch and convert everything that a run needs, so that the run needs no network.

    OVERRIDES are those of `bench run`. If something cannot be fetched, the rest is, and the exit code is 2.
    DIR/prefetch.json lists what was fetched; source DIR/env.sh before `bench run`.

    \b
      bench prefetch --into /shared/bench                                       the default suite
      bench prefetch --into /shared/bench system=nllb-200-3.3b 'metric=[chrf,comet]'
      bench prefetch --into /shared/bench system=copy reference=sacrebleu:wmt22/zh-en
    """
    from rich.console import Console

    from bench.checkpoints.cache import cache_dir
    from bench.commands import prefetch as fetching

    if into:
        fetching.into(into)
    items = fetching.prefetch(_with_options(overrides, config_dir, quiet))
    Console(width=None if sys.stdout.isatty() else 160).print(_item_table(items))
    echo(f"Written: {cache_dir() / fetching.MANIFEST}")
    echo("Before a run that is to use it, and on nodes without a network:")
    echo(f". {shlex.quote(str(fetching.write_environment()))}", indent="  ")
    *folders, offline = (f"{name}={shlex.quote(value)}" for name, value in fetching.environment().items())
    echo("That file says:")
    echo(f"export {' '.join(folders)}", indent="  ")
    echo(f"export {offline}", indent="  ")
    for item in items:
        if item.reason:
            echo(f"{item.state}: {item.name}: {item.reason}", err=True)
    if any(item.state == "failed" for item in items):
        sys.exit(2)


@click.command(
    context_settings={"ignore_unknown_options": True}, short_help="Show what this machine can run."
)
@click.option("--on-node", is_flag=True, help="Ask a node of the cluster (srun), as jobs would get it.")
@_CONFIG_DIR
@_OVERRIDES
def doctor(on_node: bool, config_dir: Path | None, overrides: tuple[str, ...]) -> None:
    """Show what this machine can run, and how to install what is missing.

    OVERRIDES are those of `bench run`. With them, each system and metric is checked as well, and the exit
    code is 2 if one of them cannot run. Nothing is fetched, and the values of keys are not shown.

    \b
      bench doctor                                        the machine
      bench doctor suite=offline                          and whether it can run a suite
      bench doctor system=hunyuan-mt-7b 'metric=[comet]'
      bench doctor system=openai system.name=gpt system.adapter.model=gpt-4.1-mini
      bench doctor --on-node suite=gpu hydra/launcher=slurm hydra.launcher.partition=gpu
    """
    from rich.console import Console

    from bench.commands.doctor import examine
    from bench.commands.doctor.on_node import examine_node

    if on_node:
        sys.exit(examine_node(_with_options(overrides, config_dir)))
    findings = examine(_with_options(overrides, config_dir) if overrides else [])
    Console(width=None if sys.stdout.isatty() else 160).print(_finding_table(findings))
    for checks, fix in _fixes(findings):
        echo(checks)
        echo(fix, indent="  ")
    if any(finding.verdict == "missing" for finding in findings):
        sys.exit(2)


def _with_options(overrides: tuple[str, ...], config_dir: Path | None, quiet: bool = False) -> list[str]:
    """The overrides, and the options of the command as overrides."""
    options = ["quiet=true"] if quiet else []
    if config_dir:
        from bench.launching.compose import config_dir_override

        options.append(config_dir_override(config_dir))
    return [*overrides, *options]


def _item_table(items: list[Item]) -> RenderableType:
    from rich.table import Table

    columns: list[tuple[str, Literal["left", "right"], str]] = [
        ("item", "left", "total"),
        ("used by", "left", ""),
        ("source", "left", ""),
        ("pinned", "left", ""),
        ("size", "right", format_size(sum(item.bytes for item in items))),
        ("state", "left", ""),
    ]
    table = Table(show_footer=True)
    for heading, justify, footer in columns:
        table.add_column(heading, footer=footer, justify=justify, overflow="fold")
    for item in items:
        pinned = " ".join(word[:12] for word in item.pinned.split())
        size = format_size(item.bytes) if item.bytes else ""
        state = plain(item.state, _STATE_STYLES.get(item.state, "green"))
        table.add_row(*map(plain, (item.name, ", ".join(item.used_by), item.source, pinned, size)), state)
    return table


def _finding_table(findings: list[Finding]) -> RenderableType:
    from rich.table import Table

    table = Table()
    for heading in ("check", "result", "verdict"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = plain(finding.verdict, _VERDICT_STYLES[finding.verdict])
        table.add_row(plain(finding.check), plain(finding.result), verdict)
    return table


def _fixes(findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Each fix once, after the checks that it is for; the worst verdict first."""
    for verdict in reversed(_VERDICT_STYLES):
        checks: dict[str, list[str]] = defaultdict(list)
        for finding in findings:
            for fix in finding.fix.splitlines() if finding.verdict == verdict else ():
                checks[fix].append(finding.check)
        for fix, names in checks.items():
            yield f"{verdict}: {', '.join(names)}", fix


def format_size(size: int) -> str:
    """A number of bytes for people: "2.3 GB", "70 MB", "4 kB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            number = size / unit
            return f"{number:.1f} {name}" if number < 100 else f"{number:.0f} {name}"
    return f"{size / 1000:.0f} kB"
