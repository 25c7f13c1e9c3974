"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

STORE = click.option(
    "--store",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs",
    show_default=True,
    help="Folder with the runs.",
)
