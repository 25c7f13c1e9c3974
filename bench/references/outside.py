"""Reference sets that were aligned elsewhere: parallel files in the layout of WMT, a test set of sacrebleu, or WMT's
JSON Lines."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bench import progress
from bench.core import ReferenceSet
from bench.errors import BenchError
from bench.languages import DIRECTIONS, sides
from bench.references import parallel_files, wmt_jsonl
from bench.references.parallel_files import read_further, read_lines, read_segments

SACREBLEU = "sacrebleu:"


def load(name: str, known_names: Collection[str] = ()) -> ReferenceSet | None:
    """The set with that name, or None if `name` is none of the three kinds.

    `PREFIX` (or `PREFIX.zh`, `PREFIX.en`): parallel files (parallel_files.py). `sacrebleu:SET/PAIR`: wmt22/zh-en,
    wmt17/improved/en-zh … `FILE.jsonl`: WMT's JSON Lines (wmt_jsonl.py).

    `known_names`: ids of sets that were built, which parallel files do not get.

    Raises BenchError, with file and line, at the first fault.
    """
    if name.startswith(SACREBLEU):
        return _sacrebleu(name.removeprefix(SACREBLEU))
    with suppress(OSError):  # the name is too long for a file
        if name.endswith(wmt_jsonl.SUFFIXES) and Path(name).is_file():
            return wmt_jsonl.load(Path(name))
    return parallel_files.load(name, known_names)


@cache  # a run loads its set several times, and some of sacrebleu's files take seconds to read
def _sacrebleu(name: str) -> ReferenceSet:
    from sacrebleu.dataset import DATASETS
    from sacrebleu.utils import SACREBLEU_DIR

    test, _, pair = name.rpartition("/")
    known = [f"{t}/{p}" for t, dataset in DATASETS.items() for p in DIRECTIONS if p in dataset.langpairs]
    if name not in known:
        similar = [other for other in known if other.startswith(f"{name.split('/')[0]}/")]
        raise BenchError(
            f"sacrebleu has no {name!r} for Chinese and English: use one of {', '.join(similar or known)}."
        )
    dataset: Any = DATASETS[test]
    folder = Path(SACREBLEU_DIR, test)
    if not (folder / "raw").is_dir():
        progress.say(f"sacrebleu downloads {test} to {folder}")
    try:
        fields = dict(zip(dataset.fieldnames(pair), map(Path, dataset.get_files(pair)), strict=True))
        default = {Path(path) for path in dataset.get_reference_files(pair)}
    except (Exception, SystemExit) as error:  # any exception, or an exit if the download is damaged
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BenchError(
            f"sacrebleu cannot get {test} ({reason}): run `sacrebleu -t {test} -l {pair} --echo src` on a "
            f"machine with a network, and copy the folder {test} of its cache (~/.sacrebleu) to {folder}."
        ) from None
    references = sorted(field for field in fields if field == "ref" or field.startswith("ref:"))
    reference = next((field for field in references if fields[field] in default), references[0])
    source, target = sides(pair)
    # Several by default, as in wmt20/tworefs: sacrebleu's own command uses all of them.
    further = [field for field in references if fields[field] in default and field != reference]
    segments = read_segments(
        {source: fields["src"], target: fields[reference]}, documents=fields.get("docid")
    )
    year = re.match(r"(?:wmt|iwslt)(\d\d)", test)
    return ReferenceSet(
        id=f"{test}.{pair}".replace("/", "."),
        title=f"{test} {pair} of sacrebleu" + (f", reference {reference[4:]}" if reference != "ref" else ""),
        original_language=_original(fields.get("origlang")),
        published=f"20{year.group(1)}" if year else "",
        licence=f"see `sacrebleu -t {test} --cite`",
        segments=segments,
        further=tuple(read_further(target, [fields[field] for field in further], len(segments))),
        outside=True,
        origin=f"{SACREBLEU}{name}",
    )


def _original(path: Path | None) -> Literal["zh", "en", "mixed", "unknown"]:
    """The original language by sacrebleu's field `origlang`. WMT17 and WMT18 are mixed; IWSLT does not have
    the field."""
    languages = {*read_lines(path)} if path else {""}
    if len(languages) > 1:
        return "mixed"
    return "zh" if languages == {"zh"} else "en" if languages == {"en"} else "unknown"
