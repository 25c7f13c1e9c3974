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
    from collections.abc import Callable, Sequence

    from rich.text import Text

    from bench.commands.plan import Plan, PlannedJob


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
      bench run --dry-run suite=gpu                          what this would do, fetch, take and cost
      bench run suite=commercial max_cost=5                  stop before requests have cost more than 5 US dollars
      bench run system=copy,dictionary store=/tmp/runs       two systems, in another store
      bench score ours=out.zh-en.txt                         your own outputs: see bench score --help
      bench run system=llm system.name=mine system.adapter.checkpoint=/models/mine
      bench run system=llm system.name=hub system.adapter.checkpoint=org/model@COMMIT     from the Hugging Face Hub
      bench run system=hunyuan-mt-7b prompt=paragraph        one paragraph per request
      bench run system=openai system.name=gpt system.adapter.model=gpt-4.1-mini   an endpoint; key in OPENAI_API_KEY
      bench run system=deepl                                 a commercial service; key in DEEPL_AUTH_KEY
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
    from bench.commands.plan import total_seconds
    from bench.progress import duration

    if plan.jobs:
        _print_jobs(plan.jobs)
    if any(job.segments for job in plan.jobs):
        seconds = total_seconds(plan.jobs)
        total = f"some {duration(seconds)}" if seconds is not None else "not known for every job"
        echo(f"Time at the speed of earlier runs of the same systems, one job after another: {total}")
        _print_cost(plan)
    if missing := {metric: count for metric, count in plan.scores.items() if count}:
        echo(f"Scores to compute: {', '.join(f'{count} {metric}' for metric, count in missing.items())}")
    for name, source in plan.downloads.items():
        echo(f"To fetch: {name} from {source}")
    if plan.disk:
        echo(f"Files of these systems and metrics that are on this disk: {plan.disk / 1e6:,.0f} MB")
    for sentence in plan.gaps:
        echo(f"Cannot be used: {sentence}")
    echo(f"Boards: {plan.leaderboard}")


def _print_jobs(jobs: Sequence[PlannedJob]) -> None:
    """A table with a row per job. Columns without any value are left out."""
    from rich.console import Console
    from rich.table import Table

    from bench.progress import duration

    columns: dict[str, Callable[[PlannedJob], str | Text]] = {
        "job": lambda job: plain(job.name),
        "segments to translate": lambda job: str(job.segments),
        "time": lambda job: (
            "finished"
            if not job.segments
            else duration(job.seconds)
            if job.seconds is not None
            else "not known"
        ),
        "requests": lambda job: f"{job.usage.requests:,}" if job.is_paid and job.segments else "",
        "characters": lambda job: f"{job.usage.characters:,}" if job.usage.characters else "",
        "tokens in, out (estimate)": lambda job: (
            f"{job.usage.tokens_in:,}, {job.usage.tokens_out:,}" if job.usage.tokens_in else ""
        ),
        "US dollars (estimate)": lambda job: (
            f"{job.cost:.4f}" if job.cost is not None and job.segments else ""
        ),
        "memory": lambda job: plain(job.memory if job.segments else ""),
    }
    shown = {name: cell for name, cell in columns.items() if any(map(cell, jobs))}
    table = Table(*shown, box=None, pad_edge=False, header_style="dim")
    for job in jobs:
        table.add_row(*(cell(job) for cell in shown.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _print_cost(plan: Plan) -> None:
    from bench.commands.plan import total_cost, without_price

    unpriced = without_price(plan.jobs)
    if any(job.cost is not None for job in plan.jobs):
        more = f", and {plan.spent:.4f} so far" if plan.spent else ""
        echo(f"Cost: some {total_cost(plan.jobs):.4f} US dollars, from the prices of the systems{more}")
    if unpriced:
        names = ", ".join(unpriced)
        echo(
            f"Price not known: {names}. Set system.price.characters, or system.price.input and system.price.output"
        )
    if plan.max_cost is not None and plan.spent + total_cost(plan.jobs) > plan.max_cost:
        echo(f"max_cost={plan.max_cost:g} will stop it before the end")
