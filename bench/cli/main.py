"""The command line. Nothing heavy is imported before it is needed: `bench --help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bench import __version__
from bench.cli.compare import compare
from bench.cli.listing import list_all, rm, show
from bench.cli.machine import doctor, prefetch
from bench.cli.meta_evaluate import meta_evaluate
from bench.cli.references import references
from bench.cli.results import publish, verify
from bench.cli.score import score
from bench.errors import BenchError
from bench.escaping import terminal


class _UserError(click.ClickException):
    """A BenchError at the command line: one sentence, exit code 2."""

    exit_code = 2


@contextmanager
def _errors_for_users() -> Iterator[None]:
    try:
        yield
    except BenchError as error:
        raise _UserError(terminal(str(error))) from None
    except click.ClickException as error:  # it quotes what was typed; a help text has many lines
        error.message = terminal(error.message, newline="\n")  # type: ignore[misc]
        raise


class _Commands(click.Group):
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _errors_for_users():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> object:
        with _errors_for_users():
            return super().invoke(ctx)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bitext-bench")
def main() -> None:
    """Official bilingual texts as machine-translation benchmarks.

    \b
      bench score ours=out.zh-en.txt         files with outputs: scores, tests, boards
      bench run                              the built-in default suite: four systems, both directions
      bench run system=copy                  one system of configs/system/, added to the boards
      bench compare A B                      compare two systems: scores, significance, example segments
      bench list                             systems, metrics, prompts, suites, sets, runs to choose from
      bench show NAME                        one run, or the yaml of a system, metric, prompt or suite
      bench rm RUN                           delete runs and write their boards again
      bench verify                           recompute and check published results
      bench publish RUN …                    move runs into the published results
      bench references check ID              check that a reference set holds what its source holds
      bench meta-evaluate JUDGEMENTS.csv     correlate metrics with human judgements
      bench doctor                           show what this machine can run, and how to install what is missing
      bench prefetch --into DIR              fetch all that a run needs, for nodes without a network
    """


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with yaml files of your own: system/, suite/, metric/, prompt/.",
)
@click.option(
    "-m", "--multirun", is_flag=True, hidden=True, help="Accepted, since a suite always is a multirun."
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def run(quiet: bool, config_dir: Path | None, multirun: bool, overrides: tuple[str, ...]) -> None:
    """Translate, score and show the boards; finished work is reused.

    OVERRIDES are Hydra overrides: KEY=VALUE, or KEY=A,B for several values. They can set everything in configs/.

    \b
      bench run                                              suite=offline, both directions
      bench run suite=offline direction=zh-en                one direction
      bench run system=copy,dictionary store=/tmp/runs       two systems, in another store
      bench score ours=out.zh-en.txt                         your own outputs: see bench score --help
      bench run system=llm system.name=mine system.adapter.checkpoint=/models/mine
      bench run system=llm system.name=hub system.adapter.checkpoint=org/model@COMMIT     from the Hugging Face Hub
      bench run system=hunyuan-mt-7b prompt=paragraph      one paragraph per request
      bench run system=openai system.name=gpt system.adapter.model=gpt-4.1-mini   an endpoint; key in OPENAI_API_KEY
      bench run 'metric=[bleu,chrf]'                         some metrics
    """
    from bench.cli.boards import print_boards
    from bench.commands.run import run as run_suite
    from bench.launching.compose import config_dir_override

    all_overrides = [*overrides, *(["quiet=true"] if quiet else [])]
    if config_dir:
        all_overrides.append(config_dir_override(config_dir))
    boards, path = run_suite(all_overrides)
    if code := print_boards(boards, path):
        sys.exit(code)


main.add_command(score)
main.add_command(references)
main.add_command(compare)
main.add_command(list_all)
main.add_command(show)
main.add_command(rm)
main.add_command(meta_evaluate)
main.add_command(prefetch)
main.add_command(publish)
main.add_command(verify)
main.add_command(doctor)
