"""What all commands print with."""

from __future__ import annotations

import click

from bench.escaping import terminal


def echo(line: object, indent: str = "", err: bool = False) -> None:
    """Print one line, which may hold names, paths and messages from anybody."""
    click.echo(indent + terminal(str(line)), err=err)
