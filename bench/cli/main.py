"""The command line. Nothing heavy is imported before it is needed: `bench --help` answers at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from bench import __version__
from bench.cli.boards import board
from bench.cli.compare import compare
from bench.cli.exchange import export_results
from bench.cli.human import human
from bench.cli.jobs import cancel, jobs, work
from bench.cli.listing import list_all, rm, show
from bench.cli.machine import doctor, prefetch
from bench.cli.meta_evaluate import meta_evaluate
from bench.cli.references import references
from bench.cli.results import publish, verify
from bench.cli.run import run
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


_SECTIONS = {
    "Translate and score": (run, score, compare),
    "Look around": (board, list_all, show, rm),
    "Documents": (references,),
    "Publish": (publish, verify, export_results),
    "Metrics": (meta_evaluate, human),
    "Machines": (doctor, prefetch, jobs, cancel, work),
}
"""The commands as `bench --help` lists them."""


class _Commands(click.Group):
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(command.name or "") for command in itertools.chain(*_SECTIONS.values()))
        limit = formatter.width - width - 6
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                rows = [((c.name or "").ljust(width), c.get_short_help_str(limit)) for c in commands]
                formatter.write_dl(rows)

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
      bench score ours=out.zh-en.txt     your own outputs: scores, tests, boards
      bench run                          the built-in default suite: four systems, both directions
      bench run system=copy              one system, added to the boards
      bench compare A B                  two systems: scores, significance, example segments

    `bench COMMAND --help` has more examples.
    """


for _command in itertools.chain(*_SECTIONS.values()):
    main.add_command(_command)
