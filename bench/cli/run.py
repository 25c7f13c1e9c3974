"""`bench run`: translate, score, and show the boards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.completion import complete_override
from bench.cli.printing import echo
from bench.escaping import plain

if TYPE_CHECKING:
    from bench.commands.plan import Plan


@click.command(
    context_settings={"ignore_unknown_options": True}, short_help="Translate and score systems; write boards."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of your own with yaml files in system/, suite/, metric/, prompt/, and the code they name.",
)
@click.option(
    "-m", "--multirun", is_flag=True, hidden=True, help="Accepted, since a suite always is a multirun."
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_override)
def run(
    quiet: bool, dry_run: bool, config_dir: Path | None, multirun: bool, overrides: tuple[str, ...]
) -> None:
    """Translate, score and show the boards; finished work is reused.

    OVERRIDES are Hydra overrides: KEY=VALUE, or KEY=A,B for several values. They can set everything in configs/.

    \b
      bench run                                              suite=offline, both directions
      bench run suite=offline direction=zh-en                one direction
      bench run --dry-run suite=gpu                          what this would do, fetch and take
      bench run system=copy,dictionary store=/tmp/runs       two systems, in another store
      bench score ours=out.zh-en.txt                         your own outputs: see bench score --help
      bench run system=llm system.name=mine system.adapter.checkpoint=/models/mine
      bench run system=llm system.name=hub system.adapter.checkpoint=org/model@COMMIT     from the Hugging Face Hub
      bench run system=hunyuan-mt-7b prompt=paragraph        one paragraph per request
      bench run system=openai system.name=gpt system.adapter.model=gpt-4.1-mini   an endpoint; key in OPENAI_API_KEY
      bench run 'metric=[bleu,chrf]'                         some metrics
    """
    from bench.cli.boards import print_boards
    from bench.commands.plan import plan
    from bench.commands.run import run as run_suite
    from bench.launching.compose import config_dir_override

    all_overrides = [*overrides, *(["quiet=true"] if quiet else [])]
    if config_dir:
        all_overrides.append(config_dir_override(config_dir))
    if dry_run:
        _print_plan(plan(all_overrides))
        return
    boards, path = run_suite(all_overrides)
    if not boards:  # one shard of a run
        return
    if code := print_boards(boards, path):
        sys.exit(code)


def _print_plan(plan: Plan) -> None:
    from rich.console import Console
    from rich.table import Table

    from bench.commands.plan import total_seconds
    from bench.progress import duration

    table = Table("job", "segments to translate", "time", box=None, pad_edge=False, header_style="dim")
    for job in plan.jobs:
        time = duration(job.seconds) if job.seconds is not None else "not known"
        table.add_row(plain(job.name), str(job.segments), time if job.segments else "finished")
    if plan.jobs:
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    if any(job.segments for job in plan.jobs):
        seconds = total_seconds(plan.jobs)
        total = f"some {duration(seconds)}" if seconds is not None else "not known for every job"
        echo(f"Time at the speed of earlier runs of the same systems, one job after another: {total}")
    if missing := {metric: count for metric, count in plan.scores.items() if count}:
        echo(f"Scores to compute: {', '.join(f'{count} {metric}' for metric, count in missing.items())}")
    for name, source in plan.downloads.items():
        echo(f"To fetch: {name} from {source}")
    for sentence in plan.gaps:
        echo(f"Cannot be used: {sentence}")
    echo(f"Boards: {plan.leaderboard}")
