"""`bench references …`: from an official text to a reviewed reference set."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.printing import echo
from bench.escaping import plain

_FILE = click.Path(path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_LEXICON = click.option(
    "--lexicon", type=_FILE, help="Path of CC-CEDICT (cc-cedict.txt), a larger dictionary for the alignment."
)
_EMBEDDINGS = click.option(
    "--embeddings",
    metavar="MODEL",
    help="Also align by sentence embeddings: e5 (from the package registry), a folder, or org/model@COMMIT.",
)


@click.group()
def references() -> None:
    """Build, review, check and export reference sets.

    \b
      bench references build law.pdf --id law-2020          creates references/law-2020
      bench references review law-2020                      writes the review page
      bench references check law-2020                       verifies that no text is lost
      bench references export law-2020 --out out --form tmx
    """


@references.command()
@click.argument("sources", nargs=-1, type=_FILE)
@click.option("--id", required=True, help="Id of the set: letters, digits and ._- only.")
@click.option("--out", type=_FOLDER, help="Folder of the set.  [default: references/ID]")
@_LEXICON
@_EMBEDDINGS
def build(
    sources: tuple[Path, ...], id: str, out: Path | None, lexicon: Path | None, embeddings: str | None
) -> None:
    """Build a reference set from SOURCES. Without SOURCES, rebuild the set in OUT from the copy of its
    source.

    SOURCES is one text with both languages in it (alternating by page or paragraph, or one after the other),
    two texts (one per language, in any order), or one aligned file (.tmx, .xlf, .tsv, .csv).
    Text may be UTF-8, GB18030 or Big5. .html and .md are read as well; .docx and .pdf need the extra
    `documents`.

    Applies the reviewer's decisions in OUT/overrides.yaml if there are any. The first build creates
    OUT/document.yaml (title, licence …) for you to complete. OUT/report.md describes the result.

    \b
      bench references build paper.txt --id paper-2021
      bench references build law.zh.txt law.en.txt --id law-2020 --out /data/law-2020
      bench references build treaty.pdf --id treaty --embeddings e5
      bench references build memory.tmx --id memory
      bench references build --id law-2020              rebuild after a review
    """
    from bench.references.build import build as build_set
    from bench.references.review.report import DOUBTFUL, doubtful

    folder = out or Path("references") / id
    reference = build_set(sources, id, folder, lexicon, embeddings)
    _print_counts(folder)
    echo(f"Written: {folder} (report.md lists what was left out)")
    pairs = doubtful(reference.segments)
    for segment in pairs[:10]:
        echo(f"{segment.confidence:.2f}  {segment.id}", indent="  ")
    if pairs:
        more = f", {len(pairs) - 10} more not shown" if len(pairs) > 10 else ""
        echo(f"Confidence below {DOUBTFUL}: {len(pairs)}{more}. Review: bench references review {folder}")


@references.command()
@click.argument("reference")
@click.option(
    "--out", type=_FILE, help="Path of the page.  [default: name of the set's folder, -review.html]"
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=None,
    help="Pairs with a lower confidence are listed first.  [default: 0.3]",
)
def review(reference: str, out: Path | None, threshold: float | None) -> None:
    """Write the review page of REFERENCE, an id or a folder: both languages side by side, doubtful pairs
    first.

    A set that does not hold its source exactly is refused, as by `bench references check`.
    The page is one self-contained HTML file. Its download is the set's overrides.yaml, which the next build
    applies.

    \b
      bench references review china-export-controls-2021
      (open the page, select sentences, download overrides.yaml into the set's folder)
      bench references build --id ID
    """
    from bench.files import write_text
    from bench.references.review.check import prove
    from bench.references.review.page import page
    from bench.references.review.report import DOUBTFUL

    path = out or Path(f"{prove(reference).resolve().name}-review.html")
    write_text(path, page(reference, DOUBTFUL if threshold is None else threshold))
    echo(f"Written: {path}")


@references.command()
@click.argument("reference")
def check(reference: str) -> None:
    """Verify that REFERENCE, an id or a folder, contains every character of its source once, and print its
    counts.

    \b
      bench references check china-export-controls-2021
    """
    _print_counts(reference)


@references.command()
@click.argument("reference")
@click.option("--out", required=True, type=_FOLDER, help="Folder for the files.")
@click.option(
    "--form",
    type=click.Choice(["txt", "tsv", "jsonl", "tmx", "xliff"]),
    default="txt",
    show_default=True,
    help="txt: one line per segment in .zh, .en and .ids, the layout of WMT; tmx: TMX 1.4; xliff: XLIFF 2.0.",
)
@click.option(
    "--granularity",
    type=click.Choice(["sentence", "paragraph", "document"]),
    default="sentence",
    show_default=True,
    help="What one segment is.",
)
def export(reference: str, out: Path, form: str, granularity: str) -> None:
    """Write REFERENCE (an id, a folder, the PREFIX of parallel files, or sacrebleu:SET/PAIR) for other tools.

    \b
      bench references export china-export-controls-2021 --out wmt
      (translate wmt/china-export-controls-2021.zh into out.zh-en.txt)
      bench run system=hypotheses system.name=ours system.adapter.path=out.zh-en.txt direction=zh-en
    """
    from bench.references import load
    from bench.references.export import export as export_set
    from bench.references.review.check import prove

    loaded = load(reference, granularity)
    if not loaded.outside:
        prove(reference)
    for path in export_set(loaded, out, form):
        echo(path)


@references.command()
@click.argument(
    "golds", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("-v", "--verbose", is_flag=True, help="Show the pairs that were missed.")
@click.option(
    "--peers",
    is_flag=True,
    help="Also align with Gale-Church and, with --embeddings, with Vecalign (extra `aligners`).",
)
@_LEXICON
@_EMBEDDINGS
def evaluate(
    golds: tuple[Path, ...], verbose: bool, peers: bool, lexicon: Path | None, embeddings: str | None
) -> None:
    """Measure precision and recall of the aligner, without overrides, on gold alignments.

    NAME.gold.tsv (one pair per line: Chinese, tab, English) is beside NAME.txt, or NAME.zh.txt and
    NAME.en.txt. A pair is correct if both sides have the same text, apart from punctuation and spaces.

    With --peers, the last columns are the F1 of our aligner and of public ones on the same sentences. Then the
    embeddings are for Vecalign only.

    \b
      bench references evaluate references/*/*.gold.tsv
      bench references evaluate --peers tests/references/gold/*.gold.tsv tests/references/gold/*/*.gold.tsv
    """
    from rich.console import Console
    from rich.table import Column, Table

    from bench.references import cedict
    from bench.references.alignment.embed import load_embedder
    from bench.references.alignment.evaluate import evaluate as evaluate_gold
    from bench.references.alignment.evaluate import evaluate_peer, total
    from bench.references.alignment.peers import gale_church, vecalign
    from bench.references.review.report import DOUBTFUL

    dictionary = cedict.load(lexicon) if lexicon else None
    embed = load_embedder(embeddings) if embeddings else None
    results = [evaluate_gold(gold, dictionary, None if peers else embed) for gold in golds]
    aligners = (
        ({"Gale-Church": gale_church} | ({"Vecalign": vecalign(embed)} if embed else {})) if peers else {}
    )
    others = {name: [evaluate_peer(gold, aligner) for gold in golds] for name, aligner in aligners.items()}
    headings = ["gold", "aligned", "correct", "precision", "recall"]
    headings += ["F1", *(f"F1 of {name}" for name in others)] if others else []
    table = Table("document", *(Column(heading, justify="right") for heading in headings))
    columns = [(*column, total(column)) for column in (results, *others.values())]
    for row in zip(*columns, strict=True):
        ours = row[0]
        numbers = (str(ours.gold), str(ours.aligned), str(ours.correct))
        scores = [ours.precision, ours.recall, *((result.f1 for result in row) if others else ())]
        table.add_row(plain(ours.document), *numbers, *(f"{score:.3f}" for score in scores))
    Console().print(table)
    all_ours = columns[0][-1]
    echo(
        f"Pairs with a confidence below {DOUBTFUL}: {all_ours.doubtful}, of which {all_ours.doubtful_wrong} are wrong; "
        f"{all_ours.aligned - all_ours.correct} are wrong in all."
    )
    for result in results if verbose else ():
        for label, pairs in (("missed", result.missed), ("wrong", result.wrong)):
            for zh, en in pairs:
                echo(f"{result.document} {label}")
                echo(zh, indent="  ")
                echo(en, indent="  ")


def _print_counts(reference: str | Path) -> None:
    from bench.references.review.check import check as check_set

    for label, count in check_set(reference).items():
        echo(f"{count:>6}  {label}")
