"""The command line. Nothing heavy is imported before it is needed: `bench --help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench import __version__
from bench.cli.compare import compare
from bench.cli.machine import doctor, prefetch
from bench.cli.meta_evaluate import meta_evaluate
from bench.cli.references import references
from bench.cli.results import publish, verify
from bench.errors import BenchError


class _Sentence(click.ClickException):
    """A BenchError on its way out: one sentence, exit code 2."""

    exit_code = 2


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BenchError as error:
            raise _Sentence(str(error)) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bitext-bench")
def main() -> None:
    """Official bilingual texts as machine-translation benchmarks.

    \b
      bench run                              the embedded default: four systems, both directions
      bench run system=copy                  one system (configs/system/), added to the leaderboards
      bench compare A B                      what parts two systems, and the segments that show it
      bench verify                           prove published results, from the hypotheses up
      bench publish RUN …                    move runs into the published results
      bench references check ID              prove that a reference set holds what its source holds
      bench meta-evaluate JUDGEMENTS.csv     how far the metrics can be trusted
      bench doctor                           what this machine can run, and what mends what is missing
      bench prefetch --into DIR              all that a run needs, for nodes without a network
    """


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own system/, suite/, metric/ or prompt/ yaml files.",
)
@click.option("-m", "--multirun", is_flag=True, hidden=True, help="A suite always is one.")
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def run(quiet: bool, config_dir: Path | None, multirun: bool, overrides: tuple[str, ...]) -> None:
    """Translate, score and show the leaderboards. What is done already is not done again.

    OVERRIDES are Hydra's: KEY=VALUE, or KEY=A,B for several. Everything in configs/ can be set.

    \b
      bench run                                              suite=offline, both directions
      bench run suite=offline direction=zh-en                one direction
      bench run system=copy,dictionary store=/tmp/runs       some systems, kept elsewhere
      bench run system=hypotheses system.name=ours system.adapter.path='out.{direction}.txt'
      bench run system=llm system.name=mine system.adapter.checkpoint=/models/mine
      bench run system=llm system.name=hub system.adapter.checkpoint=org/model@COMMIT prompt@system.adapter.prompt=few-shot
      bench run system=hunyuan-mt-7b prompt@system.adapter.prompt=paragraph      a whole paragraph in one go
      bench run system=openai system.name=gpt system.adapter.model=gpt-4.1-mini   an endpoint; the key from OPENAI_API_KEY
      bench run 'metric=[bleu,chrf]'                         some metrics
    """
    from rich.console import Console

    from bench.boards.formats import terminal
    from bench.commands.run import run as run_suite

    words = [*overrides, *(["quiet=true"] if quiet else [])]
    if config_dir:
        words.append(f"hydra.searchpath=[file://{config_dir.resolve()}]")
    boards, path = run_suite(words)
    console = Console(width=None if sys.stdout.isatty() else 160)
    for board in boards:
        console.print(terminal(board))
    console.print(
        f"Written: {path} (and .csv, .json, .tex beside it)", soft_wrap=True, highlight=False, markup=False
    )
    page = path.parent / "site" / "index.html"
    console.print(f"Open in a browser: {page}", soft_wrap=True, highlight=False, markup=False)
    if any(board.missing for board in boards):
        sys.exit(2)


main.add_command(references)
main.add_command(compare)
main.add_command(meta_evaluate)
main.add_command(prefetch)
main.add_command(publish)
main.add_command(verify)
main.add_command(doctor)
