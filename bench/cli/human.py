"""`bench human`: campaigns for people, and their judgements on the boards."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.cli.options import STORE
from bench.cli.printing import echo
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(short_help="Let people judge translations.")
def human() -> None:
    """Let people judge translations: write a campaign for Pearmut, and bring the judgements back.

    \b
      bench human export --direction zh-en -o campaign.json
      pip install pearmut && pearmut add campaign.json && pearmut run     (Python 3.12)
      bench human import campaign.json annotations.json
    """


@human.command("export", short_help="Write a campaign for Pearmut.")
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@STORE
@click.option("--reference", help="Id of the reference set; required if the store has several.")
@click.option("--direction", type=click.Choice(DIRECTIONS), required=True)
@click.option(
    "-o", "--out", type=_FILE, default="campaign.json", show_default=True, help="The file to write."
)
@click.option(
    "--protocol",
    type=click.Choice(["esa", "mqm"]),
    default="esa",
    show_default=True,
    help="Error spans and a score from 0 to 100, or error spans with MQM categories.",
)
@click.option(
    "--segments",
    type=click.IntRange(min=1),
    help="About so many segments, as whole paragraphs. Default: all.",
)
@click.option(
    "--first",
    type=click.Choice(["disagreement", "facts"]),
    help="First the paragraphs where metrics disagree, or where facts and obligations are lost. "
    "Default: a random sample, in the order of the document.",
)
@click.option("--annotators", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--each",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Annotators who see each paragraph.",
)
@click.option(
    "--prefill", metavar="A,B", default="", help="Mark the errors that these metrics found, such as facts."
)
@click.option(
    "--seed", type=int, default=12345, show_default=True, help="Of sample, order of systems and checks."
)
def export_campaign(
    systems: tuple[str, ...],
    root: Path,
    reference: str | None,
    direction: Direction,
    out: Path,
    protocol: str,
    segments: int | None,
    first: str | None,
    annotators: int,
    each: int,
    prefill: str,
    seed: int,
) -> None:
    """Write a campaign for Pearmut, in which people judge several systems side by side.

    A page is a paragraph, with the source before it. Systems are shuffled on each page and not named. One page in ten
    is an attention check: the official translation beside a damaged one. SYSTEM is a run or its system's name.
    Default: all but the controls. The same seed gives the same campaign.

    \b
      bench human export --direction zh-en --store results
      bench human export mine base --direction en-zh --segments 20 --annotators 3 --each 2
      bench human export --direction zh-en --first facts --segments 10 --prefill facts,obligations
      bench human export --direction zh-en --protocol mqm -o mqm.json

    Then, in an environment with Python 3.12 or later: pip install pearmut; pearmut add campaign.json; pearmut run.
    Its server listens on all network interfaces.
    """
    from bench.commands import human as command
    from bench.human.sampling import First
    from bench.store import Store

    chosen: First | None = "facts" if first == "facts" else "disagreement" if first else None
    settings = command.Settings(
        "MQM" if protocol == "mqm" else "cESA",
        segments,
        chosen,
        annotators,
        each,
        [name for name in prefill.split(",") if name],
        seed,
    )
    campaign = command.export(Store(root), reference, direction, systems, settings)
    command.write_campaign(out, campaign)
    items = campaign.items.values()
    checks = sum(item.is_check for item in items)
    echo(f"Written: {out}")
    echo(f"Sample: {campaign.bitext_bench.sample}.")
    echo(
        f"{len(campaign.bitext_bench.hypotheses_sha256)} systems, {len(items) - checks} segments, "
        f"{checks} attention checks, {annotators} annotators, each paragraph judged by {each}; seed {seed}."
    )
    for sentence in command.display_notes(campaign):
        echo(sentence)
    echo(f"Next, with Python 3.12: pip install pearmut; pearmut add {out}; pearmut run")


@human.command("import", short_help="Bring the judgements back.")
@click.argument("campaign", type=_FILE)
@click.argument("annotations", type=_FILE)
@STORE
@click.option("--judgements", type=_FILE, help="Also write them as CSV, for `bench meta-evaluate`.")
def import_annotations(campaign: Path, annotations: Path, root: Path, judgements: Path | None) -> None:
    """Put people's judgements on the boards, as a column with intervals, tests and the annotators' agreement.

    CAMPAIGN is the file that `bench human export` wrote. ANNOTATIONS is what Pearmut's dashboard downloads, or
    data/annotations/CAMPAIGN.jsonl of its server. The column is human-esa or human-mqm (minus the points of Freitag et
    al. 2021: minor 1, major 5, critical 25, minor punctuation 0.1). A later import replaces it. Annotators who failed
    more than half of their attention checks are left out.

    \b
      bench human import campaign.json annotations.json
      bench human import campaign.json data/annotations/mine.jsonl --judgements judged.csv.gz
      bench meta-evaluate judged.csv.gz metric=comet-embedded        which metric agrees with them
    """
    from bench.commands import human as command
    from bench.store import Store

    if judgements and judgements.suffix not in (".csv", ".gz"):
        raise BenchError(f"{judgements} is not the name of a CSV file: use one that ends in .csv or .csv.gz.")
    imported = command.import_annotations(Store(root), campaign, annotations, judgements)
    for annotator, (passed, seen) in imported.checks.items():
        out = " Left out." if annotator in imported.left_out else ""
        echo(f"{annotator}: {passed} of {seen} attention checks passed.{out}")
    for label, score in sorted(imported.scores.items(), key=lambda pair: -pair[1].value):
        half = (
            f" ± {(score.interval[1] - score.interval[0]) / 2:.{score.decimals}f}" if score.interval else ""
        )
        count = sum(value is not None for value in score.segments)
        echo(f"{label}: {score.metric} {score.value:.{score.decimals}f}{half} on {count} segments")
    echo(f"Agreement of annotators: {imported.agreement}.")
    if judgements:
        echo(f"Written: {judgements}, {imported.judgements} judgements")
    echo(f"Written: {imported.path} (and .csv, .json, .tex beside it)")
    sys.stdout.flush()
