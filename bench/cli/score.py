"""`bench score`: files with outputs -> a board with significance tests."""

from __future__ import annotations

import sys

import click

from bench.errors import BenchError


@click.command(short_help="Score files with outputs; write boards.")
@click.argument("files", nargs=-1, required=True, metavar="NAME=PATH...")
@click.option(
    "--reference",
    default="china-export-controls-2021",
    show_default=True,
    help="The reference set: an id, a set's folder, PREFIX of PREFIX.zh and PREFIX.en, WMT's FILE.jsonl, or "
    "sacrebleu:wmt22/zh-en.",
)
@click.option(
    "--metric",
    "metrics",
    default="bleu,chrf",
    show_default=True,
    help="Metrics, separated by commas: see `bench list metrics`.",
)
@click.option("--granularity", type=click.Choice(["sentence", "paragraph", "document"]), default="sentence")
@click.option("--store", default="runs", show_default=True, help="Folder for runs and boards.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def score(
    files: tuple[str, ...], reference: str, metrics: str, granularity: str, store: str, quiet: bool
) -> None:
    """Score files with outputs, test the differences, and write boards and the site.

    A file has one output per segment: plain lines in the order of the set, TSV, JSON Lines or a JSON list with ids,
    WMT's XML; plain or gzipped. Its name or its language gives the direction.

    \b
      bench score ours=out.zh-en.txt theirs=b.zh-en.jsonl
      bench score outputs/*.zh-en.txt                                many systems, named after their files
      bench score out.zh-en.txt out.en-zh.txt --reference news       news.zh and news.en
      bench score ours=out.txt --reference sacrebleu:wmt22/zh-en --metric bleu,chrf,comet
    """
    from bench import progress
    from bench.cli.boards import print_boards
    from bench.commands.output_files import job_overrides, output_files
    from bench.commands.run import run
    from bench.launching.compose import override
    from bench.names import is_metric_id

    progress.configure(quiet=quiet)
    names = [name.strip() for name in metrics.split(",")]
    if not all(map(is_metric_id, names)):
        raise BenchError(f"--metric {metrics!r} is not a list of metrics: use names like bleu,chrf.")
    shared = [
        override("reference", reference),
        f"granularity={granularity}",
        override("store", store),
        f"metric=[{','.join(names)}]",
        f"quiet={'true' if quiet else 'false'}",
    ]
    boards, path = run(shared, [job_overrides(file) for file in output_files(files)])
    if code := print_boards(boards, path):
        sys.exit(code)
