"""`bench export`: results for other tools and sites."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from bench.cli.options import STORE
from bench.cli.printing import echo


@click.command("export", short_help="Write results in the formats of others.")
@click.argument("form", type=click.Choice(["every-eval-ever", "huggingface", "croissant", "wmt", "schemas"]))
@STORE
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="export",
    show_default=True,
    help="The folder to write into.",
)
def export_results(form: str, root: Path, out: Path) -> None:
    """Write the results of a store in the formats of others. Nothing in the store is changed.

    \b
    every-eval-ever  one record per run, with all scores and intervals, for https://evalevalai.com
    huggingface      one model card per run, with the scores as a model-index
    croissant        all hypotheses and scores as JSON Lines, with a Croissant description
    wmt              one file per run in WMT's JSON Lines: doc_id, src_text, refs, hypothesis
    schemas          JSON Schemas of run.json, segments, hypotheses, scores and leaderboard.json

    \b
      bench export every-eval-ever --store results
      bench export croissant --store results -o release/
      bench export wmt && bench score mine=export/SET/RUN.zh-en.jsonl
    """
    from bench.commands import exchange as command

    chosen = next(known for known in get_args(command.Form) if known == form)
    paths = command.export(root, chosen, out)
    echo(f"Written: {len(paths)} file{'s' * (len(paths) != 1)} in {out}")
